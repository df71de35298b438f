//! Deadlines, and the retries of reads.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Operation, StorageError, StorageErrorKind};

/// The pauses between the tries of a read. Few and short: a caller waits, and the deadline of the
/// operation holds over all of them.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// Runs an operation for no longer than `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    operation: Operation,
    location: &str,
    work: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    by(after(limit), operation, location, work).await
}

/// Returns the moment when `limit` is over; a limit beyond all time is a very long one.
pub(super) fn after(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit)
        .unwrap_or_else(|| now + Duration::from_hours(24 * 365))
}

/// Runs an operation until a moment.
pub(super) async fn by<T>(
    deadline: Instant,
    operation: Operation,
    location: &str,
    work: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    tokio::time::timeout_at(deadline, work)
        .await
        .unwrap_or_else(|elapsed| {
            Err(
                StorageError::new(StorageErrorKind::Timeout, operation, location)
                    .with_source(elapsed),
            )
        })
}

/// Tries a read again if the store failed. A read that timed out is not tried again: its deadline is
/// over.
pub(super) async fn retry<T, F>(read: impl Fn() -> F) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    for pause in PAUSES {
        match read().await {
            Err(error) if error.kind() == StorageErrorKind::Unavailable => {
                tracing::debug!(error = %error, "a read failed and is tried again");
                tokio::time::sleep(pause).await;
            }
            answer => return answer,
        }
    }
    read().await
}
