//! What a failed operation tells, and what it leaves unfinished.

use super::{State, Translation, Unfinished, failure::Failure, send::Prepared};
use crate::{catalog::protocol::UNFINISHED, exchange::V1Error};

impl Translation<'_> {
    /// The names of the writes in a state.
    fn writes(&self, states: &[State]) -> Vec<String> {
        let calls = self.plan.calls.iter().zip(&self.progress);
        calls
            .filter(|(call, progress)| !call.method.is_read() && states.contains(&progress.state))
            .map(|(call, _)| call.name.clone())
            .collect()
    }

    pub(super) fn left_unfinished(&self) -> Option<Unfinished> {
        self.failure.as_ref()?;
        let first = self
            .plan
            .calls
            .iter()
            .position(|call| !call.resumes.is_empty())?;
        let begun = self
            .progress
            .get(first)
            .is_some_and(|progress| progress.state == State::Done);
        // Only what v2 said it did is taken up later: an address that was there before the create
        // may be somebody else's.
        let now = begun.then(|| Unfinished {
            done: self.writes(&[State::Done]),
        });
        now.or_else(|| self.unfinished.clone())
    }

    /// What the client is told of a failure: also what is done nevertheless.
    pub(super) fn told(&self, failure: Failure) -> V1Error {
        let done = self.writes(&[State::Done]);
        if done.is_empty() {
            return failure.error;
        }
        let missing = self.missing_writes();
        let user = self
            .user
            .as_deref()
            .or(self.subject.as_deref())
            .unwrap_or_default();
        let told = self
            .catalog
            .protocol()
            .named(UNFINISHED, &|placeholder| match placeholder {
                "message" => Some(failure.error.message.clone()),
                "user" => Some(user.to_owned()),
                "done" => Some(done.join(", ")),
                "failed" => Some(missing.join(", ")),
                _ => None,
            });
        V1Error {
            code: failure.error.code,
            message: told.message,
        }
    }

    /// The names of the writes that failed, or were not made because another failed.
    fn missing_writes(&self) -> Vec<String> {
        let subject = self.user.as_deref().or(self.subject.as_deref());
        let calls = self.plan.calls.iter().enumerate().zip(&self.progress);
        let missing = calls.filter(|((index, call), progress)| {
            let would_be_made = || {
                progress.state == State::Waiting
                    && call.each.is_none()
                    && self.holds(*index, call)
                    && matches!(
                        self.prepare(*index, call, subject, None),
                        Prepared::Request(_)
                    )
            };
            !call.method.is_read() && (progress.state == State::Failed || would_be_made())
        });
        missing.map(|((_, call), _)| call.name.clone()).collect()
    }
}
