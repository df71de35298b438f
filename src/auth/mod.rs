//! Who may do what: ChartMuseum's authentication, as documented, and our own.
//!
//! [`Auth`] answers two questions. Who sends a request, by its `Authorization` header: a [`Session`].
//! And may they do this [`Verb`] in this repository: a [`Decision`], which names the rule that allowed
//! or refused it. Nothing here knows of routes or handlers. A new way to tell clients apart is one of
//! `native`, or, if it is to exclude the others, a variant of `Scheme`.

mod basic;
mod bearer;
mod challenge;
mod credentials;
mod decision;
mod htpasswd;
mod identity;
mod key;
mod native;
pub mod oidc;
mod passwords;
pub mod policy;
mod search_path;
mod session;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod token;
mod watched;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use chartroom_storage::{Clock, RepositoryPath};

use crate::config::{AuthScheme, AuthSettings};
use basic::Basic;
use bearer::Bearer;
pub use challenge::Challenge;
pub use decision::{Decision, Rule, Verdict};
pub use htpasswd::HtpasswdError;
pub use identity::{AccessToken, Identity, Workload};
pub use key::KeyError;
use native::Native;
pub use native::NativeError;
use oidc::KeyFetches;
use passwords::Passwords;
use policy::Policy;
pub use search_path::SearchPathError;
pub use session::{Asker, Session};
use session::{Known, Unknown};
pub use watched::FileError;

/// What is done to a repository. Each verb is granted apart by a policy; ChartMuseum's tokens know two
/// actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Pull,
    /// Adds a version.
    Push,
    /// Replaces a version. Who uploads needs the right to push, too.
    Overwrite,
    /// Removes a version.
    Delete,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pull, Self::Push, Self::Overwrite, Self::Delete];

    /// Returns its name in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Overwrite => "overwrite",
            Self::Delete => "delete",
        }
    }

    /// Returns ChartMuseum's name of the right that the verb takes.
    pub fn action(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push | Self::Overwrite | Self::Delete => "push",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why credentials are refused; the client is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts explain them")]
pub enum Refusal {
    #[error("no credentials")]
    NoCredentials,
    #[error("the credentials are not of the scheme that is asked for")]
    OtherScheme,
    #[error("the credentials are too long")]
    TooLong,
    #[error("wrong user or password")]
    WrongPassword,
    #[error("the token is not signed with the key, or not with an RSA algorithm")]
    BadToken,
    #[error("the token has a claim of the wrong type")]
    BadClaim,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token does not grant this action in this repository")]
    NotGranted,
    #[error("the token is not signed with one of the keys, by that key's algorithm")]
    Unsigned,
    #[error("the token is of another issuer")]
    OtherIssuer,
    #[error("the token is for another server")]
    OtherAudience,
    #[error("the token is revoked")]
    Revoked,
    #[error(transparent)]
    Issued(#[from] oidc::TokenRefusal),
}

/// Why authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The key that tokens are signed with.
    #[error("--auth-cert-path")]
    Key(#[from] KeyError),
    /// Where a token says what it grants.
    #[error("--auth-actions-search-path")]
    SearchPath(#[from] SearchPathError),
    /// Our own authentication.
    #[error(transparent)]
    Native(#[from] NativeError),
}

/// Decides who may do what.
#[derive(Debug)]
pub struct Auth {
    scheme: Scheme,
    anonymous_get: bool,
    anonymous_provenance: bool,
}

enum Scheme {
    /// Everybody does everything.
    Open,
    /// Nothing is configured.
    Default {
        open_writes: bool,
    },
    Basic(Basic),
    Bearer(Box<Bearer>),
    Native(Arc<Native>),
}

/// Names the scheme only: the rest is secret.
impl fmt::Debug for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::Default { open_writes: false } => "default",
            Self::Default { open_writes: true } => "open writes",
            Self::Basic(_) => "basic",
            Self::Bearer(_) => "bearer",
            Self::Native(_) => "native",
        })
    }
}

/// What to do about a refused write where nothing is configured.
const CLOSED: &str = "without authentication only this machine writes, and not through a proxy: set up --htpasswd, --token-key or --basic-auth-user, or let everybody write with --open-writes";
/// What to do about a refusal of the policy.
const NOT_ALLOWED: &str = "these credentials do not allow it";

