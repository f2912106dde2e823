//! Writes log lines on a dedicated thread, so that a slow or failing sink cannot delay or fail a
//! request.
//!
//! Lines are queued in memory and written in batches. If the queue is full or the sink fails, lines
//! are dropped and counted. After the sink has recovered, one line reports how many are missing.
//!
//! `tracing_appender::non_blocking` is no replacement: it does not count lines lost by a failing
//! sink, bounds its queue in lines instead of bytes, and allocates and wakes its thread for each
//! line.

use std::{
    io::{self, ErrorKind, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Limit of the queue, in bytes. A batch that is being written takes up to the same again.
const CAPACITY: usize = 1024 * 1024;

/// Delay of the first line of a batch, in which others join it.
const BATCH_TIME: Duration = Duration::from_millis(10);

/// Pause before retrying a write to a full non-blocking sink.
const FULL_SINK_PAUSE: Duration = Duration::from_millis(10);

/// Queue of log lines, with counters.
#[derive(Debug, Default)]
pub(super) struct LogWriter {
    queue: Mutex<Queue>,
    /// Signals a line in the empty queue.
    filled: Condvar,
    /// Signals that a batch was written or dropped.
    emptied: Condvar,
    dropped: AtomicU64,
    /// A flush has timed out, and nothing was written since.
    is_stalled: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    /// True while the thread holds an unwritten batch.
    is_writing: bool,
}

/// A sink that can fail within a line.
struct Sink<W> {
    output: W,
    is_within_line: bool,
}

impl LogWriter {
    /// Starts the thread, which runs until the process exits.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub(super) fn start(self: &Arc<Self>, sink: impl Write + Send + 'static) -> io::Result<()> {
        let writer = Arc::clone(self);
        let builder = thread::Builder::new().name("log".to_owned());
        builder.spawn(move || writer.run(sink)).map(drop)
    }

    /// Lines dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Blocks until the queue is written or the timeout has passed. Returns at once if an earlier
    /// flush timed out and nothing was written since.
    pub(super) fn flush(&self, timeout: Duration) {
        if self.is_stalled.load(Ordering::Relaxed) {
            return;
        }
        let is_pending = |queue: &mut Queue| queue.is_writing || !queue.bytes.is_empty();
        let mut queue = self.queue.lock();
        let waited = self.emptied.wait_while_for(&mut queue, is_pending, timeout);
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
                // Goes into the queue that was just emptied.
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

    /// Replaces `batch` with all queued lines.
    fn take(&self, batch: &mut Vec<u8>, waits: bool) {
        batch.clear();
        let mut queue = self.queue.lock();
        queue.is_writing = false;
        self.emptied.notify_all();
        if waits && queue.bytes.is_empty() {
            let is_empty = |queue: &mut Queue| queue.bytes.is_empty();
            self.filled.wait_while(&mut queue, is_empty);
            MutexGuard::unlocked(&mut queue, || thread::sleep(BATCH_TIME));
        }
        std::mem::swap(&mut queue.bytes, batch);
        queue.is_writing = true;
    }

    fn drop_lines(&self, bytes: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        self.dropped.fetch_add(lines as u64, Ordering::Relaxed);
    }
}

/// Accepts whole events, as `tracing_subscriber` writes them. Never fails or blocks.
impl Write for &LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut queue = self.queue.lock();
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
    /// Writes as much as the sink accepts, retrying a full one; returns the number of bytes.
    fn write(&mut self, bytes: &[u8]) -> usize {
        // The rest of a failed line must not become the start of the next one.
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

    /// A sink that follows a script: for each write a number of bytes, or an error.
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

    const TIMEOUT: Duration = Duration::from_secs(20);

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
        writer.flush(TIMEOUT);
        let batches: Vec<_> = output.try_iter().collect();
        assert!(batches.concat() == expected.as_bytes());
        assert!(batches.len() < 100, "{}", batches.len());
        assert_eq!(writer.dropped(), 0);
    }

    #[test]
    fn counts_lines_lost_by_a_failing_sink_and_terminates_a_partial_line() {
        let (writer, answers, output) = scripted();
        for answer in [
            Ok(8),
            Err(ErrorKind::Interrupted),
            Err(ErrorKind::StorageFull),
        ] {
            answers.send(answer).unwrap();
        }
        log(&writer, "first\nsecond\nthird\n");
        writer.flush(TIMEOUT);
        assert_eq!(writer.dropped(), 2);
        answers.send(Err(ErrorKind::StorageFull)).unwrap();
        log(&writer, "fourth\n");
        writer.flush(TIMEOUT);
        assert_eq!(writer.dropped(), 3);
        drop(answers);
        log(&writer, "fifth\n");
        writer.flush(TIMEOUT);
        let output: Vec<_> = output.try_iter().flatten().collect();
        assert_eq!(String::from_utf8(output).unwrap(), "first\nse\nfifth\n");
        assert_eq!(writer.dropped(), 3);
    }

    #[test]
    fn queue_is_bounded_and_writers_do_not_block_while_the_sink_stalls() {
        let (writer, answers, output) = scripted();
        let line = format!("{}\n", "x".repeat(1023));
        log(&writer, &line);
        writer.flush(Duration::from_millis(100));
        // By now, the sink has one batch, or it is still queued.
        for _ in 0..3000 {
            log(&writer, &line);
        }
        let dropped = writer.dropped();
        assert!((1976..=1977).contains(&dropped), "{dropped}");
        assert!(writer.queue.lock().bytes.len() <= CAPACITY);
        // Returns at once, because the first flush timed out.
        writer.flush(TIMEOUT);
        drop(answers);
        writer.is_stalled.store(false, Ordering::Relaxed);
        writer.flush(TIMEOUT);
        let written: usize = output.try_iter().map(|batch| batch.len()).sum();
        assert_eq!(written as u64 / 1024 + dropped, 3001);
    }

    #[test]
    fn waits_for_a_non_blocking_sink() {
        let (writer, answers, output) = scripted();
        answers.send(Err(ErrorKind::WouldBlock)).unwrap();
        drop(answers);
        log(&writer, "line\n");
        writer.flush(TIMEOUT);
        assert_eq!(output.try_iter().collect::<Vec<_>>().concat(), b"line\n");
        assert_eq!(writer.dropped(), 0);
    }
}
