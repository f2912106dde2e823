//! Records exchanges for `migrate diff`: the requests and answers of v1 clients, and the v2 calls
//! between.
//!
//! Off unless a file is named. A request is never held up by it: what it has anyway, its parameters,
//! v2's documents and its own answer, goes into a bounded queue, and a thread of its own redacts and
//! writes it (`writer`). If that thread does not keep up, because the disk is full or slow or there
//! is more than its part of the processors is enough for, exchanges are dropped, counted and logged.

mod file;
mod load;
mod pacing;
mod thinning;
mod writer;

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::{self, Thread},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use mappings::{Arguments, Catalog, Outcome, V2Request, catalog::operation::Operation};
use recording::{RecordedSite, Redactor, Unredacted, UnredactedCall, Wrapping};
use secrecy::SecretString;
use shim_upstream::RequestId;
use tokio::time::Instant;

use crate::settings::RecordConfig;
use file::RotatedFile;
use thinning::Thinning;
use writer::Writer;
pub(crate) use writer::lower_priority;

/// What may wait to be written, in bytes, roughly.
const QUEUE_BYTES: usize = 32 << 20;

/// How often the log says that exchanges are dropped, at the most.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Where recordings are written; told of nothing but whole lines.
pub trait Sink: Send + 'static {
    /// Appends lines, the end of the last one included.
    ///
    /// # Errors
    ///
    /// If the lines were not written.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;
}

/// Writes to a file and to a second sink.
struct Tee {
    file: RotatedFile,
    beside: Option<Box<dyn Sink>>,
}

impl Sink for Tee {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let told = self
            .beside
            .as_mut()
            .map_or(Ok(()), |beside| beside.append(lines));
        self.file.append(lines).and(told)
    }
}

/// Takes exchanges and has them written.
pub struct Recorder {
    queue: SyncSender<Queued>,
    room: usize,
    shared: Arc<Shared>,
    writer: Thread,
    /// Told by the writer when all is written; gone without a word if it failed.
    ended: Mutex<Receiver<()>>,
    sample_percent: u8,
    started: i64,
    sequence: AtomicU64,
}

/// What the requests and the writer tell each other.
#[derive(Debug)]
struct Shared {
    written: AtomicU64,
    /// Left out, because others like them are there.
    thinned: AtomicU64,
    dropped: AtomicU64,
    queued: AtomicUsize,
    queued_bytes: AtomicUsize,
    stopping: AtomicBool,
    /// All was written.
    has_ended: AtomicBool,
    begun: Instant,
    /// When the log said last that exchanges are dropped: milliseconds since `begun`.
    told: AtomicU64,
}

/// An exchange with the secrets that may be quoted in it: in memory only, never shown.
struct Queued {
    exchange: Unredacted,
    /// What it was served with, and tells what is secret.
    catalog: Arc<Catalog>,
    secrets: Vec<SecretString>,
    bytes: usize,
}

impl Recorder {
    /// Opens the file and starts to write; `beside` gets the same lines.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or there is no thread.
    pub fn start(
        config: RecordConfig,
        catalog: Arc<Catalog>,
        beside: Option<Box<dyn Sink>>,
    ) -> io::Result<Self> {
        let file = RotatedFile::open(&config)?;
        Self::with_sink(config, catalog, Tee { file, beside })
    }

