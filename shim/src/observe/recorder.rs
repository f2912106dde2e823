//! Records exchanges for `migrate diff`: v1 requests and responses, and the v2 calls in between.
//!
//! Off unless a file is configured. The request path only moves parameters, v2 documents and the
//! response into a bounded queue; a dedicated thread redacts and writes them (`writer`). If the
//! thread cannot keep up, because the disk is full or slow or its CPU budget is used up, exchanges
//! are dropped, counted and logged.

mod cpu;
mod file;
mod pacing;
mod thinning;
mod writer;

use std::{
    fmt, io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::{self, Thread},
    time::Duration,
};

use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota};
use mappings::{Arguments, Catalog, Outcome, V2Request, catalog::operation::Operation};
use parking_lot::Mutex;
use recording::{RecordedSite, Redactor, Unredacted, UnredactedCall, Wrapping};
use secrecy::SecretString;
use shim_upstream::RequestId;
use tokio::time::Instant;

use crate::{clock::unix_millis, settings::RecordConfig};
use file::RotatedFile;
use thinning::Thinning;
use writer::Writer;
pub(crate) use writer::lower_priority;

/// Approximate size limit of the queue, in bytes.
const QUEUE_BYTES: usize = 32 << 20;

/// Log lines about dropped exchanges.
const WARNINGS: Quota =
    Quota::per_minute(NonZero::new(6).unwrap()).allow_burst(NonZero::<u32>::MIN);

/// Destination of recorded lines.
pub trait Sink: Send + 'static {
    /// Appends complete lines, each with its line end.
    ///
    /// # Errors
    ///
    /// If the lines were not written.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;
}

/// Writes to a file and to a second sink.
struct Tee {
    file: RotatedFile,
    second: Option<Box<dyn Sink>>,
}

impl Sink for Tee {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let second = self.second.as_mut();
        let appended = second.map_or(Ok(()), |second| second.append(lines));
        self.file.append(lines).and(appended)
    }
}

/// Queues exchanges for the writer thread.
pub struct Recorder {
    queue: SyncSender<Queued>,
    capacity: usize,
    shared: Arc<Shared>,
    writer: Thread,
    /// Receives a message when everything is written; disconnected if the writer panicked.
    ended: Mutex<Receiver<()>>,
    sample_percent: u8,
    started: i64,
    sequence: AtomicU64,
}

/// State shared by requests and the writer.
#[derive(Debug)]
struct Shared {
    written: AtomicU64,
    /// Left out because enough similar exchanges were written.
    thinned: AtomicU64,
    dropped: AtomicU64,
    queued: AtomicUsize,
    queued_bytes: AtomicUsize,
    stopping: AtomicBool,
    /// Everything was written.
    has_ended: AtomicBool,
    /// Limits log lines about dropped exchanges.
    warnings: DefaultDirectRateLimiter,
}

/// An exchange, and the secrets that may be quoted in it. In memory only, never printed.
struct Queued {
    exchange: Unredacted,
    /// Catalog of the request; defines what is redacted.
    catalog: Arc<Catalog>,
    secrets: Vec<SecretString>,
    bytes: usize,
}

impl Recorder {
    /// Opens the file and starts the writer; `second` receives the same lines.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or the system has no thread left.
    pub fn start(
        config: RecordConfig,
        catalog: Arc<Catalog>,
        second: Option<Box<dyn Sink>>,
    ) -> io::Result<Self> {
        let file = RotatedFile::open(&config)?;
        Self::with_sink(config, catalog, Tee { file, second })
    }

    /// Starts the writer with another sink.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
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
            warnings: DefaultDirectRateLimiter::direct(WARNINGS),
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
                // The receiver may have given up.
                let _ = ends.send(());
            })?;
        Ok(Self {
            queue,
            capacity: config.queue,
            shared,
            writer: writer.thread().clone(),
            ended: Mutex::new(ended),
            sample_percent: config.sample_percent,
            started: unix_millis(),
            sequence: AtomicU64::new(0),
        })
    }

    /// Starts the recording of a request; `None` if it is sampled out.
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
        // While the queue is full, nothing is collected that would be dropped in the end.
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

    /// Exchanges written.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// Exchanges left out because enough similar ones were written.
    pub fn thinned(&self) -> u64 {
        self.shared.thinned.load(Ordering::Relaxed)
    }

    /// Exchanges dropped because the disk was full, slow or gone, or there were too many.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Stops the writer after the queued exchanges, waiting at most `timeout`. Blocks. Returns true
    /// if everything was written.
    pub fn stop(&self, timeout: Duration) -> bool {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.writer.unpark();
        let ended = self.ended.lock();
        let has_ended = || self.shared.has_ended.load(Ordering::SeqCst);
        if !has_ended() && ended.recv_timeout(timeout).is_ok() {
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
        queued.load(Ordering::Relaxed) < self.capacity
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
    /// Accounts for an exchange that left the queue.
    fn taken(&self, bytes: usize) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts dropped exchanges; logs the total at the rate of [`WARNINGS`].
    fn dropped(&self, exchanges: u64, why: &str) {
        let dropped = self.dropped.fetch_add(exchanges, Ordering::Relaxed) + exchanges;
        if self.warnings.check().is_ok() {
            tracing::warn!(dropped, why, "Exchanges are not recorded");
        }
    }
}

/// Recording of one request in progress.
pub(crate) struct Recording {
    recorder: Arc<Recorder>,
    /// `None` if the queue was full.
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
    /// Adds a v2 call.
    pub(crate) fn called(
        &self,
        name: String,
        request: V2Request,
        outcome: &Outcome,
        took: Duration,
    ) {
        if let Some(kept) = &self.kept {
            let call = UnredactedCall::new(name, request, outcome, micros(took));
            let mut calls = kept.calls.lock();
            calls.push(call);
        }
    }

    /// Queues the exchange. `answer` is v1's as JSON, `secrets` may be quoted in it, and `catalog`
    /// is the one that served the request.
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
            calls: kept.calls.into_inner(),
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
