//! Snapshots: all that a log adds up to at one generation, so that a start need not read it whole.
//!
//! A snapshot is gzip over lines of JSON: a header, then one line for each subject.

use std::io::{BufRead, BufReader, Write};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keys::LogKeys;
use super::record::{FORMAT, Nonce, check_format};
use super::{Frozen, Item, Position, unavailable};
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

/// A snapshot that was read.
#[derive(Debug)]
pub(super) struct Loaded<Change> {
    pub(super) header: Header,
    pub(super) items: Vec<Item<Change>>,
}

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

/// Reads a snapshot. Takes CPU time in proportion to its size: not for an async thread.
pub(super) fn decode<Change: DeserializeOwned>(
    key: &Key,
    body: &[u8],
) -> Result<Loaded<Change>, StorageError> {
    let corrupt = |error| StorageError::corrupt(key, error);
    let mut lines = BufReader::new(GzDecoder::new(body)).split(b'\n');
    let first = match lines.next() {
        Some(line) => line.map_err(corrupt)?,
        None => return Err(StorageError::corrupt(key, "it is empty")),
    };
    check_format(key, &first)?;
    let header: Header =
        serde_json::from_slice(&first).map_err(|error| StorageError::corrupt(key, error))?;
    let mut items = Vec::new();
    for line in lines {
        let line = line.map_err(corrupt)?;
        items.push(serde_json::from_slice(&line).map_err(|e| StorageError::corrupt(key, e))?);
    }
    if items.len() != header.items {
        let text = format!("it holds {} of {} items", items.len(), header.items);
        return Err(StorageError::corrupt(key, text));
    }
    Ok(Loaded { header, items })
}

/// Reads the newest snapshot that can be read; `None` if there is none. One that is broken is passed
/// over: an older one and more records lead to the same state.
pub(super) async fn read_newest<Change: DeserializeOwned + Send + 'static>(
    store: &Store,
    keys: &LogKeys,
) -> Result<Option<Loaded<Change>>, StorageError> {
    let mut listed = store.list_below(keys.snapshots(), None).await?;
    listed.retain(|object| LogKeys::generation(&object.key).is_some());
    for object in listed.into_iter().rev() {
        match read_one(store, &object.key).await {
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

async fn read_one<Change: DeserializeOwned + Send + 'static>(
    store: &Store,
    key: &Key,
) -> Result<Loaded<Change>, StorageError> {
    let body = store.get(key).await?.body;
    let owned_key = key.clone();
    tokio::task::spawn_blocking(move || decode(&owned_key, &body))
        .await
        .map_err(|error| unavailable(key, error))?
}
