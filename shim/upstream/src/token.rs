//! Access tokens: a fixed one, or v2's server-to-server OAuth, with one token request at a time.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use reqwest::{Client, StatusCode, header::HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

/// A token is replaced so long before it ends that a call begun with it arrives in time.
const MARGIN: Duration = Duration::from_secs(60);

/// What a token lives if v2 does not say; it is what v2 documents.
const LIFETIME: Duration = Duration::from_secs(3600);

/// For one token request.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// An access token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Too many token requests.
    #[error("the limit of token requests is reached")]
    Limited,
    /// The credentials are wrong, or what answers is not an OAuth server.
    #[error("no token is given for these credentials")]
    Refused,
    /// Nobody answered.
    #[error("the token endpoint did not answer")]
    Unreachable,
}

/// v2's server-to-server OAuth.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// The token endpoint.
    pub url: Url,
    /// The account that the token is for.
    pub account_id: String,
    /// The app.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretString,
}

/// How a tenant gets its access token.
#[derive(Clone)]
pub enum Access {
    /// A fixed token.
    Token(Token),
    /// Server-to-server OAuth.
    OAuth(OAuth),
}

/// Where a tenant's tokens come from.
#[derive(Debug)]
pub enum Tokens {
    /// One from the configuration.
    Fixed(Token),
    /// Asked for when needed, and kept.
    Granted(Granted),
}

/// Tokens of an OAuth server.
#[derive(Debug)]
pub struct Granted {
    http: Client,
    oauth: Arc<OAuth>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The one before: answers to it may still be on their way.
    previous: Option<Token>,
    /// The request under way, for all who wait.
    request: Option<Shared<BoxFuture<'static, Result<Token, TokenError>>>>,
}

#[derive(Clone)]
struct Held {
    token: Token,
    renew_at: Instant,
    ends_at: Instant,
}

#[derive(Deserialize)]
struct Grant {
    access_token: SecretString,
    expires_in: Option<u64>,
}

impl Token {
    /// `None` if the text cannot be in a header.
    pub fn new(text: &SecretString) -> Option<Self> {
        let bearer = format!("Bearer {}", text.expose_secret());
        let mut header = HeaderValue::from_str(&bearer).ok()?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// The value of the header `Authorization`.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    fn text(&self) -> Option<SecretString> {
        let header = self.0.to_str().ok()?;
        Some(header.trim_start_matches("Bearer ").into())
    }
}

impl Tokens {
    /// The tokens of a tenant; `http` is for the token endpoint.
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

    /// The app's secret and the tokens of late.
    pub fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Fixed(token) => token.text().into_iter().collect(),
            Self::Granted(granted) => granted.secrets(),
        }
    }

    /// A token that should be valid.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn current(&self) -> Result<Token, TokenError> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::Granted(granted) => granted.current().await,
        }
    }

    /// Another token than the one that v2 has just refused.
    ///
    /// # Errors
    ///
    /// Why there is none; always for a fixed token.
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

    /// Only the token that was refused: others may have renewed it already.
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

    /// Asks in a task of its own, so that the answer is kept even if nobody waits any longer.
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
                    let token = held.token.clone();
                    if let Some(before) = state.held.replace(held) {
                        state.previous = Some(before.token);
                    }
                    Ok(token)
                }
                Err(error) => match &state.held {
                    Some(held) if Instant::now() < held.ends_at => Ok(held.token.clone()),
                    _ => Err(error),
                },
            }
        };
        // The log names the request that needed it first.
        let task = tokio::spawn(task.in_current_span());
        async move { task.await.unwrap_or(Err(TokenError::Unreachable)) }
            .boxed()
            .shared()
    }
}

impl OAuth {
    async fn grant(&self, http: &Client) -> Result<Held, TokenError> {
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
                let error = error.without_url();
                tracing::warn!(%error, "The token endpoint cannot be reached");
                return Err(TokenError::Unreachable);
            }
        };
        let status = response.status();
        if !status.is_success() {
            tracing::error!(
                status = status.as_u16(),
                "The token endpoint gives no token"
            );
            return Err(match status {
                StatusCode::TOO_MANY_REQUESTS => TokenError::Limited,
                status if status.is_server_error() => TokenError::Unreachable,
                _ => TokenError::Refused,
            });
        }

        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|_| TokenError::Unreachable)?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        // What cannot be read may be a token all the same: it is not shown.
        let grant: Option<Grant> = serde_json::from_slice(&body).ok();
        let Some((token, grant)) = grant.and_then(|grant| {
            let token = Token::new(&grant.access_token)?;
            Some((token, grant))
        }) else {
            tracing::error!("What the token endpoint answers is no token; check oauth_url");
            return Err(TokenError::Refused);
        };
        let lifetime = grant.expires_in.map_or(LIFETIME, Duration::from_secs);
        let lifetime = lifetime.min(LIFETIME);
        let margin = MARGIN.min(lifetime / 10);
        tracing::debug!(lifetime = lifetime.as_secs(), "A new token");
        Ok(Held {
            token,
            renew_at: asked + lifetime.saturating_sub(margin),
            ends_at: asked + lifetime,
        })
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing is left half done in it by a panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
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
