//! The writer thread: redacts and writes exchanges.
//!
//! Runs at the lowest priority and within a CPU budget (`pacing`), so that requests have the
//! processors. Exchanges beyond that are dropped.

use std::{
    io,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, TryRecvError},
    },
    time::Duration,
};

use mappings::Catalog;
use recording::{PseudonymKey, Redactor};
use secrecy::ExposeSecret;

use super::{Queued, Shared, Sink, pacing::Pacer, thinning::Thinning};

/// Poll interval of an empty queue. Waking the thread for each request would cost every request.
const REST: Duration = Duration::from_millis(10);

/// Exchanges, and bytes, between two checks of the CPU budget.
const LAP: u32 = 16;
const LAP_BYTES: usize = 512 << 10;

/// A batch is written before a sleep of at least this long.
const MAX_DELAY: Duration = Duration::from_millis(50);

/// Size of a batch, in bytes.
const BATCH: usize = 64 << 10;

pub(super) struct Writer<S> {
    pub(super) redactor: Redactor,
    /// Catalog that `redactor` was built from.
    pub(super) catalog: Arc<Catalog>,
    pub(super) pseudonym_key: Option<PseudonymKey>,
    pub(super) queued: Receiver<Queued>,
    pub(super) shared: Arc<Shared>,
    pub(super) thinning: Option<Thinning>,
    /// Settings that leave exchanges out, for the `incomplete` member of records.
    pub(super) incomplete: Option<String>,
    pub(super) sink: S,
    /// Limit of a batch of several lines, so that rotated files do not exceed their size.
    pub(super) batch_bytes: u64,
}

/// Unwritten lines.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    exchanges: u64,
}

impl<S: Sink> Writer<S> {
    pub(super) fn run(mut self) {
        lower_priority();
        let limit = usize::try_from(self.batch_bytes)
            .unwrap_or(BATCH)
            .min(BATCH);
        let mut batch = Batch::default();
        let mut pacer = Pacer::for_this_thread();
        let mut taken = (0, 0);
        loop {
            match self.queued.try_recv() {
                Ok(queued) => {
                    self.take(&queued, limit, &mut batch);
                    taken = (taken.0 + 1, taken.1 + queued.bytes);
                    if taken.0 >= LAP || taken.1 >= LAP_BYTES {
                        taken = (0, 0);
                        self.rest(&mut pacer, &mut batch);
                    }
                }
                Err(TryRecvError::Empty) if self.shared.stopping.load(Ordering::SeqCst) => {
                    // An exchange may have been queued just before `stopping` was set.
                    match self.queued.try_recv() {
                        Ok(queued) => self.take(&queued, limit, &mut batch),
                        Err(_) => break,
                    }
                }
                Err(TryRecvError::Empty) => {
                    self.write(&mut batch);
                    pacer.park(REST);
                }
                Err(TryRecvError::Disconnected) => break,
            }
        }
        self.write(&mut batch);
    }

    /// Sleeps while the CPU budget is used up, unless the recorder is stopping.
    fn rest(&mut self, pacer: &mut Pacer, batch: &mut Batch) {
        while !self.shared.stopping.load(Ordering::SeqCst)
            && let Some(rest) = pacer.rest()
        {
            if rest >= MAX_DELAY {
                self.write(batch);
            }
            pacer.park(rest);
        }
    }

    /// Redacts an exchange and adds it to the batch; writes full batches.
    fn take(&mut self, queued: &Queued, limit: usize, batch: &mut Batch) {
        if !Arc::ptr_eq(&self.catalog, &queued.catalog) {
            self.catalog = Arc::clone(&queued.catalog);
            self.redactor = Redactor::new(&self.catalog, self.pseudonym_key.clone());
        }
        let secrets = queued.secrets.iter().map(ExposeSecret::expose_secret);
        let secrets: Vec<_> = secrets.collect();
        let before = batch.text.len();
        let mut record = self
            .redactor
            .record(&self.catalog, &queued.exchange, &secrets);
        self.shared.taken(queued.bytes);
        let thinning = self.thinning.as_mut();
        if thinning.is_some_and(|thinning| !thinning.keeps(&record)) {
            self.shared.thinned.fetch_add(1, Ordering::Relaxed);
            return;
        }
        record.incomplete.clone_from(&self.incomplete);
        let line = record.write();
        match line {
            Ok(line) => batch.text.extend_from_slice(line.as_bytes()),
            Err(error) => return self.shared.dropped(1, &error.to_string()),
        }
        batch.text.push(b'\n');
        if before > 0 && batch.text.len() > limit {
            let last = batch.text.split_off(before);
            self.write(batch);
            batch.text.extend_from_slice(&last);
        }
        batch.exchanges += 1;
        if batch.text.len() >= limit {
            self.write(batch);
        }
    }

    fn write(&mut self, batch: &mut Batch) {
        if batch.exchanges == 0 {
            return;
        }
        let written: io::Result<()> = self.sink.append(&batch.text);
        match written {
            Ok(()) => {
                self.shared
                    .written
                    .fetch_add(batch.exchanges, Ordering::Relaxed);
            }
            Err(error) => self.shared.dropped(batch.exchanges, &error.to_string()),
        }
        batch.text.clear();
        batch.exchanges = 0;
    }
}

/// Sets the calling thread to the lowest priority. Only Linux has a priority per thread.
pub(crate) fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        /// On a busy core, such a thread gets about 1/70 of the time and is preempted at once.
        const NICE: i32 = 19;
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "The recorder keeps the priority of the shim");
        }
    }
}
