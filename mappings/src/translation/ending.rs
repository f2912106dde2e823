//! What a failed operation tells, and what it leaves unfinished.

use super::{
    CallId, State, Translation, Unfinished, error_mapper::Failure, parameters::text_of,
    send::Prepared, units::Units,
};
use crate::{
    catalog::{
        operation::{Call, Then},
        protocol::UNFINISHED,
    },
    exchange::V1Error,
};

/// How far a write came.
struct Progressed<'p> {
    call: &'p str,
    /// How many things it has to do, and how many are done, if it is made for several.
    several: Option<(usize, usize)>,
}

impl Progressed<'_> {
    fn done(&self) -> String {
        match self.several {
            Some((all, done)) => format!("{} ({done} of {all})", self.call),
            None => self.call.to_owned(),
        }
    }

    fn missing(&self) -> String {
        match self.several {
            Some((all, done)) => format!("{} ({} of {all})", self.call, all.saturating_sub(done)),
            None => self.call.to_owned(),
        }
    }
}

impl Translation<'_> {
    /// The writes, and what each did.
    fn writes(&self) -> impl Iterator<Item = (usize, &Call, State, Progressed<'_>)> {
        let calls = self.plan.calls.iter().zip(&self.progress).enumerate();
        let writes = calls.filter(|(_, (call, _))| !call.method.is_read());
        writes.map(|(index, (call, progress))| {
            let counts = progress.units.as_ref().map(Units::counts);
            let progressed = Progressed {
                call: &call.name,
                several: counts.filter(|(all, _)| *all > 1),
            };
            (index, call, progress.state, progressed)
        })
    }

    fn done_writes(&self) -> impl Iterator<Item = Progressed<'_>> {
        let done = self.writes().filter(|(_, _, state, progressed)| {
            let begun = progressed.several.is_some_and(|(_, done)| done > 0);
            *state == State::Done || begun
        });
        done.map(|(_, _, _, progressed)| progressed)
    }

    pub(super) fn left_unfinished(&self) -> Option<Unfinished> {
        self.failure.as_ref()?;
        let mut done = self.done_units();
        let resumes = |call: &Call| call.on.iter().any(|on| on.then == Then::Resume);
        let first = self.plan.calls.iter().position(resumes);
        let begun = first.and_then(|first| self.progress.get(first));
        // Only what v2 said it did is taken up later: an address that was there before the create
        // may be somebody else's.
        if begun.is_some_and(|progress| progress.state == State::Done) {
            let writes = self.writes();
            let whole = writes.filter(|(_, _, state, _)| *state == State::Done);
            done.extend(whole.map(|(_, call, ..)| call.name.clone()));
        }
        if done.is_empty() {
            return self.unfinished.clone();
        }
        Some(Unfinished { done })
    }

    /// What is remembered of the elements that are done.
    fn done_units(&self) -> Vec<String> {
        let calls = self.plan.calls.iter().zip(&self.progress);
        let calls = calls.filter(|(call, _)| call.may_be_taken_up());
        let units = calls.filter_map(|(call, progress)| Some((call, progress.units.as_ref()?)));
        units
            .flat_map(|(call, units)| {
                let done = units.done.iter();
                done.filter_map(|at| units.mark(&call.name, *at))
            })
            .collect()
    }

    /// What the client is told of a failure: also what is done nevertheless.
    pub(super) fn told(&self, failure: Failure) -> V1Error {
        let done: Vec<_> = self.done_writes().map(|write| write.done()).collect();
        if done.is_empty() {
            return failure.error;
        }
        let missing: Vec<_> = self.missing_writes().map(|write| write.missing()).collect();
        let id = self.id.as_deref().or(self.subject.as_deref());
        let kind = self.operation.subject_kind.as_ref();
        let about = match kind.zip(id) {
            Some((kind, id)) => format!("{} {id}", kind.noun),
            None => self.operation.name.clone(),
        };
        let fill = |placeholder: &str| match placeholder {
            "message" => Some(failure.error.message.clone()),
            "about" => Some(about.clone()),
            "done" => Some(done.join(", ")),
            "failed" => Some(missing.join(", ")),
            other => {
                let (call, at) = other.split_once(':')?;
                self.answer_of(call)?.at(at).map(text_of)
            }
        };
        let message = match &self.plan.unfinished {
            Some(text) => text.fill_lossy(&fill),
            None => self.catalog.protocol().named(UNFINISHED, &fill).message,
        };
        V1Error {
            code: failure.error.code,
            message,
        }
    }

    /// The writes that failed, or were not made because another failed.
    fn missing_writes(&self) -> impl Iterator<Item = Progressed<'_>> {
        let missing = self.writes().filter(|(index, call, state, progressed)| {
            let would_be_made = || {
                let id = CallId {
                    call: *index,
                    item: None,
                };
                *state == State::Waiting
                    && call.each.is_none()
                    && self.holds(*index, call)
                    && matches!(self.prepare(id, call), Prepared::Request(_))
            };
            let rest = progressed.several.is_some_and(|(all, done)| done < all);
            *state == State::Failed || rest || would_be_made()
        });
        missing.map(|(_, _, _, progressed)| progressed)
    }
}
