//! REFRESH: the files that are there are the truth, and the log is brought in line with them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::{Base, Outcome, Proposal};
use chartroom_storage::{Listed as Object, ObjectId};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::change::Change;
use super::events::Event;
use super::inspect::Inspected;
use super::state::Status;
use super::view::View;
use super::{Appended, Core, RepositoryError, key_of};
use crate::chart::Digest;
use crate::chart::name::FileName;
use crate::index::upload_times;

/// How soon a refresh that failed is tried again, until the files at start have been looked at.
const RETRY: Duration = Duration::from_secs(1);

/// How soon archives that could not be read are tried again, if no refresh is due before.
const RETRY_READS: Duration = Duration::from_secs(30);

/// Where ChartMuseum keeps its index, and how much of it is read.
const CHARTMUSEUM_CACHE: &str = "index-cache.yaml";
const CHARTMUSEUM_CACHE_BYTES: u64 = 256 << 20;

/// What a refresh did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Archives that are listed now, or anew.
    pub entered: usize,
    /// Archives that are listed no more because their object is gone.
    pub dropped: usize,
    /// Deletions that somebody left open and that are ended now.
    pub finished: usize,
    /// Files that are no charts.
    pub unreadable: usize,
    /// Archives that the store has but did not give; the next refresh tries again.
    pub failed: usize,
}

/// What a look at one file led to.
pub(super) enum Looked {
    /// The log says of it what is there.
    Known,
    /// It is listed as what is there, since now.
    Entered,
    /// What is there is not a chart.
    Unreadable,
    /// There is nothing.
    Missing,
}

/// Refreshes at once, and then whenever the interval is over or an open deletion may be finished.
pub(super) async fn keep_refreshing(core: Arc<Core>, stop: CancellationToken) {
    loop {
        let refreshed = tokio::select! {
            refreshed = core.refresh() => refreshed,
            () = stop.cancelled() => return,
        };
        let mut has_failed_reads = false;
        match refreshed {
            Ok(refreshed) => {
                core.first_look.succeed();
                has_failed_reads = refreshed.failed > 0;
                if refreshed.entered + refreshed.dropped + refreshed.finished > 0 {
                    tracing::info!(
                        entered = refreshed.entered,
                        dropped = refreshed.dropped,
                        finished = refreshed.finished,
                        unreadable = refreshed.unreadable,
                        "the index follows what is in the store",
                    );
                }
            }
            Err(RepositoryError::Closed) => return,
            Err(error) => {
                core.first_look.fail();
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the files could not be looked at");
            }
        }
        tokio::select! {
            () = core.next_refresh(has_failed_reads) => {}
            () = stop.cancelled() => return,
        }
    }
}

impl Core {
    /// Waits until the next refresh is due.
    async fn next_refresh(&self, has_failed_reads: bool) {
        if !self.first_look.is_done() {
            return tokio::time::sleep(RETRY).await;
        }
        let interval = self.options.refresh_interval;
        let began = self.clock.now();
        loop {
            tokio::time::sleep(RETRY).await;
            let waited = self.clock.now().since(began);
            let is_due = !interval.is_zero() && waited >= interval;
            let is_retry = has_failed_reads && waited >= RETRY_READS;
            if is_due || is_retry || self.may_finish_a_deletion() {
                return;
            }
        }
    }

    fn may_finish_a_deletion(&self) -> bool {
        let takeover = self.options.waits.takeover;
        let now = self.clock.now();
        self.committer
            .view()
            .state
            .open_deletions()
            .any(|(_, seen)| now.since(seen) >= takeover)
    }

    pub(super) async fn refresh(&self) -> Result<Refreshed, RepositoryError> {
        let began = self.clock.now();
        let refreshed = self.refresh_now().await;
        // At the end of the program it is not the store that failed.
        if !matches!(refreshed, Err(RepositoryError::Closed)) {
            self.options.events.notice(Event::Refreshed {
                took: self.clock.now().since(began),
                refreshed: refreshed.as_ref().ok().copied(),
            });
        }
        refreshed
    }

    async fn refresh_now(&self) -> Result<Refreshed, RepositoryError> {
        // Never the other way round: an old listing would drop a fresh upload.
        let view = self.committer.catch_up().await?;
        let objects = self.store.list().await?;
        let mut refreshed = Refreshed {
            finished: self.finish_deletions(&view).await?,
            ..Refreshed::default()
        };
        let files: BTreeMap<&str, &Object> = objects
            .iter()
            .map(|object| (object.key.as_str(), object))
            .collect();
        (refreshed.entered, refreshed.failed) = self.enter(&view, &files).await?;
        refreshed.dropped = self.drop_missing(&view, &files).await?;
        self.unreadable.keep(|file| files.contains_key(file));
        refreshed.unreadable = self.unreadable.len();
        Ok(refreshed)
    }

