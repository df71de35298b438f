//! Reading a whole log: the newest snapshot, and the records after it.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;

use super::genesis::{Genesis, Missing};
use super::keys::LogKeys;
use super::record::{self, ChangeSet, Nonce, REMEDY};
use super::snapshot;
use super::{LogOptions, Machine, Position, SnapshotMark};
use crate::{Clock, Key, StorageError, StorageErrorKind, Store};

/// How often a reading is begun again because records were removed, or too much time passed, under it.
const ATTEMPTS: usize = 5;

/// How many records are read at the same time.
const PARALLEL_READS: usize = 16;

/// A log that was read to its end.
pub(super) struct Whole<M> {
    pub(super) machine: M,
    pub(super) keys: LogKeys,
    pub(super) position: Position,
    pub(super) snapshot: SnapshotMark,
    /// The generation and nonce of each record that was read: those that everybody reads. A record
    /// below the snapshot is not among them, whether it is still there or was left by a writer that
    /// did not know that its number was taken and removed.
    read: Vec<(u64, Nonce)>,
}

impl<M: Machine> Whole<M> {
    /// Returns whether this very record is in the log.
    pub(super) fn has(&self, generation: u64, nonce: &Nonce) -> bool {
        self.read
            .iter()
            .any(|(number, found)| *number == generation && found == nonce)
    }

    fn take(&mut self, set: ChangeSet<M::Change>) {
        self.read.push((set.generation, set.nonce.clone()));
        self.snapshot.changes_since += set.changes.len();
        self.position.take(&set);
        self.machine.apply(set.generation, set.time, set.changes);
    }
}

/// Reads a log to its end into a machine made with `setup`.
pub(super) async fn read<M: Machine>(
    store: &Store,
    clock: &Clock,
    options: &LogOptions,
    setup: &M::Setup,
    missing: Missing,
) -> Result<Whole<M>, StorageError> {
    for _ in 0..ATTEMPTS {
        let began = clock.now();
        let Some(mut whole) = read_once::<M>(store, clock, setup, missing).await? else {
            continue;
        };
        // "The next number is missing" proves nothing if the reading took so long that the number
        // may have been removed meanwhile.
        if clock.now().since(began) < options.proof_lasts() {
            whole.position.proven = began;
            return Ok(whole);
        }
    }
    Err(StorageError::corrupt(
        &LogKeys::genesis(),
        format!("the log has a gap: records are missing that no snapshot covers, {REMEDY}"),
    ))
}

/// Returns `None` if a record is missing between the snapshot and the newest record: a snapshot was
/// written and records were removed since the snapshots were listed, so a newer one must be there.
async fn read_once<M: Machine>(
    store: &Store,
    clock: &Clock,
    setup: &M::Setup,
    missing: Missing,
) -> Result<Option<Whole<M>>, StorageError> {
    let genesis = match missing {
        Missing::Make => Genesis::get_or_create(store, clock).await?,
        Missing::Fail => Genesis::get(store, &LogKeys::genesis()).await?,
    };
    let keys = LogKeys::of(&genesis.identity);
    let mut whole = Whole {
        machine: M::fresh(setup, &genesis.identity, genesis.created),
        position: Position::at_genesis(&genesis, clock.now()),
        snapshot: SnapshotMark::default(),
        read: Vec::new(),
        keys,
    };
    let fresh = || M::fresh(setup, &genesis.identity, genesis.created);
    if let Some(loaded) = snapshot::read_newest(store, &whole.keys, fresh).await? {
        let size = loaded.header.items();
        whole.machine = loaded.machine;
        loaded.header.position(&mut whole.position);
        whole
            .read
            .push((whole.position.generation, whole.position.nonce.clone()));
        whole.snapshot = SnapshotMark {
            generation: whole.position.generation,
            size,
            changes_since: 0,
        };
    }
    loop {
        let Some(sets) = read_listed(store, &whole.keys, whole.position.generation).await? else {
            return Ok(None);
        };
        for set in sets {
            whole.take(set);
        }
        // A listing may be older than the newest record; a read of the next number is not.
        match probe(store, &whole.keys, whole.position.generation + 1).await? {
            Some(set) => whole.take(set),
            None => return Ok(Some(whole)),
        }
    }
}

/// Reads the records that a listing shows after `generation`, in order; `None` if one is missing
/// before the last.
pub(super) async fn read_listed<Change: DeserializeOwned>(
    store: &Store,
    keys: &LogKeys,
    generation: u64,
) -> Result<Option<Vec<ChangeSet<Change>>>, StorageError> {
    let after = keys.record(generation);
    let listed = store.list_below(keys.records(), Some(&after)).await?;
    let numbers: Vec<u64> = listed
        .iter()
        .filter_map(|object| LogKeys::generation(&object.key))
        .collect();
    if (generation + 1..)
        .zip(&numbers)
        .any(|(expected, found)| expected != *found)
    {
        return Ok(None);
    }
    let sets: Vec<Option<ChangeSet<Change>>> = stream::iter(numbers)
        .map(|number| probe(store, keys, number))
        .buffered(PARALLEL_READS)
        .try_collect()
        .await?;
    Ok(sets.into_iter().collect())
}

/// Reads the record of `generation`; `None` if there is none.
pub(super) async fn probe<Change: DeserializeOwned>(
    store: &Store,
    keys: &LogKeys,
    generation: u64,
) -> Result<Option<ChangeSet<Change>>, StorageError> {
    let key: Key = keys.record(generation);
    match store.get(&key).await {
        Ok(object) => record::decode(&key, generation, &object.body).map(Some),
        Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
