//! Splits a person's name at its last blank.

/// Text before the last blank; the whole text if there is none.
pub(super) fn before_last(text: &str) -> &str {
    split(text).map_or(text.trim(), |(before, _)| before.trim_end())
}

/// Text after the last blank; empty if there is none.
pub(super) fn after_last(text: &str) -> &str {
    split(text).map_or("", |(_, after)| after)
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.trim().rsplit_once(' ')
}
