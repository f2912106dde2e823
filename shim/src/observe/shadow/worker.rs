//! Worker thread for comparisons, at the lowest priority. Work that a busy machine has no time for
//! is dropped.

use std::{
    io,
    sync::mpsc::{self, SyncSender},
    thread,
};

use tokio::sync::oneshot;

use crate::observe::recorder::lower_priority;

type Work = Box<dyn FnOnce() + Send>;

/// Executes jobs in order.
pub(super) struct Worker(SyncSender<Work>);

impl Worker {
    /// Starts the thread with a queue of `capacity` jobs.
    pub(super) fn start(capacity: usize) -> io::Result<Self> {
        let (sender, works) = mpsc::sync_channel::<Work>(capacity);
        thread::Builder::new()
            .name("shadow".to_owned())
            .spawn(move || {
                lower_priority();
                for work in works {
                    work();
                }
            })?;
        Ok(Self(sender))
    }

    /// Runs a job; `None` if the queue is full or the job panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        let work = Box::new(move || {
            // The caller may have been dropped.
            let _ = sender.send(work());
        });
        self.0.try_send(work).ok()?;
        done.await.ok()
    }
}
