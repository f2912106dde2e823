//! Reads a ledger into a usage document.

use std::collections::BTreeMap;

use recording::{
    moment,
    usage::{
        Brownout, Consumer, FORMAT, Gap, Kept, OperationUse, Outcomes, ParameterUse, Usage,
        day_name,
    },
};
use time::{Date, OffsetDateTime};

use super::{
    LedgerError, day,
    engine::{self, Cell, Engine, Purpose, Row, transaction},
    table::{Calls, Span},
};
use crate::settings::LedgerPlace;

/// Filter and page of a usage document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this key; empty for requests refused before authentication.
    pub key: Option<String>,
    /// Only from this day on.
    pub since: Option<Date>,
    /// Maximum number of consumers.
    pub limit: usize,
    /// Only consumers after this one: [`Usage::next`] of the previous page.
    pub after: Option<i64>,
}

const CONSUMERS: &str = "
SELECT id, key, address, agent FROM consumer
WHERE id > $1 AND (CAST($2 AS TEXT) IS NULL OR key = $2) AND EXISTS (
    SELECT 1 FROM calls
    WHERE consumer = id AND day BETWEEN $3 AND $4
        AND (CAST($5 AS TEXT) IS NULL OR operation = $5)
)
ORDER BY id LIMIT $6";

const CALLS: &str = "
SELECT operation, day, answered, error, not_served, refused, trouble, first, last, brownout FROM calls
WHERE consumer = $1 AND day BETWEEN $2 AND $3 AND (CAST($4 AS TEXT) IS NULL OR operation = $4)";

const PARAMETERS: &str = "
SELECT operation, role, name, requests FROM parameter
WHERE consumer = $1 AND last >= $2 AND (CAST($3 AS TEXT) IS NULL OR operation = $3)
ORDER BY operation, role, name";

const BROWNOUTS: &str = "
SELECT begins, ends, keys, operations, first, last FROM brownout
WHERE ends >= $1 AND begins <= $2 ORDER BY begins, ends, keys, operations";

const KEPT: &str = "SELECT day, dropped FROM kept WHERE day BETWEEN $1 AND $2 ORDER BY day";

/// One row of `calls`: operation, day, sums.
type CallsRow = (String, i64, Calls);

/// Range of days since 1970.
#[derive(Clone, Copy)]
struct Days {
    first: i64,
    last: i64,
}

pub(super) fn read(place: &LedgerPlace, filter: &Filter, now: i64) -> Result<Usage, LedgerError> {
    let mut engine = engine::open(place, false)?;
    transaction(&mut *engine, Purpose::Read, |engine| {
        usage(engine, filter, now)
    })
}

fn usage(engine: &mut dyn Engine, filter: &Filter, now: i64) -> Result<Usage, LedgerError> {
    // Days after today were written while a clock was ahead.
    let days = Days {
        first: filter.since.map_or(i64::MIN, unix_day),
        last: day(now).into(),
    };
    let mut consumers = consumers(engine, filter, days)?;
    let next = if consumers.len() > filter.limit {
        consumers.truncate(filter.limit);
        consumers.last().map(|(id, _)| *id)
    } else {
        None
    };
    for (id, consumer) in &mut consumers {
        fill(engine, *id, consumer, filter, days)?;
    }
    Ok(Usage {
        format: FORMAT,
        at: instant(now),
        ledger: engine.shared_name()?,
        kept: kept(engine, days)?,
        unwritten: 0,
        brownouts: brownouts(engine, days, now)?,
        consumers: consumers
            .into_iter()
            .map(|(_, consumer)| consumer)
            .collect(),
        next,
    })
}

fn consumers(
    engine: &mut dyn Engine,
    filter: &Filter,
    days: Days,
) -> Result<Vec<(i64, Consumer)>, LedgerError> {
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let parameters = [
        filter.after.unwrap_or(i64::MIN).into(),
        filter.key.as_deref().into(),
        days.first.into(),
        days.last.into(),
        filter.operation.as_deref().into(),
        limit.saturating_add(1).into(),
    ];
    let rows = engine.rows(CONSUMERS, &parameters)?.into_iter();
    let consumers = rows.filter_map(|row| {
        let [id, key, address, user_agent] = row.try_into().ok()?;
        let consumer = Consumer {
            key: Some(key.text()).filter(|key| !key.is_empty()),
            address: address.text(),
            user_agent: user_agent.text(),
            ..Consumer::default()
        };
        Some((id.number(), consumer))
    });
    Ok(consumers.collect())
}

