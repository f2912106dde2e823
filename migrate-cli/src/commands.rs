//! Subcommands, one file each: arguments and the top-level sequence of steps.

pub(crate) mod audit;
mod baseline_file;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod man;
mod output;
pub(crate) mod plan;
pub(crate) mod record;
pub(crate) mod rules;
mod sources;
pub(crate) mod status;
pub(crate) mod translate;
pub(crate) mod usage;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use recording::usage::day_name;
use time::OffsetDateTime;

/// Returns a flag that Ctrl-C sets. A second Ctrl-C aborts the process.
fn interruption() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::abort();
        }
    })
    .ok();
    stop
}

fn today() -> String {
    day_name(OffsetDateTime::now_utc().date())
}

/// Date and program version of a report: `2026-11-22, migrate 0.1.0`.
fn generated() -> String {
    format!("{}, migrate {}", today(), env!("CARGO_PKG_VERSION"))
}
