//! The windows of brownouts that a running ledger saw: also those in which nobody called.

use std::collections::BTreeSet;

use crate::settings::{BrownoutConfig, Window};

/// A window, as far as the ledger was kept in it. Moments are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotedWindow {
    pub(super) window: Window,
    /// Names in lines; empty for all.
    pub(super) keys: String,
    pub(super) operations: String,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// The windows between two moments, both included.
pub(super) fn noted(announced: &[BrownoutConfig], from: i64, to: i64) -> Vec<NotedWindow> {
    let lines = |names: &BTreeSet<String>| {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        names.join("\n")
    };
    let mut noted = Vec::new();
    for brownout in announced {
        let (keys, operations) = brownout.scope();
        let mut at = from;
        // Each window ends after the one before: this comes to an end.
        while let Some(window) = brownout.next(at).filter(|window| window.begins <= to) {
            noted.push(NotedWindow {
                window,
                keys: lines(keys),
                operations: lines(operations),
                first: window.begins.max(from),
                last: window.ends.min(to),
            });
            at = window.ends;
        }
    }
    noted
}
