//! Suppression comments: `migrate-ignore: reason`.

use std::collections::BTreeMap;

use memchr::memmem;

/// Start of a suppression comment. A colon and a reason must follow.
const MARK: &str = "migrate-ignore";

/// Collects the lines with suppressed findings: the line of the comment, and the next line if the
/// comment has its own line.
pub(crate) fn collect(source: &str, suppressions: &mut BTreeMap<usize, String>) {
    if memmem::find(source.as_bytes(), MARK.as_bytes()).is_none() {
        return;
    }
    for (index, line) in source.lines().enumerate() {
        let Some(at) = line.find(MARK) else {
            continue;
        };
        let rest = line.get(at + MARK.len()..).unwrap_or_default();
        let Some(reason) = rest.strip_prefix(':').map(clean).filter(|r| !r.is_empty()) else {
            continue;
        };
        let before = line.get(..at).unwrap_or_default();
        let alone = !before.chars().any(char::is_alphanumeric);
        suppressions.insert(index + 1, reason.to_owned());
        if alone {
            suppressions.insert(index + 2, reason.to_owned());
        }
    }
}

fn clean(reason: &str) -> &str {
    reason
        .trim()
        .trim_end_matches("*/")
        .trim_end_matches("-->")
        .trim_end_matches("%>")
        .trim_end_matches("#}")
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_alone_covers_the_next_line_and_needs_a_reason() {
        let mut found = BTreeMap::new();
        collect(
            "# migrate-ignore: kept for tests\ncall()\nx() // migrate-ignore\ny() // migrate-ignore: z",
            &mut found,
        );
        let lines: Vec<_> = found.into_iter().collect();
        assert_eq!(
            lines,
            [
                (1, "kept for tests".into()),
                (2, "kept for tests".into()),
                (4, "z".into())
            ]
        );
    }
}
