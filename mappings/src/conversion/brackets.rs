//! A text with another one in brackets at its end: `San Jose (US)`.

/// What stands before the brackets; nothing without brackets.
pub(super) fn before(text: &str) -> &str {
    split(text).map_or("", |(before, _)| before)
}

/// What stands in the brackets; all of the text without brackets.
pub(super) fn inside(text: &str) -> &str {
    split(text).map_or(text, |(_, inside)| inside)
}

fn split(text: &str) -> Option<(&str, &str)> {
    let (before, inside) = text.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    Some((before.trim(), inside.trim()))
}
