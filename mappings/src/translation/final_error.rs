//! Error of a failed operation, including the writes that succeeded.

use super::{CallId, State, Translation, error_mapper::Failure, values::text_of};
use crate::{
    catalog::{
        operation::Call,
        protocol::{REFUSED_LATER, UNFINISHED},
    },
    exchange::V1Error,
};

/// Progress of a write. `all`, `done` and `unknown` count its items, or 1 without fan-out.
struct WriteProgress<'p> {
    call: &'p str,
    all: usize,
    done: usize,
    unknown: usize,
    /// False if the write is not needed.
    is_needed: bool,
}

impl WriteProgress<'_> {
    /// Name of the call with the number of items, unless it is zero.
    fn part(&self, count: usize) -> Option<String> {
        match (count, self.all) {
            (0, _) => None,
            (_, 1) => Some(self.call.to_owned()),
            (count, all) => Some(format!("{} ({count} of {all})", self.call)),
        }
    }
}

fn missing(write: &WriteProgress<'_>) -> usize {
    let missing = write.all.saturating_sub(write.done + write.unknown);
    if write.is_needed { missing } else { 0 }
}

impl Translation<'_> {
    /// The writes of the plan with their progress.
    fn writes(&self) -> impl Iterator<Item = WriteProgress<'_>> {
        let calls = self.plan.calls.iter().zip(&self.progress).enumerate();
        let writes = calls.filter(|(_, (call, _))| !call.method.is_read());
        writes.map(|(index, (call, progress))| {
            let is_done = progress.state == State::Done;
            let (all, done, unknown) = match &progress.units {
                Some(units) if units.counts().0 > 1 => {
                    let (all, done) = units.counts();
                    (all, done, units.size_of(&progress.unknown))
                }
                _ => (1, usize::from(is_done), progress.unknown.len()),
            };
            WriteProgress {
                call: &call.name,
                all,
                done,
                unknown,
                is_needed: progress.state == State::Failed
                    || progress.units.is_some()
                    || self.is_unreached(index, call, progress.state),
            }
        })
    }

    /// True for a write that was not reached because of another failure.
    fn is_unreached(&self, index: usize, call: &Call, state: State) -> bool {
        let id = CallId::once(index);
        state == State::Waiting
            && call.each.is_none()
            && self.holds(index, call)
            && self.prepare(id, call).is_some()
    }

    /// Error for the client, listing what was stored and what is unknown.
    pub(super) fn final_error(&self, failure: Failure) -> V1Error {
        let writes: Vec<_> = self.writes().collect();
        let named = |count: fn(&WriteProgress<'_>) -> usize, how: &str| {
            let parts: Vec<_> = writes.iter().filter_map(|w| w.part(count(w))).collect();
            (!parts.is_empty()).then(|| format!("{} {how}", parts.join(", ")))
        };
        let done = named(|write| write.done, "stored");
        let unknown = named(|write| write.unknown, "unknown");
        let is_all = done.is_none() && (unknown.is_none() || failure.unknown);
        if is_all {
            return failure.error;
        }
        let missing = named(missing, "not stored");
        let progress: Vec<_> = [done, unknown, missing].into_iter().flatten().collect();
        let id = self.id.as_deref().or(self.subject.as_deref());
        let kind = self.operation.subject_kind.as_ref();
        let about = match kind.zip(id) {
            Some((kind, id)) => format!("{} {id}", kind.noun),
            None => self.operation.name.clone(),
        };
        let fill = |placeholder: &str| match placeholder {
            "message" => Some(failure.error.message.clone()),
            "about" => Some(about.clone()),
            "progress" => Some(progress.join(", ")),
            other => {
                let (call, at) = other.split_once(':')?;
                self.answer_of(call)?.at(at).map(text_of)
            }
        };
        let general = if failure.refused {
            REFUSED_LATER
        } else {
            UNFINISHED
        };
        let message = match &self.plan.unfinished {
            Some(text) => text.fill_lossy(&fill),
            None => self.catalog.protocol().named(general, &fill).message,
        };
        V1Error {
            code: failure.error.code,
            message,
        }
    }
}
