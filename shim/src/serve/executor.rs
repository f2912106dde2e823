//! Executes a translation against v2: sends the calls that are ready, hands back their outcomes, and
//! remembers what the next request may need.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

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
    translation::{Call, CallId, Finished, PlannedCall},
};
use recording::RecordedSite;
use secrecy::SecretString;
use shim_upstream::{Exhausted, RequestId, ReservedTurns, Scope};
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, timeout_at},
};

use super::{joins::Joins, tenants::Tenant};
use crate::{
    front::{boxed_future::boxed, encode},
    observe::{ServedRequest, Taps, WriteId, guarded},
    state::{Key, State, WriteRun},
};

/// Runs translations.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) state: State,
    /// Calls at a time for the entries of one list.
    pub(crate) list_calls: usize,
    /// The timeout of one call.
    pub(crate) call_time: Duration,
    pub(crate) joins: Joins,
}

/// A translation that came to its end.
pub(crate) struct Executed {
    pub(crate) finished: Finished,
    /// Calls that v2 was asked, without those whose answer was remembered.
    pub(crate) calls: u32,
    /// The answer as JSON, if somebody needed it already.
    pub(crate) json: Option<Bytes>,
    /// True if an equal request at the same time made the calls.
    pub(crate) is_joined: bool,
    /// The write, if it is done in part.
    pub(crate) unfinished: Option<WriteId>,
    /// If the answer is that of the other side of a rollout.
    pub(crate) moved: Option<Box<Moved>>,
}

/// What the headers of an answer of the other side say.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) rollout: HeaderValue,
    /// The verdict, if both sides answered.
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
            moved: None,
        }
    }

    /// The same with the answer of a shadow, whose losses and troubles are not known.
    pub(crate) fn in_place_of(executed: Option<Self>, answer: V1Answer) -> Self {
        let calls = executed.as_ref().map_or(0, |executed| executed.calls);
        let unknown = executed.map(|executed| executed.finished.unknown);
        Self {
            finished: Finished {
                answer,
                cursors: Vec::new(),
                unfinished: None,
                unknown: unknown.unwrap_or_default(),
                failures: Vec::new(),
                is_trouble: false,
            },
            calls,
            json: None,
            is_joined: false,
            unfinished: None,
            moved: None,
        }
    }
}

/// What became of one call.
struct Performed {
    outcome: Outcome,
    was_sent: bool,
}

/// Whether a translation may write: v2's limits are asked once, for all calls of the plan, before the
/// first write.
enum Writes {
    NotBegun,
    Allowed(ReservedTurns),
    /// Nothing was written, and nothing is.
    Refused,
}

impl Writes {
    /// The calls to be made now, each with whether its turn is reserved.
    async fn ready(
        &mut self,
        translation: &mut Translation<'_>,
        tenant: &Tenant,
        scope: Scope,
    ) -> Vec<(Call, bool)> {
        let is_write = |call: &Call| !call.request.method.is_read();
        let mut ready = translation.ready();
        if matches!(self, Self::NotBegun) && ready.iter().any(is_write) {
            let mut planned = translation.planned();
            for Call { request, .. } in ready.iter().filter(|call| is_write(call)) {
                // A call for several things counts once.
                if !planned.iter().any(|known| {
                    (known.method, &known.template) == (request.method, &request.template)
                }) {
                    planned.push(PlannedCall {
                        method: request.method,
                        template: Arc::clone(&request.template),
                        label: request.label,
                        path: Some(request.path.clone()),
                    });
                }
            }
            *self = match tenant.upstream.reserve(&planned, scope).await {
                Ok(turns) => Self::Allowed(turns),
                Err(Exhausted) => Self::Refused,
            };
        }
        if matches!(self, Self::Refused) {
            while let Some(at) = ready.iter().position(is_write) {
                let call = ready.swap_remove(at);
                translation.complete(call.id, Outcome::Limited);
                ready.extend(translation.ready());
            }
        }
        let with_turn = |call: Call| {
            let has_turn = match self {
                Self::Allowed(turns) => turns.take(&call.request),
                Self::NotBegun | Self::Refused => false,
            };
            (call, has_turn)
        };
        ready.into_iter().map(with_turn).collect()
    }
}

/// The writes of a request that has not ended. It is dropped with them only if the process stops:
/// then the log names what was done, because the client has no answer.
#[derive(Default)]
struct Cut {
    operation: String,
    /// Each call with its name, and whether v2 did it.
    calls: Vec<(CallId, String, bool)>,
}

