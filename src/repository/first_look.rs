//! The first look at the files that are there at a start: readers wait for it, as a repository that
//! another program filled would otherwise be empty at first, and then grow.

use std::time::Duration;

use chartroom_storage::Moment;
use tokio::sync::watch;

use super::{Repository, RepositoryError};

/// How long after the start readers wait; then they get what has been read, if it takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

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
    began: Moment,
}

impl FirstLook {
    pub(super) fn begin(now: Moment) -> Self {
        Self {
            stage: watch::Sender::new(Stage::GoesOn),
            began: now,
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
    /// Returns once there is something to read: the files have been looked at, or that failed or takes
    /// long, and the log tells of some.
    ///
    /// # Errors
    /// `Busy` when nothing is known yet.
    pub(super) async fn readable(&self) -> Result<(), RepositoryError> {
        let first_look = &self.core.first_look;
        if first_look.is_done() {
            return Ok(());
        }
        let waited = self.core.clock.now().since(first_look.began);
        let patience = PATIENCE.saturating_sub(waited);
        match tokio::time::timeout(patience, first_look.ended()).await {
            Ok(Stage::Done) => Ok(()),
            _ if self.latest_known().generation > 0 => Ok(()),
            _ => Err(RepositoryError::busy(
                "the files that were there at start are being read",
            )),
        }
    }
}
