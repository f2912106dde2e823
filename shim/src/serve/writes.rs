//! Writes: deduplicates equal, concurrent ones and resumes unfinished ones.

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
    executor::{Executed, Executor, Request},
    in_flight::Role,
};
use crate::{
    clock::unix_seconds,
    state::{Entry, OtherOutcome, OtherRun, WriteName, WriteRun},
};

/// First and longest pause between two polls of a run in another process.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(200));

/// Minimum time left for a request to take over a write. A request that runs out of time between
/// calls leaves v2's state unknown.
const RESERVE: Duration = Duration::from_secs(3);

/// Result of a write as stored for other processes.
#[derive(Deserialize, Serialize)]
struct Shared {
    result: Result<serde_json::Map<String, serde_json::Value>, (i64, String)>,
    warnings: Vec<(usize, String, String)>,
    is_trouble: bool,
}

/// Warning kinds; the index is the stored number.
const KINDS: [WarningKind; 4] = [
    WarningKind::NotHonoured,
    WarningKind::LeftOut,
    WarningKind::Unreadable,
    WarningKind::Guessed,
];

/// Result of waiting for a run in another process.
enum Waited {
    Joined(Finished),
    /// The other run ended without an answer for this request, which runs now.
    Over,
    Deadline,
}

impl Executor {
    /// Serves a write. While an equal one runs, in this process or another, the request waits for
    /// it. Then it returns the same answer, or runs itself if the operation requires that or the
    /// other run did not finish.
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
        let leader = loop {
            match self.in_flight.enter(name.in_process()) {
                Role::Leader(leader) => break leader,
                Role::Follower(follower) => match follower.end(deadline).await {
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
                        leader.finish(&finished);
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
            leader.finish(&finished);
        }
        Ok(Executed {
            unfinished: (!is_finished).then(|| name.id()),
            ..Executed::of(finished, calls)
        })
    }

    async fn wait(&self, other: OtherRun, joins: bool, deadline: Instant) -> Waited {
        let (mut pause, longest) = PAUSES;
        loop {
            if Instant::now() + pause >= deadline {
                return Waited::Deadline;
            }
            sleep(pause).await;
            pause = longest.min(pause * 2);
            match self.state.other_run(other).await {
                OtherOutcome::Running => {}
                OtherOutcome::Finished(answer) if joins => {
                    let shared = serde_json::from_slice::<Shared>(&answer);
                    return shared.map_or(Waited::Over, |shared| Waited::Joined(shared.into()));
                }
                OtherOutcome::Finished(_) | OtherOutcome::Gone => return Waited::Over,
            }
        }
    }

    /// The error if an equal request is still running or the state cannot be read. Nothing was
    /// done.
    fn busy(&self) -> V1Error {
        let protocol = self.catalog.protocol();
        protocol.error(ProtocolError::Overloaded, "").1
    }
}

/// Ends a run. Returns true if the result can be shared with waiting requests.
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
