//! Users: list, create, show, delete, activate, deactivate, change the email address.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::SecretString;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::account::Account;
use crate::error::ApiError;
use crate::limits::{self, Change};
use crate::paging::{PageRequest, page_document};
use crate::password;
use crate::request::{
    Answer, JsonObject, Members, QueryPairs, Segments, Typed as _, created, no_content, ok,
};
use crate::role::Role;
use crate::rules::{checked_body, checked_query};
use crate::user::{Status, User, login, plan};
use crate::{Sandbox, email, engine, settings};

pub(super) async fn list(Shared(sandbox): Shared<Sandbox>, query: QueryPairs) -> Answer {
    let parameters = checked_query("GET /users", &query)?;
    let now = OffsetDateTime::now_utc();
    let status = match parameters.text("status") {
        Some("inactive") => Status::Inactive,
        Some("pending") => Status::Pending,
        _ => Status::Active,
    };
    let role_id = parameters.text("role_id");
    let license = parameters
        .text("license")
        .map(|license| format!("/feature/{license}"));
    let state = sandbox.state();
    let users: Vec<_> = state
        .users
        .after(0)
        .filter(|(_, user)| user.status == status)
        .filter(|(_, user)| role_id.is_none_or(|id| user.role.row().id == id))
        .filter(|(_, user)| {
            license
                .as_ref()
                .is_none_or(|pointer| settings::is_on(user, pointer))
        })
        .collect();
    let list = format!("users {} {role_id:?} {license:?}", status.name());
    let request = PageRequest {
        list: &list,
        parameters: &parameters,
        numbered: true,
    };
    let (page, description) = state
        .page_tokens
        .page(users, &request, &state.config, now)?;
    let extra = parameters.text("include_fields");
    let items = page.into_iter().map(|user| user.list_item(extra)).collect();
    ok(&page_document("users", items, description))
}

pub(super) async fn show(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    query: QueryPairs,
) -> Answer {
    let parameters = checked_query("GET /users/{userId}", &query)?;
    let key = path.at(0);
    let state = sandbox.state();
    if parameters.is_true("encrypted_email") {
        // The sandbox has no encrypted addresses.
        return Err(state.unknown(key));
    }
    let user = if parameters.is_true("search_by_unique_id") {
        let by_unique_id = |user: &&User| user.employee_unique_id.as_deref() == Some(key);
        state
            .users
            .iter()
            .find(by_unique_id)
            .ok_or_else(|| state.unknown(key))?
    } else {
        state.user_by_login(key, parameters.integer("login_type"))?
    };
    ok(&user.document())
}

pub(super) async fn create(
    Shared(sandbox): Shared<Sandbox>,
    JsonObject(body): JsonObject,
) -> Answer {
    let body = checked_body("POST /users", body)?;
    let action = body.text("action").unwrap_or_default();
    let info = body
        .get("user_info")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let address = info.text("email").unwrap_or_default().to_owned();
    let plan = info.integer("type").unwrap_or(plan::BASIC);

    let mut state = sandbox.state();
    check_new_address(&state, &address)?;
    check_action(&state, action, &info, plan)?;
    limits::check(&state, plan, Change::Add)?;

    let user = new_user(&mut state, action, &address, plan, info);
    let answer = json!({
        "id": user.id,
        "email": user.email,
        "first_name": user.text("first_name"),
        "last_name": user.text("last_name"),
        "type": user.plan,
    });
    state.add(user)?;
    created(&answer)
}

fn check_new_address(account: &Account, address: &str) -> Result<(), ApiError> {
    let config = &account.config;
    let named = |name: &str| ApiError::new(name).with("email", address);
    let domain = email::domain(address);
    if account.users.by_email(address).is_some() {
        return Err(named("email_in_use"));
    }
    if config
        .elsewhere
        .iter()
        .any(|held| held.eq_ignore_ascii_case(address))
    {
        return Err(named("email_in_other_account"));
    }
    if config.blocked_domains.contains(&domain) {
        return Err(named("email_domain_blocked"));
    }
    if !config.limited_domains.is_empty() && !config.limited_domains.contains(&domain) {
        return Err(
            named("email_domain_limited").with("domains", config.limited_domains.join(", "))
        );
    }
    Ok(())
}

fn check_action(
    account: &Account,
    action: &str,
    info: &Members,
    plan: i64,
) -> Result<(), ApiError> {
    if action == "ssoCreate" && !account.config.sso {
        return Err(ApiError::new("sso_not_enabled"));
    }
    if plan == plan::NONE && action != "ssoCreate" {
        return Err(ApiError::new("user_type_refused"));
    }
    limits::check_subscriptions(info)?;
    // v2 does not report which rule the password of a new user breaks.
    let suits = match info.text("password") {
        given if action == "autoCreate" => password::check(
            given.unwrap_or_default(),
            account.config.special_character_required,
        )
        .is_ok(),
        Some(unused) => password::LENGTH.contains(&unused.chars().count()),
        None => true,
    };
    if suits {
        Ok(())
    } else {
        Err(ApiError::new("invalid_parameter").with("name", "password"))
    }
}

