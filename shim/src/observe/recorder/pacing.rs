//! The CPU budget of recording, so that requests have the rest.
//!
//! Recording may always use a small share of the processors, and half of what is idle beyond a
//! reserve. The reserve is large because a busy machine is idle for moments, too, and a thread that
//! uses those delays the next request.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::load::{self, Load};

/// The part of the time of all processors that recording may always take.
const PART: f64 = 1.0 / 64.0;

/// The part of the idle time that recording leaves unused.
const RESERVE: f64 = 0.25;

/// Processor time that may be spent at once after there was little to record, in seconds.
const BURST: f64 = 0.02;

/// Upper bound of the CPU debt, in seconds, so that one expensive exchange cannot stop recording for
/// good.
const DEBT: f64 = 5.0;

/// Between two looks at how busy the machine is.
const LOOK: Duration = Duration::from_millis(100);

/// A look that is older says nothing of now.
const STALE: Duration = Duration::from_millis(500);

/// Decides when the writer has to rest.
pub(super) struct Pacer {
    budget: CpuBudget,
    load: Load,
    /// What the writer has spent.
    spent: Duration,
    /// Its own time when that was summed up last.
    summed: Duration,
    /// When it was asked last, and what was spent by then.
    asked: (Instant, Duration),
    /// The same of the last look at the machine.
    looked: (Instant, Duration),
}

impl Pacer {
    /// Of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        let begun = (Instant::now(), Duration::ZERO);
        Self {
            budget: CpuBudget::new(load::processors()),
            load: Load::now(),
            spent: Duration::ZERO,
            summed: load::of_this_thread(),
            asked: begun,
            looked: begun,
        }
    }

    /// How long the thread has to rest now, if at all; to be asked again after so long.
    pub(super) fn rest(&mut self) -> Option<Duration> {
        self.sum_up();
        let now = (Instant::now(), self.spent);
        let (passed, spent) = since(self.looked, now);
        if passed >= LOOK {
            let load = Load::now();
            let mut idle = Duration::ZERO;
            if passed < STALE {
                idle = load.idle_since(&self.load, passed, spent, self.budget.processors);
            }
            self.budget.fill_from(idle, passed);
            (self.looked, self.load) = (now, load);
        }
        let (passed, spent) = since(self.asked, now);
        self.asked = now;
        // The machine may be idle by then.
        self.budget.spend(spent, passed).map(|rest| rest.min(LOOK))
    }

    /// Parks the thread, which costs nothing.
    pub(super) fn park(&mut self, longest: Duration) {
        self.sum_up();
        thread::park_timeout(longest);
        self.summed = load::of_this_thread();
    }

    fn sum_up(&mut self) {
        let now = load::of_this_thread();
        self.spent += now.saturating_sub(self.summed);
        self.summed = now;
    }
}

fn since(before: (Instant, Duration), now: (Instant, Duration)) -> (Duration, Duration) {
    let passed = now.0.saturating_duration_since(before.0);
    (passed, now.1.saturating_sub(before.1))
}

/// A token bucket of processor time.
struct CpuBudget {
    processors: f64,
    /// What comes in, in processors.
    income: f64,
    /// In seconds; below zero if more was spent than there was.
    left: f64,
}

impl CpuBudget {
    fn new(processors: f64) -> Self {
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
        self.left = (filled.min(BURST) - spent.as_secs_f64()).max(-DEBT);
        // Less than a microsecond is nothing to rest for.
        let rest = Duration::try_from_secs_f64(-self.left / self.income).ok()?;
        (rest >= Duration::from_micros(1)).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// The processors that are used by who always has something to do, so much at once.
    fn used(budget: &mut CpuBudget, step: Duration) -> f64 {
        let (mut spent, mut passed) = (Duration::ZERO, Duration::ZERO);
        while passed < 200 * SECOND {
            spent += step;
            passed += step;
            let mut rest = budget.spend(step, step);
            while let Some(left) = rest {
                let slept = left.min(LOOK);
                passed += slept;
                rest = budget.spend(Duration::ZERO, slept);
            }
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
        for processors in [0.5, 1.0, 2.0, 8.0] {
            for step in [STEP, 80 * STEP] {
                let mut budget = CpuBudget::new(processors);
                assert_near(used(&mut budget, step), processors * PART);
                // For moments, every machine is idle.
                budget.fill_from(SECOND.mul_f64(processors * RESERVE), SECOND);
                assert_near(used(&mut budget, step), processors * PART);
            }
        }
    }

    #[test]
    fn an_idle_machine_gives_more() {
        let mut budget = CpuBudget::new(4.0);
        budget.fill_from(3 * SECOND, SECOND);
        assert_near(used(&mut budget, STEP), 4.0 * PART + 1.0);
        // What cannot be is not believed.
        budget.fill_from(100 * SECOND, SECOND);
        assert_near(budget.income, 4.0 * PART + 1.5);
        budget.fill_from(Duration::ZERO, Duration::ZERO);
        assert_near(budget.income, 4.0 * PART);
    }

    #[test]
    fn a_burst_is_let_through() {
        let burst = Duration::from_secs_f64(BURST);
        let mut budget = CpuBudget::new(1.0);
        assert_eq!(budget.spend(burst / 2, STEP), None);
        assert!(budget.spend(burst, STEP).is_some());
        // After a while there is room for another, and not for two.
        assert_eq!(budget.spend(Duration::ZERO, 100 * SECOND), None);
        assert_eq!(budget.spend(burst * 9 / 10, STEP), None);
        assert!(budget.spend(burst, STEP).is_some());
    }

    #[test]
    fn debts_end() {
        let mut budget = CpuBudget::new(1.0);
        assert!(budget.spend(3600 * SECOND, STEP).is_some());
        budget.fill_from(SECOND, SECOND);
        assert_eq!(budget.spend(Duration::ZERO, 20 * SECOND), None);
    }
}
