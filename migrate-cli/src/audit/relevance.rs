//! The second filter: which of the files that only have the word zoom may have a part in a client.
//!
//! Maps, charts and pictures zoom. What names no host, no path and no library can still be half of a
//! client: it may handle its key, or hold the two halves of a path. Everything else is not worth a
//! parser's time.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

use super::{
    extract::last_identifier, halves::FIRST_HALF_ENDINGS, knowledge::Knowledge, rules::Rules,
    source::is_packed,
};

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

/// A part of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A key or secret of the API, in any letter case.
    Credential,
    /// What programs import of a client library.
    Library,
    /// A method that only a client library has.
    TellingMethod,
    /// A method of a client library that other programs have, too.
    Method,
    /// A member of a client that makes paths out of names: `$zoom->user->list()`.
    Member,
    /// The first half of a path behind one of the [`MARKS`], in any letter case.
    Half,
}

/// Searches bytes for parts of a client.
#[derive(Debug)]
pub(crate) struct Relevance {
    /// All parts are looked for at once: one look at each byte is what this may cost.
    parts: AhoCorasick,
    /// What each pattern of the search is, and how it is spelt.
    meanings: Vec<(Part, String)>,
    actions: AhoCorasick,
    /// Names that the first half of a path is given.
    names: AhoCorasick,
    /// Which of them are whole names; the others end one.
    whole_names: usize,
    /// What the client of a library is called.
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
        let marked = |word: &str| MARKS.map(|mark| format!("{}{word}", char::from(mark)));
        let telling_actions = knowledge.telling_actions();
        let (telling, common): (BTreeSet<&str>, BTreeSet<&str>) = rules
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
        let mut meanings: Vec<(Part, String)> = Vec::new();
        let mut add = |part, words: &mut dyn Iterator<Item = String>| {
            meanings.extend(words.map(|word| (part, word)));
        };
        add(Part::Credential, &mut knowledge.credentials.iter().cloned());
        add(Part::Library, &mut imports.cloned());
        add(
            Part::TellingMethod,
            &mut telling.into_iter().map(str::to_owned),
        );
        add(Part::Method, &mut common.into_iter().map(str::to_owned));
        add(
            Part::Member,
            &mut knowledge
                .resources()
                .map(|word| format!("{MEMBER}{word}{MEMBER}")),
        );
        add(Part::Half, &mut knowledge.resources().flat_map(marked));
        let actions: Vec<String> = knowledge.actions().flat_map(marked).collect();
        let whole_names: Vec<&str> = rules
            .words
            .first_half
            .iter()
            .map(String::as_str)
            .filter(|name| {
                !FIRST_HALF_ENDINGS
                    .iter()
                    .any(|ending| name.ends_with(ending))
            })
            .collect();
        Ok(Self {
            parts: AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .ascii_case_insensitive(true)
                .build(meanings.iter().map(|(_, word)| word))?,
            meanings,
            clients: search(&mut ["zoom", "client"].into_iter())?,
            actions: search(&mut actions.iter().map(String::as_str))?,
            names: search(&mut whole_names.iter().copied().chain(FIRST_HALF_ENDINGS))?,
            whole_names: whole_names.len(),
        })
    }

    /// A part of a client of v1 in a file with the word zoom: the library if one is named, else the
    /// first that there is. Halves of a path count where they may belong together.
    pub(crate) fn part(&self, bytes: &[u8]) -> Option<Part> {
        if bytes.len() > LARGEST || is_packed(bytes) {
            return None;
        }
        // Whether there is a second half at all is looked up once, and only when it matters.
        let mut any_action = None;
        let mut first = None;
        for found in self.parts.find_overlapping_iter(bytes) {
            let (start, end) = (found.start(), found.end());
            let Some((part, word)) = self.meanings.get(found.pattern().as_usize()) else {
                continue;
            };
            if first.is_some() && *part != Part::Library {
                continue;
            }
            let spelt = || bytes.get(start..end) == Some(word.as_bytes());
            let before = || window(bytes, start.saturating_sub(NAMED), start);
            let counts = match part {
                Part::Credential => true,
                Part::Library | Part::Member => spelt(),
                Part::TellingMethod => spelt() && !goes_on(bytes, end),
                // `zoom.webinar.register(…)`, but not `atexit.register(…)`.
                Part::Method => {
                    spelt()
                        && !goes_on(bytes, end)
                        && is_member(before())
                        && self.clients.is_match(before())
                }
                Part::Half => {
                    is_closed(bytes, end)
                        && (self.has_action(window(bytes, end, end + BESIDE))
                            || self.is_named(before())
                                && *any_action.get_or_insert_with(|| self.has_action(bytes)))
                }
            };
            if counts && *part == Part::Library {
                return Some(Part::Library);
            }
            first = first.or(counts.then_some(*part));
        }
        first
    }

    /// True if what stands before a half may give it a name: `path = "`.
    fn is_named(&self, before: &[u8]) -> bool {
        self.names.find_iter(before).any(|found| {
            let whole = found.pattern().as_usize() < self.whole_names;
            let starts = found
                .start()
                .checked_sub(1)
                .and_then(|at| before.get(at))
                .is_none_or(|byte| !is_of_name(*byte));
            let rest = before.get(found.end()..).unwrap_or_default();
            (starts || !whole) && !goes_on(before, found.end()) && assigns(rest)
        })
    }

    fn has_action(&self, bytes: &[u8]) -> bool {
        self.actions
            .find_iter(bytes)
            .any(|found| is_closed(bytes, found.end()))
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// True if a name that ends there is only the start of a longer one.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).copied().is_some_and(is_of_name)
}

