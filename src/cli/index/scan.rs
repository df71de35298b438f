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
use crate::chart::archive::{self, Acceptance, ArchiveError, index_breaker};
use crate::chart::limits::Limits;
use crate::index::{Entry, Row};

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

/// An archive that was read.
#[derive(Debug)]
pub(super) struct Found {
    /// Its entry, whose tie is its position among the candidates: versions of one precedence stay in the
    /// order in which Helm comes upon them.
    pub(super) row: Row,
    /// Where it holds something on which Helm fails.
    pub(super) breaker: Option<String>,
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

    fn read(&self, position: usize, base_url: &str, clock: &Clock) -> Result<Found, SkipReason> {
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
        let breaker = index_breaker(&archive.metadata);
        let entry = Entry {
            metadata: archive.metadata,
            urls: vec![url::of_file(base_url, folder, name)],
            created: super::local_time(clock),
            digest: archive.digest.to_string(),
            removed: false,
            checksum: String::new(),
            engine: String::new(),
            tiller_version: String::new(),
            url: String::new(),
        };
        Ok(Found {
            row: Row::of(&entry, &tie(position)),
            breaker,
        })
    }
}

/// Returns what puts something into its place among versions of the same precedence.
pub(super) fn tie(position: usize) -> String {
    format!("{position:010}")
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

/// Reads `candidates`, and hands out what came of each as soon as it is read, with its position.
pub(super) fn read_all(
    candidates: &[Candidate],
    base_url: &str,
    clock: &Clock,
    mut take: impl FnMut(usize, Result<Found, SkipReason>),
) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MAX_THREADS).min(candidates.len());
    let next = AtomicUsize::new(0);
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
                    let result = candidate.read(position, base_url, clock);
                    if sender.send((position, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (position, result) in receiver {
            take(position, result);
        }
    });
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
