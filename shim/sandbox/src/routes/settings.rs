//! `GET` and `PATCH /users/{userId}/settings`.

use axum::extract::State as Shared;
use serde_json::Value;

use crate::account::Account;
use crate::error::ApiError;
use crate::request::{
    Answer, JsonObject, Members, QueryPairs, Segments, Typed as _, no_content, ok,
};
use crate::rules::{checked_body, checked_query};
use crate::user::User;
use crate::{Sandbox, settings};

/// The only document returned within a member of its own name.
const SECURITY: &str = "meeting_security";

pub(super) async fn show(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    query: QueryPairs,
) -> Answer {
    let parameters = checked_query("GET /users/{userId}/settings", &query)?;
    let state = sandbox.state();
    let user = state.user_by_login(path.at(0), parameters.integer("login_type"))?;
    refuse_pending(user)?;
    let document = parameters.text("option").unwrap_or(settings::MAIN);
    let mut answer = settings::effective(user, document);
    if document == SECURITY {
        answer = Value::Object(Members::from_iter([(SECURITY.to_owned(), answer)]));
    }
    if let Some(names) = parameters.text("custom_query_fields") {
        let names: Vec<_> = names.split(',').map(str::trim).collect();
        answer = settings::only(answer, &names);
    }
    ok(&answer)
}

pub(super) async fn update(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    query: QueryPairs,
    JsonObject(body): JsonObject,
) -> Answer {
    let parameters = checked_query("PATCH /users/{userId}/settings", &query)?;
    let document = parameters.text("option").unwrap_or(settings::MAIN);
    let operation = match document {
        settings::MAIN => "PATCH /users/{userId}/settings".to_owned(),
        option => format!("PATCH /users/{{userId}}/settings?option={option}"),
    };
    let mut changes = checked_body(&operation, body)?;
    let mut state = sandbox.state();
    let user = state.user(path.at(0))?;
    refuse_pending(user)?;
    match document {
        settings::MAIN => {
            settings::check(user, &changes)?;
            check_limits(&state, user, &changes)?;
        }
        SECURITY => {
            let inner = changes.shift_remove(SECURITY);
            changes = inner
                .and_then(|inner| inner.as_object().cloned())
                .unwrap_or_default();
        }
        _ => apply_authentication_option(user, document, &mut changes)?,
    }
    settings::change(state.user_mut(path.at(0))?, document, changes);
    no_content()
}

fn refuse_pending(user: &User) -> Result<(), ApiError> {
    if user.is_pending() {
        Err(ApiError::new("settings_of_pending_user"))
    } else {
        Ok(())
    }
}

/// Checks the limits for webinars and large meetings.
fn check_limits(account: &Account, user: &User, changes: &Members) -> Result<(), ApiError> {
    let limits = [
        (
            account.config.max_webinar_users,
            "webinar",
            "webinar_capacity",
            "webinar_limit",
        ),
        (
            account.config.max_large_meeting_users,
            "large_meeting",
            "large_meeting_capacity",
            "large_meeting_limit",
        ),
    ];
    for (maximum, switch, capacity, name) in limits {
        let Some(maximum) = maximum else { continue };
        let switch = format!("/feature/{switch}");
        let changes = Value::from(changes.clone());
        let switched_on = changes.pointer(&switch) == Some(&Value::Bool(true));
        if switched_on && !settings::is_on(user, &switch) {
            let holders = account
                .users
                .iter()
                .filter(|other| settings::is_on(other, &switch))
                .count();
            if holders >= maximum {
                let capacity = changes
                    .pointer(&format!("/feature/{capacity}"))
                    .and_then(Value::as_i64);
                let smallest = settings::CAPACITIES
                    .iter()
                    .find(|row| switch.ends_with(row.0))
                    .map(|row| row.2);
                let capacity = capacity.or(smallest).unwrap_or_default();
                return Err(ApiError::new(name)
                    .with("max", maximum)
                    .with("capacity", capacity));
            }
        }
    }
    Ok(())
}

/// Converts the `authentication_option` of a request into the changed list of options.
fn apply_authentication_option(
    user: &User,
    document: &str,
    changes: &mut Members,
) -> Result<(), ApiError> {
    let Some(Value::Object(mut change)) = changes.shift_remove("authentication_option") else {
        return Ok(());
    };
    let current = settings::effective(user, document);
    let mut options = current
        .get("authentication_options")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let id = change.get("id").cloned();
    let Some(option) = options
        .iter_mut()
        .find(|option| option.get("id") == id.as_ref())
        .and_then(Value::as_object_mut)
    else {
        return Err(ApiError::refused(
            "authentication_option.id",
            "Invalid field.",
        ));
    };
    let action = change.shift_remove("action");
    match action.as_ref().and_then(Value::as_str) {
        Some("show") => drop(option.insert("visible".to_owned(), true.into())),
        Some("hide") => drop(option.insert("visible".to_owned(), false.into())),
        _ => option.extend(change),
    }
    changes.insert("authentication_options".to_owned(), Value::Array(options));
    Ok(())
}
