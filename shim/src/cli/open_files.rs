//! Limit of open files: raised if possible, else the limit of connections is lowered.

use crate::settings::Limits;

/// Files besides connections to clients and calls to v2: log, ledger and listeners.
const OTHERS: usize = 128;

/// Connections to v2 per running request.
const CALLS: usize = 2;

/// Raises the soft limit of open files as far as the connections need. If that fails, lowers the
/// limit of connections and logs a warning.
pub(super) fn fit(limits: &mut Limits) {
    let others = others(limits);
    let needed = limits.connections.saturating_add(others);
    let Some(files) = raise_to(needed) else {
        return;
    };
    let fitting = fitting(files, others).min(limits.connections);
    if fitting < limits.connections {
        tracing::warn!(
            files,
            "limits.connections is {fitting}, not {}: no more files may be open (ulimit -n, \
             LimitNOFILE); {needed} are needed",
            limits.connections
        );
        limits.connections = fitting;
    }
}

fn others(limits: &Limits) -> usize {
    limits.requests.saturating_mul(CALLS).saturating_add(OTHERS)
}

/// The number of connections that fit: at least half of all files, because calls to v2 are
/// short-lived.
fn fitting(files: usize, others: usize) -> usize {
    files.saturating_sub(others).max(files / 2).max(1)
}

/// Raises the soft limit if it is lower, and returns it; `None` if there is no limit.
#[cfg(target_os = "linux")]
fn raise_to(needed: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let wanted = maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = Rlimit {
        current: Some(wanted),
        maximum,
    };
    let files = if wanted > current && setrlimit(Resource::Nofile, raised).is_ok() {
        wanted
    } else {
        current
    };
    usize::try_from(files).ok()
}

/// Other systems have no known limit.
#[cfg(not(target_os = "linux"))]
fn raise_to(_needed: usize) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_files_for_calls_to_v2() {
        assert_eq!(fitting(16_384, 640), 15_744);
        assert_eq!(fitting(1024, 640), 512);
        assert_eq!(fitting(1, 640), 1);
        assert_eq!(fitting(usize::MAX, 0), usize::MAX);
    }
}
