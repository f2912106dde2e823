//! The second filter: which of the files that only have the word zoom may have a part in a client.
//!
//! Maps, charts and pictures zoom. What names no host, no path and no library can still be half of a
//! client: it may handle its key, call its methods, or hold the two halves of a path. Everything else
//! is not worth a parser's time.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

use crate::{
    knowledge::Knowledge,
    names::{last_identifier, resource_of},
    rules::Rules,
    source::{continues_word, is_name, is_packed},
};

/// Larger files that name no host and no path are bundles and data, as packed ones are; in bytes.
pub(crate) const LARGEST: usize = 256 << 10;
/// How far the second half of a path may stand from the first one, if they stand side by side.
const BESIDE: usize = 160;
/// How far before the first half its name may stand: `path = "user"`.
const NAMED: usize = 80;
/// How long the name of a class may be, in bytes.
const CLASS: usize = 64;

/// How long a method's name must be to tell its library, in bytes.
const TELLING: usize = 8;
/// What a half of a path stands between.
const MARKS: [u8; 4] = *b"'\"/`";
/// What a symbol of Ruby starts with, which can be a half, too.
const SYMBOL: u8 = b':';

/// A part of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A key or secret of the API, in any letter case.
    Credential,
    /// What programs import of a client library.
    Library,
    /// A name of a push notification between two of the [`MARKS`], or of the verification token.
    Receiver,
    /// A method that only a client library has.
    TellingMethod,
    /// A method of a client library that other programs have, too.
    Method,
    /// A member of a client that makes paths out of names: `$zoom->user->list()`.
    Member,
    /// The same behind a dot, which more programs have: `zoom.user.list()`.
    DottedMember,
    /// The first half of a path behind one of the [`MARKS`] or as a [`SYMBOL`], in any letter case.
    Half,
    /// What stands before the name of a class, which can be the first half of its calls' paths.
    Class,
}

/// Searches bytes for parts of a client.
#[derive(Debug)]
pub(crate) struct ClientParts {
    /// All parts are looked for at once.
    parts: AhoCorasick,
    /// What each pattern of the search is, and how it is spelt.
    meanings: Vec<(Part, String)>,
    resources: BTreeSet<String>,
    class_fillers: Vec<String>,
    actions: AhoCorasick,
    /// Names that the first half of a path is given.
    names: AhoCorasick,
    /// How many of them, the first ones, are whole names; the others end one.
    whole_names: usize,
    /// What the client of a library is called.
    clients: AhoCorasick,
}

