//! Start of a report: a day, or a number of days ago.

use std::str::FromStr;

use recording::usage::day_of;
use time::{Date, Duration, OffsetDateTime};

/// Start of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Day(Date),
    DaysAgo(i64),
}

impl Since {
    pub(crate) fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::DaysAgo(days) => {
                let today = OffsetDateTime::now_utc().date();
                today.checked_sub(Duration::days(days)).unwrap_or(Date::MIN)
            }
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        match days.filter(|days| (0..=3660).contains(days)) {
            Some(days) => Ok(Self::DaysAgo(days)),
            None => day_of(text)
                .filter(|_| text.len() == 10)
                .map(Self::Day)
                .ok_or_else(|| "write days as 7d, or a day as 2026-11-22".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_days_ago_and_days() {
        assert_eq!("7d".parse(), Ok(Since::DaysAgo(7)));
        let day = day_of("2026-11-22").unwrap();
        assert_eq!("2026-11-22".parse(), Ok(Since::Day(day)));
        for wrong in ["", "d", "7", "-1d", "9999d", "2026-11-22T10", "week"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}
