//! Tries what a store must be able to do.

use bytes::Bytes;
use uuid::Uuid;

use crate::{Key, Operation, StorageError, StorageErrorKind, Store};

/// One of the things that a server asks of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// List the objects below the prefix.
    List,
    /// Create an object that is not there yet.
    Create,
    /// Create it once more: this must be refused, and nothing else keeps two replicas from each
    /// other's changes.
    CreateAgain,
    /// Read it as a whole.
    Read,
    /// Read a part of it.
    ReadRange,
    /// Replace it.
    Replace,
    /// Delete it.
    Delete,
}

/// What came of a step.
#[derive(Debug)]
pub struct Tried {
    /// What was tried.
    pub step: Step,
    /// Why it does not work, if it does not.
    pub result: Result<(), ProbeError>,
}

/// Why a step does not work.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The store refused, failed, or did not answer.
    #[error(transparent)]
    Store(StorageError),
    /// An object was created over one that was there.
    #[error(
        "the store ignores the condition of a create: two uploads of one version would both succeed"
    )]
    IgnoresCondition,
    /// What was read is not what was written.
    #[error("the store returned other bytes than were written")]
    OtherBytes,
}

/// The content of the object that is tried on; the second half is read by itself.
const FIRST: &[u8] = b"chartroom tries this store: ";
const SECOND: &[u8] = b"it may be deleted";

impl Step {
    /// Returns what is tried, in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Create => "create (put if absent)",
            Self::CreateAgain => "refuse a second create",
            Self::Read => "get",
            Self::ReadRange => "get a range",
            Self::Replace => "replace (put)",
            Self::Delete => "delete",
        }
    }
}

/// Tries every step on an object of its own below `.chartroom/`, and goes on after one that failed as
/// far as that makes sense.
pub async fn probe(store: &Store) -> Vec<Tried> {
    let mut tried = Vec::new();
    let mut note = |step, result: Result<(), ProbeError>| {
        let is_done = result.is_ok();
        tried.push(Tried { step, result });
        is_done
    };
    note(
        Step::List,
        store.list().await.map(drop).map_err(ProbeError::Store),
    );
    let key = match key() {
        Ok(key) => key,
        Err(error) => {
            note(Step::Create, Err(ProbeError::Store(error)));
            return tried;
        }
    };
    let created = store.create(&key, Bytes::from_static(FIRST)).await;
    let may_be_there = created
        .as_ref()
        .map_or_else(StorageError::outcome_unknown, |_| true);
    if note(Step::Create, created.map(drop).map_err(ProbeError::Store)) {
        note(Step::CreateAgain, create_again(store, &key).await);
        let whole = [FIRST, SECOND].concat();
        let replaced = store.replace(&key, whole.clone().into()).await;
        let is_replaced = note(Step::Replace, replaced.map(drop).map_err(ProbeError::Store));
        if is_replaced {
            note(Step::Read, read(store, &key, &whole).await);
            note(Step::ReadRange, read_range(store, &key).await);
        }
    }
    if may_be_there {
        note(Step::Delete, delete(store, &key).await);
    }
    tried
}

/// Tells whether the store keeps the promise on which any number of replicas rest: of two creates of
/// one object, one fails.
///
/// # Errors
/// Whatever the store answers; then nothing is known.
pub async fn honours_create(store: &Store) -> Result<bool, StorageError> {
    let key = key()?;
    store.create(&key, Bytes::from_static(FIRST)).await?;
    let again = create_again(store, &key).await;
    let deleted = delete(store, &key).await;
    match (again, deleted) {
        (Err(ProbeError::Store(error)), _) | (_, Err(ProbeError::Store(error))) => Err(error),
        (Err(_), _) => Ok(false),
        (Ok(()), _) => Ok(true),
    }
}

fn key() -> Result<Key, StorageError> {
    let name = format!(".chartroom/probe/{}", Uuid::new_v4().simple());
    Key::parse(&name).map_err(|error| {
        StorageError::new(StorageErrorKind::Unsupported, Operation::Create, name).with_source(error)
    })
}

async fn create_again(store: &Store, key: &Key) -> Result<(), ProbeError> {
    match store.create(key, Bytes::from_static(SECOND)).await {
        Ok(_) => Err(ProbeError::IgnoresCondition),
        Err(error) if error.kind() == StorageErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(ProbeError::Store(error)),
    }
}

async fn read(store: &Store, key: &Key, expected: &[u8]) -> Result<(), ProbeError> {
    let object = store.get(key).await.map_err(ProbeError::Store)?;
    if object.body == expected {
        Ok(())
    } else {
        Err(ProbeError::OtherBytes)
    }
}

async fn read_range(store: &Store, key: &Key) -> Result<(), ProbeError> {
    use futures_util::TryStreamExt;
    let range = as_u64(FIRST)..as_u64(FIRST) + as_u64(SECOND);
    let opened = store
        .open_range(key, Some(range))
        .await
        .map_err(ProbeError::Store)?;
    let chunks: Vec<Bytes> = opened.body.try_collect().await.map_err(ProbeError::Store)?;
    if chunks.concat() == SECOND {
        Ok(())
    } else {
        Err(ProbeError::OtherBytes)
    }
}

async fn delete(store: &Store, key: &Key) -> Result<(), ProbeError> {
    match store.delete(key).await {
        Err(error) if error.kind() != StorageErrorKind::NotFound => Err(ProbeError::Store(error)),
        _ => Ok(()),
    }
}

fn as_u64(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