impl Cut {
    fn begin(&mut self, operation: &Operation, ready: &[(Call, bool)]) {
        for (call, _) in ready {
            if !call.request.method.is_read() {
                operation.name.clone_into(&mut self.operation);
                self.calls.push((call.id, call.name.clone(), false));
            }
        }
    }

    fn ended(&mut self, id: CallId, outcome: &Outcome) {
        let is_done = matches!(
            outcome,
            Outcome::Answered {
                status: 200..300,
                ..
            }
        );
        let at = self.calls.iter().position(|(known, ..)| *known == id);
        match at.and_then(|at| self.calls.get_mut(at)) {
            Some((.., done)) if is_done => *done = true,
            Some(_) => self.calls.retain(|(known, ..)| *known != id),
            None => {}
        }
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let named = |wanted: bool| {
            let calls = self.calls.iter().filter(|(.., done)| *done == wanted);
            let names: Vec<_> = calls.map(|(_, name, _)| name.as_str()).collect();
            names.join(", ")
        };
        tracing::warn!(
            operation = self.operation,
            stored = named(true),
            unknown = named(false),
            "A write was cut off; the same request again does what is missing"
        );
    }
}

/// What the calls of one request share.
pub(super) struct Request<'r> {
    pub(super) tenant: &'r Tenant,
    operation: &'r Operation,
    taps: Option<&'r Taps>,
    pub(super) scope: Scope,
    /// True if answers to reads may stand in for others.
    is_read: bool,
    /// The generation of the account, once it was read; `None` if it cannot be.
    generation: OnceCell<Option<u64>>,
    /// For calls for the entries of lists.
    places: Semaphore,
}

/// A request that was served.
struct Served {
    tenant: Arc<Tenant>,
    executor: Executor,
}

