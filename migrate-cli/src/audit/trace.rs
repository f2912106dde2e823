//! The prefilter: which files have a trace of v1 at all. Files without one cost only their read.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use super::{
    extract::last_identifier,
    knowledge::Knowledge,
    rules::Rules,
    shape::{DOMAIN, Hosts},
    source,
};

/// How much of a file is looked at to tell whether it is binary.
const BINARY: usize = 8192;

/// How many paths are looked at in one part of a file; what comes after tells nothing new.
const PATHS: usize = 4096;

/// How long a method's name must be to tell its library, in bytes.
const TELLING: usize = 8;

/// What a file has a trace of.
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// Zoom's domain or a client library.
    pub(crate) zoom: bool,
    /// The word zoom.
    pub(crate) word: bool,
    /// The path of an operation.
    pub(crate) path: bool,
    /// A path or word that only v1 has.
    pub(crate) distinctive: bool,
}

impl Trace {
    /// True if there is any.
    pub(crate) fn any(self) -> bool {
        self.zoom || self.word || self.path || self.distinctive
    }

    /// All that two parts of a file have.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            zoom: self.zoom || other.zoom,
            word: self.word || other.word,
            path: self.path || other.path,
            distinctive: self.distinctive || other.distinctive,
        }
    }

    fn is_full(self) -> bool {
        self.zoom && self.path && self.distinctive
    }
}

/// What a pattern of the search stands for.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    Zoom,
    Shim,
    Head,
    Word,
}

/// Searches bytes for traces.
#[derive(Debug)]
pub(crate) struct Tracer<'k> {
    search: AhoCorasick,
    patterns: Vec<Pattern>,
    /// Packages, each with the place of the word zoom in it.
    libraries: Vec<(usize, String)>,
    /// What programs name of client libraries: imports and telling methods.
    named: AhoCorasick,
    halves: AhoCorasick,
    credentials: AhoCorasick,
    hosts: Hosts,
    knowledge: &'k Knowledge,
}

impl<'k> Tracer<'k> {
    /// Builds the search.
    pub(crate) fn new(knowledge: &'k Knowledge, rules: &Rules) -> Result<Self, BuildError> {
        // The shim's name may begin with the word itself: the first pattern wins.
        let mut words: Vec<String> = rules.hosts.shim.iter().cloned().collect();
        let mut patterns = vec![Pattern::Shim; words.len()];
        for word in ["zoom", "Zoom", "ZOOM"] {
            words.push(word.to_owned());
            patterns.push(Pattern::Zoom);
        }
        for head in knowledge.long_heads() {
            words.push(format!("{head}/"));
            patterns.push(Pattern::Head);
        }
        for word in knowledge.telling_actions() {
            words.push(word);
            patterns.push(Pattern::Word);
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(&words)?;
        let credentials = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&knowledge.credentials)?;
        let libraries = rules
            .libraries
            .iter()
            .map(|library| library.package.to_ascii_lowercase())
            .filter_map(|package| Some((package.find("zoom")?, package)))
            .collect();
        let named: BTreeSet<&str> = rules
            .libraries
            .iter()
            .flat_map(|library| {
                let methods = library.methods.keys().map(|name| last_identifier(name));
                let telling = methods.filter(|name| name.len() >= TELLING);
                telling.chain(library.imports.iter().map(String::as_str))
            })
            .collect();
        let named = AhoCorasick::new(&named)?;
        // `->` is how PHP reaches a member of a client that makes paths out of names.
        let halves: Vec<String> = knowledge
            .resources()
            .flat_map(|resource| {
                ["'", "\"", "/", "`", "->"].map(|quote| format!("{quote}{resource}"))
            })
            .collect();
        let halves = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&halves)?;
        Ok(Self {
            search,
            halves,
            credentials,
            named,
            patterns,
            libraries,
            hosts: rules.hosts.clone(),
            knowledge,
        })
    }

    /// The traces in a part of a file.
    pub(crate) fn trace(&self, bytes: &[u8]) -> Trace {
        let mut trace = Trace::default();
        let mut paths = 0;
        for found in self.search.find_iter(bytes) {
            match self.patterns.get(found.pattern().as_usize()) {
                Some(Pattern::Zoom) => {
                    trace.word = true;
                    if !trace.zoom {
                        trace.zoom = self.is_api(bytes, found.start());
                    }
                }
                Some(Pattern::Shim) => {
                    trace.word = true;
                    trace.zoom = true;
                }
                Some(Pattern::Head) if !trace.distinctive && paths < PATHS => {
                    paths += 1;
                    self.path(bytes, found.start(), &mut trace);
                }
                Some(Pattern::Word) => trace.distinctive = true,
                _ => {}
            }
            if trace.is_full() && trace.word {
                break;
            }
        }
        trace
    }

    /// True if a text that speaks of Zoom may have a part in a client of v1: it handles credentials,
    /// names a client library, or has the first half of a path alone between quotes or slashes.
    pub(crate) fn may_take_part(&self, bytes: &[u8]) -> bool {
        let half = self.halves.find_iter(bytes).any(|found| {
            bytes
                .get(found.end())
                .is_some_and(|next| matches!(next, b'\'' | b'"' | b'/' | b'`' | b'-'))
        });
        half || self.credentials.is_match(bytes) || self.named.is_match(bytes)
    }

    /// True if the word zoom belongs to a host of the API or to a client library.
    fn is_api(&self, bytes: &[u8], start: usize) -> bool {
        let rest = bytes.get(start..).unwrap_or_default();
        let starts = |word: &[u8]| {
            rest.get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word))
        };
        if self.libraries.iter().any(|(at, library)| {
            let whole = start.checked_sub(*at).and_then(|from| bytes.get(from..));
            whole
                .and_then(|text| text.get(..library.len()))
                .is_some_and(|head| head.eq_ignore_ascii_case(library.as_bytes()))
        }) {
            return true;
        }
        if !starts(DOMAIN.as_bytes()) {
            return false;
        }
        let until = bytes.get(..start + DOMAIN.len()).unwrap_or_default();
        let below = rest.get(DOMAIN.len()..).unwrap_or_default();
        self.hosts.api.iter().any(|host| {
            let from = until.len().saturating_sub(host.len());
            until
                .get(from..)
                .is_some_and(|end| end.eq_ignore_ascii_case(host.as_bytes()))
        }) || below.starts_with(self.hosts.web_path.as_bytes())
            || below.starts_with(b"\\/")
    }

    fn path(&self, bytes: &[u8], start: usize, trace: &mut Trace) {
        let end = (start + 48).min(bytes.len());
        let rest = bytes.get(start..end).unwrap_or_default();
        let ascii = rest.iter().take_while(|byte| byte.is_ascii()).count();
        let Some(text) = rest
            .get(..ascii)
            .and_then(|rest| std::str::from_utf8(rest).ok())
        else {
            return;
        };
        if let Some(found) = self.knowledge.path_at(text) {
            trace.path = true;
            trace.distinctive |= found
                .operation
                .is_some_and(|operation| self.knowledge.is_distinctive(&operation));
        }
    }
}

/// True if the bytes are no text.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(BINARY)).unwrap_or(bytes);
    !source::is_utf16(head) && head.contains(&0)
}
