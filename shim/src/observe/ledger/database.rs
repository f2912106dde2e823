//! The SQLite file: creates and opens it, and adds sums to its rows.

use std::{fs::OpenOptions, io, path::Path, time::Duration};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Statement, Transaction,
    TransactionBehavior, params,
};

use super::{
    LedgerError,
    table::{Caller, Sums, Table, max_refused},
};

/// The version of the tables, in SQLite's `user_version`.
pub(super) const SCHEMA: i64 = 1;

/// Tells a ledger from other SQLite files, in `application_id`: "v1us".
const APPLICATION: i64 = 0x7631_7573;

/// For another program that is writing. Notes wait in the queue meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);

/// The clock is trusted to say what is too old once the ledger was kept on so many other days of late.
/// One that is years ahead at the start would delete everything.
const TRUSTED_AFTER: i64 = 3;

/// How long before a day is of late, in days.
const OF_LATE: i64 = 31;

/// Larger files are not looked through at the start: that would take seconds.
const MAX_CHECKED: u64 = 256 << 20;

/// Days are days since 1970, moments seconds since 1970. Adding sums in any order gives the same.
const TABLES: &str = "
CREATE TABLE consumer (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    UNIQUE (key, address, agent)
) STRICT;
CREATE TABLE calls (
    consumer INTEGER NOT NULL REFERENCES consumer,
    operation TEXT NOT NULL,
    day INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    error INTEGER NOT NULL,
    not_served INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    trouble INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (consumer, operation, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE parameter (
    consumer INTEGER NOT NULL REFERENCES consumer,
    operation TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    requests INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (consumer, operation, role, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE kept (
    day INTEGER PRIMARY KEY,
    dropped INTEGER NOT NULL
) STRICT;
";

const ADD_CALLS: &str = "
INSERT INTO calls VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT DO UPDATE SET
    answered = answered + excluded.answered,
    error = error + excluded.error,
    not_served = not_served + excluded.not_served,
    refused = refused + excluded.refused,
    trouble = trouble + excluded.trouble,
    first = min(first, excluded.first),
    last = max(last, excluded.last)";

const ADD_PARAMETER: &str = "
INSERT INTO parameter VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests,
    first = min(first, excluded.first),
    last = max(last, excluded.last)";

const ADD_DAY: &str = "
INSERT INTO kept VALUES (?1, ?2)
ON CONFLICT DO UPDATE SET dropped = dropped + excluded.dropped";

/// A ledger that can be written.
pub(super) struct Database {
    pub(super) connection: Connection,
    max_callers: usize,
}

impl Database {
    /// Opens a file, or makes it, for its owner alone.
    pub(super) fn open(file: &Path, max_callers: usize) -> Result<Self, LedgerError> {
        let size = create(file)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(file, flags)?;
        if application(&connection)? == 0 && is_blank(&connection)? {
            // What another shim made meanwhile is found below.
            connection.pragma_update(None, "journal_mode", "wal")?;
            let making = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if is_blank(&making)? {
                making.execute_batch(TABLES)?;
                making.pragma_update(None, "application_id", APPLICATION)?;
                making.pragma_update(None, "user_version", SCHEMA)?;
            }
            making.commit()?;
        }
        check_version(&connection)?;
        if size <= MAX_CHECKED {
            let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
            let found: String = found.map_err(damage)?;
            if found != "ok" {
                return Err(LedgerError::Damaged(found));
            }
        }
        connection.pragma_update(None, "journal_mode", "wal")?;
        // What is committed outlives the process; the last seconds may be lost with the power.
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(Self {
            connection,
            max_callers,
        })
    }

    /// Notes that the ledger is kept on a day, and forgets what is too old if the clock can be
    /// trusted.
    pub(super) fn begin_day(&mut self, day: i32, keep_days: u32) -> rusqlite::Result<()> {
        let oldest = i64::from(day) - i64::from(keep_days);
        let begun = begin(&mut self.connection)?;
        begun.execute(ADD_DAY, params![day, 0])?;
        let of_late = "SELECT count(*) FROM kept WHERE day >= ?1 AND day < ?2";
        let span = [i64::from(day) - OF_LATE, i64::from(day)];
        let of_late: i64 = begun.query_row(of_late, span, |row| row.get(0))?;
        if of_late < TRUSTED_AFTER {
            let old = "SELECT EXISTS (SELECT 1 FROM kept WHERE day < ?1)";
            if begun.query_row(old, [oldest], |row| row.get(0))? {
                tracing::warn!(
                    "Old days stay in the ledger until it was kept on {TRUSTED_AFTER} days: the \
                     clock may be wrong"
                );
            }
            return begun.commit();
        }
        begun.execute("DELETE FROM kept WHERE day < ?1", [oldest])?;
        begun.execute("DELETE FROM calls WHERE day < ?1", [oldest])?;
        let moment = oldest * 24 * 60 * 60;
        begun.execute("DELETE FROM parameter WHERE last < ?1", [moment])?;
        let silent = "id NOT IN (SELECT consumer FROM calls)";
        begun.execute(
            &format!(
                "DELETE FROM parameter WHERE consumer IN (SELECT id FROM consumer WHERE {silent})"
            ),
            [],
        )?;
        begun.execute(&format!("DELETE FROM consumer WHERE {silent}"), [])?;
        begun.commit()
    }

    /// Adds sums, all or none. Gives how many requests were written without telling their callers
    /// apart.
    pub(super) fn write(&mut self, table: &Table, day: i32, dropped: u64) -> rusqlite::Result<u64> {
        let writing = begin(&mut self.connection)?;
        let folded = Adding::new(&writing, self.max_callers)?.add(table)?;
        writing.execute(ADD_DAY, params![day, count(dropped)])?;
        writing.commit()?;
        Ok(folded)
    }
}

/// Opens a ledger for reading.
pub(super) fn open_to_read(file: &Path) -> Result<Connection, LedgerError> {
    // SQLite would say no more than that it cannot.
    std::fs::File::open(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(file, flags)?;
    if application(&connection)? == 0 && is_blank(&connection)? {
        return Err(LedgerError::Empty);
    }
    check_version(&connection)?;
    Ok(connection)
}

/// One writing, with its statements.
struct Adding<'t> {
    find: Statement<'t>,
    insert: Statement<'t>,
    calls: Statement<'t>,
    parameter: Statement<'t>,
    /// How many callers there may yet be; those who were refused apart.
    room: usize,
    room_for_refused: usize,
}

impl<'t> Adding<'t> {
    fn new(writing: &'t Transaction<'_>, max_callers: usize) -> rusqlite::Result<Self> {
        let callers = |condition: &str| -> rusqlite::Result<usize> {
            let count = format!("SELECT count(*) FROM consumer WHERE key {condition} ''");
            let callers: i64 = writing.query_row(&count, [], |row| row.get(0))?;
            Ok(usize::try_from(callers).unwrap_or(usize::MAX))
        };
        Ok(Self {
            find: writing.prepare(
                "SELECT id FROM consumer WHERE key = ?1 AND address = ?2 AND agent = ?3",
            )?,
            insert: writing.prepare(
                "INSERT INTO consumer (key, address, agent) VALUES (?1, ?2, ?3) RETURNING id",
            )?,
            calls: writing.prepare(ADD_CALLS)?,
            parameter: writing.prepare(ADD_PARAMETER)?,
            room: max_callers.saturating_sub(callers("<>")?),
            room_for_refused: max_refused(max_callers).saturating_sub(callers("=")?),
        })
    }

    fn add(&mut self, table: &Table) -> rusqlite::Result<u64> {
        let mut folded = 0;
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
            self.add_sums(consumer, sums)?;
        }
        Ok(folded)
    }

    fn found(&mut self, caller: &Caller) -> rusqlite::Result<Option<i64>> {
        let Caller {
            key,
            address,
            agent,
        } = caller;
        self.find
            .query_row([key, address, agent], |row| row.get(0))
            .optional()
    }

    /// The number of a caller; `None` if it is new and there is no room.
    fn id(&mut self, caller: &Caller) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.found(caller)? {
            return Ok(Some(id));
        }
        let room = if caller.is_refused() {
            &mut self.room_for_refused
        } else {
            &mut self.room
        };
        let Some(left) = room.checked_sub(1) else {
            return Ok(None);
        };
        *room = left;
        self.insert(caller).map(Some)
    }

    fn insert(&mut self, caller: &Caller) -> rusqlite::Result<i64> {
        let Caller {
            key,
            address,
            agent,
        } = caller;
        self.insert
            .query_row([key, address, agent], |row| row.get(0))
    }

    fn add_sums(&mut self, consumer: i64, sums: &Sums) -> rusqlite::Result<()> {
        for ((operation, day), calls) in &sums.calls {
            let outcomes = &calls.outcomes;
            self.calls.execute(params![
                consumer,
                operation,
                day,
                count(outcomes.answered),
                count(outcomes.error),
                count(outcomes.not_served),
                count(outcomes.refused),
                count(outcomes.trouble),
                calls.span.first,
                calls.span.last,
            ])?;
        }
        for ((operation, role, name), uses) in &sums.parameters {
            self.parameter.execute(params![
                consumer,
                operation,
                role.as_str(),
                name,
                count(uses.requests),
                uses.span.first,
                uses.span.last,
            ])?;
        }
        Ok(())
    }
}

/// Makes the file if it is not there; gives its size in bytes. It names addresses.
fn create(file: &Path) -> io::Result<u64> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let metadata = options.open(file)?.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            tracing::warn!(file = %file.display(), "The ledger can be read by other users: chmod 600");
        }
    }
    Ok(metadata.len())
}

fn connect(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn application(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    let count = "SELECT count(*) FROM sqlite_schema";
    let count: i64 = connection.query_row(count, [], |row| row.get(0))?;
    Ok(count == 0)
}

fn check_version(connection: &Connection) -> Result<(), LedgerError> {
    if application(connection)? != APPLICATION {
        return Err(LedgerError::Foreign);
    }
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == SCHEMA {
        Ok(())
    } else {
        Err(LedgerError::Newer(version))
    }
}

/// A check may fail on what it looks for.
fn damage(error: rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged(error.to_string()),
        _ => error.into(),
    }
}

/// SQLite's numbers have a sign.
fn count(requests: u64) -> i64 {
    i64::try_from(requests).unwrap_or(i64::MAX)
}
