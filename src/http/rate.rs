//! How many requests a client may send.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

/// How many seconds' worth of requests a client may send at once, after a pause of that time.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// How many clients are known at once: with everything about 4 MiB.
const MOST_CLIENTS: usize = 1 << 16;
/// How many shares those have that come when so many are known.
const SHARES: u64 = 1 << 8;

/// A bound on the requests of each client.
#[derive(Debug)]
pub(super) struct ClientRate<C: Clock = DefaultClock> {
    limiter: RateLimiter<Prefix, Table, C, NoOpMiddleware<C::Instant>>,
    last_sweep: Mutex<C::Instant>,
    clock: C,
    most_clients: usize,
}

/// What counts as one client: an IPv4 address, or the network that a customer with IPv6 has at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Prefix(IpAddr);

impl From<IpAddr> for Prefix {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

impl ClientRate {
    /// Allows so many requests a second on average.
    pub(super) fn of(requests_per_second: NonZeroU32) -> Self {
        Self::with(requests_per_second, MOST_CLIENTS, DefaultClock::default())
    }
}

impl<C: Clock + Clone> ClientRate<C> {
    fn with(requests_per_second: NonZeroU32, most_clients: usize, clock: C) -> Self {
        let burst = requests_per_second.saturating_mul(BURST_SECONDS);
        let quota = Quota::per_second(requests_per_second).allow_burst(burst);
        let table = Table::with_room_for(most_clients);
        Self {
            limiter: RateLimiter::new(quota, table, clock.clone()),
            last_sweep: Mutex::new(clock.now()),
            clock,
            most_clients,
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// It is one too many; after this time the next is not.
    pub(super) fn count(&self, client: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() >= self.most_clients {
            self.forget_the_quiet();
        }
        self.limiter
            .check_key(&Prefix::from(client))
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Makes room for new clients, at most once a second: it takes a millisecond.
    fn forget_the_quiet(&self) {
        let now = self.clock.now();
        let mut last = self
            .last_sweep
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if Duration::from(now.duration_since(*last)) >= Duration::from_secs(1) {
            *last = now;
            drop(last);
            self.limiter.retain_recent();
        }
    }
}

/// What is known of clients. It never grows beyond its room: those who come then share what is left.
#[derive(Debug)]
struct Table {
    known: Mutex<Known>,
    /// Nobody outside can choose with whom to share.
    hasher: RandomState,
    most_clients: usize,
}

#[derive(Debug, Default)]
struct Known {
    clients: HashMap<Prefix, Nanos>,
    shares: HashMap<u64, Nanos>,
}

impl Table {
    fn with_room_for(most_clients: usize) -> Self {
        Self {
            known: Mutex::default(),
            hasher: RandomState::new(),
            most_clients,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Table {
    type Key = Prefix;

    fn measure_and_replace<T, F, E>(&self, key: &Prefix, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut known = self.lock();
        if known.clients.contains_key(key) || known.clients.len() < self.most_clients {
            let (outcome, state) = measure(known.clients.get(key).copied())?;
            known.clients.insert(*key, state);
            return Ok(outcome);
        }
        let share = self.hasher.hash_one(key) % SHARES;
        let (outcome, state) = measure(known.shares.get(&share).copied())?;
        known.shares.insert(share, state);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<Prefix> for Table {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut known = self.lock();
        known.clients.retain(|_, state| *state >= drop_below);
        known.shares.retain(|_, state| *state >= drop_below);
    }

    fn len(&self) -> usize {
        self.lock().clients.len()
    }

    fn is_empty(&self) -> bool {
        self.lock().clients.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn rate(per_second: u32, most: usize) -> (ClientRate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let per_second = NonZeroU32::new(per_second).unwrap();
        (ClientRate::with(per_second, most, clock.clone()), clock)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_a_burst_and_then_its_rate_and_others_do_not_matter() {
        let (rate, clock) = rate(2, 100);
        let (one, other) = (ip("192.0.2.1"), ip("192.0.2.2"));
        for _ in 0..20 {
            assert_eq!(rate.count(one), Ok(()));
        }
        assert_eq!(rate.count(one), Err(Duration::from_millis(500)));
        assert_eq!(rate.count(other), Ok(()));
        clock.advance(Duration::from_millis(500));
        assert_eq!(rate.count(one), Ok(()));
        assert!(rate.count(one).is_err());
        // What is refused does not count: whoever goes on trying is served at the rate.
        clock.advance(Duration::from_secs(1));
        assert_eq!((rate.count(one), rate.count(one)), (Ok(()), Ok(())));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_ipv4_is_the_same_in_both_families() {
        let (rate, _) = rate(1, 100);
        for number in 0..10 {
            assert_eq!(rate.count(ip(&format!("2001:db8:1:2::{number}"))), Ok(()));
        }
        assert!(rate.count(ip("2001:db8:1:2:ffff::1")).is_err());
        assert_eq!(rate.count(ip("2001:db8:1:3::1")), Ok(()));
        for _ in 0..5 {
            assert_eq!(rate.count(ip("192.0.2.1")), Ok(()));
            assert_eq!(rate.count(ip("::ffff:192.0.2.1")), Ok(()));
        }
        assert!(rate.count(ip("192.0.2.1")).is_err());
    }

    #[test]
    fn the_table_is_bounded_and_those_who_are_known_keep_their_place() {
        let (rate, clock) = rate(1, 100);
        let old = ip("192.0.2.1");
        assert_eq!(rate.count(old), Ok(()));
        let flood = |number: u32| {
            IpAddr::V6(Ipv6Addr::from(
                (0x2001_0db8_u128 << 96) | (u128::from(number) << 64),
            ))
        };
        let passed = (0..10_000).filter(|number| rate.count(flood(*number)).is_ok());
        // 99 of their own, and 256 shares with ten requests each.
        assert!(passed.count() <= 99 + 2560);
        assert_eq!(rate.limiter.len(), 100);
        for _ in 0..9 {
            assert_eq!(rate.count(old), Ok(()));
        }
        clock.advance(Duration::from_mins(1));
        assert_eq!(rate.count(flood(20_000)), Ok(()));
        assert_eq!(rate.limiter.len(), 1);
    }
}
