//! Names through which the files of a project share v1: base URLs, request helpers, clients. Only
//! files with one of them are parsed, unless they have evidence of Zoom themselves.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, BuildError};

use crate::{
    evidence::Evidence,
    knowledge::Knowledge,
    names::last_identifier,
    rules::{Rules, has},
    source::is_name,
};

/// Bytes of an operand that are examined on either side of a name.
const OPERAND: usize = 80;
/// v1 in settings and comments.
const VERSION: &str = "v1";
/// Bytes after a resource in a path with an unknown action: a closing quote or a placeholder.
const OPEN_ENDS: [u8; 8] = *b"\"'`%{$#\\";

/// Meaning of a word of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    /// A variable that holds a base URL.
    Base,
    /// The same, with a name that many programs use: `url`.
    CommonBase,
    /// A request helper.
    Function,
    /// A client of a library, or a class or function that creates one.
    Client,
    /// A method of a library that has a client, or the resource before it: `user` of `user.list`.
    Member,
    /// A class of a client with dynamic members.
    Class,
    /// The version, or a name of the API.
    Version,
    /// A resource and a slash: `user/`.
    Resource,
}

/// Searches for the names that the files of a tree share.
#[derive(Debug)]
pub(crate) struct SharedNames {
    search: AhoCorasick,
    meanings: Vec<Meaning>,
}

impl SharedNames {
    /// Builds the search from the evidence of the files parsed so far.
    pub(super) fn new(
        evidence: &Evidence,
        knowledge: &Knowledge,
        rules: &Rules,
    ) -> Result<Self, BuildError> {
        let proven = evidence.proven.iter().map(|callee| last_identifier(callee));
        let functions = evidence.helpers.iter().map(String::as_str).chain(proven);
        let classes = evidence.dynamic_classes.iter().map(String::as_str);
        let bases = evidence.bases.iter().map(|name| {
            let is_common = has(&rules.words.common_bases, name);
            let meaning = if is_common {
                Meaning::CommonBase
            } else {
                Meaning::Base
            };
            (name.as_str(), meaning)
        });
        let names = (functions.map(|name| (name, Meaning::Function)))
            .chain(evidence.clients.words().map(|name| (name, Meaning::Client)))
            .chain(classes.map(|name| (name, Meaning::Class)))
            .chain(bases)
            // The word zoom alone is no evidence.
            .filter(|(name, _)| name.len() > 2 && !name.eq_ignore_ascii_case("zoom"))
            .map(|(name, meaning)| (name.to_owned(), meaning));
        let versions = rules.words.api_names.iter().map(String::as_str);
        let versions = versions.chain([VERSION]).map(str::to_owned);
        let resources = knowledge.resources().map(|resource| format!("{resource}/"));
        let libraries = rules.libraries.iter();
        let members = libraries
            .filter(|library| evidence.clients.has(&library.package))
            .flat_map(|library| library.methods.keys())
            .filter_map(|method| method.split('.').next());
        let words: BTreeSet<(String, Meaning)> = (versions.map(|word| (word, Meaning::Version)))
            .chain(resources.map(|word| (word, Meaning::Resource)))
            .chain(members.map(|word| (word.to_owned(), Meaning::Member)))
            .chain(names)
            .collect();
        Ok(Self {
            search: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(words.iter().map(|(word, _)| word))?,
            meanings: words.into_iter().map(|(_, meaning)| meaning).collect(),
        })
    }

    /// True if a file contains one of the names.
    pub(crate) fn is_named_in(&self, bytes: &[u8]) -> bool {
        let is_name = |meaning| {
            matches!(
                meaning,
                Meaning::Base
                    | Meaning::CommonBase
                    | Meaning::Function
                    | Meaning::Client
                    | Meaning::Class
            )
        };
        self.found(bytes).any(|(meaning, ..)| is_name(meaning))
    }

    /// True if a file with no evidence but the word zoom can lead to a finding: it concatenates a base
    /// URL of an uncommon name, uses a client, has a path with an unknown action, or names the version.
    pub(crate) fn has_part_in(&self, bytes: &[u8]) -> bool {
        let (mut client, mut member) = (false, false);
        self.found(bytes).any(|(meaning, start, end)| {
            let before = start.checked_sub(1).and_then(|at| bytes.get(at));
            let is_whole = !is_name(before) && !is_name(bytes.get(end));
            match meaning {
                Meaning::Base => return is_whole && is_joined(bytes, start, end),
                Meaning::Client => client |= is_whole,
                Meaning::Member => {
                    member |= is_whole && matches!(before, Some(b'.' | b'>' | b':'));
                }
                Meaning::Class | Meaning::Version => return is_whole,
                Meaning::Resource => {
                    return !is_name(before)
                        && bytes.get(end).is_some_and(|next| OPEN_ENDS.contains(next));
                }
                // A path beside them is evidence of its own, or a [`Meaning::Resource`].
                Meaning::Function | Meaning::CommonBase => {}
            }
            client && member
        })
    }

