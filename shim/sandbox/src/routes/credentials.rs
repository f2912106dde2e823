//! Passwords and meeting tokens.

use axum::extract::State as Shared;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::error::ApiError;
use crate::random::random_text;
use crate::request::{Answer, JsonObject, QueryPairs, Segments, Typed as _, no_content, ok};
use crate::rules::{checked_body, checked_query};
use crate::user::{User, login};
use crate::{CLIENT_ID, Sandbox, password};

/// Response of v2 for the discontinued token.
const NO_TOKEN: &str = "Token is no longer supported. Please use ZAK token instead.";
/// Lifetime of a ZAK in seconds: two hours, 90 days for API users.
const ZAK_LIFETIME: i64 = 7_200;
const API_USER_ZAK_LIFETIME: i64 = 7_776_000;

pub(super) async fn change_password(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let body = checked_body("PUT /users/{userId}/password", body)?;
    let new = body.text("password").unwrap_or_default();
    let mut state = sandbox.state();
    let user = state.joined_user(path.at(0))?;
    if user.is_admin() {
        return Err(ApiError::new("password_of_admin"));
    }
    if !user.login_types.contains(&login::PASSWORD) {
        return Err(ApiError::new("password_not_work_email"));
    }
    password::check(new, state.config.special_character_required)?;
    if user
        .password
        .as_ref()
        .is_some_and(|old| old.expose_secret() == new)
    {
        return Err(ApiError::new("password_unchanged"));
    }
    state.user_mut(path.at(0))?.password = Some(SecretString::from(new));
    no_content()
}

pub(super) async fn token(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    query: QueryPairs,
) -> Answer {
    let parameters = checked_query("GET /users/{userId}/token", &query)?;
    let state = sandbox.state();
    let user = state.joined_user(path.at(0))?;
    let token = match parameters.text("type") {
        Some(kind @ ("zak" | "onbehalf")) => meeting_token(user, kind, parameters.integer("ttl")),
        _ => NO_TOKEN.to_owned(),
    };
    ok(&json!({ "token": token }))
}

pub(super) async fn own_zak(Shared(sandbox): Shared<Sandbox>) -> Answer {
    let state = sandbox.state();
    ok(&json!({ "token": meeting_token(state.user("me")?, "zak", None) }))
}

pub(super) async fn revoke_token(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let mut state = sandbox.state();
    state.joined_user(path.at(0))?;
    let user = state.user_mut(path.at(0))?;
    user.token_generation = user.token_generation.wrapping_add(1);
    no_content()
}

/// Token in JWT format with an invalid signature.
fn meeting_token(user: &User, kind: &str, lifetime: Option<i64>) -> String {
    let default = if user.is_api_user() {
        API_USER_ZAK_LIFETIME
    } else {
        ZAK_LIFETIME
    };
    let issued = OffsetDateTime::now_utc().unix_timestamp();
    let header = json!({ "typ": "JWT", "alg": "HS256", "zm_skm": "zm_o2m", "sv": "000001" });
    let claims = json!({
        "aud": "clientsm",
        "uid": user.id,
        "iss": "web",
        "sty": kind,
        "cid": CLIENT_ID,
        "gen": user.token_generation,
        "iat": issued,
        "exp": issued + lifetime.unwrap_or(default),
    });
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        random_text(&mut fastrand::Rng::new(), 43)
    )
}
