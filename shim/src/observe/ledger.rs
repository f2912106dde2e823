//! Usage ledger: the callers of v1 by key, address and user agent, with their operations and
//! parameters and the times of their calls.
//!
//! Off unless a database is configured. Requests never wait for it: each puts a short note into a
//! bounded queue. A dedicated thread sums notes by caller, operation and day, and adds the sums to
//! SQLite or `PostgreSQL` every few seconds. While the database is unavailable, sums stay in memory
//! up to a limit. Notes beyond are dropped, counted and logged, and the ledger records the day on
//! which that happened.

mod brownouts;
mod clock;
mod database;
mod engine;
mod note;
mod report;
mod table;

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender, SyncSender, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use mappings::Catalog;
use parking_lot::Mutex;
use recording::{Redactor, usage::Usage};

use super::observer::RequestRecord;
use crate::{
    clock::unix_seconds,
    settings::{BrownoutConfig, LedgerConfig, LedgerPlace},
};
use clock::Clock;
use database::Database;
use note::FinishedNote;
pub(crate) use note::Note;
pub use report::Filter;
use table::Table;

/// Capacity of the queue, in notes of a few hundred bytes.
const QUEUE: usize = 16_384;

/// Poll interval of the writer. Waking it for each note would cost more than the note.
const TICK: Duration = Duration::from_millis(100);

/// Maximum number of unwritten sums, a few hundred bytes each.
const MAX_SUMS: usize = 100_000;

/// Errors when a ledger is opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be created or opened.
    #[error("the file cannot be opened")]
    File(#[from] io::Error),
    /// A SQLite file of another program.
    #[error("the file is another program's database; name another one")]
    Foreign,
    /// A database without tables.
    #[error("the ledger is empty")]
    Empty,
    /// Written by a later version.
    #[error(
        "a newer shim wrote the ledger (schema {0}, and this one knows {known}); use that one, or \
         name another ledger",
        known = engine::SCHEMA
    )]
    Newer(i64),
    /// Written by an earlier version.
    #[error(
        "an older shim wrote the ledger (schema {0}, and this one reads {known}); start this shim with it \
         once",
        known = engine::SCHEMA
    )]
    Older(i64),
    /// SQLite detected corruption.
    #[error("the file is damaged ({0}); move it away, and a new one is begun")]
    Damaged(String),
    /// An error of SQLite.
    #[error("SQLite failed")]
    Sqlite(#[from] rusqlite::Error),
    /// An error of PostgreSQL.
    #[cfg(feature = "postgres")]
    #[error("PostgreSQL failed")]
    Postgres(#[from] tokio_postgres::Error),
    /// The connection to PostgreSQL is lost, or a statement timed out.
    #[cfg(feature = "postgres")]
    #[error("PostgreSQL does not answer")]
    Lost,
    /// This build does not support `PostgreSQL`.
    #[cfg(not(feature = "postgres"))]
    #[error("this shim is built without PostgreSQL; build it with --features postgres")]
    NoPostgres,
}

/// Queues notes for the writer thread.
pub struct Ledger {
    queue: SyncSender<FinishedNote>,
    commands: Sender<Command>,
    writer: thread::Thread,
    counts: Arc<Counts>,
    announced: Announced,
    place: LedgerPlace,
}

/// Brownouts whose windows are recorded when they begin.
type Announced = Arc<Mutex<Arc<[BrownoutConfig]>>>;

/// Numbers of requests since the start.
#[derive(Debug, Default)]
struct Counts {
    /// Added to the ledger.
    written: AtomicU64,
    /// Summed, but not yet in the ledger.
    unwritten: AtomicU64,
    /// Written under a combined caller.
    folded: AtomicU64,
    dropped: AtomicU64,
    /// Dropped, and not yet recorded as a gap.
    unrecorded: AtomicU64,
}

/// Numbers of requests, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerCounts {
    pub(crate) written: u64,
    pub(crate) folded: u64,
    pub(crate) dropped: u64,
}

/// A request to write immediately; the sender receives whether it succeeded.
enum Command {
    Flush(Sender<bool>),
    Stop(Sender<bool>),
}

