//! What stands before and behind the last blank: names of people in one text.

/// What stands before the last blank; all of the text without a blank.
pub(super) fn before_last(text: &str) -> &str {
    split(text).map_or(text.trim(), |(before, _)| before.trim_end())
}

/// What stands behind the last blank; nothing without a blank.
pub(super) fn after_last(text: &str) -> &str {
    split(text).map_or("", |(_, after)| after)
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.trim().rsplit_once(' ')
}
