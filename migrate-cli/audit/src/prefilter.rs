//! The prefilter drops the files without evidence of v1. Such files are read, but not parsed.

pub(crate) mod client_parts;

use std::{
    collections::{BTreeSet, HashSet},
    sync::OnceLock,
};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use memchr::memmem::Finder;

use crate::{
    knowledge::Knowledge,
    prefilter::client_parts::{ClientParts, LARGEST, Part},
    rules::{Rules, Style},
    source::{self, continues_word, is_packed},
};

/// Bytes of a file in which binary content is detected.
const BINARY: usize = 8192;

/// Maximum number of paths checked in a file. More paths add no evidence.
const PATHS: u32 = 4096;

/// Evidence in a file.
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// An API host of Zoom or a client library.
    pub(crate) zoom: bool,
    /// The word zoom.
    pub(crate) word: bool,
    /// The path of an operation.
    pub(crate) path: bool,
    /// A path or word that only v1 has.
    pub(crate) distinctive: bool,
    /// A method call in the syntax of client libraries: `.user.list(`.
    pub(crate) member: bool,
    /// Only the word zoom, which is evidence only in a project that uses v1.
    pub(crate) weak: bool,
    /// A path together with v1's credentials, so that the host does not matter. In a file with the
    /// word zoom, one credential or one parameter that only v1 has is enough; with both, no path is
    /// needed.
    pub(crate) keyed: bool,
    /// A path with the version before it: `v1/user/list`.
    pub(crate) versioned: bool,
    /// Number of paths checked.
    checked_paths: u32,
}

impl Trace {
    /// Evidence in the path of a file.
    pub(crate) fn of_path(has_zoom: bool) -> Self {
        Self {
            word: has_zoom,
            ..Self::default()
        }
    }

    /// True if there is more evidence than the word zoom.
    pub(crate) fn has_evidence(self) -> bool {
        self.zoom || self.path || self.distinctive || self.member
    }

    /// True if the rest of the file cannot add evidence.
    pub(crate) fn is_full(self) -> bool {
        self.zoom && self.word && self.path && self.distinctive && self.member
    }
}

/// Meaning of a search pattern.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    Zoom,
    Shim,
    Head,
    Word,
    Member,
}

/// Searches bytes for evidence.
#[derive(Debug)]
pub(crate) struct Prefilter<'k> {
    search: AhoCorasick,
    patterns: Vec<Pattern>,
    /// The names of v1's credentials.
    credentials: [Finder<'static>; 2],
    /// Parameters that no other API has.
    parameters: Vec<Finder<'static>>,
    /// The methods of client libraries, with their resources.
    methods: HashSet<String>,
    /// Packages, each with the offset of the word zoom in its name.
    libraries: Vec<(usize, String)>,
    /// Built on first use, because it takes milliseconds and many trees do not need it.
    relevance: OnceLock<Option<ClientParts>>,
    rules: &'k Rules,
    knowledge: &'k Knowledge,
}

