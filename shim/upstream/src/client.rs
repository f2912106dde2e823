//! One call to v2: sends a request, retries it where that is safe, and reports the outcome.
//!
//! Everything is bounded: time by the caller's deadline, which is below the 15 s after which v1's
//! clients give up; responses by their size; retries by what is safe to send again.
//!
//! Identical reads in flight are not coalesced. A read that joins an older one could miss a write that
//! was answered between them, so coalescing would need the tenant, the time of every write and a
//! lifetime beyond the first caller's; v1's programs, which send one request after the other, would
//! rarely gain by it.

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
    budget::{Exhausted, Lines, Wanted},
    http::Http,
    rate_label::RateLabels,
    reply::{self, Attempt},
    request::{FROM_SHIM, REQUEST_ID, RequestId, Scope, Subject},
    retry::{self, Next, RESERVE, Retries, RetryCounts},
    token::{Token, TokenError, Tokens},
};

/// The limits of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// The timeout of one request and its response.
    pub timeout: Duration,
    /// The largest response, in bytes.
    pub response_bytes: usize,
}

/// v2, as all tenants share it.
pub struct Endpoint {
    /// The HTTP client with its connection pool.
    pub http: Http,
    /// The base URL.
    pub base: BaseUrl,
    /// The limits of one attempt.
    pub limits: CallLimits,
    /// Receives a record of every call. Must not block.
    pub on_call: Box<dyn Fn(&CallRecord<'_>) + Send + Sync>,
}

/// v2, as one tenant sees it.
#[derive(Debug)]
pub struct Upstream {
    endpoint: Arc<Endpoint>,
    tokens: Tokens,
    account: Arc<Account>,
    labels: Arc<RateLabels>,
    lines: Lines,
}

/// Turns that were taken for calls of one plan before they are made.
#[derive(Debug, Default)]
pub struct ReservedTurns(Vec<(Method, Arc<str>)>);

impl ReservedTurns {
    /// Uses the turn of a call; false if there is none for it.
    pub fn take(&mut self, request: &V2Request) -> bool {
        let is_its = |(method, template): &(Method, Arc<str>)| {
            *method == request.method && *template == request.template
        };
        let at = self.0.iter().position(is_its);
        at.map(|at| self.0.swap_remove(at)).is_some()
    }
}

/// One v2 call with all its attempts. Nothing in it names a user.
#[derive(Debug)]
pub struct CallRecord<'a> {
    /// The id of the v1 request that it is made for.
    pub request: RequestId,
    /// The method.
    pub method: Method,
    /// The path with its placeholders, never the path: that may hold an address.
    pub template: &'a str,
    /// v2's rate label.
    pub label: &'static str,
    /// The outcome. Not for logs as it is: v2's response is in it.
    pub outcome: &'a Outcome,
    /// How often it was sent again, and why.
    pub retries: RetryCounts,
    /// Why the last attempt that got no answer got none, in the words of the system.
    pub cause: Option<&'a str>,
    /// From its turn to its response, tokens and waits included.
    pub elapsed: Duration,
}

/// The initial capacity of a request's headers.
const HEADERS: usize = 7;

/// Why a call was not sent.
const BREAKER_OPEN: &str = "the circuit breaker is open";

/// How often a request that an HTTP/2 server refused before processing it is sent again at once.
const MAX_REFUSED: u32 = 2;

impl Upstream {
    /// A client with the tokens, the account and the rate labels of a tenant.
    pub fn new(
        endpoint: Arc<Endpoint>,
        tokens: Tokens,
        account: Arc<Account>,
        labels: Arc<RateLabels>,
    ) -> Self {
        Self {
            endpoint,
            tokens,
            account,
            labels,
            lines: Lines::new(),
        }
    }

    /// Where its tokens come from.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Checks that calls could be made now: a token is present or can be obtained by the deadline.
    ///
    /// # Errors
    ///
    /// Why there is no token.
    pub async fn access(&self, deadline: Instant) -> Result<(), TokenError> {
        self.within(deadline, self.tokens.current()).await.map(drop)
    }

    /// The credentials that requests carry, for redaction.
    pub fn secrets(&self) -> Vec<SecretString> {
        self.tokens.secrets()
    }

