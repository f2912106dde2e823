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
/// CPU time of a file that does not follow its grammar. The parser's last step cannot be interrupted,
/// and takes quadratic time if there are many errors.
const ERRONEOUS: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1500 } else { 300 });
/// CPU time that all slow files together may take beyond [`BRIEF`].
const TOTAL: Duration = Duration::from_secs(60);

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

    pub(super) fn start(&self) -> Clock<'_> {
        Clock {
            budget: self,
            start: cpu_time(),
        }
    }
}

impl Clock<'_> {
    /// True if the file has had its time.
    pub(super) fn is_over(&self) -> bool {
        let slow = Duration::from_millis(self.budget.slow.load(Ordering::Relaxed));
        let is_brief = slow > TOTAL || self.budget.stop.load(Ordering::Relaxed);
        self.elapsed() > if is_brief { BRIEF } else { FILE }
    }

    /// True if the file has had its time, given that it does not follow its grammar.
    pub(super) fn is_over_for_errors(&self) -> bool {
        self.elapsed() > ERRONEOUS
    }

    fn elapsed(&self) -> Duration {
        cpu_time().saturating_sub(self.start)
    }
}

impl Drop for Clock<'_> {
    fn drop(&mut self) {
        let slow = self.elapsed().saturating_sub(BRIEF).as_millis();
        let slow = u64::try_from(slow).unwrap_or(u64::MAX);
        self.budget.slow.fetch_add(slow, Ordering::Relaxed);
    }
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
        let total = u64::try_from(TOTAL.as_millis()).unwrap();
        budget.slow.store(total + 1, Ordering::Relaxed);
        assert!(spin(&budget.start()) < FILE / 2);
        assert!(budget.slow.load(Ordering::Relaxed) > total);
    }
}