fn fill(
    engine: &mut dyn Engine,
    id: i64,
    consumer: &mut Consumer,
    filter: &Filter,
    days: Days,
) -> Result<(), LedgerError> {
    let operation = || filter.operation.as_deref().into();
    let given = [id.into(), days.first.into(), days.last.into(), operation()];
    let rows = engine.rows(CALLS, &given)?.into_iter();
    let rows: Vec<_> = rows.filter_map(calls).collect();

    let mut called: Vec<_> = rows.iter().map(|calls| calls.1).collect();
    called.sort_unstable();
    let pauses = called.iter().zip(called.iter().skip(1));
    let longest = pauses.map(|(one, next)| next.saturating_sub(*one)).max();
    consumer.longest_pause_days = longest.and_then(|days| days.try_into().ok()).unwrap_or(0);

    let mut operations: BTreeMap<String, Calls> = BTreeMap::new();
    let mut all: Option<Span> = None;
    for (operation, _, calls) in rows {
        all.get_or_insert(calls.span).merge(calls.span);
        let known = operations.entry(operation);
        known
            .and_modify(|known| known.merge(&calls))
            .or_insert(calls);
    }
    let all = all.unwrap_or_else(|| Span::at(0));
    (consumer.first, consumer.last) = (instant(all.first), instant(all.last));
    let mut uses: BTreeMap<String, OperationUse> = operations
        .into_iter()
        .map(|(operation, calls)| {
            let named = OperationUse {
                operation: (!operation.is_empty()).then(|| operation.clone()),
                outcomes: calls.outcomes,
                first: instant(calls.span.first),
                last: instant(calls.span.last),
                ..OperationUse::default()
            };
            (operation, named)
        })
        .collect();
    let since = days.first.saturating_mul(24 * 60 * 60);
    let given = [id.into(), since.into(), operation()];
    parameters(engine.rows(PARAMETERS, &given)?, &mut uses);
    consumer.operations = uses.into_values().collect();
    Ok(())
}

fn parameters(rows: Vec<Row>, uses: &mut BTreeMap<String, OperationUse>) {
    for row in rows {
        let Ok([operation, role, name, requests]) = <[Cell; 4]>::try_from(row) else {
            continue;
        };
        let Some(known) = uses.get_mut(&operation.text()) else {
            continue;
        };
        let of_role = match role.text().as_str() {
            "lossy" => &mut known.lossy,
            "unknown" => &mut known.unknown,
            _ => &mut known.parameters,
        };
        of_role.push(ParameterUse {
            name: name.text(),
            requests: requests.count(),
        });
    }
}

fn calls(row: Row) -> Option<CallsRow> {
    let [
        operation,
        day,
        answered,
        error,
        not_served,
        refused,
        trouble,
        first,
        last,
        brownout,
    ] = row.try_into().ok()?;
    let calls = Calls {
        outcomes: Outcomes {
            answered: answered.count(),
            error: error.count(),
            not_served: not_served.count(),
            refused: refused.count(),
            trouble: trouble.count(),
            brownout: brownout.count(),
        },
        span: Span {
            first: first.number(),
            last: last.number(),
        },
    };
    Some((operation.text(), day.number(), calls))
}

/// Brownout windows within the range.
fn brownouts(engine: &mut dyn Engine, days: Days, now: i64) -> Result<Vec<Brownout>, LedgerError> {
    let since = days.first.saturating_mul(24 * 60 * 60);
    let names = |cell: Cell| -> Vec<String> {
        let text = cell.text();
        text.lines().map(str::to_owned).collect()
    };
    let rows = engine
        .rows(BROWNOUTS, &[since.into(), now.into()])?
        .into_iter();
    let brownouts = rows.filter_map(|row| {
        let [begins, ends, keys, operations, first, last] = row.try_into().ok()?;
        Some(Brownout {
            begins: instant(begins.number()),
            ends: instant(ends.number()),
            first: instant(first.number()),
            last: instant(last.number()),
            keys: names(keys),
            operations: names(operations),
        })
    });
    Ok(brownouts.collect())
}

/// Days on which the ledger was kept.
fn kept(engine: &mut dyn Engine, days: Days) -> Result<Kept, LedgerError> {
    let (mut spans, mut gaps) = (Vec::<(i64, i64)>::new(), Vec::new());
    for row in engine.rows(KEPT, &[days.first.into(), days.last.into()])? {
        let Ok([day, dropped]) = <[Cell; 2]>::try_from(row) else {
            continue;
        };
        let (day, requests) = (day.number(), dropped.count());
        match spans.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(day) => *last = day,
            _ => spans.push((day, day)),
        }
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

/// Formats a time from seconds since 1970.
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
