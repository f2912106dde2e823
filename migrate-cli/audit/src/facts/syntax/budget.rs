//! Time budget of parsing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// CPU time per file. Unoptimized parsers take several times as long.
const FILE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
/// CPU time of a fast file. No file gets more after Ctrl-C, and after slow files used up [`TOTAL`].
const BRIEF: Duration = Duration::from_millis(100);
/// CPU time of all slow files beyond [`BRIEF`].
const TOTAL: Duration = Duration::from_secs(60);
/// Wall-clock limit of a file as a multiple of its CPU time, for busy machines.
const BUSY: u32 = 10;

/// The time budget of a run.
#[derive(Debug, Default)]
pub(crate) struct ParseBudget {
    stop: Arc<AtomicBool>,
    /// Time of slow files beyond [`BRIEF`], in milliseconds.
    slow: AtomicU64,
}

/// The clock of one file.
pub(super) struct Clock<'b> {
    budget: &'b ParseBudget,
    start: Duration,
}

impl ParseBudget {
    /// A budget that shrinks when `stop` is set.
    pub(crate) fn new(stop: Arc<AtomicBool>) -> Self {
        Self {
            stop,
            slow: AtomicU64::default(),
        }
    }

    /// Starts the clock of a file, on the thread that parses it.
    pub(super) fn start(&self) -> Clock<'_> {
        Clock {
            budget: self,
            start: cpu_time(),
        }
    }

    /// The CPU time per file.
    fn limit(&self) -> Duration {
        if self.is_brief() { BRIEF } else { FILE }
    }

    /// The timeout of a file that is parsed in another process.
    pub(super) fn timeout(&self) -> Duration {
        BUSY * self.limit()
    }

    /// True if files only get [`BRIEF`].
    pub(super) fn is_brief(&self) -> bool {
        self.slow() > millis(TOTAL) || self.stop.load(Ordering::Relaxed)
    }

    /// True if no file is parsed any more: a file that needs a timeout would take longer than
    /// [`BRIEF`].
    pub(super) fn is_used_up(&self) -> bool {
        self.slow() > millis(2 * TOTAL)
    }

    /// Time of slow files beyond [`BRIEF`], in milliseconds.
    pub(super) fn slow(&self) -> u64 {
        self.slow.load(Ordering::Relaxed)
    }

    pub(super) fn add_slow(&self, millis: u64) {
        self.slow.fetch_add(millis, Ordering::Relaxed);
    }

    /// Adds the time of a file.
    pub(super) fn spend(&self, time: Duration) {
        self.add_slow(millis(time.saturating_sub(BRIEF)));
    }
}

impl Clock<'_> {
    /// True if the time of the file is up.
    pub(super) fn is_over(&self) -> bool {
        self.elapsed() > self.budget.limit()
    }

    fn elapsed(&self) -> Duration {
        cpu_time().saturating_sub(self.start)
    }
}

impl Drop for Clock<'_> {
    fn drop(&mut self) {
        self.budget.spend(self.elapsed());
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// CPU time of this thread. Unlike wall-clock time, it does not depend on other load.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(unix))]
fn cpu_time() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(clock: &Clock) -> Duration {
        while !clock.is_over() {}
        clock.elapsed()
    }

    #[test]
    fn an_interrupt_shortens_the_time_per_file() {
        let stop = Arc::new(AtomicBool::new(true));
        assert!(spin(&ParseBudget::new(stop).start()) < FILE / 2);
    }

    #[test]
    fn slow_files_shorten_the_time_of_later_files() {
        let budget = ParseBudget::default();
        let total = millis(TOTAL);
        budget.add_slow(total + 1);
        assert!(spin(&budget.start()) < FILE / 2);
        assert!(budget.slow() > total);
    }
}
