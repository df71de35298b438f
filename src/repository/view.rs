//! What readers of a repository see: an immutable copy of its state at one generation.

use chartroom_storage::log::{Base, Log, Machine};
use chartroom_storage::{Clock, Moment};
use chrono::{DateTime, Utc};

use super::options::RELATIVE;
use super::state::{Setup, State};
use crate::chart::Digest;
use crate::chart::name::FileName;
use crate::index::Index;

/// A repository at one generation. A reader keeps the one it began with; writers make the next.
#[derive(Clone, Debug)]
pub struct View {
    /// How many change sets the log held.
    pub generation: u64,
    /// The log's identity: 32 hex digits.
    pub identity: String,
    /// The time of the last change set.
    pub generated: DateTime<Utc>,
    /// The index.
    pub index: Index,
    pub(super) state: State,
    pub(super) base: Base,
    /// Everything that was acknowledged before this moment is in here.
    pub(super) proven: Moment,
}

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// The chart's name.
    pub chart: String,
    /// Its version.
    pub version: String,
    /// The archive's digest.
    pub digest: Digest,
}

impl View {
    /// Returns what the archive with this name holds, if it is listed.
    pub fn listed(&self, archive: &FileName) -> Option<ListedVersion> {
        let listed = self.state.listed(archive.as_str())?;
        Some(ListedVersion {
            chart: listed.name.to_string(),
            version: listed.version.to_string(),
            digest: listed.digest,
        })
    }

    /// Returns what stands before the archives' file names in the index.
    pub fn url_base(&self) -> &str {
        self.state.url_base()
    }

    pub(super) fn of(log: &Log<State>) -> Self {
        let state = log.machine().clone();
        Self {
            generation: state.generation,
            identity: state.identity.to_string(),
            generated: state.generated,
            index: state.index.clone(),
            base: log.base(),
            proven: log.proven(),
            state,
        }
    }

    /// Returns what is seen of a repository that does not exist: the same on every replica.
    pub(super) fn empty(clock: &Clock) -> Self {
        let base = Base::nowhere();
        let setup = Setup {
            clock: clock.clone(),
            url_base: RELATIVE.into(),
        };
        let state = State::fresh(&setup, base.identity(), DateTime::UNIX_EPOCH);
        Self {
            generation: base.generation(),
            identity: base.identity().to_string(),
            generated: state.generated,
            index: state.index.clone(),
            proven: clock.now(),
            base,
            state,
        }
    }
}
