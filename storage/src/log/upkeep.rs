//! Snapshots written and old records removed, off the request path.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::keys::LogKeys;
use super::snapshot::{self, SnapshotJob};
use super::{Frozen, unavailable};
use crate::{Clock, Key, Listed, Moment, StorageError, StorageErrorKind, Store};

/// Writes snapshots of one log and removes what they made unnecessary.
///
/// Safe beside any number of replicas that do the same.
#[derive(Clone, Debug)]
pub struct Upkeep {
    store: Store,
    clock: Clock,
    keys: LogKeys,
    retention: Duration,
    decision_lasts: Duration,
}

impl Upkeep {
    pub(super) fn new(
        store: Store,
        clock: Clock,
        keys: LogKeys,
        retention: Duration,
        decision_lasts: Duration,
    ) -> Self {
        Self {
            store,
            clock,
            keys,
            retention,
            decision_lasts,
        }
    }

    /// Writes the snapshot, unless another replica wrote one meanwhile that serves as well, and then
    /// removes what is old. Returns whether it wrote one.
    ///
    /// # Errors
    /// Whatever the store answers. Nothing depends on success: the log is only longer without.
    pub async fn run<Change, F>(&self, job: SnapshotJob<F>) -> Result<bool, StorageError>
    where
        Change: Serialize,
        F: Frozen<Change>,
    {
        let existing = self.snapshots().await?;
        let newest = existing.last().map_or(0, |(generation, _)| *generation);
        let is_wanted = newest.saturating_add(job.grown / 2) < job.header.generation;
        if is_wanted {
            self.write(job).await?;
        }
        self.remove_old().await?;
        Ok(is_wanted)
    }

    async fn write<Change, F>(&self, job: SnapshotJob<F>) -> Result<(), StorageError>
    where
        Change: Serialize,
        F: Frozen<Change>,
    {
        let key = self.keys.snapshot(job.header.generation);
        let owned_key = key.clone();
        let body = tokio::task::spawn_blocking(move || {
            snapshot::encode(&owned_key, &job.header, &job.frozen)
        })
        .await
        .map_err(|error| unavailable(&key, error))??;
        match self.store.create(&key, body).await {
            Err(error) if error.kind() != StorageErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the records and snapshots below a snapshot that has itself been readable for the whole
    /// retention. Returns how many objects it removed.
    ///
    /// The newest record and genesis always stay. Whether a snapshot is old enough is told by
    /// comparing two times that the store gave, so that no replica's clock counts.
    ///
    /// # Errors
    /// Whatever the store answers; what was removed until then stays removed.
    pub async fn remove_old(&self) -> Result<u64, StorageError> {
        let decided = self.clock.now();
        let snapshots = self.snapshots().await?;
        let records = self.numbered(self.keys.records()).await?;
        let Some(store_now) = newest_time(&snapshots).max(newest_time(&records)) else {
            return Ok(0);
        };
        let retention = TimeDelta::from_std(self.retention).unwrap_or(TimeDelta::MAX);
        let is_old =
            |object: &Listed| store_now.signed_duration_since(object.id.modified) >= retention;
        let Some(covering) = snapshots
            .iter()
            .filter(|(_, object)| is_old(object))
            .map(|(number, _)| *number)
            .max()
        else {
            return Ok(0);
        };
        let newest = records.last().map_or(0, |(number, _)| *number);
        let below = records
            .iter()
            .filter(|(number, _)| *number < covering && *number < newest)
            .chain(snapshots.iter().filter(|(number, _)| *number < covering));
        let mut removed = 0;
        // Ascending, one after another: a gap never opens in the middle.
        for (_, object) in below {
            if self.has_expired(decided) {
                break;
            }
            self.remove(&object.key).await?;
            removed += 1;
        }
        Ok(removed)
    }

    /// A decision to remove must not outlive the proofs that others built on what is there.
    fn has_expired(&self, decided: Moment) -> bool {
        self.clock.now().since(decided) >= self.decision_lasts
    }

    async fn remove(&self, key: &Key) -> Result<(), StorageError> {
        match self.store.delete(key).await {
            Err(error) if error.kind() != StorageErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    async fn snapshots(&self) -> Result<Vec<(u64, Listed)>, StorageError> {
        self.numbered(self.keys.snapshots()).await
    }

    /// Lists a folder's numbered objects, ascending.
    async fn numbered(&self, folder: &Key) -> Result<Vec<(u64, Listed)>, StorageError> {
        let listed = self.store.list_below(folder, None).await?;
        Ok(listed
            .into_iter()
            .filter_map(|object| LogKeys::generation(&object.key).map(|number| (number, object)))
            .collect())
    }
}

fn newest_time(objects: &[(u64, Listed)]) -> Option<DateTime<Utc>> {
    objects.iter().map(|(_, object)| object.id.modified).max()
}