impl Ledger {
    /// Opens or creates the ledger and starts the writer. Blocks. A server that is down is retried
    /// with the first write.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, a server rejects the user or the database, or the ledger has
    /// another version.
    pub fn start(config: LedgerConfig, catalog: &Catalog) -> Result<Self, LedgerError> {
        let (queue, notes) = mpsc::sync_channel(QUEUE);
        let (commands, ordered) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        let place = config.place.clone();
        let announced = Announced::default();
        let known = Arc::clone(&announced);
        let (redactor, counted) = (Redactor::new(catalog, None), Arc::clone(&counts));
        let (opened, is_open) = mpsc::channel();
        // The connection is created on the thread that uses it.
        let write = move || match Writer::open(config, redactor, counted, known) {
            Ok(mut writer) => {
                let _ = opened.send(Ok(()));
                writer.run(&notes, &ordered);
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        };
        let thread = thread::Builder::new().name("ledger".to_owned());
        let thread = thread.spawn(write)?;
        is_open.recv().map_err(io::Error::other)??;
        Ok(Self {
            queue,
            commands,
            writer: thread.thread().clone(),
            counts,
            announced,
            place,
        })
    }

    /// Records the windows of these brownouts from now on, with or without calls in them.
    pub(crate) fn announce(&self, brownouts: &[BrownoutConfig]) {
        *self.announced.lock() = brownouts.into();
    }

    /// Adds a served request.
    pub(crate) fn note(&self, note: Note, record: &RequestRecord<'_>) {
        let noted = note.finish(record, unix_seconds());
        if self.queue.try_send(noted).is_err() {
            self.counts.dropped("the disk does not keep up");
        }
    }

    /// Reads the ledger after writing pending sums. Blocks.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn usage(&self, filter: &Filter, timeout: Duration) -> Result<Usage, LedgerError> {
        self.flush(timeout);
        let mut usage = read(&self.place, filter)?;
        usage.unwritten = self.counts.unwritten.load(Ordering::Relaxed);
        Ok(usage)
    }

