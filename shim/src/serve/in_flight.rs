//! Deduplicates equal, concurrent writes in this process: the first runs, the others wait for its
//! result (single flight).

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use mappings::translation::Finished;
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::state::Name;

/// Running writes by name.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlightWrites(Arc<Mutex<HashMap<Name, watch::Receiver<End>>>>);

/// Result shared with the followers; `None` if the leader ended without one, so that a follower
/// runs.
type End = Option<Arc<Finished>>;

/// Role of a write.
pub(super) enum Role {
    /// No equal write is running.
    Leader(Leader),
    /// An equal write is running.
    Follower(Follower),
}

/// The running write. Dropping it without a result lets a follower run.
pub(super) struct Leader {
    in_flight: InFlightWrites,
    name: Name,
    end: watch::Sender<End>,
}

/// A write that waits for the leader.
pub(super) struct Follower(watch::Receiver<End>);

impl InFlightWrites {
    pub(super) fn enter(&self, name: Name) -> Role {
        match self.0.lock().entry(name) {
            Entry::Occupied(running) => Role::Follower(Follower(running.get().clone())),
            Entry::Vacant(vacant) => {
                let (end, ended) = watch::channel(None);
                vacant.insert(ended);
                Role::Leader(Leader {
                    in_flight: self.clone(),
                    name,
                    end,
                })
            }
        }
    }
}

impl Leader {
    /// Publishes the result to all followers.
    pub(super) fn finish(self, finished: &Finished) {
        self.end.send_replace(Some(Arc::new(finished.clone())));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // Later requests become leaders; followers see the sender gone.
        self.in_flight.0.lock().remove(&self.name);
    }
}

impl Follower {
    /// Waits for the leader's result, at most until the deadline.
    pub(super) async fn end(mut self, deadline: Instant) -> Result<End, Deadline> {
        let ended = timeout_at(deadline, self.0.wait_for(Option::is_some)).await;
        match ended {
            Ok(Ok(end)) => Ok(end.clone()),
            Ok(Err(_)) => Ok(None),
            Err(_) => Err(Deadline),
        }
    }
}

/// The deadline passed.
pub(super) struct Deadline;
