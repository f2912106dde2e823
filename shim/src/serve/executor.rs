//! Executes a translation against v2: sends the calls that are ready, feeds their outcomes back,
//! and saves what later requests need.

mod admission;
mod interrupted;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt as _,
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt as _},
};
use hyper::header::HeaderValue;
use mappings::{
    Arguments, Catalog, Document, Memory, Outcome, Site, Translation, V1Answer, V1Error, V2Request,
    catalog::operation::Operation,
    translation::{Call, Finished},
};
use recording::RecordedSite;
use secrecy::SecretString;
use shim_upstream::{RequestId, Scope};
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, timeout_at},
};

use super::{in_flight::InFlightWrites, tenants::Tenant};
use crate::{
    clock::unix_seconds,
    front::{boxed_future::boxed, encode},
    observe::{ServedRequest, Taps, WriteId, guarded},
    state::{Key, State, WriteRun},
};
use admission::WriteAdmission;
use interrupted::InterruptedWrite;

/// Executes translations.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) state: State,
    /// Maximum concurrent calls for the entries of one list.
    pub(crate) list_calls: usize,
    /// Timeout of one call.
    pub(crate) call_time: Duration,
    pub(crate) in_flight: InFlightWrites,
}

/// Result of a completed translation.
pub(crate) struct Executed {
    pub(crate) finished: Finished,
    /// Calls sent to v2, without those answered from the cache.
    pub(crate) calls: u32,
    /// The answer as JSON, if it was already serialized.
    pub(crate) json: Option<Bytes>,
    /// True if an equal, concurrent request made the calls.
    pub(crate) is_joined: bool,
    /// The write, if it is only partly done.
    pub(crate) unfinished: Option<WriteId>,
    /// Set if the answer comes from the other side of a rollout.
    pub(crate) rollout_headers: Option<Box<RolloutHeaders>>,
}

/// Headers of an answer from the other side of a rollout.
#[derive(Debug)]
pub(crate) struct RolloutHeaders {
    pub(crate) rollout: HeaderValue,
    /// Verdict, if both sides answered and were compared.
    pub(crate) compared: Option<HeaderValue>,
}

impl Executed {
    pub(super) fn of(finished: Finished, calls: u32) -> Self {
        Self {
            finished,
            calls,
            json: None,
            is_joined: false,
            unfinished: None,
            rollout_headers: None,
        }
    }

    /// A response without own calls: an error, or the response of another server, whose losses are
    /// unknown.
    pub(crate) fn answered(answer: V1Answer) -> Self {
        Self::of(
            Finished {
                answer,
                cursors: Vec::new(),
                unfinished: None,
                unknown: Vec::new(),
                failures: Vec::new(),
                is_trouble: false,
            },
            0,
        )
    }

    /// An error without calls.
    pub(crate) fn error(error: V1Error) -> Self {
        Self::answered(V1Answer {
            result: Err(error),
            warnings: Vec::new(),
        })
    }

    /// Replaces the response. The counts of this request stay.
    pub(crate) fn with_answer(self, answer: V1Answer) -> Self {
        let mut replaced = Self::answered(answer);
        replaced.calls = self.calls;
        replaced.finished.unknown = self.finished.unknown;
        replaced
    }
}

/// Result of one call.
struct CallResult {
    outcome: Outcome,
    was_sent: bool,
}

/// Context shared by the calls of one request.
pub(super) struct Request<'r> {
    pub(super) tenant: &'r Tenant,
    operation: &'r Operation,
    taps: Option<&'r Taps>,
    pub(super) scope: Scope,
    /// True if cached answers may be used.
    is_read: bool,
    /// Cache generation of the account, read at most once; `None` inside if it cannot be read.
    generation: OnceCell<Option<u64>>,
    /// Limits concurrent calls for list entries.
    entry_permits: Semaphore,
}

/// A served request, kept for observers.
struct Served {
    tenant: Arc<Tenant>,
    executor: Executor,
}