impl Executor {
    /// Serves one request by the deadline of its scope.
    ///
    /// # Errors
    ///
    /// v1's error if nothing had to be asked for it.
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
        // A joined request made no calls that could be recorded or compared.
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
            places: Semaphore::new(self.list_calls),
        };
        if let Some(write) = translation.write_key() {
            let name = self.state.write_name(tenant.id(), tenant.account(), &write);
            return self.write(name, operation, translation, &request).await;
        }
        if let Some(list) = translation.paging_key() {
            let (cursors, generation) = self.state.list(tenant.id(), &list, tenant.account()).await;
            // The only place that sets it.
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

    /// Makes the calls of a translation to its end; returns how many were sent.
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
        // Not an async function: each would have room for two calls.
        let made = |(call, has_turn): (Call, bool)| {
            let since = Instant::now();
            async move {
                let performed = self.perform(request, &call, has_turn);
                // After a panic the rest of a write goes on as after a lost answer: what was done
                // before is told and remembered.
                let performed = AssertUnwindSafe(performed).catch_unwind().await;
                let performed = performed.unwrap_or(Performed {
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
        let mut cut = Cut::default();
        let mut writes = Writes::NotBegun;
        loop {
            let mut ready = writes.ready(translation, tenant, scope).await;
            if translation.is_done() {
                break;
            }
            if let Some(run) = &mut run
                && !run
                    .note(translation.changed_journal(), self.call_time)
                    .await
            {
                // Another run may make the same calls now.
                for (call, _) in ready.drain(..) {
                    translation.complete(call.id, Outcome::NoAnswer { maybe_done: false });
                }
                if under_way.is_empty() {
                    break;
                }
            }
            cut.begin(operation, &ready);
            let is_single = ready.len() == 1 && under_way.is_empty();
            let next = async {
                if let Some(call) = ready.pop_if(|_| is_single) {
                    // As most plans have it: what needs no set of calls does not pay for one.
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
            cut.ended(id, &performed.outcome);
            translation.complete(id, performed.outcome);
        }
        cut.calls.clear();
        calls
    }

    async fn perform(&self, made_for: &Request<'_>, call: &Call, has_turn: bool) -> Performed {
        let Call {
            request, for_item, ..
        } = call;
        let Request {
            tenant,
            scope,
            places,
            ..
        } = made_for;
        let key = if *for_item && made_for.is_read {
            let generation = || self.state.generation(tenant.account());
            let generation = made_for.generation.get_or_init(generation).await;
            generation.map(|generation| answer_key(tenant, generation, request))
        } else {
            None
        };
        if let Some(key) = key
            && let Some(outcome) = self.remembered_answer(key)
        {
            return Performed {
                outcome,
                was_sent: false,
            };
        }

        let place = if *for_item {
            match timeout_at(scope.deadline, places.acquire()).await {
                Ok(place) => place.ok(),
                Err(_) => {
                    return Performed {
                        outcome: Outcome::NoAnswer { maybe_done: false },
                        was_sent: false,
                    };
                }
            }
        } else {
            None
        };
        let outcome = tenant.upstream.send(request, *scope, has_turn).await;
        drop(place);
        if let Some(key) = key
            && let Outcome::Answered {
                status: 200,
                body: Some(body),
            } = &outcome
        {
            self.state.save_answer(key, body.text());
        }
        Performed {
            outcome,
            was_sent: true,
        }
    }

    fn remembered_answer(&self, key: Key) -> Option<Outcome> {
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

/// The same for the same read of the same tenant, until somebody writes to its account.
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

pub(super) fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or(Duration::ZERO).as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::{Json, Router, extract::Request, response::IntoResponse as _};
    use serde_json::json;
    use shim_upstream::{Access, CallLimits, Endpoint, Http, Token};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        front::credential::Credential,
        serve::tenants::Tenants,
        settings::{Limits, Permissions, SecretDigest, TenantConfig, V2Config},
        state::{AnswerCache, State},
    };

    async fn v2() -> V2Config {
        let router = Router::new().fallback(|request: Request| async move {
            let user = json!({ "id": "u1", "email": "new@example.com", "type": 1 });
            match request.method().as_str() {
                "POST" => (hyper::StatusCode::CREATED, Json(user)).into_response(),
                "GET" => Json(user).into_response(),
                _ => hyper::StatusCode::NO_CONTENT.into_response(),
            }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}/v2", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        V2Config {
            base: shim_upstream::BaseUrl::parse(&base).unwrap(),
            resolver: shim_upstream::ResolverSettings::default(),
            tenants: vec![TenantConfig {
                api_key: "key".to_owned(),
                api_secret: SecretDigest::of("secret"),
                account_id: None,
                owner: None,
                access: Access::Token(Token::new(&"token".into()).unwrap()),
                rates: None,
                strict: false,
                options: mappings::catalog::protocol::Options::default(),
                tokens: mappings::Tokens::default(),
                permissions: Permissions::default(),
            }],
        }
    }

    #[tokio::test]
    async fn a_panic_in_a_call_leaves_a_write_to_be_finished() {
        let limits = Limits::default();
        let v2 = v2().await;
        let panics = AtomicBool::new(true);
        let endpoint = Endpoint {
            http: Http::new(&v2.http(&limits)).unwrap(),
            base: v2.base.clone(),
            limits: CallLimits {
                timeout: limits.call,
                response_bytes: limits.answer_bytes,
            },
            on_call: Box::new(move |call| {
                let is_second = call.template.ends_with("/settings");
                assert!(
                    !is_second || !panics.swap(false, Ordering::SeqCst),
                    "a defect"
                );
            }),
        };
        let catalog = Arc::new(Catalog::embedded().unwrap());
        let tenants = Tenants::new(
            v2,
            &Arc::new(endpoint),
            |_| None,
            1,
            (None, &Tenants::default()),
        );
        let given = Credential::new("key", SecretDigest::of("secret"));
        let tenant = tenants.authenticate(&given).unwrap();
        let executor = Executor {
            catalog: Arc::clone(&catalog),
            state: State::in_memory(AnswerCache::from(&limits)).unwrap(),
            list_calls: limits.list_calls,
            call_time: limits.call,
            joins: Joins::default(),
        };
        let create = async || {
            let operation = catalog.find("user/custcreate").unwrap();
            let parameters = [
                ("email", "new@example.com"),
                ("type", "1"),
                ("disable_chat", "true"),
            ];
            let request = (operation, parameters.into_iter().collect());
            let scope = Scope {
                id: RequestId::fresh(),
                deadline: Instant::now() + limits.request,
            };
            let executed = executor.run(&tenant, request, None, scope).await;
            executed.map(|executed| (executed.calls, executed.finished))
        };
        let (_, finished) = create().await.unwrap();
        let error = finished.answer.result.unwrap_err();
        assert!(error.message.contains("create"), "{}", error.message);
        let (calls, finished) = create().await.unwrap();
        assert!(finished.answer.result.is_ok(), "{:?}", finished.failures);
        assert!(calls >= 1);
    }
}
