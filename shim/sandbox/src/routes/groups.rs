//! Groups and IM groups: the same routes below `/groups` and `/im/groups`.

use axum::extract::{Extension, State as Shared};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::Sandbox;
use crate::calendar::timestamp;
use crate::error::{ApiError, ErrorName};
use crate::groups::Kind;
use crate::paging::{PageRequest, page_document};
use crate::request::{Answer, JsonObject, Members, QueryPairs, Segments, created, no_content, ok};
use crate::rules::{Parameters, checked_body, checked_query};
use crate::user::User;

/// The rules of the operations that both kinds have.
fn operation(kind: Kind, method: &str, below: &str) -> String {
    match kind {
        Kind::Group => format!("{method} /groups{below}"),
        Kind::ImGroup => format!("{method} /im/groups{below}"),
    }
}

pub(super) async fn list(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    query: QueryPairs,
) -> Answer {
    let parameters: Parameters = checked_query(&operation(kind, "GET", ""), &query)?;
    let state = sandbox.state();
    kind.available(&state)?;
    let groups: Vec<_> = (1..).zip(kind.groups(&state)).collect();
    if kind == Kind::ImGroup {
        // This list has no pages.
        let items: Vec<_> = groups
            .iter()
            .map(|(_, group)| kind.document(&state, group))
            .collect();
        return ok(&json!({ "total_records": items.len(), "groups": items }));
    }
    let request = PageRequest {
        list: "groups",
        parameters: &parameters,
        numbered: false,
    };
    let (page, description) =
        state
            .page_tokens
            .page(groups, &request, &state.config, OffsetDateTime::now_utc())?;
    let items = page
        .into_iter()
        .map(|group| kind.document(&state, group))
        .collect();
    ok(&page_document("groups", items, description))
}

pub(super) async fn create(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    JsonObject(body): JsonObject,
) -> Answer {
    let mut traits = checked_body(&operation(kind, "POST", ""), body)?;
    let name = traits.shift_remove("name");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    let mut state = sandbox.state();
    kind.available(&state)?;
    kind.check_name(&state, name, None)?;
    let group = kind.found(&mut state, name.to_owned(), traits)?;
    created(&kind.document(&state, &group))
}

pub(super) async fn show(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
) -> Answer {
    let state = sandbox.state();
    let group = kind.find(&state, path.at(0))?;
    ok(&kind.document(&state, &group))
}

pub(super) async fn update(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let mut changes = checked_body(&operation(kind, "PATCH", "/{groupId}"), body)?;
    let mut state = sandbox.state();
    let id = kind.find(&state, path.at(0))?.id;
    let name = changes
        .shift_remove("name")
        .and_then(|name| name.as_str().map(str::to_owned));
    if let Some(name) = &name {
        kind.check_name(&state, name, Some(&id))?;
    }
    if let Some(group) = kind
        .groups_mut(&mut state)
        .iter_mut()
        .find(|group| group.id == id)
    {
        if let Some(name) = name {
            group.name = name;
        }
        group.traits.extend(changes);
    }
    no_content()
}

pub(super) async fn delete(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
) -> Answer {
    let mut state = sandbox.state();
    let id = kind.find(&state, path.at(0))?.id;
    kind.dissolve(&mut state, &id);
    no_content()
}

pub(super) async fn list_members(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
    query: QueryPairs,
) -> Answer {
    let parameters = checked_query(&operation(kind, "GET", "/{groupId}/members"), &query)?;
    let state = sandbox.state();
    let group = kind.find(&state, path.at(0))?;
    let members: Vec<_> = state
        .users
        .after(0)
        .filter(|(_, user)| !user.is_pending() && kind.of_user(user).contains(&group.id))
        .collect();
    let list = format!("members {}", group.id);
    let request = PageRequest {
        list: &list,
        parameters: &parameters,
        numbered: true,
    };
    let (page, description) =
        state
            .page_tokens
            .page(members, &request, &state.config, OffsetDateTime::now_utc())?;
    let items = page.into_iter().map(User::member_item).collect();
    ok(&page_document("members", items, description))
}

/// Users that do not exist are passed over: the answer names those who were added.
pub(super) async fn add_members(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let body = checked_body(&operation(kind, "POST", "/{groupId}/members"), body)?;
    let entries = body
        .get("members")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut state = sandbox.state();
    let group = kind.find(&state, path.at(0))?;
    let mut added = Vec::new();
    for entry in entries {
        let text = |member: &str| {
            entry
                .get(member)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let key = text("id").or(text("email")).unwrap_or_default();
        if let Some(user) = state.users.find_mut(key).filter(|user| !user.is_pending()) {
            let memberships = kind.of_user_mut(user);
            if !memberships.contains(&group.id) {
                memberships.push(group.id.clone());
            }
            added.push(user.id.clone());
        }
    }
    created(&json!({ "ids": added.join(","), "added_at": timestamp(OffsetDateTime::now_utc()) }))
}

pub(super) async fn remove_member(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
) -> Answer {
    let mut state = sandbox.state();
    let group = kind.find(&state, path.at(0))?;
    let memberships = state
        .users
        .find_mut(path.at(1))
        .map(|user| kind.of_user_mut(user));
    match memberships.filter(|memberships| memberships.contains(&group.id)) {
        Some(memberships) => {
            memberships.retain(|id| *id != group.id);
            no_content()
        }
        None => Err(ErrorName::GroupMemberNotFound.into()),
    }
}

pub(super) async fn move_member(
    Shared(sandbox): Shared<Sandbox>,
    Extension(kind): Extension<Kind>,
    path: Segments,
    JsonObject(body): JsonObject,
) -> Answer {
    let body: Members = checked_body("PATCH /groups/{groupId}/members/{memberId}", body)?;
    let mut state = sandbox.state();
    let group = kind.find(&state, path.at(0))?;
    let user = state
        .users
        .find(path.at(1))
        .filter(|user| kind.of_user(user).contains(&group.id));
    let id = user.ok_or(ErrorName::GroupMemberNotFound)?.id.clone();
    if body.get("action").and_then(Value::as_str) == Some("move") {
        let target = body
            .get("target_group_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if target.is_empty() {
            return Err(ApiError::new(ErrorName::GroupTargetEmpty));
        }
        let target = kind.find(&state, target)?.id;
        let memberships = kind.of_user_mut(state.user_mut(&id)?);
        memberships.retain(|member_of| *member_of != group.id && *member_of != target);
        memberships.push(target);
    }
    no_content()
}
