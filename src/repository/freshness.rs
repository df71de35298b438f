//! How fresh what readers get is, and what they get while the store does not answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chartroom_storage::Moment;

use super::{Core, RepositoryError, View};

/// How long a reader waits for a store that does not answer before it is given what is known.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long a store that did not answer is left alone by readers.
const RESPITE: Duration = Duration::from_secs(1);

/// Since when the store does not answer.
#[derive(Debug, Default)]
pub(super) struct Outage {
    last_failure: Mutex<Option<Moment>>,
}

impl Outage {
    fn note(&self, failure: Option<Moment>) {
        let mut last = self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = failure;
    }

    fn last_failure(&self) -> Option<Moment> {
        *self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Returns a view that is as fresh as the options promise. If the store does not answer, what is
    /// known is better than nothing: whoever reads it can ask [`Core::stale_for`] how old it is. With
    /// a freshness of zero nothing is given without a look at the store.
    pub(super) async fn current(&self, wanted: u64) -> Result<Arc<View>, RepositoryError> {
        let view = self.committer.view();
        let freshness = self.options.freshness;
        let knows_enough = !freshness.is_zero() && wanted <= view.generation;
        let now = self.clock.now();
        if knows_enough && now.since(view.proven) <= freshness {
            return Ok(view);
        }
        let is_left_alone = self
            .outage
            .last_failure()
            .is_some_and(|failure| now.since(failure) < RESPITE.max(freshness));
        if knows_enough && is_left_alone {
            return Ok(view);
        }
        match tokio::time::timeout(PATIENCE, self.caught_up()).await {
            Ok(Ok(view)) => Ok(view),
            Ok(Err(error)) if !knows_enough => Err(error),
            Err(_) if !knows_enough => self.caught_up().await,
            Ok(Err(_)) | Err(_) => {
                self.outage.note(Some(self.clock.now()));
                Ok(self.committer.view())
            }
        }
    }

    /// Returns a view that holds everything that was acknowledged before the call.
    pub(super) async fn caught_up(&self) -> Result<Arc<View>, RepositoryError> {
        let caught_up = self.committer.catch_up().await;
        let failure = caught_up.is_err().then(|| self.clock.now());
        self.outage.note(failure);
        caught_up
    }

    /// Returns how old what is known is, while the store does not answer.
    pub(super) fn stale_for(&self) -> Option<Duration> {
        self.outage.last_failure()?;
        Some(self.clock.now().since(self.committer.view().proven))
    }
}
