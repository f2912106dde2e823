//! Requests that a rollout concerns: served by one side, and reads by both where they are compared.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join;
use hyper::{HeaderMap, header::HeaderValue};
use mappings::{Arguments, Catalog, V1Answer, V1Error, catalog::protocol::ProtocolError};
use recording::comparison::{Verdict, compare, is_known_field};
use reqwest::RequestBuilder;
use serde_json::Value;
use shim_upstream::Scope;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use super::{Judged, Other, ROLLOUT, Rollout, There};
use crate::{
    front::{encode, server::Peer},
    observe::{RolloutRecord, guarded},
    serve::{
        Generation,
        exchange::{Accepted, Refusal},
        executor::{Executed, Executor, Moved},
        tenants::Tenant,
    },
    v1_client::{self, V1Failure, v1_answer},
};

/// Fields that the header of a verdict names.
const FIELDS: usize = 10;

/// The turn of one side to serve a request.
pub(in crate::serve) struct Turn {
    rollout: Arc<Rollout>,
    /// The request for the other side; `None` if it is this one's turn.
    request: Option<There>,
}

/// An answer of the other side.
struct Theirs {
    executed: Executed,
    /// The same as JSON.
    json: Value,
}

/// What a comparison of two answers found.
struct Compared {
    verdict: Verdict,
    /// Those that differ, as far as the catalog has their names.
    fields: Vec<String>,
}

impl Generation {
    /// Whose turn a request is; `None` if no rollout concerns it. `secret` is the client's.
    pub(in crate::serve) fn turn(
        &self,
        accepted: &Accepted<'_>,
        secret: &str,
        peer: Peer,
        headers: &HeaderMap,
    ) -> Option<Turn> {
        let rollouts = &self.0.rollouts;
        // Two shims that are each other's other side would ask each other for ever.
        if rollouts.is_empty() || headers.contains_key(ROLLOUT) {
            return None;
        }
        let (key, operation) = (accepted.tenant.api_key(), accepted.operation);
        let rollout = Arc::clone(rollouts.find(key, operation)?);
        let request = rollout.moves(key, peer).then(|| {
            let client = (&**key, secret);
            rollout.request(self.catalog(), operation, &accepted.arguments, client, peer)
        });
        Some(Turn {
            rollout,
            request: request.flatten(),
        })
    }

    /// Serves a request by the side whose turn it is.
    pub(in crate::serve) async fn execute_in_turn(
        &self,
        Turn { rollout, request }: Turn,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        match request {
            None => self.execute_here(&rollout, accepted).await,
            Some(request) if !accepted.operation.read => {
                self.write_there(&rollout, request, accepted).await
            }
            Some(request) if rollout.compares() => {
                Box::pin(self.read_on_both(&rollout, request, accepted)).await
            }
            Some(request) => {
                let asked = (accepted.operation.name.as_str(), accepted.arguments.clone());
                let (theirs, took) = self
                    .ask(&rollout, request, asked, (&accepted.tenant, accepted.scope))
                    .await;
                rollout.judge(Judged::of(&theirs, took, None));
                match theirs {
                    Ok(theirs) => Ok(rollout.moved(None, theirs, None)),
                    Err(_) => self.execute_here(&rollout, accepted).await,
                }
            }
        }
    }

    /// Has the other side answer a read; gives also how long that took.
    async fn ask(
        &self,
        rollout: &Rollout,
        request: There,
        (operation, arguments): (&str, Arguments),
        (tenant, scope): (&Arc<Tenant>, Scope),
    ) -> (Result<Theirs, V1Failure>, Duration) {
        let catalog = match request {
            There::V1(request) => return rollout.ask(*request, scope.deadline).await,
            There::Mappings(catalog) => catalog,
        };
        let answer = async {
            let executor = self.executor_with(&catalog);
            let operation = catalog.find(operation).ok_or(V1Failure::NotSent)?;
            let executed = executor.run(tenant, (operation, arguments), None, scope);
            Ok(Theirs::of(executed.await))
        };
        rollout.within(answer, scope.deadline).await
    }

