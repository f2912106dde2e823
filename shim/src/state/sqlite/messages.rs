//! The queue.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Name, millis};
use crate::state::{
    engine::Run,
    queue::{
        Claim, Claimed, Counts, DEAD_TIME, DeadLetter, MAX_WAITING, NewMessage, Put, SEEN_TIME,
        Settlement,
    },
};

/// Rows that one call deletes of what is too old.
const SWEPT_AT_ONCE: u32 = 100;

pub(super) fn put(
    on: &Transaction<'_>,
    queue: Name,
    message: &NewMessage,
    now: i64,
) -> rusqlite::Result<Put> {
    sweep(on, queue, now)?;
    let NewMessage { id, group, body } = message;
    let is_seen = "SELECT 1 FROM seen WHERE queue = ?1 AND id = ?2 AND expires > ?3";
    if on
        .prepare_cached(is_seen)?
        .exists(params![queue, id, now])?
    {
        return Ok(Put::Repeat);
    }
    if counts(on, queue)?.waiting >= MAX_WAITING {
        return Ok(Put::Full);
    }
    let mut see = on.prepare_cached("INSERT OR REPLACE INTO seen VALUES (?1, ?2, ?3)")?;
    see.execute(params![queue, id, now.saturating_add(millis(SEEN_TIME))])?;
    append(on, queue, (id, group, body), now)?;
    Ok(Put::Stored)
}

fn append(
    on: &Transaction<'_>,
    queue: Name,
    (id, group, body): (&Name, &Name, &[u8]),
    now: i64,
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO message (queue, id, team, body, attempts) VALUES (?1, ?2, ?3, ?4, 0)";
    let mut insert = on.prepare_cached(insert)?;
    insert.execute(params![queue, id, group, body])?;
    let begin = "INSERT INTO team VALUES (?1, ?2, ?3, ?4, NULL) ON CONFLICT DO NOTHING";
    let mut begin = on.prepare_cached(begin)?;
    begin.execute(params![queue, group, on.last_insert_rowid(), now])?;
    count(on, queue, 1, 0)
}

pub(super) fn claim(
    on: &Transaction<'_>,
    queue: Name,
    now: i64,
    lease: Duration,
    owner: Run,
) -> rusqlite::Result<Option<Claimed>> {
    sweep(on, queue, now)?;
    let find = "SELECT team.team, message.id, message.body, message.attempts
                FROM team JOIN message ON message.number = team.first
                WHERE team.queue = ?1 AND team.due <= ?2
                ORDER BY team.due, team.first LIMIT 1";
    let mut find = on.prepare_cached(find)?;
    let found = find.query_row(params![queue, now], |row| {
        let body: Vec<u8> = row.get(2)?;
        Ok(Claimed {
            claim: Claim {
                group: row.get(0)?,
                id: row.get(1)?,
                owner,
            },
            body: body.into(),
            attempts: row.get(3)?,
        })
    });
    let found = found.optional()?;
    if let Some(claimed) = &found {
        let lend = "UPDATE team SET due = ?3, owner = ?4 WHERE queue = ?1 AND team = ?2";
        let mut lend = on.prepare_cached(lend)?;
        let until = now.saturating_add(millis(lease));
        lend.execute(params![queue, claimed.claim.group, until, Name(owner)])?;
    }
    Ok(found)
}

pub(super) fn settle(
    on: &Transaction<'_>,
    queue: Name,
    claim: Claim,
    settlement: Settlement,
    now: i64,
) -> rusqlite::Result<bool> {
    let Claim { group, owner, .. } = claim;
    let find = "SELECT first FROM team WHERE queue = ?1 AND team = ?2 AND owner = ?3";
    let mut find = on.prepare_cached(find)?;
    let first = find.query_row(params![queue, group, Name(owner)], |row| {
        row.get::<_, i64>(0)
    });
    let Some(first) = first.optional()? else {
        return Ok(false);
    };
    match settlement {
        Settlement::Done => {
            on.prepare_cached("DELETE FROM message WHERE number = ?1")?
                .execute([first])?;
            count(on, queue, -1, 0)?;
        }
        Settlement::Dead => {
            let give_up = "UPDATE message SET died = ?2 WHERE number = ?1";
            on.prepare_cached(give_up)?.execute(params![first, now])?;
            count(on, queue, -1, 1)?;
        }
        Settlement::RetryAt(at) => {
            let again = "UPDATE message SET attempts = attempts + 1 WHERE number = ?1";
            on.prepare_cached(again)?.execute([first])?;
            let put_off = "UPDATE team SET due = ?3, owner = NULL WHERE queue = ?1 AND team = ?2";
            on.prepare_cached(put_off)?
                .execute(params![queue, group, at])?;
            return Ok(true);
        }
    }
    let next = "SELECT min(number) FROM message WHERE queue = ?1 AND team = ?2 AND died IS NULL";
    let mut next = on.prepare_cached(next)?;
    let next: Option<i64> = next.query_row(params![queue, group], |row| row.get(0))?;
    if let Some(next) = next {
        let go_on = "UPDATE team SET first = ?3, due = ?4, owner = NULL
                     WHERE queue = ?1 AND team = ?2";
        on.prepare_cached(go_on)?
            .execute(params![queue, group, next, now])?;
    } else {
        let end = "DELETE FROM team WHERE queue = ?1 AND team = ?2";
        on.prepare_cached(end)?.execute(params![queue, group])?;
    }
    Ok(true)
}

