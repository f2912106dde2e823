//! User settings: defaults (data: `settings.json`), changes, and v2's rules for changes.

use std::sync::LazyLock;

use serde_json::Value;

use super::embedded;
use super::error::ApiError;
use super::request::{Members, Typed as _, merge};
use super::user::{User, plan};

/// Settings document with everything but security and authentication.
pub(crate) const MAIN: &str = "settings";

/// Effective settings of a user: `settings`, or the document named by the query's `option`.
pub(crate) fn effective(user: &User, document: &str) -> Value {
    let members = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let mut settings = members(DEFAULTS.get(document)).unwrap_or_default();
    if document == MAIN && user.plan != plan::LICENSED {
        merge(&mut settings, BASIC_USERS.clone());
    }
    if let Some(changed) = members(user.settings.get(document)) {
        merge(&mut settings, changed);
    }
    if document == MAIN {
        hide_unused_capacities(&mut settings);
    }
    Value::Object(settings)
}

/// Stores changes that [`check`] accepted.
pub(crate) fn change(user: &mut User, document: &str, changes: Members) {
    let changes = Members::from_iter([(document.to_owned(), changes.into())]);
    merge(&mut user.settings, changes);
}

/// True if a boolean of the effective settings is on.
pub(crate) fn is_on(user: &User, pointer: &str) -> bool {
    effective(user, MAIN)
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

/// Checks changes against the user's licence and each other.
pub(crate) fn check(user: &User, changes: &Members) -> Result<(), ApiError> {
    let Some(feature) = changes.get("feature").and_then(Value::as_object) else {
        return Ok(());
    };
    let switched_on = |name: &str| feature.is_true(name);
    let stays_on = |name: &str| match feature.get(name).and_then(Value::as_bool) {
        Some(given) => given,
        None => is_on(user, &format!("/feature/{name}")),
    };
    let events = [
        "zoom_events",
        "zoom_events_unlimited",
        "zoom_sessions_unlimited",
    ];
    let events_switched_on = events.iter().any(|name| switched_on(name));
    let concurrent = feature.text("concurrent_meeting").unwrap_or("None");

    let unlicensed = !user.is_licensed();
    let refusals = [
        (
            unlicensed && switched_on("webinar"),
            "webinar_needs_license",
        ),
        (
            unlicensed && switched_on("large_meeting"),
            "large_meeting_needs_license",
        ),
        (unlicensed && events_switched_on, "events_need_license"),
        (
            unlicensed && concurrent != "None",
            "concurrent_needs_license",
        ),
        (
            switched_on("webinar") && events.iter().any(|name| stays_on(name)),
            "webinar_beside_events",
        ),
        (
            events_switched_on && stays_on("webinar"),
            "events_beside_webinar",
        ),
        (
            switched_on("zoom_whiteboard") && switched_on("zoom_whiteboard_plus"),
            "whiteboards_together",
        ),
        (
            switched_on("zoom_customer_managed_key"),
            "customer_key_of_one_user",
        ),
    ];
    match refusals.into_iter().find(|(refused, _)| *refused) {
        Some((_, name)) => Err(ApiError::new(name)),
        None => Ok(()),
    }
}

/// Keeps only the named members, at any depth, with their parents.
pub(crate) fn only(settings: Value, names: &[&str]) -> Value {
    let Value::Object(members) = settings else {
        return settings;
    };
    let kept = members.into_iter().filter_map(|(name, value)| {
        if names.contains(&name.as_str()) {
            return Some((name, value));
        }
        let inner = only(value, names);
        inner
            .as_object()
            .is_some_and(|members| !members.is_empty())
            .then_some((name, inner))
    });
    Value::Object(kept.collect())
}

static DEFAULTS: LazyLock<Members> =
    LazyLock::new(|| embedded::json("settings.json", include_str!("settings.json")));

/// Settings that differ for unlicensed users.
static BASIC_USERS: LazyLock<Members> = LazyLock::new(|| {
    Members::from_iter([
        (
            "feature".to_owned(),
            serde_json::json!({ "meeting_capacity": 100 }),
        ),
        (
            "recording".to_owned(),
            serde_json::json!({ "cloud_recording": false }),
        ),
    ])
});

/// Capacities are shown only while their feature is on; the smallest plan is the default.
fn hide_unused_capacities(settings: &mut Members) {
    let Some(feature) = settings.get_mut("feature").and_then(Value::as_object_mut) else {
        return;
    };
    for (switch, capacity, smallest) in CAPACITIES {
        if feature.is_true(switch) {
            feature.entry(capacity).or_insert_with(|| smallest.into());
        } else {
            feature.shift_remove(capacity);
        }
    }
}

/// Feature, its capacity member, and the capacity of the smallest plan.
pub(crate) const CAPACITIES: [(&str, &str, i64); 3] = [
    ("webinar", "webinar_capacity", 100),
    ("large_meeting", "large_meeting_capacity", 500),
    ("zoom_events", "zoom_events_capacity", 500),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::checked_body;

    #[test]
    fn defaults_satisfy_the_rules_for_changes() {
        let members = |document: &str| DEFAULTS[document].as_object().expect("an object").clone();
        let operation = "PATCH /users/{userId}/settings";
        let known = checked_body(operation, members(MAIN)).expect("valid defaults");
        assert!(known.len() > 5, "{:?}", known.keys());
        for option in ["meeting_authentication", "recording_authentication"] {
            checked_body(&format!("{operation}?option={option}"), members(option))
                .expect("valid defaults");
        }
        let security = Members::from_iter([(
            "meeting_security".to_owned(),
            DEFAULTS["meeting_security"].clone(),
        )]);
        checked_body(&format!("{operation}?option=meeting_security"), security)
            .expect("valid defaults");
    }

    #[test]
    fn only_keeps_parents_of_named_members() {
        let settings = serde_json::json!({ "a": { "x": 1, "y": { "x": 2 } }, "x": { "z": 3 }, "b": { "z": 4 } });
        let expected = serde_json::json!({ "a": { "x": 1, "y": { "x": 2 } }, "x": { "z": 3 } });
        assert_eq!(only(settings, &["x"]), expected);
    }
}
