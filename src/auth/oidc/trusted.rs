//! The issuers that a policy names, as it changes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use chartroom_storage::Clock;

use super::{IssuerError, IssuerSettings, Issuers, KeyFetches};

/// The issuers that are trusted now.
pub(in crate::auth) struct Trusted {
    current: ArcSwap<Issuers>,
    /// What they were made of; `None` if one of them could not be set up.
    settings: Mutex<Option<Vec<IssuerSettings>>>,
}

impl Trusted {
    /// Sets up the first ones.
    pub(in crate::auth) fn try_new(
        settings: &[IssuerSettings],
        clock: Clock,
        fetches: Arc<dyn KeyFetches>,
    ) -> Result<Self, IssuerError> {
        let issuers = Issuers::try_new(settings, clock, fetches)?;
        Ok(Self {
            current: ArcSwap::from_pointee(issuers),
            settings: Mutex::new(Some(settings.to_vec())),
        })
    }

    /// Returns them.
    pub(in crate::auth) fn current(&self) -> Arc<Issuers> {
        self.current.load_full()
    }

    /// Takes over other settings, and returns what is wrong with them. Those that are wrong are tried
    /// again at the next call.
    ///
    /// # Cost
    /// Reads files if something changed.
    pub(in crate::auth) fn renew(&self, settings: &[IssuerSettings]) -> Vec<IssuerError> {
        let mut known = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() == Some(settings) {
            return Vec::new();
        }
        let (issuers, problems) = self.current().renewed(settings);
        self.current.store(Arc::new(issuers));
        *known = problems.is_empty().then(|| settings.to_vec());
        problems
    }
}

impl fmt::Debug for Trusted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.current().fmt(formatter)
    }
}
