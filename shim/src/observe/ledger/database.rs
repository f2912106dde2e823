//! Adds sums to a ledger and deletes old rows.

use super::{
    LedgerError,
    brownouts::NotedWindow,
    engine::{self, Cell, Engine, Purpose, Row, number, transaction},
    table::{Caller, Sums, Table, max_refused},
};
use crate::settings::LedgerPlace;

/// Old rows are deleted only if the ledger was kept on at least this many recent days. Otherwise, a
/// start with a clock that is years ahead would delete everything.
const TRUSTED_AFTER: i64 = 3;

/// Number of days that count as recent.
const RECENT: i64 = 31;

const ADD_CALLS: &str = "
INSERT INTO calls VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (consumer, operation, day) DO UPDATE SET
    answered = calls.answered + excluded.answered,
    error = calls.error + excluded.error,
    not_served = calls.not_served + excluded.not_served,
    refused = calls.refused + excluded.refused,
    trouble = calls.trouble + excluded.trouble,
    first = CASE WHEN excluded.first < calls.first THEN excluded.first ELSE calls.first END,
    last = CASE WHEN excluded.last > calls.last THEN excluded.last ELSE calls.last END,
    brownout = calls.brownout + excluded.brownout";

const ADD_BROWNOUT: &str = "
INSERT INTO brownout VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (begins, ends, keys, operations) DO UPDATE SET
    first = CASE WHEN excluded.first < brownout.first THEN excluded.first ELSE brownout.first END,
    last = CASE WHEN excluded.last > brownout.last THEN excluded.last ELSE brownout.last END";

const ADD_PARAMETER: &str = "
INSERT INTO parameter VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (consumer, operation, role, name) DO UPDATE SET
    requests = parameter.requests + excluded.requests,
    first = CASE WHEN excluded.first < parameter.first THEN excluded.first ELSE parameter.first END,
    last = CASE WHEN excluded.last > parameter.last THEN excluded.last ELSE parameter.last END";

const ADD_DAY: &str = "
INSERT INTO kept VALUES ($1, $2)
ON CONFLICT (day) DO UPDATE SET dropped = kept.dropped + excluded.dropped";

const FIND: &str = "SELECT id FROM consumer WHERE key = $1 AND address = $2 AND agent = $3";

const INSERT: &str = "INSERT INTO consumer (key, address, agent) VALUES ($1, $2, $3) RETURNING id";

/// A ledger open for writing.
pub(super) struct Database {
    pub(super) engine: Box<dyn Engine>,
    max_callers: usize,
}

impl Database {
    /// Opens or creates a ledger.
    pub(super) fn open(place: &LedgerPlace, max_callers: usize) -> Result<Self, LedgerError> {
        Ok(Self {
            engine: engine::open(place, true)?,
            max_callers,
        })
    }

    /// Records that the ledger is kept on a day, and deletes old rows if the clock is plausible.
    pub(super) fn begin_day(&mut self, day: i32, keep_days: u32) -> Result<(), LedgerError> {
        transaction(&mut *self.engine, Purpose::Write, |engine| {
            begin_day(engine, day.into(), keep_days.into())
        })
    }

    /// Adds sums in one transaction. Returns the number of requests that were written under a
    /// combined caller.
    pub(super) fn write(
        &mut self,
        table: &Table,
        day: i32,
        dropped: u64,
    ) -> Result<u64, LedgerError> {
        transaction(&mut *self.engine, Purpose::Write, |engine| {
            let folded = Adding::new(engine, self.max_callers)?.add(table)?;
            engine.each(ADD_DAY, &[vec![i64::from(day).into(), dropped.into()]])?;
            let windows: Vec<_> = table.windows().iter().map(window).collect();
            engine.each(ADD_BROWNOUT, &windows)?;
            Ok(folded)
        })
    }
}

fn begin_day(engine: &mut dyn Engine, day: i64, keep_days: i64) -> Result<(), LedgerError> {
    let oldest = day.saturating_sub(keep_days);
    engine.each(ADD_DAY, &[vec![day.into(), 0_i64.into()]])?;
    let recent = "SELECT count(*) FROM kept WHERE day >= $1 AND day < $2";
    let since = day.saturating_sub(RECENT);
    let recent = number(engine, recent, &[since.into(), day.into()])?;
    if recent < TRUSTED_AFTER {
        let old = "SELECT count(*) FROM kept WHERE day < $1";
        if number(engine, old, &[oldest.into()])? > 0 {
            tracing::warn!(
                "Old days stay in the ledger until it was kept on {TRUSTED_AFTER} days: the clock \
                 may be wrong"
            );
        }
        return Ok(());
    }
    let moment = oldest.saturating_mul(24 * 60 * 60);
    for (statement, bound) in [
        ("DELETE FROM kept WHERE day < $1", Some(oldest)),
        ("DELETE FROM calls WHERE day < $1", Some(oldest)),
        ("DELETE FROM brownout WHERE ends < $1", Some(moment)),
        ("DELETE FROM parameter WHERE last < $1", Some(moment)),
        (
            "DELETE FROM parameter WHERE consumer NOT IN (SELECT consumer FROM calls)",
            None,
        ),
        (
            "DELETE FROM consumer WHERE id NOT IN (SELECT consumer FROM calls)",
            None,
        ),
    ] {
        engine.each(statement, &[bound.into_iter().map(Cell::from).collect()])?;
    }
    Ok(())
}

