//! Keeps exchanges for diffs: what v1 clients ask and get, and what v2 is asked between.
//!
//! Off unless a file is named. A request is never held up by it: an exchange goes into a bounded
//! queue, and a thread of its own redacts and writes it. If the disk is full or slow, exchanges are
//! dropped, counted and logged.

mod file;

use std::{
    fmt, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mappings::{
    Arguments, Catalog, Outcome, V1Answer, V1Error, V2Request,
    catalog::operation::Operation,
    record::{Exchange, FORMAT, PseudonymKey, Redactor, V1Exchange, V2Exchange, Wrapping, moment},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use file::RotatedFile;

/// What they may take together, roughly, in bytes.
const QUEUE_BYTES: usize = 32 << 20;

/// What is recorded, and where to.
#[derive(Clone, Debug)]
pub struct RecordConfig {
    /// The file that is written; older ones have `.1`, `.2` and so on at the end of their names.
    pub file: PathBuf,
    /// The size at which a new file is begun, in bytes.
    pub max_bytes: u64,
    /// How many files are kept, with the one that is written.
    pub files: usize,
    /// How many of a hundred exchanges are recorded.
    pub sample_percent: u8,
    /// How many exchanges may wait to be written; more are dropped.
    pub queue: usize,
    /// Addresses and names are replaced by pseudonyms under this key.
    pub pseudonym_key: Option<PseudonymKey>,
}

impl RecordConfig {
    /// All exchanges, with addresses and names as they are, in five files of 64 MiB.
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            max_bytes: 64 << 20,
            files: 5,
            sample_percent: 100,
            queue: 4096,
            pseudonym_key: None,
        }
    }
}

/// Where recordings are written; told of nothing but whole lines.
pub trait Sink: Send + 'static {
    /// Appends a line, its end included.
    ///
    /// # Errors
    ///
    /// If the line was not written.
    fn append(&mut self, line: &[u8]) -> io::Result<()>;
}

/// Takes exchanges and has them written.
pub struct Recorder {
    queue: SyncSender<Message>,
    counts: Arc<Counts>,
    sample_percent: u8,
    started: i64,
    sequence: AtomicU64,
}

/// What became of exchanges so far.
#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
    queued_bytes: AtomicUsize,
}

enum Message {
    Write(Box<Queued>),
    Stop(mpsc::Sender<()>),
}

struct Queued {
    exchange: Exchange,
    secrets: Vec<SecretString>,
    bytes: usize,
}

