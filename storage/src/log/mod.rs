//! A repository's append-only list of changes, kept in the store.
//!
//! A change set is one object at the next number, written with `create`: whoever creates it wins, a
//! loser reads the winner's, applies it, checks its own changes again and tries the next number. So
//! any number of replicas agree on one order with nothing shared but the store. The rules, and what
//! goes wrong without each, are in the project's protocol description; the comments here name the
//! rule that a step follows.
//!
//! The log knows nothing of charts: a [`Machine`] says what a change means and whether it may still
//! be appended.

mod append;
mod catch_up;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod genesis;
mod history;
mod keys;
mod load;
mod record;
mod snapshot;
mod upkeep;

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use append::{Group, Outcome, Proposal};
pub use genesis::Identity;
pub use history::{History, Past, Sought};
pub use record::Nonce;
pub use snapshot::SnapshotJob;
pub use upkeep::Upkeep;

use crate::{Clock, Key, Moment, Operation, StorageError, StorageErrorKind, Store};
use genesis::{Genesis, Missing};
use keys::LogKeys;
use load::Whole;
use record::ChangeSet;
use snapshot::Header;

/// What a log's changes add up to.
///
/// Two machines that were given the same changes in the same order must be equal, whether they got
/// them one by one or through a snapshot: that is what makes replicas agree.
pub trait Machine: Send + Sized + 'static {
    /// One change. At most one change about a subject stands in a change set.
    type Change: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// An immutable copy from which a snapshot is written while the machine goes on.
    type Frozen: Frozen<Self::Change>;

    /// What an empty machine is made with.
    type Setup: Clone + Send + Sync + 'static;

    /// Returns an empty machine: a log is about to be read from its beginning. The one before goes on
    /// until the reading has succeeded.
    fn fresh(setup: &Self::Setup, identity: &Identity, created: DateTime<Utc>) -> Self;

    /// Takes some of what a snapshot holds: the last change about each subject. Called on a fresh
    /// machine, as often as it takes.
    fn restore(&mut self, items: Vec<Item<Self::Change>>);

    /// Ends the restoring: the snapshot was of `generation`.
    fn restored(&mut self, generation: u64, time: DateTime<Utc>);

    /// Takes one change set.
    fn apply(&mut self, generation: u64, time: DateTime<Utc>, changes: Vec<Self::Change>);

    /// Returns whether a change that was decided on at generation `base` may still be appended: the
    /// base rule.
    fn admits(&self, base: u64, change: &Self::Change) -> bool;

    /// Returns what the change is about.
    fn subject(change: &Self::Change) -> &str;

    /// Returns how many items a snapshot would hold.
    fn size(&self) -> usize;

    /// Returns a copy to write a snapshot from; cheap.
    fn freeze(&self) -> Self::Frozen;
}

/// An immutable copy of a [`Machine`].
pub trait Frozen<Change>: Send + 'static {
    /// Returns the last change about each subject that is not gone, in any order.
    fn items(&self) -> Box<dyn Iterator<Item = Item<Change>> + '_>;
}

/// A change with its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct Item<Change> {
    /// The generation of the change set that brought it.
    pub generation: u64,
    /// The change.
    pub change: Change,
}

/// How a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// For how long a record stays readable after a snapshot made it unnecessary. A proof of being
    /// up to date is worth something for a quarter of it.
    pub retention: Duration,
    /// For how long an append is tried again when its outcome is in doubt.
    pub patience: Duration,
    /// A snapshot is due when the log has grown by this many change sets since the last one, and by as
    /// many as an eighth of what the last one holds, or by changes that are half of it.
    pub snapshot_after: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            retention: Duration::from_hours(24),
            patience: Duration::from_secs(15),
            snapshot_after: 128,
        }
    }
}

impl LogOptions {
    /// The longest time for which a proof of being up to date counts. A process that was frozen for
    /// longer may find its next number missing because it was removed.
    fn proof_lasts(&self) -> Duration {
        self.retention / 4
    }
}

