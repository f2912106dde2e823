//! Finds and replaces secrets and addresses in free text.

use memchr::{memchr_iter, memchr3_iter};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Prefix of JWTs: `{"` in base64.
const TOKEN: &str = "eyJ";

/// Secrets shorter than this are replaced only as whole words, because they occur in unrelated
/// words.
const SHORT: usize = 6;

/// Email address in a text.
pub(super) struct Found<'t> {
    local: &'t str,
    /// The separator as written: `@` or `%40`.
    pub(super) at: &'t str,
    pub(super) domain: &'t str,
}

impl Found<'_> {
    pub(super) fn as_written(&self) -> String {
        format!("{}{}{}", self.local, self.at, self.domain)
    }

    pub(super) fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }
}

/// The encodings in which a text may be quoted: verbatim, URL, form and JSON.
pub(super) fn written_forms(text: &str) -> Vec<String> {
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    // Encoders differ in their unescaped characters; these are common to URLs and forms.
    let lenient: String = url_form(text);
    let json = Value::from(text).to_string();
    let json = json.trim_matches('"').to_owned();
    let mut forms = vec![
        text.to_owned(),
        lenient.replace("%20", "+"),
        lenient,
        encoded,
        json,
    ];
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn url_form(text: &str) -> String {
    const LEFT_ALONE: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'*');
    utf8_percent_encode(text, LEFT_ALONE).to_string()
}

/// Replaces all occurrences of a secret.
pub(super) fn replace(text: &str, secret: &str, by: &str) -> String {
    if secret.len() < SHORT {
        replace_word(text, secret, by)
    } else {
        text.replace(secret, by)
    }
}

/// Replaces all occurrences of a word that are not part of a longer one.
pub(super) fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while !word.is_empty()
        && let Some((head, tail)) = rest.split_once(word)
    {
        let before_word = head.chars().next_back().or(before);
        let stands_alone = !before_word.is_some_and(char::is_alphanumeric)
            && !tail.chars().next().is_some_and(char::is_alphanumeric);
        out.push_str(head);
        out.push_str(if stands_alone { by } else { word });
        before = word.chars().next_back();
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Cheap pre-check: false if [`patterns`] certainly finds nothing, as in most texts.
pub(super) fn may_have_patterns(text: &str) -> bool {
    let bytes = text.as_bytes();
    let before = |at: usize| bytes.get(..at).unwrap_or_default();
    let ends_scheme = |at: usize| {
        let last = before(at).last();
        last.is_some_and(|last| SCHEME_ENDS.contains(&last.to_ascii_lowercase()))
    };
    memchr3_iter(b'=', b':', b' ', bytes).any(|at| match bytes.get(at) {
        Some(b' ') => ends_scheme(at),
        _ => bytes.get(at..).is_some_and(|rest| rest.starts_with(b"://")) || names(before(at)),
    }) || memchr_iter(b'J', bytes).any(|at| before(at).ends_with(b"ey"))
}

/// True if a text may end with the name of a secret; numbers and timestamps do not.
fn names(text: &[u8]) -> bool {
    let quotes = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b' ');
    let name = text.iter().rev().skip_while(|byte| quotes(byte));
    let name = name.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let mut first = None;
    let mut is_plain = true;
    for byte in name {
        is_plain &= byte.is_ascii_digit() || matches!(byte, b'-' | b'T');
        first = Some(byte);
    }
    first.is_some_and(|first| !(is_plain && first.is_ascii_digit()))
}

/// Replaces likely secrets: values after the name of a secret, credentials after `Bearer` and
/// `Basic`, JWTs, and URL queries.
pub(super) fn patterns(text: &str, is_secret: &dyn Fn(&str) -> bool, by: &str) -> String {
    let mut text = text.to_owned();
    if text.contains(['=', ':']) {
        text = named_values(&text, is_secret, by);
    }
    if text.contains(' ') {
        text = schemes(&text, by);
    }
    if text.contains("://") || text.contains(TOKEN) {
        text = words(&text, by);
    }
    text
}

