//! Variables that hold a key or secret under another name: `sec = "…"`, then `api_secret: sec`.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    facts::syntax::{Extract, enclosing},
    names::{last_identifier, names_credential},
    rules::{Words, has},
    source::runs,
};

/// Maximum number of bytes between the name of a credential and the variable.
const BETWEEN: usize = 24;
/// Maximum number of places kept for a variable.
const USES: usize = 16;

/// The variables that a file gives to a credential.
pub(super) struct Variables<'s> {
    source: &'s str,
    scopes: &'s [Range<usize>],
    /// By variable: the name of the credential, and where it is given.
    given: BTreeMap<&'s str, Vec<(&'s str, usize)>>,
}

impl<'s> Variables<'s> {
    /// Collects the variables.
    pub(super) fn of(source: &'s str, extract: &'s Extract, words: &Words) -> Self {
        let mut given: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (at, name) in names(source) {
            let after = source.get(at + name.len()..).unwrap_or_default();
            if let Some(variable) = variable(after, words) {
                let uses = given.entry(variable).or_default();
                if uses.len() < USES {
                    uses.push((name, at));
                }
            }
        }
        Self {
            source,
            scopes: &extract.scopes,
            given,
        }
    }

    /// The credential that the value at `at` is given to through the variable that it is assigned
    /// to. A variable of a function counts only within the function.
    pub(super) fn credential(&self, variable: &str, at: usize) -> Option<&'s str> {
        let uses = self.given.get(variable)?;
        let head = self.source.get(..at)?;
        let between = head.get(head.rfind(variable)? + variable.len()..)?;
        let is_defined = || between.starts_with(['"', '\'']) && between.contains(',');
        if !between.contains(['=', ':']) && !is_defined() {
            return None;
        }
        let scope = enclosing(self.scopes, at).next();
        let is_known = |used: &usize| scope.is_none_or(|scope| scope.contains(used));
        let found = uses.iter().find(|(_, used)| is_known(used));
        found.map(|(name, _)| *name)
    }
}

/// The names of credentials in a file, with their offsets.
fn names(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    runs(source, is_part).filter(|(_, word)| {
        // Most words cost only this search.
        let mut parts = word.as_bytes().windows(3);
        parts.any(|part| part.eq_ignore_ascii_case(b"api")) && names_credential(word)
    })
}

/// The variable behind the name of a credential: `: sec`, `' => $this->sec`, `=" + sec`,
/// `", sec)`, `=${sec}`.
fn variable<'s>(after: &'s str, words: &Words) -> Option<&'s str> {
    let is_between = |c: char| c.is_whitespace() || "\"'`])=>:,.+&$@#{".contains(c);
    let length = after
        .chars()
        .take(BETWEEN)
        .take_while(|c| is_between(*c))
        .map(char::len_utf8)
        .sum();
    let (between, rest) = after.split_at_checked(length)?;
    let is_quoted = between.starts_with(['"', '\'']);
    // `"api_secret" to sec` of Kotlin
    let pair = rest.strip_prefix("to ").filter(|_| is_quoted);
    let is_argument = is_quoted && (between.contains(',') || pair.is_some());
    let rest = pair.unwrap_or(rest);
    if between.contains("==") || !between.contains(['=', ':']) && !is_argument {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '>' | ':');
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let name = rest.get(..end)?.trim_end_matches(['.', '-', '>', ':']);
    let last = last_identifier(name);
    let root = name.strip_suffix(last)?;
    let root = root.trim_end_matches(['.', '-', '>', ':']);
    let is_own = has(&words.itself, &root.to_ascii_lowercase())
        || root.starts_with(|c: char| c.is_ascii_uppercase());
    let is_call = rest.get(end..)?.starts_with(['(', '[']);
    let is_name = last.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_own && is_name && !is_call && !names_credential(last)).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    #[test]
    fn follows_variables_in_any_notation() {
        let words = Rules::embedded().unwrap().words;
        for after in [
            ": sec",
            "' => $sec,",
            "\": sec}",
            "=sec)",
            "=\" + sec",
            "=' . $this->sec",
            "\", sec)",
            "=$sec&x",
            "=#{sec}",
            "=${sec}",
            "\" to sec)",
            ": Zoom.sec",
            "'] = self::sec;",
        ] {
            assert_eq!(variable(after, &words), Some("sec"), "{after}");
        }
        for after in [
            ", sec)",
            ": sec()",
            ": row.sec",
            " == sec",
            ": 12",
            ": api_secret",
        ] {
            assert_eq!(variable(after, &words), None, "{after}");
        }
    }
}
