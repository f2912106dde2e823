//! Page cursors and other values with a time to live, and the generation of an account.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Name, after, limits};
use crate::{clock::unix_millis, state::engine::GENERATION_TIME};

pub(super) fn value(on: &Transaction<'_>, name: Name) -> rusqlite::Result<Option<Bytes>> {
    let mut find =
        on.prepare_cached("SELECT value FROM cursors WHERE name = ?1 AND expires > ?2")?;
    let found = find.query_row(params![name, unix_millis()], |row| row.get(0));
    Ok(found.optional()?.map(|value: Vec<u8>| value.into()))
}

pub(super) fn set_value(
    on: &Transaction<'_>,
    name: Name,
    value: &[u8],
    time: Duration,
) -> rusqlite::Result<()> {
    let save = "INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3)";
    let mut save = on.prepare_cached(save)?;
    save.execute(params![name, value, after(time)]).map(drop)
}

pub(super) fn generation(on: &Transaction<'_>, account: Name) -> rusqlite::Result<u64> {
    limits::failures(on, account)
}

pub(super) fn advance(on: &Transaction<'_>, account: Name) -> rusqlite::Result<()> {
    // The count must not restart while a response is cached under it, which is for less than half
    // of its time to live. Until then the expiry is not updated, which would cost an index update.
    let count = "UPDATE counter SET count = count + 1 WHERE name = ?1 AND expires > ?2";
    let mut count = on.prepare_cached(count)?;
    if count.execute(params![account, after(GENERATION_TIME / 2)])? > 0 {
        return Ok(());
    }
    let add = "INSERT INTO counter VALUES (?1, 1, ?2)
               ON CONFLICT DO UPDATE SET count = count + 1, expires = excluded.expires";
    let mut add = on.prepare_cached(add)?;
    add.execute(params![account, after(GENERATION_TIME)])
        .map(drop)
}
