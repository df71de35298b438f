//! Why an operation on a repository did not succeed.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::StorageError;

use crate::chart::Digest;
use crate::chart::name::NameError;

/// After how long a client should try again when a repository is busy.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why an operation did not succeed. None of them stands for an absence but `NotFound`, which is
/// said after a catch-up only.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is no such thing, and the log was read to its end before saying so.
    #[error("{what} is not in the repository")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The archive's name and version do not make a file name that every store can hold.
    #[error("the chart cannot be stored under its name and version")]
    Unnameable(#[source] NameError),
    /// The version is taken.
    #[error("{file} already exists")]
    AlreadyExists {
        /// The archive's or provenance's file name.
        file: String,
        /// The digest of what is there, where known.
        existing: Option<Digest>,
        /// The digest of what was uploaded, where known.
        uploaded: Option<Digest>,
    },
    /// The repository holds as many objects as it may.
    #[error("the repository holds {limit} objects, as many as it may")]
    Full {
        /// How many.
        limit: u64,
    },
    /// It cannot be done or decided now; the same request may be sent again.
    #[error("busy: {reason}")]
    Busy {
        /// When to try again.
        retry_after: Duration,
        /// Why.
        reason: String,
    },
    /// The files that were there at start are still being read.
    #[error("{read} of {of} archives are read")]
    Loading {
        /// How many are read.
        read: usize,
        /// How many are to be read; none before they are listed.
        of: usize,
    },
    /// A reader asked for a generation that does not exist yet.
    #[error("at generation {generation}, not yet at {wanted}")]
    Behind {
        /// What there is.
        generation: u64,
        /// What was asked for.
        wanted: u64,
    },
    /// The object is not the one that was found any more: find it again.
    #[error("the object changed while it was being read")]
    Changed,
    /// The store failed.
    #[error("the store failed")]
    Storage(#[source] Arc<StorageError>),
    /// The repository is shutting down.
    #[error("the repository is closed")]
    Closed,
}

impl RepositoryError {
    pub(super) fn busy(reason: impl Into<String>) -> Self {
        Self::Busy {
            retry_after: RETRY_AFTER,
            reason: reason.into(),
        }
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(super) fn from_shared(error: Arc<StorageError>) -> Self {
        Self::Storage(error)
    }
}

impl From<StorageError> for RepositoryError {
    fn from(error: StorageError) -> Self {
        Self::Storage(Arc::new(error))
    }
}
