//! Existence checks for email addresses and personal links, and permissions.

use axum::extract::State as Shared;
use serde_json::json;

use crate::Sandbox;
use crate::error::ApiError;
use crate::request::{Answer, QueryPairs, Segments, ok};
use crate::user::login;

/// True only for users who sign in with a password, as in v2.
pub(super) async fn email(Shared(sandbox): Shared<Sandbox>, query: QueryPairs) -> Answer {
    let address = query
        .filled("email")
        .ok_or_else(|| ApiError::new("email_required"))?;
    let state = sandbox.state();
    let user = state.users.by_email(address);
    let existed =
        user.is_some_and(|user| !user.is_pending() && user.login_types.contains(&login::PASSWORD));
    ok(&json!({ "existed_email": existed }))
}

pub(super) async fn vanity_name(Shared(sandbox): Shared<Sandbox>, query: QueryPairs) -> Answer {
    let name = query
        .filled("vanity_name")
        .ok_or_else(|| ApiError::new("vanity_name_required"))?;
    let state = sandbox.state();
    let same = |taken: &String| taken.eq_ignore_ascii_case(name);
    let existed = state
        .users
        .iter()
        .any(|user| user.vanity_name.as_ref().is_some_and(same));
    ok(&json!({ "existed": existed }))
}

pub(super) async fn permissions(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let state = sandbox.state();
    let user = state.joined_user(path.at(0))?;
    ok(&json!({ "permissions": user.role.row().permissions }))
}