impl<'k> Prefilter<'k> {
    /// Builds the search.
    pub(crate) fn new(knowledge: &'k Knowledge, rules: &'k Rules) -> Result<Self, BuildError> {
        // The shim's host may begin with the word zoom. The search prefers the first pattern.
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
        let notifications = rules.words.unique_notifications.iter().cloned();
        for word in knowledge
            .distinctive_actions()
            .into_iter()
            .chain(notifications)
        {
            words.push(word);
            patterns.push(Pattern::Word);
        }
        let methods: HashSet<String> = rules
            .libraries
            .iter()
            .filter(|library| !matches!(library.style, Style::Function))
            .flat_map(|library| library.methods.keys().cloned())
            // A project's own client may make paths out of names.
            .chain(knowledge.joined_names("."))
            .chain(knowledge.joined_names("_"))
            .collect();
        // Only words that begin like the heads of paths, because they hardly slow the search down.
        let heads = knowledge.long_heads();
        let resources: BTreeSet<&str> = methods
            .iter()
            .filter_map(|method| Some((method, method.find(['.', '_'])?)))
            .filter(|(method, end)| method.get(..*end).is_some_and(|head| heads.contains(head)))
            .filter_map(|(method, end)| method.get(..=end))
            .collect();
        for resource in resources {
            let arrow = resource.strip_suffix('.').map(|name| format!("{name}->"));
            for word in arrow.into_iter().chain([resource.to_owned()]) {
                words.push(word);
                patterns.push(Pattern::Member);
            }
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(&words)?;
        let libraries = rules
            .libraries
            .iter()
            .map(|library| library.package.to_ascii_lowercase())
            .filter_map(|package| Some((package.find("zoom")?, package)))
            .collect();
        Ok(Self {
            search,
            credentials: knowledge
                .key_and_secret
                .clone()
                .map(|name| Finder::new(name.as_bytes()).into_owned()),
            parameters: finders(&rules.words.unique_parameters),
            methods,
            relevance: OnceLock::new(),
            patterns,
            libraries,
            rules,
            knowledge,
        })
    }

    /// The evidence in a file.
    pub(crate) fn trace(&self, bytes: &[u8]) -> Trace {
        let mut trace = Trace::default();
        self.add(bytes, &mut trace);
        trace
    }

    /// Adds the evidence in a piece of a file.
    pub(crate) fn add(&self, bytes: &[u8], trace: &mut Trace) {
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
                Some(Pattern::Head) if !trace.distinctive && trace.checked_paths < PATHS => {
                    trace.checked_paths += 1;
                    self.path(bytes, found.start(), trace);
                }
                // `autocreated` is a different word.
                Some(Pattern::Word) => trace.distinctive |= !continues_word(bytes, found.end()),
                Some(Pattern::Member) if !trace.member => {
                    trace.member = self.is_method(bytes, found.start());
                }
                _ => {}
            }
            if trace.is_full() {
                break;
            }
        }
    }

    /// True if a file with that evidence may be part of a client of v1. The name of a client
    /// library counts as evidence of Zoom.
    pub(crate) fn is_relevant(&self, trace: &mut Trace, bytes: &[u8]) -> bool {
        let part = if trace.word && !trace.zoom {
            self.part(bytes)
        } else {
            None
        };
        trace.zoom |= matches!(part, Some(Part::Library | Part::Receiver));
        let is_relevant = trace.has_evidence() || part.is_some();
        let has = |name: &Finder<'_>| name.find(bytes).is_some();
        trace.keyed = trace.path
            && if trace.word {
                self.credentials.iter().chain(&self.parameters).any(has)
            } else {
                self.credentials.iter().all(has)
            };
        trace.keyed |= is_relevant
            && trace.word
            && self.credentials.iter().all(has)
            && self.parameters.iter().any(has);
        trace.weak = trace.word && !is_relevant && bytes.len() <= LARGEST && !is_packed(bytes);
        is_relevant || trace.weak
    }

    /// The client part in a file with the word zoom.
    fn part(&self, bytes: &[u8]) -> Option<Part> {
        let build = || ClientParts::new(self.knowledge, self.rules).ok();
        match self.relevance.get_or_init(build) {
            Some(parts) => parts.part(bytes),
            // If the search cannot be built, all such files are kept.
            None => Some(Part::Credential),
        }
    }

    /// True if the bytes at `start` call a method of a client.
    fn is_method(&self, bytes: &[u8], start: usize) -> bool {
        let before = bytes.get(..start).unwrap_or_default();
        if !before.ends_with(b".") && !before.ends_with(b"->") {
            return false;
        }
        let rest = bytes.get(start..).unwrap_or_default();
        let is_part =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'>');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let (name, after) = rest.split_at(length);
        after.starts_with(b"(")
            && std::str::from_utf8(name)
                .is_ok_and(|name| self.methods.contains(&name.replace("->", ".")))
    }

    /// True if the word zoom at `start` belongs to an API host or a client library.
    fn is_api(&self, bytes: &[u8], start: usize) -> bool {
        let rest = bytes.get(start..).unwrap_or_default();
        if self.libraries.iter().any(|(at, library)| {
            let Some(from) = start.checked_sub(*at) else {
                return false;
            };
            // `zoomUseCallback` is not `zoomus`.
            let end = from + library.len();
            bytes
                .get(from..end)
                .is_some_and(|name| name.eq_ignore_ascii_case(library.as_bytes()))
                && !continues_word(bytes, end)
        }) {
            return true;
        }
        let hosts = &self.rules.hosts;
        let Some(length) = hosts.domain_length(rest) else {
            // Postman's `"host": ["api", "zoom", "us"]`.
            let listed = rest.get(4..40).unwrap_or_default();
            let listed: Vec<u8> = listed
                .iter()
                .copied()
                .filter(|b| !b.is_ascii_whitespace())
                .collect();
            return listed.starts_with(b"\",\"us\"]");
        };
        let until = bytes.get(..start + length).unwrap_or_default();
        let below = without_port(rest.get(length..).unwrap_or_default());
        hosts.api.iter().any(|host| {
            let from = until.len().saturating_sub(host.len());
            until
                .get(from..)
                .is_some_and(|end| end.eq_ignore_ascii_case(host.as_bytes()))
        }) || below.starts_with(hosts.web_path.as_bytes())
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
            trace.versioned |= bytes
                .get(..start)
                .is_some_and(|head| head.ends_with(b"v1/"));
            trace.distinctive |= found
                .operation
                .is_some_and(|operation| self.knowledge.is_distinctive(&operation));
        }
    }
}

