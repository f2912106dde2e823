//! What the tests of an area share: requests as one line, and the members that an answer must have.

use end_to_end::{Answer, Stage};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// The members of a page.
pub(crate) const PAGE: &str = "page_count:n page_number:n page_size:n total_records:n";

/// Asks for `operation name=value name=value`; values have no blanks.
pub(crate) async fn ask(stage: &Stage, request: &str) -> Answer {
    let (operation, given) = request.split_once(' ').unwrap_or((request, ""));
    let given: Vec<_> = given
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    stage.ask(operation, &given).await
}

/// The same, for its success.
pub(crate) async fn shown(stage: &Stage, request: &str) -> Value {
    ask(stage, request).await.success()
}

/// The day so many days ago, in UTC.
pub(crate) fn day(ago: i64) -> String {
    (OffsetDateTime::now_utc() - Duration::days(ago))
        .date()
        .to_string()
}

/// The days of the last month, as parameters.
pub(crate) fn month() -> String {
    format!("from={} to={}", day(28), day(0))
}

/// Checks members and their types, `name:type`, of the object at a path such as
/// `meetings[].recording_files[]`; `[]` stands for all elements, of which there must be one.
///
/// Types: `s` text, `t` time (UTC, whole seconds), `d` day, `n` number, `b` bool, `a` array,
/// `o` object; `?` behind a type allows an empty text.
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
