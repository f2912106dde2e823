//! Response fields of v1 that the code reads.

use std::{collections::HashSet, ops::Range};

use crate::{
    facts::syntax::{Extract, Read, enclosing, is_within},
    language::Language,
    names::{first_name, is_assigned, last_identifier, names_getter},
    rules::{Words, has},
    source::{ceil, is_packed, runs},
};

/// Maximum number of reads in a file.
const READS: usize = 500;
/// Bytes before a field in which its receiver is searched.
const BEFORE: usize = 80;

/// Finds the reads of response fields, except members of the program's own input.
pub(super) fn find(
    source: &str,
    language: Language,
    extract: &Extract,
    fields: &HashSet<String>,
    words: &Words,
) -> Vec<Read> {
    let is_scanned =
        language.is_code() && language.grammar().is_none() && !is_packed(source.as_bytes());
    let mut reads = if is_scanned {
        scanned(source, extract, fields)
    } else {
        let known = extract.reads.iter();
        known
            .filter(|read| fields.contains(&read.name))
            .cloned()
            .collect()
    };
    let variables = if reads.is_empty() {
        HashSet::new()
    } else {
        own_variables(extract, words)
    };
    reads.truncate(READS);
    reads.retain(|read| {
        !is_own_input(&read.of, words) && !variables.contains(names(&read.of).next().unwrap_or(""))
    });
    for read in &mut reads {
        let variable = names(&read.of).next().unwrap_or_default();
        let takes = |scope: &&Range<usize>| {
            let parameters = source.get((*scope).clone()).and_then(parameters);
            parameters.is_some_and(|list| names(list).any(|name| name == variable))
        };
        read.given_to = enclosing(&extract.scopes, read.at).find(takes).cloned();
        read.inside = enclosing(&extract.scopes, read.at).last().cloned();
    }
    reads
}

/// The parameters of a function, between the first parentheses of its source.
fn parameters(function: &str) -> Option<&str> {
    /// Length of the head of a function that is searched, in characters.
    const HEAD: usize = 600;
    let (mut start, mut depth) = (None, 0_usize);
    for (at, letter) in function.char_indices().take(HEAD) {
        match letter {
            '(' => {
                depth += 1;
                start.get_or_insert(at + 1);
            }
            ')' if depth == 1 => return function.get(start?..at),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The reads in code without a grammar: `user.zpk`, `user["zpk"]`, `user.getString("zpk")`.
fn scanned(source: &str, extract: &Extract, fields: &HashSet<String>) -> Vec<Read> {
    let comments = extract.comments();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut reads = Vec::new();
    for (start, word) in runs(source, is_part) {
        let after = source.get(start + word.len()..).unwrap_or_default();
        if !fields.contains(word) || is_within(&comments, start) {
            continue;
        }
        let from = ceil(source, start.saturating_sub(BEFORE));
        let before = source.get(from..start).unwrap_or_default();
        let behind = after.trim_start_matches(['"', '\'', ']', ')']);
        if let Some(of) = receiver(before)
            && !is_assigned(behind)
            && !after.starts_with('(')
        {
            let (name, of) = (word.to_owned(), of.to_owned());
            reads.push(Read {
                name,
                at: start,
                of,
                given_to: None,
                inside: None,
            });
        }
    }
    reads
}

/// What a field is read from, by the code before its name.
fn receiver(before: &str) -> Option<&str> {
    let of = match before.strip_suffix(['"', '\'']) {
        None => before
            .strip_suffix('.')
            .or_else(|| before.strip_suffix("->"))?,
        Some(head) => head.strip_suffix('[').or_else(|| {
            let callee = head.strip_suffix('(')?;
            let method = last_identifier(callee);
            { callee.strip_suffix(method) }.filter(|_| names_getter(method))
        })?,
    };
    let is_chain = |c: char| c.is_alphanumeric() || "_.->$@?!()[]'\"".contains(c);
    let start = of.trim_end_matches(is_chain).len();
    of.get(start..).filter(|of| !of.is_empty())
}

/// The variables that only hold the program's input: `const form = req.body`.
fn own_variables<'e>(extract: &'e Extract, words: &Words) -> HashSet<&'e str> {
    let is_own = |value: &str| !value.contains('(') && is_own_input(value, words);
    let bindings = extract.bindings.iter();
    let (own, other): (Vec<_>, Vec<_>) = bindings.partition(|binding| is_own(&binding.value));
    let other: HashSet<&str> = other
        .iter()
        .map(|binding| first_name(&binding.name))
        .collect();
    let own = own.into_iter().map(|binding| first_name(&binding.name));
    own.filter(|name| !other.contains(name)).collect()
}

/// True if one of the names of what a member is read from holds the program's input. A function of
/// such a name does not: `$this->request("user/get")`.
fn is_own_input(of: &str, words: &Words) -> bool {
    let mut rest = of;
    while let Some(name) = names(rest).next() {
        let after = rest.split_once(name).map_or("", |(_, after)| after);
        if !after.starts_with('(') && has(&words.own_input, &name.to_ascii_lowercase()) {
            return true;
        }
        rest = after;
    }
    false
}

fn names(of: &str) -> impl Iterator<Item = &str> {
    let names = of.split(|c: char| !c.is_alphanumeric() && c != '_');
    names.filter(|name| !name.is_empty())
}
