//! How long files may be parsed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// CPU time of a thread that one file may take. Parsers that are not optimised take several times
/// as long.
const FILE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
/// CPU time of a file that is not slow. After Ctrl-C, and once the slow files have used up
/// [`TOTAL`], no file may take longer.
const BRIEF: Duration = Duration::from_millis(100);
/// CPU time that all slow files together may take beyond [`BRIEF`].
const TOTAL: Duration = Duration::from_secs(60);
/// How many times its CPU time a file may take on a busy machine.
const BUSY: u32 = 10;

/// The time for all files of a run.
#[derive(Debug, Default)]
pub(crate) struct ParseBudget {
    stop: Arc<AtomicBool>,
    /// What slow files took beyond [`BRIEF`], in milliseconds.
    slow: AtomicU64,
}

/// The time for one file.
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

    /// Starts the clock of a file on the thread that parses it.
    pub(super) fn start(&self) -> Clock<'_> {
        Clock {
            budget: self,
            start: cpu_time(),
        }
    }

    /// The CPU time that a file may take now.
    fn most(&self) -> Duration {
        if self.is_brief() { BRIEF } else { FILE }
    }

    /// How long to wait for a file that is parsed in another process.
    pub(super) fn patience(&self) -> Duration {
        BUSY * self.most()
    }

    /// True if files may take only [`BRIEF`].
    pub(super) fn is_brief(&self) -> bool {
        self.slow() > millis(TOTAL) || self.stop.load(Ordering::Relaxed)
    }

    /// True if not even [`BRIEF`] is left: what does not end by itself takes longer than that.
    pub(super) fn is_used_up(&self) -> bool {
        self.slow() > millis(2 * TOTAL)
    }

    /// What slow files took beyond [`BRIEF`], in milliseconds.
    pub(super) fn slow(&self) -> u64 {
        self.slow.load(Ordering::Relaxed)
    }

    pub(super) fn add_slow(&self, millis: u64) {
        self.slow.fetch_add(millis, Ordering::Relaxed);
    }

    /// Counts what a file took.
    pub(super) fn spend(&self, time: Duration) {
        self.add_slow(millis(time.saturating_sub(BRIEF)));
    }
}

impl Clock<'_> {
    /// True if the file has had its time.
    pub(super) fn is_over(&self) -> bool {
        self.elapsed() > self.budget.most()
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

/// What this thread has used. A busy machine does not change what is found.
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
    fn an_interruption_ends_a_slow_file_soon() {
        let stop = Arc::new(AtomicBool::new(true));
        assert!(spin(&ParseBudget::new(stop).start()) < FILE / 2);
    }

    #[test]
    fn slow_files_leave_later_ones_less_time() {
        let budget = ParseBudget::default();
        let total = millis(TOTAL);
        budget.add_slow(total + 1);
        assert!(spin(&budget.start()) < FILE / 2);
        assert!(budget.slow() > total);
    }
}