    fn found(&self, bytes: &[u8]) -> impl Iterator<Item = (Meaning, usize, usize)> {
        self.search
            .find_overlapping_iter(bytes)
            .filter_map(|found| {
                let meaning = self.meanings.get(found.pattern().as_usize())?;
                Some((*meaning, found.start(), found.end()))
            })
    }
}

/// True if the operand around a name may be concatenated or fill a template: `cfg["base"] + path`,
/// `"${base}/x"`, `BASE . $path`, `sprintf("%s/v%d", base, 1)`. Accepts the operators of all languages,
/// as a false positive only costs a parse.
fn is_joined(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = bytes
        .get(start.saturating_sub(OPERAND)..start)
        .unwrap_or_default();
    let after = bytes
        .get(end..(end + OPERAND).min(bytes.len()))
        .unwrap_or_default();
    let is_operand = |byte: &u8| {
        is_name(Some(byte))
            || matches!(
                byte,
                b'.' | b'-' | b'>' | b':' | b'"' | b'\'' | b'(' | b'[' | b'@'
            )
    };
    let operand = before
        .iter()
        .rposition(|byte| !is_operand(byte))
        .map_or(0, |at| at + 1);
    let (head, operand) = before.split_at(operand);
    let closed = after
        .iter()
        .position(|byte| !matches!(byte, b'"' | b'\'' | b')' | b']' | b'('))
        .unwrap_or(after.len());
    let rest = after.get(closed..).unwrap_or_default();
    let next = rest.trim_ascii_start();
    let follows = match next.first() {
        Some(b'+') => !matches!(next.get(1), Some(b'+' | b'=')),
        Some(b'&') => next.get(1) != Some(&b'&'),
        Some(b'~') => true,
        // `url.length` is a member.
        Some(b'.') => next.len() < rest.len() || !is_name(next.get(1)),
        _ => false,
    };
    let precedes = match head.last() {
        Some(b'$' | b'\\') => true,
        Some(b'{') => rest.starts_with(b"}"),
        _ => {
            matches!(head.trim_ascii_end().last(), Some(b'+' | b'&' | b'~'))
                || head.trim_ascii_end().len() < head.len() && head.trim_ascii_end().ends_with(b".")
        }
    };
    let fills = before.windows(3).any(|placeholder| match placeholder {
        [b'%', b's' | b'd' | b'v' | b'@', next] | [b'{', b'}', next] => {
            matches!(next, b'/' | b'"' | b'\'' | b'`' | b'%' | b'{' | b'?')
        }
        [b'%', b'1', b'$'] | [b'{', b'0', b'}'] => true,
        _ => false,
    });
    let after_text = operand
        .windows(2)
        .any(|pair| matches!(pair, [b'"' | b'\'', b'.']));
    follows || precedes || fills || after_text
}

#[cfg(test)]
mod tests {
    use mappings::Catalog;

    use super::*;

    fn names() -> SharedNames {
        let rules = Rules::embedded().unwrap();
        let knowledge = Knowledge::from_catalog(&Catalog::embedded().unwrap(), &rules.hosts.strays);
        let evidence = Evidence {
            bases: ["rooms_base".to_owned(), "url".to_owned()].into(),
            helpers: ["ask_rooms".to_owned()].into(),
            dynamic_classes: ["Desk".to_owned()].into(),
            ..Evidence::default()
        };
        SharedNames::new(&evidence, &knowledge, &rules).unwrap()
    }

    #[test]
    fn joined_bases_open_paths_and_versions_have_a_part() {
        for text in [
            "ROOMS_BASE + path",
            "ROOMS_BASE\n    + path",
            "cfg['rooms_base'] + path",
            "config('zoom.rooms_base') . $path",
            "ROOMS_BASE.$path",
            "'x'.ROOMS_BASE",
            "scheme & settings.rooms_base",
            "f\"{ROOMS_BASE}{path}\"",
            "`${this.cfg.rooms_base}/x`",
            "\"#{SETTINGS[:rooms_base]}#{path}\"",
            "\"\\(rooms_base)\\(path)\"",
            "\"$ROOMS_BASE/x\"",
            "rooms_base .. path",
            "fmt.Sprintf(\"%s/v%d/%s\", rooms_base, 1, path)",
            "\"{}/v1/{}\".format(rooms_base, path)",
            "ask(\"user/\" + action)",
            "ask(\"meeting/%s\")",
            "ask(`user/${action}`)",
            "ZOOM_VERSION=v1",
            "function people(Desk $desk)",
        ] {
            assert!(names().has_part_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn other_uses_of_the_names_have_none() {
        for text in [
            "rooms_base = null",
            "rooms_base.length",
            "rooms_base++",
            "my_rooms_base + path",
            "rooms_base && path",
            "function (rooms_base) {}",
            "superuser/ + x",
            "user/avatar",
            "v1beta",
            "my_desk.list()",
            "url + path",
        ] {
            assert!(!names().has_part_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn silent_files_name_a_function_or_base() {
        assert!(names().is_named_in(b"ask_rooms('user/list')"));
        assert!(names().is_named_in(b"get(rooms_base, 'user/list')"));
        assert!(names().is_named_in(b"get(url, 'user/list')"));
        assert!(!names().is_named_in(b"ask('user/list', 'v1')"));
    }
}
