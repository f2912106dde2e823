//! One call to v2: sends a request, retries it where safe, and returns the outcome.
//!
//! Everything is bounded: time by the caller's deadline, which is below the 15 s timeout of v1
//! clients; responses by size; retries by safety.
//!
//! Identical concurrent reads are not coalesced. A read that joins an older one could miss a write
//! that completed in between, so coalescing would need the tenant, the time of every write and a
//! lifetime beyond the first caller's. v1 programs send one request after the other and would
//! rarely benefit.

use std::{fmt, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use mappings::{Body, Method, Outcome, V2Request, translation::PlannedCall};
use reqwest::{
    Client,
    multipart::{Form, Part},
};
use secrecy::SecretString;
use tokio::time::{self, Instant};

use crate::{
    account::Account,
    address::BaseUrl,
    breaker::Signal,
    budget::{BudgetCall, Exhausted, TenantQueues},
    http::Http,
    reply::{self, Attempt},
    request::{FROM_SHIM, REQUEST_ID, RequestId, Scope, Subject},
    retry::{self, Next, RESERVE, Retries, RetryCounts},
    token::{Token, TokenError, Tokens},
};

/// Limits of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Timeout of one request and its response.
    pub timeout: Duration,
    /// Maximum response size in bytes.
    pub response_bytes: usize,
}

/// v2 endpoint shared by all tenants.
pub struct Endpoint {
    /// HTTP client with its connection pool.
    pub http: Http,
    /// Base URL.
    pub base: BaseUrl,
    /// Limits of one attempt.
    pub limits: CallLimits,
    /// Callback for a record of every call. Must not block.
    pub on_call: Box<dyn Fn(&CallRecord<'_>) + Send + Sync>,
}

/// v2 client of one tenant.
#[derive(Debug)]
pub struct Upstream {
    endpoint: Arc<Endpoint>,
    tokens: Tokens,
    account: Arc<Account>,
    queues: TenantQueues,
}

/// Turns taken in advance for the calls of a plan.
#[derive(Debug, Default)]
pub struct ReservedTurns(Vec<(Method, Arc<str>)>);

impl ReservedTurns {
    /// Takes the turn for a request; false if none was reserved.
    pub fn take(&mut self, request: &V2Request) -> bool {
        let is_its = |(method, template): &(Method, Arc<str>)| {
            *method == request.method && *template == request.template
        };
        let at = self.0.iter().position(is_its);
        at.map(|at| self.0.swap_remove(at)).is_some()
    }
}

/// Record of one v2 call with all its attempts. It contains no user data except in `outcome`.
#[derive(Debug)]
pub struct CallRecord<'a> {
    /// Id of the v1 request.
    pub request: RequestId,
    /// HTTP method.
    pub method: Method,
    /// Path with placeholders; the path itself may contain an email address.
    pub template: &'a str,
    /// v2's rate label.
    pub label: &'static str,
    /// Outcome. Contains v2's response, so it must not be logged.
    pub outcome: &'a Outcome,
    /// Retries by reason.
    pub retries: RetryCounts,
    /// System's error of the last attempt without a response.
    pub cause: Option<&'a str>,
    /// Total time, including tokens and waits.
    pub elapsed: Duration,
}

/// Initial capacity of the request headers.
const HEADERS: usize = 7;

/// Cause of calls that were not sent.
const BREAKER_OPEN: &str = "the circuit breaker is open";

/// Maximum immediate retries of a request that an HTTP/2 server refused unprocessed.
const MAX_REFUSED: u32 = 2;

impl Upstream {
    /// Creates the client of a tenant.
    pub fn new(endpoint: Arc<Endpoint>, tokens: Tokens, account: Arc<Account>) -> Self {
        Self {
            endpoint,
            tokens,
            account,
            queues: TenantQueues::new(),
        }
    }

