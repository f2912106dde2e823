//! How busy the machine and this process are, read from the system. On other systems than Linux
//! nothing counts as idle, and a thread counts as if it never waited for its turn.

use std::{thread, time::Duration};

/// The processors that this process may use; parts of one under a quota.
pub(super) fn processors() -> f64 {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let processors = f64::from(u32::try_from(processors).unwrap_or(1));
    #[cfg(target_os = "linux")]
    let processors = linux::quota().map_or(processors, |quota| quota.min(processors));
    processors
}

/// The processor time that the calling thread has spent.
#[cfg(target_os = "linux")]
pub(super) fn of_this_thread() -> Duration {
    linux::of_thread()
}

/// The elapsed time, where the CPU time of a thread is unknown.
#[cfg(not(target_os = "linux"))]
pub(super) fn of_this_thread() -> Duration {
    BEGAN.elapsed()
}

/// What was used of the processors up to a moment.
pub(super) struct Load {
    /// Idle time of all processors of the machine together.
    idle: Option<Duration>,
    /// By this process.
    used: Duration,
}

impl Load {
    #[cfg(target_os = "linux")]
    pub(super) fn now() -> Self {
        Self {
            idle: linux::idle(),
            used: linux::of_process(),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn now() -> Self {
        Self {
            idle: None,
            used: Duration::ZERO,
        }
    }

    /// What was idle since another moment, but for what one thread spent: of the machine, and of the
    /// processors that this process may use, whichever is less.
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

    pub(super) fn of_thread() -> Duration {
        spent(ClockId::ThreadCPUTime)
    }

    pub(super) fn of_process() -> Duration {
        spent(ClockId::ProcessCPUTime)
    }

    fn spent(clock: ClockId) -> Duration {
        clock_gettime(clock).try_into().unwrap_or_default()
    }

    /// In processors, by version 2 of control groups: the least of the own group and those above it.
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

    /// Of a quota and a period, both in microseconds; `None` for `max`.
    pub(super) fn processors_of(limit: &str) -> Option<f64> {
        let (quota, period) = limit.trim().split_once(' ')?;
        let (quota, period): (u32, u32) = (quota.parse().ok()?, period.parse().ok()?);
        let processors = f64::from(quota) / f64::from(period);
        (processors.is_finite() && processors > 0.0).then_some(processors)
    }

    /// See `proc_stat(5)`: `cpu`, then ticks of all processors in user, nice, system, idle, …
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
    fn idle_is_what_neither_the_machine_nor_the_process_used() {
        let milliseconds = Duration::from_millis;
        let load = |idle: Option<u64>, used: u64| Load {
            idle: idle.map(milliseconds),
            used: milliseconds(used),
        };
        let idle = |before: &Load, after: &Load| {
            after.idle_since(before, milliseconds(1000), milliseconds(100), 2.0)
        };
        let before = load(Some(5000), 300);
        // Others keep the machine busy.
        assert_eq!(idle(&before, &load(Some(5200), 500)), milliseconds(300));
        // The process may use two of many processors, and does.
        assert_eq!(idle(&before, &load(Some(95_000), 2300)), milliseconds(100));
        assert_eq!(idle(&before, &load(None, 2300)), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells() {
        let (before, spent) = (Load::now(), of_this_thread());
        assert!(before.idle.is_some() && processors() > 0.0);
        while of_this_thread() == spent {}
        assert!(Load::now().used > before.used);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn quotas_are_parts_of_processors() {
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
