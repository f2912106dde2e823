//! Writes: equal ones that overlap are served once, and an unfinished one is continued.

use std::time::Duration;

use mappings::{
    Memory, Translation, V1Answer, V1Error, V1Object, Warning, WarningKind,
    catalog::{
        operation::{Operation, Overlapping},
        protocol::ProtocolError,
    },
    translation::Finished,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    executor::{Executed, Executor, Request, unix_seconds},
    joins::Entered,
};
use crate::state::{Elsewhere, Ended, Entry, WriteName, WriteRun};

/// The first and the longest pause between two looks at the run of another process.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(200));

/// What a request that takes over needs for its calls: one that is cut off may be done nevertheless.
const RESERVE: Duration = Duration::from_secs(3);

/// What another process is given of a finished write.
#[derive(Deserialize, Serialize)]
struct Shared {
    result: Result<serde_json::Map<String, serde_json::Value>, (i64, String)>,
    warnings: Vec<(usize, String, String)>,
    is_trouble: bool,
}

/// The kinds of warnings by the numbers that stand for them.
const KINDS: [WarningKind; 4] = [
    WarningKind::NotHonoured,
    WarningKind::LeftOut,
    WarningKind::Unreadable,
    WarningKind::Guessed,
];

/// How the wait for a run of another process ended.
enum Waited {
    Joined(Finished),
    /// This request runs.
    Over,
    Deadline,
}

impl Executor {
    /// Serves a write. While an equal one runs, in this process or another one, it waits; then it gets
    /// the same answer, or runs if the operation asks for that or the other one came to no end.
    pub(super) async fn write(
        &self,
        name: WriteName,
        operation: &Operation,
        mut translation: Translation<'_>,
        request: &Request<'_>,
    ) -> Result<Executed, V1Error> {
        let joins = operation.overlapping != Overlapping::Run;
        let deadline = request.scope.deadline;
        let is_too_late = || deadline.saturating_duration_since(Instant::now()) < RESERVE;
        let first = loop {
            match self.joins.enter(name.in_process()) {
                Entered::First(first) => break first,
                Entered::Wait(other) => match other.end(deadline).await {
                    Ok(Some(finished)) if joins => {
                        return Ok(Executed::joined((*finished).clone()));
                    }
                    Ok(_) if !is_too_late() => {}
                    _ => return Err(self.busy()),
                },
            }
        };
        let intent = translation.intent();
        let (mut run, journal) = loop {
            match self.state.begin(name, &intent).await {
                Ok(Entry::Runs(run, journal)) => break (run, journal),
                Ok(Entry::Busy(other)) => match self.wait(other, joins, deadline).await {
                    Waited::Joined(finished) => {
                        first.finish(&finished);
                        return Ok(Executed::joined(finished));
                    }
                    Waited::Over if !is_too_late() => {}
                    _ => return Err(self.busy()),
                },
                Err(_) => return Err(self.busy()),
            }
        };
        let is_first = journal.is_none();
        translation.recall(Memory {
            cursors: Vec::new(),
            unfinished: journal,
            call_time: i64::try_from(self.call_time.as_secs()).unwrap_or(i64::MAX),
        });
        if is_first {
            translation.intent_is_stored();
        }
        let calls = self.calls(&mut translation, request, Some(&mut run)).await;
        let finished = translation.finish(unix_seconds());
        let is_finished = end(run, &finished).await;
        if is_finished {
            first.finish(&finished);
        }
        Ok(Executed {
            unfinished: (!is_finished).then(|| name.id()),
            ..Executed::of(finished, calls)
        })
    }

    async fn wait(&self, other: Elsewhere, joins: bool, deadline: Instant) -> Waited {
        let (mut pause, longest) = PAUSES;
        loop {
            if Instant::now() + pause >= deadline {
                return Waited::Deadline;
            }
            sleep(pause).await;
            pause = longest.min(pause * 2);
            match self.state.elsewhere(other).await {
                Ended::Running => {}
                Ended::Finished(answer) if joins => {
                    let shared = serde_json::from_slice::<Shared>(&answer);
                    return shared.map_or(Waited::Over, |shared| Waited::Joined(shared.into()));
                }
                Ended::Finished(_) | Ended::Gone => return Waited::Over,
            }
        }
    }

    /// An equal request has not ended, or its state cannot be read: nothing was done for this one.
    fn busy(&self) -> V1Error {
        let protocol = self.catalog.protocol();
        protocol.error(ProtocolError::Overloaded, "").1
    }
}

/// Ends a run. True if it has an answer for those who wait.
async fn end(run: WriteRun, finished: &Finished) -> bool {
    if let Some(journal) = &finished.unfinished {
        run.leave(journal).await;
        return false;
    }
    let shared = serde_json::to_vec(&Shared::from(finished));
    run.finish(&shared.unwrap_or_default()).await;
    true
}

impl Executed {
    fn joined(finished: Finished) -> Self {
        Self {
            is_joined: true,
            ..Self::of(finished, 0)
        }
    }
}

impl From<&Finished> for Shared {
    fn from(finished: &Finished) -> Self {
        let V1Answer { result, warnings } = &finished.answer;
        let number = |kind| KINDS.iter().position(|known| *known == kind).unwrap_or(0);
        Self {
            result: match result {
                Ok(object) => Ok(object.members()),
                Err(error) => Err((error.code, error.message.clone())),
            },
            warnings: warnings
                .iter()
                .map(|warning| {
                    let (field, reason) = (warning.field.clone(), warning.reason.clone());
                    (number(warning.kind), field, reason)
                })
                .collect(),
            is_trouble: finished.is_trouble,
        }
    }
}

impl From<Shared> for Finished {
    fn from(shared: Shared) -> Self {
        let warnings = shared.warnings.into_iter();
        let warnings = warnings.filter_map(|(kind, field, reason)| {
            let kind = *KINDS.get(kind)?;
            Some(Warning {
                kind,
                field,
                reason,
            })
        });
        let result = shared.result.as_ref().map(V1Object::from);
        Self {
            answer: V1Answer {
                result: result.map_err(|(code, message)| V1Error {
                    code: *code,
                    message: message.clone(),
                }),
                warnings: warnings.collect(),
            },
            cursors: Vec::new(),
            unfinished: None,
            unknown: Vec::new(),
            failures: Vec::new(),
            is_trouble: shared.is_trouble,
        }
    }
}
