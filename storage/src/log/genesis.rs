//! The log's identity, made once.

use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::LogKeys;
use super::record::{FORMAT, Nonce, unknown_format};
use crate::{Clock, Key, StorageError, StorageErrorKind, Store};

/// What tells a log from any other that ever was under the same prefix: 32 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity(Uuid);

impl Identity {
    /// Returns what stands for the identity where there is no log.
    pub(super) fn none() -> Self {
        Self(Uuid::nil())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.simple())
    }
}

impl TryFrom<String> for Identity {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, uuid::Error> {
        Uuid::try_parse(&text).map(Self)
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> Self {
        identity.to_string()
    }
}

/// What to do where there is no genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make it.
    Make,
    /// Fail: whoever only looks must not begin a log.
    Fail,
}

/// The content of `.chartroom/genesis`: it is created once and never replaced or removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Genesis {
    format: u32,
    pub(super) identity: Identity,
    pub(super) nonce: Nonce,
    pub(super) created: DateTime<Utc>,
}

impl Genesis {
    /// Reads genesis; without one, makes it, unless another replica is faster.
    pub(super) async fn get_or_create(store: &Store, clock: &Clock) -> Result<Self, StorageError> {
        let key = LogKeys::genesis();
        match Self::get(store, &key).await {
            Err(error) if error.kind() == StorageErrorKind::NotFound => {}
            found_or_failed => return found_or_failed,
        }
        let genesis = Self {
            format: FORMAT,
            identity: Identity(Uuid::new_v4()),
            nonce: Nonce::new(),
            created: clock.wall(),
        };
        let body =
            serde_json::to_vec(&genesis).map_err(|error| StorageError::corrupt(&key, error))?;
        match store.create(&key, Bytes::from(body)).await {
            Ok(_) => Ok(genesis),
            // Whoever made it, this one included (a lost reply): what is there counts.
            Err(error)
                if error.kind() == StorageErrorKind::AlreadyExists || error.outcome_unknown() =>
            {
                Self::get(store, &key).await
            }
            Err(error) => Err(error),
        }
    }

    /// Reads genesis.
    ///
    /// # Errors
    /// `NotFound` if there is none; `Corrupt` or `Unsupported` if it cannot be read.
    pub(super) async fn get(store: &Store, key: &Key) -> Result<Self, StorageError> {
        let object = store.get(key).await?;
        let genesis: Self = serde_json::from_slice(&object.body)
            .map_err(|error| StorageError::corrupt(key, error))?;
        if genesis.format != FORMAT {
            return Err(unknown_format(key, genesis.format));
        }
        Ok(genesis)
    }
}