    /// Looks at one file now: what the log says of it follows what is there.
    pub(super) async fn look_at(&self, file: &FileName) -> Result<Looked, RepositoryError> {
        let view = self.committer.view();
        let Some(object) = self.head_if_there(&key_of(file)?).await? else {
            return Ok(Looked::Missing);
        };
        if !self.differs(&view, file.as_str(), &object) {
            return Ok(Looked::Known);
        }
        match self.inspect(file, &object, |_| None).await? {
            Inspected::Missing => Ok(Looked::Missing),
            Inspected::Unreadable => Ok(Looked::Unreadable),
            Inspected::Chart(listing) => {
                match self
                    .append(view.base.clone(), Change::Added(listing))
                    .await?
                {
                    Appended::At(_) => Ok(Looked::Entered),
                    Appended::Changed => Ok(Looked::Known),
                }
            }
        }
    }

    async fn finish_deletions(&self, view: &View) -> Result<usize, RepositoryError> {
        let mut finished = 0;
        for (file, _) in view.state.open_deletions() {
            let Ok(file) = FileName::parse(file) else {
                continue;
            };
            match self.finish(&file).await {
                Ok(is_finished) => finished += usize::from(is_finished),
                // Somebody else is at it, or the next refresh will be.
                Err(RepositoryError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(finished)
    }

    async fn drop_missing(
        &self,
        view: &View,
        files: &BTreeMap<&str, &Object>,
    ) -> Result<usize, RepositoryError> {
        let missing: Vec<Change> = view
            .state
            .archives()
            .filter(|(_, archive)| matches!(archive.status, Status::Listed(_)))
            .filter(|(file, _)| !files.contains_key(file.as_ref()))
            .map(|(file, _)| Change::Dropped {
                file: file.to_string(),
            })
            .collect();
        self.append_all(&view.base, missing).await
    }

    /// Appends changes, each if nothing about its archive came since `base`. The others fall: the
    /// next refresh looks again. Returns how many are in the log.
    pub(super) async fn append_all(
        &self,
        base: &Base,
        changes: Vec<Change>,
    ) -> Result<usize, RepositoryError> {
        if changes.is_empty() {
            return Ok(0);
        }
        let proposals = changes
            .into_iter()
            .map(|change| Proposal::alone(base.clone(), change))
            .collect();
        let mut appended = 0;
        for outcome in self.committer.append(proposals).await? {
            match outcome {
                Outcome::Appended(_) => appended += 1,
                Outcome::Changed => {}
                Outcome::Failed(error) => return Err(RepositoryError::from_shared(error)),
            }
        }
        Ok(appended)
    }

    /// Returns whether an object is not what its archive is listed as. An archive that is being
    /// deleted is nobody else's business.
    pub(super) fn differs(&self, view: &View, file: &str, object: &ObjectId) -> bool {
        match view.state.archive(file).map(|archive| &archive.status) {
            Some(Status::Listed(listed)) => !listed
                .object
                .same_object_within(object, self.options.timestamp_tolerance),
            Some(Status::Removed { .. }) => false,
            None => true,
        }
    }

    /// Returns the upload times that a ChartMuseum left in its cached index, by digest. They are read
    /// at adoption only, and only help: without them the objects' own times serve.
    pub(super) async fn chartmuseum_times(
        &self,
        files: &BTreeMap<&str, &Object>,
    ) -> HashMap<Digest, DateTime<Utc>> {
        let is_adoption = !self.first_look.is_done();
        let cache = files.get(CHARTMUSEUM_CACHE).filter(|_| is_adoption);
        let Some(cache) = cache.filter(|cache| cache.id.size <= CHARTMUSEUM_CACHE_BYTES) else {
            return HashMap::new();
        };
        let body = match self.store.get(&cache.key).await {
            Ok(object) => object.body,
            Err(error) => {
                tracing::warn!(%error, "ChartMuseum's cached index could not be read; the archives' own times serve");
                return HashMap::new();
            }
        };
        let times = tokio::task::spawn_blocking(move || upload_times::read(&body)).await;
        times.unwrap_or_default()
    }
}
