//! Pieces of text that all formats need.

use std::{borrow::Cow, fmt::Display};

/// A text without control characters and those that turn the direction of a line: names of files may
/// hold what changes a terminal or ends a line.
pub fn plain(text: &str) -> Cow<'_, str> {
    let is_hostile = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(is_hostile) {
        Cow::Owned(text.replace(is_hostile, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// `1 use`, `2 uses`
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let noun = if number == N::from(1) { one } else { many };
    format!("{number} {noun}")
}
