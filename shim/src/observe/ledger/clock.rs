//! The clock of the ledger: the system's, as long as it does not jump.

use std::time::{Duration, Instant};

/// A larger difference from the monotonic clock is a jump, in seconds. What is less moves no request
/// by more than a day.
const JUMP: i64 = 24 * 60 * 60;

/// A jump that lasts this long is believed: the clock was set, or the machine slept.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// The system's clock, checked against a monotonic one. A jump for seconds, as machines that resume
/// have it, files no request under a day of its own.
#[derive(Debug)]
pub(super) struct Clock {
    /// What was believed last, in seconds since 1970, and when.
    believed: (i64, Instant),
    /// When the clock jumped.
    jumped: Option<Instant>,
}

impl Clock {
    pub(super) fn new(wall: i64, now: Instant) -> Self {
        Self {
            believed: (wall, now),
            jumped: None,
        }
    }

    /// The time to go by, in seconds since 1970, where the system says `wall`.
    pub(super) fn time(&mut self, wall: i64, now: Instant) -> i64 {
        let (before, at) = self.believed;
        let elapsed = now.saturating_duration_since(at).as_secs();
        let expected = before.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX));
        if wall.abs_diff(expected) > JUMP.unsigned_abs() {
            let since = *self.jumped.get_or_insert_with(|| {
                let seconds = wall.saturating_sub(expected);
                tracing::warn!(
                    seconds,
                    "The system's clock jumped; the ledger goes on without it"
                );
                now
            });
            if now.saturating_duration_since(since) < PATIENCE {
                return expected;
            }
        }
        self.jumped = None;
        self.believed = (wall, now);
        wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_795_305_600;
    const YEARS: i64 = 30 * 365 * 24 * 60 * 60;

    #[test]
    fn a_jump_for_seconds_moves_no_request() {
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
    fn a_clock_that_was_set_is_believed_after_an_hour() {
        let start = Instant::now();
        let mut clock = Clock::new(WALL, start);
        let set = WALL + YEARS;
        assert_eq!(clock.time(set, start), WALL);
        let hour = start + PATIENCE;
        assert_eq!(clock.time(set + 3600, hour), set + 3600);
        assert_eq!(clock.time(set + 3601, hour), set + 3601);
    }
}
