//! Members of groups and IM groups. Memberships are kept with the users.

use serde_json::{Value, json};

use super::super::Call;
use super::super::template::shown;
use super::Outcome;
use crate::account::Account;
use crate::calendar;
use crate::error::ApiError;
use crate::user::User;

/// Collections.
const GROUPS: &str = "groups";
const IM_GROUPS: &str = "im_groups";

/// Ids of the user's groups in a collection.
fn memberships<'a>(user: &'a User, collection: &str) -> &'a [String] {
    if collection == IM_GROUPS {
        &user.im_groups
    } else {
        &user.groups
    }
}

fn memberships_mut<'a>(user: &'a mut User, collection: &str) -> &'a mut Vec<String> {
    if collection == IM_GROUPS {
        &mut user.im_groups
    } else {
        &mut user.groups
    }
}

/// Collection and id of the group named by the path.
fn group(call: &Call<'_>) -> (&'static str, String) {
    let collection = call.target().map_or(GROUPS, |key| key.collection);
    let group = call.target().and_then(|key| call.store.get(key));
    let id = group.and_then(|group| group.get("id")).map(shown);
    (collection, id.unwrap_or_default())
}

/// Groups with their number of members.
pub(super) fn all(call: &Call<'_>, collection: &'static str) -> Vec<(u64, Value)> {
    let groups = call.store.all(collection);
    groups
        .map(|(number, group)| (number, counted(call.account, collection, group.clone())))
        .collect()
}

/// Group named by the path, with its number of members.
pub(super) fn show(call: &Call<'_>) -> Outcome {
    let Some(key) = call.target() else {
        return Outcome::Default;
    };
    let group = call.store.get(key).cloned().unwrap_or_default();
    Outcome::Answer(counted(call.account, key.collection, group))
}

fn counted(account: &Account, collection: &str, mut group: Value) -> Value {
    let id = group.get("id").map(shown).unwrap_or_default();
    let members = account
        .users
        .iter()
        .filter(|user| memberships(user, collection).contains(&id));
    let count = members.count();
    if let Some(members) = group.as_object_mut() {
        members.insert("total_members".to_owned(), count.into());
    }
    group
}

/// Members of the group named by the path.
pub(super) fn members(call: &Call<'_>) -> Vec<(u64, Value)> {
    let (collection, id) = group(call);
    let users = call.account.users.after(0);
    users
        .filter(|(_, user)| !user.is_pending() && memberships(user, collection).contains(&id))
        .map(|(number, user)| (number, user.document()))
        .collect()
}

/// Adds members and returns their ids; unknown users are skipped.
pub(super) fn add(call: &mut Call<'_>) -> Outcome {
    let (collection, id) = group(call);
    let entries = call
        .body()
        .get("members")
        .and_then(Value::as_array)
        .cloned();
    let mut added = Vec::new();
    for entry in entries.unwrap_or_default() {
        let text = |member: &str| entry.get(member).map(shown).filter(|text| !text.is_empty());
        let key = text("id").or_else(|| text("email")).unwrap_or_default();
        let user = call
            .account
            .users
            .find_mut(&key)
            .filter(|user| !user.is_pending());
        if let Some(user) = user {
            let memberships = memberships_mut(user, collection);
            if !memberships.contains(&id) {
                memberships.push(id.clone());
            }
            added.push(user.id.clone());
        }
    }
    let added_at = calendar::timestamp(call.now());
    Outcome::Answer(json!({ "ids": added.join(","), "added_at": added_at }))
}

/// Removes the member named by the path from the group.
pub(super) fn remove(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let (collection, id) = group(call);
    member(call, collection, &id)?.retain(|own| *own != id);
    Ok(Outcome::Answer(Value::Null))
}

/// Moves the member named by the path to another group.
pub(super) fn change(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let (collection, id) = group(call);
    member(call, collection, &id)?;
    if call
        .body()
        .get("action")
        .is_some_and(|action| action == "move")
    {
        let target = call
            .body()
            .get("target_group_id")
            .map(shown)
            .unwrap_or_default();
        if target.is_empty() {
            return Err(call.error("group_target_empty"));
        }
        if call.store.find(collection, "id", &target).is_none() {
            return Err(call.error("group_target_unknown"));
        }
        let memberships = member(call, collection, &id)?;
        memberships.retain(|own| *own != id && *own != target);
        memberships.push(target);
    }
    Ok(Outcome::Answer(Value::Null))
}

/// Groups of the member named by the path.
fn member<'a>(
    call: &'a mut Call<'_>,
    collection: &str,
    group: &str,
) -> Result<&'a mut Vec<String>, ApiError> {
    let unknown = call.error("group_member_unknown");
    let key = call
        .value("path")
        .get("memberId")
        .map(shown)
        .unwrap_or_default();
    let user = call.account.users.find_mut(&key);
    user.map(|user| memberships_mut(user, collection))
        .filter(|memberships| memberships.iter().any(|own| own == group))
        .ok_or(unknown)
}

/// Removes all members from the group named by the path; the method then deletes it.
pub(super) fn remove_all_members(call: &mut Call<'_>) -> Outcome {
    let (collection, id) = group(call);
    for user in call.account.users.iter_mut() {
        memberships_mut(user, collection).retain(|own| *own != id);
    }
    Outcome::Default
}