impl ClientParts {
    /// Builds the search.
    pub(crate) fn new(knowledge: &Knowledge, rules: &Rules) -> Result<Self, BuildError> {
        let search = |words: &mut dyn Iterator<Item = &str>| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .ascii_case_insensitive(true)
                .build(words)
        };
        let meanings = meanings(knowledge, rules);
        let actions: Vec<String> = knowledge.actions().flat_map(marked).collect();
        let endings = &rules.words.first_half_endings;
        let whole_names: Vec<&str> = rules
            .words
            .first_half
            .iter()
            .map(String::as_str)
            .filter(|name| !endings.iter().any(|end| name.ends_with(end.as_str())))
            .collect();
        Ok(Self {
            parts: AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .ascii_case_insensitive(true)
                .build(meanings.iter().map(|(_, word)| word))?,
            meanings,
            resources: knowledge.resources().map(str::to_owned).collect(),
            class_fillers: rules.words.class_fillers.clone(),
            clients: search(&mut ["zoom", "client"].into_iter())?,
            actions: search(&mut actions.iter().map(String::as_str))?,
            names: search(
                &mut whole_names
                    .iter()
                    .copied()
                    .chain(endings.iter().map(String::as_str)),
            )?,
            whole_names: whole_names.len(),
        })
    }

    /// A part of a client of v1 in a file with the word zoom: the library or receiver if there is one, else
    /// the first. Halves of a path count where they may belong together.
    pub(crate) fn part(&self, bytes: &[u8]) -> Option<Part> {
        if bytes.len() > LARGEST || is_packed(bytes) {
            return None;
        }
        // Whether there is a second half at all is looked up once, and only when it matters.
        let mut any_action = None;
        let mut any_action = || *any_action.get_or_insert_with(|| self.has_action(bytes));
        let mut first = None;
        for found in self.parts.find_overlapping_iter(bytes) {
            let (start, end) = (found.start(), found.end());
            let Some((part, word)) = self.meanings.get(found.pattern().as_usize()) else {
                continue;
            };
            let tells = matches!(part, Part::Library | Part::Receiver);
            if first.is_some() && !tells {
                continue;
            }
            let spelt = || bytes.get(start..end) == Some(word.as_bytes());
            let whole = || !starts_within_name(bytes, start) && !is_name(bytes.get(end));
            let before = || window(bytes, start.saturating_sub(NAMED), start);
            let counts = match part {
                Part::Credential => true,
                Part::Library => spelt() && whole(),
                Part::Receiver => {
                    let marked = word.starts_with(|sign| MARKS.map(char::from).contains(&sign));
                    !marked || spelt() && is_closed(bytes, start, end)
                }
                Part::Member => spelt(),
                Part::DottedMember => spelt() && self.clients.is_match(receiver(before())),
                Part::TellingMethod => spelt() && !continues_word(bytes, end),
                // `zoom.webinar.register(…)` and `client.post("register")`, but not
                // `atexit.register(…)`.
                Part::Method => {
                    spelt()
                        && !is_name(bytes.get(end))
                        && is_called(before())
                        && self.clients.is_match(before())
                }
                Part::Half => {
                    is_closed(bytes, start, end)
                        && any_action()
                        && (self.has_action(window(bytes, end, end + BESIDE))
                            || self.is_named(before()))
                }
                Part::Class => self.names_resource(window(bytes, end, end + CLASS)) && any_action(),
            };
            if counts && tells {
                return Some(*part);
            }
            first = first.or(counts.then_some(*part));
        }
        first
    }

    /// True if what stands before a half may give it a name: `path = "`.
    fn is_named(&self, before: &[u8]) -> bool {
        self.names.find_iter(before).any(|found| {
            let ending = found.pattern().as_usize() >= self.whole_names;
            (ending || !starts_within_name(before, found.start()))
                && !is_name(before.get(found.end()))
                && assigns(before.get(found.end()..).unwrap_or_default())
        })
    }

    /// True if the class whose name stands there may be called like the first half of paths.
    fn names_resource(&self, after: &[u8]) -> bool {
        let length = after
            .iter()
            .take_while(|byte| is_name(Some(byte)) || matches!(byte, b':' | b'.' | b'\\'))
            .count();
        let name = after.get(..length).unwrap_or_default();
        std::str::from_utf8(name)
            .ok()
            .and_then(|name| resource_of(name, &self.class_fillers))
            .is_some_and(|resource| self.resources.contains(&resource))
    }

    fn has_action(&self, bytes: &[u8]) -> bool {
        self.actions
            .find_iter(bytes)
            .any(|found| is_closed(bytes, found.start(), found.end()))
    }
}

