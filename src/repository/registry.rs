//! All repositories of a store: opened when they are first used, closed when nobody uses them.
//!
//! A repository that does not exist is not opened for a reader: it costs two requests to the store and
//! no memory that lasts, and nothing is written. An upload makes it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chartroom_storage::{Clock, Moment, RepositoryPath, Store};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::events::Event;
use super::reader::Reader;
use super::{Options, Repository, RepositoryError};

/// How many repositories are opened, or looked for, at the same time. Each may read a whole log.
const OPENINGS: usize = 8;

/// How long a request waits for its repository to be opened. Opening goes on without it.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often unused repositories are looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// How deep, and how many, repositories are listed.
const DEEPEST: usize = 8;
const MOST_LISTED: usize = 10_000;

/// How repositories are kept, and what each of them is kept with.
#[derive(Clone, Debug)]
pub struct RegistryOptions {
    /// What is the same for all repositories. The base of URLs is completed for each.
    pub repository: Options,
    /// The absolute URL that archives are offered under, without a slash at its end; relative URLs
    /// if there is none.
    pub chart_url: Option<String>,
    /// A repository that nobody used for so long leaves memory.
    pub idle_after: Duration,
    /// How many repositories are kept in memory; beyond it, those leave that were not used for the
    /// longest time.
    pub max_loaded: usize,
    /// Whether the root repository is opened at start and never closed, because it is the only one.
    pub is_single: bool,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            repository: Options::default(),
            chart_url: None,
            idle_after: Duration::from_mins(15),
            max_loaded: 1000,
            is_single: true,
        }
    }
}

