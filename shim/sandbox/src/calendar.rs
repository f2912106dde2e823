//! Dates and times in v2's formats: `2026-01-31` and `2026-01-31T09:30:00Z`, in UTC.

use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Month, OffsetDateTime, Time};

/// Parses the date at the start of a text.
pub(crate) fn date(text: &str) -> Option<Date> {
    let mut parts = text.get(..10)?.split('-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// Parses a timestamp; UTC if it has no offset.
pub(crate) fn time(text: &str) -> Option<OffsetDateTime> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    parsed
        .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
        .ok()
        .map(|time| time.to_offset(time::UtcOffset::UTC))
}

/// v2's time format: UTC, whole seconds, `Z`.
pub(crate) fn timestamp(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_default()
}

/// The same day of the previous month, or its last day.
pub(crate) fn month_before(date: Date) -> Date {
    let previous = date.replace_day(1).ok().and_then(Date::previous_day);
    previous.map_or(date, |last| last.replace_day(date.day()).unwrap_or(last))
}

/// Midnight of a day.
pub(crate) fn midnight(date: Date) -> OffsetDateTime {
    date.with_time(Time::MIDNIGHT).assume_utc()
}

/// `09:30` for 9 minutes and 30 seconds, `01:02:03` from an hour on.
pub(crate) fn clock(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// A duration of `amount` units: `day(s)`, `hour(s)`, `min` or `s`.
pub(crate) fn duration(amount: i64, unit: &str) -> Option<Duration> {
    let seconds = match unit {
        "day" | "days" => 86_400,
        "hour" | "hours" => 3_600,
        "min" => 60,
        "s" => 1,
        _ => return None,
    };
    amount.checked_mul(seconds).map(Duration::seconds)
}
