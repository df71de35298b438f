//! The keys of one issuer, kept and asked for anew.
//!
//! Keys last as long as the issuer says (`Cache-Control: max-age`), within bounds. They are asked for
//! in the background in the last quarter of that time, at the latest when a token comes after it, and
//! when a token names a key that is not among them: a rotated one, or one that somebody made up, so
//! that this happens once in a while only. However many requests wait, the issuer is asked once.
//!
//! While the issuer does not answer, the keys that are there go on to be used until they are [`STALE`]
//! beyond their time. Then nothing is known, and nobody is let in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chartroom_storage::{Clock, Moment};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::fetch::{FetchError, Fetched, Source};
use super::keys::KeySet;
use super::{KeyFetches, Unavailable};
use crate::auth::watched::with_causes;

/// How long keys last, whatever the issuer says; and if it says nothing.
const SHORTEST_LIFE: Duration = Duration::from_mins(5);
const LONGEST_LIFE: Duration = Duration::from_hours(24);
const USUAL_LIFE: Duration = Duration::from_hours(1);
/// How long keys are used beyond their time while the issuer does not answer.
pub(super) const STALE: Duration = Duration::from_hours(1);
/// How often, at most, an unknown key is a reason to ask.
const UNKNOWN_KEY_GAP: Duration = Duration::from_secs(30);
/// How long an issuer that did not answer is left alone.
const FAILURE_GAP: Duration = Duration::from_secs(10);

/// As much of a cause as the log needs.
const LONGEST_CAUSE: usize = 1000;

pub(super) struct Cache {
    core: Arc<Core>,
    flight: Mutex<Option<Flight>>,
}

struct Core {
    issuer: Arc<str>,
    source: Box<dyn Source>,
    clock: Clock,
    fetches: Arc<dyn KeyFetches>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    /// When the issuer did not answer, if that was so the last time.
    failed: Option<Moment>,
    /// When an unknown key was last a reason to ask.
    asked_for_unknown: Option<Moment>,
}

struct Held {
    keys: KeySet,
    since: Moment,
    life: Duration,
}

/// A question that is under way. It ends with the cache; whoever waits sees its end as that of the
/// sender.
struct Flight {
    end: watch::Receiver<()>,
    _task: AbortOnDropHandle<()>,
}

/// How old keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Fresh,
    /// In the last quarter of their time.
    Ageing,
    /// Beyond their time.
    Stale,
    /// Too far beyond it.
    Dead,
}

impl Held {
    fn age(&self, now: Moment) -> Age {
        let age = now.since(self.since);
        match () {
            () if age < self.life * 3 / 4 => Age::Fresh,
            () if age < self.life => Age::Ageing,
            () if age < self.life + STALE => Age::Stale,
            () => Age::Dead,
        }
    }
}

impl Cache {
    pub(super) fn new(
        issuer: Arc<str>,
        source: Box<dyn Source>,
        clock: Clock,
        fetches: Arc<dyn KeyFetches>,
    ) -> Self {
        fetches.expect(&issuer);
        let core = Core {
            issuer,
            source,
            clock,
            fetches,
            state: Mutex::default(),
        };
        Self {
            core: Arc::new(core),
            flight: Mutex::default(),
        }
    }

    /// Returns the keys that may have signed a token whose header says this: none, if the issuer has
    /// no such key.
    ///
    /// # Errors
    /// If the issuer does not answer and it cannot be told without it.
    ///
    /// # Cancellation
    /// A question to the issuer goes on without whoever asked for it.
    pub(super) async fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, Unavailable> {
        let held = self.held().await?;
        let found = owned(&held.keys, id, algorithm);
        if !found.is_empty() {
            return Ok(found);
        }
        if self.core.may_ask_for_unknown() {
            self.ask().await;
        }
        let held = self.core.usable().ok_or_else(|| self.core.unavailable())?;
        let found = owned(&held.keys, id, algorithm);
        // Whether it is a new key is not known while the issuer does not answer.
        if found.is_empty() && self.core.state().failed.is_some() {
            return Err(self.core.unavailable());
        }
        Ok(found)
    }

    /// Asks for the keys if there are none yet.
    pub(super) async fn warm(&self) {
        drop(self.held().await);
    }

