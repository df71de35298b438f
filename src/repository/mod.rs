//! One repository: its archives, their log and their index.
//!
//! Every operation follows the project's protocol step by step; the names of the steps and rules are
//! in the comments. What holds: a change is answered with success after its record is in the log; a
//! record about a version is appended only if no other record about it came since the operation last
//! looked at the object (the base rule); a deletion is bracketed by `removed` and `purged`; an error
//! of the store is never read as absence.

mod change;
pub mod check;
mod committer;
mod entering;
mod error;
mod events;
pub mod explain;
mod fetch;
mod first_look;
mod freshness;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod inspect;
mod kept;
mod limits;
mod look;
mod options;
mod overwrite;
mod progress;
mod provenance;
mod publish;
mod reader;
mod refresh;
mod registry;
mod shadow;
mod snapshot;
mod state;
mod view;
mod visit;
mod withdraw;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chartroom_storage::log::{Base, Log, Outcome, Proposal};
use chartroom_storage::{Clock, Key, Moment, ObjectId, Store};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chart::name::FileName;
use crate::chart::{Digest, Metadata};
use change::{Change, Listing, Ticket};
use committer::Committer;
use first_look::FirstLook;
use freshness::Outage;
use inspect::Unreadable;
use progress::Progress;
use state::{Setup, State};

pub use change::Origin;
pub use error::RepositoryError;
pub use events::{CaughtUp, Event, Events};
pub use explain::Explanation;
pub use fetch::{Chunks, Found};
pub use kept::KeptArchives;
pub use options::{Options, RELATIVE, Waits};
pub use progress::ReadBudget;
pub use reader::Reader;
pub use refresh::Refreshed;
pub use registry::{Paths, RegistryOptions, Repositories};
pub use view::{ListedVersion, View};
pub use visit::Visit;

/// How often an operation looks whether an open deletion has ended.
const DELETION_POLL: Duration = Duration::from_millis(50);

/// One repository, and the tasks that work for it.
#[derive(Debug)]
pub struct Repository {
    core: Arc<Core>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// The committer's own: it is needed until the last operation has ended.
    committing: TaskTracker,
    stop_committing: CancellationToken,
}

/// What the operations work with.
#[derive(Debug)]
struct Core {
    store: Store,
    clock: Clock,
    options: Options,
    committer: Committer,
    unreadable: Unreadable,
    outage: Outage,
    tasks: TaskTracker,
    first_look: FirstLook,
    progress: Progress,
}

/// Whether an upload may take the place of an archive that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// The version is immutable.
    Forbid,
    /// The upload replaces it.
    Allow,
}

/// An archive that was read and accepted, to be put into the repository.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The archive's bytes.
    pub archive: Bytes,
    /// Its Chart.yaml.
    pub metadata: Metadata,
    /// The SHA-256 of `archive`.
    pub digest: Digest,
    /// The provenance beside it, if it came along.
    pub provenance: Option<Bytes>,
    /// Whether it may replace what is there.
    pub overwrite: Overwrite,
}

impl Upload {
    /// Returns the files that it puts.
    fn files(&self, archive: &FileName) -> Vec<FileName> {
        let provenance = self.provenance.as_ref().map(|_| archive.provenance());
        std::iter::once(archive.clone()).chain(provenance).collect()
    }

    /// Returns what the log is to say of the upload, whose object this is.
    fn listing(
        &self,
        file: &FileName,
        ticket: Ticket,
        object: ObjectId,
        created: DateTime<Utc>,
    ) -> Listing {
        Listing {
            file: file.as_str().to_owned(),
            origin: Origin::Upload,
            ticket,
            object,
            digest: self.digest,
            created,
            metadata: self.metadata.clone(),
        }
    }
}

/// A change that is in the log: every reader at this generation or later sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The generation.
    pub generation: u64,
}

impl Repository {
    /// Reads the repository's log, making it if there is none, and begins to look at the files that
    /// are there: those that the log does not know show up one after the other.
    ///
    /// # Errors
    /// `Storage` when the log cannot be read.
    pub async fn open(
        store: Store,
        clock: Clock,
        options: Options,
    ) -> Result<Arc<Self>, RepositoryError> {
        let setup = Setup::of(&clock, &options);
        let log = Log::open(store.clone(), clock.clone(), options.log, setup).await?;
        let repository = Self::over(log, store, clock, options);
        let core = Arc::clone(&repository.core);
        let stop = repository.stop.clone();
        repository.tasks.spawn(refresh::keep_refreshing(core, stop));
        Ok(Arc::new(repository))
    }

