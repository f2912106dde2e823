//! Members of contact groups, stored within the group.

use serde_json::{Value, json};

use super::super::Call;
use super::super::template::shown;
use super::Outcome;
use crate::error::ApiError;

/// The member of a group with its members.
const MEMBERS: &str = "_members";

/// v2's limit per request.
const MOST_REMOVED: usize = 20;

/// Changes a group; the body uses other names than the stored object.
pub(super) fn change(call: &mut Call<'_>) -> Outcome {
    let changes = [
        ("name", "group_name"),
        ("privacy", "group_privacy"),
        ("description", "description"),
    ];
    let body = call.body().clone();
    update(call, |group| {
        for (given, stored) in changes {
            if let Some(value) = body.get(given) {
                group[stored] = value.clone();
            }
        }
    });
    Outcome::Answer(Value::Null)
}

/// Members of the group named by the path.
pub(super) fn members(call: &Call<'_>) -> Vec<(u64, Value)> {
    let members = of_group(call).into_iter();
    (1..).zip(members).collect()
}

/// Adds members and returns their ids; unknown users are skipped.
pub(super) fn add(call: &mut Call<'_>) -> Outcome {
    let given = call.body().get("group_members");
    let given = given.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut members = of_group(call);
    let mut added = Vec::new();
    for id in given.iter().filter_map(|entry| entry.get("id")).map(shown) {
        let Some(user) = call.account.users.find(&id).filter(|user| user.id == id) else {
            continue;
        };
        if !members.iter().any(|member| is(member, &id)) {
            let user = user.document();
            let name = ["first_name", "last_name"].map(|part| user.get(part).map(shown));
            let name: Vec<_> = name.into_iter().flatten().collect();
            members.push(json!({ "type": 1, "id": id, "name": name.join(" ") }));
        }
        added.push(id);
    }
    update(call, |group| group[MEMBERS] = members.into());
    Outcome::Answer(json!({ "member_ids": added }))
}

/// Removes the members named by the query.
pub(super) fn remove(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let given = call.value("query").get("member_ids").map(shown);
    let given = given.unwrap_or_default();
    let ids: Vec<_> = given.split(',').map(str::trim).collect();
    let mut members = of_group(call);
    if ids.len() > MOST_REMOVED {
        return Err(call.error("contact_members_many"));
    }
    if !ids.iter().all(|id| members.iter().any(|one| is(one, id))) {
        return Err(call.error("contact_member_unknown"));
    }
    members.retain(|member| !ids.iter().any(|id| is(member, id)));
    if members.is_empty() {
        return Err(call.error("contact_group_last"));
    }
    update(call, |group| group[MEMBERS] = members.into());
    Ok(Outcome::Answer(Value::Null))
}

fn is(member: &Value, id: &str) -> bool {
    member.get("id").is_some_and(|own| own == id)
}

fn of_group(call: &Call<'_>) -> Vec<Value> {
    let group = call.target().and_then(|key| call.store.get(key));
    let members = group.and_then(|group| group.get(MEMBERS)?.as_array());
    members.cloned().unwrap_or_default()
}

fn update(call: &mut Call<'_>, change: impl FnOnce(&mut Value)) {
    let Some(key) = call.target() else { return };
    if let Some(mut group) = call.store.get(key).cloned() {
        change(&mut group);
        call.store.set(key, group);
    }
}
