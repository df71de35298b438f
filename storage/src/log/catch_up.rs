//! Reading what others appended.

use super::genesis::Genesis;
use super::keys::LogKeys;
use super::load::{probe, read_listed};
use super::record::{self, Nonce};
use super::{Log, Machine};
use crate::{StorageError, StorageErrorKind};

/// After so many records one by one, a listing and parallel reads are the faster way.
const ONE_BY_ONE: usize = 16;

/// A record that was proven to be in the log, to be looked at again after an operation.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub(super) generation: u64,
    pub(super) nonce: Nonce,
}

impl<M: Machine> Log<M> {
    /// Reads the next numbers until one is missing. Afterwards everything that was acknowledged
    /// before the call is known.
    ///
    /// # Errors
    /// Whatever the store answers. What was read before the error is kept; nothing is proven by it.
    ///
    /// # Cancellation
    /// Dropping the future keeps the records that were applied; the proof stays the older one.
    ///
    /// # Cost
    /// Two requests when there is nothing new, one more for each new record.
    pub async fn catch_up(&mut self) -> Result<(), StorageError> {
        let began = self.clock.now();
        let anchor = self.anchor();
        let contiguous = self.read_tail().await?;
        // A frozen process finds its next number missing because it was removed. It would write
        // records that nobody reads, and every catch-up would renew the mistake.
        let proof_is_young =
            self.clock.now().since(self.position.proven) < self.options.proof_lasts();
        if !contiguous || !proof_is_young || !self.holds(&anchor).await? {
            return self.reload().await;
        }
        self.position.proven = began;
        Ok(())
    }

    pub(super) fn anchor(&self) -> Anchor {
        Anchor {
            generation: self.position.generation,
            nonce: self.position.nonce.clone(),
        }
    }

    /// Returns whether the log still has the record that was proven before. It has not after a hand
    /// removed `.chartroom/`, or after the record was removed because this process slept.
    pub(super) async fn holds(&self, anchor: &Anchor) -> Result<bool, StorageError> {
        if anchor.generation == 0 {
            let found = Genesis::get(&self.store, &LogKeys::genesis()).await;
            return match found {
                Ok(genesis) => Ok(genesis.nonce == anchor.nonce),
                Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(false),
                Err(error) => Err(error),
            };
        }
        let key = self.keys.record(anchor.generation);
        match self.store.get(&key).await {
            Ok(object) => Ok(record::nonce(&key, &object.body)? == anchor.nonce),
            Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Applies what comes next; `false` if a number is missing before a later one.
    async fn read_tail(&mut self) -> Result<bool, StorageError> {
        loop {
            for _ in 0..ONE_BY_ONE {
                let next = self.position.generation + 1;
                match probe(&self.store, &self.keys, next).await? {
                    Some(set) => self.take(set),
                    None => return Ok(true),
                }
            }
            match read_listed(&self.store, &self.keys, self.position.generation).await? {
                Some(sets) => sets.into_iter().for_each(|set| self.take(set)),
                None => return Ok(false),
            }
        }
    }
}
