//! Assistants (users who may schedule for a user) and schedulers (users for whom a user may
//! schedule): one relation, listed from both ends.

use axum::extract::State as Shared;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::Sandbox;
use crate::account::Account;
use crate::calendar::timestamp;
use crate::error::ApiError;
use crate::request::{Answer, JsonObject, Segments, Typed as _, created, no_content, ok};
use crate::rules::checked_body;
use crate::user::{Assistant, User};

/// Maximum number of assistants per user.
const MAX_ASSISTANTS: usize = 30;

pub(super) async fn list(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let state = sandbox.state();
    let user = state.joined_user(path.at(0))?;
    let assistants: Vec<_> = user
        .assistants
        .iter()
        .filter_map(|assistant| {
            let email = &state.users.find(&assistant.id)?.email;
            Some(json!({
                "id": assistant.id,
                "email": email,
                "can_manage_host_private_event": assistant.manages_private_events,
            }))
        })
        .collect();
    ok(&json!({ "assistants": assistants }))
}

pub(super) async fn add(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let body = checked_body("POST /users/{userId}/assistants", body)?;
    let entries = body.elements("assistants");
    let mut state = sandbox.state();
    let host = state.joined_user(path.at(0))?;
    if !host.is_licensed() {
        return Err(ApiError::new("host_not_licensed").with("user", path.at(0)));
    }
    let mut added: Vec<Assistant> = Vec::new();
    for entry in entries {
        let assistant = assistant(&state, host, entry)?;
        if added.iter().all(|other| other.id != assistant.id) {
            added.push(assistant);
        }
    }
    if host.assistants.len() + added.len() > MAX_ASSISTANTS {
        return Err(ApiError::refused("assistants", "Too many items."));
    }
    let ids: Vec<_> = added
        .iter()
        .map(|assistant| assistant.id.as_str())
        .collect();
    let answer = json!({ "ids": ids.join(","), "add_at": timestamp(OffsetDateTime::now_utc()) });
    state.user_mut(path.at(0))?.assistants.extend(added);
    created(&answer)
}

/// Resolves an assistant by id or else by email address.
fn assistant(account: &Account, host: &User, entry: &Value) -> Result<Assistant, ApiError> {
    let text = |member: &str| entry.text(member).filter(|text| !text.is_empty());
    let key = text("id").or(text("email")).unwrap_or_default();
    let named = |name: &str, email: &str| ApiError::new(name).with("email", email);
    let user = account.users.find(key).filter(|user| !user.is_pending());
    let user = user.ok_or_else(|| named("assistant_not_found", key))?;
    if user.id == host.id {
        return Err(ApiError::new("assistant_is_self"));
    }
    if host
        .assistants
        .iter()
        .any(|assistant| assistant.id == user.id)
    {
        return Err(named("assistant_already", &user.email));
    }
    if !user.is_licensed() {
        return Err(named("assistant_not_licensed", &user.email));
    }
    let private = entry.is_true("can_manage_host_private_event");
    Ok(Assistant {
        id: user.id.clone(),
        manages_private_events: private,
    })
}

pub(super) async fn remove_all(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let mut state = sandbox.state();
    state.joined_user(path.at(0))?;
    state.user_mut(path.at(0))?.assistants.clear();
    no_content()
}

pub(super) async fn remove(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    dismiss(&mut sandbox.state(), path.at(0), path.at(1))
}

pub(super) async fn list_schedulers(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let state = sandbox.state();
    let user = state.joined_user(path.at(0))?;
    let schedulers: Vec<_> = state
        .users
        .iter()
        .filter(|host| {
            host.assistants
                .iter()
                .any(|assistant| assistant.id == user.id)
        })
        .map(|host| json!({ "id": host.id, "email": host.email, "pmi": host.pmi }))
        .collect();
    ok(&json!({ "schedulers": schedulers }))
}

pub(super) async fn remove_all_schedulers(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
) -> Answer {
    let mut state = sandbox.state();
    let id = state.joined_user(path.at(0))?.id.clone();
    for host in state.users.iter_mut() {
        host.assistants.retain(|assistant| assistant.id != id);
    }
    no_content()
}

pub(super) async fn remove_scheduler(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    dismiss(&mut sandbox.state(), path.at(1), path.at(0))
}

/// Removes the relation, whether or not it exists. Both users must exist.
fn dismiss(account: &mut Account, host: &str, assistant: &str) -> Answer {
    let id = account.joined_user(assistant)?.id.clone();
    account.joined_user(host)?;
    account
        .user_mut(host)?
        .assistants
        .retain(|assistant| assistant.id != id);
    no_content()
}