impl Executor {
    /// Serves one request until the deadline of its scope.
    ///
    /// # Errors
    ///
    /// The v1 error of a request that needs no call.
    pub(crate) async fn run(
        &self,
        tenant: &Arc<Tenant>,
        request: (&Operation, Arguments),
        taps: Option<Box<Taps>>,
        scope: Scope,
    ) -> Result<Executed, V1Error> {
        let mut executed = self
            .translate(tenant, request, taps.as_deref(), scope)
            .await;
        // A joined request made no calls of its own to record or compare.
        let is_joined = executed.as_ref().is_ok_and(|executed| executed.is_joined);
        if let Some(taps) = taps.filter(|_| !is_joined) {
            let json = match &executed {
                Ok(executed) => encode::json(executed.finished.answer.result.as_ref()),
                Err(error) => encode::json(Err(error)),
            };
            if let Ok(executed) = &mut executed {
                executed.json = Some(json.clone());
            }
            let served = Served {
                tenant: Arc::clone(tenant),
                executor: self.clone(),
            };
            guarded(|| taps.finish(&json, &Arc::new(served)));
        }
        executed
    }

    async fn translate(
        &self,
        tenant: &Tenant,
        (operation, arguments): (&Operation, Arguments),
        taps: Option<&Taps>,
        scope: Scope,
    ) -> Result<Executed, V1Error> {
        let site = &tenant.site;
        let now = unix_seconds();
        let mut translation = Translation::begin(&self.catalog, operation, arguments, site, now)?;
        let request = Request {
            tenant,
            operation,
            taps,
            scope,
            is_read: operation.read,
            generation: OnceCell::new(),
            entry_permits: Semaphore::new(self.list_calls),
        };
        if let Some(write) = translation.write_key() {
            let name = self.state.write_name(tenant.id(), tenant.account(), &write);
            return self.write(name, operation, translation, &request).await;
        }
        if let Some(list) = translation.paging_key() {
            let (cursors, generation) = self.state.list(tenant.id(), &list, tenant.account()).await;
            // Nothing else sets it.
            let _ = request.generation.set(generation);
            let memory = Memory {
                cursors: cursors.unwrap_or_default(),
                ..Memory::default()
            };
            translation.recall(memory);
            let calls = self.calls(&mut translation, &request, None).await;
            let finished = translation.finish(unix_seconds());
            if !finished.cursors.is_empty() {
                let (account, cursors) = (tenant.account(), &finished.cursors);
                let saved = self
                    .state
                    .save_cursors(tenant.id(), &list, account, cursors);
                saved.await;
            }
            return Ok(Executed::of(finished, calls));
        }
        let calls = self.calls(&mut translation, &request, None).await;
        Ok(Executed::of(translation.finish(unix_seconds()), calls))
    }

    /// Makes calls until the translation is complete; returns the number sent.
    pub(super) async fn calls(
        &self,
        translation: &mut Translation<'_>,
        request: &Request<'_>,
        mut run: Option<&mut WriteRun>,
    ) -> u32 {
        let Request {
            tenant,
            operation,
            taps,
            scope,
            ..
        } = *request;
        // A closure, because an async function would reserve stack space for the call twice.
        let made = |(call, has_turn): (Call, bool)| {
            let since = Instant::now();
            async move {
                let performed = self.perform(request, &call, has_turn);
                // After a panic, the rest of a write continues as after a lost reply, so that
                // completed calls are still reported and saved.
                let performed = AssertUnwindSafe(performed).catch_unwind().await;
                let performed = performed.unwrap_or(CallResult {
                    outcome: Outcome::NoAnswer { maybe_done: true },
                    was_sent: true,
                });
                if let Some(taps) = taps {
                    let (outcome, took) = (&performed.outcome, since.elapsed());
                    guarded(|| taps.called(call.name, call.request, outcome, took));
                }
                (call.id, performed)
            }
        };
        let mut under_way = FuturesUnordered::new();
        let mut calls = 0;
        let mut interrupted = InterruptedWrite::default();
        let mut admission = WriteAdmission::Pending;
        loop {
            let mut ready = admission.ready(translation, tenant, scope).await;
            if translation.is_done() {
                break;
            }
            if let Some(run) = &mut run
                && !run
                    .note(translation.changed_journal(), self.call_time)
                    .await
            {
                // The lease on the write was lost: another process may make the same calls now.
                for (call, _) in ready.drain(..) {
                    translation.complete(call.id, Outcome::NoAnswer { maybe_done: false });
                }
                if under_way.is_empty() {
                    break;
                }
            }
            interrupted.begin(operation, &ready);
            let is_single = ready.len() == 1 && under_way.is_empty();
            let next = async {
                if let Some(call) = ready.pop_if(|_| is_single) {
                    // Most plans have one call at a time; it does not need a `FuturesUnordered`.
                    return Some(boxed(|| made(call)).await);
                }
                let made = |call| boxed(|| made(call));
                under_way.extend(ready.into_iter().map(made));
                under_way.next().await
            };
            let performed = match &mut run {
                Some(run) => run.renewing(next).await,
                None => next.await,
            };
            let Some((id, performed)) = performed else {
                tracing::error!("A plan waits for calls that are never made");
                break;
            };
            calls += u32::from(performed.was_sent);
            interrupted.ended(id, &performed.outcome);
            translation.complete(id, performed.outcome);
        }
        interrupted.disarm();
        calls
    }