    /// The tenant's token source.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Checks that calls can be made now: a token is present or can be obtained by the deadline.
    ///
    /// # Errors
    ///
    /// The reason why no token is available.
    pub async fn access(&self, deadline: Instant) -> Result<(), TokenError> {
        self.within(deadline, self.tokens.current()).await.map(drop)
    }

    /// Credentials of requests, for redaction.
    pub fn secrets(&self) -> Vec<SecretString> {
        self.tokens.secrets()
    }

    /// Reserves turns for all calls of a plan, before its first write.
    ///
    /// # Errors
    ///
    /// If v2 currently rejects one of the calls, or not all turns become available in time.
    pub async fn reserve(
        &self,
        calls: &[PlannedCall],
        scope: Scope,
    ) -> Result<ReservedTurns, Exhausted> {
        let Account { budget, breaker } = self.account.as_ref();
        let budget_calls = calls.iter().map(|call| {
            let subject = |path: &str| Subject::of(&call.template, path);
            BudgetCall {
                label: call.label,
                method: call.method,
                template: &call.template,
                subject: call.path.as_deref().and_then(subject),
            }
        });
        if budget_calls.clone().any(|call| budget.refuses(&call)) {
            return Err(Exhausted);
        }
        let mut turns = ReservedTurns::default();
        // A single call takes its turn when it is sent.
        if calls.len() < 2 || breaker.refuses() {
            return Ok(turns);
        }
        for call in budget_calls {
            budget.turn(&call, &self.queues, last_turn(scope)).await?;
            turns.0.push((call.method, Arc::clone(call.template)));
        }
        Ok(turns)
    }

    /// Sends a request, retries it where safe, and returns the outcome by the deadline. With a
    /// reserved turn, the first attempt does not wait.
    pub async fn send(&self, request: &V2Request, scope: Scope, has_turn: bool) -> Outcome {
        let started = Instant::now();
        let mut retries = Retries::new(request.method.is_read());
        let budget_call = BudgetCall {
            label: request.label,
            method: request.method,
            template: &request.template,
            subject: Subject::of(&request.template, &request.path),
        };
        let attempts = self.attempts((request, budget_call), scope, has_turn, &mut retries);
        let outcome = attempts.await;
        (self.endpoint.on_call)(&CallRecord {
            request: scope.id,
            method: request.method,
            template: &request.template,
            label: budget_call.label.as_str(),
            outcome: &outcome,
            retries: retries.counts(),
            cause: retries.cause.as_deref(),
            elapsed: started.elapsed(),
        });
        outcome
    }

