//! Access tokens: a fixed one, or v2's server-to-server OAuth, with one token request at a time.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use reqwest::{
    Client, StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

use crate::{http::innermost, lock, reply};

/// Tokens are renewed this long before they expire, so that calls in flight complete.
const MARGIN: Duration = Duration::from_secs(60);

/// Default lifetime, as documented by v2.
const LIFETIME: Duration = Duration::from_secs(3600);

/// First backoff after a failed token request; doubled after each consecutive failure.
const BACKOFF: Duration = Duration::from_secs(1);

/// Maximum backoff, also for `Retry-After`, because clocks differ.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Timeout of one token request.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Maximum size of a token response in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Maximum number of characters quoted from an error response.
const MAX_SAID: usize = 200;

/// Access token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// Reason why no token is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Rate limit of the token endpoint.
    #[error("the limit of token requests is reached")]
    Limited,
    /// Invalid credentials, or the endpoint is not an OAuth server.
    #[error("no token is given for these credentials")]
    Refused,
    /// No response.
    #[error("the token endpoint did not answer")]
    Unreachable,
}

/// Status of a tenant's token.
#[derive(Clone, Debug, Default)]
pub struct TokenStatus {
    /// Granted scopes, separated by spaces; `None` for fixed tokens or if the endpoint returned
    /// none.
    pub scopes: Option<Arc<str>>,
    /// Time until expiry; `None` for fixed tokens.
    pub ends_in: Option<Duration>,
    /// Error of the last token request; `None` if it succeeded.
    pub failure: Option<Arc<str>>,
}

/// Server-to-server OAuth credentials.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Token endpoint.
    pub url: Url,
    /// v2 account id.
    pub account_id: String,
    /// Client id of the app.
    pub client_id: String,
    /// Client secret of the app.
    pub client_secret: SecretString,
}

/// Authentication of a tenant.
#[derive(Clone)]
pub enum Access {
    /// Fixed token.
    Token(Token),
    /// Server-to-server OAuth.
    OAuth(OAuth),
}

/// Token source of a tenant. Clones share the tokens.
#[derive(Clone, Debug)]
pub enum Tokens {
    /// Token from the configuration.
    Fixed(Token),
    /// Token requested on demand and cached.
    Granted(Granted),
}

/// Cached tokens of an OAuth server.
#[derive(Clone, Debug)]
pub struct Granted {
    http: Client,
    oauth: Arc<OAuth>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// Previous token; responses to it may still be in flight.
    previous: Option<Token>,
    /// Request in flight, shared by all waiters.
    request: Option<Shared<BoxFuture<'static, Result<Token, TokenError>>>>,
    /// Last request, if it failed.
    failed: Option<Failed>,
}

/// Failed token request, with its backoff.
#[derive(Clone)]
struct Failed {
    error: TokenError,
    cause: Arc<str>,
    until: Instant,
    /// Backoff without `Retry-After`.
    backoff: Duration,
}

/// Error of a token request, with `Retry-After`.
struct NoGrant {
    error: TokenError,
    cause: Arc<str>,
    retry_after: Option<Duration>,
}

#[derive(Clone)]
struct Held {
    token: Token,
    scopes: Option<Arc<str>>,
    renew_at: Instant,
    ends_at: Instant,
}

#[derive(Deserialize)]
struct Grant {
    access_token: SecretString,
    /// Seconds, as a number or a string.
    expires_in: Option<Value>,
    /// Scopes separated by spaces.
    scope: Option<String>,
}

/// OAuth error response.
#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<String>,
    /// Zoom's name for `error_description`.
    #[serde(alias = "error_description")]
    reason: Option<String>,
}

impl Grant {
    /// Lifetime of the token; at most [`LIFETIME`], which is also the default for an unreadable
    /// `expires_in`.
    fn lifetime(&self) -> Duration {
        let seconds = match &self.expires_in {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        lifetime.map_or(LIFETIME, |lifetime| lifetime.min(LIFETIME))
    }
}

impl Failed {
    /// State after one more failure.
    fn again(before: Option<&Self>, failure: &NoGrant) -> Self {
        let backoff = before.map_or(BACKOFF, |before| before.backoff.saturating_mul(2));
        let backoff = backoff.min(MAX_BACKOFF);
        let pause = failure.retry_after.unwrap_or(backoff);
        Self {
            error: failure.error,
            cause: Arc::clone(&failure.cause),
            until: Instant::now() + pause.clamp(BACKOFF, MAX_BACKOFF),
            backoff,
        }
    }
}

impl Token {
    /// `None` if the text is not a valid header value.
    pub fn new(text: &SecretString) -> Option<Self> {
        let bearer = format!("Bearer {}", text.expose_secret());
        let mut header = HeaderValue::from_str(&bearer).ok()?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// Value of the `Authorization` header.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    fn text(&self) -> Option<SecretString> {
        let header = self.0.to_str().ok()?;
        Some(header.trim_start_matches("Bearer ").into())
    }
}

impl Tokens {
    /// Creates the token source of a tenant; `http` is used for the token endpoint.
    pub fn new(http: Client, access: Access) -> Self {
        match access {
            Access::Token(token) => Self::Fixed(token),
            Access::OAuth(oauth) => Self::granted(http, oauth),
        }
    }

