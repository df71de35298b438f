//! Where a test holds requests.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A gate at which requests wait until the test releases them. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl Gate {
    /// Returns a closed gate.
    pub fn new() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            released: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until a request has arrived. Each arrival is told once.
    pub async fn arrived(&self) {
        take(&self.arrived).await;
    }

    /// Lets one request go on: the one that waits longest, or the next to arrive.
    pub fn release(&self) {
        self.released.add_permits(1);
    }

    pub(super) async fn wait(&self) {
        self.arrived.add_permits(1);
        take(&self.released).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

async fn take(semaphore: &Semaphore) {
    // These semaphores are never closed.
    if let Ok(permit) = semaphore.acquire().await {
        permit.forget();
    }
}
