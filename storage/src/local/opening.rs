//! Opening a local directory, with every reason why it cannot be used told at once at the start.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use object_store::local::LocalFileSystem;

use super::LocalDirectory;

/// Why a directory cannot be a store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The path names something else.
    #[error("it is not a directory")]
    NotADirectory,
    /// It could not be created, or its path could not be resolved.
    #[error("the directory cannot be created or reached")]
    Unreachable(#[source] io::Error),
    /// No file can be written into it.
    #[error("no file can be written into the directory")]
    Unwritable(#[source] io::Error),
    /// Objects are created by linking a finished file to its name, so that only one creator wins.
    #[error("the file system of the directory has no hard links")]
    NoLinks(#[source] io::Error),
    /// The library refused the path.
    #[error("the directory cannot be opened")]
    Refused(#[source] object_store::Error),
}

impl LocalDirectory {
    /// Opens a directory, creating it if it is missing, and checks that objects can be created in
    /// it. Blocks for as long as the file system takes.
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        match fs::metadata(directory) {
            Ok(found) if !found.is_dir() => return Err(OpenError::NotADirectory),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_directory(directory).map_err(OpenError::Unreachable)?;
            }
            Err(error) => return Err(OpenError::Unreachable(error)),
        }
        let root = fs::canonicalize(directory).map_err(OpenError::Unreachable)?;
        try_writing(&root)?;
        Self::over(root)
    }

    /// Opens a directory that must be there, without trying to write into it.
    pub(crate) fn open_existing(directory: &Path) -> Result<Self, OpenError> {
        let root = fs::canonicalize(directory).map_err(OpenError::Unreachable)?;
        if !fs::metadata(&root)
            .map_err(OpenError::Unreachable)?
            .is_dir()
        {
            return Err(OpenError::NotADirectory);
        }
        Self::over(root)
    }

    fn over(root: PathBuf) -> Result<Self, OpenError> {
        let files = LocalFileSystem::new_with_prefix(&root)
            .map_err(OpenError::Refused)?
            .with_fsync(true);
        Ok(Self {
            files,
            root: root.into(),
        })
    }
}

/// Creates the directory and its missing parents, and flushes the entry of each.
fn create_directory(directory: &Path) -> io::Result<()> {
    let directory = std::path::absolute(directory)?;
    let mut missing: Vec<PathBuf> = Vec::new();
    for ancestor in directory.ancestors() {
        if ancestor.try_exists()? {
            break;
        }
        missing.push(ancestor.to_owned());
    }
    fs::create_dir_all(&directory)?;
    for created in missing {
        if let Some(parent) = created.parent() {
            sync_directory(parent)?;
        }
    }
    Ok(())
}

/// Does once, at the start, what creating an object does.
fn try_writing(root: &Path) -> Result<(), OpenError> {
    // Names that end so are hidden from listings, should the process end right here.
    let probe = format!(".chartroom-probe-{}", uuid::Uuid::new_v4().simple());
    let file = root.join(format!("{probe}#1"));
    let link = root.join(format!("{probe}#2"));
    let written = File::create_new(&file).and_then(|mut file| file.write_all(b"chartroom"));
    if let Err(error) = written {
        // Nothing is there, or it is all that can be done about it.
        let _ = fs::remove_file(&file);
        return Err(OpenError::Unwritable(error));
    }
    let linked = fs::hard_link(&file, &link);
    let cleaned = fs::remove_file(&file);
    linked.map_err(OpenError::NoLinks)?;
    cleaned
        .and_then(|()| fs::remove_file(&link))
        .map_err(OpenError::Unwritable)
}

/// Flushes the entries of a directory to the disk.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    // Only on Unix can a directory be opened like a file.
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
