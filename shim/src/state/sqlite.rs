//! State in SQLite: in memory, or in a file that the processes of one machine share.
//!
//! One thread owns the connection, and each operation is one transaction on it. Committed
//! transactions survive `kill -9`; a power failure may lose the last ones (`synchronous=NORMAL`). A
//! second thread runs the checkpoints, so that only that thread waits for the disk.

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
    time::{Duration, Instant},
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
use crate::{clock::unix_millis, private_file::owner_only};

/// `application_id` of the file: "v1st".
const APPLICATION: i64 = 0x7631_7374;

/// Migrations from an empty file to the current schema. `user_version` is the number applied.
const MIGRATIONS: [&str; 1] = [include_str!("sqlite/schema.sql")];

/// Version of the schema.
pub(super) const SCHEMA: i64 = 1;

/// Time to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// The interval at which expired rows are deleted.
const SWEEP: Duration = Duration::from_secs(10);

/// Expired rows deleted from a table at a time, so that no request waits long.
const SWEPT_AT_ONCE: u32 = 1000;

/// The checkpoint interval.
const CHECKPOINT: Duration = Duration::from_secs(1);

/// Size of the write-ahead log at which the writing thread runs a checkpoint itself, in pages: 16
/// MiB. It bounds the log under a load that never lets the checkpoint thread reset it.
const LOG_PAGES: u32 = 4096;

/// Maximum size of state in memory, in pages of 4 KiB: 256 MiB.
const MAX_PAGES: u32 = 65_536;

/// Capacity of the cache of prepared statements: enough for all.
const STATEMENTS: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// State in SQLite.
pub(super) struct Sqlite {
    jobs: Sender<Job>,
    /// For a file: dropping this ends the checkpoint thread.
    checkpoints: Option<Sender<()>>,
}

impl Sqlite {
    /// Opens or creates a file, which only its owner can read, and migrates it.
    pub(super) fn open(file: &Path) -> Result<Self, StateError> {
        create(file).map_err(|source| StateError::File {
            file: file.to_owned(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        migrate(&mut connection, file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        let checkpoints = checkpoint(Connection::open_with_flags(file, flags)?)?;
        Self::start(connection, Some(checkpoints))
    }

    /// State that is lost when the process ends.
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
        // Otherwise SQLite prepares most statements again whenever their parameters change.
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

    /// Runs a read-only transaction, which does not wait for other processes.
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
            // The requesting task may be gone.
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
        self.read(move |on| Ok((lists::value(on, list)?, lists::generation(on, account)?)))
    }

    fn save_cursors(&self, list: Name, _: Name, cursors: Bytes) -> Answer<'_, ()> {
        self.set_value(list, cursors, CURSOR_TIME)
    }

    fn value(&self, name: Name) -> Answer<'_, Option<Bytes>> {
        self.read(move |on| lists::value(on, name))
    }

    fn set_value(&self, name: Name, value: Bytes, time: Duration) -> Answer<'_, ()> {
        self.run(move |on| lists::set_value(on, name, &value, time))
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

    fn requeue(&self, queue: Name, which: queue::Dead, now: i64) -> Answer<'_, usize> {
        self.run(move |on| messages::requeue(on, queue, &which, now))
    }

    fn counts(&self, queue: Name) -> Answer<'_, queue::Counts> {
        self.read(move |on| messages::counts(on, queue))
    }
}

/// Runs jobs until the engine is dropped, and deletes expired rows.
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
        on.prepare_cached(&expired)?.execute([unix_millis()])?;
    }
    messages::sweep_all(on, unix_millis())
}

/// Starts the checkpoint thread, which ends when the sender is dropped.
fn checkpoint(connection: Connection) -> Result<Sender<()>, StateError> {
    let (running, stopped) = mpsc::channel();
    let thread = thread::Builder::new().name("checkpoints".to_owned());
    let started = thread.spawn(move || {
        while stopped.recv_timeout(CHECKPOINT) == Err(RecvTimeoutError::Timeout) {
            // After a failure, the next checkpoint or the writing thread does the work.
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

/// Migrates the schema. The file of a newer version or of another program is not changed.
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

/// Creates the file if it is missing. Only its owner can read it.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    owner_only(options.create(true).append(true));
    options.open(file).map(drop)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The expiry of an entry with that time to live.
fn after(time: Duration) -> i64 {
    unix_millis().saturating_add(millis(time))
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