/// State of one write.
struct Adding<'e> {
    engine: &'e mut dyn Engine,
    /// Number of callers that may be added; refused ones count separately.
    capacity: usize,
    refused_capacity: usize,
}

impl<'e> Adding<'e> {
    fn new(engine: &'e mut dyn Engine, max_callers: usize) -> Result<Self, LedgerError> {
        let mut callers = |condition: &str| {
            let count = format!("SELECT count(*) FROM consumer WHERE key {condition} ''");
            let callers = number(engine, &count, &[])?;
            Ok::<_, LedgerError>(usize::try_from(callers).unwrap_or(usize::MAX))
        };
        let capacity = max_callers.saturating_sub(callers("<>")?);
        let refused_capacity = max_refused(max_callers).saturating_sub(callers("=")?);
        Ok(Self {
            engine,
            capacity,
            refused_capacity,
        })
    }

    fn add(&mut self, table: &Table) -> Result<u64, LedgerError> {
        let mut folded = 0;
        let (mut calls, mut parameters) = (Vec::new(), Vec::new());
        for (caller, sums) in table.iter() {
            let others = caller.others();
            let mut known = None;
            if *caller != others {
                known = self.id(caller)?;
            }
            if known.is_none() {
                folded += sums.requests();
                known = self.found(&others)?;
            }
            let consumer = match known {
                Some(consumer) => consumer,
                None => self.insert(&others)?,
            };
            calls.extend(calls_of(consumer, sums));
            parameters.extend(parameters_of(consumer, sums));
        }
        self.engine.each(ADD_CALLS, &calls)?;
        self.engine.each(ADD_PARAMETER, &parameters)?;
        Ok(folded)
    }

    fn found(&mut self, caller: &Caller) -> Result<Option<i64>, LedgerError> {
        let rows = self.engine.rows(FIND, &columns(caller))?;
        Ok(rows.first().and_then(|row| row.first()).map(Cell::number))
    }

    /// Returns the id of a caller, adding it if the capacity permits.
    fn id(&mut self, caller: &Caller) -> Result<Option<i64>, LedgerError> {
        if let Some(id) = self.found(caller)? {
            return Ok(Some(id));
        }
        let capacity = if caller.is_refused() {
            &mut self.refused_capacity
        } else {
            &mut self.capacity
        };
        let Some(left) = capacity.checked_sub(1) else {
            return Ok(None);
        };
        *capacity = left;
        self.insert(caller).map(Some)
    }

    fn insert(&mut self, caller: &Caller) -> Result<i64, LedgerError> {
        number(self.engine, INSERT, &columns(caller))
    }
}

fn columns(caller: &Caller) -> [Cell; 3] {
    [&caller.key, &caller.address, &caller.agent].map(|text| text.as_str().into())
}

fn calls_of(consumer: i64, sums: &Sums) -> impl Iterator<Item = Row> {
    sums.calls.iter().map(move |((operation, day), calls)| {
        let outcomes = &calls.outcomes;
        vec![
            consumer.into(),
            operation.as_str().into(),
            i64::from(*day).into(),
            outcomes.answered.into(),
            outcomes.error.into(),
            outcomes.not_served.into(),
            outcomes.refused.into(),
            outcomes.trouble.into(),
            calls.span.first.into(),
            calls.span.last.into(),
            outcomes.brownout.into(),
        ]
    })
}

fn window(noted: &NotedWindow) -> Row {
    vec![
        noted.window.begins.into(),
        noted.window.ends.into(),
        noted.keys.as_str().into(),
        noted.operations.as_str().into(),
        noted.first.into(),
        noted.last.into(),
    ]
}

fn parameters_of(consumer: i64, sums: &Sums) -> impl Iterator<Item = Row> {
    let parameters = sums.parameters.iter();
    parameters.map(move |((operation, role, name), uses)| {
        vec![
            consumer.into(),
            operation.as_str().into(),
            role.as_str().into(),
            name.as_str().into(),
            uses.requests.into(),
            uses.span.first.into(),
            uses.span.last.into(),
        ]
    })
}
