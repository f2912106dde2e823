//! Text functions shared by all formats.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
};

use crate::layout::unbroken;

/// True for control characters and characters that change the text direction.
fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Replaces control characters and characters that change the text direction. File names may
/// contain them to manipulate a terminal or fake a line.
pub fn plain(text: &str) -> Cow<'_, str> {
    without(text, is_hostile)
}

/// Sanitizes a multi-line report: keeps line ends and tabs, and escape sequences if `is_styled`.
pub fn plain_report(text: &str, is_styled: bool) -> Cow<'_, str> {
    without(text, |letter| {
        is_hostile(letter) && !matches!(letter, '\n' | '\t') && !(is_styled && letter == '\x1b')
    })
}

/// Escapes such characters in JSON.
pub fn plain_json(text: &str) -> Cow<'_, str> {
    let is_raw = |letter: char| is_hostile(letter) && !matches!(letter, '\n' | '\t');
    if !text.contains(is_raw) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_raw(letter) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

fn without(text: &str, is_left_out: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.contains(&is_left_out) {
        Cow::Owned(text.replace(is_left_out, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The first `most` items, with the others replaced by `and 3 more`.
pub fn first(items: impl ExactSizeIterator<Item = String>, most: usize) -> Vec<String> {
    let others = items.len().saturating_sub(most);
    let more = (others > 0).then(|| unbroken(&format!("and {others} more")));
    items.take(most).chain(more).collect()
}

/// The parts of a text, and whether each stands between backticks. A backtick without a second one
/// is a letter.
pub(crate) fn code_parts(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = Some(text);
    let mut code = None;
    std::iter::from_fn(move || {
        if let Some(code) = code.take() {
            return Some((code, true));
        }
        let text = rest.take()?;
        let Some((before, inside, after)) = text.split_once('`').and_then(|(before, inside)| {
            let (inside, after) = inside.split_once('`')?;
            Some((before, inside, after))
        }) else {
            return Some((text, false));
        };
        (code, rest) = (Some(inside), Some(after));
        Some((before, false))
    })
    .filter(|(part, _)| !part.is_empty())
}

/// `1 use`, `2 uses`
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let noun = if number == N::from(1) { one } else { many };
    format!("{number} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_divide_a_text() {
        let parts = |text| code_parts(text).collect::<Vec<_>>();
        assert_eq!(
            parts("run `a b`."),
            [("run ", false), ("a b", true), (".", false)]
        );
        assert_eq!(parts("`a``b`"), [("a", true), ("b", true)]);
        assert_eq!(parts("5` wide"), [("5` wide", false)]);
        assert_eq!(parts(""), []);
    }
}