/// The log of one repository, with the machine that its changes add up to.
///
/// It has one owner: appending and catching up need `&mut`.
#[derive(Debug)]
pub struct Log<M: Machine> {
    store: Store,
    clock: Clock,
    options: LogOptions,
    setup: M::Setup,
    machine: M,
    keys: LogKeys,
    position: Position,
    snapshot: SnapshotMark,
    /// What a reload does if a hand removed genesis.
    missing: Missing,
    tally: Tally,
}

/// What became of the attempts to append, counted since the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Change sets that got their number.
    pub won: u64,
    /// Numbers that another change set got first; the next one was tried.
    pub lost: u64,
    /// Creates of which the store did not tell whether they happened; they were looked up.
    pub in_doubt: u64,
    /// Appends that were given up with an error.
    pub failed: u64,
}

impl Tally {
    /// Returns what was added after `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            won: self.won.saturating_sub(earlier.won),
            lost: self.lost.saturating_sub(earlier.lost),
            in_doubt: self.in_doubt.saturating_sub(earlier.in_doubt),
            failed: self.failed.saturating_sub(earlier.failed),
        }
    }
}

/// How far the log was read.
#[derive(Clone, Debug)]
struct Position {
    identity: Identity,
    generation: u64,
    /// The nonce of the record at `generation`; of genesis at 0.
    nonce: Nonce,
    /// The time of the record at `generation`.
    time: DateTime<Utc>,
    /// When the last valid reading began.
    proven: Moment,
}

/// The newest snapshot that this replica knows of.
#[derive(Clone, Copy, Debug, Default)]
struct SnapshotMark {
    generation: u64,
    size: usize,
    /// How many changes came after it.
    changes_since: usize,
}

impl<M: Machine> Log<M> {
    /// Opens the log below the store's prefix, makes its genesis if there is none, and reads it to
    /// its end.
    ///
    /// # Errors
    /// Whatever the store answers; `Corrupt` for a record that cannot be read, `Unsupported` for one
    /// that a newer version wrote.
    pub async fn open(
        store: Store,
        clock: Clock,
        options: LogOptions,
        setup: M::Setup,
    ) -> Result<Self, StorageError> {
        Self::read(store, clock, options, setup, Missing::Make).await
    }

