//! A file to be fixed: its text, and the place of each base URL of v1 in the source.

use std::ops::Range;

use crate::{
    facts::{
        scanner,
        shape::{self, Shape},
        syntax::{self, Extract, Parsing, Piece, Role, fold::Folded},
    },
    knowledge::Knowledge,
    language::Language,
    rules::Rules,
    shim_address::ShimUrl,
    source::Lines,
};

/// Maximum distance of a version from its host, in lines.
const NEAR: usize = 25;

/// A file to be fixed.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) language: Language,
    pub(super) extract: Extract,
    folded: Vec<Folded>,
    pub(super) lines: Lines<'a>,
}

/// A base URL of v1, or a host, in the source.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// Line and column of its finding.
    pub(super) place: (usize, usize),
    /// True if its text contains nothing else, except a slash at the end.
    pub(super) bare: bool,
    /// True if a slash follows it.
    pub(super) slash: bool,
    /// The base URL from the scheme to `/v1`, if it is in one piece.
    pub(super) whole: Option<Range<usize>>,
    /// `https://` or `http://`, if present.
    pub(super) scheme: Option<Range<usize>>,
    /// The host, with the port if there is one.
    pub(super) host: Range<usize>,
    /// `/api` of the oldest hosts, if present.
    pub(super) lead: Option<Range<usize>>,
    /// Index of its text in the file.
    pub(super) seen_in: usize,
}

impl<'a> Page<'a> {
    /// Extracts from a file's text.
    pub(super) fn read(path: &str, text: &'a str, rules: &Rules) -> Self {
        let head = text.get(..text.len().min(200)).unwrap_or_default();
        let language = Language::of(std::path::Path::new(path), head);
        let extract = syntax::extract(language, text, &rules.calls, &Parsing::default());
        let folded = scanner::fold_all(&extract);
        Self {
            text,
            language,
            extract,
            folded,
            lines: Lines::new(text),
        }
    }

    /// The base URLs and URLs of v1 in code and data.
    pub(super) fn bases(&self, rules: &Rules, knowledge: &Knowledge) -> Vec<Base> {
        self.sightings(rules, knowledge, |shape| {
            matches!(shape, Shape::Base | Shape::Url { .. })
        })
    }

    /// The host that belongs to a version at `line`: the only host of the file, if it is near.
    pub(super) fn host_near(
        &self,
        line: usize,
        rules: &Rules,
        knowledge: &Knowledge,
    ) -> Option<Base> {
        let mut hosts = self.sightings(rules, knowledge, |shape| *shape == Shape::Host);
        hosts.sort_by_key(|base| base.host.start);
        hosts.dedup_by_key(|base| base.host.start);
        match hosts.as_slice() {
            [one] if one.place.0.abs_diff(line) <= NEAR => Some(one.clone()),
            _ => None,
        }
    }

    fn sightings(
        &self,
        rules: &Rules,
        knowledge: &Knowledge,
        wanted: impl Fn(&Shape) -> bool,
    ) -> Vec<Base> {
        let mut bases = Vec::new();
        for (index, folded) in self.folded.iter().enumerate() {
            let is_value = self
                .extract
                .texts
                .get(index)
                .is_some_and(|text| text.role == Role::Value);
            if !is_value {
                continue;
            }
            for sighting in shape::urls(&folded.text, &rules.hosts, knowledge) {
                if wanted(&sighting.shape) {
                    let last = scanner::end_of(&sighting, folded);
                    let start = sighting.start.max(folded.run_start(last));
                    let place = self.lines.position(folded.source(start));
                    bases.extend(self.base(folded, sighting.start, place, index));
                }
            }
        }
        bases
    }

    fn base(
        &self,
        folded: &Folded,
        start: usize,
        place: (usize, usize),
        seen_in: usize,
    ) -> Option<Base> {
        let text = folded.text.get(start..)?;
        let scheme = ["https://", "http://", "//"].into_iter().find(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        let scheme_end = start + scheme.map_or(0, str::len);
        let host = folded.text.get(scheme_end..)?;
        let host_end = scheme_end
            + host
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-'))
                .unwrap_or(host.len());
        let host_end = match folded.text.get(host_end..)?.strip_prefix(":443") {
            Some(_) => host_end + ":443".len(),
            None => host_end,
        };
        let path = folded.text.get(host_end..)?;
        let lead = if path.starts_with("/api") {
            "/api".len()
        } else {
            0
        };
        let end = match path.get(lead..)?.strip_prefix("/v1") {
            Some(_) => host_end + lead + "/v1".len(),
            None => host_end,
        };
        let range = |from: usize, to: usize| self.trace(folded, from, to);
        Some(Base {
            place,
            bare: matches!(folded.text.get(end..), Some("" | "/")) && start == 0,
            slash: folded.text.get(end..) == Some("/"),
            whole: range(start, end).map(|range| self.with_escaped_scheme(range)),
            scheme: match scheme {
                Some("//") | None => None,
                Some(_) => Some(range(start, scheme_end)?),
            },
            host: range(scheme_end, host_end)?,
            lead: match lead {
                0 => None,
                lead => Some(range(host_end, host_end + lead)?),
            },
            seen_in,
        })
    }

    /// The place of a part of a folded text in the source, if it is in one piece there.
    fn trace(&self, folded: &Folded, from: usize, to: usize) -> Option<Range<usize>> {
        let first = folded.source(from);
        let mut last = first;
        for at in from + 1..to {
            let next = folded.source(at);
            let sign = self.text.as_bytes().get(last + 1);
            let escape =
                next == last + 2 && sign == Some(&b'\\') || next == last + 3 && sign == Some(&b'%');
            if next != last + 1 && !escape {
                return None;
            }
            last = next;
        }
        Some(first..last + 1)
    }

    /// Extends a range by the scheme of properties files: `https\://`.
    fn with_escaped_scheme(&self, range: Range<usize>) -> Range<usize> {
        let head = self.text.get(..range.start).unwrap_or_default();
        let before = [r"https\:", r"http\:"]
            .into_iter()
            .find(|before| head.ends_with(before));
        range.start - before.map_or(0, str::len)..range.end
    }

    /// True if a base URL already points to the shim.
    pub(super) fn is_at(&self, base: &Base, shim: &ShimUrl) -> bool {
        self.text
            .get(base.host.start..)
            .is_some_and(|text| text.starts_with(shim.authority()))
    }

    /// The index of the text that contains a byte of the source literally.
    pub(super) fn owner(&self, at: usize) -> Option<usize> {
        self.extract.texts.iter().position(|text| {
            text.pieces.iter().any(|piece| match piece {
                Piece::Text { value, at: start } => (*start..*start + value.len()).contains(&at),
                Piece::Hole(_) => false,
            })
        })
    }

    /// The number of texts that use a constant; true if all of them are URLs of v1.
    pub(super) fn uses_of(
        &self,
        name: &str,
        rules: &Rules,
        knowledge: &Knowledge,
    ) -> (usize, bool) {
        let uses: Vec<_> = self
            .folded
            .iter()
            .filter(|folded| folded.filled.iter().any(|filled| filled == name))
            .collect();
        let all = uses.iter().all(|folded| {
            shape::urls(&folded.text, &rules.hosts, knowledge)
                .iter()
                .any(|found| matches!(found.shape, Shape::Base | Shape::Url { .. }))
        });
        (uses.len(), all)
    }
}