fn new_user(account: &mut Account, action: &str, address: &str, plan: i64, info: Members) -> User {
    let (status, login_type) = match action {
        "create" => (Status::Pending, login::PASSWORD),
        "custCreate" => (Status::Active, login::API),
        "ssoCreate" => (Status::Active, login::SSO),
        _ => (Status::Active, login::PASSWORD),
    };
    let mut profile = info;
    let password = profile
        .shift_remove("password")
        .and_then(|value| value.as_str().map(SecretString::from));
    for elsewhere in ["email", "type", "feature", "license_info_list"] {
        profile.shift_remove(elsewhere);
    }
    let vanity_name = (action == "ssoCreate" && plan != plan::BASIC)
        .then(|| address.split('@').next().unwrap_or_default().to_owned())
        .filter(|name| {
            account
                .users
                .iter()
                .all(|user| user.vanity_name.as_ref() != Some(name))
        });
    User {
        status,
        login_types: vec![login_type],
        vanity_name,
        password: password.filter(|_| action == "autoCreate"),
        profile,
        ..account.new_user(address.to_owned(), plan)
    }
}

pub(super) async fn delete(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    query: QueryPairs,
) -> Answer {
    let parameters = checked_query("DELETE /users/{userId}", &query)?;
    let key = path.at(0);
    let mut state = sandbox.state();
    if parameters.is_true("encrypted_email") {
        return Err(state.unknown(key));
    }
    let permanently = parameters.text("action") == Some("delete");
    let user = state.user(key)?;
    let mut transfer_to = None;
    if let Some(target) = parameters.text("transfer_email") {
        if target.eq_ignore_ascii_case(&user.email) {
            return Err(ApiError::new("transfer_to_self"));
        }
        let target = state.users.by_email(target);
        let target = target.ok_or_else(|| ApiError::new("transfer_target_unknown"))?;
        transfer_to = Some((target.id.clone(), target.email.clone()));
    }
    // An invitation can be revoked but not deleted, because it is not an account yet.
    let refusal = match (permanently, user) {
        (true, user) if user.is_pending() => Some(state.unknown(key)),
        (true, user) if user.role == Role::Owner => Some(ApiError::new("owner_not_deletable")),
        (false, user) if user.is_admin() => Some(ApiError::new("admin_not_unlinkable")),
        (false, user) if user.is_api_user() => Some(ApiError::new("api_user_not_unlinkable")),
        (false, user)
            if !user.is_pending()
                && state
                    .config
                    .managed_domains
                    .contains(&email::domain(&user.email)) =>
        {
            Some(ApiError::new("managed_user_not_unlinkable"))
        }
        _ => None,
    };
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let id = user.id.clone();
    for (collection, parameter) in [
        ("meetings", "transfer_meeting"),
        ("webinars", "transfer_webinar"),
        ("recordings", "transfer_recording"),
    ] {
        let transfer_to = transfer_to
            .as_ref()
            .filter(|_| parameters.is_true(parameter));
        engine::delete_or_transfer(state.parts().1, collection, &id, transfer_to);
    }
    state.remove(&id);
    no_content()
}

pub(super) async fn change_status(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let body = checked_body("PUT /users/{userId}/status", body)?;
    let action = body.text("action").unwrap_or_default();
    let mut state = sandbox.state();
    let user = state.joined_user(path.at(0))?;
    let clocking = action.starts_with("clock");
    if !clocking && user.is_admin() {
        return Err(ApiError::new("admin_status_fixed"));
    }
    if action == "activate" && user.status == Status::Inactive {
        limits::check(&state, user.plan, Change::Activate)?;
    }
    let user = state.user_mut(path.at(0))?;
    match action {
        "activate" => user.status = Status::Active,
        "deactivate" => {
            user.status = Status::Inactive;
            // Deactivation removes all licences, and activation does not restore them.
            user.plan = plan::BASIC;
            for (feature, _, _) in settings::CAPACITIES {
                let off = Value::Object(Members::from_iter([(feature.to_owned(), false.into())]));
                settings::change(
                    user,
                    settings::MAIN,
                    Members::from_iter([("feature".to_owned(), off)]),
                );
            }
        }
        // Clocking in and out is not visible in v2.
        _ => {}
    }
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::OK;
    Ok(answer)
}

pub(super) async fn change_email(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let body = checked_body("PUT /users/{userId}/email", body)?;
    let address = body.text("email").unwrap_or_default();
    let mut state = sandbox.state();
    let user = state.user(path.at(0))?;
    let refusals = [
        (user.is_pending(), "pending_email_fixed"),
        (user.role == Role::Owner, "owner_email_fixed"),
        (user.role == Role::Admin, "admin_email_fixed"),
        (user.status == Status::Inactive, "inactive_email_fixed"),
    ];
    if let Some((_, name)) = refusals.into_iter().find(|(refused, _)| *refused) {
        return Err(ApiError::new(name));
    }
    let domain = email::domain(address);
    if state.config.blocked_domains.contains(&domain) {
        return Err(ApiError::new("email_domain_blocked"));
    }
    if !state.config.limited_domains.is_empty() && !state.config.limited_domains.contains(&domain) {
        return Err(ApiError::new("email_domain_unmanaged"));
    }
    let taken = state
        .users
        .by_email(address)
        .is_some_and(|other| other.id != user.id)
        || state
            .config
            .elsewhere
            .iter()
            .any(|held| held.eq_ignore_ascii_case(address));
    if taken {
        return Err(ApiError::new("email_in_use_on_change").with("email", address));
    }
    let id = user.id.clone();
    state.users.change_email(&id, address);
    no_content()
}