    /// Opens the log below the store's prefix if there is one, and reads it to its end; `None` if there
    /// is none. Nothing is written unless something is appended.
    ///
    /// # Errors
    /// As [`Log::open`]; `NotFound`, later, if a hand removed the log meanwhile.
    pub async fn open_existing(
        store: Store,
        clock: Clock,
        options: LogOptions,
        setup: M::Setup,
    ) -> Result<Option<Self>, StorageError> {
        match Genesis::get(&store, &LogKeys::genesis()).await {
            Ok(_) => {}
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let log = Self::read(store, clock, options, setup, Missing::Fail).await?;
        Ok(Some(log))
    }

    async fn read(
        store: Store,
        clock: Clock,
        options: LogOptions,
        setup: M::Setup,
        missing: Missing,
    ) -> Result<Self, StorageError> {
        let whole = load::read(&store, &clock, &options, &setup, missing).await?;
        Ok(Self {
            store,
            clock,
            options,
            setup,
            machine: whole.machine,
            keys: whole.keys,
            position: whole.position,
            snapshot: whole.snapshot,
            missing,
            tally: Tally::default(),
        })
    }

    /// Returns what became of the attempts to append so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns the machine.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Returns the log's identity.
    pub fn identity(&self) -> &Identity {
        &self.position.identity
    }

    /// Returns the place in the log that this replica holds. An operation takes it **before** it looks
    /// at an object, and hands it in with the change that it proposes.
    pub fn base(&self) -> Base {
        Base {
            identity: self.position.identity.clone(),
            generation: self.position.generation,
        }
    }

    /// Returns how many change sets were read.
    pub fn generation(&self) -> u64 {
        self.position.generation
    }

    /// Returns the time of the last change set that was read; of genesis before the first.
    pub fn time(&self) -> DateTime<Utc> {
        self.position.time
    }

    /// Returns when the last valid reading began: everything acknowledged before then has been read.
    pub fn proven(&self) -> Moment {
        self.position.proven
    }

    /// Returns what writes snapshots and removes old records of this log, off the request path.
    pub fn upkeep(&self) -> Upkeep {
        Upkeep::new(
            self.store.clone(),
            self.clock.clone(),
            self.keys.clone(),
            self.options.retention,
            self.options.proof_lasts(),
        )
    }

    /// Returns a copy of the machine to write a snapshot from, when one is due.
    pub fn due_snapshot(&mut self) -> Option<SnapshotJob<M::Frozen>> {
        let grown = self.position.generation - self.snapshot.generation;
        let held = self.snapshot.size;
        // Change sets of an adoption hold many changes each: to read them costs a start more than to
        // read what they add up to.
        let is_worth_it = usize::try_from(grown).map_or(true, |grown| grown >= held / 8)
            || self.snapshot.changes_since >= held / 2;
        if grown < self.options.snapshot_after || !is_worth_it {
            return None;
        }
        let size = self.machine.size();
        self.snapshot = SnapshotMark {
            generation: self.position.generation,
            size,
            changes_since: 0,
        };
        Some(SnapshotJob {
            header: Header::new(&self.position, size),
            grown,
            frozen: self.machine.freeze(),
        })
    }

    /// Reads the whole log again and puts it in the place of what was known. On an error everything
    /// stays as it was.
    async fn reload(&mut self) -> Result<(), StorageError> {
        let whole = self.read_whole().await?;
        self.replace_with(whole);
        Ok(())
    }

    async fn read_whole(&self) -> Result<Whole<M>, StorageError> {
        let Self {
            store,
            clock,
            options,
            setup,
            missing,
            ..
        } = self;
        load::read(store, clock, options, setup, *missing).await
    }

    fn replace_with(&mut self, whole: Whole<M>) {
        self.machine = whole.machine;
        self.keys = whole.keys;
        self.position = whole.position;
        self.snapshot = whole.snapshot;
    }

    fn take(&mut self, set: ChangeSet<M::Change>) {
        self.snapshot.changes_since += set.changes.len();
        self.position.take(&set);
        self.machine.apply(set.generation, set.time, set.changes);
    }
}

/// Tells whether there is a log below the store's prefix. Nothing is made or read besides.
///
/// # Errors
/// Whatever the store answers, other than that there is none.
pub async fn exists(store: &Store) -> Result<bool, StorageError> {
    match store.head(&LogKeys::genesis()).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A place in a log: what an operation knew before it looked at an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    identity: Identity,
    generation: u64,
}

impl Base {
    /// Returns a place in no log: a change that was decided on there is never admitted.
    pub fn nowhere() -> Self {
        Self {
            identity: Identity::none(),
            generation: 0,
        }
    }

    /// Returns the log's identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the generation.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl Position {
    fn at_genesis(genesis: &Genesis, proven: Moment) -> Self {
        Self {
            identity: genesis.identity.clone(),
            generation: 0,
            nonce: genesis.nonce.clone(),
            time: genesis.created,
            proven,
        }
    }

    fn take<Change>(&mut self, set: &ChangeSet<Change>) {
        self.generation = set.generation;
        self.nonce = set.nonce.clone();
        self.time = set.time;
    }
}

/// The error of an operation whose outcome is not known, or that somebody else may succeed in.
fn unavailable(key: &Key, source: impl Into<Box<dyn Error + Send + Sync>>) -> StorageError {
    StorageError::new(
        StorageErrorKind::Unavailable,
        Operation::Create,
        key.as_str(),
    )
    .with_source(source)
}