    async fn attempts(
        &self,
        (request, budget_call): (&V2Request, BudgetCall<'_>),
        scope: Scope,
        mut has_turn: bool,
        retries: &mut Retries,
    ) -> Outcome {
        let uri = match self.endpoint.base.join(&request.path, &request.query) {
            Ok(uri) => uri,
            Err(error) => {
                // Caused by ids of many kilobytes.
                tracing::warn!(template = %request.template, %error, "Refused to send a request");
                return Outcome::NoAnswer { maybe_done: false };
            }
        };
        let deadline = scope.deadline;
        let mut token = match self.within(deadline, self.tokens.current()).await {
            Ok(token) => token,
            Err(error) => return error.into(),
        };
        let Account { budget, breaker } = self.account.as_ref();
        loop {
            // Check before taking a turn of the budget, which a failing call would waste.
            if breaker.refuses() {
                retries.cause = Some(BREAKER_OPEN.to_owned());
                return Outcome::NoAnswer { maybe_done: false };
            }
            if budget.refuses(&budget_call) {
                return Outcome::Limited;
            }
            if !std::mem::take(&mut has_turn) {
                let turn = budget.turn(&budget_call, &self.queues, last_turn(scope));
                if turn.await.is_err() {
                    return Outcome::Limited;
                }
            }
            let Some(permit) = breaker.admit(budget_call.subject) else {
                retries.cause = Some(BREAKER_OPEN.to_owned());
                return Outcome::NoAnswer { maybe_done: false };
            };
            let attempt = self.attempt((&uri, request, &token), scope, &mut retries.cause);
            let attempt = attempt.await;
            if let Some(signal) = signal(&attempt, deadline) {
                permit.report(signal);
            }
            if let Attempt::Limited { after } = attempt {
                budget.refused(&budget_call, after).await;
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

    pub(super) async fn within(
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
        sent: (&Uri, &V2Request, &Token),
        scope: Scope,
        cause: &mut Option<String>,
    ) -> Attempt {
        let left = scope.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *cause = Some("no time was left".to_owned());
            return Attempt::Failed { sent: false };
        }
        let limit = left.min(self.endpoint.limits.timeout);
        let attempt = self.attempt_once(sent, scope, cause);
        let in_time = time::timeout(limit, attempt).await;
        in_time.unwrap_or_else(|_| {
            *cause = Some(format!("timeout after {:.1} s", limit.as_secs_f64()));
            Attempt::Failed { sent: true }
        })
    }

    async fn attempt_once(
        &self,
        (uri, request, token): (&Uri, &V2Request, &Token),
        scope: Scope,
        cause: &mut Option<String>,
    ) -> Attempt {
        let Endpoint { http, limits, .. } = self.endpoint.as_ref();
        let mut refused = 0;
        loop {
            let outgoing = outgoing(http.client(), uri, request, (token, scope.id));
            let Some(sent) = outgoing.map(|outgoing| http.send(outgoing)) else {
                return Attempt::Failed { sent: false };
            };
            match sent.await {
                Ok(answer) => return reply::read(answer, limits.response_bytes).await,
                Err(error) if refused < MAX_REFUSED && error.was_refused() => refused += 1,
                Err(error) => {
                    *cause = Some(error.cause());
                    return Attempt::from_error(&error);
                }
            }
        }
    }
}

/// Latest useful start: later calls could not complete before the deadline.
fn last_turn(scope: Scope) -> Instant {
    let deadline = scope.deadline;
    deadline.checked_sub(RESERVE).unwrap_or(deadline)
}

/// Adds up to 25 % of jitter, so that calls rejected together are not retried together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(1.0 + fastrand::f64() / 4.0)
}

/// The circuit-breaker signal of one attempt; `None` if the caller's deadline had passed.
fn signal(attempt: &Attempt, deadline: Instant) -> Option<Signal> {
    match attempt {
        Attempt::Failed { .. } if Instant::now() >= deadline => None,
        Attempt::Failed { .. } => Some(Signal::Down),
        Attempt::Answered(outcome) if retry::is_passing(outcome) => Some(Signal::Down),
        Attempt::Answered(_) | Attempt::Limited { .. } | Attempt::Unauthorized => Some(Signal::Up),
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

/// Builds the HTTP request; `None` if the body cannot be built.
fn outgoing(
    client: &Client,
    uri: &Uri,
    request: &V2Request,
    (token, id): (&Token, RequestId),
) -> Option<Request<reqwest::Body>> {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(AUTHORIZATION, token.header());
    headers.insert(REQUEST_ID, id.header());
    headers.insert(FROM_SHIM, HeaderValue::from_static("1"));
    let mut outgoing = Request::new(body(client, &request.body, &mut headers)?);
    *outgoing.method_mut() = method(request.method);
    *outgoing.uri_mut() = uri.clone();
    *outgoing.headers_mut() = headers;
    Some(outgoing)
}

/// Builds a body and adds its headers; `None` for an invalid media type, which the catalog never
/// produces.
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
            // reqwest encodes forms only as part of a request. Its URL is not used.
            let request = client.post("http://localhost/").multipart(form).build();
            let mut request = request.ok()?;
            headers.extend(std::mem::take(request.headers_mut()));
            request.body_mut().take()
        }
    }
}

/// Sanitizes the client's file name for a multipart header; reqwest passes line breaks through.
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
            // Nothing is sent without a token.
            TokenError::Unreachable => Self::NoAnswer { maybe_done: false },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
