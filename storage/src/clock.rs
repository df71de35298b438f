//! The only place that reads time.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells the time of day and the time that passed.
///
/// Cheap to clone. Tests take [`Clock::paused`], which follows tokio's (pausable) clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Boot,
    #[cfg(feature = "testing")]
    Tokio {
        start: tokio::time::Instant,
        wall: DateTime<Utc>,
    },
}

/// A point in time since the machine was started. It goes on while the process is stopped and while
/// the machine is suspended, which the log's proofs of being up to date rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// Returns how much time passed from `earlier` to this moment; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Clock {
    /// Returns a clock that follows tokio's, and whose time of day starts at `wall`, so that the
    /// clocks of replicas can be set apart.
    ///
    /// Must be called within a tokio runtime.
    #[cfg(feature = "testing")]
    pub fn paused(wall: DateTime<Utc>) -> Self {
        Self {
            source: Source::Tokio {
                start: tokio::time::Instant::now(),
                wall,
            },
        }
    }

    /// Returns the time since the machine was started.
    pub fn now(&self) -> Moment {
        match &self.source {
            Source::Boot => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
                let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
                Moment(Duration::new(seconds, nanoseconds))
            }
            #[cfg(feature = "testing")]
            Source::Tokio { start, .. } => Moment(start.elapsed()),
        }
    }

    /// Returns the time of day.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn wall(&self) -> DateTime<Utc> {
        match &self.source {
            Source::Boot => Utc::now(),
            #[cfg(feature = "testing")]
            Source::Tokio { start, wall } => *wall + start.elapsed(),
        }
    }
}