    /// As [`Self::start`], with another place to write to.
    ///
    /// # Errors
    ///
    /// If there is no thread.
    pub fn with_sink(
        config: RecordConfig,
        catalog: Arc<Catalog>,
        sink: impl Sink,
    ) -> io::Result<Self> {
        let (queue, queued) = mpsc::sync_channel(config.queue);
        let (ends, ended) = mpsc::channel();
        let shared = Arc::new(Shared {
            written: AtomicU64::new(0),
            thinned: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            queued_bytes: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            begun: Instant::now(),
            told: AtomicU64::new(0),
        });
        let incomplete = config.leaves_out();
        let writer = Writer {
            incomplete,
            redactor: Redactor::new(&catalog, config.pseudonym_key.clone()),
            pseudonym_key: config.pseudonym_key,
            catalog,
            queued,
            shared: Arc::clone(&shared),
            sink,
            thinning: config.alike.map(Thinning::new),
            batch_bytes: config.max_bytes,
        };
        let writer = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                writer.run();
                // Whoever waits may be gone.
                let _ = ends.send(());
            })?;
        Ok(Self {
            queue,
            room: config.queue,
            shared,
            writer: writer.thread().clone(),
            ended: Mutex::new(ended),
            sample_percent: config.sample_percent,
            started: unix_millis(),
            sequence: AtomicU64::new(0),
        })
    }

    /// Begins the record of a request, unless the sample leaves it out.
    pub(crate) fn begin(
        self: &Arc<Self>,
        operation: &Operation,
        wrapping: Wrapping,
        arguments: &Arguments,
        request: RequestId,
    ) -> Option<Recording> {
        if self.sample_percent < 100 && fastrand::u8(0..100) >= self.sample_percent {
            return None;
        }
        // If there is no room now, nothing is collected only to be dropped in the end.
        let kept = self.has_room(0).then(|| Kept {
            at: unix_millis(),
            begun: Instant::now(),
            request,
            operation: operation.name.clone(),
            wrapping,
            arguments: arguments.clone(),
            calls: Mutex::default(),
        });
        Some(Recording {
            recorder: Arc::clone(self),
            kept,
        })
    }

    /// How many exchanges were written.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// How many exchanges were left out, because others like them are recorded.
    pub fn thinned(&self) -> u64 {
        self.shared.thinned.load(Ordering::Relaxed)
    }

    /// How many exchanges were dropped, because the disk was full, slow or gone, or there were too
    /// many.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Writes what is queued and ends, but waits for it no longer than this. Blocks. True if all of
    /// it was written.
    pub fn stop(&self, patience: Duration) -> bool {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.writer.unpark();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let has_ended = || self.shared.has_ended.load(Ordering::SeqCst);
        if !has_ended() && ended.recv_timeout(patience).is_ok() {
            self.shared.has_ended.store(true, Ordering::SeqCst);
        }
        has_ended()
    }

    fn has_room(&self, bytes: usize) -> bool {
        let Shared {
            queued,
            queued_bytes,
            ..
        } = self.shared.as_ref();
        queued.load(Ordering::Relaxed) < self.room
            && queued_bytes.load(Ordering::Relaxed) + bytes <= QUEUE_BYTES
    }

    fn queue(&self, queued: Queued) {
        if !self.has_room(queued.bytes) {
            self.shared.dropped(1, BEHIND);
            return;
        }
        let bytes = queued.bytes;
        self.shared.queued.fetch_add(1, Ordering::Relaxed);
        self.shared.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Err(error) = self.queue.try_send(queued) {
            self.shared.taken(bytes);
            self.shared.dropped(
                1,
                match error {
                    TrySendError::Full(_) => BEHIND,
                    TrySendError::Disconnected(_) => "the recorder has ended",
                },
            );
        }
    }
}

const BEHIND: &str = "the disk is slow, or there are too many";

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Something has left the queue.
    fn taken(&self, bytes: usize) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts exchanges that are lost. The log has the first of them, and from time to time how many
    /// there are.
    fn dropped(&self, exchanges: u64, why: &str) {
        let dropped = self.dropped.fetch_add(exchanges, Ordering::Relaxed) + exchanges;
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told = self.told.load(Ordering::Relaxed);
        let every = u64::try_from(TOLD_EVERY.as_millis()).unwrap_or(u64::MAX);
        let is_due = dropped == exchanges || now.saturating_sub(told) >= every;
        // Of many who lose one at the same time, one tells.
        let tells = || {
            let told = self
                .told
                .compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed);
            told.is_ok()
        };
        if is_due && tells() {
            tracing::warn!(dropped, why, "Exchanges are not recorded");
        }
    }
}

/// One request, while it is served.
pub(crate) struct Recording {
    recorder: Arc<Recorder>,
    /// `None` if there was no room for it.
    kept: Option<Kept>,
}

struct Kept {
    at: i64,
    begun: Instant,
    request: RequestId,
    operation: String,
    wrapping: Wrapping,
    arguments: Arguments,
    calls: Mutex<Vec<UnredactedCall>>,
}

impl Recording {
    /// Notes a v2 call.
    pub(crate) fn called(
        &self,
        name: String,
        request: V2Request,
        outcome: &Outcome,
        took: Duration,
    ) {
        if let Some(kept) = &self.kept {
            let call = UnredactedCall::new(name, request, outcome, micros(took));
            let mut calls = kept.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(call);
        }
    }

    /// Has the exchange written. `answer` is v1's as JSON, `secrets` were used for it and may be
    /// quoted in it, `catalog` is what it was served with.
    pub(crate) fn finish(
        self,
        answer: Bytes,
        site: Arc<RecordedSite>,
        secrets: Vec<SecretString>,
        catalog: Arc<Catalog>,
    ) {
        let Self { recorder, kept } = self;
        let Some(kept) = kept else {
            recorder.shared.dropped(1, BEHIND);
            return;
        };
        let number = recorder.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let exchange = Unredacted {
            id: format!("{:x}-{number}", recorder.started),
            request: Some(kept.request.to_string()),
            at: kept.at,
            micros: micros(kept.begun.elapsed()),
            site: Some(site),
            operation: kept.operation,
            wrapping: kept.wrapping,
            arguments: kept.arguments,
            answer,
            calls: kept
                .calls
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        };
        let bytes = exchange.weight();
        recorder.queue(Queued {
            exchange,
            catalog,
            secrets,
            bytes,
        });
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
