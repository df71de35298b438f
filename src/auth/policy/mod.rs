//! Who may do what where: rules that allow, and nothing that forbids. What no rule allows is refused,
//! so that their order does not matter and one rule can be read without the others.

mod claims;
mod file;
pub(crate) mod glob;
pub(crate) mod grant;
mod looking;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chartroom_storage::RepositoryPath;
use chrono::{DateTime, Utc};

use claims::Claims;

pub(crate) use file::LARGEST;
pub use file::{PolicyError, RuleError};
pub use glob::{Glob, GlobError};
pub use grant::{Grant, GrantError, VerbError, Verbs};
pub use looking::Look;

use super::oidc::IssuerSettings;
use super::{AccessToken, Identity, Verb};

/// The rules, and what is revoked.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<PolicyRule>,
    revoked: Revoked,
    issuers: Vec<IssuerSettings>,
}

/// Allows some to do something somewhere.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    /// Its name, or its number.
    pub name: Arc<str>,
    /// Its line in the file, from 1; 0 if it is built in.
    pub line: usize,
    to: Vec<Grantee>,
    verbs: Verbs,
    repositories: Vec<Glob>,
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Grantee {
    /// Everybody, with credentials or without: who has some could leave them out.
    Anonymous,
    /// Users, and holders of our access tokens. Not workloads: everybody can have a token of a public
    /// issuer.
    Authenticated,
    User(String),
    Group {
        name: String,
        members: Arc<BTreeSet<String>>,
    },
    /// Access tokens by their subject.
    Token(Glob),
    Workload {
        issuer: String,
        claims: Claims,
    },
}

/// Access tokens that are not valid any more.
#[derive(Clone, Debug, Default)]
struct Revoked {
    tokens: BTreeSet<String>,
    /// All that were made for a subject before a time.
    subjects: BTreeMap<String, DateTime<Utc>>,
}

impl Policy {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is not YAML, has a key that is not known, or a rule that would mean nothing.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        file::read(text)
    }

    /// Returns what holds without a file: who shows credentials of this server may do everything, or, if
    /// it is a token, what the token is good for.
    pub fn built_in() -> Self {
        Self {
            rules: vec![PolicyRule {
                name: "users and tokens".into(),
                line: 0,
                to: vec![Grantee::Authenticated],
                verbs: Verbs::all(),
                repositories: Glob::of_repositories("**").into_iter().collect(),
            }],
            revoked: Revoked::default(),
            issuers: Vec::new(),
        }
    }

    /// Returns the first rule that lets `identity` do `verb` in `repository`.
    pub fn find(
        &self,
        identity: &Identity,
        verb: Verb,
        repository: &RepositoryPath,
    ) -> Option<&PolicyRule> {
        self.rules
            .iter()
            .find(|rule| rule.looks_at(identity, verb, repository).is_match())
    }

    /// Tells whether somebody without credentials may do `verb` anywhere at all.
    pub fn is_open_for(&self, verb: Verb) -> bool {
        let is_open = |rule: &PolicyRule| rule.to.contains(&Grantee::Anonymous);
        self.rules
            .iter()
            .any(|rule| is_open(rule) && rule.verbs.contains(verb))
    }

    /// Tells whether an access token is revoked.
    pub fn revokes(&self, token: &AccessToken) -> bool {
        let revoked = &self.revoked;
        revoked.tokens.contains(&token.id)
            || revoked
                .subjects
                .get(&token.subject)
                .is_some_and(|before| token.issued < *before)
    }

    /// Returns the issuers whose tokens tell who a workload is.
    pub fn issuers(&self) -> &[IssuerSettings] {
        &self.issuers
    }

    /// Returns the rules, in the order of the file.
    pub fn rules(&self) -> &[PolicyRule] {
        &self.rules
    }

    /// Returns the names of the users that are written in it.
    pub fn users(&self) -> BTreeSet<&str> {
        let grantees = self.rules.iter().flat_map(|rule| &rule.to);
        let mut users = BTreeSet::new();
        for grantee in grantees {
            match grantee {
                Grantee::User(name) => {
                    users.insert(name.as_str());
                }
                Grantee::Group { members, .. } => {
                    users.extend(members.iter().map(String::as_str));
                }
                _ => {}
            }
        }
        users
    }
}

impl Grantee {
    fn is(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Anonymous, _)
            | (Self::Authenticated, Identity::User(_) | Identity::AccessToken(_)) => true,
            (Self::User(name), Identity::User(user)) => **name == **user,
            (Self::Group { members, .. }, Identity::User(user)) => members.contains(&**user),
            (Self::Token(subject), Identity::AccessToken(token)) => {
                subject.matches_text(&token.subject)
            }
            (Self::Workload { issuer, claims }, Identity::Workload(workload)) => {
                *issuer == workload.issuer && claims.are_in(&workload.claims)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Grantee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("anonymous"),
            Self::Authenticated => formatter.write_str("authenticated"),
            Self::User(name) => write!(formatter, "user:{name}"),
            Self::Group { name, .. } => write!(formatter, "group:{name}"),
            Self::Token(subject) => write!(formatter, "token:{subject}"),
            Self::Workload { issuer, claims } => {
                write!(formatter, "{issuer} with {claims}")
            }
        }
    }
}
