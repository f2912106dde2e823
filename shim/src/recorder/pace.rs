//! How much of the processors recording may take, so that requests have the rest.
//!
//! A small part of their time, always; and half of what is idle beyond a reserve. The reserve is
//! large because a busy machine is idle for moments, too, and who uses those is in the way of the
//! next request.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::load::Load;

/// The part of the time of all processors that recording may always take.
const PART: f64 = 0.02;

/// The part of it that is left alone although nobody uses it.
const RESERVE: f64 = 0.25;

/// Processor time that may be spent at once after there was little to record, in seconds.
const BURST: f64 = 0.02;

/// The longest that it rests, in seconds: the machine may be idle by then.
const LONGEST: f64 = 0.5;

/// Between two looks at how busy the machine is.
const LOOK: Duration = Duration::from_millis(200);

/// Tells the writer when to rest.
pub(super) struct Pace {
    purse: Purse,
    load: Load,
    /// When it was asked last, and what the writer had spent by then.
    asked: (Instant, Duration),
    /// The same of the last look at the machine.
    looked: (Instant, Duration),
}

impl Pace {
    /// Of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let now = (Instant::now(), Load::of_this_thread());
        Self {
            purse: Purse::new(processors),
            load: Load::now(),
            asked: now,
            looked: now,
        }
    }

    /// How long the thread has to rest now, if at all.
    pub(super) fn rest(&mut self) -> Option<Duration> {
        let now = (Instant::now(), Load::of_this_thread());
        let (passed, spent) = since(self.looked, now);
        if passed >= LOOK {
            let load = Load::now();
            let idle = load.idle_since(&self.load, passed, spent, self.purse.processors);
            self.purse.fill_from(idle, passed);
            (self.looked, self.load) = (now, load);
        }
        let (passed, spent) = since(self.asked, now);
        self.asked = now;
        self.purse.spend(spent, passed)
    }
}

fn since(before: (Instant, Duration), now: (Instant, Duration)) -> (Duration, Duration) {
    let passed = now.0.saturating_duration_since(before.0);
    (passed, now.1.saturating_sub(before.1))
}

/// The processor time that there is to spend.
struct Purse {
    processors: f64,
    /// What comes in, in processors.
    income: f64,
    /// In seconds; below zero if more was spent than there was.
    left: f64,
}

impl Purse {
    fn new(processors: usize) -> Self {
        let processors = f64::from(u32::try_from(processors).unwrap_or(1));
        Self {
            processors,
            income: processors * PART,
            left: BURST,
        }
    }

    /// From now on it is filled as if the processors will be as idle as they were.
    fn fill_from(&mut self, idle: Duration, passed: Duration) {
        let idle = idle.as_secs_f64() / passed.as_secs_f64().max(0.001);
        let spare = idle.min(self.processors) - self.processors * RESERVE;
        self.income = self.processors * PART + spare.max(0.0) / 2.0;
    }

    /// Tells how long to rest, after so much was spent while so much time passed.
    fn spend(&mut self, spent: Duration, passed: Duration) -> Option<Duration> {
        let filled = self.left + self.income * passed.as_secs_f64();
        self.left = filled.min(BURST) - spent.as_secs_f64();
        let rest = (-self.left / self.income).min(LONGEST);
        (rest > 0.0).then(|| Duration::from_secs_f64(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// The processors that are used by who always has something to do.
    fn used(purse: &mut Purse) -> f64 {
        let (mut spent, mut passed) = (Duration::ZERO, Duration::ZERO);
        let mut rest = Duration::ZERO;
        while passed < 100 * SECOND {
            passed += STEP + rest;
            spent += STEP;
            rest = purse.spend(STEP, STEP + rest).unwrap_or_default();
        }
        spent.as_secs_f64() / passed.as_secs_f64()
    }

    fn assert_near(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 0.1,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn a_busy_machine_gives_its_part_and_no_more() {
        for processors in [1, 2, 8] {
            let mut purse = Purse::new(processors);
            let part = purse.processors * PART;
            assert_near(used(&mut purse), part);
            // For moments, every machine is idle.
            purse.fill_from(SECOND.mul_f64(purse.processors * RESERVE), SECOND);
            assert_near(used(&mut purse), part);
        }
    }

    #[test]
    fn an_idle_machine_gives_more() {
        let mut purse = Purse::new(4);
        purse.fill_from(3 * SECOND, SECOND);
        assert_near(used(&mut purse), 4.0 * PART + 1.0);
        // What cannot be is not believed.
        purse.fill_from(100 * SECOND, SECOND);
        assert_near(purse.income, 4.0 * PART + 1.5);
        purse.fill_from(Duration::ZERO, Duration::ZERO);
        assert_near(purse.income, 4.0 * PART);
    }

    #[test]
    fn a_burst_is_let_through() {
        let burst = Duration::from_secs_f64(BURST);
        let mut purse = Purse::new(1);
        assert_eq!(purse.spend(burst / 2, STEP), None);
        assert!(purse.spend(burst, STEP).is_some());
        // After a while there is room for another, and not for two.
        assert_eq!(purse.spend(Duration::ZERO, 100 * SECOND), None);
        assert_eq!(purse.spend(burst * 9 / 10, STEP), None);
        assert!(purse.spend(burst, STEP).is_some());
    }
}
