//! What the catalog says in values, said in sentences.

use mappings::{
    Catalog,
    catalog::{
        field::{Field, Kind, Part},
        operation::{Call, Condition, Each, OptionValue},
    },
    conversion::Conversion,
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

/// `1 call`, `2 calls`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A pointer as programs write a path into a document: `in_meeting.chat`, `members[].id`.
pub(crate) fn dotted(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace("/-", "[]")
        .replace('/', ".")
}

/// When a call is made, as the part of a sentence after "if"; each entry is enough by itself.
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
    if condition.nothing_else {
        parts.push("there is nothing else to send".to_owned());
    }
    for (name, value) in &condition.options {
        parts.push(option_is(catalog, name, value));
    }
    if let Some(document) = &condition.current {
        parts.push(format!("the stored {document} decide what is to be sent"));
    }
    parts.extend(found(plan, condition));
    all_of(&parts)
}

/// The parts of a condition that earlier calls decide.
pub(crate) fn found(plan: &[Call], condition: &Condition) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(state) = &condition.state {
        let call = plan.get(state.call).map_or("", |call| &call.name);
        let not = if state.is { "" } else { "not " };
        parts.push(format!(
            "{call} finds that {} is {not}{}",
            dotted(&state.at),
            state.text
        ));
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

/// For which of a list's items a call is made, after "if its"; for all if there is nothing.
pub(crate) fn each_where(each: &Each) -> Option<String> {
    let (pointer, parameter) = each.only.as_ref()?;
    Some(format!("{} is that of {parameter}", dotted(pointer)))
}

/// `on`, `off` or the choice.
pub(crate) fn option_value(value: &OptionValue) -> &str {
    match value {
        OptionValue::Switch(true) => "on",
        OptionValue::Switch(false) => "off",
        OptionValue::Choice(choice) => choice,
    }
}

/// The type of a parameter and what v1 took: `int, 1 to 300`.
pub(crate) fn kind(part: &Part) -> String {
    let mut facts = vec![kind_name(part.kind).to_owned()];
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
    facts.extend(part.default.map(|default| format!("{default} if absent")));
    facts.join(", ")
}

/// The name of a type, as the catalog has it.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::File => "file",
        Kind::Int => "int",
        Kind::List => "list",
        Kind::Secret => "secret",
        Kind::String => "string",
        Kind::Text => "text",
        Kind::Time => "time",
    }
}

/// A conversion in a word or two; nothing if the value stays as it is.
pub(crate) fn conversion_in_short(field: &Field) -> &'static str {
    match &field.conversion {
        Conversion::Same => "",
        Conversion::Negate => "negated",
        Conversion::Word => "if it is one word",
        Conversion::Table { .. } => "by a table",
        Conversion::RoundUp(_) => "rounded up",
        Conversion::Choice(_) => "two flags, one value",
    }
}

/// A value as a table shows it: texts without quotes, but an empty one with them.
pub(crate) fn literal(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => value.to_string(),
    }
}
