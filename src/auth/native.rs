//! Our own authentication: users with passwords, tokens, and a policy that says what each may do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use chartroom_storage::{Clock, RepositoryPath};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::credentials::{self, Credentials};
use super::oidc::{IssuerError, KeyFetches, Trusted, VerifyError};
use super::passwords::Passwords;
use super::policy::{self, Policy};
use super::token::{TokenKeyError, Tokens};
use super::watched::{FileError, Watched, with_causes};
use super::{Challenge, Identity, NOT_ALLOWED, Refusal, Rule, Unknown, Verb, Verdict};
use crate::config::NativeAuth;

/// How often the files are looked at: what is revoked has to stop soon.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// Why our own authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// A file.
    #[error("--{option}")]
    File {
        /// The option that names it.
        option: &'static str,
        /// What is wrong with it.
        source: FileError,
    },
    /// A key of tokens.
    #[error("--token-key")]
    Key(#[from] TokenKeyError),
    /// An issuer of the policy.
    #[error("--policy: `issuers`")]
    Issuer(#[from] IssuerError),
}

/// Finds out who somebody is, and what they may do.
pub(super) struct Native {
    passwords: Option<Passwords>,
    tokens: Option<Tokens>,
    policy: Rules,
    issuers: Arc<Trusted>,
}

/// Where the policy comes from.
enum Rules {
    BuiltIn(Arc<Policy>),
    File(Arc<Watched<Policy>>),
}

impl Rules {
    fn current(&self) -> Arc<Policy> {
        match self {
            Self::BuiltIn(policy) => Arc::clone(policy),
            Self::File(file) => file.current(),
        }
    }
}

impl Native {
    pub(super) fn try_new(
        settings: &NativeAuth,
        clock: Clock,
        fetches: Arc<dyn KeyFetches>,
    ) -> Result<Self, NativeError> {
        let passwords = settings.htpasswd.as_deref().map(Passwords::try_new);
        let passwords = passwords.transpose().map_err(|source| NativeError::File {
            option: "htpasswd",
            source,
        })?;
        let policy = match &settings.policy {
            None => Rules::BuiltIn(Arc::new(Policy::built_in())),
            Some(path) => {
                let file = load_policy(path);
                let file = file.map_err(|source| NativeError::File {
                    option: "policy",
                    source,
                })?;
                Rules::File(Arc::new(file))
            }
        };
        let issuers = Trusted::try_new(policy.current().issuers(), clock.clone(), fetches)?;
        let tokens = settings.tokens.as_ref();
        let tokens = tokens.map(|settings| Tokens::try_new(settings, clock));
        Ok(Self {
            passwords,
            tokens: tokens.transpose()?,
            policy,
            issuers: Arc::new(issuers),
        })
    }

    /// Finds out who sends a header. Wrong credentials are refused even where none are needed: who
    /// sends some wants to be known.
    pub(super) async fn identify(&self, header: Option<&HeaderValue>) -> Result<Identity, Unknown> {
        let Some(header) = header else {
            return Ok(Identity::Anonymous);
        };
        match (credentials::read(header)?, &self.passwords) {
            (Credentials::Password { user, password }, Some(passwords)) => {
                passwords.identify(&user, password).await
            }
            (Credentials::Password { .. }, None) => Err(Refusal::WrongPassword.into()),
            (Credentials::Token(token), _) => self.identify_token(&token).await,
        }
    }

    /// Finds out who holds a token. Which of our keys or of the issuers is asked is for its `iss` to say.
    async fn identify_token(&self, token: &SecretString) -> Result<Identity, Unknown> {
        let issuers = self.issuers.current();
        let refusal = match issuers.verify(token.expose_secret()).await {
            Ok(workload) => return Ok(Identity::Workload(Arc::new(workload))),
            Err(VerifyError::Refused(refusal)) if refusal.is_of_nobody() => refusal,
            Err(error) => return Err(error.into()),
        };
        let Some(tokens) = &self.tokens else {
            return Err(Refusal::from(refusal).into());
        };
        let token = tokens.verify(token)?;
        if self.policy().revokes(&token) {
            return Err(Refusal::Revoked.into());
        }
        Ok(Identity::AccessToken(Arc::new(token)))
    }

    fn policy(&self) -> Arc<Policy> {
        self.policy.current()
    }

    /// Decides. A token is good for what both it and the policy say.
    pub(super) fn judge(
        &self,
        identity: &Identity,
        verb: Verb,
        repository: &RepositoryPath,
    ) -> (Rule, Verdict) {
        if let Identity::AccessToken(token) = identity {
            let mut grants = token.grants.iter();
            if !grants.any(|grant| grant.allows(verb, repository)) {
                return (Rule::TokenGrants, Verdict::Forbidden(NOT_ALLOWED));
            }
        }
        match self.policy().find(identity, verb, repository) {
            Some(rule) => (
                Rule::Policy {
                    name: Arc::clone(&rule.name),
                    line: rule.line,
                },
                Verdict::Allowed,
            ),
            None => (Rule::NoRule, refused(identity)),
        }
    }

    /// Decides about the list of repositories: everybody sees their own part of it.
    pub(super) fn judge_list(&self, identity: &Identity) -> (Rule, Verdict) {
        if identity.is_anonymous() && !self.policy().is_open_for(Verb::Pull) {
            return (Rule::NoRule, refused(identity));
        }
        (Rule::EachByItself, Verdict::Allowed)
    }

    /// Takes over what the files hold from time to time, for ever.
    ///
    /// # Cancellation
    /// At any moment: either the old content of a file or the new one is in use.
    pub(super) async fn follow(&self) {
        let issuers = self.issuers.current();
        tokio::join!(issuers.warm(), self.keep_reloading());
    }

    async fn keep_reloading(&self) {
        let mut told = Vec::new();
        loop {
            sleep(CHECK_EVERY).await;
            let problems = self.reload().await;
            // A file that stays broken is told once.
            for problem in problems.iter().filter(|problem| !told.contains(*problem)) {
                tracing::error!(
                    error = problem,
                    "a file of the authentication changed and cannot be used: what it said before stays in force"
                );
            }
            told = problems;
        }
    }

    /// Reads the files again, and returns what is wrong with them.
    pub(super) async fn reload(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(passwords) = &self.passwords {
            problems.extend(reload("htpasswd", passwords.file()).await);
        }
        if let Rules::File(file) = &self.policy {
            problems.extend(reload("policy", file).await);
            problems.extend(self.renew_issuers().await);
        }
        problems
    }

    /// Takes over the issuers of the policy that is in force.
    async fn renew_issuers(&self) -> Vec<String> {
        let (issuers, policy) = (Arc::clone(&self.issuers), self.policy());
        let renewed = spawn_blocking(move || issuers.renew(policy.issuers()));
        let problems = match renewed.await {
            Ok(problems) => problems,
            Err(error) => return vec![format!("--policy: {error}")],
        };
        let told = problems.iter();
        told.map(|error| format!("--policy: {}", with_causes(error)))
            .collect()
    }
}

/// Reads the file of a policy.
pub(super) fn load_policy(path: &Path) -> Result<Watched<Policy>, FileError> {
    let parse = |text: &str| Policy::parse(text).map_err(Into::into);
    Watched::load(path, policy::LARGEST, parse)
}

/// Who said who they are is not asked again.
fn refused(identity: &Identity) -> Verdict {
    if identity.is_anonymous() {
        return Verdict::Challenged(Challenge::password(), Refusal::NoCredentials);
    }
    Verdict::Forbidden(NOT_ALLOWED)
}

async fn reload<T: Send + Sync + 'static>(
    option: &'static str,
    file: &Arc<Watched<T>>,
) -> Option<String> {
    let file = Arc::clone(file);
    match spawn_blocking(move || file.reload()).await {
        Ok(Ok(false)) => None,
        Ok(Ok(true)) => {
            tracing::info!("the file of --{option} changed and is in use");
            None
        }
        Ok(Err(error)) => Some(format!("--{option}: {}", with_causes(&error))),
        Err(error) => Some(format!("--{option}: {error}")),
    }
}
