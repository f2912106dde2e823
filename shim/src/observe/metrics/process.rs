//! Standard `process_*` metrics of Prometheus client libraries, on Linux.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{Counter, Error, Gauge, IntGauge, Registry};

use super::register;

/// Resources used by this process.
pub(super) struct ProcessMetrics {
    cpu_seconds: Counter,
    resident_bytes: IntGauge,
    open_files: IntGauge,
    max_files: IntGauge,
}

impl ProcessMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        let gauge = |name, help| register(registry, IntGauge::new(name, help)?);
        let start = Gauge::new(
            "process_start_time_seconds",
            "Start of the process, in seconds since 1970",
        )?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        register(registry, start)?.set(since.unwrap_or_default().as_secs_f64());
        let cpu_seconds = Counter::new("process_cpu_seconds_total", "CPU time, in seconds")?;
        Ok(Self {
            cpu_seconds: register(registry, cpu_seconds)?,
            resident_bytes: gauge("process_resident_memory_bytes", "Memory, in bytes")?,
            open_files: gauge("process_open_fds", "Open file descriptors")?,
            max_files: gauge("process_max_fds", "Limit of open file descriptors")?,
        })
    }

    #[cfg(target_os = "linux")]
    pub(super) fn sample(&self) {
        use rustix::{
            param::page_size,
            process::{Resource, getrlimit},
            time::{ClockId, clock_gettime},
        };

        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let spent = std::time::Duration::try_from(spent).unwrap_or_default();
        let more = spent.as_secs_f64() - self.cpu_seconds.get();
        self.cpu_seconds.inc_by(more.max(0.0));
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let resident = pages
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<i64>().ok());
        let page = i64::try_from(page_size()).unwrap_or_default();
        self.resident_bytes
            .set(resident.unwrap_or_default().saturating_mul(page));
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        self.open_files.set(i64::try_from(open).unwrap_or_default());
        let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        self.max_files.set(i64::try_from(most).unwrap_or(i64::MAX));
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as it is on Linux")]
    pub(super) fn sample(&self) {}
}