/// True if what comes after those bytes is a member of something: `zoom.webinar.`.
fn is_member(before: &[u8]) -> bool {
    matches!(before.trim_ascii_end().last(), Some(b'.' | b'>' | b':'))
}

/// True if what stands between a name and a value gives one to the other: `: `, ` = `, `' => `, and
/// the comma of `define('PATH', 'user')`, but no comparison.
fn assigns(between: &[u8]) -> bool {
    let quoted = between.trim_ascii_start();
    let listed =
        matches!(quoted, [b'"' | b'\'', rest @ ..] if rest.trim_ascii_start().starts_with(b","));
    let given = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| between.get(at));
        between.get(at + 1) != Some(&b'=')
            && !before.is_some_and(|byte| matches!(byte, b'=' | b'!' | b'<' | b'>'))
    };
    listed || between.contains(&b':') || memchr::memchr_iter(b'=', between).any(given)
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
        let takes_part = |text: &str| relevance.part(text.as_bytes()).is_some();
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
        assert!(takes_part("zoom; define('PATH', 'user'); call('list')"));
        let far = " ".repeat(BESIDE);
        for name in [
            "resource_path =>",
            "apiBasePath =",
            "'endpoint': ",
            "PATH', ",
        ] {
            let text = format!("zoom; '{name} '/user',{far}call('list')");
            assert!(takes_part(&text), "{text}");
        }
        assert!(!takes_part(&format!(
            "zoom; if (api.path !== 'user') {{ }}{far}call('list')"
        )));
        assert!(!takes_part(&format!(
            "zoom; pathology = 'user';{far}call('list')"
        )));
        assert!(!takes_part(
            "zoom(); client.registerIcon(a); getUserMedia()"
        ));
        assert!(!takes_part("zoom.on('user', select); bar(); map('zoom')"));
        assert!(!takes_part("zoom = {'group': 1, a: 'create_all'}"));
        let bundle = format!("zoom(['user', 'list']){}", " ".repeat(LARGEST));
        assert!(!takes_part(&bundle));
        let packed = format!("zoom(['user', 'list']){}", "f(a);".repeat(10_000));
        assert!(!takes_part(&packed));
    }
}