    pub(super) fn granted(http: Client, oauth: OAuth) -> Self {
        Self::Granted(Granted {
            http,
            oauth: Arc::new(oauth),
            state: Arc::default(),
        })
    }

    /// A clone for a tenant with the same credentials; `None` if they differ.
    #[must_use]
    pub fn of_same_access(&self, access: &Access) -> Option<Self> {
        let is_same = match (self, access) {
            (Self::Fixed(one), Access::Token(other)) => one == other,
            (Self::Granted(granted), Access::OAuth(oauth)) => granted.oauth.is(oauth),
            _ => false,
        };
        is_same.then(|| self.clone())
    }

    /// Client secret and recent tokens.
    pub fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Fixed(token) => token.text().into_iter().collect(),
            Self::Granted(granted) => granted.secrets(),
        }
    }

    /// Current status, without a request.
    pub fn status(&self) -> TokenStatus {
        match self {
            Self::Fixed(_) => TokenStatus::default(),
            Self::Granted(granted) => lock(&granted.state).status(),
        }
    }

    /// A token that should be valid.
    ///
    /// # Errors
    ///
    /// The reason why none is available.
    pub async fn current(&self) -> Result<Token, TokenError> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::Granted(granted) => granted.current().await,
        }
    }

    /// A new token after v2 rejected `refused`.
    ///
    /// # Errors
    ///
    /// The reason why none is available; always fails for a fixed token.
    pub async fn renew(&self, refused: &Token) -> Result<Token, TokenError> {
        match self {
            Self::Fixed(_) => Err(TokenError::Refused),
            Self::Granted(granted) => {
                granted.forget(refused);
                granted.current().await
            }
        }
    }
}

impl Granted {
    async fn current(&self) -> Result<Token, TokenError> {
        let request = {
            let mut state = lock(&self.state);
            match &state.held {
                Some(held) if Instant::now() < held.renew_at => return Ok(held.token.clone()),
                _ => {}
            }
            if let Some(failed) = &state.failed
                && state.request.is_none()
                && Instant::now() < failed.until
            {
                return state.usable().ok_or(failed.error);
            }
            let begin = || self.request();
            state.request.get_or_insert_with(begin).clone()
        };
        request.await
    }

    fn secrets(&self) -> Vec<SecretString> {
        let state = lock(&self.state);
        let held = state.held.as_ref().map(|held| &held.token);
        let tokens = held.into_iter().chain(&state.previous);
        let mut secrets: Vec<_> = tokens.filter_map(Token::text).collect();
        secrets.push(self.oauth.client_secret.clone());
        secrets
    }

    /// Only if it is still the current token: another caller may have renewed it.
    fn forget(&self, refused: &Token) {
        let mut state = lock(&self.state);
        if state
            .held
            .as_ref()
            .is_some_and(|held| held.token == *refused)
        {
            state.previous = state.held.take().map(|held| held.token);
        }
    }

    /// Runs in its own task, so that the token is kept even if all callers are gone.
    fn request(&self) -> Shared<BoxFuture<'static, Result<Token, TokenError>>> {
        let (http, oauth, state) = (
            self.http.clone(),
            Arc::clone(&self.oauth),
            Arc::clone(&self.state),
        );
        let task = async move {
            let granted = oauth.grant(&http).await;
            let mut state = lock(&state);
            state.request = None;
            match granted {
                Ok(held) => {
                    state.failed = None;
                    let token = held.token.clone();
                    if let Some(before) = state.held.replace(held) {
                        state.previous = Some(before.token);
                    }
                    Ok(token)
                }
                Err(failure) => {
                    state.failed = Some(Failed::again(state.failed.as_ref(), &failure));
                    state.usable().ok_or(failure.error)
                }
            }
        };
        // Log lines carry the id of the request that triggered it.
        let task = tokio::spawn(task.in_current_span());
        async move { task.await.unwrap_or(Err(TokenError::Unreachable)) }
            .boxed()
            .shared()
    }
}

impl State {
    /// The cached token, unless it has expired.
    fn usable(&self) -> Option<Token> {
        let held = self.held.as_ref()?;
        (Instant::now() < held.ends_at).then(|| held.token.clone())
    }

    fn status(&self) -> TokenStatus {
        let now = Instant::now();
        let held = self.held.as_ref().filter(|held| now < held.ends_at);
        TokenStatus {
            scopes: held.and_then(|held| held.scopes.clone()),
            ends_in: held.map(|held| held.ends_at - now),
            failure: self.failed.as_ref().map(|failed| Arc::clone(&failed.cause)),
        }
    }
}

impl NoGrant {
    fn new(error: TokenError, cause: impl Into<Arc<str>>) -> Self {
        Self {
            error,
            cause: cause.into(),
            retry_after: None,
        }
    }
}

impl OAuth {
    /// True if both obtain the same tokens.
    fn is(&self, other: &Self) -> bool {
        self.url == other.url
            && self.account_id == other.account_id
            && self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }

