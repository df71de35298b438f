//! Why a request to a bucket failed.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

use super::refusal::Refusal;
use crate::StorageErrorKind;

/// What is at the bottom of one of the library's errors, which repeat it several times over.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The service refused.
    #[error("{0}")]
    Refused(Refusal),
    /// No answer came, or only a part of it.
    #[error("the server cannot be reached or broke off: {why}{}", hint(why))]
    Unreached {
        /// Whether it is known that time was up.
        timed_out: bool,
        why: String,
    },
    /// There is nothing to sign a request with.
    #[error("there are no credentials from {source_name}: {why}")]
    NoCredentials {
        source_name: String,
        why: String,
        kind: StorageErrorKind,
    },
}

impl Failure {
    /// Finds it among the causes of an error.
    pub(crate) fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut unreached = None;
        let mut next = Some(error);
        while let Some(current) = next {
            if let Some(found) = current.downcast_ref::<Self>() {
                return Some(found.clone());
            }
            if let Some(found) = current.downcast_ref::<Refusal>() {
                return Some(Self::Refused(found.clone()));
            }
            if let Some(found) = current.downcast_ref::<HttpError>() {
                unreached = Some(Self::Unreached {
                    timed_out: found.kind() == HttpErrorKind::Timeout,
                    why: found.source().map(chain).unwrap_or_default(),
                });
            }
            next = current.source();
        }
        unreached
    }

    /// Returns its kind.
    pub(crate) fn kind(&self) -> StorageErrorKind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Unreached {
                timed_out: true, ..
            } => StorageErrorKind::Timeout,
            Self::Unreached { .. } => StorageErrorKind::Unavailable,
            Self::NoCredentials { kind, .. } => *kind,
        }
    }
}

/// Joins the texts of an error and its causes.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    text
}

fn hint(why: &str) -> &'static str {
    if why.contains("invalid peer certificate") {
        "; if an authority of your own made the server's certificate, name the file with that \
         authority's certificate"
    } else {
        ""
    }
}
