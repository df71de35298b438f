//! Faults by chance.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::action::Fault;
use super::{Action, Op};
use crate::StorageErrorKind;

/// How likely which fault is. The same seed and the same requests give the same faults.
///
/// Probabilities are between 0 and 1, and at most one fault strikes a request, so they should add
/// up to less than 1.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the drawing begins.
    pub seed: u64,
    /// How long a request takes to reach the store.
    pub latency: Range<Duration>,
    /// That a request fails and is not executed.
    pub fail: f64,
    /// That a request is executed and its reply is lost.
    pub lose_reply: f64,
    /// That a write or deletion is never answered and executed late. A read is dropped.
    pub execute_late: f64,
    /// How late.
    pub late_by: Range<Duration>,
    /// That a request is never answered and never executed.
    pub drop: f64,
    /// That the body of a read ends early, somewhere in its first 4 KiB.
    pub cut_body: f64,
}

impl Plan {
    /// Returns a plan without faults, to be filled in.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            latency: Duration::ZERO..Duration::ZERO,
            fail: 0.0,
            lose_reply: 0.0,
            execute_late: 0.0,
            late_by: Duration::ZERO..Duration::ZERO,
            drop: 0.0,
            cut_body: 0.0,
        }
    }

    /// Returns a plan in which every fault is about as likely as the others, and one request in
    /// `every` meets one.
    pub fn stormy(seed: u64, every: u32) -> Self {
        let each = 1.0 / f64::from(every.max(1)) / 5.0;
        Self {
            latency: Duration::from_millis(1)..Duration::from_millis(50),
            fail: each,
            lose_reply: each,
            execute_late: each,
            late_by: Duration::ZERO..Duration::from_secs(2),
            drop: each,
            cut_body: each,
            ..Self::calm(seed)
        }
    }
}

pub(super) struct Dice {
    plan: Plan,
    random: StdRng,
}

impl Dice {
    pub(super) fn new(plan: Plan) -> Self {
        let random = StdRng::seed_from_u64(plan.seed);
        Self { plan, random }
    }

    pub(super) fn draw(&mut self, op: Op) -> Fault {
        let latency = self.draw_duration(&self.plan.latency.clone());
        let action = self.draw_action(op);
        Fault { latency, action }
    }

    fn draw_action(&mut self, op: Op) -> Option<Action> {
        let mut left: f64 = self.random.random();
        let mut strikes = |probability: f64| {
            left -= probability;
            left < 0.0
        };
        if strikes(self.plan.fail) {
            return Some(Action::Fail(StorageErrorKind::Unavailable));
        }
        if strikes(self.plan.lose_reply) {
            return Some(Action::LoseReply);
        }
        if strikes(self.plan.drop) {
            return Some(Action::Drop);
        }
        if strikes(self.plan.execute_late) {
            if !matches!(op, Op::Put | Op::Delete) {
                return Some(Action::Drop);
            }
            let delay = self.draw_duration(&self.plan.late_by.clone());
            return Some(Action::ExecuteLate(delay));
        }
        if strikes(self.plan.cut_body) && op == Op::Get {
            return Some(Action::CutBody(self.random.random_range(0..4096)));
        }
        None
    }

    fn draw_duration(&mut self, range: &Range<Duration>) -> Duration {
        if range.is_empty() {
            return range.start;
        }
        self.random.random_range(range.clone())
    }
}
