//! Dates and timestamps in the spellings of v1 clients.

use std::sync::LazyLock;

use jiff::{civil, tz::TimeZoneDatabase};
use time::{
    Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset,
    format_description::well_known::Rfc3339,
};

/// Bundled time zones, so that nothing is read from the host.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Parses a timestamp such as `2016-11-20T12:00:00Z`, also with fractional seconds, without leading
/// zeros, with an offset, or as a date alone. UTC if there is no offset or a trailing `Z`.
pub(crate) fn moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let (date, rest) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let date = numeric_date(date)?;
    let (time, offset) = clock(rest.trim())?;
    let local = PrimitiveDateTime::new(date, time);
    local
        .assume_utc()
        .checked_sub(Duration::seconds(offset.whole_seconds().into()))
}

/// Parses a date, or the date of a timestamp, also with slashes or in US order: `11/20/2016`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let first = text.split(['T', 't', ' ']).next()?;
    numeric_date(first).or_else(|| american_date(first))
}

/// Normalizes a date or timestamp, also in US form: `07/01/2017 03:00 pm`. Timestamps with an
/// offset are converted to UTC and end with `Z`; others stay local.
pub(crate) fn local(text: &str) -> Option<String> {
    let text = text.trim();
    let (day, clock_time) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let date = numeric_date(day).or_else(|| american_date(day))?;
    let clock_time = clock_time.trim();
    if clock_time.is_empty() {
        return Some(date.to_string());
    }
    if clock_time.ends_with(['Z', 'z']) || clock_time.contains(['+', '-']) {
        let moment = moment(&format!("{date}T{clock_time}"))?;
        return timestamp(moment.unix_timestamp());
    }
    let lower = clock_time.to_lowercase();
    let (half, time) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(time), _) => (Some(0), time),
        (_, Some(time)) => (Some(12), time),
        _ => (None, lower.as_str()),
    };
    let (time, _) = clock(time.trim())?;
    let time = match half {
        None => time,
        Some(half) if (1..=12).contains(&time.hour()) => {
            time.replace_hour(time.hour() % 12 + half).ok()?
        }
        Some(_) => return None,
    };
    let (hour, minute, second) = time.as_hms();
    Some(format!("{date}T{hour:02}:{minute:02}:{second:02}"))
}

/// The instant of a text returned by [`local`], in a time zone, or in UTC if the zone is unknown. A
/// date alone means its first second, or its last one if `is_end`.
pub(crate) fn in_zone(text: &str, zone: Option<&str>, is_end: bool) -> Option<OffsetDateTime> {
    if text.ends_with('Z') {
        return moment(text);
    }
    let last = if is_end && !text.contains('T') {
        "T23:59:59"
    } else {
        ""
    };
    let local = moment(&format!("{text}{last}"))?;
    let Some(zone) = zone.and_then(|name| ZONES.get(name).ok()) else {
        return Some(local);
    };
    let number = |number: u8| i8::try_from(number).ok();
    let civil = civil::DateTime::new(
        i16::try_from(local.year()).ok()?,
        number(local.month().into())?,
        number(local.day())?,
        number(local.hour())?,
        number(local.minute())?,
        number(local.second())?,
        0,
    );
    let found = zone.to_timestamp(civil.ok()?).ok()?;
    OffsetDateTime::from_unix_timestamp(found.as_second()).ok()
}

/// v1's timestamp format: UTC, whole seconds. `None` if out of range.
pub(crate) fn timestamp(unix_seconds: i64) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(unix_seconds).ok()?;
    moment.format(&Rfc3339).ok()
}

/// UTC date of a time in Unix seconds.
pub(crate) fn day_of(seconds: i64) -> Date {
    let moment = OffsetDateTime::from_unix_timestamp(seconds);
    moment.unwrap_or(OffsetDateTime::UNIX_EPOCH).date()
}

/// The same day this many months earlier, or the last day of that month if it is shorter.
pub(crate) fn months_before(date: Date, months: i64) -> Date {
    let month = i64::from(date.year()).saturating_mul(12) + i64::from(u8::from(date.month())) - 1;
    let month = month.saturating_sub(months.max(0));
    let first = i32::try_from(month.div_euclid(12)).ok().and_then(|year| {
        let month = u8::try_from(month.rem_euclid(12) + 1).ok()?;
        Date::from_calendar_date(year, Month::try_from(month).ok()?, 1).ok()
    });
    let Some(first) = first else { return Date::MIN };
    let day = date.day().min(first.month().length(first.year()));
    first.replace_day(day).unwrap_or(first)
}

