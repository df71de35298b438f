//! Listing of a local directory.

use std::fs::{DirEntry, Metadata};
use std::io;
use std::path;
use std::time::SystemTime;

use object_store::path::Path;
use object_store::{Extensions, ListResult, ObjectMeta};

use super::folder_path;
use crate::key;

/// Something in a directory that has a name which a key can have.
enum Entry {
    Object(ObjectMeta),
    Folder { location: Path, linked: bool },
}

/// Lists the direct children of a folder; a missing folder has none.
pub(super) fn list_children(root: &path::Path, prefix: &Path) -> io::Result<ListResult> {
    let mut result = ListResult {
        common_prefixes: Vec::new(),
        objects: Vec::new(),
        extensions: Extensions::default(),
    };
    for entry in read_folder(root, prefix, None)? {
        match entry {
            Entry::Object(object) => result.objects.push(object),
            Entry::Folder { location, .. } => result.common_prefixes.push(location),
        }
    }
    Ok(result)
}

/// Lists everything below a folder that comes after `after`. Linked folders are left out: they may
/// lead in a circle.
pub(super) fn list_below(
    root: &path::Path,
    prefix: &Path,
    after: Option<&Path>,
) -> io::Result<Vec<ObjectMeta>> {
    let mut objects = Vec::new();
    let mut folders = vec![prefix.clone()];
    while let Some(folder) = folders.pop() {
        for entry in read_folder(root, &folder, after)? {
            match entry {
                Entry::Object(object) => objects.push(object),
                Entry::Folder { linked: true, .. } => {}
                Entry::Folder { location, .. } => folders.push(location),
            }
        }
    }
    Ok(objects)
}

fn read_folder(root: &path::Path, prefix: &Path, after: Option<&Path>) -> io::Result<Vec<Entry>> {
    let files = match std::fs::read_dir(folder_path(root, prefix)) {
        Ok(files) => files,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for file in files {
        if let Some(entry) = read_entry(&file?, prefix, after)? {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Returns what the file is; nothing if it cannot be an object or vanished meanwhile.
fn read_entry(file: &DirEntry, prefix: &Path, after: Option<&Path>) -> io::Result<Option<Entry>> {
    let Some(location) = locate(file, prefix) else {
        return Ok(None);
    };
    let file_type = file.file_type()?;
    if file_type.is_dir() {
        let linked = false;
        return Ok(Some(Entry::Folder { location, linked }));
    }
    // Before the stat: most of a log's folder is behind the reader.
    let passed = after.is_some_and(|after| location <= *after);
    if passed && file_type.is_file() {
        return Ok(None);
    }
    let metadata = match std::fs::metadata(file.path()) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) if is_circle(&error) => {
            tracing::warn!(
                storage.file = %file.path().display(),
                "a link in the store's directory leads in a circle; it is left out",
            );
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if metadata.is_dir() {
        let linked = true;
        return Ok(Some(Entry::Folder { location, linked }));
    }
    // Sockets, pipes and devices are no objects; reading a pipe would hang.
    if passed || !metadata.is_file() {
        return Ok(None);
    }
    let object = describe(location, &metadata)?;
    Ok(Some(Entry::Object(object)))
}

fn locate(file: &DirEntry, prefix: &Path) -> Option<Path> {
    let name = file.file_name();
    let location = name.to_str().and_then(|name| {
        if prefix.is_root() {
            Path::parse(name).ok()
        } else {
            Path::parse(format!("{prefix}/{name}")).ok()
        }
    });
    if location.is_none() {
        tracing::warn!(
            storage.file = ?file.path(),
            "a file in the store's directory has a name that no object can have; it is left out",
        );
    }
    // Uploads under way, and what crashes left of them.
    location.filter(|_| !name.to_str().is_some_and(key::is_reserved))
}

/// Builds what `LocalFileSystem` says of a file; the contract suite checks that they agree.
fn describe(location: Path, metadata: &Metadata) -> io::Result<ObjectMeta> {
    let modified = metadata.modified()?;
    let microseconds = modified
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros();
    let size = metadata.len();
    let inode = inode(metadata);
    Ok(ObjectMeta {
        location,
        last_modified: modified.into(),
        size,
        e_tag: Some(format!("\"{inode:x}-{microseconds:x}-{size:x}\"")),
        version: None,
    })
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn is_circle(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}
