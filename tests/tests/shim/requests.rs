//! Requests and responses of tests as text: `meeting/get id=1 host_id=x`, `id:number topic:text`.

use end_to_end::{Answer, Stage};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// The members of a page.
pub(crate) const PAGE: &str = "page_count:n page_number:n page_size:n total_records:n";

/// Splits `operation name=value name=value`. A `~` in a value is a space.
pub(crate) fn parse(request: &str) -> (&str, Vec<(&str, String)>) {
    let mut words = request.split_whitespace();
    let operation = words.next().unwrap();
    let given = words.map(|word| word.split_once('=').unwrap());
    let given = given.map(|(name, value)| (name, value.replace('~', " ")));
    (operation, given.collect())
}

/// Sends a request, written as for [`parse`].
pub(crate) async fn ask(stage: &Stage, request: &str) -> Answer {
    let (operation, given) = parse(request);
    let given: Vec<_> = given.iter().map(|(n, v)| (*n, v.as_str())).collect();
    stage.ask(operation, &given).await
}

/// Sends a request that must succeed.
pub(crate) async fn success(stage: &Stage, request: &str) -> Value {
    let answer = ask(stage, request).await;
    assert!(answer.body.get("error").is_none(), "{request}: {answer:?}");
    answer.success()
}

/// Sends a request that must fail with this error.
pub(crate) async fn error(stage: &Stage, request: &str, expected: &str) {
    let answer = ask(stage, request).await;
    assert!(answer.body.get("error").is_some(), "{request}: {answer:?}");
    assert_eq!(answer.error(), expected, "{request}");
}

/// Sends requests that must fail: one `request => error` per line.
pub(crate) async fn errors(stage: &Stage, cases: &str) {
    for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
        let (request, expected) = case.split_once(" => ").unwrap();
        error(stage, request, expected).await;
    }
}

/// The day this many days ago, in UTC.
pub(crate) fn day(ago: i64) -> String {
    (OffsetDateTime::now_utc() - Duration::days(ago))
        .date()
        .to_string()
}

/// The last four weeks, as parameters.
pub(crate) fn month() -> String {
    format!("from={} to={}", day(28), day(0))
}

/// Checks members and their types, `name:type`, of the objects at a path such as
/// `meetings[].recording_files[]`, of which there must be at least one. `[]` means all elements.
///
/// Types: `s` text, `t` time (UTC, whole seconds), `d` day, `n` number, `b` bool, `a` array,
/// `o` object; `?` after a type allows empty text.
#[track_caller]
pub(crate) fn has(answer: &Value, path: &str, members: &str) {
    for object in at(answer, path) {
        for member in members.split_whitespace() {
            let (name, kind) = member.split_once(':').expect("name:type");
            let value = object.get(name);
            assert!(
                value.is_some_and(|value| is(value, kind)),
                "{path} {name}: {value:?} is no {kind} in {object}"
            );
        }
    }
}

/// The values at a path.
#[track_caller]
pub(crate) fn at<'v>(answer: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![answer];
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let name = step.trim_end_matches("[]");
        found = found.into_iter().map(|value| &value[name]).collect();
        if step.ends_with("[]") {
            found = found
                .into_iter()
                .flat_map(|value| value.as_array().unwrap())
                .collect();
        }
    }
    assert!(!found.is_empty(), "nothing at {path} in {answer}");
    found
}

/// The first entry whose member is this text.
#[track_caller]
pub(crate) fn one<'v>(answer: &'v Value, path: &str, member: &str, is: &str) -> &'v Value {
    let found = at(answer, path)
        .into_iter()
        .find(|entry| entry[member] == is);
    found.unwrap_or_else(|| panic!("no {member} {is} in {answer}"))
}

fn is(value: &Value, kind: &str) -> bool {
    let shape = |wanted: &str| {
        let text = value.as_str().unwrap_or_default().chars();
        let shape = text.map(|char| if char.is_ascii_digit() { '0' } else { char });
        shape.collect::<String>() == wanted
    };
    match kind.strip_suffix('?') {
        Some(kind) => value == "" || is(value, kind),
        None => match kind {
            "s" => value.is_string(),
            "t" => shape("0000-00-00T00:00:00Z"),
            "d" => shape("0000-00-00"),
            "n" => value.is_number(),
            "b" => value.is_boolean(),
            "a" => value.is_array(),
            "o" => value.is_object(),
            _ => panic!("no type {kind}"),
        },
    }
}

/// Checks that an object has exactly these members and JSON types, in this order:
/// `id:number topic:text`.
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
