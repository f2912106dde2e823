//! The v2 client: one request in, what became of it out.
//!
//! Everything is bounded: time by the caller's deadline, which lies below the 15 seconds after
//! which v1's clients give up; answers by their size; retries by what is safe to send again.
//!
//! Reads that are alike and under way at the same time are not joined. One that joins an older one
//! could miss a write that was answered between them, so joining would need the tenant, every write's
//! place in time and an end that outlives the first caller; v1's programs, which ask one thing after
//! the other, would rarely gain by it.

mod address;
mod breaker;
mod connect;
mod http;
mod names;
mod pool;
mod reply;
mod retry;
mod tls;
mod token;

use std::{fmt, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use mappings::{Body, Method, Outcome, V2Request};
use reqwest::{
    Client,
    multipart::{Form, Part},
};
use secrecy::SecretString;
use tokio::time::{self, Instant};

use crate::{
    budget::Budget,
    config::Limits,
    label::{Label, Labels},
    request::{REQUEST_ID, RequestId, Scope},
    telemetry::{CallRecord, Observer},
};
pub(crate) use address::BaseUrl;
pub(crate) use breaker::Breaker;
use breaker::Sign;
pub(crate) use http::Http;
pub(crate) use names::Names;
use names::NamesError;
use reply::Attempt;
use retry::{Next, RESERVE, Retries};
pub use tls::install_tls;
pub(crate) use token::{Token, TokenError, Tokens};

/// What a v2 client may take in time and memory.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamLimits {
    /// For one request and its answer.
    pub(crate) call: Duration,
    /// The largest answer, in bytes.
    pub(crate) answer: usize,
}

impl From<&Limits> for UpstreamLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            call: limits.call,
            answer: limits.answer_bytes,
        }
    }
}

/// v2, as all tenants share it.
pub(crate) struct Endpoint {
    /// For its pool of connections.
    pub(crate) http: Http,
    /// Where it is.
    pub(crate) base: BaseUrl,
    /// What it may take.
    pub(crate) limits: UpstreamLimits,
    /// Who is told of every call.
    pub(crate) observer: Arc<dyn Observer>,
    /// Whether it is up.
    pub(crate) breaker: Breaker,
}

/// v2, as one tenant sees it.
#[derive(Debug)]
pub(crate) struct Upstream {
    endpoint: Arc<Endpoint>,
    tokens: Tokens,
    budget: Arc<Budget>,
    labels: Arc<Labels>,
}

/// How the shim calls itself before v2, its token endpoint included.
const SHIM: &str = concat!("shim/", env!("CARGO_PKG_VERSION"));

/// The headers of a request: room for as many as there are.
const HEADERS: usize = 6;

/// How often a request goes out again at once that an HTTP/2 server has not begun with.
const MAX_REFUSED: u32 = 2;

/// True for how a shim of any version calls itself.
pub(crate) fn is_shim(user_agent: &[u8]) -> bool {
    user_agent.starts_with(b"shim/")
}

/// Why there is no client for v2.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) enum ClientError {
    /// Of the client itself.
    Http(#[from] reqwest::Error),
    /// Of its name servers.
    Names(#[from] NamesError),
    /// Of TLS: the system has no certificates.
    Tls(#[from] rustls::Error),
}

impl Upstream {
    pub(crate) fn new(
        endpoint: Arc<Endpoint>,
        tokens: Tokens,
        budget: Arc<Budget>,
        labels: Arc<Labels>,
    ) -> Self {
        Self {
            endpoint,
            tokens,
            budget,
            labels,
        }
    }

    /// Whether calls could be made now: there is a token, or one is to be had.
    pub(crate) async fn access(&self, deadline: Instant) -> Result<(), TokenError> {
        self.within(deadline, self.tokens.current()).await.map(drop)
    }

    /// The credentials that requests carry, for what must not show them.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        self.tokens.secrets()
    }

    /// Sends a request, again where that is safe and may help, and tells what became of it, at
    /// the deadline at the latest.
    pub(crate) async fn send(&self, request: &V2Request, scope: Scope) -> Outcome {
        let started = Instant::now();
        let mut retries = Retries::new(request.method.is_read());
        let label = self.labels.of_call(request.method, &request.template);
        let outcome = self.attempts((request, label), scope, &mut retries).await;
        self.endpoint.observer.called(&CallRecord {
            request: scope.id,
            method: request.method,
            template: &request.template,
            label: label.as_str(),
            outcome: &outcome,
            retries: retries.made(),
            elapsed: started.elapsed(),
        });
        outcome
    }

    async fn attempts(
        &self,
        (request, label): (&V2Request, Label),
        scope: Scope,
        retries: &mut Retries,
    ) -> Outcome {
        let uri = match self.endpoint.base.join(&request.path, &request.query) {
            Ok(uri) => uri,
            Err(error) => {
                // An id of many kilobytes is enough for it.
                tracing::warn!(template = %request.template, %error, "Refused to send a request");
                return Outcome::NoAnswer { maybe_done: false };
            }
        };
        let deadline = scope.deadline;
        // What waits for its turn any longer could not be answered in time.
        let last = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let mut token = match self.within(deadline, self.tokens.current()).await {
            Ok(token) => token,
            Err(error) => return error.into(),
        };
        loop {
            // Who would fail at once does not wait for it, and takes nobody's turn.
            if self.endpoint.breaker.refuses() {
                return Outcome::NoAnswer { maybe_done: false };
            }
            let turn = self
                .budget
                .turn(label, request.method, &request.template, last);
            if turn.await.is_err() {
                return Outcome::Limited;
            }
            let Some(permit) = self.endpoint.breaker.admit() else {
                return Outcome::NoAnswer { maybe_done: false };
            };
            let attempt = self.attempt(&uri, request, &token, scope).await;
            if let Some(sign) = sign(&attempt, deadline) {
                permit.report(sign);
            }
            if let Attempt::Limited { after } = attempt {
                self.budget
                    .refused(request.method, &request.template, after);
            }
            match retries.next(attempt, Instant::now(), deadline) {
                Next::Done(outcome) => return outcome,
                Next::Wait(pause) => time::sleep(jittered(pause)).await,
                Next::Renew => match self.within(deadline, self.tokens.renew(&token)).await {
                    Ok(renewed) => token = renewed,
                    Err(error) => return error.into(),
                },
            }
        }
    }

    async fn within(
        &self,
        deadline: Instant,
        token: impl Future<Output = Result<Token, TokenError>>,
    ) -> Result<Token, TokenError> {
        match time::timeout_at(deadline, token).await {
            Ok(result) => result,
            Err(_) => Err(TokenError::Unreachable),
        }
    }

    async fn attempt(
        &self,
        uri: &Uri,
        request: &V2Request,
        token: &Token,
        scope: Scope,
    ) -> Attempt {
        let left = scope.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Attempt::Failed { sent: false };
        }
        let limit = left.min(self.endpoint.limits.call);
        let attempt = self.attempt_once(uri, request, token, scope);
        let in_time = time::timeout(limit, attempt).await;
        in_time.unwrap_or(Attempt::Failed { sent: true })
    }

    async fn attempt_once(
        &self,
        uri: &Uri,
        request: &V2Request,
        token: &Token,
        scope: Scope,
    ) -> Attempt {
        let Endpoint { http, limits, .. } = self.endpoint.as_ref();
        let mut refused = 0;
        loop {
            let outgoing = outgoing(http.client(), uri, request, (token, scope.id));
            let Some(sent) = outgoing.map(|outgoing| http.send(outgoing)) else {
                return Attempt::Failed { sent: false };
            };
            match sent.await {
                Ok(answer) => return reply::read(answer, limits.answer).await,
                Err(error) if refused < MAX_REFUSED && error.was_refused() => refused += 1,
                Err(error) => return Attempt::from_error(&error),
            }
        }
    }
}

