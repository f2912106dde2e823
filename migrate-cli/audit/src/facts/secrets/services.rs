//! Keys of other services: by the name, by the section around it, and by the value's own prefix.

use crate::{
    language::Language,
    names::{contains_zoom, split_words},
    rules::{Words, has},
    source::ceil,
};

/// Maximum distance between a key and the start of its section, in bytes.
const SECTION: usize = 400;
/// Maximum number of sections around a key that are looked at.
const DEPTH: usize = 3;

/// True if a key belongs to another service: `STRIPE_API_KEY`, `firebase: { apiKey: … }`, `AIza…`.
/// The name next to the key counts first; the word zoom in one makes it Zoom's.
pub(super) fn is_of_another(
    source: &str,
    language: Language,
    name: &str,
    value: &str,
    at: usize,
    words: &Words,
) -> bool {
    let mut prefixes = words.other_key_prefixes.iter();
    if prefixes.any(|prefix| value.starts_with(prefix.as_str())) {
        return true;
    }
    let floor = ceil(source, at.saturating_sub(SECTION));
    let before = source.get(floor..at).unwrap_or_default();
    let sections = if matches!(language, Language::Data(_)) && !before.contains('{') {
        indented(before)
    } else {
        bracketed(before)
    };
    let names = std::iter::once(name).chain(sections);
    for name in names {
        let parts = split_words(name);
        if contains_zoom(name) {
            return false;
        }
        if parts.iter().any(|part| has(&words.other_services, part)) {
            return true;
        }
    }
    false
}

/// The texts before the brackets that are open at the end, the innermost first.
fn bracketed(before: &str) -> Vec<&str> {
    let (mut sections, mut closed) = (Vec::new(), 0_usize);
    for (at, letter) in before.bytes().enumerate().rev() {
        match letter {
            b'}' | b']' | b')' => closed += 1,
            b'{' | b'[' | b'(' if closed > 0 => closed -= 1,
            b'{' | b'[' | b'(' => {
                let line = before.get(..at).unwrap_or_default();
                sections.push(line.rsplit(['\n', ';', ',']).next().unwrap_or_default());
            }
            _ => {}
        }
        if sections.len() == DEPTH {
            break;
        }
    }
    sections
}

/// The headings of the section at the end of a settings file: `[name]`, and keys with less indentation.
fn indented(before: &str) -> Vec<&str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = before.lines().rev();
    let mut inner = lines.next().map_or(0, depth);
    let mut sections = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let is_heading = line.trim_start().starts_with('[');
        if is_heading || depth(line) < inner {
            sections.push(line);
            inner = depth(line);
        }
        if is_heading || sections.len() == DEPTH {
            break;
        }
    }
    sections
}
