//! Keys and secrets in plain text: where they stand, and how reports hide them.

use crate::{
    facts::{
        Place,
        syntax::{Extract, Piece, Role},
    },
    language::Language,
    names::{last_identifier, names_credential},
    source::Lines,
};

/// A key or secret that stands in the file.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// The name that it has.
    pub(crate) name: String,
    /// Where the value stands.
    pub(crate) place: Place,
}

/// The keys and secrets that stand in a file.
///
/// `stand_ins` are words of values that are no secrets, as in `your-api-key`.
pub(super) fn find(
    extract: &Extract,
    language: Language,
    lines: &Lines,
    stand_ins: &[String],
) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for text in extract.texts.iter().filter(|text| text.role == Role::Value) {
        let name = text.target.as_deref().filter(|name| names_credential(name));
        for piece in &text.pieces {
            let Piece::Text { value, at } = piece else {
                continue;
            };
            let found = if matches!(language, Language::Data(_)) {
                data_secret(value, *at)
            } else if let (Some(name), [_]) = (name, text.pieces.as_slice()) {
                Some((name.to_owned(), value.as_str(), *at))
            } else {
                None
            };
            for (name, value, at) in found.into_iter().chain(query_secrets(value, *at)) {
                if is_plain_secret(value, stand_ins) {
                    secrets.push(Secret {
                        name: last_identifier(&name).to_owned(),
                        place: Place::of(lines, at, at + value.len()),
                    });
                }
            }
        }
    }
    secrets
}

/// `…?api_key=…&api_secret=…` in a text.
fn query_secrets(text: &str, at: usize) -> Vec<(String, &str, usize)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for part in text.split(['&', '?']) {
        if let Some((name, value)) = part.split_once('=')
            && names_credential(name)
            && name.len() < 24
        {
            found.push((name.to_owned(), value, at + offset + name.len() + 1));
        }
        offset += part.len() + 1;
    }
    found
}

/// `ZOOM_API_SECRET=…` and `"api_secret": "…"` in a line of data.
fn data_secret(line: &str, at: usize) -> Option<(String, &str, usize)> {
    let split = line.find(['=', ':'])?;
    let name = line.get(..split)?;
    if !names_credential(name) {
        return None;
    }
    let rest = line.get(split + 1..)?;
    let start = rest.find(|c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '=' | '>'))?;
    let value = rest.get(start..)?;
    let end = value
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '<' | ';'))
        .unwrap_or(value.len());
    let value = value.get(..end)?;
    Some((name.trim().to_owned(), value, at + split + 1 + start))
}

/// True if a value may be a real key: long, mixed, and no stand-in.
fn is_plain_secret(value: &str, stand_ins: &[String]) -> bool {
    let lower = value.to_ascii_lowercase();
    let stand_in = stand_ins.iter().any(|word| lower.contains(word.as_str()));
    (16..=80).contains(&value.len())
        && !stand_in
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
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