    /// Does a write with other mappings, and with no others.
    async fn write_with(
        &self,
        rollout: &Rollout,
        catalog: &Arc<Catalog>,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let Some(operation) = catalog.find(&accepted.operation.name) else {
            return self.execute_here(rollout, accepted).await;
        };
        let begun = Instant::now();
        let accepted = Accepted {
            operation,
            ..accepted
        };
        let executed = self.execute_with(self.executor_with(catalog), accepted);
        let executed = match executed.await {
            Ok(executed) => Ok(Ok(executed)),
            Err(Refusal::Operation(error)) => Ok(Err(error)),
            Err(refusal) => Err(refusal),
        };
        rollout.judge(Judged {
            is_failed: executed.is_err(),
            verdict: None,
            elapsed: begun.elapsed(),
        });
        Ok(rollout.moved(None, Theirs::of(executed?), None))
    }

    fn executor_with(&self, catalog: &Arc<Catalog>) -> Executor {
        Executor {
            catalog: Arc::clone(catalog),
            ..self.0.executor.clone()
        }
    }

    async fn execute_here(
        &self,
        rollout: &Rollout,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let begun = Instant::now();
        let executed = self.execute(accepted).await;
        rollout.answered_here(begun.elapsed(), is_trouble(&executed));
        executed
    }

    /// Both sides answer a read. The client gets the other side's answer, or this one's if there is none.
    async fn read_on_both(
        &self,
        rollout: &Rollout,
        request: There,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let name = accepted.operation.name.clone();
        let asked = (name.as_str(), accepted.arguments.clone());
        let tenant = Arc::clone(&accepted.tenant);
        let theirs = self.ask(rollout, request, asked, (&tenant, accepted.scope));
        let mine = Box::pin(self.execute_here(rollout, accepted));
        let ((theirs, took), mine) = join(theirs, mine).await;
        let Ok(mut theirs) = theirs else {
            rollout.judge(Judged::of(&theirs, took, None));
            return mine;
        };
        let json = match &mine {
            // An error that is v2's or the shim's trouble tells nothing about the other side.
            executed if is_trouble(executed) => None,
            Ok(executed) => Some(
                executed
                    .json
                    .clone()
                    .unwrap_or_else(|| encode::json(executed.finished.answer.result.as_ref())),
            ),
            Err(Refusal::Operation(error)) => Some(encode::json(Err(error))),
            Err(_) => None,
        };
        let mut compared = None;
        if let Some(json) = json {
            let catalog = Arc::clone(self.catalog());
            let answer = std::mem::take(&mut theirs.json);
            // Large answers take milliseconds of CPU time.
            let found = spawn_blocking(move || {
                let found = guarded(|| Compared::of(&catalog, &name, &json, &answer));
                found.flatten()
            });
            match found.await {
                Ok(found) => compared = found,
                Err(_) => return mine,
            }
        }
        let verdict = compared.as_ref().map(|compared| compared.verdict);
        if let Some(Compared { verdict, fields }) = &compared {
            rollout.observer.rollout(&RolloutRecord::Compared {
                rollout: &rollout.config.name,
                verdict: *verdict,
                fields,
            });
        }
        rollout.judge(Judged {
            is_failed: false,
            verdict,
            elapsed: took,
        });
        Ok(rollout.moved(
            mine.ok(),
            theirs,
            compared.map(|compared| compared.header()),
        ))
    }

    /// The other side does a write. This one does it only if nothing was sent there.
    async fn write_there(
        &self,
        rollout: &Arc<Rollout>,
        request: There,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let request = match request {
            There::V1(request) => *request,
            There::Mappings(catalog) => {
                return self.write_with(rollout, &catalog, accepted).await;
            }
        };
        let deadline = accepted.scope.deadline;
        let asking = Arc::clone(rollout);
        let (state, account) = (self.0.executor.state.clone(), *accepted.tenant.account());
        // To its end, also if the client leaves.
        let write = async move {
            let (theirs, took) = asking.ask(request, deadline).await;
            asking.judge(Judged::of(&theirs, took, None));
            // What is remembered of v2 may have changed.
            state.wrote_elsewhere(&account).await;
            theirs
        };
        let write = self.0.shared.writes.spawn(write.in_current_span());
        match write.await {
            Ok(Ok(theirs)) => Ok(rollout.moved(None, theirs, None)),
            Ok(Err(V1Failure::NotSent)) => self.execute_here(rollout, accepted).await,
            Ok(Err(V1Failure::Unreachable | V1Failure::Unreadable)) => {
                let answer = V1Answer {
                    result: Err(self.protocol().unknown_outcome()),
                    warnings: Vec::new(),
                };
                let mut executed = Executed::in_place_of(None, answer);
                executed.finished.is_trouble = true;
                Ok(executed)
            }
            Err(_) => Err(ProtocolError::Internal.into()),
        }
    }
}

