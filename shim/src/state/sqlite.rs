//! State in SQLite: a file that the processes of one machine share, or memory.
//!
//! One thread owns the connection; each operation is one transaction on it. Committed transactions
//! survive `kill -9`; the last ones may be lost with the power (`synchronous=NORMAL`). A second thread
//! moves them from the write-ahead log into the database: only that waits for the disk.

mod limits;
mod lists;
mod messages;
mod writes;

use std::{
    fmt,
    fs::OpenOptions,
    path::Path,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use rusqlite::{
    Connection, OpenFlags, ToSql, Transaction, TransactionBehavior,
    config::DbConfig,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use tokio::sync::oneshot;

use super::{
    Name, StateError,
    engine::{
        Answer, Begun, CURSOR_TIME, Ending, Engine, Processes, Progress, Reservation, Run, Subject,
        Write,
    },
    queue,
};

/// Tells this from other SQLite files, in `application_id`: "v1st".
const APPLICATION: i64 = 0x7631_7374;

/// The steps from an empty file to the current tables. `user_version` is the number of steps made.
const MIGRATIONS: [&str; 1] = [include_str!("sqlite/schema.sql")];

/// The version of the tables.
pub(super) const SCHEMA: i64 = 1;

/// For another process that is writing.
const PATIENCE: Duration = Duration::from_millis(500);

/// The interval at which expired rows are deleted.
const SWEEP: Duration = Duration::from_secs(10);

/// Expired rows that one sweep deletes of a table, so that no request waits for a long one.
const SWEPT_AT_ONCE: u32 = 1000;

/// The interval at which the write-ahead log is moved into the database.
const CHECKPOINT: Duration = Duration::from_secs(1);

/// Pages of the write-ahead log from which on the writing thread itself moves them: 16 MiB, so that it
/// stays bounded under a load that leaves the other thread no moment to start the log anew.
const LOG_PAGES: u32 = 4096;

/// Pages of 4 KiB that state in memory may take: 256 MiB.
const MAX_PAGES: u32 = 65_536;

/// Statements that are kept prepared: all that there are.
const STATEMENTS: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// State in SQLite.
pub(super) struct Sqlite {
    jobs: Sender<Job>,
    /// Of a file: the thread of checkpoints ends when this is dropped.
    checkpoints: Option<Sender<()>>,
}

impl Sqlite {
    /// Opens a file, or creates it for its owner alone; brings its tables up to date.
    pub(super) fn open(file: &Path) -> Result<Self, StateError> {
        create(file).map_err(|source| StateError::File {
            file: file.to_owned(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(PATIENCE)?;
        migrate(&mut connection, file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        let checkpoints = checkpoint(Connection::open_with_flags(file, flags)?)?;
        Self::start(connection, Some(checkpoints))
    }

    /// State that ends with the process.
    pub(super) fn in_memory() -> Result<Self, StateError> {
        let mut connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "max_page_count", MAX_PAGES)?;
        migrate(&mut connection, Path::new(":memory:"))?;
        Self::start(connection, None)
    }

    fn start(
        mut connection: Connection,
        checkpoints: Option<Sender<()>>,
    ) -> Result<Self, StateError> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Otherwise most statements are prepared anew each time, for the values that they are given.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let (jobs, waiting) = mpsc::channel();
        let thread = thread::Builder::new().name("state".to_owned());
        let started = thread.spawn(move || work(&mut connection, &waiting));
        started.map_err(|_| StateError::Stopped)?;
        Ok(Self { jobs, checkpoints })
    }

    /// Runs a transaction that may write on the engine's thread.
    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        self.transaction(TransactionBehavior::Immediate, job)
    }

    /// Runs a transaction that only reads: it waits for no other process.
    fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        self.transaction(TransactionBehavior::Deferred, job)
    }

    fn transaction<T: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let done = transact(connection, behavior, job);
            // The request may be gone.
            let _ = answer.send(done);
        });
        let is_sent = self.jobs.send(job).is_ok();
        async move {
            if !is_sent {
                return Err(StateError::Stopped);
            }
            let answered = answered.await.map_err(|_| StateError::Stopped)?;
            answered.map_err(StateError::from)
        }
        .boxed()
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

impl Engine for Sqlite {
    fn kind(&self) -> &'static str {
        if self.checkpoints.is_some() {
            "sqlite"
        } else {
            "memory"
        }
    }

    fn processes(&self) -> Option<Processes> {
        let of_machine = Processes {
            count: None,
            is_complete: true,
        };
        self.checkpoints.as_ref().map(|_| of_machine)
    }

    fn list(&self, list: Name, account: Name) -> Answer<'_, (Option<Bytes>, u64)> {
        self.read(move |on| Ok((lists::kept(on, list)?, lists::generation(on, account)?)))
    }

    fn save_cursors(&self, list: Name, _: Name, cursors: Bytes) -> Answer<'_, ()> {
        self.keep(list, cursors, CURSOR_TIME)
    }

    fn kept(&self, name: Name) -> Answer<'_, Option<Bytes>> {
        self.read(move |on| lists::kept(on, name))
    }

    fn keep(&self, name: Name, value: Bytes, time: Duration) -> Answer<'_, ()> {
        self.run(move |on| lists::keep(on, name, &value, time))
    }

    fn generation(&self, account: Name) -> Answer<'_, u64> {
        self.read(move |on| lists::generation(on, account))
    }

    fn advance(&self, account: Name) -> Answer<'_, ()> {
        self.run(move |on| lists::advance(on, account))
    }

    fn begin(&self, write: Write, run: Run, lease: Duration, journal: Bytes) -> Answer<'_, Begun> {
        self.run(move |on| writes::begin(on, write.name, run, lease, &journal))
    }

    fn step(
        &self,
        write: Write,
        run: Run,
        lease: Duration,
        journal: Option<Bytes>,
    ) -> Answer<'_, bool> {
        self.run(move |on| writes::step(on, write.name, run, lease, journal.as_deref()))
    }

    fn end(&self, write: Write, run: Run, ending: Ending) -> Answer<'_, bool> {
        self.run(move |on| writes::end(on, write, run, &ending))
    }

    fn progress(&self, write: Write, run: Run) -> Answer<'_, Progress> {
        self.read(move |on| writes::progress(on, write.name, run))
    }

    fn is_open(&self, write: Write) -> Answer<'_, bool> {
        self.read(move |on| writes::is_open(on, write.name))
    }

    fn reserve(&self, reservation: Reservation) -> Answer<'_, Option<Duration>> {
        if reservation.pace.is_none() && reservation.daily.is_none() {
            return self.read(move |on| {
                let is_refused = limits::is_refused(on, &reservation)?;
                Ok((!is_refused).then_some(Duration::ZERO))
            });
        }
        self.run(move |on| limits::reserve(on, &reservation))
    }

    fn refused(
        &self,
        _: Name,
        refusal: Name,
        subject: Option<Subject>,
        time: Duration,
    ) -> Answer<'_, ()> {
        self.run(move |on| limits::refused(on, refusal, subject, time))
    }

    fn fail(&self, who: Name, window: Duration) -> Answer<'_, u64> {
        self.run(move |on| limits::fail(on, who, window))
    }

    fn failures(&self, who: Name) -> Answer<'_, u64> {
        self.read(move |on| limits::failures(on, who))
    }

    fn put(&self, queue: Name, message: queue::NewMessage, now: i64) -> Answer<'_, queue::Put> {
        self.run(move |on| messages::put(on, queue, &message, now))
    }

    fn has_seen(&self, queue: Name, id: Name, now: i64) -> Answer<'_, bool> {
        self.read(move |on| messages::has_seen(on, queue, id, now))
    }

    fn claim(
        &self,
        queue: Name,
        now: i64,
        lease: Duration,
        owner: Run,
    ) -> Answer<'_, Option<queue::Claimed>> {
        self.run(move |on| messages::claim(on, queue, now, lease, owner))
    }

    fn renew(
        &self,
        queue: Name,
        claim: queue::Claim,
        now: i64,
        lease: Duration,
    ) -> Answer<'_, bool> {
        self.run(move |on| messages::renew(on, queue, claim, now, lease))
    }

    fn settle(
        &self,
        queue: Name,
        claim: queue::Claim,
        settlement: queue::Settlement,
        now: i64,
    ) -> Answer<'_, bool> {
        self.run(move |on| messages::settle(on, queue, claim, settlement, now))
    }

    fn next_due(&self, queue: Name) -> Answer<'_, Option<i64>> {
        self.read(move |on| messages::next_due(on, queue))
    }

    fn dead_letters(&self, queue: Name, limit: usize) -> Answer<'_, Vec<queue::DeadLetter>> {
        self.read(move |on| messages::dead_letters(on, queue, limit))
    }

    fn put_back(&self, queue: Name, which: queue::Dead, now: i64) -> Answer<'_, usize> {
        self.run(move |on| messages::put_back(on, queue, &which, now))
    }

    fn counts(&self, queue: Name) -> Answer<'_, queue::Counts> {
        self.read(move |on| messages::counts(on, queue))
    }
}

