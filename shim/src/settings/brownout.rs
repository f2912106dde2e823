//! Validates a `[[brownout]]`: announced windows in which v1 returns errors before it ends.
//!
//! The windows depend only on settings and clock, so that they are the same after a restart and on
//! every replica.

use std::collections::BTreeSet;

use mappings::{Catalog, catalog::operation::Operation};
use time::{Date, OffsetDateTime, Time, format_description::well_known::Iso8601};
use url::Url;

use super::{
    Deprecation,
    origin::{Mistakes, Placed},
    table::BrownoutKeys,
    tenant::check_operations,
};

/// Windows in which v1 returns errors. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrownoutConfig {
    from: i64,
    to: i64,
    windows: Windows,
    /// Keys of the callers; empty for all.
    keys: BTreeSet<String>,
    /// Operations; empty for all.
    operations: BTreeSet<String>,
    /// The day on which v1 ends.
    pub(crate) sunset: Date,
    /// URL of instructions for migrating.
    pub(crate) link: Url,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Windows {
    One,
    /// `seconds` between the starts of two windows, and their lengths; the last length repeats.
    Every {
        seconds: i64,
        lengths: Vec<i64>,
    },
}

/// A window, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// Its first second.
    pub begins: i64,
    /// The first second behind it.
    pub ends: i64,
}

impl BrownoutConfig {
    /// The window around a time.
    pub fn window(&self, at: i64) -> Option<Window> {
        self.next(at).filter(|window| window.begins <= at)
    }

    /// The window around a time, else the next one.
    pub fn next(&self, at: i64) -> Option<Window> {
        let window = match &self.windows {
            Windows::One => Window {
                begins: self.from,
                ends: self.to,
            },
            Windows::Every { seconds, lengths } => {
                let number = at.saturating_sub(self.from).div_euclid(*seconds).max(0);
                let this = self.numbered(number, *seconds, lengths);
                if at < this.ends {
                    this
                } else {
                    self.numbered(number + 1, *seconds, lengths)
                }
            }
        };
        (at < window.ends && window.begins < window.ends).then_some(window)
    }

    fn numbered(&self, number: i64, seconds: i64, lengths: &[i64]) -> Window {
        let begins = self.from.saturating_add(number.saturating_mul(seconds));
        let of_number = usize::try_from(number).ok().and_then(|at| lengths.get(at));
        let length = of_number.or(lengths.last()).copied().unwrap_or_default();
        Window {
            begins,
            ends: begins.saturating_add(length).min(self.to),
        }
    }

    /// True if the brownout applies to a key and an operation.
    pub(crate) fn concerns(&self, key: &str, operation: &Operation) -> bool {
        (self.keys.is_empty() || self.keys.contains(key))
            && (self.operations.is_empty() || self.operations.contains(&operation.name))
    }

    /// Keys and operations to which it applies; empty for all.
    pub(crate) fn scope(&self) -> (&BTreeSet<String>, &BTreeSet<String>) {
        (&self.keys, &self.operations)
    }