    /// Takes the turns of all calls of a plan, before its first write.
    ///
    /// # Errors
    ///
    /// If v2 is known to refuse one of them, or if not all turns come up in time.
    pub async fn reserve(
        &self,
        calls: &[PlannedCall],
        scope: Scope,
    ) -> Result<ReservedTurns, Exhausted> {
        let Account { budget, breaker } = self.account.as_ref();
        let wanted = calls.iter().map(|call| {
            let subject = |path: &str| Subject::of(&call.template, path);
            self.wanted(
                (call.method, &call.template),
                call.path.as_deref().and_then(subject),
            )
        });
        if wanted.clone().any(|call| budget.refuses(&call)) {
            return Err(Exhausted);
        }
        let mut turns = ReservedTurns::default();
        // A single call takes its turn when it is made.
        if calls.len() < 2 || breaker.refuses() {
            return Ok(turns);
        }
        for call in wanted {
            budget.turn(&call, &self.lines, last_turn(scope)).await?;
            turns.0.push((call.method, Arc::clone(call.template)));
        }
        Ok(turns)
    }

    fn wanted<'a>(
        &self,
        (method, template): (Method, &'a Arc<str>),
        subject: Option<Subject>,
    ) -> Wanted<'a> {
        Wanted {
            label: self.labels.of_call(method, template),
            method,
            template,
            subject,
        }
    }

    /// Sends a request, retries it where that is safe, and returns the outcome by the deadline.
    /// With a reserved turn, the first attempt waits for none.
    pub async fn send(&self, request: &V2Request, scope: Scope, has_turn: bool) -> Outcome {
        let started = Instant::now();
        let mut retries = Retries::new(request.method.is_read());
        let subject = Subject::of(&request.template, &request.path);
        let wanted = self.wanted((request.method, &request.template), subject);
        let attempts = self.attempts((request, wanted), scope, has_turn, &mut retries);
        let outcome = attempts.await;
        (self.endpoint.on_call)(&CallRecord {
            request: scope.id,
            method: request.method,
            template: &request.template,
            label: wanted.label.as_str(),
            outcome: &outcome,
            retries: retries.made(),
            cause: retries.cause.as_deref(),
            elapsed: started.elapsed(),
        });
        outcome
    }

    async fn attempts(
        &self,
        (request, wanted): (&V2Request, Wanted<'_>),
        scope: Scope,
        mut has_turn: bool,
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
        let mut token = match self.within(deadline, self.tokens.current()).await {
            Ok(token) => token,
            Err(error) => return error.into(),
        };
        let Account { budget, breaker } = self.account.as_ref();
        loop {
            // An open breaker fails the call before it waits for, or takes, a turn of the budget.
            if breaker.refuses() {
                retries.cause = Some(BREAKER_OPEN.to_owned());
                return Outcome::NoAnswer { maybe_done: false };
            }
            if budget.refuses(&wanted) {
                return Outcome::Limited;
            }
            if !std::mem::take(&mut has_turn) {
                let turn = budget.turn(&wanted, &self.lines, last_turn(scope));
                if turn.await.is_err() {
                    return Outcome::Limited;
                }
            }
            let Some(permit) = breaker.admit(wanted.subject) else {
                retries.cause = Some(BREAKER_OPEN.to_owned());
                return Outcome::NoAnswer { maybe_done: false };
            };
            let attempt = self.attempt((&uri, request, &token), scope, &mut retries.cause);
            let attempt = attempt.await;
            if let Some(signal) = signal(&attempt, deadline) {
                permit.report(signal);
            }
            if let Attempt::Limited { after } = attempt {
                budget.refused(&wanted, after).await;
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

/// What waits for its turn any longer could not be answered in time.
fn last_turn(scope: Scope) -> Instant {
    let deadline = scope.deadline;
    deadline.checked_sub(RESERVE).unwrap_or(deadline)
}

/// Adds up to a quarter of jitter, so that calls refused together are not repeated together.
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

/// The request in HTTP; `None` if its body cannot be built.
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

/// A body, whose headers are added; `None` for an invalid media type, which the catalog never names.
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
pub(crate) mod tests;
