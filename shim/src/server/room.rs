//! A bounded number of places, none of which is kept by who only waits: if all are taken, who has
//! waited longest without asking for anything goes, and only if all are at work a newcomer waits.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{self, Instant},
};

/// Who was sent out and had begun to work in that moment stays: another one is looked for after
/// so long.
const PAUSE: Duration = Duration::from_millis(20);

/// Of a guest that was sent out already.
const GONE: u64 = u64::MAX;

/// The places.
pub(super) struct Room {
    places: Arc<Semaphore>,
    guests: Mutex<HashMap<u64, Arc<Guest>>>,
    entered: AtomicU64,
    /// When the clock of its guests began.
    opened: Instant,
}

struct Guest {
    /// Requests in work.
    requests: AtomicUsize,
    /// Since when it has asked for nothing, on the room's clock.
    idle_since: AtomicU64,
    sent_out: Notify,
}

/// A place, until it is dropped.
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
    guest: Arc<Guest>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Work on one request, until it is dropped.
pub(super) struct Work {
    guest: Arc<Guest>,
    opened: Instant,
}

impl Room {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            guests: Mutex::default(),
            entered: AtomicU64::new(0),
            opened: Instant::now(),
        }
    }

    /// A place, as soon as one is free or can be made free.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        let permit = self.permit().await;
        let number = self.entered.fetch_add(1, Ordering::Relaxed);
        let guest = Arc::new(Guest {
            requests: AtomicUsize::new(0),
            idle_since: AtomicU64::new(clock(self.opened)),
            sent_out: Notify::new(),
        });
        self.guests().insert(number, Arc::clone(&guest));
        Place {
            room: Arc::clone(self),
            number,
            guest,
            _permit: permit,
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                return Some(permit);
            }
            self.send_one_out();
            let free = Arc::clone(&self.places).acquire_owned();
            if let Ok(permit) = time::timeout(PAUSE, free).await {
                // The places are never closed.
                return permit.ok();
            }
        }
    }

    fn send_one_out(&self) {
        let guests = self.guests();
        let idle = guests.iter().filter_map(|(number, guest)| {
            let since = guest.idle_since.load(Ordering::Relaxed);
            let is_idle = guest.requests.load(Ordering::Relaxed) == 0 && since != GONE;
            is_idle.then_some((since, number, guest))
        });
        if let Some((_, _, guest)) = idle.min_by_key(|(since, number, _)| (*since, *number)) {
            guest.idle_since.store(GONE, Ordering::Relaxed);
            guest.sent_out.notify_one();
        }
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<u64, Arc<Guest>>> {
        // Nothing is left half done in it by a panic.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A request came.
    pub(super) fn work(&self) -> Work {
        self.guest.requests.fetch_add(1, Ordering::Relaxed);
        Work {
            guest: Arc::clone(&self.guest),
            opened: self.room.opened,
        }
    }

    /// Resolves when the place is needed for somebody else; not while there is work.
    pub(super) async fn sent_out(&self) {
        loop {
            self.guest.sent_out.notified().await;
            if self.idle().is_some() {
                return;
            }
        }
    }

    /// For how long nothing was asked for; `None` while there is work.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.guest.requests.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let since = self.guest.idle_since.load(Ordering::Relaxed);
        let idle = clock(self.room.opened).saturating_sub(since);
        Some(Duration::from_millis(idle))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.guests().remove(&self.number);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let now = clock(self.opened);
        self.guest.idle_since.store(now, Ordering::Relaxed);
        self.guest.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Milliseconds since the room was opened.
fn clock(opened: Instant) -> u64 {
    u64::try_from(opened.elapsed().as_millis()).unwrap_or(GONE - 1)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waited_longest_goes() {
        let room = Arc::new(Room::new(2));
        let first = room.enter().await;
        let second = room.enter().await;
        time::sleep(Duration::from_secs(1)).await;
        drop(first.work()); // it has just asked for something

        let newcomer = {
            let entering = room.enter();
            tokio::pin!(entering);
            assert!(entering.as_mut().now_or_never().is_none());
            second.sent_out().await;
            assert!(first.sent_out().now_or_never().is_none());
            drop(second);
            entering.await
        };
        assert!(newcomer.sent_out().now_or_never().is_none());
        assert_eq!(room.guests().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_works_stays() {
        let room = Arc::new(Room::new(1));
        let place = room.enter().await;
        let work = place.work();
        let entering = room.enter();
        tokio::pin!(entering);
        let soon = Duration::from_secs(5);
        assert!(time::timeout(soon, entering.as_mut()).await.is_err());
        assert!(place.sent_out().now_or_never().is_none());
        drop(work);
        let leaving = async {
            place.sent_out().await;
            drop(place);
        };
        let (_entered, ()) = tokio::join!(entering, leaving);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_begins_while_it_is_sent_out_keeps_its_place() {
        let room = Arc::new(Room::new(1));
        let place = room.enter().await;
        room.send_one_out();
        let work = place.work();
        assert!(place.sent_out().now_or_never().is_none());
        drop(work);
        room.send_one_out();
        place.sent_out().await;
    }
}