/// What is searched for, each word with what it is a sign of.
fn meanings(knowledge: &Knowledge, rules: &Rules) -> Vec<(Part, String)> {
    let telling_actions = knowledge.telling_actions();
    let (telling, common): (BTreeSet<&str>, BTreeSet<&str>) = rules
        .libraries
        .iter()
        .flat_map(|library| library.methods.keys())
        .map(|name| last_identifier(name))
        .filter(|name| name.len() >= TELLING)
        .partition(|name| {
            name.bytes().any(|byte| !byte.is_ascii_lowercase()) || telling_actions.contains(*name)
        });
    let imports = rules.libraries.iter().flat_map(|library| &library.imports);
    let of = |part| move |word: String| (part, word);
    let owned = |word: &&str| (*word).to_owned();
    let resources = || knowledge.resources();
    let members = resources().map(|word| format!("->{word}->"));
    let dotted = resources().map(|word| format!(".{word}."));
    let classes = ["class ", "module "].map(str::to_owned);
    let notifications = knowledge.notifications.iter();
    let notifications = notifications.flat_map(|name| marked(name).take(MARKS.len()));
    let tokens = rules.words.verification_tokens.iter().cloned();
    (knowledge
        .credentials
        .iter()
        .cloned()
        .map(of(Part::Credential)))
    .chain(imports.cloned().map(of(Part::Library)))
    .chain(telling.iter().map(owned).map(of(Part::TellingMethod)))
    .chain(common.iter().map(owned).map(of(Part::Method)))
    .chain(members.map(of(Part::Member)))
    .chain(dotted.map(of(Part::DottedMember)))
    .chain(resources().flat_map(marked).map(of(Part::Half)))
    .chain(notifications.map(of(Part::Receiver)))
    .chain(tokens.map(of(Part::Receiver)))
    .chain(classes.into_iter().map(of(Part::Class)))
    .collect()
}

/// A half of a path behind each sign that it may stand behind.
fn marked(word: &str) -> impl Iterator<Item = String> {
    let signs = MARKS.into_iter().chain([SYMBOL]);
    signs.map(move |sign| format!("{}{word}", char::from(sign)))
}

/// True if a half of a path ends as it starts: between marks, or as a symbol of its own.
fn is_closed(bytes: &[u8], start: usize, end: usize) -> bool {
    let next = bytes.get(end);
    if bytes.get(start) == Some(&SYMBOL) {
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        before != Some(&SYMBOL) && !is_name(next)
    } else {
        next.is_some_and(|next| MARKS.contains(next))
    }
}

fn starts_within_name(bytes: &[u8], start: usize) -> bool {
    is_name(start.checked_sub(1).and_then(|at| bytes.get(at)))
}

/// True if what comes after those bytes is a member of something or a text: `zoom.webinar.`, `("`.
fn is_called(before: &[u8]) -> bool {
    let last = before.trim_ascii_end().last();
    last.is_some_and(|last| matches!(last, b'.' | b'>' | b':') || MARKS.contains(last))
}

/// The name that a member behind those bytes belongs to: `zoom` of `this.zoom`, `client` of `client()`.
fn receiver(before: &[u8]) -> &[u8] {
    let end = before
        .iter()
        .rposition(|byte| !matches!(byte, b'(' | b')' | b'!' | b'?'))
        .map_or(0, |at| at + 1);
    let bare = before.get(..end).unwrap_or_default();
    let start = bare
        .iter()
        .rposition(|byte| !is_name(Some(byte)))
        .map_or(0, |at| at + 1);
    bare.get(start..).unwrap_or_default()
}

/// True if what stands between a name and a value may give one to the other: ` = `, `' => `, a colon,
/// the comma of `define('PATH', 'user')`, the blank of `#define`, but no comparison.
fn assigns(between: &[u8]) -> bool {
    let quote = between.iter().position(|byte| MARKS.contains(byte));
    let listed = quote.is_some_and(|at| {
        let (lead, rest) = between.split_at(at);
        let rest = rest.get(1..).unwrap_or_default().trim_ascii_start();
        !lead.iter().any(|byte| is_name(Some(byte))) && rest.starts_with(b",")
    });
    let defined = !between.is_empty()
        && between
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'@'));
    let given = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| between.get(at));
        between.get(at + 1) != Some(&b'=')
            && !before.is_some_and(|byte| matches!(byte, b'=' | b'!' | b'<' | b'>'))
    };
    listed || defined || between.contains(&b':') || memchr::memchr_iter(b'=', between).any(given)
}

fn window(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to.min(bytes.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
