//! Reading back what the log still holds of the past.

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde::de::DeserializeOwned;

use super::genesis::Identity;
use super::keys::LogKeys;
use super::load::probe;
use super::record::ChangeSet;
use crate::{StorageError, Store};

/// How many records are read at the same time.
const PARALLEL_READS: usize = 8;

/// The records of one log, as far as they are still there. It only reads.
#[derive(Clone, Debug)]
pub struct History {
    store: Store,
    keys: LogKeys,
}

/// One change set of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Past<Change> {
    /// Its generation.
    pub generation: u64,
    /// When it was written, by its writer's clock.
    pub time: DateTime<Utc>,
    /// The changes.
    pub changes: Vec<Change>,
}

/// What a search of the past came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Sought<Change> {
    /// The newest change set with such a change.
    Found(Past<Change>),
    /// There is none from `since` on; what was before is removed, or was not looked at.
    NotSince(u64),
}

impl History {
    /// Returns the past of the log below the store's prefix that has this identity.
    pub fn of(store: Store, identity: &Identity) -> Self {
        Self {
            store,
            keys: LogKeys::of(identity),
        }
    }

    /// Reads the change set of a generation; `None` if it is removed, or was never written.
    ///
    /// # Errors
    /// Whatever the store answers; `Corrupt` or `Unsupported` if it cannot be read.
    pub async fn at<Change: DeserializeOwned>(
        &self,
        generation: u64,
    ) -> Result<Option<Past<Change>>, StorageError> {
        let found = probe(&self.store, &self.keys, generation).await?;
        Ok(found.map(Past::from))
    }

    /// Looks for the newest change set, not after `generation`, with a change that fits.
    ///
    /// # Errors
    /// As [`History::at`].
    ///
    /// # Cost
    /// One request for each generation, `at_most` so many, some at a time.
    pub async fn find_last<Change: DeserializeOwned>(
        &self,
        generation: u64,
        at_most: u64,
        fits: impl Fn(&Change) -> bool,
    ) -> Result<Sought<Change>, StorageError> {
        let lowest = generation.saturating_sub(at_most).saturating_add(1).max(1);
        let mut records = stream::iter((lowest..=generation).rev())
            .map(|number| self.at::<Change>(number))
            .buffered(PARALLEL_READS);
        let mut since = generation.saturating_add(1);
        while let Some(record) = records.next().await {
            // Records are removed from the oldest on: below a missing one there are no more.
            let Some(past) = record? else {
                break;
            };
            since = past.generation;
            if past.changes.iter().any(&fits) {
                return Ok(Sought::Found(past));
            }
        }
        Ok(Sought::NotSince(since))
    }
}

impl<Change> From<ChangeSet<Change>> for Past<Change> {
    fn from(set: ChangeSet<Change>) -> Self {
        Self {
            generation: set.generation,
            time: set.time,
            changes: set.changes,
        }
    }
}
