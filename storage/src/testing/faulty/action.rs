//! What may happen to a request.

use std::io;
use std::time::Duration;

use super::{Gate, Op};
use crate::StorageErrorKind;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// It fails so, and is not executed.
    Fail(StorageErrorKind),
    /// It is executed, but its reply is lost: the connection breaks
    /// ([`Unavailable`](StorageErrorKind::Unavailable)).
    LoseReply,
    /// It is never answered, so the caller's deadline passes; it is executed after this time, be the
    /// caller still there or not.
    ExecuteLate(Duration),
    /// It is never answered, so the caller's deadline passes, and is never executed.
    Drop,
    /// It is executed after this time, if the caller still waits for it.
    Delay(Duration),
    /// It is a read whose body ends, without an error, after so many bytes.
    CutBody(u64),
    /// It waits at the gate, and is then executed if the caller still waits for it.
    PauseBefore(Gate),
    /// It is executed, and its reply waits at the gate.
    PauseAfter(Gate),
}

pub(super) struct Rule {
    pub(super) op: Op,
    pub(super) fits: Box<dyn Fn(&str) -> bool + Send>,
    pub(super) action: Action,
    pub(super) times: usize,
}

/// The fate of one request.
pub(super) struct Fault {
    pub(super) latency: Duration,
    pub(super) action: Option<Action>,
}

impl Fault {
    pub(super) fn none() -> Self {
        Self {
            latency: Duration::ZERO,
            action: None,
        }
    }

    pub(super) fn certain(action: Action) -> Self {
        Self {
            latency: Duration::ZERO,
            action: Some(action),
        }
    }
}

/// Returns the error that a broken connection gives.
pub(super) fn reset(key: &str) -> object_store::Error {
    failed(io::ErrorKind::ConnectionReset, key)
}

/// Returns the error of the library that a [`Store`](crate::Store) reads as `kind`.
pub(super) fn error_of(kind: StorageErrorKind, key: &str) -> object_store::Error {
    let path = key.to_owned();
    let source = "a fault of the test".into();
    match kind {
        StorageErrorKind::NotFound => object_store::Error::NotFound { path, source },
        StorageErrorKind::AlreadyExists => object_store::Error::AlreadyExists { path, source },
        StorageErrorKind::Denied => object_store::Error::PermissionDenied { path, source },
        StorageErrorKind::Unsupported => object_store::Error::NotSupported { source },
        StorageErrorKind::Unavailable => reset(key),
        StorageErrorKind::Timeout => failed(io::ErrorKind::TimedOut, key),
        StorageErrorKind::Corrupt => failed(io::ErrorKind::InvalidData, key),
    }
}

fn failed(kind: io::ErrorKind, key: &str) -> object_store::Error {
    let text = format!("a fault of the test at `{key}`");
    object_store::Error::Generic {
        store: "Faulty",
        source: Box::new(io::Error::new(kind, text)),
    }
}
