//! Keys and secrets in plain text: detection, and masking in reports.

mod rows;
mod services;
mod variables;

use std::ops::RangeInclusive;

use crate::{
    facts::{
        Place,
        secrets::{rows::Rows, variables::Variables},
        syntax::{Call, Extract, is_within},
    },
    language::Language,
    names::{contains_zoom, last_identifier, names_credential, split_words},
    rules::{Words, has},
    source::{Lines, ceil, runs},
};

/// A key or secret in a file.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// The name before it.
    pub(crate) name: String,
    /// The place of its value.
    pub(crate) place: Place,
    /// Reason why it may be a credential of v1.
    pub(crate) sign: Sign,
}

/// Reason why a value may be a credential of v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It has a name of v1: `api_key`.
    Named,
    /// Two values are named `key` and `secret`.
    Pair,
    /// It is an argument of the call that starts at that byte.
    Argument(usize),
}

/// Finds the keys and secrets outside of comments and prose.
pub(super) fn find(
    source: &str,
    language: Language,
    extract: &Extract,
    lines: &Lines,
    words: &Words,
) -> Vec<Secret> {
    let unquoted = matches!(
        language,
        Language::Data(_) | Language::Bash | Language::Markup
    );
    let comments = extract.comments();
    let is_commented = |at: usize| is_within(&comments, at);
    let variables = Variables::of(source, extract, words);
    let rows = Rows::of(source, language, words);
    let argument = |value: &str| {
        let given = |call: &&Call| call.strings.iter().any(|given| given == value);
        extract.calls.iter().find(given)
    };
    let mut secrets = Vec::new();
    for (at, value) in keys(source) {
        if !is_plain_secret(value, &words.stand_ins) || is_commented(at) {
            continue;
        }
        if !unquoted && !is_quoted(source, at, value.len()) {
            continue;
        }
        let full_name = name_before(source, at, &words.value_words).unwrap_or_default();
        let (name, last) = (full_name, last_identifier(full_name));
        let (name, sign) = if names_credential(last) {
            (last, Sign::Named)
        } else if names_credential(name) || names_zoom_secret(name, words) {
            (name, Sign::Named)
        } else if let Some(name) = rows.name(at) {
            (name, Sign::Named)
        } else if matches!(last.to_ascii_lowercase().as_str(), "key" | "secret") {
            (last, Sign::Pair)
        } else if let Some(name) = variables.credential(last, at) {
            (name, Sign::Named)
        } else if abbreviates_secret(name, words) {
            (name, Sign::Named)
        } else {
            let Some(call) = argument(value) else {
                continue;
            };
            let is_first = call.strings.first().is_some_and(|first| first == value);
            let name = if is_first { "API key" } else { "API secret" };
            (name, Sign::Argument(call.start))
        };
        if services::is_of_another(source, language, full_name, value, at, words) {
            continue;
        }
        secrets.push(Secret {
            name: name.to_owned(),
            place: Place::of(lines, at, at + value.len()),
            sign,
        });
    }
    let pair = |name: &str| {
        let named = |secret: &Secret| secret.name.eq_ignore_ascii_case(name);
        secrets
            .iter()
            .any(|secret| secret.sign == Sign::Pair && named(secret))
    };
    let is_pair = pair("key") && pair("secret");
    for secret in secrets.iter_mut().filter(|_| !is_pair) {
        if secret.sign == Sign::Pair
            && let Some(value) = source
                .get(secret.place.at..)
                .and_then(|rest| keys(rest).next())
            && let Some(call) = argument(value.1)
        {
            secret.sign = Sign::Argument(call.start);
        }
    }
    secrets.retain(|secret| is_pair || secret.sign != Sign::Pair);
    secrets
}

/// The runs of letters, digits, `_` and `-` that are as long as a key, with their offsets.
fn keys(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    runs(text, is_part).filter(|(_, run)| LENGTH.contains(&run.len()))
}

/// True if a value is a whole quoted text, or is behind `name=` in one.
fn is_quoted(source: &str, at: usize, length: usize) -> bool {
    let before = source.get(..at).and_then(|head| head.chars().next_back());
    let after = source
        .get(at + length..)
        .and_then(|rest| rest.chars().next());
    let closes = |letter: Option<char>| matches!(letter, Some('"' | '\'' | '`' | '&' | '\\'));
    matches!(before, Some('"' | '\'' | '`')) || before == Some('=') && closes(after)
}