    /// `None` after a mistake. `keys` are the tenants' keys, if they are valid.
    pub(super) fn from_settings(
        written: &BrownoutKeys,
        (end, keys): (Option<&Deprecation>, Option<&BTreeSet<&str>>),
        catalog: &Catalog,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        check_operations(&written.operations.value, catalog, mistakes);
        check_keys("brownout.keys", &written.keys.value, keys, mistakes);
        let from = bound("from", written, &written.from, Bound::From, mistakes);
        let to = bound("to", written, &written.to, Bound::To, mistakes);
        let windows = windows(written, mistakes);
        let (from, to, end) = (from?, to?, end?);
        let last = end.sunset.midnight().assume_utc().unix_timestamp();
        if to <= from {
            let text = "brownout.to is not after brownout.from";
            mistakes.add(written.to.origin.clone(), text);
        } else if to > last.saturating_add(DAY) {
            let text = format!(
                "brownout.to is after deprecation.sunset = \"{}\", the day that the error names; set \
                 that to the day on which you will switch v1 off",
                end.sunset
            );
            mistakes.add(written.to.origin.clone(), text);
        }
        Some(Self {
            from,
            to,
            windows: windows?,
            keys: values(&written.keys.value),
            operations: values(&written.operations.value),
            sunset: end.sunset,
            link: end.link.clone(),
        })
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reports keys without a tenant.
pub(super) fn check_keys(
    path: &str,
    written: &[Placed<String>],
    known: Option<&BTreeSet<&str>>,
    mistakes: &Mistakes,
) {
    let Some(known) = known else { return };
    for key in written {
        if !known.contains(key.value.as_str()) {
            let text = format!("{path}: no [[tenant]] has the api_key {:?}", key.value);
            mistakes.add(key.origin.clone(), text);
        }
    }
}

pub(super) fn values(written: &[Placed<String>]) -> BTreeSet<String> {
    written.iter().map(|placed| placed.value.clone()).collect()
}

fn windows(written: &BrownoutKeys, mistakes: &Mistakes) -> Option<Windows> {
    let minutes = &written.minutes;
    let Some(hours) = written.every_hours.value else {
        if minutes.value.is_empty() {
            return Some(Windows::One);
        }
        let text = "brownout.minutes needs every_hours; without both, one window lasts from `from` to `to`";
        mistakes.add(minutes.origin.clone(), text);
        return None;
    };
    let seconds = i64::try_from(hours).ok()?.checked_mul(HOUR)?;
    let mut lengths = Vec::new();
    for length in &minutes.value {
        let number: Option<i64> = length.value.trim().parse().ok();
        let number = number.filter(|number| *number > 0 && *number <= seconds / MINUTE);
        if number.is_none() {
            let text = format!(
                "brownout.minutes: {:?} is no number of minutes from 1 to {}, which is every_hours",
                length.value,
                seconds / MINUTE
            );
            mistakes.add(length.origin.clone(), text);
        }
        lengths.extend(number.map(|number| number * MINUTE));
    }
    if minutes.value.is_empty() {
        let text = "brownout.every_hours needs minutes: how long each window lasts";
        mistakes.add(written.every_hours.origin.clone(), text);
    }
    (lengths.len() == minutes.value.len() && !lengths.is_empty())
        .then_some(Windows::Every { seconds, lengths })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    From,
    To,
}

fn bound(
    name: &str,
    section: &BrownoutKeys,
    written: &Placed<Option<String>>,
    bound: Bound,
    mistakes: &Mistakes,
) -> Option<i64> {
    let Some(text) = &written.value else {
        if !section.section.is_broken {
            let text = format!("this [[brownout]] has no {name}");
            mistakes.add(section.section.origin.clone(), text);
        }
        return None;
    };
    let moment = moment(text.trim(), bound);
    if moment.is_none() {
        let text = format!(
            "brownout.{name} = {text:?} is no moment; write it in UTC, as 2027-03-01 or \
             2027-03-01 10:00"
        );
        mistakes.add(written.origin.clone(), text);
    }
    moment
}

/// `2027-03-01`, `2027-03-01 10:00`, `2027-03-01T10:00:00Z`
fn moment(text: &str, bound: Bound) -> Option<i64> {
    let (day, time) = text.split_at_checked(10)?;
    let day = Date::parse(day, &Iso8601::DATE).ok()?;
    let time = time.trim_start_matches([' ', 'T']).trim_end_matches('Z');
    if time.is_empty() {
        let midnight = day.midnight().assume_utc().unix_timestamp();
        return Some(if bound == Bound::To {
            midnight + DAY
        } else {
            midnight
        });
    }
    let mut parts = time.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    let moment = OffsetDateTime::new_utc(day, time).unix_timestamp();
    parts.next().is_none().then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        moment(text, Bound::From).unwrap()
    }

    fn growing() -> BrownoutConfig {
        BrownoutConfig {
            from: at("2027-03-01 10:00"),
            to: at("2027-03-30"),
            windows: Windows::Every {
                seconds: 7 * DAY,
                lengths: vec![5 * MINUTE, 15 * MINUTE, HOUR],
            },
            keys: BTreeSet::new(),
            operations: BTreeSet::new(),
            sunset: Date::from_calendar_date(2027, time::Month::June, 30).unwrap(),
            link: "https://example.com/".parse().unwrap(),
        }
    }

    #[test]
    fn windows_grow_and_the_last_length_repeats() {
        let brownout = growing();
        for (moment, window) in [
            ("2027-03-01 09:59:59", None),
            (
                "2027-03-01 10:00",
                Some(("2027-03-01 10:00", "2027-03-01 10:05")),
            ),
            (
                "2027-03-01 10:04:59",
                Some(("2027-03-01 10:00", "2027-03-01 10:05")),
            ),
            ("2027-03-01 10:05", None),
            (
                "2027-03-08 10:14",
                Some(("2027-03-08 10:00", "2027-03-08 10:15")),
            ),
            (
                "2027-03-15 10:59",
                Some(("2027-03-15 10:00", "2027-03-15 11:00")),
            ),
            (
                "2027-03-22 10:59",
                Some(("2027-03-22 10:00", "2027-03-22 11:00")),
            ),
            (
                "2027-03-29 10:59",
                Some(("2027-03-29 10:00", "2027-03-29 11:00")),
            ),
            ("2027-04-05 10:30", None),
        ] {
            let found = brownout.window(at(moment));
            let window = window.map(|(begins, ends)| Window {
                begins: at(begins),
                ends: at(ends),
            });
            assert_eq!(found, window, "{moment}");
        }
    }

    #[test]
    fn windows_go_over_midnight_years_and_the_changes_of_summer_time() {
        let every = |from: &str, to: &str, seconds, minutes: i64| BrownoutConfig {
            from: at(from),
            to: at(to),
            windows: Windows::Every {
                seconds,
                lengths: vec![minutes * MINUTE],
            },
            ..growing()
        };
        let nightly = every("2027-12-30 23:50", "2028-03-28", DAY, 20);
        for (moment, is_in) in [
            ("2027-12-30 23:49:59", false),
            ("2027-12-30 23:50", true),
            ("2027-12-31 00:09:59", true),
            ("2027-12-31 00:10", false),
            ("2028-01-01 00:05", true),
            ("2028-02-29 23:55", true),
            ("2028-03-01 00:05", true),
            // Daylight saving time ends in Europe on this day. UTC has none.
            ("2028-03-26 00:05", true),
            ("2028-03-26 01:05", false),
            ("2028-03-26 23:55", true),
            ("2028-03-27 23:59:59", true),
            // The last window ends with v1.
            ("2028-03-28 00:00", false),
        ] {
            assert_eq!(nightly.window(at(moment)).is_some(), is_in, "{moment}");
        }
        // Adjacent windows are merged.
        let always = every("2027-03-01", "2027-03-03", HOUR, 60);
        for moment in [
            "2027-03-01 00:00",
            "2027-03-01 00:59:59",
            "2027-03-01 01:00",
            "2027-03-02 23:59:59",
        ] {
            assert!(always.window(at(moment)).is_some(), "{moment}");
        }
        assert_eq!(always.window(at("2027-03-03 00:00")), None);
    }

    #[test]
    fn the_next_window_is_known_before_it_begins() {
        let brownout = growing();
        for (moment, begins) in [
            ("2027-01-01", Some("2027-03-01 10:00")),
            ("2027-03-01 10:02", Some("2027-03-01 10:00")),
            ("2027-03-01 10:05", Some("2027-03-08 10:00")),
            ("2027-03-29 11:00", None),
            ("2028-01-01", None),
        ] {
            let next = brownout.next(at(moment)).map(|window| window.begins);
            assert_eq!(next, begins.map(at), "{moment}");
        }
    }

    #[test]
    fn a_window_is_cut_at_the_end() {
        let brownout = BrownoutConfig {
            to: at("2027-03-15 10:30"),
            ..growing()
        };
        let window = brownout.window(at("2027-03-15 10:10")).unwrap();
        assert_eq!(window.ends, at("2027-03-15 10:30"));
        assert_eq!(brownout.window(at("2027-03-15 10:30")), None);
    }

    #[test]
    fn moments_are_read_in_several_spellings() {
        for text in [
            "2027-03-01 10:00",
            "2027-03-01T10:00Z",
            "2027-03-01T10:00:00Z",
        ] {
            assert_eq!(at(text), at("2027-03-01") + 10 * HOUR, "{text}");
        }
        assert_eq!(moment("2027-03-01", Bound::To), Some(at("2027-03-02")));
        for wrong in [
            "",
            "2027-03",
            "2027-13-01",
            "2027-03-01 10",
            "2027-03-01 25:00",
            "2027-03-01 10:00:00:00",
            "Ümlaut-ümlaut",
        ] {
            assert_eq!(moment(wrong, Bound::From), None, "{wrong}");
        }
    }
}
