//! Requests whose URL is not in the code: v1's credentials beside a parameter that only v1 has.

use std::{collections::BTreeSet, ops::Range};

use memchr::memmem;

use crate::{
    facts::{parameters::named, syntax::enclosing},
    names::last_identifier,
    rules::has,
    source::{ceil, floor, runs},
};

/// Maximum number of functions of a file that are searched for requests without a path.
const REQUESTS: usize = 16;
/// Maximum length of such a function, in bytes.
const FUNCTION: usize = 4 << 10;

/// Bytes around a place outside of functions that are searched.
const AROUND: usize = 600;
/// Bytes before a parenthesis in which the name of a function is searched.
const NAME: usize = 40;

/// Names of v1's that a request without a path consists of.
pub(super) struct Names<'k> {
    /// The credentials.
    pub(super) credentials: &'k [String],
    /// Parameters that no other API has.
    pub(super) unique: &'k [String],
    /// Words in the names of functions that send requests.
    pub(super) requests: &'k [String],
}

/// The parameters that only v1 has beside its key and secret in a function that sends a request: the
/// first one in each function, as byte ranges. Outside of functions, the lines around it count.
pub(super) fn without_path(
    source: &str,
    scopes: &[Range<usize>],
    names: &Names<'_>,
) -> Vec<Range<usize>> {
    let is_in_file = |name: &String| memmem::find(source.as_bytes(), name.as_bytes()).is_some();
    let present = names.credentials.iter().filter(|name| is_in_file(name));
    if present.count() < 2 || !names.unique.iter().any(is_in_file) {
        return Vec::new();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut searched: Vec<Range<usize>> = Vec::new();
    let mut found = Vec::new();
    for (start, word) in runs(source, is_part) {
        if !has(names.unique, word) || searched.iter().any(|region| region.contains(&start)) {
            continue;
        }
        let region = around_scope(source, scopes, start);
        let text = source.get(region.clone()).unwrap_or_default();
        searched.push(region);
        if is_request(text, names) {
            found.push(start..start + word.len());
        }
        if searched.len() >= REQUESTS {
            break;
        }
    }
    found
}

/// The innermost function around a place, or the bytes around it.
fn around_scope(source: &str, scopes: &[Range<usize>], at: usize) -> Range<usize> {
    let scope = enclosing(scopes, at).next();
    if let Some(scope) = scope.filter(|scope| scope.len() <= FUNCTION) {
        return scope.clone();
    }
    ceil(source, at.saturating_sub(AROUND))..floor(source, at + AROUND)
}

/// True for code that sends v1's key and secret with a parameter that only v1 has.
fn is_request(code: &str, names: &Names<'_>) -> bool {
    let is_credential = |name: &str| has(names.credentials, name);
    let given = named(code, &|name| is_credential(name) || has(names.unique, name));
    let credentials: BTreeSet<&String> = given.iter().filter(|name| is_credential(name)).collect();
    let sends = code.match_indices('(').any(|(at, _)| {
        let from = ceil(code, at.saturating_sub(NAME));
        let callee = code.get(from..at).unwrap_or_default();
        let name = last_identifier(callee).to_ascii_lowercase();
        names
            .requests
            .iter()
            .any(|word| name.contains(word.as_str()))
    });
    credentials.len() > 1 && given.iter().any(|name| has(names.unique, name)) && sends
}
