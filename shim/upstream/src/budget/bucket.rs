//! One rate limit, and its queue of waiting calls.

use std::{
    fmt,
    num::NonZeroU32,
    ops::Add,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference},
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

/// No turn came up in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// A token bucket that never lets more pass within its period than the rate says.
pub(super) struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, StateInformationMiddleware>,
    /// Its holder is next; all others queue behind it, first in, first out.
    head: Semaphore,
    burst: u32,
    interval: Duration,
    /// What was left after the last turn, and when that was.
    last: Mutex<Option<(Instant, u32)>>,
}

impl Bucket {
    /// A bucket for `rate` calls in a period.
    ///
    /// A bucket that is full and is filled again at once lets through what is in it and, within the
    /// period, the whole rate on top. So what it holds is taken off the rate.
    pub(super) fn new(rate: NonZeroU32, period: Duration) -> Self {
        let burst = NonZeroU32::new(rate.get() / 5).unwrap_or(NonZeroU32::MIN);
        let interval = period / (rate.get() - (burst.get() - 1));
        // None for an interval of zero only.
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(rate));
        let limiter = RateLimiter::direct_with_clock(quota.allow_burst(burst), TokioClock);
        Self {
            limiter: limiter.with_middleware(),
            head: Semaphore::new(1),
            burst: burst.get(),
            interval,
            last: Mutex::default(),
        }
    }

    pub(super) async fn turn(&self, until: Instant) -> Result<(), Exhausted> {
        let turn = timeout_at(until, async {
            let _head = self.head.acquire().await;
            loop {
                match self.limiter.check() {
                    Ok(state) => return self.note(state.remaining_burst_capacity()),
                    Err(early) => sleep(early.wait_time_from(TokioClock.now())).await,
                }
            }
        });
        turn.await.map_err(|_| Exhausted)
    }

    pub(super) fn level(&self) -> u32 {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((at, left)) = last else {
            return self.burst;
        };
        let refilled = at.elapsed().as_nanos() / self.interval.as_nanos().max(1);
        let refilled = u32::try_from(refilled).unwrap_or(u32::MAX);
        left.saturating_add(refilled).min(self.burst)
    }

    fn note(&self, left: u32) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), left));
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Bucket");
        shown.field("burst", &self.burst);
        shown.field("interval", &self.interval);
        shown.finish_non_exhaustive()
    }
}

/// The clock of everything else here, which tests stop and turn.
#[derive(Clone, Copy, Debug)]
struct TokioClock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Instant);

impl Clock for TokioClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(Instant::now())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0 + Duration::from(other))
    }
}
