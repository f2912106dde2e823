//! How much of the processors recording may take, so that requests have the rest.

use std::{
    thread,
    time::{Duration, Instant},
};

/// The part of the time of all processors that recording may take for long: one part in this many.
const PART: u32 = 40;

/// Processor time that may be spent at once after there was little to record.
const BURST: Duration = Duration::from_millis(100);

/// The processor time that there is left to spend.
pub(super) struct Pace {
    /// Processors, of which each gives its part.
    processors: u32,
    /// In nanoseconds; below zero if more was spent than there was.
    left: i64,
}

impl Pace {
    /// On this machine, or what this process may have of it.
    pub(super) fn of_this_machine() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self::new(processors.try_into().unwrap_or(1))
    }

    fn new(processors: u32) -> Self {
        Self {
            processors,
            left: nanos(BURST),
        }
    }

    /// Tells how long to rest, if at all, after so much processor time was spent while so much time
    /// passed.
    pub(super) fn rest(&mut self, spent: Duration, passed: Duration) -> Option<Duration> {
        let earned = nanos(passed * self.processors / PART);
        let left = self.left.saturating_add(earned).min(nanos(BURST));
        self.left = left.saturating_sub(nanos(spent));
        let missing = u64::try_from(-self.left)
            .ok()
            .filter(|missing| *missing > 0)?;
        Some(Duration::from_nanos(missing) * PART / self.processors)
    }
}

/// Sums up the time that the calling thread was on a processor; where the system does not tell, the
/// time that passed.
pub(super) struct Watch {
    /// When it was looked at last.
    at: Instant,
    #[cfg(target_os = "linux")]
    spent: Duration,
}

impl Watch {
    pub(super) fn start() -> Self {
        Self {
            at: Instant::now(),
            #[cfg(target_os = "linux")]
            spent: processor_time(),
        }
    }

    /// What was spent and what passed since the last time.
    pub(super) fn lap(&mut self) -> (Duration, Duration) {
        let before = std::mem::replace(self, Self::start());
        let passed = self.at.saturating_duration_since(before.at);
        #[cfg(target_os = "linux")]
        let spent = self.spent.saturating_sub(before.spent);
        #[cfg(not(target_os = "linux"))]
        let spent = passed;
        (spent, passed)
    }
}

#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

fn nanos(duration: Duration) -> i64 {
    duration.as_nanos().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(1);

    /// The share of the time that is spent by who always has something to do.
    fn share(processors: u32) -> f64 {
        let mut pace = Pace::new(processors);
        let (mut spent, mut passed) = (Duration::ZERO, Duration::ZERO);
        let mut rested = Duration::ZERO;
        while passed < Duration::from_secs(100) {
            let rest = pace.rest(STEP, STEP + rested);
            passed += STEP + rested;
            spent += STEP;
            rested = rest.unwrap_or_default();
        }
        spent.as_secs_f64() / passed.as_secs_f64()
    }

    #[test]
    fn no_more_than_its_part_is_spent_for_long() {
        for processors in [1, 2, 8] {
            let allowed = f64::from(processors) / f64::from(PART);
            let share = share(processors);
            assert!(
                share <= allowed * 1.1 && share >= allowed * 0.9,
                "{share} {allowed}"
            );
        }
    }

    #[test]
    fn a_burst_is_let_through() {
        let mut pace = Pace::new(1);
        assert_eq!(pace.rest(BURST, BURST), None);
        assert!(pace.rest(STEP * 10, STEP).is_some());
        // After a while there is room for another, and not for two.
        assert_eq!(pace.rest(Duration::ZERO, BURST * PART * 10), None);
        assert_eq!(pace.rest(BURST, STEP), None);
        assert!(pace.rest(BURST, STEP).is_some());
    }
}
