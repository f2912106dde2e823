//! The second filter: which of the files that only have the word zoom may have a part in a client.
//!
//! Maps, charts and pictures zoom. What names no host, no path and no library can still be half of a
//! client: it may handle its key, or hold the two halves of a path. Everything else is not worth a
//! parser's time.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use super::{extract::last_identifier, knowledge::Knowledge, rules::Rules, source::is_packed};

/// Larger files that name no host, no path and no library are bundles and data, as packed ones are;
/// in bytes.
const LARGEST: usize = 256 << 10;
/// How far the second half of a path may stand from the first one, if they stand side by side.
const BESIDE: usize = 160;
/// How far before the first half its name may stand: `path = "user"`.
const NAMED: usize = 80;

/// How long a method's name must be to tell its library, in bytes.
const TELLING: usize = 8;
/// How PHP reaches a member.
const MEMBER: &str = "->";
/// What a half of a path stands between.
const MARKS: [u8; 4] = *b"'\"/`";

/// Searches bytes for parts of a client.
#[derive(Debug)]
pub(crate) struct Relevance {
    credentials: AhoCorasick,
    resources: AhoCorasick,
    actions: AhoCorasick,
    names: AhoCorasick,
    members: AhoCorasick,
    /// What programs name of client libraries: imports and telling methods.
    libraries: AhoCorasick,
    /// Methods of client libraries that other programs have, too, and what such a client is called.
    methods: AhoCorasick,
    clients: AhoCorasick,
}

impl Relevance {
    /// Builds the search.
    pub(crate) fn new(knowledge: &Knowledge, rules: &Rules) -> Result<Self, BuildError> {
        let search = |words: &mut dyn Iterator<Item = &str>| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .ascii_case_insensitive(true)
                .build(words)
        };
        let marked = |words: &mut dyn Iterator<Item = &str>| {
            let words: Vec<String> = words
                .flat_map(|word| MARKS.map(|mark| format!("{}{word}", char::from(mark))))
                .collect();
            search(&mut words.iter().map(String::as_str))
        };
        // A member of a client that makes paths out of names: `$zoom->user->list()`.
        let members: Vec<String> = knowledge
            .resources()
            .map(|word| format!("{MEMBER}{word}{MEMBER}"))
            .collect();
        let telling_actions = knowledge.telling_actions();
        let (libraries, methods): (BTreeSet<&str>, BTreeSet<&str>) = rules
            .libraries
            .iter()
            .flat_map(|library| library.methods.keys())
            .map(|name| last_identifier(name))
            .filter(|name| name.len() >= TELLING)
            .partition(|name| {
                name.bytes().any(|byte| !byte.is_ascii_lowercase())
                    || telling_actions.contains(*name)
            });
        let imports = rules.libraries.iter().flat_map(|library| &library.imports);
        let names = rules.words.first_half.iter().map(String::as_str);
        Ok(Self {
            credentials: search(&mut knowledge.credentials.iter().map(String::as_str))?,
            libraries: AhoCorasick::new(libraries.into_iter().chain(imports.map(String::as_str)))?,
            methods: AhoCorasick::new(methods)?,
            clients: search(&mut ["zoom", "client"].into_iter())?,
            members: AhoCorasick::new(members)?,
            resources: marked(&mut knowledge.resources())?,
            actions: marked(&mut knowledge.actions())?,
            names: search(&mut names.chain(["path", "resource", "endpoint", "url"]))?,
        })
    }

    /// True if a file with the word zoom may have a part in a client of v1: it handles credentials,
    /// names a client library, or has the two halves of a path where they may belong together.
    pub(crate) fn may_take_part(&self, bytes: &[u8]) -> bool {
        bytes.len() <= LARGEST
            && (self.credentials.is_match(bytes)
                || self.libraries.is_match(bytes)
                || self.members.is_match(bytes)
                || self.has_method(bytes)
                || self.has_halves(bytes))
            && !is_packed(bytes)
    }

    /// `zoom.webinar.register(…)`, but not `atexit.register(…)`.
    fn has_method(&self, bytes: &[u8]) -> bool {
        self.methods.find_iter(bytes).any(|found| {
            let before = window(bytes, found.start().saturating_sub(NAMED), found.start());
            self.clients.is_match(before)
        })
    }

    fn has_halves(&self, bytes: &[u8]) -> bool {
        // Whether there is a second half at all is looked up once, and only when it matters.
        let mut any_action = None;
        self.resources.find_iter(bytes).any(|found| {
            if !is_closed(bytes, found.end()) {
                return false;
            }
            let after = window(bytes, found.end(), found.end() + BESIDE);
            let before = window(bytes, found.start().saturating_sub(NAMED), found.start());
            self.has_action(after)
                || self.names.is_match(before)
                    && *any_action.get_or_insert_with(|| self.has_action(bytes))
        })
    }

    fn has_action(&self, bytes: &[u8]) -> bool {
        self.actions
            .find_iter(bytes)
            .any(|found| is_closed(bytes, found.end()))
    }
}

fn is_closed(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_some_and(|next| MARKS.contains(next))
}

fn window(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to.min(bytes.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use mappings::Catalog;

    use super::*;

    #[test]
    fn keys_and_halves_that_may_belong_together_count() {
        let catalog = Catalog::embedded().unwrap();
        let rules = Rules::embedded().unwrap();
        let knowledge = Knowledge::from_catalog(&catalog, &rules.strays);
        let relevance = Relevance::new(&knowledge, &rules).unwrap();
        let takes_part = |text: &str| relevance.may_take_part(text.as_bytes());
        assert!(takes_part("zoom({ apiKey: key })"));
        assert!(takes_part("zoom(['user', 'list'])"));
        assert!(takes_part("$zoom->user->list()"));
        assert!(takes_part("zoom.webinar.register(id)"));
        assert!(!takes_part(&format!(
            "zoom(); {} atexit.register(a)",
            " ".repeat(NAMED)
        )));
        assert!(takes_part(
            "class Zoom { path = '/user'; list() { this.post('list') } }"
        ));
        assert!(!takes_part("zoom.on('user', select); bar(); map('zoom')"));
        assert!(!takes_part("zoom = {'group': 1, a: 'create_all'}"));
        let bundle = format!("zoom(['user', 'list']){}", " ".repeat(LARGEST));
        assert!(!takes_part(&bundle));
        let packed = format!("zoom(['user', 'list']){}", "f(a);".repeat(10_000));
        assert!(!takes_part(&packed));
    }
}