    /// Returns keys that are not too old, asked for anew if it is time.
    async fn held(&self) -> Result<Arc<Held>, Unavailable> {
        let age = self.core.age();
        if age != Some(Age::Fresh) && self.core.may_ask() {
            let end = self.start();
            if age != Some(Age::Ageing) {
                wait(end).await;
            }
        }
        self.core.usable().ok_or_else(|| self.core.unavailable())
    }

    /// Asks the issuer, or waits for the answer to a question that is under way.
    async fn ask(&self) {
        wait(self.start()).await;
    }

    fn start(&self) -> watch::Receiver<()> {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = flight.as_ref()
            && under_way.end.has_changed().is_ok()
        {
            return under_way.end.clone();
        }
        let (sender, end) = watch::channel(());
        let core = Arc::clone(&self.core);
        let task = tokio::spawn(async move {
            core.fetch().await;
            drop(sender);
        });
        *flight = Some(Flight {
            end: end.clone(),
            _task: AbortOnDropHandle::new(task),
        });
        end
    }
}

async fn wait(mut end: watch::Receiver<()>) {
    // Nothing is ever sent: it returns when the sender is gone.
    let _ = end.changed().await;
}

fn owned(keys: &KeySet, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
    keys.of(id, algorithm).into_iter().cloned().collect()
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn age(&self) -> Option<Age> {
        let now = self.clock.now();
        let state = self.state();
        state.held.as_ref().map(|held| held.age(now))
    }

    /// Returns the keys if they may still be used.
    fn usable(&self) -> Option<Arc<Held>> {
        let now = self.clock.now();
        let state = self.state();
        let held = state.held.as_ref()?;
        (held.age(now) != Age::Dead).then(|| Arc::clone(held))
    }

    fn may_ask(&self) -> bool {
        let now = self.clock.now();
        let failed = self.state().failed;
        failed.is_none_or(|failed| now.since(failed) >= FAILURE_GAP)
    }

    /// Tells whether an unknown key is a reason to ask now, and notes that it was.
    fn may_ask_for_unknown(&self) -> bool {
        if !self.may_ask() {
            return false;
        }
        let now = self.clock.now();
        let mut state = self.state();
        let is_due = state
            .asked_for_unknown
            .is_none_or(|last| now.since(last) >= UNKNOWN_KEY_GAP);
        if is_due {
            state.asked_for_unknown = Some(now);
        }
        is_due
    }

    fn unavailable(&self) -> Unavailable {
        let now = self.clock.now();
        let waited = self.state().failed.map(|failed| now.since(failed));
        let left = FAILURE_GAP.saturating_sub(waited.unwrap_or_default());
        Unavailable {
            issuer: Arc::clone(&self.issuer),
            retry_after: left.max(Duration::from_secs(1)),
        }
    }

    async fn fetch(&self) {
        let result = self.source.fetch().await;
        self.fetches.fetched(&self.issuer, result.is_ok());
        match result {
            Ok(fetched) => self.keep(fetched),
            Err(error) => self.note(&error),
        }
    }

    fn keep(&self, fetched: Fetched) {
        let Fetched { keys, max_age } = fetched;
        let life = max_age.unwrap_or(USUAL_LIFE);
        let life = life.clamp(SHORTEST_LIFE, LONGEST_LIFE);
        tracing::info!(
            issuer = &*self.issuer,
            keys = keys.len(),
            life_s = life.as_secs(),
            "the keys of an issuer were read"
        );
        let since = self.clock.now();
        let mut state = self.state();
        state.failed = None;
        state.held = Some(Arc::new(Held { keys, since, life }));
    }

    fn note(&self, error: &FetchError) {
        let now = self.clock.now();
        let left = {
            let mut state = self.state();
            state.failed = Some(now);
            state.held.as_ref().map(|held| {
                let end = held.life + STALE;
                end.saturating_sub(now.since(held.since)).as_secs()
            })
        };
        // A reader of JSON repeats what it did not expect.
        let cause: String = with_causes(error).chars().take(LONGEST_CAUSE).collect();
        let outlook = if left.is_some_and(|left| left > 0) {
            "those that are known are used"
        } else {
            "its tokens are answered with 503"
        };
        tracing::warn!(
            issuer = &*self.issuer,
            cause,
            usable_s = left,
            "the keys of an issuer cannot be had; {outlook}"
        );
    }
}
