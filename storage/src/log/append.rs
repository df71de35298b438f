//! Appending: a group of changes becomes one change set at the next number.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::load::probe;
use super::record::{self, ChangeSet, Nonce};
use super::{Base, Log, Machine, unavailable};
use crate::{Key, StorageError, StorageErrorKind};

/// How long to wait before the outcome of a create in doubt is looked up again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A change that somebody wants to append.
#[derive(Clone, Debug)]
pub struct Proposal<Change> {
    /// What was known before the object was looked at, created or replaced.
    pub base: Base,
    /// The change.
    pub change: Change,
    /// Proposals of one group are appended together, in one change set, or not at all.
    pub group: Option<Group>,
}

/// What tells the proposals that belong together from others that wait at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(Uuid);

impl Group {
    /// Returns a group that nobody else has.
    #[expect(clippy::new_without_default, reason = "two groups are never equal")]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl<Change> Proposal<Change> {
    /// Returns a proposal that stands for itself.
    pub fn alone(base: Base, change: Change) -> Self {
        Self {
            base,
            change,
            group: None,
        }
    }
}

/// What became of a proposal.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in the log, at this generation.
    Appended(u64),
    /// Another record about the subject came since its base: look at the object again.
    Changed,
    /// It is not known whether it is or will be in the log, or it certainly is not; either way it
    /// must not be acknowledged.
    Failed(Arc<StorageError>),
}

/// How an attempt to write the next number ended.
enum Attempt<Change> {
    Won,
    /// Another change set has the number.
    Lost(ChangeSet<Change>),
}

impl<M: Machine> Log<M> {
    /// Appends those of the changes that the base rule still admits, as one change set (group
    /// commit), and says for each what became of it, in their order.
    ///
    /// # Cancellation
    /// Must run to its end: a dropped future leaves a written record that is applied by the next
    /// catch-up, but nobody would hear of it.
    ///
    /// # Cost
    /// Two requests without competition: the create, and a look at the record before it.
    pub async fn append(&mut self, proposals: Vec<Proposal<M::Change>>) -> Vec<Outcome> {
        let mut tried = Vec::new();
        let result = self
            .append_admitted(&proposals, &mut tried)
            .await
            .map_err(Arc::new);
        self.tally.failed += u64::from(result.is_err());
        let outcome = |(at, proposal): (usize, &Proposal<M::Change>)| match &result {
            Ok(generation) if tried.contains(&at) => Outcome::Appended(*generation),
            // The record may be, or come to be, in the log: this must not look like a refusal.
            Err(error) if tried.contains(&at) || self.admits(proposal) => {
                Outcome::Failed(Arc::clone(error))
            }
            _ => Outcome::Changed,
        };
        proposals.iter().enumerate().map(outcome).collect()
    }

    /// Returns the generation of the change set; `tried` are the places of the proposals in the last
    /// attempt, the one whose end this is.
    async fn append_admitted(
        &mut self,
        proposals: &[Proposal<M::Change>],
        tried: &mut Vec<usize>,
    ) -> Result<u64, StorageError> {
        loop {
            *tried = self.admitted(proposals);
            if tried.is_empty() {
                return Ok(self.position.generation);
            }
            let anchor = self.anchor();
            let generation = self.position.generation + 1;
            let nonce = Nonce::new();
            let time = self.clock.wall().max(self.position.time);
            let key = self.keys.record(generation);
            let changes: Vec<&M::Change> = tried
                .iter()
                .filter_map(|at| proposals.get(*at))
                .map(|p| &p.change)
                .collect();
            let body = record::encode(&key, generation, &nonce, time, &changes)?;
            match self.create(&key, generation, &nonce, &body).await? {
                Attempt::Lost(winner) => {
                    self.tally.lost += 1;
                    self.take(winner);
                }
                Attempt::Won => {
                    self.tally.won += 1;
                    let replied = self.clock.now();
                    // The record that is read back is what everybody else will apply.
                    self.take(record::decode(&key, generation, &body)?);
                    let proof_is_young =
                        replied.since(self.position.proven) < self.options.proof_lasts();
                    if !proof_is_young || !self.holds(&anchor).await? {
                        self.reload_and_find(generation, &nonce).await?;
                    }
                    return Ok(generation);
                }
            }
        }
    }

    fn admits(&self, proposal: &Proposal<M::Change>) -> bool {
        proposal.base.identity == self.position.identity
            && self
                .machine
                .admits(proposal.base.generation, &proposal.change)
    }

    /// Returns the places of the proposals that may be appended now: one for each subject, and of a
    /// group all or none.
    fn admitted(&self, proposals: &[Proposal<M::Change>]) -> Vec<usize> {
        let mut broken: HashSet<Group> = HashSet::new();
        loop {
            let mut subjects = HashSet::new();
            let mut admitted = Vec::new();
            let broken_before = broken.len();
            for (at, proposal) in proposals.iter().enumerate() {
                if proposal.group.is_some_and(|group| broken.contains(&group)) {
                    continue;
                }
                if self.admits(proposal) && subjects.insert(M::subject(&proposal.change)) {
                    admitted.push(at);
                } else if let Some(group) = proposal.group {
                    broken.insert(group);
                }
            }
            // What a broken group took is free again for those after it.
            if broken.len() == broken_before {
                return admitted;
            }
        }
    }

    /// Creates a record. A create in doubt is tried again with the same number and the same nonce:
    /// that cannot do harm, because whoever reads the number can tell whose it is.
    async fn create(
        &mut self,
        key: &Key,
        generation: u64,
        nonce: &Nonce,
        body: &Bytes,
    ) -> Result<Attempt<M::Change>, StorageError> {
        let began = self.clock.now();
        loop {
            let doubt = match self.store.create(key, body.clone()).await {
                Ok(_) => return Ok(Attempt::Won),
                Err(error) if error.kind() == StorageErrorKind::AlreadyExists => None,
                Err(error) if error.outcome_unknown() => {
                    self.tally.in_doubt += 1;
                    Some(error)
                }
                Err(error) => return Err(error),
            };
            match probe::<M::Change>(&self.store, &self.keys, generation).await {
                Ok(Some(found)) if found.nonce == *nonce => return Ok(Attempt::Won),
                Ok(Some(found)) => return Ok(Attempt::Lost(found)),
                Ok(None) => {}
                Err(error) if error.outcome_unknown() => {}
                Err(error) => return Err(error),
            }
            if self.clock.now().since(began) > self.options.patience {
                return Err(
                    doubt.unwrap_or_else(|| unavailable(key, "it exists but cannot be read"))
                );
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// After a won create that the proofs do not cover: the record counts only if the whole log, read
    /// again, has it.
    async fn reload_and_find(
        &mut self,
        generation: u64,
        nonce: &Nonce,
    ) -> Result<(), StorageError> {
        let key = self.keys.record(generation);
        let whole = self.read_whole().await?;
        let is_in_log = key == whole.keys.record(generation) && whole.has(generation, nonce);
        self.replace_with(whole);
        if is_in_log {
            return Ok(());
        }
        Err(unavailable(
            &key,
            "the log went on without this record while the process was not running",
        ))
    }
}
