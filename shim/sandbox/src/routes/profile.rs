//! `PATCH /users/{userId}`.

use axum::extract::State as Shared;

use crate::account::Account;
use crate::error::ApiError;
use crate::limits::{self, Change};
use crate::request::{Answer, JsonObject, Members, QueryPairs, Segments, Typed as _, no_content};
use crate::rules::{checked_body, checked_query};
use crate::user::{User, plan};
use crate::{Sandbox, engine, settings};

pub(super) async fn update(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    query: QueryPairs,
    JsonObject(body): JsonObject,
) -> Answer {
    let parameters = checked_query("PATCH /users/{userId}", &query)?;
    let changes = checked_body("PATCH /users/{userId}", body)?;
    let key = path.at(0);
    let mut state = sandbox.state();
    let user = state.user_by_login(key, parameters.integer("login_type"))?;
    check_texts(&changes)?;
    check_plan(&state, user, &changes)?;
    check_identifiers(&state, user, &changes)?;
    let group = group_to_join(user, &changes);
    if let Some(group) = &group {
        engine::check_group(state.parts().1, group)?;
    }
    let user = state.user_mut(key)?;
    user.groups.extend(group);
    apply(user, changes);
    no_content()
}

fn check_texts(changes: &Members) -> Result<(), ApiError> {
    let text = |member: &str| changes.text(member).unwrap_or_default();
    let about = text("about_me");
    if about.contains("://") || about.contains('<') {
        return Err(ApiError::new("about_me_illegal"));
    }
    let link = text("linkedin_url");
    if !link.is_empty() && !link.contains("linkedin.com") {
        return Err(ApiError::new("linkedin_url_illegal"));
    }
    Ok(())
}

fn check_plan(account: &Account, user: &User, changes: &Members) -> Result<(), ApiError> {
    let plan_changes = ["type", "plan_united_type", "zoom_one_type"];
    if plan_changes
        .iter()
        .filter(|member| changes.contains_key(**member))
        .count()
        > 1
    {
        return Err(ApiError::new("plan_changes_together"));
    }
    limits::check_subscriptions(changes)?;
    match changes.integer("type") {
        Some(plan::NONE) => Err(ApiError::new("user_type_refused")),
        Some(wanted) if wanted != user.plan => limits::check(account, wanted, Change::Convert),
        _ => Ok(()),
    }
}

/// Checks PMI, host key and personal link against the price plan and for uniqueness.
fn check_identifiers(account: &Account, user: &User, changes: &Members) -> Result<(), ApiError> {
    let plan = changes.integer("type").unwrap_or(user.plan);
    let others = || account.users.iter().filter(|other| other.id != user.id);
    if let Some(pmi) = changes.integer("pmi") {
        if plan == plan::WITHOUT_MEETINGS {
            return Err(ApiError::new("pmi_without_license"));
        }
        if others().any(|other| other.pmi == pmi) {
            return Err(ApiError::refused(
                "pmi",
                "This personal meeting ID is already in use.",
            ));
        }
    }
    if changes.contains_key("host_key") && plan != plan::LICENSED {
        return Err(ApiError::new("host_not_paid"));
    }
    if let Some(name) = changes.text("vanity_name").filter(|name| !name.is_empty()) {
        let same = |taken: &String| taken.eq_ignore_ascii_case(name);
        if others().any(|other| other.vanity_name.as_ref().is_some_and(same)) {
            return Err(ApiError::new("personal_link_taken"));
        }
    }
    Ok(())
}

/// `group_id` applies to pending users only; others join through the group's member list.
fn group_to_join(user: &User, changes: &Members) -> Option<String> {
    let id = changes.get("group_id")?.as_str()?.to_owned();
    (user.is_pending() && !user.groups.contains(&id)).then_some(id)
}

/// Applies validated changes. Members that v2 returns unchanged are stored in the profile.
fn apply(user: &mut User, changes: Members) {
    for (member, value) in changes {
        match (member.as_str(), value) {
            ("type", value) => user.plan = value.as_i64().unwrap_or(user.plan),
            ("pmi", value) => user.pmi = value.as_i64().unwrap_or(user.pmi),
            ("host_key", value) => user.host_key = value.as_str().map(str::to_owned),
            ("vanity_name", value) => {
                user.vanity_name = value
                    .as_str()
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned);
            }
            ("feature", value) => {
                settings::change(user, settings::MAIN, Members::from_iter([(member, value)]));
            }
            ("group_id" | "license_info_list", _) => {}
            ("plan_united_type", value) if value == "none" => {
                user.profile.shift_remove(&member);
            }
            (_, value) => {
                user.profile.insert(member, value);
            }
        }
    }
}
