//! Who sends a request.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::policy::Grant;

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Somebody who did not have to say it.
    Anonymous,
    /// The user with this name. Groups are the policy's.
    User(Arc<str>),
    /// Who holds a token of ChartMuseum's kind for this subject, if it names one.
    Token(Option<Arc<str>>),
    /// Who holds one of our own access tokens.
    AccessToken(Arc<AccessToken>),
    /// A program that an OIDC issuer vouches for.
    Workload(Arc<Workload>),
}

/// What a verified access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id, by which it can be revoked.
    pub id: String,
    /// Whom it was made for.
    pub subject: String,
    /// When it was made.
    pub issued: DateTime<Utc>,
    /// What it is good for: the policy may allow less, and never more.
    pub grants: Vec<Grant>,
}

/// What a verified token of an OIDC issuer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The issuer, by its name in the policy.
    pub issuer: String,
    /// Its name for the program.
    pub subject: String,
    /// All that it says, for the policy.
    pub claims: Map<String, Value>,
}

impl Identity {
    /// Returns the name of the user or the subject of the token.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::User(name) => Some(name),
            Self::Token(subject) => subject.as_deref(),
            Self::AccessToken(token) => Some(&token.subject),
            Self::Workload(workload) => Some(&workload.subject),
        }
    }

    /// Returns how they said who they are.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::AccessToken(_) => "access token",
            Self::Workload(_) => "workload",
        }
    }

    /// Returns the id by which their token can be revoked.
    pub fn token_id(&self) -> Option<&str> {
        match self {
            Self::AccessToken(token) => Some(&token.id),
            _ => None,
        }
    }

    /// Returns the issuer that vouches for them.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Workload(workload) => Some(&workload.issuer),
            _ => None,
        }
    }

    /// Tells whether nobody said who they are.
    pub fn is_anonymous(&self) -> bool {
        *self == Self::Anonymous
    }
}

/// As the policy writes it.
impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("anonymous"),
            Self::User(name) => write!(formatter, "user:{name}"),
            Self::Token(None) => formatter.write_str("token"),
            Self::Token(Some(subject)) => write!(formatter, "token:{subject}"),
            Self::AccessToken(token) => write!(formatter, "token:{}", token.subject),
            Self::Workload(workload) => {
                write!(formatter, "{} of {}", workload.subject, workload.issuer)
            }
        }
    }
}
