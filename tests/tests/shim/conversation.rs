//! Requests and answers of tests as texts: `meeting/get id=1 host_id=x`, `id:number topic:text`.

use end_to_end::{Answer, Stage};
use serde_json::Value;

/// Asks `operation name=value name=value`; a `+` in a value is a blank, `%2B` a plus.
pub(crate) async fn ask(stage: &Stage, request: &str) -> Answer {
    let mut words = request.split(' ').filter(|word| !word.is_empty());
    let operation = words.next().unwrap();
    let given: Vec<_> = words
        .map(|word| word.split_once('=').unwrap())
        .map(|(name, value)| (name, value.replace('+', " ").replace("%2B", "+")))
        .collect();
    let given: Vec<_> = given.iter().map(|(n, v)| (*n, v.as_str())).collect();
    stage.ask(operation, &given).await
}

/// As [`ask`], for a success.
pub(crate) async fn success(stage: &Stage, request: &str) -> Value {
    let answer = ask(stage, request).await;
    assert!(answer.body.get("error").is_none(), "{request}: {answer:?}");
    answer.success()
}

/// Asks what ends in errors.
pub(crate) async fn errors(stage: &Stage, cases: &[(&str, &str)]) {
    for (request, expected) in cases {
        let answer = ask(stage, request).await;
        assert!(answer.body.get("error").is_some(), "{request}: {answer:?}");
        assert_eq!(&answer.error(), expected, "{request}");
    }
}

/// The object has these members with these JSON types, in this order, and no other: `id:number
/// topic:text`.
#[track_caller]
pub(crate) fn is_shaped(object: &Value, shape: &str) {
    let members = object.as_object().unwrap_or_else(|| panic!("{object}"));
    let found: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("{name}:{}", kind(value)))
        .collect();
    let expected: Vec<_> = shape.split_whitespace().collect();
    assert_eq!(found, expected, "{object:#}");
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "switch",
        // v1's times are UTC, whole seconds, with a Z.
        Value::String(text) if is_time(text) => "time",
        Value::String(_) => "text",
        Value::Number(number) if number.is_i64() => "number",
        Value::Number(_) => "decimal",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn is_time(text: &str) -> bool {
    let shape = text.bytes().map(|byte| match byte {
        byte if byte.is_ascii_digit() => b'0',
        byte => byte,
    });
    shape.eq(*b"0000-00-00T00:00:00Z")
}
