//! Who may do what: ChartMuseum's authentication, as documented.
//!
//! [`Auth`] answers one question: may the sender of this `Authorization` header do this [`Verb`] in
//! this repository? Nothing here knows of routes or handlers, and nothing but the key's file, at
//! start, is read. A new way to tell clients apart is a variant of `Scheme`.

mod basic;
mod bearer;
mod challenge;
mod key;
mod search_path;
#[cfg(test)]
mod testing;

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderValue;
use chartroom_storage::{Clock, RepositoryPath};

use crate::config::{AuthScheme, AuthSettings};
use basic::Basic;
use bearer::Bearer;
pub use challenge::Challenge;
pub use key::KeyError;
pub use search_path::SearchPathError;

/// What is done to a repository. Each verb is granted apart as soon as something tells them apart;
/// ChartMuseum's tokens know two actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Pull,
    /// Adds a version.
    Push,
    /// Replaces a version.
    Overwrite,
    /// Removes a version.
    Delete,
}

impl Verb {
    /// Returns ChartMuseum's name of the right that the verb takes.
    pub fn action(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push | Self::Overwrite | Self::Delete => "push",
        }
    }
}

/// Who sends a request, for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Somebody who did not have to say it.
    Anonymous,
    /// The user with this name.
    User(Arc<str>),
    /// Who holds a token for this subject, if it names one.
    Token(Option<Arc<str>>),
}

impl Identity {
    /// Returns the name of the user or the subject of the token.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::User(name) => Some(name),
            Self::Token(subject) => subject.as_deref(),
        }
    }
}

/// Why a request is refused; the client is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
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
}

/// Decides who may do what.
#[derive(Debug)]
pub struct Auth {
    scheme: Scheme,
    anonymous_get: bool,
}

enum Scheme {
    Open,
    Basic(Basic),
    Bearer(Box<Bearer>),
}

/// Names the scheme only: the rest is secret.
impl fmt::Debug for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::Basic(_) => "basic",
            Self::Bearer(_) => "bearer",
        })
    }
}

impl Auth {
    /// Reads what the settings name.
    ///
    /// # Errors
    /// If the key's file cannot be read or holds no usable key, or if the search path is none.
    pub fn try_new(settings: &AuthSettings, clock: Clock) -> Result<Self, AuthError> {
        let scheme = match &settings.scheme {
            None => Scheme::Open,
            Some(AuthScheme::Basic(basic)) => Scheme::Basic(Basic::new(basic)),
            Some(AuthScheme::Bearer(bearer)) => {
                Scheme::Bearer(Box::new(Bearer::try_new(bearer, clock)?))
            }
        };
        Ok(Self {
            scheme,
            anonymous_get: settings.anonymous_get,
        })
    }

    /// Returns one that lets everybody do everything.
    pub fn open() -> Self {
        Self {
            scheme: Scheme::Open,
            anonymous_get: false,
        }
    }

    /// Tells who sent the header if they may do `verb` in `repository`. The root repository stands
    /// for the routes of the server itself, too.
    ///
    /// # Errors
    /// If they may not, or if it is not known who they are: in both cases the same challenge, as
    /// ChartMuseum has it.
    pub fn authorize(
        &self,
        authorization: Option<&HeaderValue>,
        verb: Verb,
        repository: &RepositoryPath,
    ) -> Result<Identity, Challenge> {
        // Whatever credentials are sent, bad ones too: clients send what they have for the host.
        if self.anonymous_get && verb == Verb::Pull {
            return Ok(Identity::Anonymous);
        }
        match &self.scheme {
            Scheme::Open => Ok(Identity::Anonymous),
            Scheme::Basic(basic) => basic.authorize(authorization),
            Scheme::Bearer(bearer) => bearer.authorize(authorization, verb, namespace(repository)),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BasicAuth;

    fn auth(scheme: Option<AuthScheme>, anonymous_get: bool) -> Auth {
        let settings = AuthSettings {
            scheme,
            anonymous_get,
        };
        Auth::try_new(&settings, Clock::default()).unwrap()
    }

    fn alice() -> AuthScheme {
        AuthScheme::Basic(BasicAuth {
            user: "alice".to_owned(),
            password: "hunter2".to_owned().into(),
        })
    }

    fn basic(anonymous_get: bool) -> Auth {
        auth(Some(alice()), anonymous_get)
    }

    #[test]
    fn without_settings_everybody_may_do_everything() {
        for auth in [auth(None, false), Auth::open()] {
            for verb in [Verb::Pull, Verb::Push, Verb::Overwrite, Verb::Delete] {
                let who = auth.authorize(None, verb, &RepositoryPath::root());
                assert_eq!(who.unwrap(), Identity::Anonymous);
            }
        }
    }

    #[test]
    fn with_anonymous_get_pulling_is_open_whatever_credentials_are_sent() {
        let auth = basic(true);
        let root = RepositoryPath::root();
        let bad = HeaderValue::from_static("Basic bad");
        for header in [None, Some(&bad)] {
            let who = auth.authorize(header, Verb::Pull, &root).unwrap();
            assert_eq!(who, Identity::Anonymous);
            for verb in [Verb::Push, Verb::Overwrite, Verb::Delete] {
                assert!(auth.authorize(header, verb, &root).is_err(), "{verb:?}");
            }
        }
        assert!(basic(false).authorize(None, Verb::Pull, &root).is_err());
    }

    #[test]
    fn nothing_secret_is_shown_for_debugging() {
        assert!(!format!("{:?}", alice()).contains("hunter2"));
        let shown = format!("{:?}", basic(false));
        assert_eq!(shown, "Auth { scheme: basic, anonymous_get: false }");
    }

    #[test]
    fn a_scheme_is_read_in_any_case_and_needs_a_space() {
        assert_eq!(after_scheme(b"bAsIc  x ", "Basic"), Some(&b"x"[..]));
        assert_eq!(after_scheme(b"Basic", "Basic"), None);
        assert_eq!(after_scheme(b"Basicx", "Basic"), None);
        assert_eq!(after_scheme(b"Bas", "Basic"), None);
    }
}
