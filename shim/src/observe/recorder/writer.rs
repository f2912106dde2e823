//! The thread that redacts and writes.
//!
//! It runs with the lowest priority and within a CPU budget (`pacing`), so that requests have the
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

/// How long it rests when there is nothing to write. It looks for itself: to be woken by each request
/// would cost every one of them.
const REST: Duration = Duration::from_millis(10);

/// Between two looks at what was spent, in exchanges and in bytes.
const LAP: u32 = 16;
const LAP_BYTES: usize = 512 << 10;

/// What is finished is not kept back for longer.
const LONG: Duration = Duration::from_millis(50);

/// What is written at once, in bytes.
const BATCH: usize = 64 << 10;

pub(super) struct Writer<S> {
    pub(super) redactor: Redactor,
    /// What the lines are made with.
    pub(super) catalog: Arc<Catalog>,
    pub(super) pseudonym_key: Option<PseudonymKey>,
    pub(super) queued: Receiver<Queued>,
    pub(super) shared: Arc<Shared>,
    pub(super) thinning: Option<Thinning>,
    /// The settings by which exchanges are left out.
    pub(super) incomplete: Option<String>,
    pub(super) sink: S,
    /// Nothing larger is written at once, if it is more than one line: files are not to be larger.
    pub(super) batch_bytes: u64,
}

/// Lines that are not written yet.
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
        let mut pacer = Pacer::of_this_thread();
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
                    // What came before it was told to stop is seen now.
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

    /// Does nothing until there is time for it again, unless all is to end.
    fn rest(&mut self, pacer: &mut Pacer, batch: &mut Batch) {
        while !self.shared.stopping.load(Ordering::SeqCst)
            && let Some(rest) = pacer.rest()
        {
            if rest >= LONG {
                self.write(batch);
            }
            pacer.park(rest);
        }
    }

    /// Adds an exchange to the batch, and writes what is full.
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

/// Gives the calling thread the lowest priority. Only Linux has priorities for single threads.
pub(crate) fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        /// A busy core gives such a thread a seventieth of its time, and any other at once what it wants.
        const NICE: i32 = 19;
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "The recorder keeps the priority of the shim");
        }
    }
}
