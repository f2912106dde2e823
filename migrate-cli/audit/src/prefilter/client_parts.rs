//! Second filter: searches files that contain the word zoom for parts of a client of v1.
//!
//! Maps, charts and pictures zoom, too. A file without host, path or library can still be half of a
//! client: it may handle its key, call its methods, or hold the two halves of a path. All other
//! files are dropped without parsing.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

use crate::{
    knowledge::Knowledge,
    names::{last_identifier, resource_of},
    rules::Rules,
    source::{continues_word, is_name, is_packed},
};

/// Size above which a file without host and path is a bundle or data, in bytes.
pub(crate) const LARGEST: usize = 256 << 10;
/// Maximum distance between the two halves of a path that are side by side, in bytes.
const BESIDE: usize = 160;
/// Maximum distance between the first half and its name, in bytes: `path = "user"`.
const NAMED: usize = 80;
/// Maximum length of a class name, in bytes.
const CLASS: usize = 64;
/// Minimum length of a method name that identifies its library, in bytes.
const DISTINCTIVE: usize = 8;
/// Delimiters of a half of a path.
const MARKS: [u8; 4] = *b"'\"/`";
/// Prefix of a Ruby symbol, which can also be a half.
const SYMBOL: u8 = b':';

/// A part of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A key or secret of the API, in any letter case.
    Credential,
    /// The import name of a client library.
    Library,
    /// The name of a push notification between two [`MARKS`] or in a form, or the verification token or
    /// its header.
    Receiver,
    /// A method that only a client library has.
    DistinctiveMethod,
    /// A method of a client library that other programs also have.
    Method,
    /// A member of a client that builds paths from names: `$zoom->user->list()`.
    Member,
    /// The same behind a dot, which is common in other programs: `zoom.user.list()`.
    DottedMember,
    /// The first half of a path behind one of [`MARKS`] or as a [`SYMBOL`], in any letter case.
    Half,
    /// The keyword before a class name, which can be the first half of paths in the class.
    Class,
}

/// Searches bytes for parts of a client.
#[derive(Debug)]
pub(crate) struct ClientParts {
    /// One search for all parts.
    parts: AhoCorasick,
    /// Part and spelling of each search pattern.
    meanings: Vec<(Part, String)>,
    resources: BTreeSet<String>,
    class_fillers: Vec<String>,
    actions: AhoCorasick,
    /// Names of variables that hold the first half of a path.
    names: AhoCorasick,
    /// Number of patterns in `names` that are whole names. The patterns behind them are endings.
    whole_names: usize,
    /// Words in the names of variables that hold a client.
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

