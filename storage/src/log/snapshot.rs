//! Snapshots: all that a log adds up to at one generation, so that a start need not read it whole.
//!
//! A snapshot is gzip over lines of JSON: a header, then one line for each subject.

use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc;
use std::thread;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::keys::LogKeys;
use super::record::{FORMAT, Nonce, check_format};
use super::{Frozen, Item, Machine, Position, unavailable};
use crate::{Key, StorageError, StorageErrorKind, Store};

/// A snapshot that is due and not written yet.
#[derive(Debug)]
pub struct SnapshotJob<F> {
    pub(super) header: Header,
    /// How many change sets came since the last one.
    pub(super) grown: u64,
    pub(super) frozen: F,
}

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    format: u32,
    pub(super) generation: u64,
    nonce: Nonce,
    time: DateTime<Utc>,
    items: usize,
}

impl Header {
    pub(super) fn new(position: &Position, items: usize) -> Self {
        Self {
            format: FORMAT,
            generation: position.generation,
            nonce: position.nonce.clone(),
            time: position.time,
            items,
        }
    }

    /// Moves a position to the snapshot's.
    pub(super) fn position(self, position: &mut Position) {
        position.generation = self.generation;
        position.nonce = self.nonce;
        position.time = self.time;
    }
}

/// A machine that a snapshot was read into.
#[derive(Debug)]
pub(super) struct Loaded<M> {
    pub(super) header: Header,
    pub(super) machine: M,
}

impl Header {
    /// Returns how many items the snapshot holds.
    pub(super) fn items(&self) -> usize {
        self.items
    }
}

/// How many items are handed to a machine at once, and how many such batches may wait: what is read and
/// not yet restored is all that a snapshot takes besides what it adds up to.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;
const BATCHES: usize = 2;

/// Writes a snapshot. Takes CPU time in proportion to its size: not for an async thread.
pub(super) fn encode<Change: Serialize>(
    key: &Key,
    header: &Header,
    frozen: &impl Frozen<Change>,
) -> Result<Bytes, StorageError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut line = |bytes: &[u8]| -> std::io::Result<()> {
        encoder.write_all(bytes)?;
        encoder.write_all(b"\n")
    };
    let mut write = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        line(&serde_json::to_vec(header)?)?;
        for item in frozen.items() {
            line(&serde_json::to_vec(&item)?)?;
        }
        Ok(())
    };
    write().map_err(|error| StorageError::corrupt(key, error))?;
    let body = encoder
        .finish()
        .map_err(|error| StorageError::corrupt(key, error))?;
    Ok(Bytes::from(body))
}

/// Reads a snapshot into a fresh machine. Takes CPU time in proportion to its size: not for an async
/// thread.
pub(super) fn decode<M: Machine>(
    key: &Key,
    body: &[u8],
    mut machine: M,
) -> Result<Loaded<M>, StorageError> {
    // One thread reads while the other one restores.
    let (batches, inbox) = mpsc::sync_channel(BATCHES);
    let header = thread::scope(|scope| {
        let reader = scope.spawn(move || read_items::<M>(key, body, &batches));
        for batch in inbox {
            machine.restore(batch);
        }
        reader
            .join()
            .unwrap_or_else(|_| Err(unavailable(key, "its reading was broken off")))
    })?;
    machine.restored(header.generation, header.time);
    Ok(Loaded { header, machine })
}

fn read_items<M: Machine>(
    key: &Key,
    body: &[u8],
    batches: &mpsc::SyncSender<Vec<Item<M::Change>>>,
) -> Result<Header, StorageError> {
    let corrupt = |error| StorageError::corrupt(key, error);
    let mut lines = BufReader::with_capacity(BUFFER, GzDecoder::new(body));
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        lines.read_until(b'\n', line).map(|count| count > 0)
    };
    if !next(&mut line).map_err(corrupt)? {
        return Err(StorageError::corrupt(key, "it is empty"));
    }
    check_format(key, &line)?;
    let header: Header =
        serde_json::from_slice(&line).map_err(|error| StorageError::corrupt(key, error))?;
    let mut count = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    while next(&mut line).map_err(corrupt)? {
        count += 1;
        bytes += line.len();
        batch.push(serde_json::from_slice(&line).map_err(|e| StorageError::corrupt(key, e))?);
        if batch.len() == BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            // Fails only when the machine broke off, of which its thread tells.
            let _ = batches.send(std::mem::take(&mut batch));
        }
    }
    let _ = batches.send(batch);
    if count != header.items {
        let text = format!("it holds {count} of {} items", header.items);
        return Err(StorageError::corrupt(key, text));
    }
    Ok(header)
}

/// How much of a snapshot is inflated at a time.
const BUFFER: usize = 64 << 10;

/// Reads the newest snapshot that can be read into a machine that `fresh` makes; `None` if there is
/// none. One that is broken is passed over: an older one and more records lead to the same state.
pub(super) async fn read_newest<M: Machine>(
    store: &Store,
    keys: &LogKeys,
    fresh: impl Fn() -> M,
) -> Result<Option<Loaded<M>>, StorageError> {
    let mut listed = store.list_below(keys.snapshots(), None).await?;
    listed.retain(|object| LogKeys::generation(&object.key).is_some());
    for object in listed.into_iter().rev() {
        match read_one(store, &object.key, fresh()).await {
            Ok(loaded) => return Ok(Some(loaded)),
            Err(error) if error.kind() == StorageErrorKind::Corrupt => {
                tracing::warn!(key = %object.key, error = %error, "passing over a broken snapshot");
            }
            // Removed since the listing: a newer one exists, which a listing will show again.
            Err(error) if error.kind() == StorageErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn read_one<M: Machine>(
    store: &Store,
    key: &Key,
    machine: M,
) -> Result<Loaded<M>, StorageError> {
    let body = store.get(key).await?.body;
    let owned_key = key.clone();
    tokio::task::spawn_blocking(move || decode(&owned_key, &body, machine))
        .await
        .map_err(|error| unavailable(key, error))?
}
