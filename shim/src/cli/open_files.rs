//! The limit of open files: raised as far as the system lets, or kept to.

use crate::settings::Limits;

/// Files beside connections: sockets of calls to v2, which a request makes a few of at a time, and
/// this many for the log, the ledger and the listeners.
const OTHERS: usize = 128;

/// The files that connections to v2 take, for each request in work.
const CALLS: usize = 2;

/// Raises the soft limit of open files to what the connections need, else lowers their number to
/// fit, and logs that.
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

/// How many connections fit; half of all files at least, because calls to v2 come and go.
fn fitting(files: usize, others: usize) -> usize {
    files.saturating_sub(others).max(files / 2).max(1)
}

/// The soft limit, after it was raised if it was less; `None` if there is none.
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

/// Unknown elsewhere.
#[cfg(not(target_os = "linux"))]
fn raise_to(_needed: usize) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_calls() {
        assert_eq!(fitting(16_384, 640), 15_744);
        assert_eq!(fitting(1024, 640), 512);
        assert_eq!(fitting(1, 640), 1);
        assert_eq!(fitting(usize::MAX, 0), usize::MAX);
    }
}