fn numeric_date(text: &str) -> Option<Date> {
    let mut parts = text.split(['-', '/']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    calendar_date(year, month, day)
}

fn american_date(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    calendar_date(year, month, day)
}

fn calendar_date(year: &str, month: &str, day: &str) -> Option<Date> {
    let month = Month::try_from(number::<u8>(month, 2)?).ok()?;
    let year = i32::from(number::<u16>(year, 4)?);
    Date::from_calendar_date(year, month, number(day, 2)?).ok()
}

/// Parses time of day and offset.
fn clock(text: &str) -> Option<(Time, UtcOffset)> {
    let (text, is_utc) = match text.strip_suffix(['Z', 'z']) {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (time, offset) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let offset = if offset.is_empty() {
        UtcOffset::UTC
    } else {
        self::offset(offset)?
    };
    let offset = if is_utc { UtcOffset::UTC } else { offset };
    if time.is_empty() {
        return Some((Time::MIDNIGHT, offset));
    }
    let mut parts = time.trim().split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("0");
    let second = second
        .split_once(['.', ','])
        .map_or(second, |(whole, _)| whole);
    if parts.next().is_some() {
        return None;
    }
    let time = Time::from_hms(number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    Some((time.ok()?, offset))
}

fn offset(text: &str) -> Option<UtcOffset> {
    let is_west = text.starts_with('-');
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let hours: i8 = number(digits.get(..2)?, 2)?;
    let minutes: i8 = match digits.get(2..)? {
        "" => 0,
        minutes => number(minutes, 2)?,
    };
    let sign = if is_west { -1 } else { 1 };
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

/// Parses a number with at most this many digits.
fn number<N: std::str::FromStr>(text: &str, digits: usize) -> Option<N> {
    let is_number = (1..=digits).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_timestamp_spellings_of_clients() {
        let read = |text: &str| timestamp(moment(text)?.unix_timestamp());
        for (text, wanted) in [
            ("2016-11-20T12:00:00Z", "2016-11-20T12:00:00Z"),
            ("2018-05-09T10:00:00.123Z", "2018-05-09T10:00:00Z"),
            ("2016-1-5T9:5:0Z", "2016-01-05T09:05:00Z"),
            ("2018-08-19T01:03:21-07:00Z", "2018-08-19T01:03:21Z"),
            ("2018-08-19T01:03:21-07:00", "2018-08-19T08:03:21Z"),
            ("2016-11-20", "2016-11-20T00:00:00Z"),
            ("2016-11-20 12:00", "2016-11-20T12:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "11/29/2016 3:05:00 PM",
            "",
            "2016-13-01",
            "2016-11-20T25:00:00Z",
            "tomorrow",
            "9999-12-31T23:59:59-23:59",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn parses_date_spellings_of_clients() {
        let read = |text: &str| date(text).map(|date| date.to_string());
        for text in [
            "2017-07-01",
            "2017-7-1",
            "2017-07-01T15:50:47Z",
            "2017/07/01",
            "07/01/2017 03:00 pm",
        ] {
            assert_eq!(read(text).as_deref(), Some("2017-07-01"), "{text}");
        }
        assert_eq!(read("2017-02-30"), None);
    }

    #[test]
    fn local_times_use_the_time_zone() {
        let read = |text: &str, zone: &str, is_end| {
            let found = in_zone(&local(text)?, Some(zone), is_end)?;
            timestamp(found.unix_timestamp())
        };
        let (angeles, nowhere) = ("America/Los_Angeles", "GMT+5:30");
        for (text, zone, is_end, wanted) in [
            (
                "07/01/2017 03:00 pm",
                angeles,
                false,
                "2017-07-01T22:00:00Z",
            ),
            (
                "12/31/2017 12:30 AM",
                angeles,
                false,
                "2017-12-31T08:30:00Z",
            ),
            (
                "12/31/2017 12:30 PM",
                angeles,
                false,
                "2017-12-31T20:30:00Z",
            ),
            ("2017-07-01 15:00", angeles, false, "2017-07-01T22:00:00Z"),
            ("2017-07-01", angeles, false, "2017-07-01T07:00:00Z"),
            ("2017-07-01", angeles, true, "2017-07-02T06:59:59Z"),
            (
                "2013-04-05T15:50:47Z",
                angeles,
                true,
                "2013-04-05T15:50:47Z",
            ),
            (
                "2013-04-05T15:50:47+02:00",
                angeles,
                true,
                "2013-04-05T13:50:47Z",
            ),
            ("2017-07-01", nowhere, true, "2017-07-01T23:59:59Z"),
            // Hour skipped by daylight saving time.
            ("2017-03-12 02:30", angeles, false, "2017-03-12T10:30:00Z"),
        ] {
            assert_eq!(read(text, zone, is_end).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "07/01/2017 13:00 pm",
            "07/01/2017 00:00 am",
            "noon",
            "2017-07-01 25:00",
        ] {
            assert_eq!(local(text), None, "{text}");
        }
    }

    #[test]
    fn month_before_is_the_same_day_or_the_last() {
        let before = |text: &str, months| months_before(date(text).unwrap(), months).to_string();
        assert_eq!(before("2017-07-15", 1), "2017-06-15");
        assert_eq!(before("2017-03-31", 1), "2017-02-28");
        assert_eq!(before("2017-01-10", 1), "2016-12-10");
        assert_eq!(before("2017-01-10", 24), "2015-01-10");
        assert_eq!(before("2017-01-10", i64::MAX), Date::MIN.to_string());
    }
}
