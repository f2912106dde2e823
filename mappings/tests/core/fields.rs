//! Exact field mappings round-trip through v2.

use std::collections::BTreeSet;

use mappings::{
    Body, Outcome, V2Request,
    catalog::{
        field::{Field, Kind},
        operation::ParameterUse,
    },
    fidelity::Fidelity,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::driver::{catalog, no_content, ok, run, run_at, site_with_option, success};

/// An update with a field, and a v2 that stores what it receives.
fn round_trip(given: &[(&str, &str)]) -> Value {
    let stored = std::cell::RefCell::new((json!({ "id": "x", "email": "a@b" }), no_settings()));
    let v2 = |request: &V2Request| {
        let mut stored = stored.borrow_mut();
        match (request.method.is_read(), &*request.template, &request.body) {
            (false, "/users/{userId}", Body::Json(body)) => merge(&mut stored.0, body),
            (false, "/users/{userId}/settings", Body::Json(body)) => merge(&mut stored.1, body),
            (true, "/users/{userId}", _) => {
                return ok(stored.0.clone());
            }
            (true, "/users/{userId}/settings", _) => {
                return ok(stored.1.clone());
            }
            _ => return success(request),
        }
        no_content()
    };
    let mut arguments = vec![("id", "x")];
    arguments.extend(given);
    run("user/update", &arguments, v2).unwrap_or_else(|error| panic!("{given:?}: {error}"));
    run("user/get", &[("id", "x")], v2).unwrap().answer()
}

/// v2's settings without any member.
fn no_settings() -> Value {
    json!({
        "in_meeting": {}, "schedule_meeting": {}, "recording": {}, "email_notification": {},
        "feature": {},
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(
                    into.entry(name)
                        .or_insert_with(|| Value::Object(Map::new())),
                    value,
                );
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// A v1 value as sent by a client and as shown in a response.
fn value(field: &Field, part: usize) -> BoxedStrategy<(String, Value)> {
    let part = &field.parts[part];
    match part.kind {
        Kind::Bool => prop_oneof![
            Just(("true".to_owned(), json!(true))),
            Just(("1".to_owned(), json!(true))),
            Just(("False".to_owned(), json!(false))),
        ]
        .boxed(),
        Kind::Int if !part.values.is_empty() => prop::sample::select(part.values.clone())
            .prop_map(|number| (number.to_string(), json!(number)))
            .boxed(),
        Kind::Int => {
            let (least, most) = part.range.unwrap_or((0, 1_000_000));
            (least..=most)
                .prop_map(|number| (number.to_string(), json!(number)))
                .boxed()
        }
        _ => {
            let (min, max) = (part.min.unwrap_or(1), part.max.unwrap_or(64).min(64));
            prop::string::string_regex(&format!("[^\\x00]{{{min},{max}}}"))
                .unwrap()
                .prop_map(|text: String| (text.clone(), json!(text)))
                .boxed()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// v1 → v2 → v1, for every exact field that an update accepts and a response shows.
    #[test]
    fn exact_fields_round_trip(seed in any::<prop::sample::Index>(), texts in prop::collection::vec("[^\\x00]{1,60}", 1..4)) {
        let catalog = catalog();
        let update = catalog.find("user/update").unwrap();
        let mut tested = BTreeSet::new();
        for parameter in &update.parameters {
            let (field, part) = catalog.field(parameter.field.unwrap()).unwrap();
            let shown = catalog.fields().iter().position(|known| std::ptr::eq(known, field));
            let exact = field.fidelity == Fidelity::Exact
                && matches!(parameter.usage, ParameterUse::SentBy(_))
                && field.parts.len() == 1
                && shown.is_some();
            if !exact {
                continue;
            }
            let mut runner = proptest::test_runner::TestRunner::deterministic();
            let (sent, wanted) = match part.kind {
                Kind::String | Kind::Text => {
                    let text = seed.get(&texts).clone();
                    (text.clone(), json!(text))
                }
                _ => value(field, 0).new_tree(&mut runner).unwrap().current(),
            };
            let answer = round_trip(&[(&part.name, &sent)]);
            if let Some(shown) = answer.get(&part.name) {
                prop_assert_eq!(shown, &wanted, "{}", part.name);
                tested.insert(part.name.clone());
            }
        }
        prop_assert!(tested.len() > 30, "only {} fields were tested: {:?}", tested.len(), tested);
    }

    /// Pairs of v1 fields that share a v2 place.
    #[test]
    fn pairs_round_trip(auto in any::<bool>(), cloud in any::<bool>(), chime in any::<bool>()) {
        let text = |yes: bool| if yes { "1" } else { "0" };
        // v1's documentation: cloud recording makes automatic recording true.
        let auto = auto || cloud;
        let answer = round_trip(&[
            ("enable_auto_recording", text(auto)),
            ("enable_cloud_auto_recording", text(cloud)),
            ("enable_enter_exit_chime", text(chime)),
            ("option_enter_exit_chime_type", "1"),
        ]);
        prop_assert_eq!(&answer["enable_auto_recording"], &json!(auto));
        prop_assert_eq!(&answer["enable_cloud_auto_recording"], &json!(cloud));
        prop_assert_eq!(&answer["enable_enter_exit_chime"], &json!(chime));
    }

    /// Any id sent by a client stays one path segment.
    #[test]
    fn ids_stay_one_segment(id in "\\PC{1,40}|[/?#%+&. \\r\\n\\x00a]{1,12}") {
        let Ok(run) = run("user/get", &[("id", &id)], success) else { return Ok(()) };
        for request in run.requests() {
            let path = request.split([' ', '?']).nth(1).unwrap_or_default();
            let segments: Vec<_> = path.split('/').collect();
            prop_assert!(segments.len() <= 4 && segments[1] == "users", "{}", request);
            prop_assert!(!matches!(segments[2], "" | "." | ".." | "me"), "{}", request);
        }
    }
}

#[test]
fn value_table_rows_match_the_catalog() {
    let shown = |user: Value| {
        let v2 = |request: &V2Request| match &*request.template {
            "/users/{userId}" => ok(user.clone()),
            _ => success(request),
        };
        run("user/get", &[("id", "a@b")], v2).unwrap().answer()
    };
    for (v2, v1) in [(1, 1), (2, 2), (3, 3), (4, 1), (99, 1)] {
        assert_eq!(shown(json!({ "email": "a@b", "type": v2 }))["type"], v1);
    }
    for (v2, v1) in [("active", 0), ("pending", 0), ("inactive", 1)] {
        assert_eq!(shown(json!({ "email": "a@b", "status": v2 }))["status"], v1);
    }
    let odd = shown(
        json!({ "email": "a@b", "type": 7, "pmi": "2035134243", "verified": null, "dept": 5 }),
    );
    assert!(odd.get("type").is_none(), "7 has no v1 value");
    assert_eq!(odd["pmi"], 2_035_134_243_i64);
    assert_eq!(odd["verified"], 0);
    assert_eq!(odd["dept"], "5");
}

#[test]
fn accepts_v2_values_of_another_json_type() {
    let v2 = |request: &V2Request| match &*request.template {
        "/users/{userId}" => ok(json!({
            "id": 7, "email": "a@b", "type": "2", "pmi": "2035134243", "verified": true,
            "created_at": "2018-10-31T04:32:37",
        })),
        "/users/{userId}/settings" => {
            let mut settings = no_settings();
            settings["in_meeting"] =
                json!({ "chat": "true", "waiting_room": 1, "polling": "False" });
            settings["feature"] = json!({ "meeting_capacity": "500" });
            ok(settings)
        }
        "/users/email" => ok(json!({ "existed_email": "true" })),
        _ => success(request),
    };
    let user = run("user/get", &[("id", "7")], v2).unwrap().answer();
    for (name, expected) in [
        ("id", json!("7")),
        ("type", json!(2)),
        ("pmi", json!(2_035_134_243_i64)),
        ("verified", json!(1)),
        ("created_at", json!("2018-10-31T04:32:37Z")),
        ("disable_chat", json!(false)),
        ("enable_waiting_room", json!(true)),
        ("enable_polling", json!(false)),
        ("meeting_capacity", json!(500)),
    ] {
        assert_eq!(user[name], expected, "{name}");
    }
    let check = run("user/checkemail", &[("email", "a@b")], v2).unwrap();
    assert_eq!(check.answer()["existed_email"], true);
}

#[test]
fn sentence_in_a_token_field_counts_as_absent() {
    let site = site_with_option("token", true);
    let token = |text: &'static str| {
        let v2 = |request: &V2Request| match &*request.template {
            "/users/{userId}/token" => ok(json!({ "token": text })),
            _ => success(request),
        };
        run_at(&site, "user/get", &[("id", "x")], v2)
            .unwrap()
            .answer()["token"]
            .clone()
    };
    assert_eq!(
        token("Token is no longer supported. Please use ZAK token instead."),
        ""
    );
    assert_eq!(token("abc.def"), "abc.def");
}

#[test]
fn missing_v2_members_have_v1s_empty_value() {
    let v2 = |request: &V2Request| match &*request.template {
        "/users/{userId}" => ok(json!({ "id": "x", "email": "a@b" })),
        "/users/{userId}/settings" => ok(no_settings()),
        _ => success(request),
    };
    let answer = run("user/get", &[("id", "x")], v2).unwrap().answer();
    insta::assert_snapshot!(answer);
}

proptest! {
    /// Any text, in any JSON escaping that v2 may use.
    #[test]
    fn texts_pass_unchanged(
        texts in proptest::collection::vec("[a-z\"\\\\/\\x00-\\x1f\\x7fé—😀]{0,6}", 1..4),
        escaped in any::<bool>(),
    ) {
        let users: Vec<Value> = texts.iter().map(|text| json!({ "id": "x", "dept": text })).collect();
        let page = json!({ "total_records": users.len(), "page_number": 1, "users": users }).to_string();
        let page = if escaped { without_unicode(&page) } else { page };
        let v2 = |_: &V2Request| Outcome::Answered {
            status: 200,
            body: mappings::Document::read(page.clone().into_bytes()).ok(),
        };
        let site = site_with_option("list_detail", "profile");
        let list = run_at(&site, "user/list", &[], v2).unwrap();
        let answer = list.answer();
        let shown = answer["users"].as_array().unwrap().iter().map(|user| user["dept"].as_str());
        prop_assert!(shown.eq(texts.iter().map(|text| Some(text.as_str()))));
    }
}

/// JSON with all non-ASCII characters escaped, as by Python and Java.
fn without_unicode(json: &str) -> String {
    let mut units = [0; 2];
    json.chars()
        .flat_map(|char| match char {
            char if char.is_ascii() => vec![char.to_string()],
            char => char
                .encode_utf16(&mut units)
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        })
        .collect()
}
