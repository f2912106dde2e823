//! Authentication: `POST /oauth/token` for Zoom's server-to-server apps, and the bearer token check
//! of every route.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::OffsetDateTime;

use super::access_tokens::credentials;
use super::engine;
use super::error::ApiError;
use super::paging::expiry;
use super::request::QueryPairs;
use super::response::json_response;
use super::seed::Seed;
use super::{ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, Sandbox};

/// Middleware that requires a valid bearer token.
pub(crate) async fn require_token(
    Shared(sandbox): Shared<Sandbox>,
    request: Request,
    next: Next,
) -> Response {
    let verdict = match credentials(request.headers(), "bearer") {
        Some(token) => sandbox
            .state()
            .access_tokens
            .check(token, OffsetDateTime::now_utc()),
        None => Err("invalid_access_token"),
    };
    match verdict {
        Ok(()) => next.run(request).await,
        Err(name) => ApiError::new(name).into_response(),
    }
}

/// `POST /oauth/token`. Parameters are accepted in the query, the form body or both; client id and
/// secret by HTTP Basic or in the form.
pub(crate) async fn token(
    Shared(sandbox): Shared<Sandbox>,
    QueryPairs(mut parameters): QueryPairs,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    parameters
        .extend(serde_urlencoded::from_bytes::<Vec<(String, String)>>(&body).unwrap_or_default());
    let parameter = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    };
    let basic = credentials(&headers, "basic")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok());
    let (id, secret) = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some(pair) => pair,
        None => (parameter("client_id"), parameter("client_secret")),
    };
    if (id, secret) != (CLIENT_ID, CLIENT_SECRET) {
        return refusal("Invalid client_id or client_secret", "invalid_client");
    }
    if parameter("grant_type") != "account_credentials" {
        return refusal("unsupported grant type", "unsupported_grant_type");
    }
    if parameter("account_id") != ACCOUNT_ID {
        return refusal("Bad Request", "invalid_request");
    }
    let mut state = sandbox.state();
    let lifetime = state.config.access_token_lifetime;
    let token = state
        .access_tokens
        .issue(expiry(OffsetDateTime::now_utc(), lifetime));
    json_response(
        StatusCode::OK,
        &json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": lifetime.as_secs(),
            "scope": scope(&state.config.missing_scopes),
        }),
    )
}

/// All scopes, except for those that the app lacks.
fn scope(missing: &[String]) -> String {
    let users = Seed::embedded().scope.split_whitespace();
    let scopes = users.chain(engine::scopes());
    let has = |scope: &&str| !missing.iter().any(|missing| missing == scope);
    let scopes: BTreeSet<_> = scopes.filter(has).collect();
    scopes.into_iter().collect::<Vec<_>>().join(" ")
}

/// Error in the format of the OAuth server, which differs from the API's.
fn refusal(reason: &str, error: &str) -> Response {
    json_response(
        StatusCode::BAD_REQUEST,
        &json!({ "reason": reason, "error": error }),
    )
}
