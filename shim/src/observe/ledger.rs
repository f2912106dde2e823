//! Who still calls v1: key, address and user agent, with which operations and parameters, from when
//! to when.
//!
//! Off unless a database is named. A request is never held up by it: a short note goes into a bounded
//! queue, and a thread of its own sums notes up by caller, operation and day and writes the sums
//! into SQLite or `PostgreSQL` every few seconds. If the database cannot be written, the sums wait in
//! memory, as far as there is room; what finds no room is dropped, counted and logged, and the ledger
//! says on which day that was.

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
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender, SyncSender, TryRecvError},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mappings::Catalog;
use recording::{Redactor, usage::Usage};

use super::observer::RequestRecord;
use crate::settings::{BrownoutConfig, LedgerConfig, LedgerPlace};
use clock::Clock;
use database::Database;
use note::FinishedNote;
pub(crate) use note::Note;
pub use report::Filter;
use table::Table;

/// Notes that may wait for the writer, a few hundred bytes each.
const QUEUE: usize = 16_384;

/// Polling interval of the writer. Waking it for each note would cost more than the note.
const TICK: Duration = Duration::from_millis(100);

/// Sums that may wait for the disk, a few hundred bytes each.
const MAX_SUMS: usize = 100_000;

/// Why there is no ledger, or why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be made or opened.
    #[error("the file cannot be opened")]
    File(#[from] io::Error),
    /// It is a SQLite file of something else.
    #[error("the file is another program's database; name another one")]
    Foreign,
    /// It has no ledger in it yet.
    #[error("the ledger is empty")]
    Empty,
    /// A later version wrote it.
    #[error(
        "a newer shim wrote the ledger (schema {0}, and this one knows {known}); use that one, or \
         name another ledger",
        known = engine::SCHEMA
    )]
    Newer(i64),
    /// An earlier version wrote it.
    #[error(
        "an older shim wrote the ledger (schema {0}, and this one reads {known}); start this shim with it \
         once",
        known = engine::SCHEMA
    )]
    Older(i64),
    /// SQLite finds mistakes in it.
    #[error("the file is damaged ({0}); move it away, and a new one is begun")]
    Damaged(String),
    /// SQLite cannot go on.
    #[error("SQLite says")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL cannot be reached, or cannot go on.
    #[cfg(feature = "postgres")]
    #[error("PostgreSQL says")]
    Postgres(#[from] tokio_postgres::Error),
    /// The connection to PostgreSQL is lost, or it does not answer in time.
    #[cfg(feature = "postgres")]
    #[error("PostgreSQL does not answer")]
    Lost,
    /// A build without `PostgreSQL`.
    #[cfg(not(feature = "postgres"))]
    #[error("this shim is built without PostgreSQL; build it with --features postgres")]
    NoPostgres,
}

/// Takes notes and has them written.
pub struct Ledger {
    queue: SyncSender<FinishedNote>,
    commands: Sender<Command>,
    writer: thread::Thread,
    counts: Arc<Counts>,
    announced: Arc<Announced>,
    place: LedgerPlace,
}

/// The brownouts that are noted when their windows come.
#[derive(Debug, Default)]
struct Announced(Mutex<Arc<[BrownoutConfig]>>);

impl Announced {
    fn now(&self) -> Arc<[BrownoutConfig]> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What became of requests so far.
#[derive(Debug, Default)]
struct Counts {
    /// Summed up and in the ledger.
    written: AtomicU64,
    /// Summed up, and not yet in the ledger.
    unwritten: AtomicU64,
    /// Written without telling the caller apart from others.
    folded: AtomicU64,
    dropped: AtomicU64,
    /// Those of the dropped that the ledger does not have yet.
    untold: AtomicU64,
}

/// What became of requests, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerCounts {
    pub(crate) written: u64,
    pub(crate) folded: u64,
    pub(crate) dropped: u64,
}

/// To write down at once; the answer is whether that succeeded.
enum Command {
    Flush(Sender<bool>),
    Stop(Sender<bool>),
}

