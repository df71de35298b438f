//! A store whose requests fail, are late, or are lost, on demand or by chance.
//!
//! A [`Faulty`] stands for the way from one replica to the store. Two replicas over one bucket are
//! two of them over one inner store:
//!
//! ```
//! # use std::sync::Arc;
//! # use object_store::memory::InMemory;
//! # use chartroom_storage::Timeouts;
//! # use chartroom_storage::testing::{Action, Faulty, Op};
//! let bucket = Arc::new(InMemory::new());
//! let (first, second) = (Faulty::new(bucket.clone()), Faulty::new(bucket));
//! let stores = [first.store(Timeouts::default()), second.store(Timeouts::default())];
//! first.rule(Op::Put, |key| key.ends_with(".tgz"), Action::LoseReply);
//! ```
//!
//! A request meets the first [rule](Faulty::rule) that fits it, which is then used up; without one,
//! the [plan](Faulty::follow) draws. All waiting is by tokio's clock, which tests may pause. Mind
//! that the deadlines of [`Store`] go on while a request is held at a [`Gate`]: a
//! paused clock leaps to them as soon as nothing else can run.

mod action;
mod gate;
mod journal;
mod object_store_impl;
mod plan;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::ObjectStore;
use tokio::task::JoinSet;

pub use action::Action;
pub use gate::Gate;
pub use journal::Op;
pub use plan::Plan;

use crate::{Store, Timeouts};
use action::{Fault, Rule};
use journal::Journal;
use plan::Dice;

/// A decorator that lets requests to the inner store fail. Clones are the same way to the store.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    dice: Option<Dice>,
    partitioned: bool,
    journal: Journal,
    late: JoinSet<()>,
}

impl Faulty {
    /// Returns a way to `inner` without faults.
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            state: Arc::default(),
        }
    }

    /// Returns a store that goes this way.
    pub fn store(&self, timeouts: Timeouts) -> Store {
        Store::new(Arc::new(self.clone()), timeouts)
    }

    /// Lets the next request of this kind, on a key that fits, meet `action`. Keys are whole: they
    /// begin with the prefix of the store. The key of a listing is its folder.
    pub fn rule(&self, op: Op, fits: impl Fn(&str) -> bool + Send + 'static, action: Action) {
        self.rule_times(1, op, fits, action);
    }

    /// Like [`Faulty::rule`], for the next `times` requests that fit.
    pub fn rule_times(
        &self,
        times: usize,
        op: Op,
        fits: impl Fn(&str) -> bool + Send + 'static,
        action: Action,
    ) {
        let fits = Box::new(fits);
        self.state().rules.push(Rule {
            op,
            fits,
            action,
            times,
        });
    }

    /// Holds the next request that fits before the store executes it, and returns the gate at which
    /// it is held.
    pub fn pause_before(&self, op: Op, fits: impl Fn(&str) -> bool + Send + 'static) -> Gate {
        let gate = Gate::new();
        self.rule(op, fits, Action::PauseBefore(gate.clone()));
        gate
    }

    /// Holds the reply to the next request that fits, after the store executed it, and returns the
    /// gate at which it is held.
    pub fn pause_after(&self, op: Op, fits: impl Fn(&str) -> bool + Send + 'static) -> Gate {
        let gate = Gate::new();
        self.rule(op, fits, Action::PauseAfter(gate.clone()));
        gate
    }

    /// Forgets all rules, also those that no request met, and returns how many uses of them were
    /// left: a test that expects its rules to have been met asserts zero.
    pub fn clear_rules(&self) -> usize {
        let rules = std::mem::take(&mut self.state().rules);
        rules.iter().map(|rule| rule.times).sum()
    }

    /// Draws the fate of every request that no rule fits from a plan; `None` ends that.
    pub fn follow(&self, plan: impl Into<Option<Plan>>) {
        self.state().dice = plan.into().map(Dice::new);
    }

    /// Cuts the way to the store, or mends it. While it is cut, requests fail at once and are not
    /// executed; a reply that would come through meanwhile is lost.
    pub fn partition(&self, cut: bool) {
        self.state().partitioned = cut;
    }

    /// Returns all requests in the order in which they arrived, those that failed too.
    pub fn requests(&self) -> Vec<(Op, String)> {
        self.state().journal.requests().to_vec()
    }

    /// Returns how many requests of this kind arrived.
    pub fn count(&self, op: Op) -> usize {
        self.count_of(op, |_| true)
    }

    /// Returns how many requests of this kind, on a key that fits, arrived.
    pub fn count_of(&self, op: Op, fits: impl Fn(&str) -> bool) -> usize {
        self.state().journal.count(op, fits)
    }

    /// Returns how many requests arrived.
    pub fn count_all(&self) -> usize {
        self.state().journal.requests().len()
    }

    /// Forgets the requests that arrived.
    pub fn clear_requests(&self) {
        self.state().journal.clear();
    }

    /// Waits until all requests that are executed late were executed. They end unexecuted when the
    /// last clone is gone, so a test that lets a replica die keeps one.
    pub async fn settle(&self) {
        loop {
            let mut late = std::mem::take(&mut self.state().late);
            if late.is_empty() {
                return;
            }
            while late.join_next().await.is_some() {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has already failed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in and returns what it meets.
    fn arrive(&self, op: Op, key: &str) -> Fault {
        let mut state = self.state();
        state.journal.record(op, key);
        let rule = state
            .rules
            .iter_mut()
            .find(|rule| rule.times > 0 && rule.op == op && (rule.fits)(key));
        if let Some(rule) = rule {
            rule.times -= 1;
            return Fault::certain(rule.action.clone());
        }
        match &mut state.dice {
            Some(dice) => dice.draw(op),
            None => Fault::none(),
        }
    }

    /// Fails while the way is cut.
    fn pass(&self, key: &str) -> object_store::Result<()> {
        if self.state().partitioned {
            return Err(action::reset(key));
        }
        Ok(())
    }

    fn execute_late(&self, delay: Duration, work: impl Future<Output = ()> + Send + 'static) {
        self.state().late.spawn(async move {
            tokio::time::sleep(delay).await;
            work.await;
        });
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Faulty")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Faulty({})", self.inner)
    }
}
