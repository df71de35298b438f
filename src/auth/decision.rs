//! What was decided about a request, and by which rule.

use std::fmt;
use std::sync::Arc;

use chartroom_storage::RepositoryPath;

use super::oidc::Unavailable;
use super::{Challenge, Identity, Refusal, Verb};

/// What was decided, for the reply and for the logs. It is among the extensions of every request that
/// a rule let through, and of every reply of a route that is not open to everybody.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Who asked; nobody, if the credentials were refused.
    pub identity: Identity,
    /// What they wanted to do.
    pub verb: Verb,
    /// Where.
    pub repository: RepositoryPath,
    /// What allowed or refused it.
    pub rule: Rule,
    /// Whether they may.
    pub verdict: Verdict,
}

/// Whether they may.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// They may.
    Allowed,
    /// They may not, and are asked for other credentials.
    Challenged(Challenge, Refusal),
    /// They may not, whoever they are or since we know who they are; with what to do about it.
    Forbidden(&'static str),
    /// It was not found out: too many passwords are being compared.
    Busy,
    /// It was not found out: what knows is away; with why, for the log.
    Unavailable(Arc<str>),
    /// It was not found out: the issuer of their token does not answer.
    NoKeys(Unavailable),
}

/// What allows or refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everybody does everything: tests.
    Open,
    /// Without authentication everybody reads.
    EverybodyReads,
    /// Without authentication this machine writes.
    ThisMachineWrites,
    /// `--open-writes`.
    OpenWrites,
    /// `--auth-anonymous-get`.
    AnonymousGet,
    /// `--anonymous-prov`.
    AnonymousProvenance,
    /// ChartMuseum's one user.
    BasicAuth,
    /// The claims of a token of ChartMuseum's kind.
    BearerAuth,
    /// The credentials were wrong, or there were none.
    Credentials,
    /// Those of the access token.
    TokenGrants,
    /// A rule of the policy.
    Policy {
        /// Its name.
        name: Arc<str>,
        /// Its line in the file; 0 for a rule that is built in.
        line: usize,
    },
    /// No rule of the policy.
    NoRule,
    /// A list, of which every item is decided by itself.
    EachByItself,
}

impl Decision {
    /// Tells whether they may.
    pub fn is_allowed(&self) -> bool {
        matches!(self.verdict, Verdict::Allowed)
    }

    /// Returns what is wrong with the credentials, if that is why they may not.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.verdict {
            Verdict::Challenged(_, refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Open => "open",
            Self::EverybodyReads => "default: everybody reads",
            Self::ThisMachineWrites => "default: only this machine writes",
            Self::OpenWrites => "--open-writes",
            Self::AnonymousGet => "--auth-anonymous-get",
            Self::AnonymousProvenance => "--anonymous-prov",
            Self::BasicAuth => "--basic-auth-user",
            Self::BearerAuth => "--bearer-auth",
            Self::Credentials => "credentials",
            Self::TokenGrants => "grants of the token",
            Self::Policy { name, line: 0 } => return write!(formatter, "built in: {name}"),
            Self::Policy { name, line } => {
                return write!(formatter, "policy, line {line}: {name}");
            }
            Self::NoRule => "no rule of the policy",
            Self::EachByItself => "each repository by itself",
        })
    }
}
