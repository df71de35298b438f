//! The one task that appends to a repository's log and catches up with it.
//!
//! Operations hand in proposals and wait; all that wait together become one change set (group
//! commit), and all that wait for a catch-up share one. Being the only owner of the log, the task
//! needs no lock.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chartroom_storage::StorageError;
use chartroom_storage::log::{Log, Outcome, Proposal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::change::Change;
use super::error::RepositoryError;
use super::events::{self, Event, Events};
use super::state::State;
use super::view::View;

/// How many requests may wait; beyond it, callers wait to be let in.
const QUEUE: usize = 1024;

/// How many changes at most go into one change set.
const GROUP: usize = 256;

/// How long a caller waits for the committer before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

type CaughtUp = Result<(), Arc<StorageError>>;

enum Request {
    CatchUp(oneshot::Sender<CaughtUp>),
    Append(Vec<Proposal<Change>>, oneshot::Sender<Vec<Outcome>>),
}

/// Where operations hand in what they want of the log.
#[derive(Clone, Debug)]
pub(super) struct Committer {
    requests: mpsc::Sender<Request>,
    view: Arc<ArcSwap<View>>,
}

impl Committer {
    /// Starts the task, on `committing`; the snapshots that it begins run on `tasks`. It ends when
    /// `stop` is cancelled, or when the last `Committer` is dropped.
    pub(super) fn start(
        log: Log<State>,
        committing: &TaskTracker,
        tasks: &TaskTracker,
        stop: CancellationToken,
        events: Arc<dyn Events>,
    ) -> Self {
        let (requests, inbox) = mpsc::channel(QUEUE);
        let view = Arc::new(ArcSwap::from_pointee(View::of(&log)));
        let work = Work {
            log,
            inbox,
            view: Arc::clone(&view),
            tasks: tasks.clone(),
            events,
        };
        committing.spawn(async move { stop.run_until_cancelled(work.run()).await });
        Self { requests, view }
    }

    /// Returns the newest view, without waiting.
    pub(super) fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Returns a view that holds everything acknowledged before the call.
    pub(super) async fn catch_up(&self) -> Result<Arc<View>, RepositoryError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::CatchUp(reply), answer)
            .await?
            .map_err(RepositoryError::from_shared)?;
        Ok(self.view())
    }

    /// Appends changes, each under the base rule, and says what became of each.
    pub(super) async fn append(
        &self,
        proposals: Vec<Proposal<Change>>,
    ) -> Result<Vec<Outcome>, RepositoryError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Append(proposals, reply), answer).await
    }

    async fn ask<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<T>,
    ) -> Result<T, RepositoryError> {
        let asked = async {
            self.requests
                .send(request)
                .await
                .map_err(|_| RepositoryError::Closed)?;
            answer.await.map_err(|_| RepositoryError::Closed)
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .map_err(|_| RepositoryError::busy("the store is slow"))?
    }
}

struct Work {
    log: Log<State>,
    inbox: mpsc::Receiver<Request>,
    view: Arc<ArcSwap<View>>,
    tasks: TaskTracker,
    events: Arc<dyn Events>,
}

/// Proposals of one operation, and where its outcomes go.
type Batch = (usize, oneshot::Sender<Vec<Outcome>>);

impl Work {
    async fn run(mut self) {
        while let Some(first) = self.inbox.recv().await {
            let (waiting, proposals, batches) = self.gather(first);
            if !waiting.is_empty() {
                let caught_up = self.catch_up().await.map_err(Arc::new);
                self.publish();
                for reply in waiting {
                    // Nobody is left to hear it: the caller gave up.
                    let _ = reply.send(caught_up.clone());
                }
            }
            if !proposals.is_empty() {
                let mut outcomes = self.append(proposals).await.into_iter();
                self.publish();
                for (size, reply) in batches {
                    let _ = reply.send(outcomes.by_ref().take(size).collect());
                }
                self.keep_up();
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), StorageError> {
        let before = self.log.base();
        let caught_up = self.log.catch_up().await;
        self.events.notice(Event::CaughtUp(match caught_up {
            Ok(()) if self.log.base() == before => events::CaughtUp::Current,
            Ok(()) => events::CaughtUp::Advanced,
            Err(_) => events::CaughtUp::Failed,
        }));
        caught_up
    }

    async fn append(&mut self, proposals: Vec<Proposal<Change>>) -> Vec<Outcome> {
        let before = self.log.tally();
        let outcomes = self.log.append(proposals).await;
        let appended = |outcome: &&Outcome| matches!(outcome, Outcome::Appended(_));
        self.events.notice(Event::Appended {
            tally: self.log.tally().since(before),
            changes: outcomes.iter().filter(appended).count(),
        });
        outcomes
    }

    /// Takes what waits, up to one group.
    fn gather(
        &mut self,
        first: Request,
    ) -> (
        Vec<oneshot::Sender<CaughtUp>>,
        Vec<Proposal<Change>>,
        Vec<Batch>,
    ) {
        let mut waiting = Vec::new();
        let mut proposals = Vec::new();
        let mut batches = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::CatchUp(reply) => waiting.push(reply),
                Request::Append(batch, reply) => {
                    batches.push((batch.len(), reply));
                    proposals.extend(batch);
                }
            }
            if proposals.len() >= GROUP {
                break;
            }
            next = self.inbox.try_recv().ok();
        }
        (waiting, proposals, batches)
    }

    fn publish(&self) {
        self.view.store(Arc::new(View::of(&self.log)));
    }

    /// Begins a snapshot if one is due.
    fn keep_up(&mut self) {
        let Some(job) = self.log.due_snapshot() else {
            return;
        };
        let upkeep = self.log.upkeep();
        self.tasks.spawn(async move {
            if let Err(error) = upkeep.run::<Change, State>(job).await {
                tracing::warn!(%error, "no snapshot was written; the log goes on without");
            }
        });
    }
}
