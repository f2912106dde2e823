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
    /// How long a shim was running in them, in minutes.
    pub(crate) minutes: i64,
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
            minutes: windows.iter().map(seconds).sum::<i64>() / 60,
            hit,
        }
    }

    /// One sentence; `None` without a brownout.
    pub(super) fn words(&self) -> Option<String> {
        let last = self.windows.iter().map(|window| &window.ends).max()?;
        let windows = count(self.windows.len(), "brownout", "brownouts");
        let minutes = count(self.minutes, "minute", "minutes");
        let hit = self.hit.iter();
        let hit: Vec<_> = hit
            .map(|(key, requests)| format!("{key} {requests}"))
            .collect();
        let hit = match hit.as_slice() {
            [] => "nobody called".to_owned(),
            hit => format!("hit: {}", hit.join(", ")),
        };
        Some(format!(
            "{windows}, {minutes} without v1, the last until {last}; {hit}"
        ))
    }
}

/// How many requests of a consumer came in brownouts.
pub(super) fn hits(consumer: &Consumer) -> u64 {
    let used = consumer.operations.iter();
    used.fold(0, |sum, used| sum.saturating_add(used.outcomes.brownout))
}

/// How long a shim was running in a window.
fn seconds(window: &Brownout) -> i64 {
    let at = |text: &str| {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
        moment.map_or(0, OffsetDateTime::unix_timestamp)
    };
    at(&window.last).saturating_sub(at(&window.first)).max(0)
}
