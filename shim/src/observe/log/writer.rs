//! Writes log lines to their sink on a thread of its own, so that no request waits for the log or
//! fails with it.
//!
//! Lines are queued in memory and written in batches. A line is dropped, and counted, if the queue is
//! full because the sink stalls, or if the sink fails. Once the sink works again, one line reports how
//! many were dropped.
//!
//! `tracing_appender::non_blocking` does not replace this: it does not count the lines that a failing
//! sink loses, its queue is bounded in lines and not in bytes, and it allocates for each line and
//! wakes its thread for it.

use std::{
    io::{self, ErrorKind, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Limit of the queue, in bytes. A batch that is being written takes as much again.
const CAPACITY: usize = 1024 * 1024;

/// How long the first line of a batch waits for others.
const BATCH_TIME: Duration = Duration::from_millis(10);

/// Pause before the next attempt to write to a non-blocking sink that is full.
const FULL_SINK_PAUSE: Duration = Duration::from_millis(10);

/// The queue of log lines, and its counters.
#[derive(Debug, Default)]
pub(super) struct LogWriter {
    queue: Mutex<Queue>,
    /// A line was added to the empty queue.
    filled: Condvar,
    /// A batch was written or dropped.
    emptied: Condvar,
    dropped: AtomicU64,
    /// A flush has timed out, and nothing was written since.
    is_stalled: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    /// True while the thread holds a batch that is not written yet.
    is_writing: bool,
}

/// A sink that may fail in the middle of a line.
struct Sink<W> {
    output: W,
    is_within_line: bool,
}

impl LogWriter {
    /// Starts the thread, which lives as long as the process.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub(super) fn start(self: &Arc<Self>, sink: impl Write + Send + 'static) -> io::Result<()> {
        let writer = Arc::clone(self);
        let builder = thread::Builder::new().name("log".to_owned());
        builder.spawn(move || writer.run(sink)).map(drop)
    }

    /// Lines that were dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until the queue is written or the timeout has passed. Blocks; returns at once if an
    /// earlier flush has timed out and nothing was written since.
    pub(super) fn flush(&self, timeout: Duration) {
        if self.is_stalled.load(Ordering::Relaxed) {
            return;
        }
        let is_pending = |queue: &mut Queue| queue.is_writing || !queue.bytes.is_empty();
        let waited = self
            .emptied
            .wait_timeout_while(self.lock(), timeout, is_pending);
        let (_queue, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            self.is_stalled.store(true, Ordering::Relaxed);
        }
    }

    fn run(&self, output: impl Write) {
        let mut sink = Sink {
            output,
            is_within_line: false,
        };
        let mut batch = Vec::new();
        let mut reported = 0;
        let mut works = true;
        loop {
            let unreported = self.dropped().saturating_sub(reported);
            let reports = works && unreported > 0;
            self.take(&mut batch, !reports);
            if reports {
                // Into the queue, which was emptied just now.
                reported += unreported;
                tracing::warn!(
                    dropped = unreported,
                    "Log lines are missing: standard error could not be written"
                );
            }
            let before = self.dropped();
            let written = sink.write(&batch);
            self.drop_lines(batch.get(written..).unwrap_or_default());
            works = before == self.dropped();
            self.is_stalled.store(false, Ordering::Relaxed);
        }
    }

    /// Takes all queued lines in place of the last batch.
    fn take(&self, batch: &mut Vec<u8>, waits: bool) {
        batch.clear();
        let mut queue = self.lock();
        queue.is_writing = false;
        self.emptied.notify_all();
        if waits && queue.bytes.is_empty() {
            let is_empty = |queue: &mut Queue| queue.bytes.is_empty();
            let filled = self.filled.wait_while(queue, is_empty);
            drop(filled.unwrap_or_else(PoisonError::into_inner));
            thread::sleep(BATCH_TIME);
            queue = self.lock();
        }
        std::mem::swap(&mut queue.bytes, batch);
        queue.is_writing = true;
    }

    fn drop_lines(&self, bytes: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        self.dropped.fetch_add(lines as u64, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Each change is a single one: no panic leaves it half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one event at a time, whole, as `tracing_subscriber` writes it. Never fails or blocks.
impl Write for &LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut queue = self.lock();
        if queue.bytes.len() + event.len() > CAPACITY {
            drop(queue);
            self.drop_lines(event);
        } else {
            let was_empty = queue.bytes.is_empty();
            queue.bytes.extend_from_slice(event);
            drop(queue);
            if was_empty {
                self.filled.notify_one();
            }
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Sink<W> {
    /// Writes as much as the sink takes, waiting for a slow one; returns the number of bytes.
    fn write(&mut self, bytes: &[u8]) -> usize {
        // What is left of a line that failed must not become the beginning of another one.
        if self.is_within_line && self.write_all(b"\n") == 0 {
            return 0;
        }
        let written = self.write_all(bytes);
        if let Some(last) = bytes.get(..written).and_then(<[u8]>::last) {
            self.is_within_line = *last != b'\n';
        }
        written
    }

    fn write_all(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.output.write(rest) {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => thread::sleep(FULL_SINK_PAUSE),
                    _ => break,
                },
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, SyncSender};

    use super::*;

    /// Writes as the test says, each time: this many bytes, or an error.
    struct Scripted {
        answers: Receiver<Result<usize, ErrorKind>>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self
                .answers
                .recv()
                .unwrap_or(Ok(usize::MAX))?
                .min(bytes.len());
            self.written.send(bytes[..count].to_vec()).unwrap();
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    type Answers = SyncSender<Result<usize, ErrorKind>>;

    fn scripted() -> (Arc<LogWriter>, Answers, Receiver<Vec<u8>>) {
        let (answer, answers) = mpsc::sync_channel(100);
        let (written, output) = mpsc::channel();
        let writer = Arc::<LogWriter>::default();
        writer.start(Scripted { answers, written }).unwrap();
        (writer, answer, output)
    }

    fn log(writer: &LogWriter, line: &str) {
        let mut writer = writer;
        writer.write_all(line.as_bytes()).unwrap();
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn writes_lines_in_batches_and_in_order() {
        let (writer, answers, output) = scripted();
        drop(answers);
        let mut expected = String::new();
        for line in 0..1000 {
            let line = format!("{line}\n");
            log(&writer, &line);
            expected += &line;
        }
        writer.flush(PATIENCE);
        let batches: Vec<_> = output.try_iter().collect();
        assert!(batches.concat() == expected.as_bytes());
        assert!(batches.len() < 100, "{}", batches.len());
        assert_eq!(writer.dropped(), 0);
    }

    #[test]
    fn counts_the_lines_that_a_failing_sink_loses_and_ends_the_broken_one() {
        let (writer, answers, output) = scripted();
        for answer in [
            Ok(8),
            Err(ErrorKind::Interrupted),
            Err(ErrorKind::StorageFull),
        ] {
            answers.send(answer).unwrap();
        }
        log(&writer, "first\nsecond\nthird\n");
        writer.flush(PATIENCE);
        assert_eq!(writer.dropped(), 2);
        answers.send(Err(ErrorKind::StorageFull)).unwrap();
        log(&writer, "fourth\n");
        writer.flush(PATIENCE);
        assert_eq!(writer.dropped(), 3);
        drop(answers);
        log(&writer, "fifth\n");
        writer.flush(PATIENCE);
        let output: Vec<_> = output.try_iter().flatten().collect();
        assert_eq!(String::from_utf8(output).unwrap(), "first\nse\nfifth\n");
        assert_eq!(writer.dropped(), 3);
    }

    #[test]
    fn a_stalled_sink_bounds_the_queue_and_blocks_no_writer() {
        let (writer, answers, output) = scripted();
        let line = format!("{}\n", "x".repeat(1023));
        log(&writer, &line);
        writer.flush(Duration::from_millis(100));
        // One batch is with the sink by now, or still queued.
        for _ in 0..3000 {
            log(&writer, &line);
        }
        let dropped = writer.dropped();
        assert!((1976..=1977).contains(&dropped), "{dropped}");
        assert!(writer.lock().bytes.len() <= CAPACITY);
        // Does not wait a second time.
        writer.flush(PATIENCE);
        drop(answers);
        writer.is_stalled.store(false, Ordering::Relaxed);
        writer.flush(PATIENCE);
        let written: usize = output.try_iter().map(|batch| batch.len()).sum();
        assert_eq!(written as u64 / 1024 + dropped, 3001);
    }

    #[test]
    fn waits_for_a_non_blocking_sink() {
        let (writer, answers, output) = scripted();
        answers.send(Err(ErrorKind::WouldBlock)).unwrap();
        drop(answers);
        log(&writer, "line\n");
        writer.flush(PATIENCE);
        assert_eq!(output.try_iter().collect::<Vec<_>>().concat(), b"line\n");
        assert_eq!(writer.dropped(), 0);
    }
}
