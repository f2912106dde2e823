//! Reads a ledger into a usage document.

use std::{collections::BTreeMap, path::Path};

use recording::{
    moment,
    usage::{Consumer, FORMAT, Gap, Kept, OperationUse, Outcomes, ParameterUse, Usage, day_name},
};
use rusqlite::{Connection, Row, params};
use time::{Date, OffsetDateTime};

use super::{LedgerError, database::open_to_read, day};

/// What somebody wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this key; empty for requests that were refused before anybody knew whose they are.
    pub key: Option<String>,
    /// Only from this day on.
    pub since: Option<Date>,
    /// How many consumers at most.
    pub limit: usize,
    /// Only those behind this one: [`Usage::next`] of the document before.
    pub after: Option<i64>,
}

const CONSUMERS: &str = "
SELECT id, key, address, agent FROM consumer
WHERE id > ?1 AND (?2 IS NULL OR key = ?2) AND EXISTS (
    SELECT 1 FROM calls
    WHERE consumer = id AND day BETWEEN ?3 AND ?4 AND (?5 IS NULL OR operation = ?5)
)
ORDER BY id LIMIT ?6";

const CALLS: &str = "
SELECT operation, day, answered, error, not_served, refused, trouble, first, last FROM calls
WHERE consumer = ?1 AND day BETWEEN ?2 AND ?3 AND (?4 IS NULL OR operation = ?4)";

const PARAMETERS: &str = "
SELECT operation, role, name, requests FROM parameter
WHERE consumer = ?1 AND last >= ?2 AND (?3 IS NULL OR operation = ?3)
ORDER BY operation, role, name";

/// One row of `calls`.
struct Calls {
    operation: String,
    day: i64,
    outcomes: Outcomes,
    first: i64,
    last: i64,
}

/// What is known of one operation, or of all.
struct Span {
    first: i64,
    last: i64,
    outcomes: Outcomes,
}

/// The days that somebody wants to know of, since 1970.
#[derive(Clone, Copy)]
struct Days {
    first: i64,
    last: i64,
}

pub(super) fn read(file: &Path, filter: &Filter, now: i64) -> Result<Usage, LedgerError> {
    let mut connection = open_to_read(file)?;
    // All that follows sees the same moment.
    let reading = connection.transaction()?;
    // Days after today come from a clock that was ahead.
    let days = Days {
        first: filter.since.map_or(i64::MIN, unix_day),
        last: day(now).into(),
    };
    let mut consumers = consumers(&reading, filter, days)?;
    let next = if consumers.len() > filter.limit {
        consumers.truncate(filter.limit);
        consumers.last().map(|(id, _)| *id)
    } else {
        None
    };
    for (id, consumer) in &mut consumers {
        fill(&reading, *id, consumer, filter, days)?;
    }
    Ok(Usage {
        format: FORMAT,
        at: instant(now),
        kept: kept(&reading, days)?,
        unwritten: 0,
        consumers: consumers
            .into_iter()
            .map(|(_, consumer)| consumer)
            .collect(),
        next,
    })
}

fn consumers(
    reading: &Connection,
    filter: &Filter,
    days: Days,
) -> rusqlite::Result<Vec<(i64, Consumer)>> {
    let after = filter.after.unwrap_or(i64::MIN);
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut statement = reading.prepare(CONSUMERS)?;
    let rows = statement.query_map(
        params![
            after,
            filter.key,
            days.first,
            days.last,
            filter.operation,
            limit.saturating_add(1)
        ],
        |row| {
            let key: String = row.get("key")?;
            let consumer = Consumer {
                key: (!key.is_empty()).then_some(key),
                address: row.get("address")?,
                user_agent: row.get("agent")?,
                ..Consumer::default()
            };
            Ok((row.get("id")?, consumer))
        },
    )?;
    rows.collect()
}

