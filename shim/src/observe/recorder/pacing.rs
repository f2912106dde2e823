//! CPU budget of the recorder.
//!
//! Recording may always use a small share of the processors, plus half of the idle time beyond a
//! reserve. The reserve is large because a busy machine is idle for moments, too, and a thread that
//! uses those delays the next request.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::cpu::{self, CpuUsage};

/// Share of the processors that recording may always use.
const SHARE: f64 = 1.0 / 64.0;

/// Share of the processors' time that must stay idle before recording uses more.
const RESERVE: f64 = 0.25;

/// CPU time that may be used at once after a quiet period, in seconds.
const BURST: f64 = 0.02;

/// Upper bound of the CPU debt, in seconds, so that one expensive exchange cannot stop recording for
/// good.
const DEBT: f64 = 5.0;

/// Interval between samples of the CPU usage.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// A longer interval is too old to predict the idle time.
const STALE: Duration = Duration::from_millis(500);

/// Decides when and how long the writer sleeps.
pub(super) struct Pacer {
    budget: CpuBudget,
    usage: CpuUsage,
    /// CPU time used by the writer while it was not parked.
    spent: Duration,
    /// CPU time of the thread at the last update of `spent`.
    summed: Duration,
    /// Time and `spent` at the last call of `rest`.
    asked: (Instant, Duration),
    /// Time and `spent` at the last sample.
    looked: (Instant, Duration),
}

impl Pacer {
    /// A pacer for the calling thread.
    pub(super) fn for_this_thread() -> Self {
        let begun = (Instant::now(), Duration::ZERO);
        Self {
            budget: CpuBudget::new(cpu::processors()),
            usage: CpuUsage::now(),
            spent: Duration::ZERO,
            summed: cpu::thread_time(),
            asked: begun,
            looked: begun,
        }
    }

    /// Time to sleep now, if any. Must be called again afterwards.
    pub(super) fn rest(&mut self) -> Option<Duration> {
        self.sum_up();
        let now = (Instant::now(), self.spent);
        let (passed, spent) = since(self.looked, now);
        if passed >= SAMPLE_INTERVAL {
            let usage = CpuUsage::now();
            let mut idle = Duration::ZERO;
            if passed < STALE {
                idle = usage.idle_since(&self.usage, passed, spent, self.budget.processors);
            }
            self.budget.fill_from(idle, passed);
            (self.looked, self.usage) = (now, usage);
        }
        let (passed, spent) = since(self.asked, now);
        self.asked = now;
        // Sleep at most until the next sample, which may show more idle time.
        self.budget
            .spend(spent, passed)
            .map(|rest| rest.min(SAMPLE_INTERVAL))
    }

    /// Parks the thread. The CPU time of parking itself is not counted.
    pub(super) fn park(&mut self, longest: Duration) {
        self.sum_up();
        thread::park_timeout(longest);
        self.summed = cpu::thread_time();
    }

    fn sum_up(&mut self) {
        let now = cpu::thread_time();
        self.spent += now.saturating_sub(self.summed);
        self.summed = now;
    }
}

fn since(before: (Instant, Duration), now: (Instant, Duration)) -> (Duration, Duration) {
    let passed = now.0.saturating_duration_since(before.0);
    (passed, now.1.saturating_sub(before.1))
}

/// Token bucket of CPU time.
struct CpuBudget {
    processors: f64,
    /// Refill rate, in processors.
    income: f64,
    /// Balance in seconds; negative after overspending.
    left: f64,
}

impl CpuBudget {
    fn new(processors: f64) -> Self {
        Self {
            processors,
            income: processors * SHARE,
            left: BURST,
        }
    }

    /// Sets the refill rate from the last sample's idle time.
    fn fill_from(&mut self, idle: Duration, passed: Duration) {
        let idle = idle.as_secs_f64() / passed.as_secs_f64().max(0.001);
        let spare = idle.min(self.processors) - self.processors * RESERVE;
        self.income = self.processors * SHARE + spare.max(0.0) / 2.0;
    }

    /// Accounts for `spent` CPU time within `passed`. Returns the time to sleep until the balance
    /// is zero.
    fn spend(&mut self, spent: Duration, passed: Duration) -> Option<Duration> {
        let filled = self.left + self.income * passed.as_secs_f64();
        self.left = (filled.min(BURST) - spent.as_secs_f64()).max(-DEBT);
        // Shorter sleeps cost more than they save.
        let rest = Duration::try_from_secs_f64(-self.left / self.income).ok()?;
        (rest >= Duration::from_micros(1)).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// Processors used by a thread that always has work, in steps of `step`.
    fn used(budget: &mut CpuBudget, step: Duration) -> f64 {
        let (mut spent, mut passed) = (Duration::ZERO, Duration::ZERO);
        while passed < 200 * SECOND {
            spent += step;
            passed += step;
            let mut rest = budget.spend(step, step);
            while let Some(left) = rest {
                let slept = left.min(SAMPLE_INTERVAL);
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
    fn uses_its_fixed_share_on_a_busy_machine() {
        for processors in [0.5, 1.0, 2.0, 8.0] {
            for step in [STEP, 80 * STEP] {
                let mut budget = CpuBudget::new(processors);
                assert_near(used(&mut budget, step), processors * SHARE);
                // Every machine is idle for moments.
                budget.fill_from(SECOND.mul_f64(processors * RESERVE), SECOND);
                assert_near(used(&mut budget, step), processors * SHARE);
            }
        }
    }

    #[test]
    fn uses_more_on_an_idle_machine() {
        let mut budget = CpuBudget::new(4.0);
        budget.fill_from(3 * SECOND, SECOND);
        assert_near(used(&mut budget, STEP), 4.0 * SHARE + 1.0);
        // Implausible idle times are capped.
        budget.fill_from(100 * SECOND, SECOND);
        assert_near(budget.income, 4.0 * SHARE + 1.5);
        budget.fill_from(Duration::ZERO, Duration::ZERO);
        assert_near(budget.income, 4.0 * SHARE);
    }

    #[test]
    fn allows_one_burst() {
        let burst = Duration::from_secs_f64(BURST);
        let mut budget = CpuBudget::new(1.0);
        assert_eq!(budget.spend(burst / 2, STEP), None);
        assert!(budget.spend(burst, STEP).is_some());
        // A long pause allows one more burst, not two.
        assert_eq!(budget.spend(Duration::ZERO, 100 * SECOND), None);
        assert_eq!(budget.spend(burst * 9 / 10, STEP), None);
        assert!(budget.spend(burst, STEP).is_some());
    }

    #[test]
    fn debt_is_bounded() {
        let mut budget = CpuBudget::new(1.0);
        assert!(budget.spend(3600 * SECOND, STEP).is_some());
        budget.fill_from(SECOND, SECOND);
        assert_eq!(budget.spend(Duration::ZERO, 20 * SECOND), None);
    }
}
