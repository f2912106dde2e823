//! Limits failed logins by key and client address.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::peer::Peer;

/// Failures expire this long after the first one.
const WINDOW: Duration = Duration::from_secs(60);

/// Maximum number of counted pairs of key and address, about 100 bytes each. Beyond, the oldest are
/// evicted: an attacker with more pairs is not limited, but memory is.
const CAPACITY: u64 = 10_000;

/// Beyond the limit, one attempt per pause is checked.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Counts failed logins by key and address.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Cache<([u8; 32], IpAddr), Arc<Failures>>,
    /// False until the first failure, so that lookups cost nothing without failures.
    any: AtomicBool,
    /// Allowed failures per minute; 0 disables the limit.
    allowed: u32,
    started: Instant,
}

#[derive(Debug, Default)]
struct Failures {
    count: AtomicU32,
    /// Time of the next checked attempt beyond the limit, in milliseconds since the start.
    next: AtomicU64,
}

/// Treatment of a login attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Checked.
    Allowed,
    /// Checked, but a wrong secret gets the same error as [`Attempt::Refused`].
    Last,
    /// Not checked.
    Refused,
}

impl Throttle {
    /// Allows this many failures per minute; 0 means no limit.
    pub(crate) fn new(allowed: u32) -> Self {
        let failures = Cache::builder()
            .time_to_live(WINDOW)
            .max_capacity(CAPACITY)
            .build();
        Self {
            failures,
            any: AtomicBool::new(false),
            allowed,
            started: Instant::now(),
        }
    }

    /// Decides on an attempt. Beyond the limit, one per second is still checked, so that a guesser
    /// behind the same address cannot lock out the right secret.
    pub(crate) fn attempt(&self, key: &[u8; 32], peer: Peer, now: Instant) -> Attempt {
        if self.allowed == 0 || !self.any.load(Ordering::Acquire) {
            return Attempt::Allowed;
        }
        let Some(failures) = self.failures.get(&entry(key, peer)) else {
            return Attempt::Allowed;
        };
        if failures.count.load(Ordering::Relaxed) < self.allowed {
            return Attempt::Allowed;
        }
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = millis(now.saturating_duration_since(self.started));
        let next = now.saturating_add(millis(PAUSE));
        let taken = failures
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| {
                (due <= now).then_some(next)
            });
        match taken {
            Ok(_) => Attempt::Last,
            Err(_) => Attempt::Refused,
        }
    }

    /// Counts a failed attempt. Returns false if there is no limit.
    pub(crate) fn failed(&self, key: &[u8; 32], peer: Peer) -> bool {
        if self.allowed == 0 {
            return false;
        }
        let failures = self.failures.get_with(entry(key, peer), Arc::default);
        failures.count.fetch_add(1, Ordering::Relaxed);
        self.any.store(true, Ordering::Release);
        true
    }

    /// Merges the count of failures in all processes, including this one. Returns true if it
    /// exceeds the limit.
    pub(crate) fn counted(&self, key: &[u8; 32], peer: Peer, count: u64) -> bool {
        let failures = self.failures.get_with(entry(key, peer), Arc::default);
        let known = u32::try_from(count).unwrap_or(u32::MAX);
        failures.count.fetch_max(known, Ordering::Relaxed);
        known > self.allowed
    }
}

/// Digest of the counted pair, for the state shared by processes.
pub(crate) fn digest(key: &[u8; 32], peer: Peer) -> [u8; 32] {
    let (key, address) = entry(key, peer);
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    let mut digest = Sha256::new();
    digest.update(key);
    digest.update(address.octets());
    digest.finalize().into()
}

/// The counted pair. IPv6 addresses count by /64, which one client usually has as a whole.
fn entry(key: &[u8; 32], Peer(address): Peer) -> ([u8; 32], IpAddr) {
    let address = match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    };
    (*key, address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer(address.parse().unwrap())
    }

    fn guessed(throttle: &Throttle, key: &[u8; 32], peer: Peer, times: usize) {
        for _ in 0..times {
            throttle.failed(key, peer);
        }
    }

    #[test]
    fn refuses_a_key_from_an_address_after_its_failures() {
        let throttle = Throttle::new(3);
        let (key, other) = ([1; 32], [2; 32]);
        let (here, there) = (peer("192.0.2.1"), peer("192.0.2.2"));
        let now = throttle.started;
        guessed(&throttle, &key, here, 2);
        assert_eq!(throttle.attempt(&key, here, now), Attempt::Allowed);
        guessed(&throttle, &key, here, 1);
        assert_ne!(throttle.attempt(&key, here, now), Attempt::Allowed);
        assert_eq!(throttle.attempt(&key, there, now), Attempt::Allowed);
        assert_eq!(throttle.attempt(&other, here, now), Attempt::Allowed);
    }

    #[test]
    fn checks_one_attempt_per_second_beyond_the_limit() {
        use Attempt::{Last, Refused};
        let throttle = Throttle::new(3);
        let (key, here) = ([1; 32], peer("192.0.2.1"));
        guessed(&throttle, &key, here, 3);
        let after = |millis| throttle.started + Duration::from_millis(millis);
        let attempts = [0, 1, 999, 1000, 1001, 1999, 5000, 5001];
        let treated = attempts.map(|millis| throttle.attempt(&key, here, after(millis)));
        assert_eq!(
            treated,
            [
                Last, Refused, Refused, Last, Refused, Refused, Last, Refused
            ]
        );
    }

    #[test]
    fn failures_in_other_processes_count() {
        let throttle = Throttle::new(3);
        let (key, here) = ([1; 32], peer("192.0.2.1"));
        assert!(throttle.failed(&key, here));
        assert!(!throttle.counted(&key, here, 3), "the last allowed one");
        assert!(throttle.counted(&key, here, 4));
        let attempt = throttle.attempt(&key, here, throttle.started);
        assert_ne!(attempt, Attempt::Allowed);
    }

    #[test]
    fn ipv6_addresses_count_by_prefix() {
        let throttle = Throttle::new(3);
        let key = [1; 32];
        for last in 1..=3 {
            throttle.failed(&key, peer(&format!("2001:db8:0:1:{last}::{last}")));
        }
        let now = throttle.started;
        let attempt = |address| throttle.attempt(&key, peer(address), now);
        assert_eq!(attempt("2001:db8:0:1:ffff::9"), Attempt::Last);
        assert_eq!(attempt("2001:db8:0:2::1"), Attempt::Allowed);
    }

    #[test]
    fn zero_disables_the_limit() {
        let throttle = Throttle::new(0);
        let here = peer("192.0.2.1");
        throttle.failed(&[1; 32], here);
        let attempt = throttle.attempt(&[1; 32], here, throttle.started);
        assert_eq!(attempt, Attempt::Allowed);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(3);
        for number in 0..2 * CAPACITY {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            throttle.failed(&key, peer("192.0.2.1"));
        }
        throttle.failures.run_pending_tasks();
        assert!(throttle.failures.entry_count() <= CAPACITY);
    }
}
