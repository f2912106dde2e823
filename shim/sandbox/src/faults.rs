//! Fault injection: middleware that simulates failures of networks, gateways and v2.

mod hang_up;
mod rule;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::sleep;

use super::{Sandbox, engine::named_error, response::json_response};
use hang_up::HungUp;
pub(super) use hang_up::serve;
pub use rule::FaultsError;
pub(crate) use rule::Rule;
use rule::{Failure, When};

/// Headers that set the response of one request.
const ANSWER: &str = "x-sandbox-answer";
const STATUS: &str = "x-sandbox-status";
const ERROR: &str = "x-sandbox-error";
const FAULT: &str = "x-sandbox-fault";

/// Page of a system other than v2.
const HTML: &str = "<html><head><title>Sign in</title></head></html>";

/// Fault rules. Clones share their counters.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Vec<Armed>>);

/// Active rule.
#[derive(Debug)]
struct Armed {
    rule: Rule,
    hits: AtomicU32,
    /// Fixed seed, so that the same requests fail in every run.
    chance: Mutex<fastrand::Rng>,
}

impl Faults {
    /// Parses rules: a `.toml` file, or the text itself.
    ///
    /// # Errors
    ///
    /// Invalid rules, with the expected syntax.
    pub fn read(file_or_spec: &str) -> Result<Self, FaultsError> {
        let path = Path::new(file_or_spec);
        if path.extension().is_some_and(|end| end == "toml") {
            let text = std::fs::read_to_string(path).map_err(FaultsError::Unreadable)?;
            return rule::of_file(&text).map(Self::new);
        }
        Self::of_spec(file_or_spec)
    }

    /// Parses rules from a text: `key=value,…`, separated by `;`.
    ///
    /// # Errors
    ///
    /// Invalid rules, with the expected syntax.
    pub fn of_spec(spec: &str) -> Result<Self, FaultsError> {
        rule::of_spec(spec).map(Self::new)
    }

    fn new(rules: Vec<Rule>) -> Self {
        let arm = |rule| Armed {
            rule,
            hits: AtomicU32::new(0),
            chance: Mutex::new(fastrand::Rng::with_seed(0)),
        };
        Self(Arc::new(rules.into_iter().map(arm).collect()))
    }

    /// Wraps a router. Dropped connections need [`super::serve_faulty`].
    pub fn around(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), fail))
    }

    /// The first matching rule.
    pub(crate) fn first_match(&self, request: &Request) -> Option<Rule> {
        let strikes =
            |armed: &&Armed| armed.applies(request.method().as_str(), request.uri().path());
        self.0.iter().find(strikes).map(|armed| armed.rule.clone())
    }
}

impl Armed {
    fn applies(&self, method: &str, path: &str) -> bool {
        if !self.rule.is_for(method, path) {
            return false;
        }
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        if chance.f64() >= self.rule.share {
            return false;
        }
        let limit = self.rule.times.unwrap_or(u32::MAX);
        let counted = |hits| (hits < limit).then_some(hits + 1);
        let (relaxed, hits) = (Ordering::Relaxed, &self.hits);
        hits.fetch_update(relaxed, relaxed, counted).is_ok()
    }
}

async fn fail(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    match faults.first_match(&request) {
        Some(rule) => rule.apply(request, next).await,
        None => next.run(request).await,
    }
}

/// Applies the fault of the request's headers, or an armed one: see README.md.
pub(crate) async fn inject_faults(
    State(sandbox): State<Sandbox>,
    request: Request,
    next: Next,
) -> Response {
    let rule = match requested_fault(request.headers()) {
        Ok(Some(rule)) => Some(rule),
        Ok(None) => sandbox.armed_fault(&request),
        Err(mistake) => return (StatusCode::BAD_REQUEST, mistake.to_string()).into_response(),
    };
    match rule {
        Some(rule) => rule.apply(request, next).await,
        None => next.run(request).await,
    }
}

/// Fault requested by headers.
fn requested_fault(headers: &HeaderMap) -> Result<Option<Rule>, FaultsError> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(body) = header(ANSWER) {
        let status = header(STATUS).and_then(|status| status.parse().ok());
        return Ok(Some(Rule::answering(status.unwrap_or(200), body)));
    }
    let spec = match (header(FAULT), header(ERROR)) {
        (Some(spec), _) => spec.to_owned(),
        (None, Some(error)) => format!("error={error}"),
        (None, None) => return Ok(None),
    };
    Ok(rule::of_spec(&spec)?.into_iter().next())
}

impl Rule {
    async fn apply(self, request: Request, next: Next) -> Response {
        let rule = self;
        // Logged because the shim's log shows only the failure, not that it is simulated.
        let method = request.method();
        if let Some(failure) = &rule.failure {
            tracing::info!("Sandbox fault: a {method} gets {failure}");
        } else {
            tracing::info!("Sandbox fault: a {method} is delayed");
        }
        if let Some(delay) = rule.delay_ms {
            sleep(Duration::from_millis(delay)).await;
        }
        let Some(failure) = &rule.failure else {
            return next.run(request).await;
        };
        let answer = match rule.when {
            When::Before => None,
            When::After => Some(next.run(request).await),
        };
        match failure {
            Failure::Status(429) => limited(rule.retry_after.as_deref()),
            Failure::Status(status) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
                let body = json!({ "code": status.as_u16(), "message": "A fault on purpose." });
                json_response(status, &body)
            }
            Failure::Json(status, body) => {
                let status = StatusCode::from_u16(*status).unwrap_or_default();
                let body = body.clone();
                (status, [(CONTENT_TYPE, "application/json")], body).into_response()
            }
            Failure::Error(name) => named_error(name).into_response(),
            Failure::Drop => {
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(HungUp);
                response
            }
            Failure::Html => ([(CONTENT_TYPE, "text/html")], HTML).into_response(),
            Failure::Truncate => truncated(answer.unwrap_or_default()).await,
        }
    }
}

fn limited(retry_after: Option<&str>) -> Response {
    let body =
        json!({ "code": 429, "message": "You have reached the maximum rate limit for this API." });
    let mut response = json_response(StatusCode::TOO_MANY_REQUESTS, &body);
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

/// Truncates the body to its first half, with a consistent length.
async fn truncated(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let whole = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let whole = whole.unwrap_or_default();
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(whole.slice(..whole.len() / 2)))
}
