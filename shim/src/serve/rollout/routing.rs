//! Routes requests that a rollout applies to: to one side, or to both for a comparison.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join;
use hyper::{HeaderMap, header::HeaderValue};
use mappings::{Arguments, Catalog, V1Error, catalog::protocol::ProtocolError};
use recording::comparison::{Verdict, compare, is_known_field};
use reqwest::RequestBuilder;
use serde_json::Value;
use shim_upstream::Scope;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use super::{ROLLOUT, Rollout, Sample, Target, TargetRequest};
use crate::{
    front::{encode, server::Peer},
    observe::{RolloutRecord, guarded},
    serve::{
        Generation,
        exchange::{Accepted, Refusal},
        executor::{Executed, Executor, RolloutHeaders},
        tenants::Tenant,
    },
    v1_client::{self, V1Failure, v1_answer},
};

/// Maximum number of fields in the comparison header.
const FIELDS: usize = 10;

/// The side that serves a request.
pub(in crate::serve) struct Route {
    rollout: Arc<Rollout>,
    /// The request to the other side; `None` if this side serves it.
    request: Option<TargetRequest>,
}

/// An answer of the other side.
struct TargetAnswer {
    executed: Executed,
    /// The answer as JSON.
    json: Value,
}

/// Result of comparing two answers.
struct Comparison {
    verdict: Verdict,
    /// Fields with the worst verdict; names unknown to the catalog are replaced.
    fields: Vec<String>,
}

impl Generation {
    /// Chooses the side for a request; `None` if no rollout applies. `secret` is the client's.
    pub(in crate::serve) fn route(
        &self,
        accepted: &Accepted<'_>,
        secret: &str,
        peer: Peer,
        headers: &HeaderMap,
    ) -> Option<Route> {
        let rollouts = &self.0.rollouts;
        // Two shims configured as each other's other side would forward requests forever.
        if rollouts.is_empty() || headers.contains_key(ROLLOUT) {
            return None;
        }
        let (key, operation) = (accepted.tenant.api_key(), accepted.operation);
        let rollout = Arc::clone(rollouts.find(key, operation)?);
        let request = rollout.moves(key, peer).then(|| {
            let client = (&**key, secret);
            rollout.request(self.catalog(), operation, &accepted.arguments, client, peer)
        });
        Some(Route {
            rollout,
            request: request.flatten(),
        })
    }

    /// Serves a request on the side that its route names.
    pub(in crate::serve) async fn execute_routed(
        &self,
        Route { rollout, request }: Route,
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
                let read = (accepted.operation.name.as_str(), accepted.arguments.clone());
                let (answer, took) = self
                    .read_there(&rollout, request, read, (&accepted.tenant, accepted.scope))
                    .await;
                rollout.record_other(Sample::of(&answer, took, None));
                match answer {
                    Ok(answer) => Ok(rollout.executed(None, answer, None)),
                    Err(_) => self.execute_here(&rollout, accepted).await,
                }
            }
        }
    }

    /// Sends a read to the other side; returns its response and the time that it took.
    async fn read_there(
        &self,
        rollout: &Rollout,
        request: TargetRequest,
        (operation, arguments): (&str, Arguments),
        (tenant, scope): (&Arc<Tenant>, Scope),
    ) -> (Result<TargetAnswer, V1Failure>, Duration) {
        let catalog = match request {
            TargetRequest::V1(request) => return rollout.send(*request, scope.deadline).await,
            TargetRequest::Mappings(catalog) => catalog,
        };
        let answer = async {
            let executor = self.executor_with(&catalog);
            let operation = catalog.find(operation).ok_or(V1Failure::NotSent)?;
            let executed = executor.run(tenant, (operation, arguments), None, scope);
            Ok(TargetAnswer::of(executed.await))
        };
        rollout.within(answer, scope.deadline).await
    }

    /// Executes a write with the rollout's mappings only.
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
        rollout.record_other(Sample::of(&executed, begun.elapsed(), None));
        Ok(rollout.executed(None, TargetAnswer::of(executed?), None))
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
        rollout.record_this(begun.elapsed(), is_trouble(&executed));
        executed
    }

    /// Executes a read on both sides and compares the answers. The client gets the other side's, or
    /// this one's as a fallback.
    async fn read_on_both(
        &self,
        rollout: &Rollout,
        request: TargetRequest,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let name = accepted.operation.name.clone();
        let read = (name.as_str(), accepted.arguments.clone());
        let tenant = Arc::clone(&accepted.tenant);
        let theirs = self.read_there(rollout, request, read, (&tenant, accepted.scope));
        let mine = Box::pin(self.execute_here(rollout, accepted));
        let ((theirs, took), mine) = join(theirs, mine).await;
        let Ok(mut theirs) = theirs else {
            rollout.record_other(Sample::of(&theirs, took, None));
            return mine;
        };
        let json = match &mine {
            // If v2 or the shim failed, there is nothing to compare.
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
            // Comparing large answers takes milliseconds of CPU time.
            let found = spawn_blocking(move || {
                let found = guarded(|| Comparison::of(&catalog, &name, &json, &answer));
                found.flatten()
            });
            match found.await {
                Ok(found) => compared = found,
                Err(_) => return mine,
            }
        }
        let verdict = compared.as_ref().map(|compared| compared.verdict);
        if let Some(Comparison { verdict, fields }) = &compared {
            rollout.observer.rollout(&RolloutRecord::Compared {
                rollout: &rollout.config.name,
                verdict: *verdict,
                fields,
            });
        }
        rollout.record_other(Sample {
            is_failed: false,
            verdict,
            elapsed: took,
        });
        let header = compared.map(|compared| compared.header());
        Ok(rollout.executed(mine.ok(), theirs, header))
    }

    /// Sends a write to the other side. It runs here only if the other side never received it.
    async fn write_there(
        &self,
        rollout: &Arc<Rollout>,
        request: TargetRequest,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let request = match request {
            TargetRequest::V1(request) => *request,
            TargetRequest::Mappings(catalog) => {
                return self.write_with(rollout, &catalog, accepted).await;
            }
        };
        let deadline = accepted.scope.deadline;
        let sender = Arc::clone(rollout);
        let (state, account) = (self.0.executor.state.clone(), *accepted.tenant.account());
        // A spawned task, so that the write completes if the client disconnects.
        let write = async move {
            let (theirs, took) = sender.send(request, deadline).await;
            sender.record_other(Sample::of(&theirs, took, None));
            // Cached answers of the account may be stale now.
            state.wrote_elsewhere(&account).await;
            theirs
        };
        let write = self.0.shared.writes.spawn(write.in_current_span());
        match write.await {
            Ok(Ok(theirs)) => Ok(rollout.executed(None, theirs, None)),
            Ok(Err(V1Failure::NotSent)) => self.execute_here(rollout, accepted).await,
            Ok(Err(V1Failure::Unreachable | V1Failure::Unreadable)) => {
                let mut executed = Executed::error(self.protocol().unknown_outcome());
                executed.finished.is_trouble = true;
                Ok(executed)
            }
            Err(_) => Err(ProtocolError::Internal.into()),
        }
    }
}