    /// Opens a repository to look at it: makes no log where there is none, and looks at no file by
    /// itself.
    async fn open_existing(
        store: Store,
        clock: Clock,
        options: Options,
    ) -> Result<Option<Self>, RepositoryError> {
        let setup = Setup::of(&clock, &options);
        let log = Log::open_existing(store.clone(), clock.clone(), options.log, setup).await?;
        Ok(log.map(|log| Self::over(log, store, clock, options)))
    }

    fn over(log: Log<State>, store: Store, clock: Clock, options: Options) -> Self {
        let tasks = TaskTracker::new();
        let committing = TaskTracker::new();
        let stop_committing = CancellationToken::new();
        let committer = Committer::start(
            log,
            &committing,
            &tasks,
            stop_committing.clone(),
            Arc::clone(&options.events),
        );
        let core = Arc::new(Core {
            store,
            clock,
            options,
            committer,
            unreadable: Unreadable::default(),
            outage: Outage::default(),
            tasks: tasks.clone(),
            first_look: FirstLook::begin(),
            progress: Progress::default(),
        });
        Self {
            core,
            tasks,
            stop: CancellationToken::new(),
            committing,
            stop_committing,
        }
    }

    /// Returns what this replica knows, without waiting.
    pub fn latest_known(&self) -> Arc<View> {
        self.core.committer.view()
    }

    /// Returns how long ago this replica last knew all that was in the log.
    pub fn staleness(&self) -> Duration {
        self.core.clock.now().since(self.latest_known().proven)
    }

    /// Returns how many files are there that are no charts.
    pub fn unreadable(&self) -> usize {
        self.core.unreadable.len()
    }

    /// Returns a view that is as fresh as the options promise, and at least at a generation that the
    /// reader has seen elsewhere. While the store does not answer, it is what is known: see
    /// [`Repository::stale_for`].
    ///
    /// # Errors
    /// `Behind` when that generation is not in the log; `Storage` when the store does not answer and
    /// that generation is not known, or nothing may be given without a look at the store (a freshness
    /// of zero).
    pub async fn current(&self, at_least: Option<u64>) -> Result<Arc<View>, RepositoryError> {
        let wanted = at_least.unwrap_or_default();
        let view = self.core.current(wanted).await?;
        if view.generation < wanted {
            return Err(RepositoryError::Behind {
                generation: view.generation,
                wanted,
            });
        }
        Ok(view)
    }

    /// Returns a view that holds everything that was acknowledged before the call. Whoever is about
    /// to say that something is not there asks for it first.
    ///
    /// # Errors
    /// `Storage` when the log cannot be read.
    pub async fn caught_up(&self) -> Result<Arc<View>, RepositoryError> {
        self.core.caught_up().await
    }

    /// Returns how old what readers get is, while the store does not answer.
    pub fn stale_for(&self) -> Option<Duration> {
        self.core.stale_for()
    }

    /// Puts an archive into the repository: afterwards every reader at the returned generation or
    /// later sees it.
    ///
    /// # Errors
    /// `AlreadyExists` when the version is taken and may not be replaced; `Full` when the repository has
    /// no room; `Busy` when the outcome is
    /// not certain or the version is being deleted; `Storage` when the store fails.
    ///
    /// # Cancellation
    /// The operation runs to its end even if the future is dropped.
    pub async fn publish(&self, upload: Upload) -> Result<Committed, RepositoryError> {
        let core = Arc::clone(&self.core);
        self.run(async move {
            match upload.overwrite {
                Overwrite::Forbid => core.publish(upload).await,
                Overwrite::Allow => core.overwrite(upload).await,
            }
        })
        .await
    }

