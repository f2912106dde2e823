//! Writes: lease, journal, and the response for waiting requests.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Name, after, lists};
use crate::{
    clock::unix_millis,
    state::engine::{ANSWER_TIME, Begun, Ending, Progress, Run, UNFINISHED_TIME, Write},
};

pub(super) fn begin(
    on: &Transaction<'_>,
    write: Name,
    run: Run,
    lease: Duration,
    journal: &[u8],
) -> rusqlite::Result<Begun> {
    let now = unix_millis();
    let mut find = on
        .prepare_cached("SELECT run, until, journal FROM write WHERE name = ?1 AND expires > ?2")?;
    let found = find.query_row(params![write, now], |row| {
        Ok((
            row.get::<_, Option<Name>>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, Vec<u8>>(2)?,
        ))
    });
    let found = found.optional()?;
    if let Some((Some(Name(other)), until, _)) = found
        && until > now
        && other != run
    {
        let mut wait = on.prepare_cached("UPDATE write SET waited_for = 1 WHERE name = ?1")?;
        wait.execute([write])?;
        let left = Duration::from_millis(until.saturating_sub(now).unsigned_abs());
        return Ok(Begun::Busy { run: other, left });
    }
    let kept = found.map(|(.., journal)| journal);
    // The same run may start again after a lost reply.
    let kept = kept.filter(|kept| kept != journal);
    let mut take =
        on.prepare_cached("INSERT OR REPLACE INTO write VALUES (?1, ?2, ?3, ?4, 0, ?5)")?;
    take.execute(params![
        write,
        Name(run),
        after(lease),
        kept.as_deref().unwrap_or(journal),
        after(UNFINISHED_TIME),
    ])?;
    Ok(Begun::Leased(kept.map(Bytes::from)))
}

pub(super) fn step(
    on: &Transaction<'_>,
    write: Name,
    run: Run,
    lease: Duration,
    journal: Option<&[u8]>,
) -> rusqlite::Result<bool> {
    // The expiry stays that of the start, because an update would cost an index update.
    let step = "UPDATE write SET until = ?3, journal = coalesce(?4, journal)
                WHERE name = ?1 AND run = ?2";
    let mut step = on.prepare_cached(step)?;
    let stepped = step.execute(params![write, Name(run), after(lease), journal])?;
    Ok(stepped > 0)
}

pub(super) fn end(
    on: &Transaction<'_>,
    Write {
        account,
        name: write,
    }: Write,
    run: Run,
    ending: &Ending,
) -> rusqlite::Result<bool> {
    lists::advance(on, account)?;
    let answer = match ending {
        Ending::Finished(answer) => answer,
        Ending::Unfinished(journal) => {
            let free = "UPDATE write SET run = NULL, journal = ?3 WHERE name = ?1 AND run = ?2";
            let mut free = on.prepare_cached(free)?;
            return Ok(free.execute(params![write, Name(run), &**journal])? > 0);
        }
    };
    let delete = "DELETE FROM write WHERE name = ?1 AND run = ?2 RETURNING waited_for";
    let mut delete = on.prepare_cached(delete)?;
    let deleted = delete.query_row(params![write, Name(run)], |row| row.get::<_, bool>(0));
    let deleted = deleted.optional()?;
    if deleted == Some(true) {
        let mut keep = on.prepare_cached("INSERT INTO answer VALUES (?1, ?2, ?3)")?;
        keep.execute(params![Name(run), &**answer, after(ANSWER_TIME)])?;
    }
    Ok(deleted.is_some())
}

pub(super) fn progress(on: &Transaction<'_>, write: Name, run: Run) -> rusqlite::Result<Progress> {
    let run = Name(run);
    let mut find =
        on.prepare_cached("SELECT answer FROM answer WHERE run = ?1 AND expires > ?2")?;
    let answer = find.query_row(params![run, unix_millis()], |row| row.get::<_, Vec<u8>>(0));
    if let Some(answer) = answer.optional()? {
        return Ok(Progress::Finished(answer.into()));
    }
    let mut find =
        on.prepare_cached("SELECT 1 FROM write WHERE name = ?1 AND run = ?2 AND until > ?3")?;
    let is_running = find.exists(params![write, run, unix_millis()])?;
    Ok(if is_running {
        Progress::Running
    } else {
        Progress::Gone
    })
}

pub(super) fn is_open(on: &Transaction<'_>, write: Name) -> rusqlite::Result<bool> {
    let mut find = on.prepare_cached("SELECT 1 FROM write WHERE name = ?1 AND expires > ?2")?;
    find.exists(params![write, unix_millis()])
}