fn finders(words: &[String]) -> Vec<Finder<'static>> {
    let finder = |word: &String| Finder::new(word.as_bytes()).into_owned();
    words.iter().map(finder).collect()
}

fn without_port(bytes: &[u8]) -> &[u8] {
    let digits = match bytes.split_first() {
        Some((b':', rest)) => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    bytes
        .get(if digits > 0 { digits + 1 } else { 0 }..)
        .unwrap_or_default()
}

/// True if the bytes are not text.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(BINARY)).unwrap_or(bytes);
    memchr::memchr(0, head).is_some() && source::wide(head).is_none()
}

#[cfg(test)]
mod tests {
    use mappings::Catalog;

    use super::*;

    fn known() -> (Knowledge, Rules) {
        let catalog = Catalog::embedded().unwrap();
        let rules = Rules::embedded().unwrap();
        (
            Knowledge::from_catalog(&catalog, &rules.hosts.strays),
            rules,
        )
    }

    #[test]
    fn library_names_end_at_word_boundaries() {
        let (knowledge, rules) = known();
        let prefilter = Prefilter::new(&knowledge, &rules).unwrap();
        let trace = |text: &str| prefilter.trace(text.as_bytes());
        assert!(trace("gem 'zoomus'").zoom);
        assert!(trace("Zoomus::Client").zoom);
        assert!(!trace("this.zoomUseCallback(ZOOMUSER, zoomused)").zoom);
        assert!(trace("ZOOMUS = 1").zoom);
        assert!(trace("https://www.zoom.us:443/api/v1").zoom);
        assert!(trace("call('autocreate')").distinctive);
        assert!(trace("call('autocreate2')").distinctive);
        assert!(!trace("an autocreated user").distinctive);
    }

    #[test]
    fn a_client_library_is_evidence_of_zoom() {
        let (knowledge, rules) = known();
        let prefilter = Prefilter::new(&knowledge, &rules).unwrap();
        let is_zoom = |text: &str| {
            let mut trace = prefilter.trace(text.as_bytes());
            assert!(!trace.zoom);
            prefilter.is_relevant(&mut trace, text.as_bytes()) && trace.zoom
        };
        assert!(is_zoom(r"use alexjose\ZoomApi;"));
        assert!(is_zoom(r"use alexjose\ZoomApi; redirect('user/list')"));
        assert!(!is_zoom("FusedLocationClient().zoom(apiKey)"));
    }
}
