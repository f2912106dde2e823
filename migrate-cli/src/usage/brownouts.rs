//! Planned outages of v1 (brownouts) and the callers they affected.

use std::collections::BTreeMap;

use migrate_report::words::count;
use recording::usage::{Brownout, Consumer};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Summary of brownouts.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct BrownoutSummary {
    /// Brownout windows.
    pub(crate) windows: Vec<Brownout>,
    /// Minutes in windows for all keys and operations during which a shim was running.
    pub(crate) minutes: i64,
    /// Minutes in windows for some keys or operations only.
    pub(crate) partial_minutes: i64,
    /// Requests during brownouts, by key.
    pub(crate) hit: BTreeMap<String, u64>,
}

impl BrownoutSummary {
    pub(super) fn of(windows: &[Brownout], consumers: &[Consumer]) -> Self {
        let mut hit: BTreeMap<String, u64> = BTreeMap::new();
        for consumer in consumers {
            let requests = hits(consumer);
            if let (Some(key), 1..) = (&consumer.key, requests) {
                let sum = hit.entry(key.clone()).or_default();
                *sum = sum.saturating_add(requests);
            }
        }
        Self {
            windows: windows.to_vec(),
            minutes: minutes(windows, |window| !is_partial(window)),
            partial_minutes: minutes(windows, is_partial),
            hit,
        }
    }

    /// Describes the brownouts in one sentence; `None` if there were none.
    pub(super) fn sentence(&self) -> Option<String> {
        let last = self.windows.iter().map(|window| &window.ends).max()?;
        let windows = count(self.windows.len(), "brownout", "brownouts");
        let mut minutes = format!("{} without v1", count(self.minutes, "minute", "minutes"));
        if self.partial_minutes > 0 {
            let partial = count(self.partial_minutes, "minute", "minutes");
            minutes = format!("{minutes}, {partial} for some keys or operations");
        }
        let hit = self.hit.iter();
        let hit: Vec<_> = hit
            .map(|(key, requests)| format!("{key} {requests}"))
            .collect();
        let hit = match hit.as_slice() {
            [] => "no calls".to_owned(),
            hit => format!("hit: {}", hit.join(", ")),
        };
        Some(format!(
            "{windows}, {minutes}, the last until {last}; {hit}"
        ))
    }
}

/// Requests of a consumer during brownouts.
pub(super) fn hits(consumer: &Consumer) -> u64 {
    let used = consumer.operations.iter();
    used.fold(0, |sum, used| sum.saturating_add(used.outcomes.brownout))
}

fn is_partial(window: &Brownout) -> bool {
    !window.keys.is_empty() || !window.operations.is_empty()
}

/// Minutes in windows during which a shim was running. Overlapping windows, of several sections or
/// shims, count once.
fn minutes(windows: &[Brownout], counts: impl Fn(&Brownout) -> bool) -> i64 {
    let at = |text: &str| {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
        moment.map_or(0, OffsetDateTime::unix_timestamp)
    };
    let windows = windows.iter().filter(|window| counts(window));
    let mut times: Vec<_> = windows
        .map(|window| (at(&window.first), at(&window.last)))
        .collect();
    times.sort_unstable();
    let (mut seconds, mut counted) = (0_i64, i64::MIN);
    for (first, last) in times {
        let first = first.max(counted);
        seconds = seconds.saturating_add(last.saturating_sub(first).max(0));
        counted = counted.max(last);
    }
    seconds / 60
}
