//! Database interface of the ledger, and the SQL that SQLite and `PostgreSQL` share.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use super::LedgerError;
use crate::settings::LedgerPlace;

/// Version of the schema.
pub(super) const SCHEMA: i64 = 2;

/// Days are counted since 1970, times in seconds since 1970. Adding sums is commutative.
const TABLES: &str = "
CREATE TABLE consumer (
    id {identity},
    key TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    UNIQUE (key, address, agent)
) {rows};
CREATE TABLE calls (
    consumer {integer} NOT NULL REFERENCES consumer,
    operation TEXT NOT NULL,
    day {integer} NOT NULL,
    answered {integer} NOT NULL,
    error {integer} NOT NULL,
    not_served {integer} NOT NULL,
    refused {integer} NOT NULL,
    trouble {integer} NOT NULL,
    first {integer} NOT NULL,
    last {integer} NOT NULL,
    brownout {integer} NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer, operation, day)
) {tree};
CREATE TABLE parameter (
    consumer {integer} NOT NULL REFERENCES consumer,
    operation TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    requests {integer} NOT NULL,
    first {integer} NOT NULL,
    last {integer} NOT NULL,
    PRIMARY KEY (consumer, operation, role, name)
) {tree};
CREATE TABLE kept (
    day {integer} PRIMARY KEY,
    dropped {integer} NOT NULL
) {rows};
";

/// Brownout windows, since version 2. Lists of names have one per line.
const BROWNOUTS: &str = "
CREATE TABLE brownout (
    begins {integer} NOT NULL,
    ends {integer} NOT NULL,
    keys TEXT NOT NULL,
    operations TEXT NOT NULL,
    first {integer} NOT NULL,
    last {integer} NOT NULL,
    PRIMARY KEY (begins, ends, keys, operations)
) {tree};
";

/// Migrates version 1 to 2, together with [`BROWNOUTS`].
const UPGRADE: &str = "
ALTER TABLE calls ADD COLUMN brownout {integer} NOT NULL DEFAULT 0;
";

/// A column value, or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Number(i64),
    Text(String),
    Null,
}

/// Values of a row in column order.
pub(super) type Row = Vec<Cell>;

/// Purpose of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Exclusive among all writers, also of other shims.
    Write,
    /// All statements see the same snapshot.
    Read,
}

/// A database connection. Methods block.
pub(super) trait Engine {
    /// Name of a ledger that several machines may write. Needs a transaction.
    fn shared_name(&mut self) -> Result<Option<String>, LedgerError>;

    fn begin(&mut self, purpose: Purpose) -> Result<(), LedgerError>;

    fn commit(&mut self) -> Result<(), LedgerError>;

    /// Rolls back, if the database is reachable.
    fn roll_back(&mut self);

    /// Executes a query with parameters `$1`, `$2` …
    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Row>, LedgerError>;

    /// Executes a statement once per set of parameters.
    fn each(&mut self, sql: &str, parameters: &[Row]) -> Result<(), LedgerError>;
}

/// Opens a ledger; creates it if `is_writer`.
pub(super) fn open(place: &LedgerPlace, is_writer: bool) -> Result<Box<dyn Engine>, LedgerError> {
    Ok(match place {
        LedgerPlace::File(file) if is_writer => Box::new(sqlite::Sqlite::open(file)?),
        LedgerPlace::File(file) => Box::new(sqlite::Sqlite::open_to_read(file)?),
        #[cfg(feature = "postgres")]
        LedgerPlace::Postgres(url, password) => {
            Box::new(postgres::Postgres::open(url, password.as_ref(), is_writer)?)
        }
        #[cfg(not(feature = "postgres"))]
        LedgerPlace::Postgres(..) => return Err(LedgerError::NoPostgres),
    })
}

/// Runs statements in one transaction.
pub(super) fn transaction<T>(
    engine: &mut dyn Engine,
    purpose: Purpose,
    statements: impl FnOnce(&mut dyn Engine) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    engine.begin(purpose)?;
    let done = statements(engine).and_then(|done| engine.commit().map(|()| done));
    if done.is_err() {
        engine.roll_back();
    }
    done
}

/// Returns the first number of the first row, or 0.
pub(super) fn number(
    engine: &mut dyn Engine,
    sql: &str,
    parameters: &[Cell],
) -> Result<i64, LedgerError> {
    let rows = engine.rows(sql, parameters)?;
    let first = rows.first().and_then(|row| row.first());
    Ok(first.map_or(0, Cell::number))
}

/// The schema in an SQL dialect: identity column, integer type, and table options for access by row
/// id and by primary key.
fn tables(dialect: [&str; 4]) -> String {
    in_dialect(&[TABLES, BROWNOUTS].concat(), dialect)
}

/// The migration from the previous version, in a dialect.
fn upgrade(dialect: [&str; 4]) -> String {
    in_dialect(&[UPGRADE, BROWNOUTS].concat(), dialect)
}

fn in_dialect(sql: &str, [identity, integer, rows, tree]: [&str; 4]) -> String {
    sql.replace("{identity}", identity)
        .replace("{integer}", integer)
        .replace("{rows}", rows)
        .replace("{tree}", tree)
}

impl Cell {
    pub(super) fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(_) | Self::Null => 0,
        }
    }

    /// Converts a number that was written as `u64`.
    pub(super) fn count(&self) -> u64 {
        self.number().try_into().unwrap_or_default()
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(_) | Self::Null => String::new(),
        }
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Database integers are signed.
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl LedgerError {
    /// True for errors that may be temporary.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            #[cfg(feature = "postgres")]
            Self::Lost => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(error) => postgres::is_outage(error),
            _ => false,
        }
    }
}