    async fn grant(&self, http: &Client) -> Result<Held, NoGrant> {
        let asked = Instant::now();
        let response = http
            .post(self.url.clone())
            .query(&[
                ("grant_type", "account_credentials"),
                ("account_id", &self.account_id),
            ])
            .basic_auth(&self.client_id, Some(self.client_secret.expose_secret()))
            .timeout(TIMEOUT)
            .send()
            .await;
        let mut response = match response {
            Ok(response) => response,
            Err(error) => {
                let cause = innermost(&error.without_url());
                let url = self.shown_url();
                tracing::warn!(cause, "The token endpoint {url} cannot be reached");
                let cause = format!("{url}: {cause}");
                return Err(NoGrant::new(TokenError::Unreachable, cause));
            }
        };
        let status = response.status();
        let named = response.headers().get(RETRY_AFTER);
        let retry_after = named.and_then(|value| reply::pause(value.to_str().ok()?));
        let mut body = Vec::new();
        let broken = |error: reqwest::Error| {
            NoGrant::new(TokenError::Unreachable, innermost(&error.without_url()))
        };
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let cause = self.refusal(status, &body);
            tracing::error!(cause, "The token endpoint gives no token");
            let error = match status {
                StatusCode::TOO_MANY_REQUESTS => TokenError::Limited,
                status if status.is_server_error() => TokenError::Unreachable,
                _ => TokenError::Refused,
            };
            return Err(NoGrant {
                retry_after,
                ..NoGrant::new(error, cause)
            });
        }
        // Do not log an unreadable body: it may contain a token.
        let grant: Option<Grant> = serde_json::from_slice(&body).ok();
        let Some((token, grant)) = grant.and_then(|grant| {
            let token = Token::new(&grant.access_token)?;
            Some((token, grant))
        }) else {
            tracing::error!("What the token endpoint answers is no token; check oauth_url");
            let cause = format!("what {} answers is no token", self.shown_url());
            return Err(NoGrant::new(TokenError::Refused, cause));
        };
        let lifetime = grant.lifetime();
        let margin = MARGIN.min(lifetime / 10);
        tracing::debug!(lifetime = lifetime.as_secs(), "A new token");
        Ok(Held {
            token,
            scopes: grant.scope.map(Into::into),
            renew_at: asked + lifetime.saturating_sub(margin),
            ends_at: asked + lifetime,
        })
    }
}

impl OAuth {
    /// The endpoint's URL without its query.
    fn shown_url(&self) -> String {
        let url = &self.url;
        format!("{}{}", url.origin().ascii_serialization(), url.path())
    }

    /// Quotes the error response, without the client secret and control characters.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> String {
        let Refusal { error, reason } = serde_json::from_slice(body).unwrap_or_default();
        let said = [error, reason].into_iter().flatten();
        let said = said.collect::<Vec<_>>().join(": ");
        let said = said.replace(self.client_secret.expose_secret(), "…");
        let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
        let said: String = said.chars().map(plain).take(MAX_SAID).collect();
        let end = if said.is_empty() { "" } else { ": " };
        format!("HTTP {}{end}{said}", status.as_u16())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(…)",
            Self::OAuth(_) => "OAuth(…)",
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parses_lifetimes_in_any_spelling() {
        for (expires_in, seconds) in [
            (json!(1800), 1800.0),
            (json!("1800"), 1800.0),
            (json!(" 1800 "), 1800.0),
            (json!(1800.5), 1800.5),
            (json!("1800.5"), 1800.5),
            (json!(0), 0.0),
            (json!(u64::MAX), 3600.0),
            (json!(1e300), 3600.0),
            (json!("1e999"), 3600.0),
            (json!("NaN"), 3600.0),
            (json!(-1), 3600.0),
            (json!("-1"), 3600.0),
            (json!("an hour"), 3600.0),
            (json!(null), 3600.0),
            (json!([1800]), 3600.0),
        ] {
            let grant = json!({ "access_token": "t", "expires_in": expires_in });
            let grant: Grant = serde_json::from_value(grant).unwrap();
            let lifetime = Duration::from_secs_f64(seconds);
            assert_eq!(grant.lifetime(), lifetime, "{expires_in}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn backoff_grows_to_a_minute() {
        let now = Instant::now();
        let fail = |before: Option<&Failed>, retry_after: Option<u64>| {
            let failure = NoGrant {
                retry_after: retry_after.map(Duration::from_secs),
                ..NoGrant::new(TokenError::Limited, "")
            };
            Failed::again(before, &failure)
        };
        let mut failed = None;
        let pauses = [(); 8].map(|()| {
            failed = Some(fail(failed.as_ref(), None));
            failed.as_ref().map(|failed| (failed.until - now).as_secs())
        });
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60].map(Some));
        for (named, pause) in [(0, 1), (20, 20), (u64::MAX, 60)] {
            let failed = fail(None, Some(named));
            assert_eq!((failed.until - now).as_secs(), pause, "{named}");
        }
    }
}
