//! Room for connections.
//!
//! `--max-connections` are served. When there are so many, a new one takes the place of one that waits
//! for a request: an idle connection may be closed at any time (RFC 9112, section 9.5), and thousands
//! of them, as anybody can open, keep nobody out. If all are busy, a new one gets one of a few surplus
//! places, where it is told to come back, and where probes are answered. Only if those are taken, too,
//! do clients wait in the kernel's queue.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Connections beyond the limit at once. Each is there for a few seconds at most.
const SURPLUS: usize = 32;
/// How long a connection has at least to begin a request.
const GRACE: Duration = Duration::from_secs(1);
/// How many idle connections are closed at once: the next clients will want room, too.
const CLOSED_AT_ONCE: usize = 8;
/// How long the place of a connection that is to be closed is waited for.
const SOON: Duration = Duration::from_millis(100);

/// The places that connections can take.
#[derive(Clone, Debug)]
pub(super) struct Room {
    regular: Arc<Semaphore>,
    surplus: Arc<Semaphore>,
    taken: Taken,
}

/// The regular places that are taken.
#[derive(Clone, Debug, Default)]
struct Taken(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    next: u64,
    by_number: HashMap<u64, Arc<Place>>,
}

impl Taken {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    pub(super) fn for_connections(most: usize) -> Self {
        Self {
            regular: Arc::new(Semaphore::new(most)),
            surplus: Arc::new(Semaphore::new(SURPLUS)),
            taken: Taken::default(),
        }
    }

    /// Finds a seat for a connection, and waits for one if it must.
    pub(super) async fn seat(&self) -> Seat {
        loop {
            if let Ok(permit) = Arc::clone(&self.regular).try_acquire_owned() {
                return self.regular(permit);
            }
            let regular = Arc::clone(&self.regular).acquire_owned();
            if self.close_idle()
                && let Ok(Ok(permit)) = timeout(SOON, regular).await
            {
                return self.regular(permit);
            }
            let any = async {
                tokio::select! {
                    biased;
                    permit = Arc::clone(&self.regular).acquire_owned() => permit.ok().map(|permit| self.regular(permit)),
                    permit = Arc::clone(&self.surplus).acquire_owned() => permit.ok().map(Seat::surplus),
                }
            };
            if let Ok(Some(seat)) = timeout(SOON, any).await {
                return seat;
            }
        }
    }

    fn regular(&self, permit: OwnedSemaphorePermit) -> Seat {
        let place = Arc::new(Place::new());
        let mut places = self.taken.lock();
        let number = places.next;
        places.next = number.wrapping_add(1);
        places.by_number.insert(number, Arc::clone(&place));
        drop(places);
        Seat {
            place,
            is_surplus: false,
            _entry: Some(Entry {
                number,
                taken: self.taken.clone(),
            }),
            _permit: permit,
        }
    }

    /// Closes the connections that have waited longest for a request; returns whether there are some.
    ///
    /// # Cost
    /// Looks at every connection: some microseconds, and only when there are too many.
    fn close_idle(&self) -> bool {
        let places = self.taken.lock();
        let mut idle: Vec<(Duration, &Arc<Place>)> = places
            .by_number
            .values()
            .filter_map(|place| Some((place.idle_for()?, place)))
            .filter(|(time, _)| *time >= GRACE)
            .collect();
        if idle.len() > CLOSED_AT_ONCE {
            idle.select_nth_unstable_by(CLOSED_AT_ONCE, |one, other| other.0.cmp(&one.0));
            idle.truncate(CLOSED_AT_ONCE);
        }
        for (_, place) in &idle {
            place.is_closing.store(true, Ordering::Relaxed);
            place.close.notify_one();
        }
        !idle.is_empty()
    }
}

/// Takes a place out of the list when its connection ends.
#[derive(Debug)]
struct Entry {
    number: u64,
    taken: Taken,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.taken.lock().by_number.remove(&self.number);
    }
}

/// The right of a connection to be there.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) place: Arc<Place>,
    /// Whether it is beyond the limit.
    pub(super) is_surplus: bool,
    _entry: Option<Entry>,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    fn surplus(permit: OwnedSemaphorePermit) -> Self {
        Self {
            place: Arc::new(Place::new()),
            is_surplus: true,
            _entry: None,
            _permit: permit,
        }
    }
}

