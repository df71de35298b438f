//! What can go wrong with a store, as far as callers have to tell it apart.

use std::error::Error;
use std::fmt;
use std::io;

use crate::Key;
use crate::bucket::BucketError;
use crate::local::OpenError;

type Source = Box<dyn Error + Send + Sync>;

/// A failed store operation: what was tried, on which object, and why it failed.
///
/// Its text names the operation and the object and leaves the cause to [`Error::source`].
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} `{location}`: {kind}")]
pub struct StorageError {
    kind: StorageErrorKind,
    operation: Operation,
    location: String,
    source: Option<Source>,
}

/// The kinds of failure that callers act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageErrorKind {
    /// The store answered that there is no such object.
    NotFound,
    /// A create found an object in its place.
    AlreadyExists,
    /// The store refused access.
    Denied,
    /// The store failed or could not be reached. A write that failed so may have happened, or may
    /// still happen.
    Unavailable,
    /// No answer came in time. A write that failed so may have happened, or may still happen.
    Timeout,
    /// The store cannot do this, or cannot hold an object of this name.
    Unsupported,
    /// The object is there but is not what it has to be.
    Corrupt,
}

/// What was tried when a [`StorageError`] came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Opening a store.
    Open,
    /// Writing an object that must not exist yet.
    Create,
    /// Writing an object over whatever is there.
    Replace,
    /// Reading an object.
    Read,
    /// Asking for an object's identity.
    Head,
    /// Listing objects.
    List,
    /// Removing an object.
    Delete,
}

impl StorageError {
    /// Returns an error without a cause.
    pub fn new(kind: StorageErrorKind, operation: Operation, location: impl Into<String>) -> Self {
        let mut location = location.into();
        if location.is_empty() {
            location.push('/');
        }
        Self {
            kind,
            operation,
            location,
            source: None,
        }
    }

    /// Returns the error with `source` as its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the error for an object that was read but does not hold what it has to.
    pub fn corrupt(key: &Key, source: impl Into<Source>) -> Self {
        Self::new(StorageErrorKind::Corrupt, Operation::Read, key.as_str()).with_source(source)
    }

    /// Returns what kind of failure this is.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// Returns what was tried.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the object's full path in the store, or the directory or bucket that could not be opened.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Tells whether a write that failed so may have happened, or may still happen.
    pub fn outcome_unknown(&self) -> bool {
        matches!(
            self.kind,
            StorageErrorKind::Timeout | StorageErrorKind::Unavailable
        )
    }

    pub(crate) fn from_store(
        operation: Operation,
        location: &str,
        error: object_store::Error,
    ) -> Self {
        #[cfg(feature = "bucket")]
        if let Some(failure) = crate::bucket::Failure::find(&error) {
            return Self::new(failure.kind(), operation, location).with_source(failure);
        }
        Self::new(kind_of(operation, &error), operation, location).with_source(error)
    }

    /// Returns what [`StorageError::from_store`] would make of an error.
    pub(crate) fn kind_in(operation: Operation, error: &object_store::Error) -> StorageErrorKind {
        #[cfg(feature = "bucket")]
        if let Some(failure) = crate::bucket::Failure::find(error) {
            return failure.kind();
        }
        kind_of(operation, error)
    }

    pub(crate) fn from_bucket(bucket: &str, error: BucketError) -> Self {
        let kind = match &error {
            BucketError::File { source, .. } => kind_of_io(Operation::Open, source.kind()),
            _ => StorageErrorKind::Unsupported,
        };
        Self::new(kind, Operation::Open, bucket).with_source(error)
    }

    pub(crate) fn from_open(directory: &str, error: OpenError) -> Self {
        let kind = match &error {
            OpenError::NotADirectory | OpenError::NoLinks(_) => StorageErrorKind::Unsupported,
            OpenError::Unreachable(error) | OpenError::Unwritable(error) => {
                kind_of_io(Operation::Open, error.kind())
            }
            OpenError::Refused(error) => kind_of(Operation::Open, error),
        };
        Self::new(kind, Operation::Open, directory).with_source(error)
    }

    pub(crate) fn from_io(operation: Operation, location: &str, error: io::Error) -> Self {
        Self::new(kind_of_io(operation, error.kind()), operation, location).with_source(error)
    }
}

impl fmt::Display for StorageErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::Denied => "access denied",
            Self::Unavailable => "the store failed or could not be reached",
            Self::Timeout => "the store did not answer in time",
            Self::Unsupported => "not supported",
            Self::Corrupt => "the object is damaged",
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Read => "read",
            Self::Head => "look at",
            Self::List => "list",
            Self::Delete => "delete",
        })
    }
}

