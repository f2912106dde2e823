//! CPU load of the machine and of this process. Outside Linux, nothing counts as idle, and a
//! thread's elapsed time counts as its CPU time.

use std::{thread, time::Duration};

/// Number of processors that this process may use; fractional under a quota.
pub(super) fn processors() -> f64 {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let processors = f64::from(u32::try_from(processors).unwrap_or(1));
    #[cfg(target_os = "linux")]
    let processors = linux::quota().map_or(processors, |quota| quota.min(processors));
    processors
}

/// CPU time of the calling thread.
#[cfg(target_os = "linux")]
pub(super) fn thread_time() -> Duration {
    linux::thread_time()
}

/// Elapsed time, where the CPU time of a thread is unavailable.
#[cfg(not(target_os = "linux"))]
pub(super) fn thread_time() -> Duration {
    BEGAN.elapsed()
}

/// Cumulative CPU usage at one moment.
pub(super) struct CpuUsage {
    /// Idle time of all processors together.
    idle: Option<Duration>,
    /// CPU time of this process.
    used: Duration,
}

impl CpuUsage {
    #[cfg(target_os = "linux")]
    pub(super) fn now() -> Self {
        Self {
            idle: linux::idle(),
            used: linux::process_time(),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn now() -> Self {
        Self {
            idle: None,
            used: Duration::ZERO,
        }
    }

    /// Idle time between two samples, as if the calling thread had not run: of the machine, or of
    /// the processors that this process may use, whichever is less.
    pub(super) fn idle_since(
        &self,
        before: &Self,
        passed: Duration,
        by_thread: Duration,
        processors: f64,
    ) -> Duration {
        let (Some(now), Some(then)) = (self.idle, before.idle) else {
            return Duration::ZERO;
        };
        let of_machine = now.saturating_sub(then) + by_thread;
        let by_others = self
            .used
            .saturating_sub(before.used)
            .saturating_sub(by_thread);
        of_machine.min(passed.mul_f64(processors).saturating_sub(by_others))
    }
}

#[cfg(not(target_os = "linux"))]
static BEGAN: std::sync::LazyLock<std::time::Instant> =
    std::sync::LazyLock::new(std::time::Instant::now);

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, path::Path, time::Duration};

    use rustix::{
        param::clock_ticks_per_second,
        time::{ClockId, clock_gettime},
    };

    pub(super) fn thread_time() -> Duration {
        spent(ClockId::ThreadCPUTime)
    }

    pub(super) fn process_time() -> Duration {
        spent(ClockId::ProcessCPUTime)
    }

    fn spent(clock: ClockId) -> Duration {
        clock_gettime(clock).try_into().unwrap_or_default()
    }

    /// Quota in processors by cgroup v2: the minimum of the process's group and its ancestors.
    pub(super) fn quota() -> Option<f64> {
        let root = Path::new("/sys/fs/cgroup");
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let group = root.join(group);
        let groups = group
            .ancestors()
            .take_while(|group| group.starts_with(root));
        let quotas = groups.filter_map(|group| {
            let limit = fs::read_to_string(group.join("cpu.max")).ok()?;
            processors_of(&limit)
        });
        quotas.reduce(f64::min)
    }

    /// Parses quota and period in microseconds; `None` for `max`.
    pub(super) fn processors_of(limit: &str) -> Option<f64> {
        let (quota, period) = limit.trim().split_once(' ')?;
        let (quota, period): (u32, u32) = (quota.parse().ok()?, period.parse().ok()?);
        let processors = f64::from(quota) / f64::from(period);
        (processors.is_finite() && processors > 0.0).then_some(processors)
    }

    /// Idle ticks of all processors: field 4 of the `cpu` line, see `proc_stat(5)`.
    pub(super) fn idle() -> Option<Duration> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let ticks: u64 = text.split_whitespace().nth(4)?.parse().ok()?;
        let milliseconds = ticks.checked_mul(1000)? / clock_ticks_per_second().max(1);
        Some(Duration::from_millis(milliseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_excludes_the_machine_and_the_process() {
        let milliseconds = Duration::from_millis;
        let load = |idle: Option<u64>, used: u64| CpuUsage {
            idle: idle.map(milliseconds),
            used: milliseconds(used),
        };
        let idle = |before: &CpuUsage, after: &CpuUsage| {
            after.idle_since(before, milliseconds(1000), milliseconds(100), 2.0)
        };
        let before = load(Some(5000), 300);
        // Other processes keep the machine busy.
        assert_eq!(idle(&before, &load(Some(5200), 500)), milliseconds(300));
        // The process uses all of its two processors.
        assert_eq!(idle(&before, &load(Some(95_000), 2300)), milliseconds(100));
        assert_eq!(idle(&before, &load(None, 2300)), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn cpu_times_are_available_on_linux() {
        let (before, spent) = (CpuUsage::now(), thread_time());
        assert!(before.idle.is_some() && processors() > 0.0);
        while thread_time() == spent {}
        assert!(CpuUsage::now().used > before.used);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn parses_cpu_quotas() {
        for (limit, processors) in [
            ("max 100000\n", None),
            ("50000 100000\n", Some(0.5)),
            ("300000 100000", Some(3.0)),
            ("0 100000", None),
            ("1 0", None),
            ("", None),
        ] {
            assert_eq!(linux::processors_of(limit), processors, "{limit:?}");
        }
    }
}
