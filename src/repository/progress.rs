//! How far the reading of archives is, and how many bytes of them are in memory meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chartroom_storage::Moment;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How often the log tells of it.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// How far the archives are read that a refresh found unknown.
#[derive(Debug, Default)]
pub(super) struct Progress {
    read: AtomicUsize,
    of: AtomicUsize,
    told: Mutex<Option<Moment>>,
}

impl Progress {
    /// Notes that so many are to be read from now on.
    pub(super) fn begin(&self, of: usize, now: Moment) {
        self.read.store(0, Ordering::Relaxed);
        self.of.store(of, Ordering::Relaxed);
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Notes that one more is read, and tells the log now and then.
    pub(super) fn advance(&self, now: Moment) {
        let read = self.read.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| now.since(told) >= TOLD_EVERY) {
            *told = Some(now);
            let of = self.of.load(Ordering::Relaxed);
            tracing::info!(
                read,
                of,
                "reading archives that are not in the index: {read} of {of}"
            );
        }
    }

    /// Returns how many are read, of how many; of none before they are listed.
    pub(super) fn so_far(&self) -> (usize, usize) {
        let of = self.of.load(Ordering::Relaxed);
        (self.read.load(Ordering::Relaxed).min(of), of)
    }
}

/// How many bytes of archives refreshes may hold at the same time, in all repositories together.
#[derive(Debug)]
pub struct ReadBudget {
    kilobytes: Semaphore,
    all: u32,
}

impl Default for ReadBudget {
    /// Room for more than most archives, and for a few large ones.
    fn default() -> Self {
        Self::of(128 << 20)
    }
}

impl ReadBudget {
    /// Returns a budget of so many bytes. An archive that is larger has all of it for itself.
    pub fn of(bytes: u64) -> Self {
        let all = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(all).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            kilobytes: Semaphore::new(permits.min(Semaphore::MAX_PERMITS)),
            all,
        }
    }

    /// Waits until there is room for an object of this size. `None` is nobody's answer but that of a
    /// budget that was closed, which nobody does.
    pub(super) async fn room_for(&self, size: u64) -> Option<SemaphorePermit<'_>> {
        let wanted = u32::try_from(size.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        self.kilobytes.acquire_many(wanted.min(self.all)).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_is_larger_than_the_budget_waits_for_all_of_it() {
        let budget = ReadBudget::of(10 << 10);
        let small = budget.room_for(1).await;
        let mut large = Box::pin(budget.room_for(u64::MAX));
        assert!(large.as_mut().now_or_never().is_none());
        drop(small);
        let large = large.await;
        let mut next = Box::pin(budget.room_for(1));
        assert!(next.as_mut().now_or_never().is_none());
        drop(large);
        assert!(next.await.is_some());
    }
}
