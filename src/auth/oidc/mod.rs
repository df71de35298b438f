//! Trust in the issuers of OpenID Connect tokens: CI without stored secrets.
//!
//! A token is looked at in this order: who says that they have issued it, which is only good for
//! choosing an issuer; that issuer's keys, and no other's; signature, by an algorithm that the key is
//! for; then audience and times. [`Issuers`] knows nothing of rights: what a workload may do is the
//! policy's business.

mod cache;
mod fetch;
mod keys;
mod settings;
#[cfg(test)]
mod tests;
mod token;
mod trusted;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::Clock;

use super::Workload;
use cache::Cache;
pub use fetch::FetchError;
use fetch::{Http, Source};
pub use keys::KeySetError;
use settings::Checked;
pub use settings::{IssuerError, IssuerSettings, UrlError};
pub use token::TokenRefusal;
use token::{Expected, Unverified};
pub(super) use trusted::Trusted;

/// Why nothing is known of a token: the keys of its issuer cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys of issuer `{issuer}` cannot be had")]
pub struct Unavailable {
    /// The issuer, as it is configured.
    pub issuer: Arc<str>,
    /// When to try again.
    pub retry_after: Duration,
}

/// Why a token does not tell who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not good.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// It may be good.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Learns of each question to an issuer.
pub trait KeyFetches: fmt::Debug + Send + Sync {
    /// Notes that there is such an issuer.
    fn expect(&self, issuer: &Arc<str>);
    /// Notes that its keys were asked for.
    fn fetched(&self, issuer: &Arc<str>, is_ok: bool);
}

/// Nobody who learns of them.
impl KeyFetches for () {
    fn expect(&self, _issuer: &Arc<str>) {}
    fn fetched(&self, _issuer: &Arc<str>, _is_ok: bool) {}
}

/// The issuers that are trusted.
pub struct Issuers {
    all: Vec<Arc<Issuer>>,
    clock: Clock,
    fetches: Arc<dyn KeyFetches>,
}

struct Issuer {
    settings: Checked,
    cache: Cache,
}

/// Names the issuers only.
impl fmt::Debug for Issuers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.all.iter().map(|issuer| &issuer.settings.name);
        formatter.debug_list().entries(names).finish()
    }
}

impl Issuers {
    /// Checks the settings, and reads the files that they name. No issuer is asked yet.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn try_new(
        settings: &[IssuerSettings],
        clock: Clock,
        fetches: Arc<dyn KeyFetches>,
    ) -> Result<Self, IssuerError> {
        let none = Self {
            all: Vec::new(),
            clock,
            fetches,
        };
        let (issuers, problems) = none.renewed(settings);
        problems.into_iter().next().map_or(Ok(issuers), Err)
    }

    /// Returns those of other settings. An issuer whose settings did not change keeps its keys; one
    /// that cannot be set up is left out, so that what was trusted under its name is no more.
    pub fn renewed(&self, settings: &[IssuerSettings]) -> (Self, Vec<IssuerError>) {
        let mut issuers = Vec::with_capacity(settings.len());
        let mut problems = Vec::new();
        let checked = settings::check(settings).unwrap_or_else(|error| {
            problems.push(error);
            Vec::new()
        });
        for settings in checked {
            let known = self.all.iter().find(|known| known.settings == settings);
            match known.map_or_else(|| self.set_up(settings), |known| Ok(Arc::clone(known))) {
                Ok(issuer) => issuers.push(issuer),
                Err(error) => problems.push(error),
            }
        }
        let renewed = Self {
            all: issuers,
            clock: self.clock.clone(),
            fetches: Arc::clone(&self.fetches),
        };
        (renewed, problems)
    }

    fn set_up(&self, settings: Checked) -> Result<Arc<Issuer>, IssuerError> {
        match Http::try_new(&settings) {
            Ok(source) => Ok(self.issuer(settings, Box::new(source))),
            Err(source) => Err(IssuerError::Client {
                name: settings.name,
                source,
            }),
        }
    }

    fn issuer(&self, settings: Checked, source: Box<dyn Source>) -> Arc<Issuer> {
        let name: Arc<str> = settings.name.as_str().into();
        let (clock, fetches) = (self.clock.clone(), Arc::clone(&self.fetches));
        let cache = Cache::new(name, source, clock, fetches);
        Arc::new(Issuer { settings, cache })
    }

    /// Returns the names of the issuers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|issuer| &*issuer.settings.name)
    }

    /// Asks each issuer for its keys, so that the log tells at start which of them cannot be reached,
    /// and the first token does not wait.
    pub async fn warm(&self) {
        let all = self.all.iter().map(|issuer| issuer.cache.warm());
        futures_util::future::join_all(all).await;
    }

    /// Tells who holds a token.
    ///
    /// # Errors
    /// `Refused` with `UnknownIssuer` or `NotToken` for what may be something else's token;
    /// `Unavailable` while the issuer does not answer, and its keys are too old or do not tell.
    ///
    /// # Cost
    /// One verification of a signature; a request to the issuer now and then.
    pub async fn verify(&self, token: &str) -> Result<Workload, VerifyError> {
        let unverified = Unverified::read(token)?;
        let mut issuers = self.all.iter();
        let issuer = issuers
            .find(|issuer| issuer.settings.url == unverified.issuer)
            .ok_or(TokenRefusal::UnknownIssuer)?;
        issuer.verify(&unverified, &self.clock).await
    }
}

impl Issuer {
    async fn verify(
        &self,
        unverified: &Unverified<'_>,
        clock: &Clock,
    ) -> Result<Workload, VerifyError> {
        let algorithm = unverified.algorithm;
        if !self.settings.algorithms.contains(&algorithm) {
            return Err(TokenRefusal::Algorithm.into());
        }
        let id = unverified.key_id.as_deref();
        let keys = self.cache.candidates(id, algorithm).await?;
        if keys.is_empty() {
            return Err(TokenRefusal::UnknownKey.into());
        }
        let claims = unverified.verify(&keys)?;
        let expected = Expected {
            issuer: &self.settings.url,
            audiences: &self.settings.audiences,
            now: clock.wall(),
        };
        let subject = expected.check(&claims)?;
        Ok(Workload {
            issuer: self.settings.name.clone(),
            subject,
            claims,
        })
    }
}

/// Checks settings without reading any file.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn check(settings: &[IssuerSettings]) -> Result<(), IssuerError> {
    settings::check(settings).map(drop)
}
