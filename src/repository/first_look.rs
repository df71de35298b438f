//! The first look at the files that are there at a start: readers wait for it a moment, as a repository
//! that another program filled would otherwise be empty at first. A large one takes longer; then
//! readers get what there is so far, and `/ready` tells how far it is.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Repository, RepositoryError};

/// How long after a start readers wait for the look to end.
const MOMENT: Duration = Duration::from_secs(3);

/// How long a reader waits for the first archive.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it looks for one.
const POLL: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    GoesOn,
    Failed,
    Done,
}

/// How far it is.
#[derive(Debug)]
pub(super) struct FirstLook {
    stage: watch::Sender<Stage>,
    began: Instant,
}

impl FirstLook {
    pub(super) fn begin() -> Self {
        Self {
            stage: watch::Sender::new(Stage::GoesOn),
            began: Instant::now(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        *self.stage.borrow() == Stage::Done
    }

    pub(super) fn succeed(&self) {
        self.stage.send_replace(Stage::Done);
    }

    /// Notes that it failed and will be tried again.
    pub(super) fn fail(&self) {
        self.stage.send_if_modified(|stage| {
            let is_first = *stage == Stage::GoesOn;
            if is_first {
                *stage = Stage::Failed;
            }
            is_first
        });
    }

    /// Waits until it is done, or has failed once.
    async fn ended(&self) -> Stage {
        let mut stage = self.stage.subscribe();
        match stage.wait_for(|stage| *stage != Stage::GoesOn).await {
            Ok(stage) => *stage,
            // Only without a sender, which is here.
            Err(_) => Stage::Failed,
        }
    }
}

impl Repository {
    /// Returns once there is something to read: the files have been looked at, or that goes on for
    /// longer, or failed, and some of them are known.
    ///
    /// # Errors
    /// `Loading` when that takes too long.
    pub(super) async fn readable(&self) -> Result<(), RepositoryError> {
        let first_look = &self.core.first_look;
        if first_look.is_done() {
            return Ok(());
        }
        let moment = first_look.began + MOMENT;
        let stage = tokio::time::timeout_at(moment, first_look.ended()).await;
        let patience = Instant::now() + PATIENCE;
        while self.latest_known().generation == 0 && !first_look.is_done() {
            if stage == Ok(Stage::Failed) || Instant::now() >= patience {
                return Err(self.loading());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Returns how far the first look is, as an error.
    pub(super) fn loading(&self) -> RepositoryError {
        let (read, of) = self.core.progress.so_far();
        RepositoryError::Loading { read, of }
    }
}