    /// Writes pending sums; false if that fails or times out. Blocks.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.command(Command::Flush, timeout)
    }

    /// Writes pending sums and stops; false if that fails or times out. Blocks.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.command(Command::Stop, timeout)
    }

    fn command(&self, command: fn(Sender<bool>) -> Command, timeout: Duration) -> bool {
        let (done, is_done) = mpsc::channel();
        let is_running = self.commands.send(command(done)).is_ok();
        self.writer.unpark();
        is_running && is_done.recv_timeout(timeout).unwrap_or_default()
    }

    pub(crate) fn counts(&self) -> LedgerCounts {
        let Counts {
            written,
            folded,
            dropped,
            ..
        } = &*self.counts;
        let [written, folded, dropped] =
            [written, folded, dropped].map(|count| count.load(Ordering::Relaxed));
        LedgerCounts {
            written,
            folded,
            dropped,
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Reads a ledger, which a shim may be writing at the same time. Blocks.
///
/// # Errors
///
/// If it cannot be read, or has another version.
pub fn read(place: &LedgerPlace, filter: &Filter) -> Result<Usage, LedgerError> {
    report::read(place, filter, unix_seconds())
}

impl Counts {
    /// Counts a dropped request; logs the first, second, fourth and so on.
    fn dropped(&self, why: &str) {
        self.unrecorded.fetch_add(1, Ordering::Relaxed);
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        if dropped.is_power_of_two() {
            tracing::warn!(dropped, why, "Requests are missing in the ledger");
        }
    }
}

struct Writer {
    table: Table,
    redactor: Redactor,
    database: Database,
    counts: Arc<Counts>,
    announced: Announced,
    clock: Clock,
    /// End of the recorded brownout windows, in seconds since 1970.
    noted: i64,
    /// Number of failed writes in a row.
    failures: u32,
    config: LedgerConfig,
    /// Last day that is recorded as kept.
    day: Option<i32>,
}

impl Writer {
    fn open(
        config: LedgerConfig,
        redactor: Redactor,
        counts: Arc<Counts>,
        announced: Announced,
    ) -> Result<Self, LedgerError> {
        let mut writer = Self {
            table: Table::new(config.max_consumers, MAX_SUMS),
            redactor,
            database: Database::open(&config.place, config.max_consumers)?,
            counts,
            announced,
            clock: Clock::new(unix_seconds(), Instant::now()),
            noted: unix_seconds(),
            failures: 0,
            config,
            day: None,
        };
        match writer.write(today(), 0) {
            Err(error) if error.is_outage() => writer.failures = 1,
            begun => {
                begun?;
                writer.day = Some(today());
            }
        }
        Ok(writer)
    }

    fn run(&mut self, notes: &Receiver<FinishedNote>, commands: &Receiver<Command>) {
        let mut flushed = Instant::now();
        loop {
            // Commands first, so that notes queued before a command are read after it.
            let command = commands.try_recv();
            let mut is_open = true;
            // Bounded, because notes may arrive as fast as they are read.
            for _ in 0..QUEUE {
                match notes.try_recv() {
                    Ok(one) => self.add(one),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => {
                        is_open = false;
                        break;
                    }
                }
            }
            // The sender of a command may have timed out.
            match command {
                Ok(Command::Flush(done)) => {
                    let _ = done.send(self.flush());
                    continue;
                }
                Ok(Command::Stop(done)) => {
                    let is_written = self.flush();
                    let _ = done.send(is_written);
                    return;
                }
                Err(_) if !is_open => {
                    self.flush();
                    return;
                }
                Err(_) => {}
            }
            if flushed.elapsed() >= self.config.flush {
                self.flush();
                flushed = Instant::now();
            }
            thread::park_timeout(TICK);
        }
    }

    fn add(&mut self, mut noted: FinishedNote) {
        noted.at = self.clock.time(noted.at, Instant::now());
        if !self.table.contains(&noted) {
            noted.scrub(&self.redactor);
        }
        if self.table.add(noted) {
            self.counts.unwritten.fetch_add(1, Ordering::Relaxed);
        } else {
            self.counts.dropped("too many unwritten sums");
        }
    }

    /// Writes pending sums; returns true if the ledger is up to date.
    fn flush(&mut self) -> bool {
        let now = self.clock.time(unix_seconds(), Instant::now());
        let today = day(now);
        let unrecorded = self.counts.unrecorded.swap(0, Ordering::Relaxed);
        let announced = Arc::clone(&self.announced.lock());
        let windows = brownouts::noted(&announced, self.noted, now);
        self.table.set_windows(windows);
        if self.table.is_empty() && unrecorded == 0 && Some(today) == self.day {
            self.noted = now;
            return true;
        }
        let written = self.write(today, unrecorded);
        match written {
            Ok(folded) => {
                self.noted = now;
                let count = self.table.requests();
                self.table.clear();
                self.counts.unwritten.store(0, Ordering::Relaxed);
                self.counts.written.fetch_add(count, Ordering::Relaxed);
                let before = self.counts.folded.fetch_add(folded, Ordering::Relaxed);
                if before == 0 && folded > 0 {
                    tracing::warn!(
                        max_consumers = self.config.max_consumers,
                        "ledger.max_consumers is reached; new callers of a key are counted as one"
                    );
                }
                self.day = Some(today);
                if self.failures > 0 {
                    tracing::info!("The ledger is written again");
                }
                self.failures = 0;
                true
            }
            Err(error) => {
                self.counts
                    .unrecorded
                    .fetch_add(unrecorded, Ordering::Relaxed);
                self.failures = self.failures.saturating_add(1);
                if self.failures.is_power_of_two() {
                    let (error, waiting) = (anyhow::Error::from(error), self.table.requests());
                    tracing::warn!(waiting, "The ledger cannot be written: {error:#}");
                }
                false
            }
        }
    }

    fn write(&mut self, today: i32, unrecorded: u64) -> Result<u64, LedgerError> {
        if Some(today) != self.day {
            self.database.begin_day(today, self.config.keep_days)?;
        }
        self.database.write(&self.table, today, unrecorded)
    }
}

fn today() -> i32 {
    day(unix_seconds())
}

/// Days since 1970, UTC.
fn day(seconds: i64) -> i32 {
    i32::try_from(seconds.div_euclid(24 * 60 * 60)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
