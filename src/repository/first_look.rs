//! The first look at the files that are there at a start: readers wait for it, as a repository that
//! another program filled would otherwise be empty at first, and then grow.

use std::time::Duration;

use tokio::sync::watch;

use super::{Repository, RepositoryError};

/// How long a reader waits.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    GoesOn,
    Failed,
    Done,
}

/// How far it is.
#[derive(Debug)]
pub(super) struct FirstLook(watch::Sender<Stage>);

impl FirstLook {
    pub(super) fn begin() -> Self {
        Self(watch::Sender::new(Stage::GoesOn))
    }

    pub(super) fn is_done(&self) -> bool {
        *self.0.borrow() == Stage::Done
    }

    pub(super) fn succeed(&self) {
        self.0.send_replace(Stage::Done);
    }

    /// Notes that it failed and will be tried again.
    pub(super) fn fail(&self) {
        self.0.send_if_modified(|stage| {
            let is_first = *stage == Stage::GoesOn;
            if is_first {
                *stage = Stage::Failed;
            }
            is_first
        });
    }

    /// Waits until it is done, or has failed once.
    async fn ended(&self) -> Stage {
        let mut stage = self.0.subscribe();
        match stage.wait_for(|stage| *stage != Stage::GoesOn).await {
            Ok(stage) => *stage,
            // Only without a sender, which is here.
            Err(_) => Stage::Failed,
        }
    }
}

impl Repository {
    /// Returns once there is something to read: the files have been looked at, or that failed and the
    /// log tells of them.
    ///
    /// # Errors
    /// `Busy` when that takes too long.
    pub(super) async fn readable(&self) -> Result<(), RepositoryError> {
        let first_look = &self.core.first_look;
        if first_look.is_done() {
            return Ok(());
        }
        match tokio::time::timeout(PATIENCE, first_look.ended()).await {
            Ok(Stage::Done) => Ok(()),
            Ok(Stage::Failed) if self.latest_known().generation > 0 => Ok(()),
            _ => Err(RepositoryError::busy(
                "the files that were there at start are being read",
            )),
        }
    }
}
