//! Occurrences of recurring meetings and webinars.

use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime};

use super::super::Call;
use super::super::template::shown;
use super::Outcome;
use crate::calendar;
use crate::error::ApiError;
use crate::request::{Members, Typed as _};

/// Maximum number of occurrences of a series, as in v2.
const MAX_OCCURRENCES: usize = 60;
/// Maximum interval between occurrences, in days, weeks or months.
const MAX_INTERVAL: i64 = 99;
/// Maximum duration in minutes.
const MAX_MINUTES: i64 = 100_000;
/// Types that recur at fixed times: meeting, webinar.
const RECURRING: [i64; 2] = [8, 9];
/// Types that occur once at a fixed time.
const ONCE: [i64; 2] = [2, 5];

/// Sets `occurrences` of a series, and `_until`, the end of the last one. Changes of single
/// occurrences are kept until the series changes.
pub(super) fn update_occurrences(object: &mut Members) {
    let kind = object.integer("type").unwrap_or_default();
    let start = object.text("start_time").and_then(calendar::time);
    let minutes = object
        .integer("duration")
        .unwrap_or(60)
        .clamp(0, MAX_MINUTES);
    let until = |start: OffsetDateTime| {
        let end = start.checked_add(Duration::minutes(minutes));
        end.map_or(Value::Null, |end| calendar::timestamp(end).into())
    };
    let series = json!([object.get("recurrence"), object.get("start_time"), minutes]);
    match (start, object.get("recurrence").cloned()) {
        (Some(start), Some(recurrence)) if RECURRING.contains(&kind) => {
            if object.get("_series") == Some(&series) {
                return;
            }
            let starts = starts(start, &recurrence);
            let last = starts.last().copied().unwrap_or(start);
            let occurrences = starts.iter().map(|start| {
                json!({
                    "occurrence_id": start.unix_timestamp().saturating_mul(1000).to_string(),
                    "start_time": calendar::timestamp(*start),
                    "duration": minutes,
                    "status": "available",
                })
            });
            object.insert("occurrences".to_owned(), occurrences.collect());
            object.insert("_series".to_owned(), series);
            object.insert("_until".to_owned(), until(last));
        }
        (start, _) => {
            object.shift_remove("occurrences");
            object.shift_remove("_series");
            let until = start
                .filter(|_| ONCE.contains(&kind))
                .map_or(Value::Null, until);
            object.insert("_until".to_owned(), until);
        }
    }
}

/// Start times of a series. Days are in UTC.
fn starts(first: OffsetDateTime, recurrence: &Value) -> Vec<OffsetDateTime> {
    let number = |name: &str| recurrence.integer(name);
    let interval = number("repeat_interval")
        .unwrap_or(1)
        .clamp(1, MAX_INTERVAL);
    let end = recurrence.text("end_date_time").and_then(calendar::time);
    let times = match (number("end_times"), end) {
        (Some(times), _) if times > 0 => usize::try_from(times).unwrap_or(MAX_OCCURRENCES),
        (_, Some(_)) => MAX_OCCURRENCES,
        _ => 1,
    };
    let kind = number("type").unwrap_or(1);
    let days: Vec<i64> = recurrence
        .get("weekly_days")
        .map(shown)
        .unwrap_or_default()
        .split(',')
        .filter_map(|day| day.trim().parse().ok())
        .collect();
    let weekday = i64::from(first.weekday().number_days_from_sunday());
    let mut found = Vec::new();
    // Day by day until the series or the calendar ends.
    for ahead in 0..interval.saturating_mul(366 * 5) {
        let Some(start) = first.checked_add(Duration::days(ahead)) else {
            break;
        };
        if found.len() >= times.min(MAX_OCCURRENCES) || end.is_some_and(|end| start > end) {
            break;
        }
        let fits = match kind {
            2 => {
                let today = i64::from(start.weekday().number_days_from_sunday());
                let wanted = if days.is_empty() {
                    today == weekday
                } else {
                    days.contains(&(today + 1))
                };
                wanted && (ahead + weekday) / 7 % interval == 0
            }
            3 => {
                months_between(first.date(), start.date()) % interval == 0
                    && in_month(start.date(), first.date(), recurrence)
            }
            _ => ahead % interval == 0,
        };
        if fits {
            found.push(start);
        }
    }
    found
}