impl Rollout {
    /// Sends a request to another server.
    async fn send(
        &self,
        request: RequestBuilder,
        deadline: Instant,
    ) -> (Result<TargetAnswer, V1Failure>, Duration) {
        let answer = async {
            let Target::V1(other) = &self.other else {
                return Err(V1Failure::NotSent);
            };
            let json = v1_client::answer(request, other.answer_bytes()).await?;
            let executed = Executed::answered(v1_answer(&json));
            Ok(TargetAnswer { executed, json })
        };
        self.within(answer, deadline).await
    }

    /// Waits for an answer of the other side until the rollout's timeout or the deadline.
    async fn within(
        &self,
        answer: impl Future<Output = Result<TargetAnswer, V1Failure>>,
        deadline: Instant,
    ) -> (Result<TargetAnswer, V1Failure>, Duration) {
        let begun = Instant::now();
        let until = deadline.min(begun + self.config.timeout);
        let answer = timeout_at(until, answer).await;
        (
            answer.unwrap_or(Err(V1Failure::Unreachable)),
            begun.elapsed(),
        )
    }

    /// The execution result for an answer of the other side; `mine` adds this side's calls.
    fn executed(
        &self,
        mine: Option<Executed>,
        theirs: TargetAnswer,
        compared: Option<HeaderValue>,
    ) -> Executed {
        let mut executed = theirs.executed;
        if let Some(mine) = mine {
            executed.calls += mine.calls;
            executed.finished.unknown = mine.finished.unknown;
        }
        executed.rollout_headers = Some(Box::new(RolloutHeaders {
            rollout: self.header.clone(),
            compared,
        }));
        executed
    }
}

impl TargetAnswer {
    /// The answer of this process with the rollout's mappings.
    fn of(executed: Result<Executed, V1Error>) -> Self {
        let executed = executed.unwrap_or_else(Executed::error);
        let json = encode::json(executed.finished.answer.result.as_ref());
        Self {
            // Serialized by this process, so it parses.
            json: serde_json::from_slice(&json).unwrap_or_default(),
            executed,
        }
    }
}

impl Sample {
    fn of<T, E>(answer: &Result<T, E>, elapsed: Duration, verdict: Option<Verdict>) -> Self {
        Self {
            is_failed: answer.is_err(),
            verdict,
            elapsed,
        }
    }
}

impl Comparison {
    /// Compares two answers of an operation; `None` if it does not exist.
    fn of(catalog: &Catalog, operation: &str, mine: &Bytes, theirs: &Value) -> Option<Self> {
        let operation = catalog.find(operation)?;
        // Serialized by this process, so it parses.
        let mine: Value = serde_json::from_slice(mine).unwrap_or_default();
        let rows = compare(catalog, Some(operation), &mine, theirs);
        let worst = rows.iter().map(|row| row.verdict).max();
        // Only fields with the worst verdict, which are the ones to act on.
        let worst = worst.unwrap_or(Verdict::Same);
        let names = rows
            .iter()
            .filter(|row| row.verdict == worst && worst != Verdict::Same);
        let names = names.map(|row| {
            // Unknown names could contain anything.
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

    /// Header value, e.g. `unexpected; fields=dept,type`.
    fn header(&self) -> HeaderValue {
        let verdict = match self.verdict {
            // Volatile and accepted differences are expected.
            Verdict::Same | Verdict::Volatile | Verdict::Accepted => "same",
            Verdict::Mapped => "mapped",
            Verdict::Lossy => "lossy",
            Verdict::Unexpected => "unexpected",
        };
        let fields = self.fields.get(..FIELDS).unwrap_or(&self.fields);
        let text = if verdict == "same" || fields.is_empty() {
            verdict.to_owned()
        } else {
            format!("{verdict}; fields={}", fields.join(","))
        };
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unexpected"))
    }
}

/// True for an error caused by v2 or the shim.
fn is_trouble(executed: &Result<Executed, Refusal>) -> bool {
    matches!(executed, Ok(executed) if executed.finished.is_trouble)
}
