//! The thread that compares. It has the lowest priority, as the recorder has; what a busy machine has no
//! time for is dropped.

use std::{
    io,
    sync::mpsc::{self, SyncSender},
    thread,
};

use tokio::sync::oneshot;

use crate::observe::recorder::lower_priority;

type Work = Box<dyn FnOnce() + Send>;

/// Does one thing after the other.
pub(super) struct Worker(SyncSender<Work>);

impl Worker {
    /// Starts the thread; `most` things may wait.
    pub(super) fn start(most: usize) -> io::Result<Self> {
        let (sender, works) = mpsc::sync_channel::<Work>(most);
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

    /// Has something done; `None` if it was not: too much waits, or it came to a bad end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        let work = Box::new(move || {
            // Who asked may be gone.
            let _ = sender.send(work());
        });
        self.0.try_send(work).ok()?;
        done.await.ok()
    }
}