impl Ledger {
    /// Opens or makes the ledger and starts to write. Blocks. A server that is down now is tried again
    /// with the first write.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, if a server refuses the user or the database, or if it is no
    /// ledger of this version.
    pub fn start(config: LedgerConfig, catalog: &Catalog) -> Result<Self, LedgerError> {
        let (queue, notes) = mpsc::sync_channel(QUEUE);
        let (commands, ordered) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        let place = config.place.clone();
        let announced = Arc::<Announced>::default();
        let known = Arc::clone(&announced);
        let (redactor, counted) = (Redactor::new(catalog, None), Arc::clone(&counts));
        let (opened, is_open) = mpsc::channel();
        // The connection stays on the thread that writes.
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

    /// Notes the windows of these brownouts from now on, whether or not somebody calls in them.
    pub(crate) fn announce(&self, brownouts: &[BrownoutConfig]) {
        let mut announced = self
            .announced
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *announced = brownouts.into();
    }

    /// Notes a request that was served.
    pub(crate) fn note(&self, note: Note, record: &RequestRecord<'_>) {
        let noted = note.finish(record, unix_seconds());
        if self.queue.try_send(noted).is_err() {
            self.counts.dropped("the disk does not keep up");
        }
    }

    /// What is written down, after what waits was. Blocks.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn usage(&self, filter: &Filter, patience: Duration) -> Result<Usage, LedgerError> {
        self.flush(patience);
        let mut usage = read(&self.place, filter)?;
        usage.unwritten = self.counts.unwritten.load(Ordering::Relaxed);
        Ok(usage)
    }

    /// Writes down what waits. False if that did not succeed in time. Blocks.
    pub fn flush(&self, patience: Duration) -> bool {
        self.command(Command::Flush, patience)
    }

    /// Writes down what waits, and ends. False if that did not succeed in time. Blocks.
    pub fn stop(&self, patience: Duration) -> bool {
        self.command(Command::Stop, patience)
    }

    fn command(&self, command: fn(Sender<bool>) -> Command, patience: Duration) -> bool {
        let (done, is_done) = mpsc::channel();
        let is_there = self.commands.send(command(done)).is_ok();
        self.writer.unpark();
        is_there && is_done.recv_timeout(patience).unwrap_or_default()
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

/// Reads a ledger, whether or not a shim writes it at the same time. Blocks.
///
/// # Errors
///
/// If it cannot be read, or is no ledger of this version.
pub fn read(place: &LedgerPlace, filter: &Filter) -> Result<Usage, LedgerError> {
    report::read(place, filter, unix_seconds())
}

impl Counts {
    /// Counts a request that is lost; the log has the first, the second, the fourth and so on.
    fn dropped(&self, why: &str) {
        self.untold.fetch_add(1, Ordering::Relaxed);
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
    announced: Arc<Announced>,
    clock: Clock,
    /// Up to when windows were noted, in seconds since 1970.
    noted: i64,
    /// How often in a row the ledger could not be written.
    failures: u32,
    config: LedgerConfig,
    /// The last day that the ledger has as one on which it was kept.
    day: Option<i32>,
}

impl Writer {
    fn open(
        config: LedgerConfig,
        redactor: Redactor,
        counts: Arc<Counts>,
        announced: Arc<Announced>,
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
            // Orders first: what was noted before one was given is in the queue then.
            let command = commands.try_recv();
            let mut is_open = true;
            // Bounded: more may come as fast as they are taken.
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
            // Who ordered may have lost patience.
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
        if !self.table.knows(&noted) {
            noted.scrub(&self.redactor);
        }
        if self.table.add(noted) {
            self.counts.unwritten.fetch_add(1, Ordering::Relaxed);
        } else {
            self.counts.dropped("there is no room for more of them");
        }
    }

    /// True if all that is known is in the ledger.
    fn flush(&mut self) -> bool {
        let now = self.clock.time(unix_seconds(), Instant::now());
        let today = day(now);
        let untold = self.counts.untold.swap(0, Ordering::Relaxed);
        let windows = brownouts::noted(&self.announced.now(), self.noted, now);
        self.table.keep_windows(windows);
        if self.table.is_empty() && untold == 0 && Some(today) == self.day {
            self.noted = now;
            return true;
        }
        let written = self.write(today, untold);
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
                        "More callers than the ledger tells apart; the others of a key are one"
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
                self.counts.untold.fetch_add(untold, Ordering::Relaxed);
                self.failures = self.failures.saturating_add(1);
                if self.failures.is_power_of_two() {
                    let (error, waiting) = (anyhow::Error::from(error), self.table.requests());
                    tracing::warn!(waiting, "The ledger cannot be written: {error:#}");
                }
                false
            }
        }
    }

    fn write(&mut self, today: i32, untold: u64) -> Result<u64, LedgerError> {
        if Some(today) != self.day {
            self.database.begin_day(today, self.config.keep_days)?;
        }
        self.database.write(&self.table, today, untold)
    }
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

fn today() -> i32 {
    day(unix_seconds())
}

/// The day of a moment, in days since 1970, UTC.
fn day(seconds: i64) -> i32 {
    i32::try_from(seconds.div_euclid(24 * 60 * 60)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
