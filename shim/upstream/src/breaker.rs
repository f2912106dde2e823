//! A circuit breaker: while v2 is down, calls fail immediately instead of each running into its
//! timeout, and one probe at a time checks whether v2 is back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::request::Subject;

/// Failures in a row that open it. Those about one and the same user count once: one broken record
/// is no outage.
const FAILURES: usize = 5;

/// How long the row must last: one v1 request makes more calls than that in a moment, and a moment
/// is no outage.
const SUSTAINED: Duration = Duration::from_secs(1);

/// How long it is open the first time; twice as long after every probe that fails.
const PAUSE: Duration = Duration::from_secs(2);

/// The longest pause: so long after v2 is back, it is noticed.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The circuit breaker of one v2 account, fed by the calls of all its tenants.
#[derive(Debug)]
pub struct Breaker(Mutex<State>);

#[derive(Clone, Copy, Debug)]
enum State {
    /// No call was made yet.
    Unused,
    /// Calls are made. So many have failed in a row, the first of them then.
    Closed { row: Row, since: Instant },
    /// Calls fail until then.
    Open { until: Instant, pause: Duration },
    /// One call is made, to see.
    Probing { pause: Duration },
}

/// Failures in a row, without those whose subject had failed already.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    failures: usize,
    subjects: [Option<Subject>; FAILURES],
}

/// What the result of a call shows about v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// It answers.
    Up,
    /// It does not answer, or a gateway answers in its place.
    Down,
}

/// Permission to make a call. Dropping it without a report leaves the breaker as it is.
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
        matches!(*self.lock(), State::Open { .. } | State::Probing { .. })
    }

    /// True once a call came to its end.
    pub(super) fn is_used(&self) -> bool {
        !matches!(*self.lock(), State::Unused)
    }

    /// True if [`Self::admit`] would give no permit now.
    pub(super) fn refuses(&self) -> bool {
        match *self.lock() {
            State::Unused | State::Closed { .. } => false,
            State::Open { until, .. } => Instant::now() < until,
            State::Probing { .. } => true,
        }
    }

    /// A permit to make a call about a subject; `None` while the breaker is open.
    pub(super) fn admit(&self, subject: Option<Subject>) -> Option<Permit<'_>> {
        let mut state = self.lock();
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

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done in it by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn closed() -> Self {
        Self::Closed {
            row: Row::default(),
            since: Instant::now(),
        }
    }

    /// After one more failure of a closed breaker.
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
        // Beyond the last place, the row is long enough whoever fails.
        if let Some(place) = self.subjects.get_mut(self.failures) {
            *place = subject;
            self.failures += 1;
        }
    }
}

impl Permit<'_> {
    pub(super) fn report(mut self, signal: Signal) {
        let mut state = self.breaker.lock();
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
            // From a call that began before it opened: too old to say anything.
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
        // The probe was given up: the next call is one.
        let mut state = self.breaker.lock();
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

    /// Reports a sign of so many calls, if they may be made.
    fn calls(breaker: &Breaker, count: usize, signal: Signal) -> usize {
        let admitted = (0..count).filter_map(|_| breaker.admit(None));
        admitted.fold(0, |made, permit| {
            permit.report(signal);
            made + 1
        })
    }

    /// So many failures in a row that last long enough.
    async fn outage(breaker: &Breaker) {
        calls(breaker, FAILURES - 1, Signal::Down);
        advance(SUSTAINED).await;
        calls(breaker, 1, Signal::Down);
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_is_no_outage() {
        let breaker = Breaker::new();
        assert_eq!(calls(&breaker, 100, Signal::Down), 100);
        advance(SUSTAINED / 2).await;
        assert_eq!(calls(&breaker, 100, Signal::Down), 100);
        advance(SUSTAINED / 2).await;
        assert_eq!(calls(&breaker, 100, Signal::Down), 1);
        assert!(breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it() {
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
    async fn one_call_at_a_time_finds_out() {
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
    async fn it_does_not_wait_for_ever() {
        let breaker = Breaker::new();
        outage(&breaker).await;
        for _ in 0..10 {
            advance(MAX_PAUSE).await;
            assert_eq!(calls(&breaker, 1, Signal::Down), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_makes_room_for_another() {
        let breaker = Breaker::new();
        outage(&breaker).await;
        advance(PAUSE).await;
        drop(breaker.admit(None).unwrap());
        assert_eq!(calls(&breaker, 1, Signal::Up), 1);
        assert!(!breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_says_nothing_after() {
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
