//! A file that is read again while the server runs.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any sensible one.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// It holds something else.
    #[error("{}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

type Parse<T> = fn(&str) -> Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What a file holds. A new content counts as soon as it was seen; a broken one never does.
pub(super) struct Watched<T> {
    path: PathBuf,
    limit: usize,
    parse: Parse<T>,
    current: ArcSwap<T>,
    /// What `current` was made of. Contents are compared, not times and sizes: a file that is put back
    /// or changed twice within a tick of the clock is seen too.
    text: Mutex<String>,
}

impl<T> Watched<T> {
    /// Reads the file for the first time.
    pub(super) fn load(path: &Path, limit: usize, parse: Parse<T>) -> Result<Self, FileError> {
        let text = read(path, limit)?;
        let content = parsed(path, &text, parse)?;
        Ok(Self {
            path: path.to_owned(),
            limit,
            parse,
            current: ArcSwap::from_pointee(content),
            text: Mutex::new(text),
        })
    }

    /// Returns what it holds.
    pub(super) fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Reads it again, and tells whether it changed.
    pub(super) fn reload(&self) -> Result<bool, FileError> {
        let text = read(&self.path, self.limit)?;
        let mut known = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == text {
            return Ok(false);
        }
        let content = parsed(&self.path, &text, self.parse)?;
        self.current.store(Arc::new(content));
        *known = text;
        Ok(true)
    }
}

/// Names the file only: what it holds may be secret.
impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Watched").field(&self.path).finish()
    }
}

fn read(path: &Path, limit: usize) -> Result<String, FileError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_string(&mut text))
        .map_err(|source| FileError::Read {
            path: path.to_owned(),
            source,
        })?;
    if text.len() > limit {
        let path = path.to_owned();
        return Err(FileError::TooLarge { path, limit });
    }
    Ok(text)
}

fn parsed<T>(path: &Path, text: &str, parse: Parse<T>) -> Result<T, FileError> {
    parse(text).map_err(|source| FileError::Content {
        path: path.to_owned(),
        source,
    })
}

/// Writes an error with its causes: a file's name alone would not tell what is wrong with it.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn number(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.trim().parse()?)
    }

    #[test]
    fn a_broken_file_leaves_the_old_content_until_it_is_mended() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "1").unwrap();
        let watched = Watched::load(&path, 10, number).unwrap();
        assert!(!watched.reload().unwrap());
        for broken in ["x", "", "12345678901"] {
            fs::write(&path, broken).unwrap();
            assert!(watched.reload().is_err(), "{broken}");
            assert_eq!(*watched.current(), 1);
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(watched.reload(), Err(FileError::Read { .. })));
        assert_eq!(*watched.current(), 1);
        fs::write(&path, "2").unwrap();
        assert!(watched.reload().unwrap());
        assert_eq!(*watched.current(), 2);
    }

    #[test]
    fn the_first_content_must_be_right() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("file");
        assert!(Watched::load(&path, 10, number).is_err());
        fs::write(&path, "x").unwrap();
        let error = Watched::load(&path, 10, number).unwrap_err();
        let text = with_causes(&error);
        assert!(
            text.ends_with("file: invalid digit found in string"),
            "{text}"
        );
    }
}