pub(super) fn next_due(on: &Transaction<'_>, queue: Name) -> rusqlite::Result<Option<i64>> {
    let mut next = on.prepare_cached("SELECT min(due) FROM team WHERE queue = ?1")?;
    next.query_row([queue], |row| row.get(0))
}

pub(super) fn dead_letters(
    on: &Transaction<'_>,
    queue: Name,
    limit: usize,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let find = "SELECT id, body, died FROM message WHERE queue = ?1 AND died IS NOT NULL
                ORDER BY died, number LIMIT ?2";
    let mut find = on.prepare_cached(find)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = find.query_map(params![queue, limit], |row| {
        Ok(DeadLetter {
            id: row.get(0)?,
            body: row.get::<_, Vec<u8>>(1)?.into(),
            at: row.get(2)?,
        })
    })?;
    found.collect()
}

pub(super) fn put_back(
    on: &Transaction<'_>,
    queue: Name,
    ids: Option<&[Name]>,
    now: i64,
) -> rusqlite::Result<usize> {
    let find = "SELECT number, id, team FROM message
                WHERE queue = ?1 AND died IS NOT NULL ORDER BY died, number";
    let mut find = on.prepare_cached(find)?;
    let dead = find.query_map([queue], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let dead: Vec<(i64, Name, Name)> = dead.collect::<rusqlite::Result<_>>()?;
    let mut put = 0;
    for (number, id, group) in dead {
        if ids.is_some_and(|ids| !ids.contains(&id)) {
            continue;
        }
        let take = "DELETE FROM message WHERE number = ?1 RETURNING body";
        let mut take = on.prepare_cached(take)?;
        let body: Vec<u8> = take.query_row([number], |row| row.get(0))?;
        append(on, queue, (&id, &group, &body), now)?;
        count(on, queue, 0, -1)?;
        put += 1;
    }
    Ok(put)
}

pub(super) fn counts(on: &Transaction<'_>, queue: Name) -> rusqlite::Result<Counts> {
    let mut find = on.prepare_cached("SELECT waiting, dead FROM queue WHERE name = ?1")?;
    let found = find.query_row([queue], |row| {
        Ok(Counts {
            waiting: row.get::<_, i64>(0)?.unsigned_abs(),
            dead: row.get::<_, i64>(1)?.unsigned_abs(),
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

fn count(on: &Transaction<'_>, queue: Name, waiting: i64, dead: i64) -> rusqlite::Result<()> {
    let add = "INSERT INTO queue VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET
               waiting = waiting + excluded.waiting, dead = dead + excluded.dead";
    on.prepare_cached(add)?
        .execute(params![queue, waiting, dead])
        .map(drop)
}

/// Deletes what is remembered for too long.
fn sweep(on: &Transaction<'_>, queue: Name, now: i64) -> rusqlite::Result<()> {
    let seen = format!(
        "DELETE FROM seen WHERE (queue, id) IN (SELECT queue, id FROM seen
         WHERE queue = ?1 AND expires <= ?2 LIMIT {SWEPT_AT_ONCE})"
    );
    on.prepare_cached(&seen)?.execute(params![queue, now])?;
    let dead = format!(
        "DELETE FROM message WHERE number IN (SELECT number FROM message
         WHERE queue = ?1 AND died <= ?2 LIMIT {SWEPT_AT_ONCE})"
    );
    let too_old = now.saturating_sub(millis(DEAD_TIME));
    let deleted = on.prepare_cached(&dead)?.execute(params![queue, too_old])?;
    if deleted > 0 {
        let deleted = i64::try_from(deleted).unwrap_or(i64::MAX);
        count(on, queue, 0, deleted.saturating_neg())?;
    }
    Ok(())
}
