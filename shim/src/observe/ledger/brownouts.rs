//! Brownout windows during which the ledger was kept, also without calls.

use std::collections::BTreeSet;

use crate::settings::{BrownoutConfig, Window};

/// Part of a window during which the ledger was kept, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotedWindow {
    pub(super) window: Window,
    /// One name per line; empty for all.
    pub(super) keys: String,
    pub(super) operations: String,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// Windows that overlap a range, both ends included.
pub(super) fn noted(announced: &[BrownoutConfig], from: i64, to: i64) -> Vec<NotedWindow> {
    let lines = |names: &BTreeSet<String>| {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        names.join("\n")
    };
    let mut noted = Vec::new();
    for brownout in announced {
        let (keys, operations) = brownout.scope();
        let mut at = from;
        // Terminates, because each window ends after the previous one.
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