    /// Puts a provenance beside an archive, which need not be there yet.
    ///
    /// # Errors
    /// As [`Repository::publish`].
    ///
    /// # Cancellation
    /// The operation runs to its end even if the future is dropped.
    pub async fn publish_provenance(
        &self,
        file: &FileName,
        body: Bytes,
        overwrite: Overwrite,
    ) -> Result<Committed, RepositoryError> {
        let core = Arc::clone(&self.core);
        let file = file.clone();
        self.run(async move { core.publish_provenance(&file, body, overwrite).await })
            .await
    }

    /// Removes a version, its archive and its provenance.
    ///
    /// # Errors
    /// `NotFound` when there is no such version; `Busy` when its deletion by somebody else is open,
    /// or the outcome is not certain; `Storage` when the store fails.
    ///
    /// # Cancellation
    /// The operation runs to its end even if the future is dropped.
    pub async fn withdraw(&self, name: &str, version: &str) -> Result<Committed, RepositoryError> {
        let core = Arc::clone(&self.core);
        let (name, version) = (name.to_owned(), version.to_owned());
        self.run(async move { core.withdraw(&name, &version).await })
            .await
    }

    /// Finds an archive that is listed, or a provenance.
    ///
    /// # Errors
    /// `NotFound`, after a catch-up only; `Storage`.
    pub async fn find(&self, file: &FileName) -> Result<Found, RepositoryError> {
        self.core.find(file).await
    }

    /// Reads what was found, or a part of it.
    ///
    /// # Errors
    /// `Changed` when the object was replaced since: find it again. `NotFound`, `Storage`.
    pub async fn read(
        &self,
        found: &Found,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<Chunks, RepositoryError> {
        self.core.read(found, range).await
    }

    /// Looks at all files and enters what hands put, replaced or removed; finishes deletions that
    /// somebody left open.
    ///
    /// # Errors
    /// `Storage` when the files cannot be listed or the log cannot be written. A file that cannot be
    /// read does not fail it.
    pub async fn refresh(&self) -> Result<Refreshed, RepositoryError> {
        let core = Arc::clone(&self.core);
        self.run(async move { core.refresh().await }).await
    }

    /// Returns once the store answers, if the files that were there at start have been looked at.
    ///
    /// # Errors
    /// `Loading` as long as the first look at the files goes on; `Storage` when the store fails.
    pub async fn ready(&self) -> Result<(), RepositoryError> {
        if !self.core.first_look.is_done() {
            return Err(self.loading());
        }
        self.caught_up().await.map(|_| ())
    }

    /// Waits for the operations that are under way, and stops.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.stop_committing.cancel();
        self.committing.close();
        self.committing.wait().await;
    }

    /// Runs an operation in a task of its own: it must not stop half-way because a client left.
    async fn run<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, RepositoryError>> + Send + 'static,
    ) -> Result<T, RepositoryError> {
        if self.stop.is_cancelled() {
            return Err(RepositoryError::Closed);
        }
        self.tasks
            .spawn(operation)
            .await
            .map_err(|_| RepositoryError::Closed)?
    }
}

/// What became of a change that an operation wanted to append.
enum Appended {
    /// It is in the log.
    At(u64),
    /// Another record about the archive came since the base.
    Changed,
}

impl Core {
    /// Appends one change under the base rule.
    async fn append(&self, base: Base, change: Change) -> Result<Appended, RepositoryError> {
        let outcomes = self
            .committer
            .append(vec![Proposal::alone(base, change)])
            .await?;
        match outcomes.into_iter().next() {
            Some(Outcome::Appended(generation)) => Ok(Appended::At(generation)),
            Some(Outcome::Changed) => Ok(Appended::Changed),
            Some(Outcome::Failed(error)) => Err(RepositoryError::from_shared(error)),
            None => Err(RepositoryError::Closed),
        }
    }

    /// Waits a moment for an open deletion to end; "busy" when `since` is too long ago.
    async fn wait_for_deletion(&self, since: Moment) -> Result<(), RepositoryError> {
        if self.clock.now().since(since) >= self.options.waits.brief {
            return Err(RepositoryError::busy("the version is being deleted"));
        }
        tokio::time::sleep(DELETION_POLL).await;
        self.committer.catch_up().await.map(|_| ())
    }
}

/// Returns the key of a file in the repository.
fn key_of(file: &FileName) -> Result<Key, RepositoryError> {
    Key::parse(file.as_str()).map_err(|_| RepositoryError::not_found(file.as_str()))
}