/// What a connection does at the moment.
#[derive(Debug)]
pub(super) struct Place {
    begin: Instant,
    running: AtomicUsize,
    /// Since when no request is running, in milliseconds after the beginning.
    idle_since: AtomicU64,
    /// Whether the end of a reply waits for the client to take it.
    is_stalled: AtomicBool,
    is_closing: AtomicBool,
    close: Notify,
}

impl Place {
    fn new() -> Self {
        Self {
            begin: Instant::now(),
            running: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            is_stalled: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            close: Notify::new(),
        }
    }

    /// Notes that a request is running, until what is returned is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.running.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Notes whether the client has to take something before anything goes on.
    pub(super) fn stalled(&self, is_stalled: bool) {
        self.is_stalled.store(is_stalled, Ordering::Relaxed);
    }

    /// Waits until the room is wanted and no request is running.
    pub(super) async fn closed(&self) {
        loop {
            self.close.notified().await;
            if self.is_idle() {
                return;
            }
            // A request came at the last moment.
            self.is_closing.store(false, Ordering::Relaxed);
        }
    }

    fn is_idle(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 0 && !self.is_stalled.load(Ordering::Relaxed)
    }

    fn idle_for(&self) -> Option<Duration> {
        if !self.is_idle() || self.is_closing.load(Ordering::Relaxed) {
            return None;
        }
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        Some(self.begin.elapsed().saturating_sub(since))
    }
}

/// Says that a request is running, while it exists.
#[derive(Debug)]
pub(super) struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        let place = &self.0;
        let now = u64::try_from(place.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        place.idle_since.store(now, Ordering::Relaxed);
        place.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::time::advance;

    fn now(room: &Room) -> Option<Seat> {
        room.seat().now_or_never()
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_has_waited_longest_makes_room() {
        let room = Room::for_connections(2);
        let (first, second) = (now(&room).unwrap(), now(&room).unwrap());
        // The first is older, but has just had a request.
        advance(GRACE).await;
        drop(first.place.busy());
        advance(GRACE / 2).await;
        let mut wanted = Box::pin(room.seat());
        assert!(wanted.as_mut().now_or_never().is_none());
        assert!(first.place.closed().now_or_never().is_none());
        assert!(second.place.closed().now_or_never().is_some());
        drop(second);
        assert!(!wanted.await.is_surplus);
    }

    #[tokio::test(start_paused = true)]
    async fn busy_stalled_and_fresh_connections_are_not_closed() {
        let room = Room::for_connections(3);
        let seats: Vec<Seat> = (0..2).map(|_| now(&room).unwrap()).collect();
        let _busy = seats[0].place.busy();
        seats[1].place.stalled(true);
        advance(GRACE).await;
        let fresh = now(&room).unwrap();
        assert!(now(&room).unwrap().is_surplus);
        for seat in seats.iter().chain([&fresh]) {
            assert!(seat.place.closed().now_or_never().is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_at_the_last_moment_saves_its_connection() {
        let room = Room::for_connections(1);
        let seat = now(&room).unwrap();
        advance(GRACE).await;
        let mut wanted = Box::pin(room.seat());
        assert!(wanted.as_mut().now_or_never().is_none());
        let busy = seat.place.busy();
        assert!(seat.place.closed().now_or_never().is_none());
        assert!(wanted.await.is_surplus);
        drop(busy);
        advance(GRACE).await;
        assert!(room.close_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_surplus_connections_wait_for_whatever_is_free_first() {
        let room = Room::for_connections(1);
        let regular = now(&room).unwrap();
        let busy = regular.place.busy();
        let surplus: Vec<Seat> = (0..SURPLUS).map(|_| now(&room).unwrap()).collect();
        assert!(surplus.iter().all(|seat| seat.is_surplus));
        let mut wanted = Box::pin(room.seat());
        assert!(wanted.as_mut().now_or_never().is_none());
        drop(surplus);
        assert!(wanted.await.is_surplus);
        drop((busy, regular));
        assert!(!room.seat().await.is_surplus);
        assert!(room.taken.lock().by_number.is_empty());
    }
}
