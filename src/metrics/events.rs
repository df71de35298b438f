//! What happens in repositories and their logs.

use std::time::Duration;

use chartroom_storage::log::Tally;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::repository::{CaughtUp, Refreshed};

/// From a log of a few records in memory to one of a large bucket.
const LONG: [f64; 11] = [
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Change {
    change: &'static str,
}

type Counts = Family<Outcome, Counter>;
type Durations = Family<Outcome, Histogram, fn() -> Histogram>;

/// Every series is there from the start: a rate needs the value before the first event.
fn counts(results: &[&'static str]) -> Counts {
    let counts = Counts::default();
    for result in results {
        drop(counts.get_or_create(&Outcome { result }));
    }
    counts
}

fn durations() -> Durations {
    let durations = Durations::new_with_constructor(|| Histogram::new(LONG));
    for result in ["ok", "failed"] {
        drop(durations.get_or_create(&Outcome { result }));
    }
    durations
}

fn result(is_ok: bool) -> Outcome {
    let result = if is_ok { "ok" } else { "failed" };
    Outcome { result }
}

/// Repositories that were opened.
#[derive(Clone, Debug)]
pub(super) struct Openings(Durations);

impl Default for Openings {
    fn default() -> Self {
        Self(durations())
    }
}

impl Openings {
    pub(super) fn count(&self, took: Duration, is_ok: bool) {
        let opening = self.0.get_or_create(&result(is_ok));
        opening.observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_repository_opening_duration_seconds",
            "How long it took to read the logs of repositories that came into memory",
            self.0.clone(),
        );
    }
}

/// Change sets that were appended to logs.
#[derive(Clone, Debug)]
pub(super) struct Appends {
    results: Counts,
    changes: Counter,
}

impl Default for Appends {
    fn default() -> Self {
        Self {
            results: counts(&["won", "lost", "doubt", "failed"]),
            changes: Counter::default(),
        }
    }
}

impl Appends {
    pub(super) fn count(&self, tally: Tally, changes: usize) {
        for (result, count) in [
            ("won", tally.won),
            ("lost", tally.lost),
            ("doubt", tally.in_doubt),
            ("failed", tally.failed),
        ] {
            self.results
                .get_or_create(&Outcome { result })
                .inc_by(count);
        }
        self.changes
            .inc_by(u64::try_from(changes).unwrap_or(u64::MAX));
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_log_appends",
            "Attempts to append a change set to a log",
            self.results.clone(),
        );
        registry.register(
            "chartroom_log_changes",
            "Changes that are in a log by a change set of this replica",
            self.changes.clone(),
        );
    }
}

/// Looks at the end of logs.
#[derive(Clone, Debug)]
pub(super) struct CatchUps(Counts);

impl Default for CatchUps {
    fn default() -> Self {
        Self(counts(&["current", "advanced", "failed"]))
    }
}

impl CatchUps {
    pub(super) fn count(&self, result: CaughtUp) {
        let result = match result {
            CaughtUp::Current => "current",
            CaughtUp::Advanced => "advanced",
            CaughtUp::Failed => "failed",
        };
        self.0.get_or_create(&Outcome { result }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_log_catch_ups",
            "Looks at the end of a log",
            self.0.clone(),
        );
    }
}

/// Looks at the files of repositories.
#[derive(Clone, Debug)]
pub(super) struct Refreshes {
    durations: Durations,
    entries: Family<Change, Counter>,
}

impl Default for Refreshes {
    fn default() -> Self {
        let entries = Family::default();
        for change in ["entered", "dropped", "finished"] {
            drop(entries.get_or_create(&Change { change }));
        }
        Self {
            durations: durations(),
            entries,
        }
    }
}

impl Refreshes {
    pub(super) fn count(&self, took: Duration, refreshed: Option<Refreshed>) {
        self.durations
            .get_or_create(&result(refreshed.is_some()))
            .observe(took.as_secs_f64());
        let Refreshed {
            entered,
            dropped,
            finished,
            ..
        } = refreshed.unwrap_or_default();
        for (change, count) in [
            ("entered", entered),
            ("dropped", dropped),
            ("finished", finished),
        ] {
            self.entries
                .get_or_create(&Change { change })
                .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_refresh_duration_seconds",
            "How long looks at all files of a repository took",
            self.durations.clone(),
        );
        registry.register(
            "chartroom_refresh_entries",
            "Versions that a look at the files entered or dropped, and deletions that it finished",
            self.entries.clone(),
        );
    }
}
