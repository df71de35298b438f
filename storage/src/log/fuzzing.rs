//! Doors for the fuzz targets: what they call is private otherwise.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::genesis::Identity;
use super::keys::LogKeys;
use super::record::{self, Nonce};
use super::snapshot::{self, Header};
use super::{Machine, Position};
use crate::{Clock, StorageError};

/// What a log of some records adds up to.
pub struct Replayed<M> {
    /// The records that could be read, written again.
    pub written: Vec<Bytes>,
    /// The machine that got them one by one.
    pub machine: M,
    /// The machine that was made of the other one's snapshot.
    pub restored: Result<M, StorageError>,
}

/// Reads the records 1, 2 and so on, up to the first that cannot be read.
pub fn replay<M: Machine>(setup: &M::Setup, records: &[&[u8]]) -> Replayed<M> {
    let identity = Identity::none();
    let keys = LogKeys::of(&identity);
    let created = DateTime::<Utc>::default();
    let mut machine = M::fresh(setup, &identity, created);
    let mut position = Position {
        identity: identity.clone(),
        generation: 0,
        nonce: Nonce::new(),
        time: created,
        proven: Clock::default().now(),
    };
    let mut written = Vec::new();
    for (generation, body) in (1..).zip(records) {
        let key = keys.record(generation);
        let Ok(set) = record::decode::<M::Change>(&key, generation, body) else {
            break;
        };
        let changes: Vec<&M::Change> = set.changes.iter().collect();
        match record::encode(&key, generation, &set.nonce, set.time, &changes) {
            Ok(body) => written.push(body),
            Err(_) => break,
        }
        position.take(&set);
        machine.apply(generation, set.time, set.changes);
    }
    let key = keys.snapshot(position.generation);
    let header = Header::new(&position, machine.size());
    let restored = snapshot::encode(&key, &header, &machine.freeze())
        .and_then(|body| snapshot::decode(&key, &body, M::fresh(setup, &identity, created)))
        .map(|loaded| loaded.machine);
    Replayed {
        written,
        machine,
        restored,
    }
}
