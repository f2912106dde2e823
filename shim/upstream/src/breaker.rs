//! A circuit breaker: while v2 is down, calls fail immediately instead of each running into its
//! timeout, and one probe at a time checks whether v2 is back.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::{lock, request::Subject};

/// Consecutive failures that open the breaker. Failures about the same subject count once, because
/// one broken record is no outage.
const FAILURES: usize = 5;

/// Minimum duration of the failures, because one v1 request alone may make more than [`FAILURES`]
/// calls.
const SUSTAINED: Duration = Duration::from_secs(1);

/// First open period; doubled after each failed probe.
const PAUSE: Duration = Duration::from_secs(2);

/// Maximum open period, and thus the delay until recovery is noticed.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Circuit breaker of one v2 account, shared by all its tenants.
#[derive(Debug)]
pub struct Breaker(Mutex<State>);

#[derive(Clone, Copy, Debug)]
enum State {
    /// No call has completed yet.
    Unused,
    /// Calls pass. `since` is the time of the first failure in `row`.
    Closed { row: Row, since: Instant },
    /// Calls fail until `until`.
    Open { until: Instant, pause: Duration },
    /// One probe is in flight.
    Probing { pause: Duration },
}

/// Consecutive failures, without repeats of a subject.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    failures: usize,
    subjects: [Option<Subject>; FAILURES],
}

/// Health signal of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// v2 responded.
    Up,
    /// No response, or one from a gateway in front of v2.
    Down,
}

/// Permission to make a call. Dropping it without a report leaves the breaker unchanged.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    subject: Option<Subject>,
    is_probe: bool,
}

impl Breaker {
    /// A closed breaker.
    #[expect(
        clippy::new_without_default,
        reason = "a breaker is made once, for an endpoint"
    )]
    pub fn new() -> Self {
        Self(Mutex::new(State::Unused))
    }

    /// True while calls fail immediately.
    pub fn is_open(&self) -> bool {
        matches!(*lock(&self.0), State::Open { .. } | State::Probing { .. })
    }

    /// True once a call has completed.
    pub(super) fn is_used(&self) -> bool {
        !matches!(*lock(&self.0), State::Unused)
    }

    /// True if [`Self::admit`] would give no permit now.
    pub(super) fn refuses(&self) -> bool {
        match *lock(&self.0) {
            State::Unused | State::Closed { .. } => false,
            State::Open { until, .. } => Instant::now() < until,
            State::Probing { .. } => true,
        }
    }

    /// A permit to make a call about a subject; `None` while the breaker is open.
    pub(super) fn admit(&self, subject: Option<Subject>) -> Option<Permit<'_>> {
        let mut state = lock(&self.0);
        let is_probe = match *state {
            State::Unused | State::Closed { .. } => false,
            State::Open { until, pause } if Instant::now() >= until => {
                *state = State::Probing { pause };
                true
            }
            State::Open { .. } | State::Probing { .. } => return None,
        };
        Some(Permit {
            breaker: self,
            subject,
            is_probe,
        })
    }
}

impl State {
    fn closed() -> Self {
        Self::Closed {
            row: Row::default(),
            since: Instant::now(),
        }
    }

    /// Next state after a failure while closed.
    fn failed(mut row: Row, since: Instant, subject: Option<Subject>) -> Self {
        let now = Instant::now();
        let since = if row.failures == 0 { now } else { since };
        row.add(subject);
        if row.failures < FAILURES || now < since + SUSTAINED {
            return Self::Closed { row, since };
        }
        tracing::error!("v2 is down: calls fail at once until it answers again");
        Self::open(PAUSE)
    }

    fn open(pause: Duration) -> Self {
        Self::Open {
            until: Instant::now() + pause,
            pause,
        }
    }
}

impl Row {
    fn add(&mut self, subject: Option<Subject>) {
        if subject.is_some() && self.subjects.contains(&subject) {
            return;
        }
        // Once all slots are taken the breaker is about to open, whatever the subject.
        if let Some(place) = self.subjects.get_mut(self.failures) {
            *place = subject;
            self.failures += 1;
        }
    }
}