/// All repositories of a store.
#[derive(Debug)]
pub struct Repositories {
    core: Arc<Core>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

struct Core {
    store: Store,
    clock: Clock,
    options: RegistryOptions,
    slots: Mutex<HashMap<RepositoryPath, Slot>>,
    openings: Semaphore,
    closing: TaskTracker,
    is_closed: AtomicBool,
}

impl fmt::Debug for Core {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Core")
            .field("store", &self.store)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A repository that is in memory, or on its way there.
struct Slot {
    cell: Arc<OnceCell<Arc<Repository>>>,
    last_used: Moment,
}

/// The repositories of a store, as far as they were listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Their paths, sorted.
    pub paths: Vec<RepositoryPath>,
    /// Whether there are more, or deeper ones, than were looked for.
    pub is_cut: bool,
}

impl Repositories {
    /// Begins to keep the repositories of a store. A single one is opened at once.
    ///
    /// # Errors
    /// `Storage` when the log of the single repository cannot be read.
    pub async fn open(
        store: Store,
        clock: Clock,
        options: RegistryOptions,
    ) -> Result<Arc<Self>, RepositoryError> {
        let is_single = options.is_single;
        let core = Arc::new(Core {
            store,
            clock,
            options,
            slots: Mutex::default(),
            openings: Semaphore::new(OPENINGS),
            closing: TaskTracker::new(),
            is_closed: AtomicBool::new(false),
        });
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let repositories = Arc::new(Self {
            core: Arc::clone(&core),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        if is_single {
            core.open_slot(&RepositoryPath::root()).await?;
        }
        tasks.spawn(async move { stop.run_until_cancelled(core.keep_sweeping()).await });
        Ok(repositories)
    }

    /// Returns a repository to write to. One that does not exist comes into being.
    ///
    /// # Errors
    /// `Storage` when its log cannot be read; `Busy` when that takes too long.
    pub async fn writer(&self, path: &RepositoryPath) -> Result<Arc<Repository>, RepositoryError> {
        self.in_time(
            path,
            |core, path| async move { core.open_slot(&path).await },
        )
        .await
    }

    /// Returns a repository to read from. One that does not exist reads as an empty one.
    ///
    /// # Errors
    /// `Storage` when it is not known whether it exists, or when its log cannot be read; `Busy` when
    /// that takes too long.
    pub async fn reader(&self, path: &RepositoryPath) -> Result<Reader, RepositoryError> {
        let reader = match self.loaded(path) {
            Some(repository) => Reader::of(repository),
            None => {
                self.in_time(path, |core, path| async move { core.find(&path).await })
                    .await?
            }
        };
        if let Some(repository) = reader.repository() {
            repository.readable().await?;
        }
        Ok(reader)
    }

    /// Returns a repository if it is in memory.
    pub fn loaded(&self, path: &RepositoryPath) -> Option<Arc<Repository>> {
        self.core.loaded(path)
    }

    /// Returns all repositories that are in memory, by path.
    pub fn all_loaded(&self) -> Vec<(RepositoryPath, Arc<Repository>)> {
        let slots = self.core.slots();
        let mut loaded: Vec<_> = slots
            .iter()
            .filter_map(|(path, slot)| Some((path.clone(), Arc::clone(slot.cell.get()?))))
            .collect();
        loaded.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        loaded
    }

    /// Lists the repositories that hold archives, or did: those at `depth`, or, without one, at any
    /// depth up to 8.
    ///
    /// # Errors
    /// `Storage`, rather than a part of the list.
    ///
    /// # Cost
    /// One listing for each folder on the way.
    pub async fn list(&self, depth: Option<usize>) -> Result<Paths, RepositoryError> {
        self.core.list(depth).await
    }

    /// Returns once the store answers and, if there is a single repository, its files have been looked
    /// at.
    ///
    /// # Errors
    /// `Busy` as long as that goes on; `Storage` when the store fails.
    pub async fn ready(&self) -> Result<(), RepositoryError> {
        let root = RepositoryPath::root();
        if self.core.options.is_single {
            return self.writer(&root).await?.ready().await;
        }
        self.core.exists(&root).await.map(|_| ())
    }

    /// Waits for the operations that are under way, and stops.
    pub async fn close(&self) {
        self.stop.cancel();
        self.core.is_closed.store(true, Ordering::Release);
        self.tasks.close();
        self.tasks.wait().await;
        let slots = std::mem::take(&mut *self.core.slots());
        for repository in slots
            .into_values()
            .filter_map(|slot| slot.cell.get().cloned())
        {
            self.core
                .closing
                .spawn(async move { repository.close().await });
        }
        self.core.closing.close();
        self.core.closing.wait().await;
    }

    /// Does something with a repository in a task of its own, so that a client that goes away does not
    /// make the next one begin anew, and waits for it for a while.
    async fn in_time<T, F>(
        &self,
        path: &RepositoryPath,
        operation: impl FnOnce(Arc<Core>, RepositoryPath) -> F,
    ) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RepositoryError>> + Send + 'static,
    {
        if let Some(closed) = self.core.closed() {
            return Err(closed);
        }
        let task = operation(Arc::clone(&self.core), path.clone());
        match tokio::time::timeout(PATIENCE, self.tasks.spawn(task)).await {
            Ok(done) => done.map_err(|_| RepositoryError::Closed)?,
            Err(_) => Err(RepositoryError::busy("the repository is being opened")),
        }
    }
}

impl Core {
    fn slots(&self) -> MutexGuard<'_, HashMap<RepositoryPath, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Option<RepositoryError> {
        self.is_closed
            .load(Ordering::Acquire)
            .then_some(RepositoryError::Closed)
    }

    fn loaded(&self, path: &RepositoryPath) -> Option<Arc<Repository>> {
        let now = self.clock.now();
        let mut slots = self.slots();
        let slot = slots.get_mut(path)?;
        slot.last_used = now;
        slot.cell.get().cloned()
    }

    /// Returns the repository, opened by this call or by another one of the same time.
    async fn open_slot(&self, path: &RepositoryPath) -> Result<Arc<Repository>, RepositoryError> {
        let cell = {
            let now = self.clock.now();
            let mut slots = self.slots();
            let slot = slots.entry(path.clone()).or_insert_with(|| Slot {
                cell: Arc::default(),
                last_used: now,
            });
            slot.last_used = now;
            Arc::clone(&slot.cell)
        };
        let opened = cell
            .get_or_try_init(|| async {
                let _permit = self.permit().await?;
                tracing::debug!(repository = path.as_str(), "opening");
                let began = self.clock.now();
                let opened = Repository::open(
                    self.store.within(path),
                    self.clock.clone(),
                    self.options.of(path),
                )
                .await;
                self.options.repository.events.notice(Event::Opened {
                    took: self.clock.now().since(began),
                    is_ok: opened.is_ok(),
                });
                opened
            })
            .await
            .cloned();
        if opened.is_err() {
            self.forget_unopened(path, &cell);
        }
        opened
    }

    /// A repository that could not be opened leaves no slot behind, unless somebody else still tries.
    fn forget_unopened(&self, path: &RepositoryPath, cell: &Arc<OnceCell<Arc<Repository>>>) {
        let mut slots = self.slots();
        let is_it = slots
            .get(path)
            .is_some_and(|slot| Arc::ptr_eq(&slot.cell, cell) && !slot.cell.initialized());
        // The map's and this call's.
        if is_it && Arc::strong_count(cell) == 2 {
            slots.remove(path);
        }
    }

    async fn find(&self, path: &RepositoryPath) -> Result<Reader, RepositoryError> {
        if !self.exists(path).await? {
            return Ok(Reader::absent(&self.clock));
        }
        self.open_slot(path).await.map(Reader::of)
    }

    /// Tells whether a repository has a log, or archives that a log can be made of.
    async fn exists(&self, path: &RepositoryPath) -> Result<bool, RepositoryError> {
        let _permit = self.permit().await?;
        let store = self.store.within(path);
        Ok(chartroom_storage::log::exists(&store).await? || has_archives(&store).await?)
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, RepositoryError> {
        self.openings
            .acquire()
            .await
            .map_err(|_| RepositoryError::Closed)
    }

    async fn list(&self, depth: Option<usize>) -> Result<Paths, RepositoryError> {
        let mut listing = Paths::default();
        let mut folders = vec![RepositoryPath::root()];
        for level in 0..=depth.unwrap_or(DEEPEST) {
            let is_wanted = depth.is_none_or(|depth| depth == level);
            let goes_on = depth.is_none_or(|depth| level < depth);
            let mut looks = stream::iter(folders)
                .map(|folder| self.look_into(folder, is_wanted, goes_on))
                .buffer_unordered(OPENINGS);
            let mut below = Vec::new();
            while let Some((found, folders)) = looks.try_next().await? {
                listing.paths.extend(found);
                below.extend(folders);
                if listing.paths.len() + below.len() > MOST_LISTED {
                    listing.is_cut = true;
                    break;
                }
            }
            drop(looks);
            folders = below;
        }
        listing.is_cut |= depth.is_none() && !folders.is_empty();
        listing.paths.sort_unstable();
        listing.paths.truncate(MOST_LISTED);
        Ok(listing)
    }

    /// Returns the folder's own repository, if there is one and it is wanted, and the folders in it.
    async fn look_into(
        &self,
        folder: RepositoryPath,
        is_wanted: bool,
        goes_on: bool,
    ) -> Result<(Option<RepositoryPath>, Vec<RepositoryPath>), RepositoryError> {
        let mut below = Vec::new();
        if goes_on {
            for inner in self.store.within(&folder).list_repositories().await? {
                // Longer than a key may be: nobody can ask for it.
                below.extend(folder.join(&inner).ok());
            }
        }
        let is_there = is_wanted && self.exists(&folder).await?;
        Ok((is_there.then_some(folder), below))
    }

    async fn keep_sweeping(&self) {
        loop {
            tokio::time::sleep(SWEEP.min(self.options.idle_after)).await;
            self.sweep();
        }
    }

    /// Closes what nobody used for long, and what is too much.
    fn sweep(&self) {
        let now = self.clock.now();
        let mut slots = self.slots();
        let mut unused: Vec<(Moment, RepositoryPath)> = slots
            .iter()
            // Whoever works with a repository holds it: only the registry can hand it out again.
            .filter(|(_, slot)| {
                slot.cell
                    .get()
                    .is_some_and(|repository| Arc::strong_count(repository) == 1)
            })
            .filter(|(path, _)| !(self.options.is_single && path.is_root()))
            .map(|(path, slot)| (slot.last_used, path.clone()))
            .collect();
        unused.sort_unstable();
        for (last_used, path) in unused {
            let is_idle = now.since(last_used) >= self.options.idle_after;
            if !is_idle && slots.len() <= self.options.max_loaded {
                break;
            }
            let Some(repository) = slots
                .remove(&path)
                .and_then(|slot| slot.cell.get().cloned())
            else {
                continue;
            };
            tracing::debug!(repository = path.as_str(), "unused; it leaves memory");
            // Opened anew meanwhile, it is as safe as a second replica.
            self.closing.spawn(async move { repository.close().await });
        }
    }
}

impl RegistryOptions {
    /// Returns what the repository of a path is kept with.
    pub fn of(&self, path: &RepositoryPath) -> Options {
        let mut options = self.repository.clone();
        if let Some(url) = &self.chart_url {
            let slash = if path.is_root() { "" } else { "/" };
            options.url_base = format!("{url}{slash}{path}/charts/").into();
        }
        options
    }
}

async fn has_archives(store: &Store) -> Result<bool, RepositoryError> {
    let objects = store.list().await?;
    Ok(objects
        .iter()
        .any(|object| object.key.as_str().ends_with(".tgz")))
}