/// `name=value`, `name: value` and `"name":"value"`.
fn named_values(text: &str, is_secret: &dyn Fn(&str) -> bool, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (head, tail) = rest.split_at(at);
        let name = head
            .trim_end_matches(['"', '\'', '\\', ' '])
            .rsplit(|char: char| !(char.is_ascii_alphanumeric() || "_-".contains(char)))
            .next()
            .unwrap_or_default();
        let value_at = 1 + tail
            .get(1..)
            .unwrap_or_default()
            .find(|char| !['"', '\'', '\\', ' '].contains(&char))
            .unwrap_or_default();
        let (sign, behind) = tail.split_at_checked(value_at).unwrap_or((tail, ""));
        out.push_str(head);
        out.push_str(sign);
        rest = behind;
        // Authentication schemes are handled by `schemes`.
        let starts_with_scheme = SCHEMES.iter().any(|scheme| starts_with(behind, scheme));
        if !name.is_empty() && is_secret(&name.replace('-', "_")) && !starts_with_scheme {
            let (value, after) = behind.split_at(value_end(behind, by));
            out.push_str(if value.is_empty() { "" } else { by });
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The end of a value, which may begin with an earlier replacement.
fn value_end(text: &str, by: &str) -> usize {
    let begun = if text.starts_with(by) { by.len() } else { 0 };
    let rest = text.get(begun..).unwrap_or_default();
    begun + rest.find(ends_value).unwrap_or(rest.len())
}

fn ends_value(char: char) -> bool {
    char.is_whitespace() || "&;,\"'\\<>)}]".contains(char)
}

/// The authentication schemes of HTTP.
const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// Last letters of the scheme names.
const SCHEME_ENDS: [u8; 2] = [b'r', b'c'];

fn starts_with(text: &str, scheme: &str) -> bool {
    let start = text.get(..scheme.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn schemes(text: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    'text: while !rest.is_empty() {
        for scheme in SCHEMES {
            if starts_with(rest, scheme) {
                let (name, behind) = rest.split_at(scheme.len());
                let behind = behind.trim_start();
                let (value, after) = behind.split_at(value_end(behind, by));
                out.push_str(name);
                out.push_str(if value.is_empty() { "" } else { by });
                rest = after;
                continue 'text;
            }
        }
        let next = rest.chars().next().map_or(0, char::len_utf8);
        let (char, after) = rest.split_at(next);
        out.push_str(char);
        rest = after;
    }
    out
}

/// Replaces JWTs and the queries of URLs.
fn words(text: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let is_end = |char: char| char.is_whitespace() || "\"'<>\\,;()".contains(char);
    for piece in text.split_inclusive(is_end) {
        let (word, end) = match piece.char_indices().next_back() {
            Some((at, char)) if is_end(char) => piece.split_at(at),
            _ => (piece, ""),
        };
        if let Some(at) = word.find(TOKEN)
            && word.matches('.').count() >= 2
        {
            out.push_str(word.get(..at).unwrap_or_default());
            out.push_str(by);
        } else if let Some(scheme) = word.find("://")
            && let Some(query) = word.find(['?', '#']).filter(|query| *query > scheme)
            && query + 1 < word.len()
        {
            let (address, query) = word.split_at(query);
            out.push_str(&without_user(address, by));
            out.push_str(query.get(..1).unwrap_or_default());
            out.push_str(by);
        } else {
            out.push_str(&without_user(word, by));
        }
        out.push_str(end);
    }
    out
}

/// Removes the user from `https://user:password@host`.
fn without_user(address: &str, by: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest.split_at(host) {
        (authority, path) if authority.contains('@') => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{by}@{host}{path}")
        }
        _ => address.to_owned(),
    }
}

/// Replaces all addresses in a text.
pub(super) fn addresses(text: &str, by: &dyn Fn(Found<'_>) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, sign)) = next_sign(rest) {
        let (head, tail) = rest.split_at(at);
        let (sign, behind) = tail.split_at(sign);
        let local_at = head
            .char_indices()
            .rev()
            .take_while(|(_, char)| {
                char.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(*char)
            })
            .last()
            .map_or(head.len(), |(at, _)| at);
        let local_at = local_at + head.get(local_at..).map_or(0, quoted);
        let (before, local) = head.split_at(local_at);
        let end = behind
            .find(|char: char| !(char.is_alphanumeric() || ".-".contains(char)))
            .unwrap_or(behind.len());
        let domain = behind.get(..end).unwrap_or_default().trim_end_matches('.');
        let (domain, after) = behind.split_at(domain.len());
        out.push_str(before);
        if local.is_empty() || domain.is_empty() {
            out.push_str(local);
            out.push_str(sign);
            rest = behind;
        } else {
            out.push_str(&by(Found {
                local,
                at: sign,
                domain,
            }));
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Length of a prefix that is not part of the address: `'`, `mailto=`, a path.
fn quoted(local: &str) -> usize {
    let end = local.rfind(['\'', '=', '/', '?', '&', '{', '`', '#']);
    end.map_or(0, |at| at + 1)
}

fn next_sign(text: &str) -> Option<(usize, usize)> {
    let plain = text.find('@').map(|at| (at, 1));
    let encoded = text.find("%40").map(|at| (at, 3));
    match (plain, encoded) {
        (Some(plain), Some(encoded)) => Some(plain.min(encoded)),
        (plain, encoded) => plain.or(encoded),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_timestamps_have_no_patterns() {
        for text in [
            "2019-03-04T08:30:00Z",
            "Analytical Engines",
            "6.2.5.47095(win)",
            "a=",
            "",
        ] {
            assert!(!may_have_patterns(text) || text == "a=", "{text}");
        }
        for text in [
            "token=x",
            "Basic eA==",
            "bearer x",
            "http://x",
            "a eyJ",
            "\"pwd\" : 1",
        ] {
            assert!(may_have_patterns(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn pre_check_has_no_false_negatives(
            text in "([a-z0-9T:=_ \"'\\\\-]|bearer |Basic |BASIC\t|eyJ|://|\\?|token|é){0,12}",
        ) {
            // Any name counts as secret.
            let is_secret = |name: &str| !name.bytes().all(|byte| b"0123456789_T".contains(&byte));
            if !may_have_patterns(&text) {
                prop_assert_eq!(patterns(&text, &is_secret, "[gone]"), text);
            }
        }
    }
}
