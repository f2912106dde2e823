//! Keys and secrets in plain text: where they stand, and how reports hide them.

use std::ops::RangeInclusive;

use crate::{
    facts::{
        Place,
        syntax::{Call, Extract, Piece, Role},
    },
    language::Language,
    names::{last_identifier, names_credential, split_words},
    rules::{Words, has},
    source::Lines,
};

/// A key or secret that stands in the file.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// The name that it has.
    pub(crate) name: String,
    /// Where the value stands.
    pub(crate) place: Place,
    /// What makes it a credential of v1.
    pub(crate) sign: Sign,
}

/// What makes a value a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It is called as v1 calls it: `api_key`.
    Named,
    /// It is called `key` or `secret`, beside the other one.
    Pair,
    /// It is an argument of the call that starts at that byte.
    Argument(usize),
}

/// The keys and secrets that stand in a file, outside of comments and prose.
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
    let mut comments: Vec<(usize, usize)> = extract
        .texts
        .iter()
        .filter(|text| text.role != Role::Value)
        .flat_map(|text| &text.pieces)
        .filter_map(|piece| match piece {
            Piece::Text { value, at } => Some((*at, *at + value.len())),
            Piece::Hole(_) => None,
        })
        .collect();
    comments.sort_unstable();
    let is_commented = |at: usize| {
        let after = comments.partition_point(|(start, _)| *start <= at);
        let last = after.checked_sub(1).and_then(|index| comments.get(index));
        last.is_some_and(|(_, end)| at < *end)
    };
    let mut secrets = Vec::new();
    for (at, value) in runs(source) {
        if !is_plain_secret(value, &words.stand_ins) || is_commented(at) {
            continue;
        }
        if !unquoted && !is_quoted(source, at, value.len()) {
            continue;
        }
        let name = name_before(source, at, &words.value_words).unwrap_or_default();
        let last = last_identifier(name);
        let (name, sign) = if names_credential(last) {
            (last, Sign::Named)
        } else if names_credential(name) || names_zoom_secret(name) {
            (name, Sign::Named)
        } else if matches!(last.to_ascii_lowercase().as_str(), "key" | "secret") {
            (last, Sign::Pair)
        } else {
            let given = |call: &&Call| call.strings.iter().any(|given| given == value);
            let Some(call) = extract.calls.iter().find(given) else {
                continue;
            };
            let is_first = call.strings.first().is_some_and(|first| first == value);
            let name = if is_first { "API key" } else { "API secret" };
            (name, Sign::Argument(call.start))
        };
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
    secrets.retain(|secret| is_pair || secret.sign != Sign::Pair);
    secrets
}

/// The runs of letters, digits, `_` and `-` in a text that are as long as a key, with their places.
fn runs(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut at = 0;
    source
        .split(move |c| !is_part(c))
        .map(move |run| {
            let start = at;
            at += run.len();
            at += source
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
            (start, run)
        })
        .filter(|(_, run)| LENGTH.contains(&run.len()))
}

/// True if a value stands in a text by itself, or behind `name=` in one.
fn is_quoted(source: &str, at: usize, length: usize) -> bool {
    let before = source.get(..at).and_then(|head| head.chars().next_back());
    let after = source
        .get(at + length..)
        .and_then(|rest| rest.chars().next());
    let closes = |letter: Option<char>| matches!(letter, Some('"' | '\'' | '`' | '&' | '\\'));
    matches!(before, Some('"' | '\'' | '`')) || before == Some('=') && closes(after)
}

/// The name that stands before a value, in the line or at the end of the one above: `key: "…"`,
/// `put("key", "…")`, `<add key="name" value="…"/>`. Words such as `value` are passed over.
fn name_before<'s>(source: &'s str, at: usize, value_words: &[String]) -> Option<&'s str> {
    /// How far before a value its name is looked for, in bytes.
    const BEFORE: usize = 160;
    /// How many words may stand between a name and its value.
    const WORDS: usize = 4;
    let mut floor = at.saturating_sub(BEFORE);
    while !source.is_char_boundary(floor) {
        floor += 1;
    }
    let mut head = source.get(floor..at)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for _ in 0..WORDS {
        let end = head.rfind(is_part)? + 1;
        let between = head.get(end..)?;
        if between.contains(';') || between.matches('\n').count() > 1 {
            return None;
        }
        let start = head.get(..end)?.rfind(|c| !is_part(c)).map_or(0, |before| {
            let letter = head.get(before..).and_then(|rest| rest.chars().next());
            before + letter.map_or(1, char::len_utf8)
        });
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
fn names_zoom_secret(name: &str) -> bool {
    let words = split_words(name);
    name.to_ascii_lowercase().contains("zoom")
        && words
            .iter()
            .any(|word| word.ends_with("key") || word.ends_with("secret"))
}

/// How long a key or secret may be, in bytes.
const LENGTH: RangeInclusive<usize> = 16..=80;

/// True if a value may be a real key: long, mixed, and no stand-in.
fn is_plain_secret(value: &str, stand_ins: &[String]) -> bool {
    let lower = value.to_ascii_lowercase();
    let stand_in = stand_ins.iter().any(|word| lower.contains(word.as_str()));
    LENGTH.contains(&value.len())
        && !stand_in
        && value.bytes().any(|b| b.is_ascii_alphabetic())
        && (value.bytes().any(|b| b.is_ascii_digit()) || is_mixed(value))
}

/// True for letters of both cases in no order that words have: `aKdRwQzLpTmXvBnY`.
fn is_mixed(value: &str) -> bool {
    let switches = value
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count();
    // A name such as `zoomApiSecretFromStore` has a capital every five letters or so.
    switches >= 4 && switches * 4 >= value.len()
}

/// A line without the values of keys, secrets, tokens and passwords: reports end up in tickets.
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

/// True for a long run of letters and digits that is no word: `Qm5xT2sWb0aLr7Vd3HkYpg`. What stands
/// before it tells a value from a name.
fn is_secret_like(run: &str, before: char) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let given = matches!(before, '"' | '\'' | '=' | ':' | ' ' | '`');
    let switches = run
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count();
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
