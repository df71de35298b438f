//! How a repository is kept.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::LogOptions;

use super::events::Events;
use super::kept::KeptArchives;
use super::progress::ReadBudget;
use crate::chart::limits::Limits;

/// Archives beside the index: right under any host, path and scheme.
pub const RELATIVE: &str = "charts/";

/// How a repository is kept. Everything has a default that fits most stores.
#[derive(Clone, Debug)]
pub struct Options {
    /// A reader sees everything that was acknowledged anywhere so long ago; zero means to look
    /// before each read.
    pub freshness: Duration,
    /// How often files that hands put or removed are looked for; zero means only at start.
    pub refresh_interval: Duration,
    /// What an archive that a refresh reads may be at most.
    pub limits: Limits,
    /// What stands before an archive's file name in the index: [`RELATIVE`], or an absolute URL that
    /// ends in it.
    /// Replicas must agree on it, as they must on everything that the index is made of.
    pub url_base: Arc<str>,
    /// How many archives and other objects the repository may hold; `None` for any number.
    pub max_objects: Option<u64>,
    /// How many versions of one chart are kept; `None` for all of them.
    pub per_chart_limit: Option<usize>,
    /// By how much the time of an object may differ from the one that is known of it, if everything
    /// else is the same, before it counts as another object.
    pub timestamp_tolerance: Duration,
    /// How many archives a refresh reads at the same time.
    pub parallel_reads: usize,
    /// How many bytes of archives refreshes hold at the same time; shared by all repositories.
    pub read_budget: Arc<ReadBudget>,
    /// Where small archives stay in memory; shared by all repositories.
    pub kept_archives: Arc<KeptArchives>,
    /// How the log is kept.
    pub log: LogOptions,
    /// The waits of the protocol.
    pub waits: Waits,
    /// Who is told of what happens.
    pub events: Arc<dyn Events>,
}

/// The waits of the protocol. Each is there because a request whose reply was lost may still be
/// carried out.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// How long an operation waits for an open deletion of its version to end before it answers
    /// "busy".
    pub brief: Duration,
    /// The longest time after which the store may still carry out a request whose reply was lost.
    pub late: Duration,
    /// For how long a deleter may send deletes after it began to append `removed`.
    pub term: Duration,
    /// After how long an open deletion is taken over by somebody else. Longer than `term` and `late`
    /// together.
    pub takeover: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            brief: Duration::from_secs(2),
            late: Duration::from_secs(10),
            term: Duration::from_secs(10),
            takeover: Duration::from_secs(25),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            freshness: Duration::from_secs(1),
            refresh_interval: Duration::from_secs(30),
            limits: Limits::default(),
            url_base: RELATIVE.into(),
            max_objects: None,
            per_chart_limit: None,
            timestamp_tolerance: Duration::ZERO,
            parallel_reads: 4,
            read_budget: Arc::default(),
            kept_archives: Arc::default(),
            log: LogOptions::default(),
            waits: Waits::default(),
            events: Arc::new(()),
        }
    }
}
