//! Who sends a request, as far as that can be found out.

use std::sync::Arc;

use axum::http::HeaderValue;
use serde_json::Value;

use super::{Identity, Refusal, oidc};

/// What of a request tells who sends it.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The header, if there is one.
    pub authorization: Option<&'a HeaderValue>,
    /// Whether it comes from this machine, and from nowhere else through it.
    pub is_local: bool,
}

impl Asker<'_> {
    /// Somebody of whom nothing is known.
    pub const NOBODY: Asker<'static> = Asker {
        authorization: None,
        is_local: false,
    };
}

/// Who sends a request, as far as that could be found out.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) known: Result<Known, Unknown>,
    pub(super) is_local: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) identity: Identity,
    /// Those of a token of ChartMuseum's kind, which say what it grants.
    pub(super) claims: Option<Arc<Value>>,
}

impl From<Identity> for Known {
    fn from(identity: Identity) -> Self {
        Self {
            identity,
            claims: None,
        }
    }
}

/// Why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The credentials are wrong.
    Refused(Refusal),
    /// Too many passwords are being compared.
    Busy,
    /// What knows is away.
    Unavailable(Arc<str>),
    /// The issuer of the token does not answer.
    NoKeys(oidc::Unavailable),
}

impl From<oidc::VerifyError> for Unknown {
    fn from(error: oidc::VerifyError) -> Self {
        match error {
            oidc::VerifyError::Refused(refusal) => Self::Refused(refusal.into()),
            oidc::VerifyError::Unavailable(issuer) => Self::NoKeys(issuer),
        }
    }
}

impl From<Refusal> for Unknown {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Session {
    pub(super) fn anonymous(is_local: bool) -> Self {
        Self {
            known: Ok(Identity::Anonymous.into()),
            is_local,
        }
    }

    /// Returns who it is; nobody, if the credentials were refused.
    pub fn identity(&self) -> Identity {
        match &self.known {
            Ok(known) => known.identity.clone(),
            Err(_) => Identity::Anonymous,
        }
    }
}