impl Auth {
    /// Reads what the settings name.
    ///
    /// # Errors
    /// If a file cannot be read or holds something else, or if the search path is none.
    pub fn try_new(settings: &AuthSettings, clock: Clock) -> Result<Self, AuthError> {
        Self::try_counted(settings, clock, Arc::new(()))
    }

    /// Reads what the settings name. Questions to issuers of tokens are told to `fetches`.
    ///
    /// # Errors
    /// As [`Auth::try_new`].
    pub fn try_counted(
        settings: &AuthSettings,
        clock: Clock,
        fetches: Arc<dyn KeyFetches>,
    ) -> Result<Self, AuthError> {
        let scheme = match &settings.scheme {
            None => Scheme::Default {
                open_writes: settings.open_writes,
            },
            Some(AuthScheme::Basic(basic)) => Scheme::Basic(Basic::new(basic)),
            Some(AuthScheme::Bearer(bearer)) => {
                Scheme::Bearer(Box::new(Bearer::try_new(bearer, clock)?))
            }
            Some(AuthScheme::Native(native)) => {
                Scheme::Native(Arc::new(Native::try_new(native, clock, fetches)?))
            }
        };
        Ok(Self {
            scheme,
            anonymous_get: settings.anonymous_get,
            anonymous_provenance: settings.anonymous_provenance,
        })
    }

    /// Returns one that lets everybody do everything, wherever they are.
    pub fn open() -> Self {
        Self {
            scheme: Scheme::Open,
            anonymous_get: false,
            anonymous_provenance: false,
        }
    }

    /// Takes over what the files hold from time to time, for ever.
    pub async fn follow(&self) {
        match &self.scheme {
            Scheme::Native(native) => native.follow().await,
            _ => std::future::pending().await,
        }
    }

    /// Takes over at once what the files hold, and returns what is wrong with those that cannot be used.
    pub async fn reload(&self) -> Vec<String> {
        match &self.scheme {
            Scheme::Native(native) => native.reload().await,
            _ => Vec::new(),
        }
    }

    /// Tells whether everybody reads, whatever credentials they send.
    fn is_open_for(&self, verb: Verb) -> bool {
        self.anonymous_get && verb == Verb::Pull
    }

    /// Finds out who asks, unless everybody may do `verb`.
    ///
    /// # Cancellation
    /// A password that is being compared is compared to its end.
    pub async fn identify(&self, asker: Asker<'_>, verb: Verb) -> Session {
        let is_local = asker.is_local;
        // Whatever credentials are sent, bad ones too: clients send what they have for the host.
        if self.is_open_for(verb) {
            return Session::anonymous(is_local);
        }
        let header = asker.authorization;
        let known = match &self.scheme {
            Scheme::Open | Scheme::Default { .. } => Ok(Identity::Anonymous.into()),
            Scheme::Basic(basic) => basic
                .identify(header)
                .map(Known::from)
                .map_err(Unknown::from),
            Scheme::Bearer(bearer) => match bearer.identify(header) {
                Ok((identity, claims)) => Ok(Known {
                    identity,
                    claims: Some(claims),
                }),
                Err(refusal) => Err(refusal.into()),
            },
            Scheme::Native(native) => native.identify(header).await.map(Known::from),
        };
        Session { known, is_local }
    }

    /// Decides whether they may do `verb` in `repository`. The root repository stands for the routes of
    /// the server itself, too.
    pub fn decide(&self, session: &Session, verb: Verb, repository: &RepositoryPath) -> Decision {
        let (rule, verdict) = self.judge(session, verb, repository);
        Decision {
            identity: session.identity(),
            verb,
            repository: repository.clone(),
            rule,
            verdict,
        }
    }

    /// Decides whether they may see the list of repositories, of which each is decided by itself.
    pub fn decide_list(&self, session: &Session) -> Decision {
        let root = RepositoryPath::root();
        match (&self.scheme, &session.known) {
            (Scheme::Native(native), Ok(known)) if !self.is_open_for(Verb::Pull) => {
                let (rule, verdict) = native.judge_list(&known.identity);
                Decision {
                    identity: known.identity.clone(),
                    verb: Verb::Pull,
                    repository: root,
                    rule,
                    verdict,
                }
            }
            _ => self.decide(session, Verb::Pull, &root),
        }
    }

