//! Starting and ending of meetings and webinars, and registration.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::store::ObjectKey;
use super::super::template::shown;
use super::super::{Call, Store, seed, user_document};
use super::Outcome;
use crate::account::Account;
use crate::calendar;
use crate::error::ApiError;
use crate::request::{Members, Typed as _};

/// Type of meetings that exist only while they run.
const INSTANT: i64 = 1;
/// Maximum number of panelists.
const PANELISTS: usize = 100;

/// Starts a meeting or webinar with its host and two participants, unless it is running. False if
/// the id is unknown.
pub(in crate::engine) fn start(store: &mut Store, account: &Account, id: &str) -> bool {
    let kinds = [("meetings", "meeting"), ("webinars", "webinar")];
    let found = kinds.iter().find_map(|(collection, kind)| {
        let (key, object) = store.find(collection, "id", id)?;
        Some((key, *kind, object.as_object()?.clone()))
    });
    let Some((key, kind, mut meeting)) = found else {
        return false;
    };
    if meeting
        .get("status")
        .is_some_and(|status| status == "started")
    {
        return true;
    }
    meeting.insert("status".to_owned(), "started".into());
    let text = |member: &str| meeting.get(member).map(shown).unwrap_or_default();
    let host = user_document(account, &text("host_id")).unwrap_or_default();
    let members = ["uuid", "id", "host_id", "topic", "type"];
    let members = members.map(|name| {
        (
            name.to_owned(),
            meeting.get(name).cloned().unwrap_or_default(),
        )
    });
    let mut instance = Members::from_iter(members);
    instance.insert(
        "start_time".to_owned(),
        calendar::timestamp(store.env.now).into(),
    );
    instance.insert("_kind".to_owned(), kind.into());
    instance.insert("_phases".to_owned(), json!(["live"]));
    let instance = seed::object(store, "instances", &instance, &[("host", &host)]);
    announce(store, &instance, "started");
    store.insert("instances", instance);
    store.set(key, Value::Object(meeting));
    true
}

/// `end` ends the running meeting and leaves a past instance; other actions are ignored.
pub(super) fn change_status(call: &mut Call<'_>) -> Outcome {
    let ends = call
        .body()
        .get("action")
        .is_some_and(|action| action == "end");
    if let (true, Some(key)) = (ends, call.target()) {
        end(call, key);
    }
    Outcome::Answer(Value::Null)
}

fn end(call: &mut Call<'_>, key: ObjectKey) {
    let Some(meeting) = call.store.get(key).cloned() else {
        return;
    };
    let now = call.now();
    let running: Vec<_> = {
        let of_it = |instance: &Value| {
            instance.get("id") == meeting.get("id") && instance.get("end_time").is_none()
        };
        let instances = call.store.all("instances");
        instances
            .filter(|(_, instance)| of_it(instance))
            .map(|(number, instance)| (number, instance.clone()))
            .collect()
    };
    for (number, mut instance) in running {
        if let Some(members) = instance.as_object_mut() {
            close(members, now);
        }
        let key = ObjectKey {
            collection: "instances",
            number,
        };
        announce(call.store, &instance, "ended");
        call.store.set(key, instance);
    }
    if meeting.integer("type") == Some(INSTANT) {
        call.delete(key);
    } else if let Value::Object(mut members) = meeting {
        members.insert("status".to_owned(), "waiting".into());
        call.store.set(key, Value::Object(members));
    }
}

/// Records a webhook event for a started or ended meeting or webinar.
fn announce(store: &mut Store, instance: &Value, what: &str) {
    let members = instance.as_object().into_iter().flatten();
    let visible = members.filter(|(name, value)| !name.starts_with('_') && !value.is_null());
    let mut object: Members = visible
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Webhooks have the id as a string, other documents as a number.
    let id = object.get("id").map(shown).unwrap_or_default();
    object.insert("id".to_owned(), id.into());
    let kind = instance.text("_kind").unwrap_or("meeting");
    store
        .events
        .push((format!("{kind}.{what}"), Value::Object(object)));
}

fn close(instance: &mut Members, now: OffsetDateTime) {
    let start = instance.text("start_time").and_then(calendar::time);
    let minutes = start
        .map_or(0, |start| (now - start).whole_minutes())
        .max(1);
    let participants = instance.integer("participants_count").unwrap_or(1);
    let phase = if participants > 1 { "past" } else { "pastOne" };
    instance.insert("end_time".to_owned(), calendar::timestamp(now).into());
    instance.insert("duration".to_owned(), minutes.into());
    instance.insert(
        "total_minutes".to_owned(),
        minutes.saturating_mul(participants).into(),
    );
    instance.insert("_phases".to_owned(), json!([phase]));
}

