//! Equal writes that overlap in this process: one runs, the others wait for it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mappings::translation::Finished;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::state::Name;

/// The writes under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Joins(Arc<Mutex<HashMap<Name, watch::Receiver<End>>>>);

/// How the first of equal writes ended: with an answer for all, or so that the next one runs.
type End = Option<Arc<Finished>>;

/// What an equal write finds.
pub(super) enum Entered {
    /// None is under way: this one runs.
    First(First),
    /// One is under way.
    Wait(Waiting),
}

/// The write that runs. Dropped, it has no answer for the others.
pub(super) struct First {
    joins: Joins,
    name: Name,
    end: watch::Sender<End>,
}

/// A write that waits for an equal one.
pub(super) struct Waiting(watch::Receiver<End>);

impl Joins {
    pub(super) fn enter(&self, name: Name) -> Entered {
        match self.lock().entry(name) {
            Entry::Occupied(running) => Entered::Wait(Waiting(running.get().clone())),
            Entry::Vacant(place) => {
                let (end, ended) = watch::channel(None);
                place.insert(ended);
                Entered::First(First {
                    joins: self.clone(),
                    name,
                    end,
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, watch::Receiver<End>>> {
        // A panic leaves nothing half done in it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First {
    /// Ends with an answer for all who wait.
    pub(super) fn finish(self, finished: &Finished) {
        self.end.send_replace(Some(Arc::new(finished.clone())));
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // Those who come from now on run; those who wait find the sender gone.
        self.joins.lock().remove(&self.name);
    }
}

impl Waiting {
    /// The end of the other write; an error if it does not end by the deadline.
    pub(super) async fn end(mut self, deadline: Instant) -> Result<End, Deadline> {
        let ended = timeout_at(deadline, self.0.wait_for(Option::is_some)).await;
        match ended {
            Ok(Ok(end)) => Ok(end.clone()),
            Ok(Err(_)) => Ok(None),
            Err(_) => Err(Deadline),
        }
    }
}

/// The request's time is up.
pub(super) struct Deadline;
