//! Finds the archives of a directory and reads them, several at a time.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use chartroom_storage::Clock;

use super::url;
use crate::chart::archive::{self, Acceptance, ArchiveError};
use crate::chart::limits::Limits;
use crate::index::Entry;

/// Archives are held in memory while they are read, each up to the limit on its size: so no more at a
/// time than this, on however many processors.
const MAX_THREADS: usize = 8;

/// A file that may be an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    path: PathBuf,
    /// The name of the sub-directory; empty for the directory itself.
    folder: PathBuf,
}

/// Why a file is not in the index.
#[derive(Debug, thiserror::Error)]
pub(super) enum SkipReason {
    #[error("cannot read it: {0}")]
    Unreadable(#[from] io::Error),
    #[error("it is not a regular file")]
    NotAFile,
    #[error("its name is not UTF-8")]
    Name,
    #[error("{0}")]
    Archive(#[from] ArchiveError),
}

impl Candidate {
    /// Returns the path below the directory, for messages.
    pub(super) fn label(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        self.folder.join(name).display().to_string()
    }

    fn read(&self, base_url: &str, clock: &Clock) -> Result<Entry, SkipReason> {
        let name = self.path.file_name().and_then(OsStr::to_str);
        let (Some(name), Some(folder)) = (name, self.folder.to_str()) else {
            return Err(SkipReason::Name);
        };
        // Asked first: opening a pipe would wait for somebody to write to it.
        let metadata = fs::metadata(&self.path)?;
        if !metadata.is_file() {
            return Err(SkipReason::NotAFile);
        }
        let limits = Limits::default();
        if metadata.len() > u64::try_from(limits.archive_bytes).unwrap_or(u64::MAX) {
            return Err(ArchiveError::ArchiveTooLarge(limits.archive_bytes).into());
        }
        let archive = archive::read(&fs::read(&self.path)?, &limits, Acceptance::Helm)?;
        Ok(Entry {
            metadata: archive.metadata,
            urls: vec![url::of_file(base_url, folder, name)],
            created: super::local_time(clock),
            digest: archive.digest.to_string(),
            removed: false,
            checksum: String::new(),
            engine: String::new(),
            tiller_version: String::new(),
            url: String::new(),
        })
    }
}

/// Lists what Helm looks at, in Helm's order: `*.tgz` in the directory, then in each of its
/// sub-directories. Names with a dot in front count, and links are followed.
pub(super) fn find(directory: &Path) -> io::Result<Vec<Candidate>> {
    let names = sorted_names(directory)?;
    let mut candidates = Vec::new();
    let mut take = |folder: &Path, names: &[PathBuf]| {
        let names = names.iter().filter(|name| is_archive_name(name));
        candidates.extend(names.map(|name| Candidate {
            path: directory.join(folder).join(name),
            folder: folder.to_owned(),
        }));
    };
    take(Path::new(""), &names);
    for folder in &names {
        // What cannot be asked is no directory to Helm.
        let is_directory = fs::metadata(directory.join(folder)).is_ok_and(|found| found.is_dir());
        if is_directory {
            take(folder, &sorted_names(&directory.join(folder))?);
        }
    }
    Ok(candidates)
}

fn is_archive_name(name: &Path) -> bool {
    name.as_os_str().as_bytes().ends_with(b".tgz")
}

fn sorted_names(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(PathBuf::from(entry?.file_name()));
    }
    names.sort_by(|left, right| {
        left.as_os_str()
            .as_bytes()
            .cmp(right.as_os_str().as_bytes())
    });
    Ok(names)
}

/// Reads `candidates` and returns what came of each, in their order. `progress` is told after each
/// file how many are done.
pub(super) fn read_all(
    candidates: &[Candidate],
    base_url: &str,
    clock: &Clock,
    mut progress: impl FnMut(usize),
) -> Vec<Result<Entry, SkipReason>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MAX_THREADS).min(candidates.len());
    let next = AtomicUsize::new(0);
    let mut results = Vec::with_capacity(candidates.len());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(2 * MAX_THREADS);
        for _ in 0..threads {
            let sender = sender.clone();
            let next = &next;
            scope.spawn(move || {
                loop {
                    let position = next.fetch_add(1, Ordering::Relaxed);
                    let Some(candidate) = candidates.get(position) else {
                        break;
                    };
                    let result = candidate.read(base_url, clock);
                    if sender.send((position, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (done, result) in receiver.iter().enumerate() {
            results.push(result);
            progress(done + 1);
        }
    });
    results.sort_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_found_in_helms_order_and_one_level_deep() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for folder in ["sub/deep", ".hid", "x.tgz"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in [
            "b.tgz",
            "a.tgz",
            "B.TGZ",
            "c.tar.gz",
            ".h.tgz",
            "sub/z.tgz",
            "sub/y.tgz",
            "sub/deep/no.tgz",
            ".hid/q.tgz",
            "x.tgz/in.tgz",
        ] {
            fs::write(root.join(file), "").unwrap();
        }
        let found = find(root).unwrap();
        let labels: Vec<String> = found.iter().map(Candidate::label).collect();
        let expected = [
            ".h.tgz",
            "a.tgz",
            "b.tgz",
            "x.tgz",
            ".hid/q.tgz",
            "sub/y.tgz",
            "sub/z.tgz",
            "x.tgz/in.tgz",
        ];
        assert_eq!(labels, expected);
        assert!(find(&root.join("missing")).is_err());
    }
}