fn kind_of(operation: Operation, error: &object_store::Error) -> StorageErrorKind {
    match error {
        object_store::Error::NotFound { .. } => match operation {
            Operation::Read | Operation::Head | Operation::Delete => StorageErrorKind::NotFound,
            // What a write or a listing misses is no object but what it would be in.
            _ => StorageErrorKind::Unavailable,
        },
        // Azure may answer a create that lost with a failed precondition; no other operation of
        // ours carries one.
        object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
            StorageErrorKind::AlreadyExists
        }
        object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. } => StorageErrorKind::Denied,
        object_store::Error::NotSupported { .. }
        | object_store::Error::NotImplemented { .. }
        | object_store::Error::InvalidPath { .. }
        | object_store::Error::UnknownConfigurationKey { .. } => StorageErrorKind::Unsupported,
        other => find_io_kind(other).map_or(StorageErrorKind::Unavailable, |kind| {
            kind_of_io(operation, kind)
        }),
    }
}

/// Returns the kind of the operating system's error below `error`, if there is one.
fn find_io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        next = current.source();
    }
    None
}

fn kind_of_io(operation: Operation, kind: io::ErrorKind) -> StorageErrorKind {
    match kind {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StorageErrorKind::Denied
        }
        io::ErrorKind::TimedOut => StorageErrorKind::Timeout,
        io::ErrorKind::InvalidData => StorageErrorKind::Corrupt,
        // `a/b` cannot exist where `a` is a file; only writing it is a fault.
        io::ErrorKind::NotADirectory
            if matches!(
                operation,
                Operation::Read | Operation::Head | Operation::Delete
            ) =>
        {
            StorageErrorKind::NotFound
        }
        io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::Unsupported => StorageErrorKind::Unsupported,
        // A missing file that an operation did not expect to miss is a fault, never absence; a full
        // disk or a failing one may be well again soon.
        _ => StorageErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(source: io::Error) -> object_store::Error {
        object_store::Error::Generic {
            store: "test",
            source: Box::new(source),
        }
    }

    #[test]
    fn errors_of_the_operating_system_get_their_kind() {
        use StorageErrorKind::{Corrupt, Denied, NotFound, Timeout, Unavailable, Unsupported};
        let cases = [
            (io::ErrorKind::StorageFull, Operation::Create, Unavailable),
            (io::ErrorKind::Other, Operation::Read, Unavailable),
            (io::ErrorKind::NotFound, Operation::Read, Unavailable),
            (io::ErrorKind::PermissionDenied, Operation::Read, Denied),
            (io::ErrorKind::ReadOnlyFilesystem, Operation::Create, Denied),
            (io::ErrorKind::NotADirectory, Operation::Head, NotFound),
            (io::ErrorKind::NotADirectory, Operation::Create, Unsupported),
            (io::ErrorKind::InvalidFilename, Operation::Read, Unsupported),
            (io::ErrorKind::TimedOut, Operation::Delete, Timeout),
            (io::ErrorKind::InvalidData, Operation::Read, Corrupt),
        ];
        for (io_kind, operation, expected) in cases {
            let error = StorageError::from_store(operation, "a", generic(io_kind.into()));
            assert_eq!(error.kind(), expected, "{io_kind:?} at {operation:?}");
        }
    }

    #[test]
    fn errno_5_is_unavailable_and_errno_13_is_denied() {
        let eio = StorageError::from_store(
            Operation::Create,
            "a",
            generic(io::Error::from_raw_os_error(5)),
        );
        assert_eq!(eio.kind(), StorageErrorKind::Unavailable);
        assert!(eio.outcome_unknown());
        let eacces = StorageError::from_store(
            Operation::Create,
            "a",
            generic(io::Error::from_raw_os_error(13)),
        );
        assert_eq!(eacces.kind(), StorageErrorKind::Denied);
        assert!(!eacces.outcome_unknown());
    }

    #[test]
    fn a_failed_precondition_is_a_lost_create() {
        let error = object_store::Error::Precondition {
            path: "a".into(),
            source: "taken".into(),
        };
        let error = StorageError::from_store(Operation::Create, "a", error);
        assert_eq!(error.kind(), StorageErrorKind::AlreadyExists);
    }

    #[test]
    fn the_text_names_operation_and_object_but_not_the_cause() {
        let error =
            StorageError::from_store(Operation::Delete, "a/b", generic(io::Error::other("cause")));
        assert_eq!(
            error.to_string(),
            "cannot delete `a/b`: the store failed or could not be reached"
        );
        assert!(error.source().is_some());
    }
}