/// Runs jobs until the engine is dropped, and deletes what expired.
fn work(connection: &mut Connection, jobs: &Receiver<Job>) {
    let mut swept = Instant::now();
    loop {
        match jobs.recv_timeout(SWEEP) {
            Ok(job) => job(connection),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if swept.elapsed() >= SWEEP {
            swept = Instant::now();
            if let Err(error) = transact(connection, TransactionBehavior::Immediate, sweep) {
                tracing::warn!(%error, "Expired state cannot be deleted");
            }
        }
    }
}

fn sweep(on: &Transaction<'_>) -> rusqlite::Result<()> {
    for (table, key) in [
        ("cursors", "name"),
        ("write", "name"),
        ("answer", "run"),
        ("counter", "name"),
    ] {
        let expired = format!(
            "DELETE FROM {table} WHERE {key} IN \
             (SELECT {key} FROM {table} WHERE expires <= ?1 LIMIT {SWEPT_AT_ONCE})"
        );
        on.prepare_cached(&expired)?.execute([now()])?;
    }
    messages::sweep_all(on, now())
}

/// Moves the write-ahead log into the database, until the sender is dropped.
fn checkpoint(connection: Connection) -> Result<Sender<()>, StateError> {
    let (running, stopped) = mpsc::channel();
    let thread = thread::Builder::new().name("checkpoints".to_owned());
    let started = thread.spawn(move || {
        while stopped.recv_timeout(CHECKPOINT) == Err(RecvTimeoutError::Timeout) {
            // What fails now is done next time, or by the writing thread.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    });
    started.map_err(|_| StateError::Stopped)?;
    Ok(running)
}

fn transact<T>(
    connection: &mut Connection,
    behavior: TransactionBehavior,
    job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(behavior)?;
    let done = job(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

/// Brings the tables up to date. What a newer version or another program wrote is left as it is.
fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StateError> {
    let on = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |pragma: &str| on.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let is_blank = number("SELECT count(*) FROM sqlite_schema")? == 0;
    let application = number("PRAGMA application_id")?;
    if application != APPLICATION && !(is_blank && application == 0) {
        return Err(StateError::Foreign(file.to_owned()));
    }
    let version = number("PRAGMA user_version")?;
    let Some(missing) = usize::try_from(version)
        .ok()
        .and_then(|made| MIGRATIONS.get(made..))
    else {
        let file = file.to_owned();
        return Err(StateError::Newer { file, version });
    };
    if !missing.is_empty() {
        for migration in missing {
            on.execute_batch(migration)?;
        }
        on.pragma_update(None, "application_id", APPLICATION)?;
        on.pragma_update(None, "user_version", SCHEMA)?;
    }
    on.commit()?;
    Ok(())
}

/// Creates the file if there is none, for its owner alone.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file).map(drop)
}

/// Milliseconds since 1970.
fn now() -> i64 {
    now_micros() / 1000
}

/// Microseconds since 1970.
fn now_micros() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The moment at which what is remembered from now on expires.
fn after(time: Duration) -> i64 {
    now().saturating_add(millis(time))
}

impl ToSql for Name {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_be_bytes().to_vec().into())
    }
}

impl FromSql for Name {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        let bytes = bytes.try_into().map_err(|_| FromSqlError::InvalidType)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}