impl Recorder {
    /// Opens the file and starts to write.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, or there is no thread.
    pub fn start(config: RecordConfig, catalog: Arc<Catalog>) -> io::Result<Self> {
        let sink = RotatedFile::open(&config)?;
        Self::with_sink(config, catalog, sink)
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
        let (queue, messages) = mpsc::sync_channel(config.queue);
        let counts = Arc::new(Counts::default());
        let mut writer = Writer {
            redactor: Redactor::new(&catalog, config.pseudonym_key),
            catalog,
            counts: Arc::clone(&counts),
            sink,
        };
        thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || writer.run(&messages))?;
        Ok(Self {
            queue,
            counts,
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
    ) -> Option<Recording> {
        if self.sample_percent < 100 && fastrand::u8(0..100) >= self.sample_percent {
            return None;
        }
        let number = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        Some(Recording {
            recorder: Arc::clone(self),
            id: format!("{:x}-{number}", self.started),
            at: unix_millis(),
            begun: Instant::now(),
            operation: operation.name.clone(),
            wrapping,
            arguments: arguments.clone(),
            calls: Mutex::default(),
        })
    }

    /// How many exchanges were written.
    pub fn written(&self) -> u64 {
        self.counts.written.load(Ordering::Relaxed)
    }

    /// How many exchanges were dropped, because the disk was full, slow or gone.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all that was queued is written, but not for longer than this. Blocks.
    pub fn stop(&self, patience: Duration) -> bool {
        let (done, stopped) = mpsc::channel();
        self.queue.try_send(Message::Stop(done)).is_ok()
            && !matches!(
                stopped.recv_timeout(patience),
                Err(RecvTimeoutError::Timeout)
            )
    }

    fn queue(&self, queued: Queued) {
        let bytes = queued.bytes;
        let waiting = self.counts.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = waiting + bytes <= QUEUE_BYTES;
        if !fits
            || self
                .queue
                .try_send(Message::Write(Box::new(queued)))
                .is_err()
        {
            self.counts.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.counts.dropped("the disk does not keep up");
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Counts {
    /// Counts an exchange that is lost; the log has the first, the second, the fourth and so on.
    fn dropped(&self, why: &str) {
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        if dropped.is_power_of_two() {
            tracing::warn!(dropped, why, "Exchanges are not recorded");
        }
    }
}

/// One request, while it is served.
pub(crate) struct Recording {
    recorder: Arc<Recorder>,
    id: String,
    at: i64,
    begun: Instant,
    operation: String,
    wrapping: Wrapping,
    arguments: Arguments,
    calls: Mutex<Vec<V2Exchange>>,
}

impl Recording {
    /// Notes a v2 call.
    pub(crate) fn called(
        &self,
        name: &str,
        request: &V2Request,
        outcome: &Outcome,
        took: Duration,
    ) {
        let call = V2Exchange::new(name, request, outcome, micros(took));
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
    }

    /// Has the exchange written. `secrets` were used for it and may be quoted in it.
    pub(crate) fn finish(self, answer: Result<&V1Answer, &V1Error>, secrets: Vec<SecretString>) {
        let refused;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                refused = V1Answer {
                    result: Err(error.clone()),
                    warnings: Vec::new(),
                };
                &refused
            }
        };
        let exchange = Exchange {
            format: FORMAT,
            id: self.id,
            at: moment(self.at),
            micros: micros(self.begun.elapsed()),
            v1: V1Exchange::new(&self.operation, self.wrapping, &self.arguments, answer),
            v2: self
                .calls
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        };
        let bytes = weight(&exchange);
        self.recorder.queue(Queued {
            exchange,
            secrets,
            bytes,
        });
    }
}

struct Writer<S> {
    catalog: Arc<Catalog>,
    redactor: Redactor,
    counts: Arc<Counts>,
    sink: S,
}

impl<S: Sink> Writer<S> {
    fn run(&mut self, messages: &Receiver<Message>) {
        for message in messages {
            match message {
                Message::Write(queued) => self.write(*queued),
                Message::Stop(done) => {
                    // Who stopped may have lost patience.
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    fn write(&mut self, queued: Queued) {
        let Queued {
            mut exchange,
            secrets,
            bytes,
        } = queued;
        let others: Vec<_> = secrets.iter().map(ExposeSecret::expose_secret).collect();
        self.redactor
            .exchange(&self.catalog, &mut exchange, &others);
        let written = exchange
            .write()
            .map_err(io::Error::from)
            .and_then(|mut line| {
                line.push('\n');
                self.sink.append(line.as_bytes())
            });
        self.counts.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        match written {
            Ok(()) => {
                self.counts.written.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => self.counts.dropped(&error.to_string()),
        }
    }
}

/// What an exchange takes in memory, roughly.
fn weight(exchange: &Exchange) -> usize {
    const EACH: usize = 64;
    fn size(value: &Value) -> usize {
        EACH + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| name.len() + size(value))
                .sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }
    let parameters = exchange.v1.parameters.iter();
    let parameters = parameters.map(|(name, parameter)| name.len() + size(parameter));
    let calls = exchange.v2.iter().map(|call| {
        let documents = call.body.iter().chain(&call.answer);
        EACH + call.path.len() + documents.map(size).sum::<usize>()
    });
    size(&exchange.v1.answer) + parameters.sum::<usize>() + calls.sum::<usize>()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