impl Rollout {
    /// Sends a request to another server.
    async fn ask(
        &self,
        request: RequestBuilder,
        deadline: Instant,
    ) -> (Result<Theirs, V1Failure>, Duration) {
        let answer = async {
            let Other::V1(other) = &self.other else {
                return Err(V1Failure::NotSent);
            };
            let json = v1_client::answer(request, other.answer_bytes()).await?;
            let executed = Executed::in_place_of(None, v1_answer(&json));
            Ok(Theirs { executed, json })
        };
        self.within(answer, deadline).await
    }

    /// Waits for an answer of the other side.
    async fn within(
        &self,
        answer: impl Future<Output = Result<Theirs, V1Failure>>,
        deadline: Instant,
    ) -> (Result<Theirs, V1Failure>, Duration) {
        let begun = Instant::now();
        let until = deadline.min(begun + self.config.timeout);
        let answer = timeout_at(until, answer).await;
        (
            answer.unwrap_or(Err(V1Failure::Unreachable)),
            begun.elapsed(),
        )
    }

    /// The other side's answer, for the client.
    fn moved(
        &self,
        mine: Option<Executed>,
        theirs: Theirs,
        compared: Option<HeaderValue>,
    ) -> Executed {
        let mut executed = theirs.executed;
        if let Some(mine) = mine {
            executed.calls += mine.calls;
            executed.finished.unknown = mine.finished.unknown;
        }
        executed.moved = Some(Box::new(Moved {
            rollout: self.header.clone(),
            compared,
        }));
        executed
    }
}

impl Theirs {
    /// What this shim answers with other mappings.
    fn of(executed: Result<Executed, V1Error>) -> Self {
        let executed = executed.unwrap_or_else(|error| {
            let answer = V1Answer {
                result: Err(error),
                warnings: Vec::new(),
            };
            Executed::in_place_of(None, answer)
        });
        let json = encode::json(executed.finished.answer.result.as_ref());
        Self {
            // It was written by this shim.
            json: serde_json::from_slice(&json).unwrap_or_default(),
            executed,
        }
    }
}

impl Judged {
    fn of(answer: &Result<Theirs, V1Failure>, elapsed: Duration, verdict: Option<Verdict>) -> Self {
        Self {
            is_failed: answer.is_err(),
            verdict,
            elapsed,
        }
    }
}

impl Compared {
    /// `None` if there is no such operation.
    fn of(catalog: &Catalog, operation: &str, mine: &Bytes, theirs: &Value) -> Option<Self> {
        let operation = catalog.find(operation)?;
        // It was written by this shim.
        let mine: Value = serde_json::from_slice(mine).unwrap_or_default();
        let rows = compare(catalog, Some(operation), &mine, theirs);
        let worst = rows.iter().map(|row| row.verdict).max();
        // Only the names of the worst kind: those that somebody must look at.
        let worst = worst.unwrap_or(Verdict::Same);
        let names = rows
            .iter()
            .filter(|row| row.verdict == worst && worst != Verdict::Same);
        let names = names.map(|row| {
            // Unknown names may be anything.
            let is_known = is_known_field(catalog, &row.field);
            if is_known {
                row.field.as_str()
            } else {
                "(another)"
            }
        });
        let fields: BTreeSet<_> = names.map(str::to_owned).collect();
        Some(Self {
            verdict: worst,
            fields: fields.into_iter().collect(),
        })
    }

    /// `unexpected; fields=dept,type`
    fn header(&self) -> HeaderValue {
        let verdict = match self.verdict {
            // What differs each time, or was accepted, is as it should be.
            Verdict::Same | Verdict::Volatile | Verdict::Accepted => "same",
            Verdict::Mapped => "mapped",
            Verdict::Lossy => "lossy",
            Verdict::Unexpected => "unexpected",
        };
        let fields: Vec<_> = self
            .fields
            .iter()
            .take(FIELDS)
            .map(String::as_str)
            .collect();
        let text = match fields.as_slice() {
            _ if verdict == "same" => verdict.to_owned(),
            [] => verdict.to_owned(),
            fields => format!("{verdict}; fields={}", fields.join(",")),
        };
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unexpected"))
    }
}

/// True for an error that is v2's or the shim's trouble.
fn is_trouble(executed: &Result<Executed, Refusal>) -> bool {
    matches!(executed, Ok(executed) if executed.finished.is_trouble)
}
