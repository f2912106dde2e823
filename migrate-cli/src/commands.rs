//! The subcommands, one file each: what may be given, and the order in which the parts are called.

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

/// A flag that Ctrl-C sets. The second Ctrl-C ends the program at once.
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

/// Today in UTC: `2026-11-22`.
fn today() -> String {
    let today = time::OffsetDateTime::now_utc().date();
    format!(
        "{:04}-{:02}-{:02}",
        today.year(),
        u8::from(today.month()),
        today.day()
    )
}

/// What made a report, and when: `2026-11-22, migrate 0.1.0`.
fn made() -> String {
    format!("{}, migrate {}", today(), env!("CARGO_PKG_VERSION"))
}