/// Registers a person; repeated registrations return the first one.
pub(super) fn register(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let Some(key) = call.target() else {
        return Ok(Outcome::Default);
    };
    let meeting = call.store.get(key).cloned().unwrap_or_default();
    let id = meeting.get("id").cloned().unwrap_or_default();
    let address = call
        .body()
        .get("email")
        .map(shown)
        .unwrap_or_default()
        .to_lowercase();
    let known = {
        let registered = |registrant: &Value| {
            registrant.get("_of") == Some(&id)
                && registrant
                    .get("email")
                    .map(shown)
                    .unwrap_or_default()
                    .to_lowercase()
                    == address
        };
        call.store
            .all("registrants")
            .map(|(_, registrant)| registrant)
            .find(|one| registered(one))
            .cloned()
    };
    if let Some(registrant) = known {
        return Ok(Outcome::Answer(registrant));
    }
    let manual = meeting
        .pointer("/settings/approval_type")
        .and_then(Value::as_i64)
        == Some(1);
    let waived = call.body().get("auto_approve") == Some(&Value::Bool(true));
    let status = if manual && !waived {
        "pending"
    } else {
        "approved"
    };
    let mut members = call.body().clone();
    members.insert("status".to_owned(), status.into());
    members.insert("_of".to_owned(), id);
    members.insert("_meeting".to_owned(), meeting);
    let registrant = call.create("registrants", members)?;
    count_registrant(call.store, key);
    Ok(Outcome::Answer(registrant))
}

fn count_registrant(store: &mut Store, key: ObjectKey) {
    if let Some(Value::Object(mut meeting)) = store.get(key).cloned() {
        let count = meeting.integer("_registrants").unwrap_or_default();
        meeting.insert("_registrants".to_owned(), count.saturating_add(1).into());
        store.set(key, Value::Object(meeting));
    }
}

/// Approves, denies or cancels the registrants in the body, by id or email address. Unknown ones
/// are ignored.
pub(super) fn change_registrants(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let status = match call.body().text("action") {
        Some("approve") => "approved",
        Some("deny") => "denied",
        _ => "cancelled",
    };
    let webinar = call.target().and_then(|key| call.store.get(key));
    let id = webinar.and_then(|webinar| webinar.get("id")).cloned();
    let named = call.body().get("registrants").and_then(Value::as_array);
    let named = named.cloned().unwrap_or_default();
    let is_named = |registrant: &Value| {
        registrant.get("_of") == id.as_ref()
            && named.iter().any(|one| {
                ["id", "email"].iter().any(|member| {
                    one.get(member)
                        .is_some_and(|given| registrant.get(member) == Some(given))
                })
            })
    };
    let registrants = call.store.all("registrants");
    let numbers: Vec<_> = registrants
        .filter(|(_, registrant)| is_named(registrant))
        .map(|(number, _)| number)
        .collect();
    for number in numbers {
        let key = ObjectKey {
            collection: "registrants",
            number,
        };
        let changes = Members::from_iter([("status".to_owned(), status.into())]);
        call.update(key, changes)?;
    }
    Ok(Outcome::Answer(Value::Null))
}

/// Adds the panelists in the body; existing ones stay.
pub(super) fn add_panelists(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let webinar = call.target().and_then(|key| call.store.get(key));
    let id = webinar.and_then(|webinar| webinar.get("id")).cloned();
    let id = id.unwrap_or_default();
    let invited = call
        .body()
        .get("panelists")
        .and_then(Value::as_array)
        .cloned();
    for panelist in invited.unwrap_or_default() {
        let panelists = call.store.all("panelists").map(|(_, one)| one);
        let of_it: Vec<_> = panelists
            .filter(|one| one.get("_of") == Some(&id))
            .collect();
        if of_it
            .iter()
            .any(|one| one.get("email") == panelist.get("email"))
        {
            continue;
        }
        if of_it.len() >= PANELISTS {
            return Err(call.error("panelists_full"));
        }
        let mut members = panelist.as_object().cloned().unwrap_or_default();
        members.insert("_of".to_owned(), id.clone());
        call.create("panelists", members)?;
    }
    Ok(Outcome::Answer(Value::Null))
}