fn months_between(first: Date, other: Date) -> i64 {
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(u8::from(date.month()));
    months(other) - months(first)
}

/// True if the day is the series' day of its month.
fn in_month(day: Date, first: Date, recurrence: &Value) -> bool {
    let number = |name: &str| recurrence.integer(name);
    match (number("monthly_week"), number("monthly_week_day")) {
        (Some(week), Some(weekday)) => {
            let right_day = i64::from(day.weekday().number_days_from_sunday()) + 1 == weekday;
            let right_week = if week < 0 {
                day.checked_add(Duration::WEEK)
                    .is_none_or(|next| next.month() != day.month())
            } else {
                i64::from((day.day() - 1) / 7) + 1 == week
            };
            right_day && right_week
        }
        _ => i64::from(day.day()) == number("monthly_day").unwrap_or(i64::from(first.day())),
    }
}

/// Shows, changes or deletes the occurrence named by the query.
pub(super) fn occurrence(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let (Some(id), Some(key)) = (call.parameter("occurrence_id"), call.target()) else {
        return Ok(Outcome::Default);
    };
    let Some(Value::Object(mut object)) = call.store.get(key).cloned() else {
        return Ok(Outcome::Default);
    };
    let occurrences = object.get_mut("occurrences").and_then(Value::as_array_mut);
    let named = |entry: &&mut Value| {
        let available = entry
            .get("status")
            .is_some_and(|status| status == "available");
        available && entry.get("occurrence_id").is_some_and(|own| *own == *id)
    };
    let found = occurrences.and_then(|occurrences| occurrences.iter_mut().find(named));
    let Some(occurrence) = found.and_then(Value::as_object_mut) else {
        return Err(call.error(&format!("{}_occurrence_unknown", key.collection)));
    };
    match call.method() {
        "GET" => {
            let own = Value::Object(occurrence.clone());
            for member in ["start_time", "duration"] {
                object.insert(
                    member.to_owned(),
                    own.get(member).cloned().unwrap_or_default(),
                );
            }
            object.insert("occurrences".to_owned(), json!([own]));
            return Ok(Outcome::Answer(Value::Object(object)));
        }
        "DELETE" => {
            occurrence.insert("status".to_owned(), "deleted".into());
        }
        _ => {
            for member in ["start_time", "duration"] {
                if let Some(value) = call.body().get(member) {
                    occurrence.insert(member.to_owned(), value.clone());
                }
            }
        }
    }
    call.store.set(key, Value::Object(object));
    Ok(Outcome::Answer(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(recurrence: &Value) -> Vec<String> {
        // A Wednesday.
        let first = calendar::time("2026-04-01T09:30:00Z").expect("a time");
        let starts = starts(first, recurrence);
        starts
            .iter()
            .map(|start| start.date().to_string())
            .collect()
    }

    #[test]
    fn counts_days_weeks_and_months() {
        assert_eq!(
            dates(&json!({ "type": 1, "repeat_interval": 2, "end_times": 3 })),
            ["2026-04-01", "2026-04-03", "2026-04-05"]
        );
        assert_eq!(
            dates(
                &json!({ "type": 2, "weekly_days": "2,4", "repeat_interval": 2, "end_times": 4 })
            ),
            ["2026-04-01", "2026-04-13", "2026-04-15", "2026-04-27"]
        );
        assert_eq!(
            dates(&json!({ "type": 3, "monthly_day": 31, "end_times": 2 })),
            ["2026-05-31", "2026-07-31"]
        );
        assert_eq!(
            dates(
                &json!({ "type": 3, "monthly_week": -1, "monthly_week_day": 6, "end_date_time": "2026-06-01T00:00:00Z" })
            ),
            ["2026-04-24", "2026-05-29"]
        );
        assert_eq!(
            dates(&json!({ "type": 1, "end_times": 99 })).len(),
            MAX_OCCURRENCES
        );
    }
}
