//! Meetings and webinars that start and end, and those who register for them.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::store::Place;
use super::super::template::shown;
use super::super::{Call, Store};
use super::Outcome;
use crate::calendar;
use crate::error::ApiError;
use crate::request::Members;

/// Meetings that exist only while they run.
const INSTANT: i64 = 1;

/// `end` ends what is running and leaves a past instance; anything else changes nothing.
pub(super) fn change_status(call: &mut Call<'_>) -> Outcome {
    let ends = call
        .body()
        .get("action")
        .is_some_and(|action| action == "end");
    if let (true, Some(place)) = (ends, call.place()) {
        end(call, place);
    }
    Outcome::Answer(Value::Null)
}

fn end(call: &mut Call<'_>, place: Place) {
    let Some(meeting) = call.store.get(place).cloned() else {
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
        let place = Place {
            collection: "instances",
            number,
        };
        call.store.set(place, instance);
    }
    if meeting.get("type").and_then(Value::as_i64) == Some(INSTANT) {
        call.delete(place);
    } else if let Value::Object(mut members) = meeting {
        members.insert("status".to_owned(), "waiting".into());
        call.store.set(place, Value::Object(members));
    }
}

fn close(instance: &mut Members, now: OffsetDateTime) {
    let start = instance
        .get("start_time")
        .and_then(Value::as_str)
        .and_then(calendar::time);
    let minutes = start
        .map_or(0, |start| (now - start).whole_minutes())
        .max(1);
    let participants = instance
        .get("participants_count")
        .and_then(Value::as_i64)
        .unwrap_or(1);
    let phase = if participants > 1 { "past" } else { "pastOne" };
    instance.insert("end_time".to_owned(), calendar::timestamp(now).into());
    instance.insert("duration".to_owned(), minutes.into());
    instance.insert(
        "total_minutes".to_owned(),
        minutes.saturating_mul(participants).into(),
    );
    instance.insert("_phases".to_owned(), json!([phase]));
}

/// Registers somebody once: who registers again gets the same registration.
pub(super) fn register(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let Some(place) = call.place() else {
        return Ok(Outcome::Usual);
    };
    let meeting = call.store.get(place).cloned().unwrap_or_default();
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
    let registrant = match known {
        Some(registrant) => registrant,
        None => {
            let manual = meeting
                .pointer("/settings/approval_type")
                .and_then(Value::as_i64)
                == Some(1);
            let waived = call.body().get("auto_approve") == Some(&Value::Bool(true));
            let mut members = call.body().clone();
            let status = if manual && !waived {
                "pending"
            } else {
                "approved"
            };
            members.insert("status".to_owned(), status.into());
            members.insert("_of".to_owned(), id);
            members.insert("_meeting".to_owned(), meeting.clone());
            let registrant = call.create("registrants", members)?;
            count_registrant(&mut call.store, place);
            registrant
        }
    };
    Ok(Outcome::Answer(registrant))
}

fn count_registrant(store: &mut Store, place: Place) {
    if let Some(Value::Object(mut meeting)) = store.get(place).cloned() {
        let count = meeting
            .get("_registrants")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        meeting.insert("_registrants".to_owned(), count.saturating_add(1).into());
        store.set(place, Value::Object(meeting));
    }
}
