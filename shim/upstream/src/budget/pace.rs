//! Generic cell rate algorithm for one rate limit.
//!
//! The shared engines use the same algorithm. `governor` is not used because its rate is fixed;
//! here it is divided by the number of processes while they cannot count together.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::lock;

/// A rate limit as the time between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Interval between calls.
    pub interval: Duration,
    /// Maximum burst, at least 1.
    pub burst: u32,
}

/// Theoretical arrival time of the next call. Bursts run ahead of it.
#[derive(Debug, Default)]
pub(super) struct Due(Mutex<Option<Instant>>);

impl Pace {
    /// The pace for `calls` per period. The burst is subtracted from the rate, because a full
    /// bucket plus its refill could otherwise pass within one period.
    pub(super) fn new(calls: f64, period: Duration, burst: u32) -> Self {
        let burst = burst.max(1);
        Self {
            interval: period.div_f64((calls - f64::from(burst - 1)).max(f64::MIN_POSITIVE)),
            burst,
        }
    }

    fn ahead(self) -> Duration {
        self.interval.saturating_mul(self.burst.saturating_sub(1))
    }
}

impl Due {
    /// Takes a turn, or returns the time to wait before retrying.
    pub(super) fn take(&self, pace: Pace) -> Result<(), Duration> {
        let now = Instant::now();
        let mut due = lock(&self.0);
        let next = due.map_or(now, |due| due.max(now));
        let early = next
            .saturating_duration_since(now)
            .saturating_sub(pace.ahead());
        if !early.is_zero() {
            return Err(early);
        }
        *due = Some(next + pace.interval);
        Ok(())
    }

    /// Records a turn granted by the shared budget. A nonzero wait means that the burst is used up.
    pub(super) fn granted(&self, pace: Pace, wait: Duration) {
        if wait.is_zero() {
            let _ = self.take(pace);
        } else {
            let next = Instant::now() + wait + pace.ahead() + pace.interval;
            *lock(&self.0) = Some(next);
        }
    }

    /// Number of calls that could be made at once.
    pub(super) fn level(&self, pace: Pace) -> u32 {
        let due = *lock(&self.0);
        let backlog = due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now())
        });
        let interval = pace.interval.as_nanos().max(1);
        let used = u32::try_from(backlog.as_nanos().div_ceil(interval)).unwrap_or(u32::MAX);
        pace.burst.saturating_sub(used)
    }
}
