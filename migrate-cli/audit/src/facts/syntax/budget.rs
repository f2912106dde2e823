//! How long files may be parsed.

use std::{
    path::{Path, PathBuf},
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

/// The time for all files of a run.
#[derive(Debug, Default)]
pub(crate) struct ParseBudget {
    stop: Arc<AtomicBool>,
    /// The program that parses a file in a process of its own.
    parser: Option<PathBuf>,
    /// What slow files took beyond [`BRIEF`], in milliseconds.
    slow: AtomicU64,
}

/// The time for one file.
pub(super) struct Clock<'b> {
    budget: &'b ParseBudget,
    start: Duration,
    /// The process may be ended from outside.
    is_alone: bool,
}

impl ParseBudget {
    /// A budget that shrinks when `stop` is set. `parser` is this program, if it can be run again.
    pub(crate) fn new(stop: Arc<AtomicBool>, parser: Option<PathBuf>) -> Self {
        Self {
            stop,
            parser,
            slow: AtomicU64::default(),
        }
    }

    pub(super) fn start(&self) -> Clock<'_> {
        Clock {
            budget: self,
            start: cpu_time(),
            is_alone: false,
        }
    }

    /// The time for the one file of a process that may be ended from outside.
    pub(super) fn start_alone(&self) -> Clock<'_> {
        Clock {
            is_alone: true,
            ..self.start()
        }
    }

    /// The program that parses a file in a process of its own, while there is time for that.
    pub(super) fn parser(&self) -> Option<&Path> {
        self.parser.as_deref().filter(|_| !self.is_brief())
    }

    /// True if files may take only [`BRIEF`].
    pub(super) fn is_brief(&self) -> bool {
        let slow = Duration::from_millis(self.slow.load(Ordering::Relaxed));
        slow > TOTAL || self.stop.load(Ordering::Relaxed)
    }

    /// Counts what a slow file took.
    pub(super) fn spend(&self, time: Duration) {
        let slow = time.saturating_sub(BRIEF).as_millis();
        let slow = u64::try_from(slow).unwrap_or(u64::MAX);
        self.slow.fetch_add(slow, Ordering::Relaxed);
    }
}

impl Clock<'_> {
    /// True if the file has had its time.
    pub(super) fn is_over(&self) -> bool {
        let most = if self.budget.is_brief() { BRIEF } else { FILE };
        self.elapsed() > most
    }

    /// True if the parser must not come to a step that cannot be interrupted.
    pub(super) fn is_watchful(&self) -> bool {
        !self.is_alone
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
        assert!(spin(&ParseBudget::new(stop, None).start()) < FILE / 2);
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