fn fill(
    reading: &Connection,
    id: i64,
    consumer: &mut Consumer,
    filter: &Filter,
    days: Days,
) -> rusqlite::Result<()> {
    let mut statement = reading.prepare(CALLS)?;
    let given = params![id, days.first, days.last, filter.operation];
    let rows = statement.query_map(given, calls)?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;

    let mut called: Vec<_> = rows.iter().map(|calls| calls.day).collect();
    called.sort_unstable();
    let pauses = called.iter().zip(called.iter().skip(1));
    let longest = pauses.map(|(one, next)| next.saturating_sub(*one)).max();
    consumer.longest_pause_days = longest.and_then(|days| days.try_into().ok()).unwrap_or(0);

    let mut operations: BTreeMap<String, Span> = BTreeMap::new();
    let mut all = (i64::MAX, i64::MIN);
    for calls in rows {
        all = (all.0.min(calls.first), all.1.max(calls.last));
        let span = operations.entry(calls.operation).or_insert(Span {
            first: i64::MAX,
            last: i64::MIN,
            outcomes: Outcomes::default(),
        });
        span.first = span.first.min(calls.first);
        span.last = span.last.max(calls.last);
        span.outcomes.add(&calls.outcomes);
    }
    (consumer.first, consumer.last) = (instant(all.0), instant(all.1));
    let mut uses: BTreeMap<String, OperationUse> = operations
        .into_iter()
        .map(|(operation, span)| {
            let named = OperationUse {
                operation: (!operation.is_empty()).then(|| operation.clone()),
                outcomes: span.outcomes,
                first: instant(span.first),
                last: instant(span.last),
                ..OperationUse::default()
            };
            (operation, named)
        })
        .collect();
    parameters(reading, id, filter, days.first, &mut uses)?;
    consumer.operations = uses.into_values().collect();
    Ok(())
}

fn parameters(
    reading: &Connection,
    id: i64,
    filter: &Filter,
    since: i64,
    uses: &mut BTreeMap<String, OperationUse>,
) -> rusqlite::Result<()> {
    let since = since.saturating_mul(24 * 60 * 60);
    let mut statement = reading.prepare(PARAMETERS)?;
    let mut rows = statement.query(params![id, since, filter.operation])?;
    while let Some(row) = rows.next()? {
        let operation: String = row.get("operation")?;
        let role: String = row.get("role")?;
        let parameter = ParameterUse {
            name: row.get("name")?,
            requests: number(row, "requests")?,
        };
        let Some(known) = uses.get_mut(&operation) else {
            continue;
        };
        match role.as_str() {
            "lossy" => known.lossy.push(parameter),
            "unknown" => known.unknown.push(parameter),
            _ => known.parameters.push(parameter),
        }
    }
    Ok(())
}

fn calls(row: &Row<'_>) -> rusqlite::Result<Calls> {
    Ok(Calls {
        operation: row.get("operation")?,
        day: row.get("day")?,
        outcomes: Outcomes {
            answered: number(row, "answered")?,
            error: number(row, "error")?,
            not_served: number(row, "not_served")?,
            refused: number(row, "refused")?,
            trouble: number(row, "trouble")?,
        },
        first: row.get("first")?,
        last: row.get("last")?,
    })
}

/// When the ledger was kept.
fn kept(reading: &Connection, days: Days) -> rusqlite::Result<Kept> {
    let kept = "SELECT day, dropped FROM kept WHERE day BETWEEN ?1 AND ?2 ORDER BY day";
    let mut statement = reading.prepare(kept)?;
    let mut rows = statement.query([days.first, days.last])?;
    let (mut spans, mut gaps) = (Vec::<(i64, i64)>::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let day: i64 = row.get("day")?;
        match spans.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(day) => *last = day,
            _ => spans.push((day, day)),
        }
        let requests = number(row, "dropped")?;
        if requests > 0 {
            gaps.push(Gap {
                day: name(day),
                requests,
            });
        }
    }
    let spans = spans.into_iter();
    Ok(Kept {
        spans: spans
            .map(|(first, last)| (name(first), name(last)))
            .collect(),
        gaps,
    })
}

fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(number.try_into().unwrap_or_default())
}

/// A moment as documents have it; `seconds` since 1970.
fn instant(seconds: i64) -> String {
    moment(seconds.saturating_mul(1000))
}

fn unix_day(date: Date) -> i64 {
    date.midnight().assume_utc().unix_timestamp() / (24 * 60 * 60)
}

fn name(day: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(day.saturating_mul(24 * 60 * 60));
    moment.map_or_else(|_| String::new(), |moment| day_name(moment.date()))
}