impl Permit<'_> {
    pub(super) fn report(mut self, signal: Signal) {
        let mut state = lock(&self.breaker.0);
        *state = match (*state, signal) {
            (State::Unused | State::Closed { .. }, Signal::Up) => State::closed(),
            (State::Unused, Signal::Down) => {
                State::failed(Row::default(), Instant::now(), self.subject)
            }
            (State::Closed { row, since }, Signal::Down) => State::failed(row, since, self.subject),
            (State::Probing { .. }, Signal::Up) if self.is_probe => {
                tracing::info!("v2 answers again");
                State::closed()
            }
            (State::Probing { pause }, Signal::Down) if self.is_probe => {
                State::open((pause * 2).min(MAX_PAUSE))
            }
            // Report of a call that began before the breaker opened: outdated.
            (state @ (State::Open { .. } | State::Probing { .. }), _) => state,
        };
        self.is_probe = false;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_probe {
            return;
        }
        // An abandoned probe: let the next call probe.
        let mut state = lock(&self.breaker.0);
        if let State::Probing { pause } = *state {
            let until = Instant::now();
            *state = State::Open { until, pause };
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// Makes up to `count` calls with this signal; returns how many were admitted.
    fn calls(breaker: &Breaker, count: usize, signal: Signal) -> usize {
        let admitted = (0..count).filter_map(|_| breaker.admit(None));
        admitted.fold(0, |made, permit| {
            permit.report(signal);
            made + 1
        })
    }

    /// Enough failures over enough time to open the breaker.
    async fn outage(breaker: &Breaker) {
        calls(breaker, FAILURES - 1, Signal::Down);
        advance(SUSTAINED).await;
        calls(breaker, 1, Signal::Down);
    }

    #[tokio::test(start_paused = true)]
    async fn short_failure_bursts_do_not_open_it() {
        let breaker = Breaker::new();
        assert_eq!(calls(&breaker, 100, Signal::Down), 100);
        advance(SUSTAINED / 2).await;
        assert_eq!(calls(&breaker, 100, Signal::Down), 100);
        advance(SUSTAINED / 2).await;
        assert_eq!(calls(&breaker, 100, Signal::Down), 1);
        assert!(breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn consecutive_failures_open_it() {
        let breaker = Breaker::new();
        for _ in 0..3 {
            assert_eq!(calls(&breaker, FAILURES - 1, Signal::Down), FAILURES - 1);
            assert_eq!(calls(&breaker, 1, Signal::Up), 1);
        }
        assert!(!breaker.is_open());
        outage(&breaker).await;
        assert!(breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_about_one_user_do_not_open_it() {
        let fail = |breaker: &Breaker, user: &str| {
            let subject = Subject::of("/users/{userId}", &format!("/users/{user}"));
            breaker.admit(subject).unwrap().report(Signal::Down);
        };
        let breaker = Breaker::new();
        for _ in 0..10 {
            fail(&breaker, "broken");
            advance(SUSTAINED).await;
        }
        assert!(!breaker.is_open());
        for user in ["a", "b", "c"] {
            fail(&breaker, user);
            fail(&breaker, "broken");
            assert!(!breaker.is_open());
        }
        fail(&breaker, "d");
        assert!(breaker.is_open(), "five users in a row are an outage");
    }

    #[tokio::test(start_paused = true)]
    async fn probes_one_call_at_a_time() {
        let breaker = Breaker::new();
        outage(&breaker).await;
        advance(PAUSE).await;
        let probe = breaker.admit(None).unwrap();
        assert!(breaker.admit(None).is_none());
        probe.report(Signal::Down);
        advance(PAUSE).await;
        assert!(breaker.admit(None).is_none(), "it waits twice as long now");
        advance(PAUSE).await;
        assert_eq!(calls(&breaker, 7, Signal::Up), 7);
        assert!(!breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn pause_is_bounded() {
        let breaker = Breaker::new();
        outage(&breaker).await;
        for _ in 0..10 {
            advance(MAX_PAUSE).await;
            assert_eq!(calls(&breaker, 1, Signal::Down), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn abandoned_probe_allows_another() {
        let breaker = Breaker::new();
        outage(&breaker).await;
        advance(PAUSE).await;
        drop(breaker.admit(None).unwrap());
        assert_eq!(calls(&breaker, 1, Signal::Up), 1);
        assert!(!breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn ignores_reports_of_calls_from_before_opening() {
        let breaker = Breaker::new();
        let (early, earlier) = (breaker.admit(None).unwrap(), breaker.admit(None).unwrap());
        outage(&breaker).await;
        early.report(Signal::Up);
        assert!(breaker.admit(None).is_none());
        advance(PAUSE).await;
        let probe = breaker.admit(None).unwrap();
        earlier.report(Signal::Up);
        assert!(breaker.is_open());
        probe.report(Signal::Up);
        assert!(!breaker.is_open());
    }
}
