//! At most so many in a second, whatever comes.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Counts in the seconds of a clock of its own.
#[derive(Debug)]
pub(super) struct PerSecond {
    most: u32,
    started: Instant,
    /// The second, and behind it how many were taken in it: 32 bits each.
    taken: AtomicU64,
}

impl PerSecond {
    pub(super) fn new(most: u32, now: Instant) -> Self {
        Self {
            most,
            started: now,
            taken: AtomicU64::new(0),
        }
    }

    /// True for the first ones of each second.
    pub(super) fn take(&self, now: Instant) -> bool {
        let this = now.saturating_duration_since(self.started).as_secs();
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                let (second, count) = (taken >> 32, taken & u64::from(u32::MAX));
                // Another thread may be in the next second already.
                let count = if second >= this { count } else { 0 };
                let second = second.max(this);
                (count < self.most.into()).then_some((second << 32) + count + 1)
            });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_second_has_its_own() {
        let start = Instant::now();
        let cap = PerSecond::new(3, start);
        for (second, expected) in [(0, 3), (1, 3), (1, 0), (5, 3)] {
            let now = start + Duration::from_secs(second);
            let taken = (0..10).filter(|_| cap.take(now)).count();
            assert_eq!(taken, expected, "{second}");
        }
        let late = start + Duration::from_millis(5999);
        assert!(!cap.take(late), "the second is over at six");
        assert!(cap.take(start + Duration::from_secs(6)));
    }
}
