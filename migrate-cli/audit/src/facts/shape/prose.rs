//! Finds v1 in longer texts, in which it may be anywhere.

use memchr::memchr;

use crate::{
    facts::{
        shape::{Shape, Sighting, urls},
        syntax::fold::HOLE,
    },
    knowledge::Knowledge,
    rules::Hosts,
};

/// Finds URLs and paths anywhere in a text.
pub(crate) fn in_prose(text: &str, hosts: &Hosts, knowledge: &Knowledge) -> Vec<Sighting> {
    let mut found = urls(text, hosts, knowledge);
    let covered: Vec<_> = found
        .iter()
        .map(|sighting| sighting.start..sighting.end)
        .collect();
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, _) in text.match_indices('/') {
        if covered.iter().any(|range| range.contains(&at)) {
            continue;
        }
        // The start of the word before the slash.
        let start = bytes
            .get(..at)
            .unwrap_or_default()
            .iter()
            .rposition(|byte| !byte.is_ascii_alphanumeric())
            .map_or(0, |before| before + 1);
        let Some(word) = text.get(start..at).filter(|word| !word.is_empty()) else {
            continue;
        };
        if !knowledge.is_head(&word.to_ascii_lowercase())
            || !starts_path(text, start)
            || follows_verb_of_v2(text, start)
        {
            continue;
        }
        if let Some(path) = text.get(start..).and_then(|rest| knowledge.path_at(rest))
            && !path.continues
            && start >= done
            && ends_path(text, start + path.length)
        {
            let name = text.get(start..start + path.length).unwrap_or_default();
            done = start + path.length;
            found.push(Sighting {
                shape: Shape::Endpoint {
                    operation: path.operation,
                    path: name.to_ascii_lowercase(),
                    exact: name.bytes().all(|byte| !byte.is_ascii_uppercase()),
                    versioned: text.get(..start).is_some_and(|head| head.ends_with("v1/")),
                    based: text.get(..start).is_some_and(|head| head.ends_with(HOLE)),
                },
                start,
                end: start + path.length,
            });
        }
    }
    found
}

/// Finds the names of the API itself.
pub(crate) fn names(text: &str, phrases: &[String]) -> Vec<Sighting> {
    // All phrases contain the version.
    if memchr(b'1', text.as_bytes()).is_none() {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for phrase in phrases {
        for (start, _) in lower.match_indices(phrase.as_str()) {
            let end = start + phrase.len();
            let apart = |letter: Option<char>| letter.is_none_or(|c| !c.is_alphanumeric());
            let before = lower.get(..start).and_then(|head| head.chars().next_back());
            let after = lower.get(end..).unwrap_or_default();
            // v1.6 is the version of something else.
            let number = after
                .strip_prefix('.')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if apart(before) && apart(after.chars().next()) && !number {
                found.push(Sighting {
                    shape: Shape::Name,
                    start,
                    end,
                });
            }
        }
    }
    found
}

/// True if a path may start at that offset, false inside a longer path.
fn starts_path(text: &str, start: usize) -> bool {
    let head = text.get(..start).unwrap_or_default();
    let Some(before) = head.chars().next_back() else {
        return true;
    };
    match before {
        '/' => {
            let rest = head.strip_suffix('/').unwrap_or_default();
            rest.ends_with("v1")
                || rest.ends_with('}')
                || ends_with_variable(rest)
                || !rest.chars().next_back().is_some_and(|c| {
                    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ')')
                })
        }
        '.' | '-' | '_' | '\\' | '~' | '$' | '@' => false,
        _ => true,
    }
}

/// True for a path behind a method that v1 did not have: `**GET** /metrics/im`. Only the path with
/// v1's version is v1's in spite of it.
fn follows_verb_of_v2(text: &str, start: usize) -> bool {
    /// Requests to v1 were all POST.
    const VERBS: [&str; 4] = ["GET", "PUT", "PATCH", "DELETE"];
    let head = text.get(..start).unwrap_or_default();
    let before = head.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let between = head.get(before.len()..).unwrap_or_default();
    let word = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    let verb = before.get(word.len()..).unwrap_or_default();
    !between.contains('\n') && VERBS.contains(&verb)
}

/// True for a variable of a shell or a Makefile that may hold a base URL: `$ZOOM_API`, `$(BASE)`.
fn ends_with_variable(text: &str) -> bool {
    let (name, opening) = match text.strip_suffix(')') {
        Some(inner) => (inner, "$("),
        None => (text, "$"),
    };
    let head = name.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let name = name.strip_prefix(head).unwrap_or_default();
    // A path below a local folder is not a path of a server.
    let folder = ["HOME", "PWD", "DIR"]
        .iter()
        .any(|word| name.contains(word));
    !name.is_empty() && !folder && head.ends_with(opening)
}

fn ends_path(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let mut letters = rest.chars();
    match letters.next() {
        Some('.') => !letters.next().is_some_and(char::is_alphanumeric),
        Some('-' | '_' | '(') => false,
        _ => true,
    }
}
