//! Variables that a script assigns before it sends a request: `DATA="id=a"`, `$body = @{ id = "a" }`.

use std::collections::BTreeMap;

use super::{form, variables::RequestVariables};

/// Words before assignments in POSIX shells and cmd.
const DECLARING: [&str; 6] = ["export", "local", "declare", "readonly", "typeset", "set"];

/// Length up to which a word grows by the values of its variables, in bytes.
const MAX_WORD: usize = 64 * 1024;

/// Replaces variables whose value an earlier command assigns where they stand for a body, for some
/// of its parameters, or for a part of the URL. As the value of a parameter they stay variables,
/// because the translated commands can stand in the same script.
pub(super) fn resolve(
    commands: Vec<Vec<String>>,
    variables: &RequestVariables,
) -> Vec<Vec<String>> {
    // Values by marker.
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut resolved = Vec::new();
    for words in commands {
        for (name, value) in assignments(&words, variables) {
            match value {
                Some(value) => values.insert(name, filled(value, &values, variables)),
                // Changed in a way that is not followed.
                None => values.remove(&name),
            };
        }
        let words = words.into_iter();
        let words = words.flat_map(|word| splatted(word, &values, variables));
        resolved.push(words.map(|word| filled(word, &values, variables)).collect());
    }
    resolved
}

/// The variables that a command assigns, by marker; no value if it is unknown.
fn assignments(words: &[String], variables: &RequestVariables) -> Vec<(String, Option<String>)> {
    let Some((first, rest)) = words.split_first() else {
        return Vec::new();
    };
    // PowerShell: `$name = value`, `$name += value`, `$name.member = value`.
    if let Some(("", marker, after)) = variables.first_in(first) {
        let value = match (after.strip_prefix('='), rest) {
            (Some(value), []) => Some(value.to_owned()),
            (None, [sign, value]) if after.is_empty() && sign == "=" => Some(value.clone()),
            _ => None,
        };
        return vec![(marker, value)];
    }
    let is_declaring = DECLARING.contains(&first.to_lowercase().as_str());
    let words = if is_declaring { rest } else { words };
    let assigned = words.iter().map_while(|word| {
        let (name, value) = word.split_once('=')?;
        let known = name.strip_suffix('+').unwrap_or(name);
        let marker = variables.known(known);
        Some(marker.map(|marker| (marker, (known == name).then(|| value.to_owned()))))
    });
    assigned.flatten().collect()
}

/// `PowerShell`'s `@name`: the options in a hash table.
fn splatted(
    word: String,
    values: &BTreeMap<String, String>,
    variables: &RequestVariables,
) -> Vec<String> {
    let marker = word
        .strip_prefix('@')
        .and_then(|name| variables.known(name));
    let Some(table) = marker.and_then(|marker| values.get(&marker)) else {
        return vec![word];
    };
    let options = form::pairs(table).into_iter().flat_map(|pair| {
        let value = String::from_utf8_lossy(&pair.value).into_owned();
        [format!("-{}", pair.name), value]
    });
    options.collect()
}

/// Fills in the variables of a word that are no values of parameters, as far as it stays short:
/// `A=$A$A` doubles a value.
fn filled(word: String, values: &BTreeMap<String, String>, variables: &RequestVariables) -> String {
    if !variables.is_in(&word) {
        return word;
    }
    // `--post-data=` names no parameter.
    let is_option = |(option, _): &(&str, &str)| option.starts_with('-');
    let option = word.split_once('=').filter(is_option);
    let start = option.map_or(0, |(option, _)| option.len() + 1);
    let (option, mut rest) = word.split_at(start);
    let mut out = option.to_owned();
    let mut is_in_value = false;
    while let Some((before, marker, after)) = variables.first_in(rest) {
        out.push_str(before);
        is_in_value = ends_in_value(before, is_in_value);
        let value = values.get(&marker);
        match value.filter(|value| !is_in_value && out.len() + value.len() < MAX_WORD) {
            Some(value) => {
                out.push_str(value);
                is_in_value = ends_in_value(value, is_in_value);
            }
            None => out.push_str(&marker),
        }
        rest = after;
    }
    out + rest
}

/// True if a text ends within the value of a parameter.
fn ends_in_value(text: &str, before: bool) -> bool {
    let last = text.bytes().rev().find(|byte| matches!(byte, b'=' | b'&'));
    last.map_or(before, |last| last == b'=')
}