    /// The client part in a file with the word zoom: a library or receiver if there is one, else
    /// the first part. A half of a path counts only if a second half may belong to it.
    pub(crate) fn part(&self, bytes: &[u8]) -> Option<Part> {
        if bytes.len() > LARGEST || is_packed(bytes) {
            return None;
        }
        // The file is searched for a second half at most once, and only when needed.
        let mut any_action = None;
        let mut any_action = || *any_action.get_or_insert_with(|| self.has_action(bytes));
        let mut first = None;
        for found in self.parts.find_overlapping_iter(bytes) {
            let (start, end) = (found.start(), found.end());
            let Some((part, word)) = self.meanings.get(found.pattern().as_usize()) else {
                continue;
            };
            let has_priority = matches!(part, Part::Library | Part::Receiver);
            if first.is_some() && !has_priority {
                continue;
            }
            let has_exact_case = || bytes.get(start..end) == Some(word.as_bytes());
            let is_whole = || !starts_within_name(bytes, start) && !is_name(bytes.get(end));
            let before = || window(bytes, start.saturating_sub(NAMED), start);
            let counts = match part {
                Part::Credential => true,
                Part::Library => has_exact_case() && is_whole(),
                Part::Receiver => {
                    let marked = word.starts_with(|sign| MARKS.map(char::from).contains(&sign));
                    !marked || has_exact_case() && is_closed(bytes, start, end)
                }
                Part::Member => has_exact_case(),
                Part::DottedMember => has_exact_case() && self.clients.is_match(receiver(before())),
                Part::DistinctiveMethod => has_exact_case() && !continues_word(bytes, end),
                // `zoom.webinar.register(…)` and `client.post("register")`, but not
                // `atexit.register(…)`.
                Part::Method => {
                    has_exact_case()
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
            if counts && has_priority {
                return Some(*part);
            }
            first = first.or(counts.then_some(*part));
        }
        first
    }

    /// True if the code before a half assigns it to one of `names`: `path = "`.
    fn is_named(&self, before: &[u8]) -> bool {
        self.names.find_iter(before).any(|found| {
            let ending = found.pattern().as_usize() >= self.whole_names;
            (ending || !starts_within_name(before, found.start()))
                && !is_name(before.get(found.end()))
                && assigns(before.get(found.end()..).unwrap_or_default())
        })
    }

    /// True if a class name at the start of `after` is a resource, which is then the first half of
    /// paths.
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

/// The search patterns with their meaning.
fn meanings(knowledge: &Knowledge, rules: &Rules) -> Vec<(Part, String)> {
    let distinctive_actions = knowledge.distinctive_actions();
    let (distinctive, common): (BTreeSet<&str>, BTreeSet<&str>) = rules
        .libraries
        .iter()
        .flat_map(|library| library.methods.keys())
        .map(|name| last_identifier(name))
        .filter(|name| name.len() >= DISTINCTIVE)
        .partition(|name| {
            name.bytes().any(|byte| !byte.is_ascii_lowercase())
                || distinctive_actions.contains(*name)
        });
    let imports = rules.libraries.iter().flat_map(|library| &library.imports);
    let of = |part| move |word: String| (part, word);
    let owned = |word: &&str| (*word).to_owned();
    let resources = || knowledge.resources();
    let members = resources().map(|word| format!("->{word}->"));
    let dotted = resources().map(|word| format!(".{word}."));
    let classes = ["class ", "module "].map(str::to_owned);
    let words = &rules.words;
    let fields = [&words.notification_field, &words.recording_field];
    let notifications = knowledge.notifications.iter().flat_map(|name| {
        let sent = fields.map(|field| format!("{field}={name}&"));
        marked(name).take(MARKS.len()).chain(sent)
    });
    let headers = words.authorization_reads.iter();
    let tokens = words.verification_tokens.iter().chain(headers).cloned();
    (knowledge
        .credentials
        .iter()
        .cloned()
        .map(of(Part::Credential)))
    .chain(imports.cloned().map(of(Part::Library)))
    .chain(
        distinctive
            .iter()
            .map(owned)
            .map(of(Part::DistinctiveMethod)),
    )
    .chain(common.iter().map(owned).map(of(Part::Method)))
    .chain(members.map(of(Part::Member)))
    .chain(dotted.map(of(Part::DottedMember)))
    .chain(resources().flat_map(marked).map(of(Part::Half)))
    .chain(notifications.map(of(Part::Receiver)))
    .chain(tokens.map(of(Part::Receiver)))
    .chain(classes.into_iter().map(of(Part::Class)))
    .collect()
}

/// A half of a path behind each of its possible delimiters.
fn marked(word: &str) -> impl Iterator<Item = String> {
    let signs = MARKS.into_iter().chain([SYMBOL]);
    signs.map(move |sign| format!("{}{word}", char::from(sign)))
}

/// True if a half of a path ends like it starts: between delimiters, or as a symbol.
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

/// True if the code behind `before` is a member or a string argument: `zoom.webinar.`, `("`.
fn is_called(before: &[u8]) -> bool {
    let last = before.trim_ascii_end().last();
    last.is_some_and(|last| matches!(last, b'.' | b'>' | b':') || MARKS.contains(last))
}

/// The receiver of a member behind `before`: `zoom` for `this.zoom.`, `client` for `client().`.
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

/// True if the code between a name and a value is an assignment: ` = `, `' => `, a colon, the comma
/// of `define('PATH', 'user')`, the blank of `#define`. A comparison is not.
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
    let is_assignment = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| between.get(at));
        between.get(at + 1) != Some(&b'=')
            && !before.is_some_and(|byte| matches!(byte, b'=' | b'!' | b'<' | b'>'))
    };
    listed
        || defined
        || between.contains(&b':')
        || memchr::memchr_iter(b'=', between).any(is_assignment)
}

fn window(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to.min(bytes.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
