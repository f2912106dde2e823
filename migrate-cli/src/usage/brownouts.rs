//! How long v1 was off on purpose, and who called all the same.

use std::collections::BTreeMap;

use migrate_report::words::count;
use recording::usage::{Brownout, Consumer};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What brownouts showed.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct BrownoutStory {
    /// The windows.
    pub(crate) windows: Vec<Brownout>,
    /// How long a shim was running in those that concerned all keys and operations, in minutes.
    pub(crate) minutes: i64,
    /// The same for those that concerned some only.
    pub(crate) partial_minutes: i64,
    /// Who called in them: requests by key.
    pub(crate) hit: BTreeMap<String, u64>,
}

impl BrownoutStory {
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

    /// One sentence; `None` without a brownout.
    pub(super) fn words(&self) -> Option<String> {
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

/// How many requests of a consumer came in brownouts.
pub(super) fn hits(consumer: &Consumer) -> u64 {
    let used = consumer.operations.iter();
    used.fold(0, |sum, used| sum.saturating_add(used.outcomes.brownout))
}

fn is_partial(window: &Brownout) -> bool {
    !window.keys.is_empty() || !window.operations.is_empty()
}

/// How long a shim was running in windows. Those that overlap count once: of several sections, or of
/// several shims.
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
