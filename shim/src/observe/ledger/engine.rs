//! What the ledger needs of a database, and the SQL that SQLite and `PostgreSQL` have in common.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use super::LedgerError;
use crate::settings::LedgerPlace;

/// The version of the tables.
pub(super) const SCHEMA: i64 = 2;

/// Days are days since 1970, moments seconds since 1970. Adding sums in any order gives the same.
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

/// Windows in which v1 answers an error on purpose: since version 2. Names of a list stand in lines.
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

/// Makes the tables of version 1 those of version 2.
const UPGRADE: &str = "
ALTER TABLE calls ADD COLUMN brownout {integer} NOT NULL DEFAULT 0;
";

/// A value of a row, or of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Number(i64),
    Text(String),
    Null,
}

/// The columns of a row, in order.
pub(super) type Row = Vec<Cell>;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One writer at a time, also among several shims.
    Write,
    /// All statements see the same moment.
    Read,
}

/// A connection to a database. Its methods block.
pub(super) trait Engine {
    /// Names the ledger if several machines may write it; within a transaction.
    fn shared_name(&mut self) -> Result<Option<String>, LedgerError>;

    fn begin(&mut self, purpose: Purpose) -> Result<(), LedgerError>;

    fn commit(&mut self) -> Result<(), LedgerError>;

    /// Undoes a transaction, as far as the database can be reached.
    fn roll_back(&mut self);

    /// The rows of a statement with parameters `$1`, `$2` and so on.
    fn rows(&mut self, sql: &str, parameters: &[Cell]) -> Result<Vec<Row>, LedgerError>;

    /// Executes a statement once for each set of parameters.
    fn each(&mut self, sql: &str, parameters: &[Row]) -> Result<(), LedgerError>;
}

/// Opens a ledger; one that is to be written is made if it is not there.
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

/// Runs statements in one transaction, all or none.
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

/// The only number of the only row.
pub(super) fn number(
    engine: &mut dyn Engine,
    sql: &str,
    parameters: &[Cell],
) -> Result<i64, LedgerError> {
    let rows = engine.rows(sql, parameters)?;
    let first = rows.first().and_then(|row| row.first());
    Ok(first.map_or(0, Cell::number))
}

/// The tables, in the words of a database: a column that numbers its rows, whole numbers, and options of
/// tables that are found by number or by their primary key.
fn tables(dialect: [&str; 4]) -> String {
    in_dialect(&[TABLES, BROWNOUTS].concat(), dialect)
}

/// What makes the tables of the version before those of this one.
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

    /// A number that was written by [`Self::from`].
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

/// The databases' numbers have a sign.
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
    /// True for what may end by itself.
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
