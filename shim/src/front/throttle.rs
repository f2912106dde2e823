//! Limits failed logins by key and client address.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;

use super::peer::Peer;

/// Failures are forgotten so long after the first one.
const WINDOW: Duration = Duration::from_secs(60);

/// Keys and addresses that are remembered at a time, a hundred bytes each. Who comes with more of
/// them is not slowed down, and cannot fill the memory either.
const REMEMBERED: u64 = 10_000;

/// Failed attempts, by key and address.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Cache<([u8; 32], IpAddr), Arc<AtomicU32>>,
    /// False until the first failure: where nobody ever fails, nobody is looked up.
    any: AtomicBool,
    /// 0 for no throttle.
    allowed: u32,
}

impl Throttle {
    /// A throttle that allows so many failures in a minute; any number if that is 0.
    pub(crate) fn new(allowed: u32) -> Self {
        let failures = Cache::builder()
            .time_to_live(WINDOW)
            .max_capacity(REMEMBERED)
            .build();
        Self {
            failures,
            any: AtomicBool::new(false),
            allowed,
        }
    }

    /// True if attempts with this key from this address are not looked at for now.
    pub(crate) fn refuses(&self, key: &[u8; 32], peer: Peer) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let failures = self.failures.get(&name(key, peer));
        let failures = failures.map_or(0, |failures| failures.load(Ordering::Relaxed));
        self.allowed > 0 && failures >= self.allowed
    }

    /// An attempt failed: no such key, or another secret.
    pub(crate) fn failed(&self, key: &[u8; 32], peer: Peer) {
        let failures = self.failures.get_with(name(key, peer), Arc::default);
        failures.fetch_add(1, Ordering::Relaxed);
        self.any.store(true, Ordering::Release);
    }
}

fn name(key: &[u8; 32], peer: Peer) -> ([u8; 32], IpAddr) {
    (*key, peer.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Peer {
        Peer(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_key_from_an_address_is_refused_after_its_failures() {
        let throttle = Throttle::new(3);
        let (key, other) = ([1; 32], [2; 32]);
        for _ in 0..3 {
            assert!(!throttle.refuses(&key, peer(1)));
            throttle.failed(&key, peer(1));
        }
        assert!(throttle.refuses(&key, peer(1)));
        assert!(!throttle.refuses(&key, peer(2)));
        assert!(!throttle.refuses(&other, peer(1)));
    }

    #[test]
    fn zero_is_no_throttle() {
        let throttle = Throttle::new(0);
        throttle.failed(&[1; 32], peer(1));
        assert!(!throttle.refuses(&[1; 32], peer(1)));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(3);
        for number in 0..2 * REMEMBERED {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            throttle.failed(&key, peer(1));
        }
        throttle.failures.run_pending_tasks();
        assert!(throttle.failures.entry_count() <= REMEMBERED);
    }
}