    async fn perform(&self, made_for: &Request<'_>, call: &Call, has_turn: bool) -> CallResult {
        let Call {
            request, for_item, ..
        } = call;
        let Request { tenant, scope, .. } = made_for;
        let key = if *for_item && made_for.is_read {
            let generation = || self.state.generation(tenant.account());
            let generation = made_for.generation.get_or_init(generation).await;
            generation.map(|generation| answer_key(tenant, generation, request))
        } else {
            None
        };
        if let Some(key) = key
            && let Some(outcome) = self.cached_answer(key)
        {
            return CallResult {
                outcome,
                was_sent: false,
            };
        }

        let not_sent = CallResult {
            outcome: Outcome::NoAnswer { maybe_done: false },
            was_sent: false,
        };
        let permit = if *for_item {
            let permit = made_for.entry_permits.acquire();
            let Ok(permit) = timeout_at(scope.deadline, permit).await else {
                return not_sent;
            };
            permit.ok()
        } else {
            None
        };
        let outcome = tenant.upstream.send(request, *scope, has_turn).await;
        drop(permit);
        if let Some(key) = key
            && let Outcome::Answered {
                status: 200,
                body: Some(body),
            } = &outcome
        {
            self.state.save_answer(key, body.text());
        }
        CallResult {
            outcome,
            was_sent: true,
        }
    }

    fn cached_answer(&self, key: Key) -> Option<Outcome> {
        let text = self.state.answer(key)?;
        let body = Document::read(text.to_vec()).ok()?;
        Some(Outcome::Answered {
            status: 200,
            body: Some(body),
        })
    }
}

impl ServedRequest for Served {
    fn catalog(&self) -> &Arc<Catalog> {
        &self.executor.catalog
    }

    fn site(&self) -> &Site {
        &self.tenant.site
    }

    fn recorded_site(&self) -> &Arc<RecordedSite> {
        &self.tenant.recorded_site
    }

    fn secrets(&self) -> Vec<SecretString> {
        self.tenant.upstream.secrets()
    }

    fn serve_again<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: Arguments,
        deadline: Instant,
    ) -> BoxFuture<'a, Bytes> {
        async move {
            let scope = Scope {
                id: RequestId::fresh(),
                deadline,
            };
            let request = (operation, arguments);
            let executed = self.executor.run(&self.tenant, request, None, scope).await;
            let answer = executed.as_ref().map(|executed| &executed.finished.answer);
            encode::json(answer.and_then(|answer| answer.result.as_ref()))
        }
        .boxed()
    }
}

/// Cache key of a read by one tenant. The generation changes with every write to the account.
fn answer_key(tenant: &Tenant, generation: u64, request: &V2Request) -> Key {
    let generation = generation.to_le_bytes();
    let fixed = [
        tenant.id().as_bytes().as_slice(),
        &generation,
        request.path.as_bytes(),
    ];
    let query = request
        .query
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    Key::new(fixed.into_iter().chain(query))
}

#[cfg(test)]
mod tests;
