//! Timestamps in words.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Time elapsed since a timestamp: `4 days 8 hours 40 mins`.
pub(super) fn elapsed(moment: &str, now: i64) -> Option<String> {
    let then = OffsetDateTime::parse(moment, &Rfc3339)
        .ok()?
        .unix_timestamp();
    let minutes = now.saturating_sub(then).max(0) / 60;
    let parts = [
        (minutes / (24 * 60), "day"),
        (minutes / 60 % 24, "hour"),
        (minutes % 60, "min"),
    ];
    let words: Vec<_> = parts
        .into_iter()
        .filter(|(count, unit)| *count > 0 || (minutes == 0 && *unit == "min"))
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    Some(words.join(" "))
}
