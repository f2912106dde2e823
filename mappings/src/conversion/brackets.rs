//! Text with trailing brackets: `San Jose (US)`.

/// Text before the brackets; empty if there are none.
pub(super) fn before(text: &str) -> &str {
    split(text).map_or("", |(before, _)| before)
}

/// Text in the brackets; the whole text if there are none.
pub(super) fn inside(text: &str) -> &str {
    split(text).map_or(text, |(_, inside)| inside)
}

fn split(text: &str) -> Option<(&str, &str)> {
    let (before, inside) = text.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    Some((before.trim(), inside.trim()))
}
