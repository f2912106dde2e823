//! Retry policy.

use std::time::Duration;

use mappings::Outcome;
use tokio::time::Instant;

use crate::reply::Attempt;

/// Pause before a retry after a failure: long enough for a load balancer to react.
const PAUSE: Duration = Duration::from_millis(100);

/// Time that must remain for the request itself after a wait.
pub(super) const RESERVE: Duration = Duration::from_millis(500);

/// Maximum number of waits after a 429.
const MAX_WAITS: u32 = 3;

/// Retries of one request so far.
#[derive(Debug)]
pub(super) struct Retries {
    is_read: bool,
    repeated: bool,
    renewed: bool,
    waits: u32,
    /// Why the last attempt that got no answer got none.
    pub(super) cause: Option<String>,
}

/// Retries of a v2 call by reason, without the immediate ones after an HTTP/2 refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryCounts {
    /// After no response, or a gateway's response.
    pub failure: u32,
    /// After v2's rate limit.
    pub limit: u32,
    /// With a new token.
    pub token: u32,
}

/// Next step after an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// Final outcome.
    Done(Outcome),
    /// Retry with a new token.
    Renew,
    /// Retry after a pause.
    Wait(Duration),
}

impl Retries {
    pub(super) fn new(is_read: bool) -> Self {
        Self {
            is_read,
            repeated: false,
            renewed: false,
            waits: 0,
            cause: None,
        }
    }

    /// Decides the next step after an attempt.
    ///
    /// Writes are retried only if v2 certainly did not execute them: never sent, rejected token, or
    /// rate limit.
    pub(super) fn next(&mut self, attempt: Attempt, now: Instant, deadline: Instant) -> Next {
        // Checked, because v2 may name any time.
        let fits = |pause: Duration| {
            let ready = now.checked_add(pause.saturating_add(RESERVE));
            ready.is_some_and(|ready| ready <= deadline)
        };
        match attempt {
            Attempt::Unauthorized if !self.renewed => {
                self.renewed = true;
                Next::Renew
            }
            Attempt::Unauthorized => Next::Done(Outcome::Refused),
            Attempt::Limited { after: Some(pause) } if self.waits < MAX_WAITS && fits(pause) => {
                self.waits += 1;
                Next::Wait(pause)
            }
            Attempt::Limited { .. } => Next::Done(Outcome::Limited),
            Attempt::Failed { sent } => {
                let safe = self.is_read || !sent;
                if safe && fits(PAUSE) && self.repeat() {
                    return Next::Wait(PAUSE);
                }
                Next::Done(Outcome::NoAnswer { maybe_done: sent })
            }
            Attempt::Answered(outcome) => {
                if self.is_read && is_passing(&outcome) && fits(PAUSE) && self.repeat() {
                    return Next::Wait(PAUSE);
                }
                Next::Done(outcome)
            }
        }
    }

    /// Retries so far, by reason.
    pub(super) fn counts(&self) -> RetryCounts {
        RetryCounts {
            failure: u32::from(self.repeated),
            limit: self.waits,
            token: u32::from(self.renewed),
        }
    }

    /// True for the first call only.
    fn repeat(&mut self) -> bool {
        !std::mem::replace(&mut self.repeated, true)
    }
}

/// True for gateway errors in front of v2, which are transient.
pub(super) fn is_passing(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Answered {
            status: 502..=504,
            ..
        } | Outcome::Unreadable { status: 502..=504 }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: bool = true;
    const WRITE: bool = false;

    /// Decisions after each attempt with this many seconds left.
    fn follow(is_read: bool, left: u64, attempts: &[Attempt]) -> Vec<Next> {
        let now = Instant::now();
        let deadline = now + Duration::from_secs(left);
        let mut retries = Retries::new(is_read);
        attempts
            .iter()
            .map(|attempt| retries.next(attempt.clone(), now, deadline))
            .collect()
    }

    fn answered(status: u16) -> Attempt {
        Attempt::Answered(Outcome::Answered { status, body: None })
    }

    fn done(status: u16) -> Next {
        Next::Done(Outcome::Answered { status, body: None })
    }

    fn no_answer(maybe_done: bool) -> Next {
        Next::Done(Outcome::NoAnswer { maybe_done })
    }

    fn limited(seconds: u64) -> Attempt {
        Attempt::Limited {
            after: Some(Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn responses_are_final() {
        for status in [200, 204, 400, 404, 409, 500] {
            assert_eq!(follow(READ, 10, &[answered(status)]), [done(status)]);
        }
        assert_eq!(follow(WRITE, 10, &[answered(503)]), [done(503)]);
    }

    #[test]
    fn retries_reads_once() {
        assert_eq!(
            follow(READ, 10, &[answered(503), answered(503)]),
            [Next::Wait(PAUSE), done(503)]
        );
        let lost = Attempt::Failed { sent: true };
        assert_eq!(
            follow(READ, 10, &[lost.clone(), lost]),
            [Next::Wait(PAUSE), no_answer(true)]
        );
    }

    #[test]
    fn retries_writes_only_if_unsent() {
        let unsent = Attempt::Failed { sent: false };
        assert_eq!(
            follow(WRITE, 10, &[unsent.clone(), unsent]),
            [Next::Wait(PAUSE), no_answer(false)]
        );
        assert_eq!(
            follow(WRITE, 10, &[Attempt::Failed { sent: true }]),
            [no_answer(true)]
        );
    }

    #[test]
    fn renews_tokens_once() {
        assert_eq!(
            follow(WRITE, 10, &[Attempt::Unauthorized, Attempt::Unauthorized]),
            [Next::Renew, Next::Done(Outcome::Refused)]
        );
    }

    #[test]
    fn waits_out_limits_within_the_deadline() {
        let second = Next::Wait(Duration::from_secs(1));
        let over = Next::Done(Outcome::Limited);
        assert_eq!(
            follow(WRITE, 10, &vec![limited(1); 4]),
            [second.clone(), second.clone(), second, over.clone()]
        );
        assert_eq!(
            follow(READ, 10, &[limited(10)]),
            std::slice::from_ref(&over)
        );
        assert_eq!(
            follow(READ, 10, &[Attempt::Limited { after: None }]),
            [over]
        );
    }

    #[test]
    fn handles_pauses_of_any_length() {
        for seconds in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1] {
            for is_read in [READ, WRITE] {
                assert_eq!(
                    follow(is_read, 10, &[limited(seconds)]),
                    [Next::Done(Outcome::Limited)]
                );
            }
        }
    }
}
