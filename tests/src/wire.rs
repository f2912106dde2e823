//! Proxy layer between shim and sandbox: records calls and injects faults.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{Html, IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::Value;

use crate::recording;

/// Maximum size of a body, in bytes; larger than any in the tests.
pub(crate) const MAX_BODY: usize = 16 << 20;

/// A v2 call as received, not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V2Call {
    /// The method.
    pub method: Method,
    /// Path, percent-encoded.
    pub path: String,
    /// Query, percent-encoded.
    pub query: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl V2Call {
    /// Method, path and query: `GET /v2/users?status=active`.
    pub fn line(&self) -> String {
        let Self { method, path, .. } = self;
        match &self.query {
            Some(query) => format!("{method} {path}?{query}"),
            None => format!("{method} {path}"),
        }
    }
}

/// Fault of a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Not forwarded; returns this response.
    Refused(u16, Value),
    /// Forwarded; returns this response instead of the sandbox's.
    Garbled(u16, Value),
    /// Not forwarded; returns an HTML page with status 200.
    Page,
    /// Forwarded; the response has another id and email address.
    Renamed,
}

/// Records calls and injects faults. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<Mutex<Passing>>);

#[derive(Debug, Default)]
struct Passing {
    calls: Vec<V2Call>,
    faults: Vec<(Rule, Fault)>,
    chance: Option<Chance>,
    tampered: Vec<Tampered>,
}

/// Random faults, injected by the sandbox.
#[derive(Debug)]
struct Chance {
    random: fastrand::Rng,
    share: f64,
    faults: &'static [&'static str],
}

/// A call, with the random fault that it got, if any.
#[derive(Debug, Clone)]
pub struct Tampered {
    /// Id of the v1 request that caused it.
    pub request: String,
    /// The call.
    pub call: V2Call,
    /// Fault, in the sandbox's notation.
    pub fault: Option<&'static str>,
}

#[derive(Debug)]
struct Rule {
    method: Method,
    ending: String,
    once: bool,
}

impl Wire {
    /// Returns and clears the recorded calls, in order of arrival.
    pub fn take(&self) -> Vec<V2Call> {
        std::mem::take(&mut self.passing().calls)
    }

    /// Like [`Wire::take`], as one line per call.
    pub fn lines(&self) -> Vec<String> {
        self.take().iter().map(V2Call::line).collect()
    }

    /// The next call with this method whose path has this ending, or fits a template such as
    /// `/users/{userId}`, gets the fault.
    pub fn fail_once(&self, method: Method, ending: &str, fault: Fault) {
        self.fail(method, ending, fault, true);
    }

    /// All calls with this method whose paths have this ending, or fit this template, get the
    /// fault.
    pub fn fail_always(&self, method: Method, ending: &str, fault: Fault) {
        self.fail(method, ending, fault, false);
    }

    fn fail(&self, method: Method, ending: &str, fault: Fault, once: bool) {
        let rule = Rule {
            method,
            ending: ending.to_owned(),
            once,
        };
        self.passing().faults.push((rule, fault));
    }

    /// A fraction of all calls, from 0 to 1, gets one of these faults, in the notation of
    /// `X-Sandbox-Fault`.
    pub fn fail_by_chance(&self, seed: u64, share: f64, faults: &'static [&'static str]) {
        let random = fastrand::Rng::with_seed(seed);
        self.passing().chance = Some(Chance {
            random,
            share,
            faults,
        });
    }

    /// Removes all faults. Returns the calls since [`Wire::fail_by_chance`].
    pub fn mend(&self) -> Vec<Tampered> {
        let mut passing = self.passing();
        passing.faults.clear();
        passing.chance = None;
        std::mem::take(&mut passing.tampered)
    }

    fn passing(&self) -> std::sync::MutexGuard<'_, Passing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the random fault of a call, if any.
    fn tamper(&self, request: &HeaderMap, call: &V2Call) -> Option<HeaderValue> {
        let mut passing = self.passing();
        let chance = passing.chance.as_mut()?;
        let strikes = chance.random.f64() < chance.share;
        let fault = chance.random.choice(chance.faults).filter(|_| strikes);
        let fault = fault.copied();
        let request = request.get("x-request-id");
        let request = request.and_then(|id| id.to_str().ok()).unwrap_or_default();
        passing.tampered.push(Tampered {
            request: request.to_owned(),
            call: call.clone(),
            fault,
        });
        fault.map(HeaderValue::from_static)
    }

    /// Records the call. Returns its fault, if any.
    fn pass(&self, call: V2Call) -> Option<Fault> {
        let mut passing = self.passing();
        let met = passing
            .faults
            .iter()
            .position(|(rule, _)| rule.method == call.method && fits(&rule.ending, &call.path));
        passing.calls.push(call);
        let met = met?;
        let (rule, fault) = passing.faults.get(met)?;
        let (once, fault) = (rule.once, fault.clone());
        if once {
            passing.faults.remove(met);
        }
        Some(fault)
    }
}

/// Middleware around the sandbox.
pub(crate) async fn through(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.expect("a whole request");
    let call = V2Call {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        body: body.clone(),
    };
    let fault = wire.tamper(&head.headers, &call);
    let is_tampered = fault.is_some();
    if let Some(fault) = fault {
        head.headers.insert("x-sandbox-fault", fault);
    }
    let seen = async || {
        let answer = next.run(Request::from_parts(head, Body::from(body))).await;
        if is_tampered {
            // Injected faults are not recorded for validators.
            return answer;
        }
        recording::note(&call, answer).await
    };
    match wire.pass(call.clone()) {
        None => seen().await,
        Some(Fault::Refused(status, answer)) => json(status, &answer),
        Some(Fault::Garbled(status, answer)) => {
            seen().await;
            json(status, &answer)
        }
        Some(Fault::Page) => Html("<p>Sign in</p>").into_response(),
        Some(Fault::Renamed) => renamed(seen().await).await,
    }
}

fn json(status: u16, answer: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let json = [(CONTENT_TYPE, "application/json")];
    (status, json, answer.to_string()).into_response()
}

/// Changes ids and addresses in a response.
async fn renamed(answer: Response) -> Response {
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), MAX_BODY).await;
    let mut body: Value =
        serde_json::from_slice(&body.expect("a whole answer")).unwrap_or_default();
    for name in ["id", "uuid", "email", "pmi", "group_id"] {
        match body.get_mut(name) {
            Some(Value::String(text)) => text.insert_str(0, "other-"),
            Some(number) => *number = (number.as_i64().unwrap_or_default() + 1).into(),
            None => {}
        }
    }
    json(status, &body)
}

/// True if a v2 path has this ending, or fits a template such as `/users/{userId}`.
pub fn fits(ending: &str, path: &str) -> bool {
    if !ending.contains('{') {
        return path.ends_with(ending);
    }
    let path = path.trim_start_matches("/v2").split('/');
    let mut template = ending.split('/');
    path.clone().count() == template.clone().count()
        && path
            .zip(&mut template)
            .all(|(part, known)| known.starts_with('{') || part == known)
}
