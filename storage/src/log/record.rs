//! A change set and how it is written.

use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Key, Operation, StorageError, StorageErrorKind};

/// The format of everything that a log writes. Another one is refused, never guessed at.
pub(super) const FORMAT: u32 = 1;

/// What a person can do about a log that cannot be read. Whoever restores a backup that was taken while
/// servers wrote reads this.
pub(super) const REMEDY: &str = "put back what is missing, or stop all servers and remove \
     `.chartroom/`: the next start makes it anew from the archives";

/// What tells one attempt to write a number from another's: 32 random hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(String);

impl Nonce {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }
}

/// One record of the log: changes that happened together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ChangeSet<Change> {
    format: u32,
    pub(super) generation: u64,
    pub(super) nonce: Nonce,
    pub(super) time: DateTime<Utc>,
    pub(super) changes: Vec<Change>,
}

/// As much of a record as tells whether the rest can be read.
#[derive(Deserialize)]
struct Preamble {
    format: u32,
}

/// A change set that is not written yet, borrowing its changes.
#[derive(Serialize)]
struct Draft<'a, Change> {
    format: u32,
    generation: u64,
    nonce: &'a Nonce,
    time: DateTime<Utc>,
    changes: &'a [&'a Change],
}

/// Writes a change set.
pub(super) fn encode<Change: Serialize>(
    key: &Key,
    generation: u64,
    nonce: &Nonce,
    time: DateTime<Utc>,
    changes: &[&Change],
) -> Result<Bytes, StorageError> {
    let draft = Draft {
        format: FORMAT,
        generation,
        nonce,
        time,
        changes,
    };
    let body = serde_json::to_vec(&draft).map_err(|error| StorageError::corrupt(key, error))?;
    Ok(Bytes::from(body))
}

/// Reads the change set of `generation`.
///
/// # Errors
/// `Unsupported` for another format, `Corrupt` for anything else that cannot be read.
pub(super) fn decode<Change: DeserializeOwned>(
    key: &Key,
    generation: u64,
    body: &[u8],
) -> Result<ChangeSet<Change>, StorageError> {
    check_format(key, body)?;
    let set: ChangeSet<Change> =
        serde_json::from_slice(body).map_err(|error| damaged(key, &error))?;
    if set.generation != generation {
        let text = format!("the record says that it is number {}", set.generation);
        return Err(damaged(key, &text));
    }
    Ok(set)
}

/// Refuses a body that another version wrote.
pub(super) fn check_format(key: &Key, body: &[u8]) -> Result<(), StorageError> {
    let preamble: Preamble = serde_json::from_slice(body).map_err(|error| damaged(key, &error))?;
    if preamble.format == FORMAT {
        Ok(())
    } else {
        Err(unknown_format(key, preamble.format))
    }
}

/// The error of a record that cannot be read.
fn damaged(key: &Key, why: &dyn fmt::Display) -> StorageError {
    StorageError::corrupt(key, format!("{why}; {REMEDY}"))
}

pub(super) fn unknown_format(key: &Key, format: u32) -> StorageError {
    let text = format!(
        "it has format {format} and this version reads format {FORMAT} only: \
         a newer chartroom wrote it, use that one"
    );
    StorageError::new(StorageErrorKind::Unsupported, Operation::Read, key.as_str())
        .with_source(text)
}

/// Reads only the nonce of a record.
pub(super) fn nonce(key: &Key, body: &[u8]) -> Result<Nonce, StorageError> {
    #[derive(Deserialize)]
    struct OnlyNonce {
        nonce: Nonce,
    }
    check_format(key, body)?;
    let record: OnlyNonce =
        serde_json::from_slice(body).map_err(|error| StorageError::corrupt(key, error))?;
    Ok(record.nonce)
}
