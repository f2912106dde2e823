//! Reports of past meetings, by host and by day.

use crate::request::Typed as _;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Date, Month};

use super::super::Call;
use super::super::template::shown;
use crate::calendar;
use crate::error::ApiError;
use crate::user::Status;

/// Number of months covered by the daily report.
const MONTHS: i32 = 6;

/// Totals of past meetings.
#[derive(Default)]
struct Sums {
    meetings: i64,
    participants: i64,
    minutes: i64,
}

/// Totals of past instances on matching days, grouped by a key.
fn sums(call: &Call<'_>, key: &str, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Sums> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for (_, instance) in call.store.all("instances") {
        let text = |member: &str| instance.get(member).map(shown).unwrap_or_default();
        let number = |member: &str| instance.integer(member).unwrap_or_default();
        let start = text("start_time");
        let day = start.get(..10).unwrap_or_default();
        if instance.get("end_time").is_none() || !wanted(day) {
            continue;
        }
        let by = if key == "day" {
            day.to_owned()
        } else {
            text(key)
        };
        let sum = sums.entry(by).or_default();
        sum.meetings += 1;
        sum.participants += number("participants_count");
        sum.minutes += number("total_minutes");
    }
    sums
}

/// All active users with their totals in a date range; `_active` marks hosts of meetings.
pub(super) fn by_host(call: &Call<'_>, range: Option<&(String, String)>) -> Vec<(u64, Value)> {
    let wanted =
        |day: &str| range.is_none_or(|(from, to)| from.as_str() <= day && day <= to.as_str());
    let sums = sums(call, "host_id", wanted);
    let none = Sums::default();
    let users = call
        .account
        .users
        .after(0)
        .filter(|(_, user)| user.status == Status::Active);
    users
        .map(|(number, user)| {
            let held = sums.get(&user.id);
            let sum = held.unwrap_or(&none);
            let entry = json!({
                "id": user.id,
                "email": user.email,
                "user_name": user.display_name(),
                "type": user.plan,
                "dept": user.text("dept"),
                "meetings": sum.meetings,
                "participants": sum.participants,
                "meeting_minutes": sum.minutes,
                "_active": held.is_some(),
                "_groups": user.groups,
            });
            (number, entry)
        })
        .collect()
}

/// Days of the month named by the query, up to today.
///
/// # Errors
///
/// If the month is too old.
pub(super) fn by_day(call: &Call<'_>) -> Result<Vec<(u64, Value)>, ApiError> {
    let today = call.now().date();
    let number = |name: &str| {
        call.parameter(name)
            .and_then(|text| text.parse::<i32>().ok())
    };
    let year = number("year").unwrap_or(today.year());
    let month = number("month").unwrap_or(i32::from(u8::from(today.month())));
    let months = |year: i32, month: i32| year.saturating_mul(12).saturating_add(month);
    let age =
        months(today.year(), u8::from(today.month()).into()).saturating_sub(months(year, month));
    let first = u8::try_from(month)
        .ok()
        .and_then(|month| Month::try_from(month).ok())
        .and_then(|month| Date::from_calendar_date(year, month, 1).ok());
    let Some(first) = first.filter(|_| (0..MONTHS).contains(&age)) else {
        return Err(call.error("daily_report_too_old"));
    };
    let prefix = first.to_string();
    let prefix = prefix.get(..7).unwrap_or_default();
    let sums = sums(call, "day", |day| day.starts_with(prefix));
    let none = Sums::default();
    let days = std::iter::successors(Some(first), |day| day.next_day());
    let days = days.take_while(|day| day.month() == first.month() && *day <= today);
    let entries = days.map(|day| {
        let new = |user: &&crate::user::User| user.created_at.date() == day;
        let date = day.to_string();
        let sum = sums.get(&date).unwrap_or(&none);
        json!({
            "date": date,
            "new_users": call.account.users.iter().filter(new).count(),
            "meetings": sum.meetings,
            "participants": sum.participants,
            "meeting_minutes": sum.minutes,
        })
    });
    Ok((1..).zip(entries).collect())
}

/// Days of a date range.
pub(super) fn days(range: Option<&(String, String)>) -> Vec<(u64, Value)> {
    let ends = range.and_then(|(from, to)| calendar::date(from).zip(calendar::date(to)));
    let Some((from, to)) = ends else {
        return Vec::new();
    };
    let days = std::iter::successors(Some(from), |day| day.next_day());
    let days = days.take_while(|day| *day <= to);
    (1..)
        .zip(days.map(|day| json!({ "date_time": day.to_string() })))
        .collect()
}
