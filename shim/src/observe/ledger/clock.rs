//! System clock of the ledger, with protection against jumps.

use std::time::{Duration, Instant};

/// Minimum difference from the monotonic clock that counts as a jump, in seconds. Smaller ones move
/// a request by at most a day.
const JUMP: i64 = 24 * 60 * 60;

/// A jump that lasts this long is accepted: the clock was set, or the machine slept.
const ACCEPT_AFTER: Duration = Duration::from_secs(60 * 60);

/// The system clock, checked against a monotonic one. Machines that resume may report a wrong time
/// for seconds, which must not create days in the ledger.
#[derive(Debug)]
pub(super) struct Clock {
    /// Last accepted time, in seconds since 1970, and when it was read.
    accepted: (i64, Instant),
    /// Start of the current jump.
    jumped: Option<Instant>,
}

impl Clock {
    pub(super) fn new(wall: i64, now: Instant) -> Self {
        Self {
            accepted: (wall, now),
            jumped: None,
        }
    }

    /// The time to use, in seconds since 1970, if the system reports `wall`.
    pub(super) fn time(&mut self, wall: i64, now: Instant) -> i64 {
        let (before, at) = self.accepted;
        let elapsed = now.saturating_duration_since(at).as_secs();
        let expected = before.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX));
        if wall.abs_diff(expected) > JUMP.unsigned_abs() {
            let since = *self.jumped.get_or_insert_with(|| {
                let seconds = wall.saturating_sub(expected);
                tracing::warn!(
                    seconds,
                    "The system clock jumped; the ledger ignores it for an hour"
                );
                now
            });
            if now.saturating_duration_since(since) < ACCEPT_AFTER {
                return expected;
            }
        }
        self.jumped = None;
        self.accepted = (wall, now);
        wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_795_305_600;
    const YEARS: i64 = 30 * 365 * 24 * 60 * 60;

    #[test]
    fn ignores_a_short_jump() {
        for jump in [YEARS, -YEARS, i64::MAX, -WALL, i64::MIN] {
            let start = Instant::now();
            let after = |seconds| start + Duration::from_secs(seconds);
            let mut clock = Clock::new(WALL, start);
            assert_eq!(clock.time(WALL + 60, after(60)), WALL + 60);
            let jumped = WALL.saturating_add(jump);
            for seconds in [61, 67] {
                let expected = WALL + seconds.try_into().unwrap_or(0);
                assert_eq!(clock.time(jumped, after(seconds)), expected);
            }
            assert_eq!(clock.time(WALL + 70, after(70)), WALL + 70);
        }
    }

    #[test]
    fn accepts_a_jump_after_an_hour() {
        let start = Instant::now();
        let mut clock = Clock::new(WALL, start);
        let set = WALL + YEARS;
        assert_eq!(clock.time(set, start), WALL);
        let hour = start + ACCEPT_AFTER;
        assert_eq!(clock.time(set + 3600, hour), set + 3600);
        assert_eq!(clock.time(set + 3601, hour), set + 3601);
    }
}
