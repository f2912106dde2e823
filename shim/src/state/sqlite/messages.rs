//! The queue.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Name, millis};
use crate::state::{
    engine::Run,
    queue::{
        Claim, Claimed, Counts, DEAD_TIME, Dead, DeadLetter, MAX_DEAD, MAX_WAITING, NewMessage,
        Put, SEEN_TIME, Settlement,
    },
};

/// Old rows deleted by one call.
const SWEPT_AT_ONCE: u32 = 100;

pub(super) fn put(
    on: &Transaction<'_>,
    queue: Name,
    message: &NewMessage,
    now: i64,
) -> rusqlite::Result<Put> {
    sweep_seen(on, queue, now)?;
    let NewMessage { id, group, body } = message;
    if has_seen(on, queue, *id, now)? {
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

pub(super) fn has_seen(
    on: &Transaction<'_>,
    queue: Name,
    id: Name,
    now: i64,
) -> rusqlite::Result<bool> {
    let is_seen = "SELECT 1 FROM seen WHERE queue = ?1 AND id = ?2 AND expires > ?3";
    on.prepare_cached(is_seen)?.exists(params![queue, id, now])
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
    sweep_dead(on, queue, now)?;
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

pub(super) fn renew(
    on: &Transaction<'_>,
    queue: Name,
    claim: Claim,
    now: i64,
    lease: Duration,
) -> rusqlite::Result<bool> {
    let extend = "UPDATE team SET due = ?4 WHERE queue = ?1 AND team = ?2 AND owner = ?3";
    let until = now.saturating_add(millis(lease));
    let extended = on.prepare_cached(extend)?.execute(params![
        queue,
        claim.group,
        Name(claim.owner),
        until
    ])?;
    Ok(extended > 0)
}

pub(super) fn settle(
    on: &Transaction<'_>,
    queue: Name,
    claim: Claim,
    settlement: Settlement,
    now: i64,
) -> rusqlite::Result<bool> {
    let Claim { id, group, owner } = claim;
    let find = "SELECT team.first, message.id, team.owner FROM team
                JOIN message ON message.number = team.first
                WHERE team.queue = ?1 AND team.team = ?2";
    let found = on
        .prepare_cached(find)?
        .query_row(params![queue, group], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        });
    let found: Option<(i64, Name, Option<Name>)> = found.optional()?;
    let Some((first, waiting, lender)) = found else {
        return Ok(false);
    };
    let is_owner = lender == Some(Name(owner));
    if waiting != id {
        // A process whose lease had expired settled it: the group continues.
        if is_owner {
            advance(on, queue, group, Some(now))?;
        }
        return Ok(false);
    }
    match settlement {
        Settlement::Done => {
            on.prepare_cached("DELETE FROM message WHERE number = ?1")?
                .execute([first])?;
            count(on, queue, -1, 0)?;
            advance(on, queue, group, is_owner.then_some(now))?;
        }
        _ if !is_owner => {}
        Settlement::Dead => {
            let give_up = "UPDATE message SET died = ?2 WHERE number = ?1";
            on.prepare_cached(give_up)?.execute(params![first, now])?;
            count(on, queue, -1, 1)?;
            make_room(on, queue)?;
            advance(on, queue, group, Some(now))?;
        }
        Settlement::RetryAt(at) | Settlement::PutOff(at) => {
            if matches!(settlement, Settlement::RetryAt(_)) {
                let again = "UPDATE message SET attempts = attempts + 1 WHERE number = ?1";
                on.prepare_cached(again)?.execute([first])?;
            }
            let put_off = "UPDATE team SET due = ?3, owner = NULL WHERE queue = ?1 AND team = ?2";
            on.prepare_cached(put_off)?
                .execute(params![queue, group, at])?;
        }
    }
    Ok(is_owner)
}

/// Advances a group to its next message, due at a time; without a time, at the end of the lease.
fn advance(
    on: &Transaction<'_>,
    queue: Name,
    group: Name,
    due: Option<i64>,
) -> rusqlite::Result<()> {
    let next = "SELECT min(number) FROM message WHERE queue = ?1 AND team = ?2 AND died IS NULL";
    let mut next = on.prepare_cached(next)?;
    let next: Option<i64> = next.query_row(params![queue, group], |row| row.get(0))?;
    let Some(next) = next else {
        let end = "DELETE FROM team WHERE queue = ?1 AND team = ?2";
        on.prepare_cached(end)?.execute(params![queue, group])?;
        return Ok(());
    };
    let step = "UPDATE team SET first = ?3, due = coalesce(?4, due),
                owner = CASE WHEN ?4 IS NULL THEN owner END
                WHERE queue = ?1 AND team = ?2";
    on.prepare_cached(step)?
        .execute(params![queue, group, next, due])?;
    Ok(())
}

/// Deletes the oldest dead letters beyond the limit.
fn make_room(on: &Transaction<'_>, queue: Name) -> rusqlite::Result<()> {
    let dead = counts(on, queue)?.dead;
    let over = i64::try_from(dead.saturating_sub(MAX_DEAD)).unwrap_or(i64::MAX);
    if over > 0 {
        let oldest = "DELETE FROM message WHERE number IN (SELECT number FROM message
                      WHERE queue = ?1 AND died IS NOT NULL ORDER BY died, number LIMIT ?2)";
        on.prepare_cached(oldest)?.execute(params![queue, over])?;
        count(on, queue, 0, over.saturating_neg())?;
    }
    Ok(())
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

pub(super) fn requeue(
    on: &Transaction<'_>,
    queue: Name,
    which: &Dead,
    now: i64,
) -> rusqlite::Result<usize> {
    let most = match which {
        Dead::Oldest(most) => i64::try_from(*most).unwrap_or(i64::MAX),
        Dead::Named(_) => i64::MAX,
    };
    let find = "SELECT number, id, team FROM message WHERE queue = ?1 AND died IS NOT NULL
                AND died <= ?2 ORDER BY died, number LIMIT ?3";
    let mut find = on.prepare_cached(find)?;
    let dead = find.query_map(params![queue, now, most], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut dead: Vec<(i64, Name, Name)> = dead.collect::<rusqlite::Result<_>>()?;
    if let Dead::Named(ids) = which {
        dead.retain(|(_, id, _)| ids.contains(id));
    }
    let places = MAX_WAITING.saturating_sub(counts(on, queue)?.waiting);
    dead.truncate(usize::try_from(places).unwrap_or(usize::MAX));
    for (number, id, group) in &dead {
        let take = "DELETE FROM message WHERE number = ?1 RETURNING body";
        let mut take = on.prepare_cached(take)?;
        let body: Vec<u8> = take.query_row([number], |row| row.get(0))?;
        append(on, queue, (id, group, &body), now)?;
        count(on, queue, 0, -1)?;
    }
    Ok(dead.len())
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

/// Deletes old rows of all queues, also of queues that are no longer in use.
pub(super) fn sweep_all(on: &Transaction<'_>, now: i64) -> rusqlite::Result<()> {
    let mut names = on.prepare_cached("SELECT name FROM queue")?;
    let names = names.query_map([], |row| row.get(0))?;
    for queue in names.collect::<rusqlite::Result<Vec<Name>>>()? {
        sweep_seen(on, queue, now)?;
        sweep_dead(on, queue, now)?;
    }
    Ok(())
}

fn sweep_seen(on: &Transaction<'_>, queue: Name, now: i64) -> rusqlite::Result<()> {
    let expired = format!(
        "DELETE FROM seen WHERE (queue, id) IN (SELECT queue, id FROM seen
         WHERE queue = ?1 AND expires <= ?2 LIMIT {SWEPT_AT_ONCE})"
    );
    on.prepare_cached(&expired)?
        .execute(params![queue, now])
        .map(drop)
}

fn sweep_dead(on: &Transaction<'_>, queue: Name, now: i64) -> rusqlite::Result<()> {
    let expired = format!(
        "DELETE FROM message WHERE number IN (SELECT number FROM message
         WHERE queue = ?1 AND died <= ?2 LIMIT {SWEPT_AT_ONCE})"
    );
    let too_old = now.saturating_sub(millis(DEAD_TIME));
    let deleted = on
        .prepare_cached(&expired)?
        .execute(params![queue, too_old])?;
    if deleted > 0 {
        let deleted = i64::try_from(deleted).unwrap_or(i64::MAX);
        count(on, queue, 0, deleted.saturating_neg())?;
    }
    Ok(())
}
