//! What happens in repositories, for whoever counts it.

use std::fmt;
use std::time::Duration;

use chartroom_storage::log::Tally;

use super::Refreshed;

/// Something that happened in a repository.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The log was read, or it could not be.
    Opened {
        /// How long it took.
        took: Duration,
        /// Whether it could.
        is_ok: bool,
    },
    /// Proposals that waited together were appended, or were not.
    Appended {
        /// What became of the attempts.
        tally: Tally,
        /// How many changes are in the log by it.
        changes: usize,
    },
    /// The end of the log was looked for.
    CaughtUp(CaughtUp),
    /// The files were looked at; `None` if that failed.
    Refreshed {
        /// How long it took.
        took: Duration,
        /// What it did.
        refreshed: Option<Refreshed>,
    },
}

/// What a catch-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaughtUp {
    /// There was nothing new.
    Current,
    /// Somebody else had appended.
    Advanced,
    /// The log could not be read.
    Failed,
}

/// Takes notice of what happens. Called by the tasks that work for a repository: it must be quick.
pub trait Events: fmt::Debug + Send + Sync {
    /// Takes notice of one thing.
    fn notice(&self, event: Event);
}

/// Nobody counts.
impl Events for () {
    fn notice(&self, _: Event) {}
}
