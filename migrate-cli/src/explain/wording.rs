//! Catalog values as phrases.

use std::borrow::Cow;

use mappings::{
    Catalog,
    catalog::{
        field::{Part, Place},
        operation::{Call, Condition, Each, FanOut, OptionValue, Predicate},
    },
};
use serde_json::Value;

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn all_of<T: AsRef<str>>(items: &[T]) -> String {
    joined(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn one_of<T: AsRef<str>>(items: &[T]) -> String {
    joined(items, "or")
}

fn joined<T: AsRef<str>>(items: &[T], word: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
    }
}

/// A JSON pointer in dotted notation: `in_meeting.chat`, `members[].id`.
pub(crate) fn dotted(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace("/-", "[]")
        .replace('/', ".")
}

/// Conditions of a call, as clauses after "if"; one of them must hold.
pub(crate) fn conditions(catalog: &Catalog, plan: &[Call], call: &Call) -> Vec<String> {
    call.when
        .iter()
        .map(|condition| self::condition(catalog, plan, condition))
        .collect()
}

fn condition(catalog: &Catalog, plan: &[Call], condition: &Condition) -> String {
    let mut parts = Vec::new();
    match condition.given.as_slice() {
        [] => {}
        [one] => parts.push(format!("{one} is given")),
        many => parts.push(format!("one of {} is given", all_of(many))),
    }
    match condition.missing.as_slice() {
        [] => {}
        [one] => parts.push(format!("{one} is not given")),
        many => parts.push(format!("{} are not both given", all_of(many))),
    }
    if !condition.all_given.is_empty() {
        parts.push(format!("all of {} are given", all_of(&condition.all_given)));
    }
    if let Some((name, test)) = &condition.parameter {
        parts.push(format!("{name} {}", predicate(test)));
    }
    if condition.nothing_else {
        parts.push("there is nothing else to send".to_owned());
    }
    for (name, value) in &condition.options {
        parts.push(option_is(catalog, name, value));
    }
    if let Some(document) = &condition.current {
        parts.push(format!(
            "values of the stored {document} decide what is to be sent"
        ));
    }
    if condition.resumed {
        parts.push(
            "v2 already executed this call for an equal request that did not finish".to_owned(),
        );
    }
    if condition.verification {
        parts.push("v2's response to an equal request was lost".to_owned());
    }
    parts.extend(found(plan, condition));
    all_of(&parts)
}

/// The parts of a condition that depend on earlier calls.
pub(crate) fn found(plan: &[Call], condition: &Condition) -> Vec<String> {
    let mut parts = Vec::new();
    let name = |call: usize| plan.get(call).map_or("", |call| &call.name);
    if let Some(answer) = &condition.answer {
        parts.push(format!(
            "{} finds that {} {}",
            name(answer.call),
            dotted(&answer.at),
            predicate(&answer.predicate)
        ));
    }
    if let Some((call, codes)) = &condition.error {
        let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
        let with = if codes.is_empty() {
            String::new()
        } else {
            format!(" with {}", one_of(&codes))
        };
        parts.push(format!("{} fails{with}", name(*call)));
    }
    if let Some(most) = condition.entries_at_most {
        parts.push(format!("there are at most {most} entries"));
    }
    parts
}

fn option_is(catalog: &Catalog, name: &str, value: &OptionValue) -> String {
    let default = catalog.option_rules().get(name).map(|rule| &rule.default);
    let usual = match default {
        Some(default) if default == value => " (the default)".to_owned(),
        Some(default) => format!(" ({} by default)", option_value(default)),
        None => String::new(),
    };
    format!("options.{name} is {}{usual}", option_value(value))
}

/// Condition on the list items of a call, after "if its"; `None` for all items.
pub(crate) fn each_where(each: &Each) -> Option<String> {
    let tests = each.only.iter();
    let tests: Vec<_> = tests
        .map(|test| format!("{} {}", dotted(&test.at), predicate(&test.predicate)))
        .collect();
    (!tests.is_empty()).then(|| all_of(&tests))
}

/// Repetition of a call, if not over list items.
pub(crate) fn several(each: &Each) -> Option<String> {
    match &each.of {
        FanOut::Entries { .. } => None,
        FanOut::Elements { parameter, batch } if *batch > 1 => {
            Some(format!("every {batch} elements of {parameter}"))
        }
        FanOut::Elements { parameter, .. } => Some(format!("each element of {parameter}")),
        FanOut::Windows => Some("each month".to_owned()),
    }
}

/// Condition on a value, after its name.
fn predicate(predicate: &Predicate) -> String {
    match predicate {
        Predicate::OneOf { values, is } => {
            let values: Vec<_> = values.iter().map(literal).collect();
            format!("is {}{}", if *is { "" } else { "not " }, one_of(&values))
        }
        Predicate::Exists(true) => "is there".to_owned(),
        Predicate::Exists(false) => "is not there".to_owned(),
        Predicate::Equals(parameter) => format!("is that of {parameter}"),
        Predicate::NotBefore(parameter) => format!("is not before {parameter}"),
        Predicate::NotAfter(parameter) => format!("is not after {parameter}"),
    }
}

/// `on`, `off`, or the value.
pub(crate) fn option_value(value: &OptionValue) -> Cow<'_, str> {
    match value {
        OptionValue::Switch(true) => "on".into(),
        OptionValue::Switch(false) => "off".into(),
        OptionValue::Number(number) => number.to_string().into(),
        OptionValue::Choice(choice) => choice.into(),
    }
}

/// Type and accepted values of a parameter: `int, 1 to 300`.
pub(crate) fn kind(part: &Part) -> String {
    let mut facts = vec![part.kind.name().to_owned()];
    if let Some((least, most)) = part.range {
        let clamp = if part.clamp {
            " (else the nearer end)"
        } else {
            ""
        };
        facts.push(format!("{least} to {most}{clamp}"));
    }
    if !part.values.is_empty() {
        let values: Vec<_> = part.values.iter().map(ToString::to_string).collect();
        facts.push(one_of(&values));
    }
    facts.extend(match (part.min, part.max) {
        (Some(least), Some(most)) => Some(format!("{least} to {most} characters")),
        (Some(least), None) => Some(format!("at least {least} characters")),
        (None, most) => most.map(|most| format!("up to {most} characters")),
    });
    if !part.one_of.is_empty() {
        facts.push(one_of(&part.one_of));
    }
    facts.extend(part.cut.map(|most| format!("cut to {most} characters")));
    if let Some((least, most)) = part.digits {
        facts.push(format!("{least} to {most} digits"));
    }
    let default = part.default.as_ref();
    facts.extend(default.map(|default| format!("{} if absent", literal(default))));
    facts.join(", ")
}

/// A value for tables: text without quotes, except empty text.
pub(crate) fn literal(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => value.to_string(),
    }
}

/// A value with spaces that allow line breaks.
pub(crate) fn breakable(value: &Value) -> String {
    let text = value.to_string();
    text.replace(",\"", ", \"").replace(",{", ", {")
}

/// A place in catalog notation; for a composed text, its parts.
pub(crate) fn place(place: &Place) -> String {
    let Place::Text(template) = place else {
        return place.to_string();
    };
    let places: Vec<_> = template.names().map(str::to_owned).collect();
    format!("a text with {}", all_of(&places))
}
