//! Rate limits, refusals and failures.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};
use shim_upstream::Pace;

use super::{Name, after, millis};
use crate::{
    clock::{unix_micros, unix_millis},
    state::engine::{ANY_SUBJECT, DAY_TIME, Reservation, Subject},
};

/// Time for which a rate limit is kept after its last call, in milliseconds.
const KEPT: i64 = 1000;

pub(super) fn reserve(
    on: &Transaction<'_>,
    reservation: &Reservation,
) -> rusqlite::Result<Option<Duration>> {
    let Reservation {
        pace, daily, most, ..
    } = reservation;
    if is_refused(on, reservation)? {
        return Ok(None);
    }
    if let Some((day, limit)) = daily
        && failures(on, *day)? >= *limit
    {
        return Ok(None);
    }
    let mut wait = Duration::ZERO;
    if let Some((rate, pace)) = pace {
        match take(on, *rate, *pace, *most)? {
            Some(time) => wait = time,
            None => return Ok(None),
        }
    }
    if let Some((day, _)) = daily {
        fail(on, *day, DAY_TIME)?;
    }
    Ok(Some(wait))
}

/// True if v2 refuses the call.
pub(super) fn is_refused(
    on: &Transaction<'_>,
    reservation: &Reservation,
) -> rusqlite::Result<bool> {
    let of = found(on, reservation.refusal)?;
    Ok(of.is_some_and(|of| of == ANY_SUBJECT || of == Subject::number(reservation.subject)))
}

/// Generic cell rate algorithm: the counter is the time at which the next call is due, in
/// microseconds.
fn take(
    on: &Transaction<'_>,
    name: Name,
    pace: Pace,
    most: Duration,
) -> rusqlite::Result<Option<Duration>> {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let now = unix_micros();
    let mut find = on.prepare_cached("SELECT count FROM counter WHERE name = ?1")?;
    let due = find
        .query_row([name], |row| row.get::<_, i64>(0))
        .optional()?;
    let due = due.unwrap_or(0).max(now);
    let burst = i64::from(pace.burst.saturating_sub(1)).saturating_mul(micros(pace.interval));
    let wait = due.saturating_sub(burst).saturating_sub(now).max(0);
    if wait > micros(most) {
        return Ok(None);
    }
    let next = due.saturating_add(micros(pace.interval));
    let mut save = on.prepare_cached("INSERT OR REPLACE INTO counter VALUES (?1, ?2, ?3)")?;
    save.execute(params![name, next, next / 1000 + KEPT])?;
    Ok(Some(Duration::from_micros(wait.unsigned_abs())))
}

pub(super) fn refused(
    on: &Transaction<'_>,
    refusal: Name,
    subject: Option<Subject>,
    time: Duration,
) -> rusqlite::Result<()> {
    let subject = Subject::number(subject);
    let known = found(on, refusal)?;
    let of = known.map_or(subject, |known| {
        if known == subject {
            subject
        } else {
            ANY_SUBJECT
        }
    });
    let mut save = on.prepare_cached("INSERT OR REPLACE INTO counter VALUES (?1, ?2, ?3)")?;
    save.execute(params![refusal, of, after(time)]).map(drop)
}

pub(super) fn fail(on: &Transaction<'_>, who: Name, window: Duration) -> rusqlite::Result<u64> {
    let add = "INSERT INTO counter VALUES (?1, 1, ?3)
               ON CONFLICT DO UPDATE SET
                   count = iif(expires > ?2, count + 1, 1),
                   expires = iif(expires > ?2, expires, excluded.expires)
               RETURNING count";
    let now = unix_millis();
    let mut add = on.prepare_cached(add)?;
    let until = now.saturating_add(millis(window));
    let count: i64 = add.query_row(params![who, now, until], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

pub(super) fn failures(on: &Transaction<'_>, who: Name) -> rusqlite::Result<u64> {
    Ok(found(on, who)?.unwrap_or(0).unsigned_abs())
}

fn found(on: &Transaction<'_>, name: Name) -> rusqlite::Result<Option<i64>> {
    let find = "SELECT count FROM counter WHERE name = ?1 AND expires > ?2";
    let mut find = on.prepare_cached(find)?;
    let count = find.query_row(params![name, unix_millis()], |row| row.get(0));
    count.optional()
}
