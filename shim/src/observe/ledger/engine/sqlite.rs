//! Ledger in a SQLite file.

use std::{fs::OpenOptions, io, path::Path, time::Duration};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{Cell, Engine, LedgerError, Purpose, Row, SCHEMA, tables, upgrade};
use crate::private_file::owner_only;

/// `application_id` of a ledger: "v1us".
const APPLICATION: i64 = 0x7631_7573;

const DIALECT: [&str; 4] = [
    "INTEGER PRIMARY KEY",
    "INTEGER",
    "STRICT",
    "STRICT, WITHOUT ROWID",
];

/// Timeout for the lock of another writer. Notes wait in the queue meanwhile.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// Maximum size of a file that is checked at the start, in bytes; larger ones would take seconds.
const MAX_CHECKED: u64 = 256 << 20;

pub(super) struct Sqlite(Connection);

impl Sqlite {
    /// Opens or creates a file that only its owner can read.
    pub(super) fn open(file: &Path) -> Result<Self, LedgerError> {
        let size = create(file)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(file, flags)?;
        if application(&connection)? == 0 && is_blank(&connection)? {
            // Another shim may create the tables at the same time; the second check is made under
            // the lock.
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            if is_blank(&connection)? {
                connection.execute_batch(&tables(DIALECT))?;
                connection.pragma_update(None, "application_id", APPLICATION)?;
                connection.pragma_update(None, "user_version", SCHEMA)?;
            }
            connection.execute_batch("COMMIT")?;
        }
        if application(&connection)? == APPLICATION && version(&connection)? == SCHEMA - 1 {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            // Checked again under the lock.
            if version(&connection)? == SCHEMA - 1 {
                connection.execute_batch(&upgrade(DIALECT))?;
                connection.pragma_update(None, "user_version", SCHEMA)?;
            }
            connection.execute_batch("COMMIT")?;
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
        // Committed data survives a crash of the process, but a power failure may lose the last
        // seconds.
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(Self(connection))
    }

    pub(super) fn open_to_read(file: &Path) -> Result<Self, LedgerError> {
        // Gives a better error than SQLite's.
        std::fs::File::open(file)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(file, flags)?;
        if application(&connection)? == 0 && is_blank(&connection)? {
            return Err(LedgerError::Empty);
        }
        check_version(&connection)?;
        Ok(Self(connection))
    }
}

impl Engine for Sqlite {
    fn shared_name(&mut self) -> Result<Option<String>, LedgerError> {
        Ok(None)
    }

    fn begin(&mut self, purpose: Purpose) -> Result<(), LedgerError> {
        self.0.execute_batch(match purpose {
            Purpose::Write => "BEGIN IMMEDIATE",
            Purpose::Read => "BEGIN",
        })?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), LedgerError> {
        Ok(self.0.execute_batch("COMMIT")?)
    }

    fn roll_back(&mut self) {
        if !self.0.is_autocommit() {
            // Fails only if SQLite has already rolled back.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }

    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Row>, LedgerError> {
        let mut statement = self.0.prepare(&numbered(sql))?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(parameters), |row| {
            let cells = (0..columns).map(|column| row.get_ref(column).map(Cell::from));
            cells.collect()
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn each(&mut self, sql: &str, parameters: &[Row]) -> Result<(), LedgerError> {
        let mut statement = self.0.prepare(&numbered(sql))?;
        for row in parameters {
            statement.execute(params_from_iter(row))?;
        }
        Ok(())
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Null => ValueRef::Null,
        }))
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Integer(number) => Self::Number(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Self::Null,
        }
    }
}

/// SQLite writes numbered parameters as `?1`.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

/// Creates a missing file and returns its size in bytes. Only its owner may read it, because it
/// contains addresses.
fn create(file: &Path) -> io::Result<u64> {
    let mut options = OpenOptions::new();
    owner_only(options.create(true).append(true));
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
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
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
    match version(connection)? {
        SCHEMA => Ok(()),
        older if older < SCHEMA => Err(LedgerError::Older(older)),
        newer => Err(LedgerError::Newer(newer)),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// A check of a damaged file may fail instead of reporting the damage.
fn damage(error: rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged(error.to_string()),
        _ => error.into(),
    }
}