    /// Finds out who asks, and decides.
    pub async fn authorize(
        &self,
        asker: Asker<'_>,
        verb: Verb,
        repository: &RepositoryPath,
    ) -> Decision {
        let session = self.identify(asker, verb).await;
        self.decide(&session, verb, repository)
    }

    /// Decides about a provenance file: one that everybody may read, or one like all the rest.
    pub(crate) fn opens_provenance(&self) -> bool {
        self.anonymous_provenance
    }

    fn judge(&self, session: &Session, verb: Verb, repository: &RepositoryPath) -> (Rule, Verdict) {
        if self.is_open_for(verb) {
            return (Rule::AnonymousGet, Verdict::Allowed);
        }
        let known = match &session.known {
            Ok(known) => known,
            Err(Unknown::Refused(refusal)) => {
                let challenge = self.challenge(verb, repository);
                return (Rule::Credentials, Verdict::Challenged(challenge, *refusal));
            }
            Err(Unknown::Busy) => return (Rule::Credentials, Verdict::Busy),
            Err(Unknown::Unavailable(why)) => {
                return (Rule::Credentials, Verdict::Unavailable(Arc::clone(why)));
            }
            Err(Unknown::NoKeys(issuer)) => {
                return (Rule::Credentials, Verdict::NoKeys(issuer.clone()));
            }
        };
        match &self.scheme {
            Scheme::Open => (Rule::Open, Verdict::Allowed),
            Scheme::Default { open_writes } => match (verb, open_writes, session.is_local) {
                (Verb::Pull, ..) => (Rule::EverybodyReads, Verdict::Allowed),
                (_, true, _) => (Rule::OpenWrites, Verdict::Allowed),
                (_, false, true) => (Rule::ThisMachineWrites, Verdict::Allowed),
                (_, false, false) => (Rule::ThisMachineWrites, Verdict::Forbidden(CLOSED)),
            },
            Scheme::Basic(_) => (Rule::BasicAuth, Verdict::Allowed),
            Scheme::Bearer(bearer) => {
                let name = namespace(repository);
                let claims = known.claims.as_deref();
                if claims.is_some_and(|claims| bearer.grants(claims, verb, name)) {
                    return (Rule::BearerAuth, Verdict::Allowed);
                }
                let challenge = bearer.challenge(verb, name);
                (
                    Rule::BearerAuth,
                    Verdict::Challenged(challenge, Refusal::NotGranted),
                )
            }
            Scheme::Native(native) => native.judge(&known.identity, verb, repository),
        }
    }

    fn challenge(&self, verb: Verb, repository: &RepositoryPath) -> Challenge {
        match &self.scheme {
            Scheme::Bearer(bearer) => bearer.challenge(verb, namespace(repository)),
            Scheme::Native(_) => Challenge::password(),
            Scheme::Basic(_) | Scheme::Open | Scheme::Default { .. } => Challenge::museum(),
        }
    }
}

/// Reads the file of a policy.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read_policy(path: &Path) -> Result<Policy, FileError> {
    native::load_policy(path).map(|file| Policy::clone(&file.current()))
}

/// Reads the names of the users of an htpasswd file.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read_users(path: &Path) -> Result<BTreeSet<String>, FileError> {
    let passwords = Passwords::try_new(path)?;
    Ok(passwords
        .file()
        .current()
        .names()
        .map(str::to_owned)
        .collect())
}

/// Tells whether an address is this machine's own; an IPv4 one may be written as an IPv6 one.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The name of a repository in tokens: ChartMuseum's word for the root one is `repo`.
fn namespace(repository: &RepositoryPath) -> &str {
    if repository.is_root() {
        "repo"
    } else {
        repository.as_str()
    }
}

/// Returns what follows `scheme` and spaces. Schemes are case-insensitive (RFC 9110, section 11.1).
fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (given, rest) = value.split_at_checked(scheme.len())?;
    let is_it = given.eq_ignore_ascii_case(scheme.as_bytes()) && rest.first() == Some(&b' ');
    is_it.then(|| rest.trim_ascii())
}