/// A little longer: those who were turned away together do not come back together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(1.0 + fastrand::f64() / 4.0)
}

/// What an attempt says about v2, if anything: that a caller had no time left is no sign.
fn sign(attempt: &Attempt, deadline: Instant) -> Option<Sign> {
    match attempt {
        Attempt::Failed { .. } if Instant::now() >= deadline => None,
        Attempt::Failed { .. } => Some(Sign::Down),
        Attempt::Answered(outcome) if retry::is_passing(outcome) => Some(Sign::Down),
        Attempt::Answered(_) | Attempt::Limited { .. } | Attempt::Unauthorized => Some(Sign::Up),
    }
}

fn method(method: Method) -> hyper::Method {
    match method {
        Method::Delete => hyper::Method::DELETE,
        Method::Get => hyper::Method::GET,
        Method::Patch => hyper::Method::PATCH,
        Method::Post => hyper::Method::POST,
        Method::Put => hyper::Method::PUT,
    }
}

/// The request in HTTP; `None` for a body that is none.
fn outgoing(
    client: &Client,
    uri: &Uri,
    request: &V2Request,
    (token, id): (&Token, RequestId),
) -> Option<Request<reqwest::Body>> {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(AUTHORIZATION, token.header());
    headers.insert(REQUEST_ID, id.header());
    let mut outgoing = Request::new(body(client, &request.body, &mut headers)?);
    *outgoing.method_mut() = method(request.method);
    *outgoing.uri_mut() = uri.clone();
    *outgoing.headers_mut() = headers;
    Some(outgoing)
}

/// A body, and what headers say of it; `None` for a media type that is none, which the catalog
/// never names.
fn body(client: &Client, body: &Body, headers: &mut HeaderMap) -> Option<reqwest::Body> {
    match body {
        Body::None => Some(reqwest::Body::default()),
        Body::Json(value) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Some(value.to_string().into())
        }
        Body::File {
            part: name,
            media_type,
            file,
        } => {
            let length = file.bytes.len() as u64;
            let file_name = file_name(file.name.as_deref().unwrap_or("file"));
            let part = Part::stream_with_length(file.bytes.clone(), length)
                .file_name(file_name)
                .mime_str(media_type)
                .ok()?;
            let form = Form::new().part(name.clone(), part);
            // Only reqwest's requests give a form's bytes; where this one would go is of no account.
            let request = client.post("http://localhost/").multipart(form).build();
            let mut request = request.ok()?;
            headers.extend(std::mem::take(request.headers_mut()));
            request.body_mut().take()
        }
    }
}

/// A label for the file, of characters that mean nothing in a header: the client writes a name
/// freely, line breaks included, and reqwest passes those on.
fn file_name(given: &str) -> String {
    let plain = |char: char| match char {
        '.' | '-' | '_' => char,
        char if char.is_ascii_alphanumeric() => char,
        _ => '_',
    };
    given.chars().map(plain).take(100).collect()
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Endpoint");
        shown.field("base", &self.base).finish_non_exhaustive()
    }
}

impl From<TokenError> for Outcome {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Limited => Self::Limited,
            TokenError::Refused => Self::Refused,
            // Without a token nothing was sent.
            TokenError::Unreachable => Self::NoAnswer { maybe_done: false },
        }
    }
}

#[cfg(test)]
mod tests;