/// The name before a value on its line, or at the end of the line above: `key: "…"`,
/// `put("key", "…")`, `<add key="name" value="…"/>`. Words such as `value` are skipped.
fn name_before<'s>(source: &'s str, at: usize, value_words: &[String]) -> Option<&'s str> {
    /// Maximum distance between name and value, in bytes.
    const BEFORE: usize = 160;
    /// Maximum number of words checked before a value.
    const WORDS: usize = 4;
    let floor = ceil(source, at.saturating_sub(BEFORE));
    let mut head = source.get(floor..at)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for _ in 0..WORDS {
        let end = head.trim_end_matches(|c| !is_part(c)).len();
        let between = head.get(end..)?;
        if end == 0 || between.contains(';') || between.matches('\n').count() > 1 {
            return None;
        }
        let start = head.get(..end)?.trim_end_matches(is_part).len();
        let word = head.get(start..end)?;
        let closes = head.get(..start)?.ends_with("</");
        if !closes && !has(value_words, &word.to_ascii_lowercase()) {
            return Some(word);
        }
        head = head.get(..start)?;
    }
    None
}

/// `ZOOM_KEY`, `zoomSecret`
fn names_zoom_secret(name: &str, words: &Words) -> bool {
    let parts = split_words(name);
    let mut endings = words.credential_words.iter();
    contains_zoom(name)
        && endings.any(|ending| parts.iter().any(|part| part.ends_with(ending.as_str())))
}

/// `ZOOM_API_SEC`, `zoomSec`
fn abbreviates_secret(name: &str, words: &Words) -> bool {
    split_words(name).windows(2).any(|pair| {
        matches!(pair, [before, short] if matches!(before.as_str(), "zoom" | "api")
            && has(&words.credential_abbreviations, short))
    })
}

/// Length of a key or secret, in bytes.
const LENGTH: RangeInclusive<usize> = 16..=80;

/// True if a value may be a real key: long, random, and not a placeholder.
fn is_plain_secret(value: &str, stand_ins: &[String]) -> bool {
    let lower = value.to_ascii_lowercase();
    let stand_in = stand_ins.iter().any(|word| lower.contains(word.as_str()));
    LENGTH.contains(&value.len())
        && !stand_in
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && (value.bytes().any(|b| b.is_ascii_digit()) || is_mixed(value))
}

/// True for letters of both cases in random order: `aKdRwQzLpTmXvBnY`.
fn is_mixed(value: &str) -> bool {
    let switches = case_switches(value);
    // A name such as `zoomApiSecretFromStore` has a capital about every five letters.
    switches >= 4 && switches * 4 >= value.len()
}

/// Number of lower-case letters that a capital follows.
fn case_switches(value: &str) -> usize {
    let pairs = value.as_bytes().windows(2);
    pairs
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count()
}

/// Masks the values of keys, secrets, tokens and passwords in a line, because reports are shared.
pub(crate) fn mask(line: &str, secret_words: &[String]) -> String {
    let lower = line.to_ascii_lowercase();
    if !secret_words
        .iter()
        .any(|word| lower.contains(word.as_str()))
    {
        return line.to_owned();
    }
    let mut masked = String::with_capacity(line.len());
    let mut run = String::new();
    let mut before = ' ';
    for letter in line.chars().chain(std::iter::once('\n')) {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') {
            run.push(letter);
            continue;
        }
        if is_secret_like(&run, before) {
            masked.push('…');
        } else {
            masked.push_str(&run);
        }
        run.clear();
        before = letter;
        if letter != '\n' {
            masked.push(letter);
        }
    }
    masked
}

/// True for a long run of random letters and digits: `Qm5xT2sWb0aLr7Vd3HkYpg`. The character before
/// it separates values from names.
fn is_secret_like(run: &str, before: char) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let given = matches!(before, '"' | '\'' | '=' | ':' | ' ' | '`');
    let switches = case_switches(run);
    run.len() >= 12 && given && (digits >= 2 || run.len() >= 16 && switches >= 3 && before != ' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;

    #[test]
    fn values_of_credentials_are_masked_and_names_are_not() {
        let catalog = mappings::Catalog::embedded().unwrap();
        let words = Knowledge::from_catalog(&catalog, &[]).secret_words;
        let line =
            r"curl -d api_key=Qm5xT2sWb0aLr7Vd3HkYpg https://api.zoom.us/v1/user/autocreate2";
        assert_eq!(
            mask(line, &words),
            r"curl -d api_key=… https://api.zoom.us/v1/user/autocreate2"
        );
        let call = "return $this->sendRequest('user/updatepassword', $updateUserPasswordArray);";
        assert_eq!(mask(call, &words), call);
    }
}
