//! Pieces of text that all formats need.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
};

/// Controls a terminal, ends a line, or turns the direction of a line.
fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A text without control characters and those that turn the direction of a line: names of files may
/// hold what changes a terminal or ends a line.
pub fn plain(text: &str) -> Cow<'_, str> {
    without(text, is_hostile)
}

/// A report of several lines, with only line ends and tabs left of such characters; also the escape
/// sequences of colours if `is_styled`.
pub fn plain_report(text: &str, is_styled: bool) -> Cow<'_, str> {
    without(text, |letter| {
        is_hostile(letter) && !matches!(letter, '\n' | '\t') && !(is_styled && letter == '\x1b')
    })
}

/// JSON in whose texts such characters are escaped.
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

/// `1 use`, `2 uses`
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let noun = if number == N::from(1) { one } else { many };
    format!("{number} {noun}")
}
