//! Options, plans and billing contacts of sub accounts.

use serde_json::{Value, json};
use time::Duration;

use super::super::Call;
use super::super::template::shown;
use super::Outcome;
use crate::error::ApiError;
use crate::request::{Members, merge};

/// Additional plans: prefix of the code, member, and whether the member is a list.
const ADDITIONAL: [(&str, &str, bool); 4] = [
    ("webinar", "plan_webinar", true),
    ("large", "plan_large_meeting", true),
    ("zroom", "plan_zoom_rooms", false),
    ("roomconnector", "plan_room_connector", false),
];

/// Object stored in the account named by the path.
fn kept(call: &Call<'_>, member: &str) -> Members {
    let account = call.target().and_then(|key| call.store.get(key));
    let kept = account.and_then(|account| account.get(member)?.as_object());
    kept.cloned().unwrap_or_default()
}

fn keep(call: &mut Call<'_>, member: &str, value: Members) -> Result<(), ApiError> {
    if let Some(key) = call.target() {
        let changes = Members::from_iter([(member.to_owned(), Value::Object(value))]);
        call.update(key, changes)?;
    }
    Ok(())
}

/// Shows a stored object.
pub(super) fn show(call: &Call<'_>, member: &str) -> Outcome {
    Outcome::Answer(Value::Object(kept(call, member)))
}

/// Merges the body into a stored object.
pub(super) fn change(call: &mut Call<'_>, member: &str) -> Result<Outcome, ApiError> {
    let mut value = kept(call, member);
    merge(&mut value, call.body().clone());
    keep(call, member, value)?;
    Ok(Outcome::Answer(Value::Null))
}

/// Subscribes to the plans in the body; its contact becomes the billing contact.
pub(super) fn subscribe(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let mut plans = call.body().clone();
    let contact = plans.shift_remove("contact");
    let answer = Value::Object(plans.clone());
    for plan in plans.values_mut() {
        match plan {
            Value::Array(plans) => plans.iter_mut().for_each(|plan| activate(call, plan)),
            plan => activate(call, plan),
        }
    }
    let account_type = Members::from_iter([("account_type".to_owned(), "Pro".into())]);
    if let Some(key) = call.target() {
        call.update(key, account_type)?;
    }
    let mut contact = contact
        .and_then(|contact| contact.as_object().cloned())
        .unwrap_or_default();
    contact.entry("apt").or_insert_with(|| "".into());
    contact
        .entry("employee_count")
        .or_insert_with(|| "2-10".into());
    keep(call, "_billing", contact)?;
    keep(call, "_plans", plans)?;
    Ok(Outcome::Answer(answer))
}

/// Sets the dates of a plan that starts today.
fn activate(call: &Call<'_>, plan: &mut Value) {
    let today = call.now().date();
    let invoice = today.checked_add(Duration::days(30)).unwrap_or(today);
    if let Some(plan) = plan.as_object_mut() {
        plan.insert("status".to_owned(), "active".into());
        plan.insert(
            "service_effective_date".to_owned(),
            today.to_string().into(),
        );
        plan.insert("next_invoice_date".to_owned(), invoice.to_string().into());
    }
}

/// Changes type and hosts of the base plan.
pub(super) fn change_base(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let mut plans = kept(call, "_plans");
    let change = Members::from_iter([("plan_base".to_owned(), Value::Object(call.body().clone()))]);
    merge(&mut plans, change);
    keep(call, "_plans", plans)?;
    Ok(Outcome::Answer(Value::Null))
}

/// Adds an additional plan, or changes the one of the same type.
pub(super) fn additional(call: &mut Call<'_>, is_new: bool) -> Result<Outcome, ApiError> {
    let body = call.body().clone();
    let code = body.get("type").map(shown).unwrap_or_default();
    let kind = ADDITIONAL
        .iter()
        .find(|(beginning, _, _)| code.starts_with(beginning));
    let Some((_, member, is_list)) = kind else {
        return Err(call.error("plan_type_invalid"));
    };
    let mut plans = kept(call, "_plans");
    let mut entries = match plans.shift_remove(*member) {
        Some(Value::Array(entries)) => entries,
        Some(entry) => vec![entry],
        None => Vec::new(),
    };
    let known = entries
        .iter_mut()
        .find(|entry| entry.get("type") == body.get("type"));
    match known.map(|entry| entry.as_object_mut()) {
        Some(_) if is_new => return Err(call.error("plan_known")),
        None if !is_new => return Err(call.error("plan_type_invalid")),
        Some(Some(entry)) => merge(entry, body.clone()),
        _ => {
            let mut entry = Value::Object(body.clone());
            activate(call, &mut entry);
            if !is_list {
                entries.clear();
            }
            entries.push(entry);
        }
    }
    let shown_as = |entries: Vec<Value>| match entries.into_iter().next() {
        Some(entry) if !is_list => entry,
        Some(entry) => json!([entry]),
        None => Value::Null,
    };
    let value = if *is_list {
        Value::Array(entries)
    } else {
        shown_as(entries)
    };
    plans.insert((*member).to_owned(), value);
    keep(call, "_plans", plans)?;
    Ok(Outcome::Answer(
        json!({ *member: shown_as(vec![Value::Object(body)]) }),
    ))
}
