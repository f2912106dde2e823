//! Extracts [`FileFacts`] from a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    facts::{
        FileFacts, Place, Signal, dependencies, mentions, parameters, payloads, postman, reads,
        receivers::Source,
        requests, secrets,
        shape::{self, Shape, Sighting},
        suppression,
        syntax::{
            self, Call, Extract, Parsing, Piece, Role, Text, Usage,
            fold::{Constants, Folded, Folder, HOLE},
        },
    },
    knowledge::Knowledge,
    language::{Format, Language},
    names::{contains_zoom, last_identifier},
    rules::{Rules, has},
    source::Lines,
    walk::Start,
};

/// Maximum number of signals in a file. A file with more is data about v1, not a use of it.
const LIMIT: usize = 5000;
/// Maximum number of URLs checked in a large file, where most URLs repeat.
const URLS: usize = 20 * LIMIT;
/// Maximum number of concatenated names kept for a text.
const NAMES: usize = 32;
/// Length of the excerpts in reports, in characters.
const EXCERPT: usize = 240;

/// Scans files with one set of rules.
#[derive(Debug)]
pub(crate) struct Scanner<'k> {
    /// The index of v1.
    pub(crate) knowledge: &'k Knowledge,
    /// The rules.
    pub(crate) rules: &'k Rules,
    /// Parser and time budget.
    pub(crate) parsing: &'k Parsing,
}

impl Scanner<'_> {
    /// Scans a file.
    pub(crate) fn scan(&self, path: &str, source: &str) -> FileFacts {
        let head = source.get(..source.len().min(200)).unwrap_or_else(|| {
            // The cut is inside a character. The first line is all that matters.
            source.lines().next().unwrap_or_default()
        });
        let language = Language::of(std::path::Path::new(path), head);
        let extract = syntax::extract(language, source, &self.rules.calls, self.parsing);
        let (lines, folded) = (Lines::new(source), fold_all(&extract));
        let mentioned = self.rules.services.mentioned_in([path, source]);
        let mut facts = FileFacts {
            path: path.to_owned(),
            language: Some(language),
            zoom: mentioned.zoom,
            vendor: mentioned.vendor.map(str::to_owned),
            is_unparsed: extract.is_unparsed,
            ..FileFacts::default()
        };
        self.signals(language, source, (&extract, &folded), &lines, &mut facts);
        payloads::attach(
            source,
            language.grammar().is_some(),
            &extract.texts,
            &folded,
            self.knowledge,
            &mut facts.signals,
        );
        if language.is_code() && facts.zoom {
            self.requests_without_path(source, &extract, &lines, &mut facts);
        }
        self.libraries(language, source, &extract, &lines, &mut facts);
        facts.secrets = secrets::find(source, language, &extract, &lines, &self.rules.words);
        let of_receiver = Source {
            path,
            language,
            text: source,
            extract: &extract,
            folded: &folded,
            lines: &lines,
        };
        facts.receiving = of_receiver.receiving(self.knowledge, &self.rules.words);
        let members = extract
            .reads
            .iter()
            .map(|read| read.name.to_ascii_lowercase());
        facts.members = members.filter(|name| name.contains("zoom")).collect();
        let fields = &self.knowledge.answer_fields;
        for read in reads::find(source, language, &extract, fields, &self.rules.words) {
            let place = Place::of(&lines, read.at, read.at + read.name.len());
            facts.reads.push((read, place));
        }
        facts.writes = extract.writes;
        facts.writes.truncate(LIMIT);
        facts.bindings = extract.bindings;
        facts.subclasses = extract.subclasses;
        suppression::collect(source, &mut facts.suppressions);
        excerpts(&lines, &self.knowledge.secret_words, &mut facts);
        facts
    }

    /// Scans the pieces of a file that is too large to parse: only URLs are found in it.
    pub(crate) fn scan_large<E>(
        &self,
        path: &str,
        read: impl FnOnce(&mut dyn FnMut(&str, Start) -> bool) -> Result<(), E>,
    ) -> Result<FileFacts, E> {
        let language = Language::of(std::path::Path::new(path), "");
        let mut facts = FileFacts {
            path: path.to_owned(),
            language: Some(language),
            zoom: true,
            ..FileFacts::default()
        };
        let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
        let mut checked = 0;
        read(&mut |piece, start| {
            let lines = Lines::new(piece);
            for sighting in shape::urls(piece, &self.rules.hosts, self.knowledge) {
                let mut place = Place::of(&lines, sighting.start, sighting.end);
                let excerpt = piece.get(sighting.start..sighting.end).unwrap_or_default();
                if place.line == 1 {
                    place.column += start.column;
                    place.end_column += start.column;
                }
                place.line += start.line;
                checked += 1;
                if facts.signals.len() >= LIMIT || checked > URLS {
                    facts.is_cut = true;
                    return false;
                }
                if !seen.insert((place.line, excerpt.to_owned())) {
                    continue;
                }
                facts.excerpts.insert(place.line, excerpt.to_owned());
                facts.signals.push(Signal {
                    shape: sighting.shape,
                    place,
                    text: Text::plain(
                        "",
                        0,
                        if language == Language::Prose {
                            Role::Prose
                        } else {
                            Role::Value
                        },
                    ),
                    joined: Vec::new(),
                    value: excerpt.to_owned(),
                    spans_pieces: false,
                });
            }
            true
        })?;
        Ok(facts)
    }

    fn signals(
        &self,
        language: Language,
        source: &str,
        (extract, folded): (&Extract, &[Folded]),
        lines: &Lines,
        facts: &mut FileFacts,
    ) {
        if language == Language::Data(Format::Json) {
            self.postman(source, lines, facts);
        }
        let mut parts = 0;
        facts.functions.clone_from(&extract.functions);
        let siblings: BTreeMap<(usize, usize), &str> = extract
            .texts
            .iter()
            .zip(folded)
            .filter_map(|(text, folded)| Some((text.element?, folded.text.as_str())))
            .collect();
        for (text, folded) in extract.texts.iter().zip(folded) {
            if let Some(function) = &text.function
                && text.role == Role::Value
            {
                let joins = folded.holes.iter().chain(&folded.filled).cloned();
                facts
                    .functions
                    .entry(function.clone())
                    .or_default()
                    .joins
                    .extend(joins);
            }
            let found = self.sightings(language, text, folded, facts.zoom);
            for sighting in found {
                if facts.signals.len() >= LIMIT {
                    facts.is_cut = true;
                    return;
                }
                // Halves and hosts are no findings of their own and must not displace findings.
                if !matches!(
                    sighting.shape,
                    Shape::Base
                        | Shape::BaseV2
                        | Shape::Name
                        | Shape::Call { .. }
                        | Shape::Url { .. }
                        | Shape::Endpoint { .. }
                ) {
                    parts += 1;
                    if parts > LIMIT / 4 {
                        continue;
                    }
                }
                // The place of a sighting is in the piece in which it ends.
                let last = end_of(&sighting, folded);
                let start = sighting.start.max(folded.run_start(last));
                let from = folded.source(start);
                let to = folded.source(last) + 1;
                let mut text = text.without_pieces();
                self.choose_taker(&mut text);
                if matches!(language, Language::Data(_)) && is_key(&folded.text, sighting.end) {
                    text.usage = Usage::Key;
                }
                if language == Language::Data(Format::Json) && text.role == Role::Value {
                    text.target = json_key(&folded.text, sighting.start).or(text.target);
                }
                if let Some((list, at)) = text.element
                    && at > 0
                    && text.target.is_none()
                    && let Some(name) = siblings.get(&(list, 0))
                {
                    // The name precedes the value: `define('API_URL', 'https://…')`, settings
                    // pages.
                    text.target = Some((*name).to_owned());
                }
                let rest = folded.text.get(sighting.end..).unwrap_or_default();
                self.parameters(
                    language,
                    source,
                    &sighting.shape,
                    (from..to, rest),
                    &mut text,
                );
                let names = folded.holes.iter().take(NAMES);
                let joined = names.chain(folded.filled.iter().take(NAMES)).cloned();
                facts.signals.push(Signal {
                    shape: sighting.shape,
                    place: Place::of(lines, from, to.max(from)),
                    text,
                    joined: joined.collect(),
                    value: folded.text.chars().take(200).collect(),
                    spans_pieces: start > sighting.start,
                });
            }
        }
    }

    /// Adds the requests whose URL is not in the code.
    fn requests_without_path(
        &self,
        source: &str,
        extract: &Extract,
        lines: &Lines,
        facts: &mut FileFacts,
    ) {
        let comments = extract.comments();
        let words = &self.rules.words;
        let names = requests::Names {
            credentials: &self.knowledge.credentials,
            unique: &words.unique_parameters,
            requests: &words.requests,
        };
        for range in requests::without_path(source, &extract.scopes, &names) {
            if !syntax::is_within(&comments, range.start) {
                let name = source.get(range.clone()).unwrap_or_default();
                facts.signals.push(Signal {
                    shape: Shape::Parameters,
                    place: Place::of(lines, range.start, range.end),
                    text: Text::plain("", 0, Role::Value),
                    joined: Vec::new(),
                    value: name.to_owned(),
                    spans_pieces: false,
                });
            }
        }
    }

    /// Adds the URLs that Postman writes as lists.
    fn postman(&self, source: &str, lines: &Lines, facts: &mut FileFacts) {
        for sighting in postman::urls(source, &self.rules.hosts, self.knowledge) {
            facts.signals.push(Signal {
                shape: sighting.shape,
                place: Place::of(lines, sighting.start, sighting.end),
                text: Text::plain("", 0, Role::Value),
                joined: Vec::new(),
                value: String::new(),
                spans_pieces: false,
            });
        }
    }

    /// Parts of a text that look like v1.
    fn sightings(
        &self,
        language: Language,
        text: &Text,
        folded: &Folded,
        is_of_zoom: bool,
    ) -> Vec<Sighting> {
        let anywhere = text.role != Role::Value
            || matches!(language, Language::Data(_) | Language::Markup)
                && text.pieces.len() == 1
                && text.callee.is_none()
                && (text.target.is_none() || matches!(language, Language::Data(_)));
        let mut found = if anywhere || folded.text.len() > 600 {
            shape::prose::in_prose(&folded.text, &self.rules.hosts, self.knowledge)
        } else {
            shape::in_value(folded, &self.rules.hosts, self.knowledge)
        };
        if text.role == Role::Value && matches!(language, Language::Data(_)) {
            found.extend(shape::version_of_setting(&folded.text));
        }
        if is_of_zoom {
            let is_prose = text.role != Role::Value;
            if is_prose || text.target.as_deref().is_some_and(is_description) {
                let names = &self.rules.words.api_names;
                found.extend(shape::prose::names(&folded.text, names));
            }
            if is_prose {
                found.extend(mentions::library_calls(&folded.text, &self.rules.libraries));
            }
        }
        found
    }

    /// Keeps the first call that takes the variable of a text and is more than a message, and adds
    /// its parameters.
    fn choose_taker(&self, text: &mut Text) {
        let words = &self.rules.words;
        text.passed_to
            .retain(|taker| !words.is_label(&taker.callee) && !words.is_own(&taker.callee));
        text.passed_to.truncate(1);
        if let Some(taker) = text.passed_to.first() {
            text.given.extend(taker.given.iter().cloned());
            text.passed.extend(taker.passed.iter().cloned());
        }
    }

    /// Adds the parameters in the statement around a path to those of its call.
    fn parameters(
        &self,
        language: Language,
        source: &str,
        shape: &Shape,
        (at, rest): (Range<usize>, &str),
        text: &mut Text,
    ) {
        let (Shape::Url {
            operation: Some(operation),
            ..
        }
        | Shape::Endpoint {
            operation: Some(operation),
            ..
        }) = shape
        else {
            return;
        };
        let known = self.knowledge.operation(operation);
        let is_wanted = |name: &str| {
            known.is_some_and(|known| known.parameters.iter().any(|known| known == name))
                || self.knowledge.credentials.iter().any(|known| known == name)
        };
        let is_request = text.callee.is_some() && !matches!(language, Language::Data(_));
        let is_shell = language == Language::Bash;
        let given = parameters::around(source, at.start, at.end, is_request, is_shell, &is_wanted);
        text.given.extend(parameters::named(rest, &is_wanted));
        text.whole &= given.names.iter().all(|name| text.given.contains(name));
        text.whole |= given.whole;
        let is_key = |name: &&String| has(&self.knowledge.key_and_secret, name);
        text.keys_in_headers = given.headers.iter().filter(is_key).count() > 1
            && given.headers.iter().filter(is_key).count()
                == given.names.iter().filter(is_key).count();
        text.given.extend(given.names);
        text.values.extend(parameters::numbers(rest, &is_wanted));
        text.values.extend(given.numbers);
    }

    fn libraries(
        &self,
        language: Language,
        source: &str,
        extract: &Extract,
        lines: &Lines,
        facts: &mut FileFacts,
    ) {
        for call in &extract.calls {
            if self.may_be_library(call) {
                let end = call.end.max(call.start);
                facts
                    .calls
                    .push((call.clone(), Place::of(lines, call.start, end)));
            }
        }
        for import in &extract.imports {
            if self.rules.libraries.iter().any(|library| {
                library
                    .imports
                    .iter()
                    .any(|name| import.text.contains(name.as_str()))
            }) {
                let end = import.at + import.text.len();
                facts
                    .imports
                    .push((import.clone(), Place::of(lines, import.at, end)));
            }
        }
        for (dependency, from, to) in
            dependencies::find(&facts.path, language, source, &self.rules.libraries)
        {
            facts
                .dependencies
                .push((dependency, Place::of(lines, from, to)));
        }
        let imports = extract.imports.iter();
        facts.import_statements = imports.map(|import| import.text.clone()).collect();
        facts.publishes = dependencies::publishes(&facts.path, source);
    }

    fn may_be_library(&self, call: &Call) -> bool {
        let method = last_identifier(&call.callee).trim_end_matches('!');
        if self.rules.methods.contains(method) {
            return true;
        }
        let zoom = contains_zoom(method);
        // A client that builds paths from names: `$zoom->user->custcreate(…)`.
        let action =
            self.knowledge.is_action(&method.to_ascii_lowercase()) && contains_zoom(&call.callee);
        let spelt = || self.knowledge.spelt(&call.callee).is_some();
        zoom || action
            || self.rules.libraries.iter().any(|library| {
                library
                    .constructors
                    .iter()
                    .chain(&library.setups)
                    .any(|name| call.callee.contains(name.as_str()))
                    || call
                        .strings
                        .iter()
                        .any(|given| library.imports.contains(given))
            })
            || spelt()
    }
}

/// True for the name of a text for readers.
fn is_description(target: &str) -> bool {
    let name = last_identifier(target).to_ascii_lowercase();
    name.ends_with("description") || name.ends_with("summary")
}

/// The last byte of what a finding shows of a sighting. If the host and the version of a base URL
/// are in different pieces, it is the host, which has to change. The slash between two variables of
/// `"$base/$path"` is not part of it.
pub(crate) fn end_of(sighting: &Sighting, folded: &Folded) -> usize {
    let last = sighting.end.saturating_sub(1);
    if sighting.shape != Shape::Base {
        return last;
    }
    let base = folded.text.get(..sighting.end).unwrap_or_default();
    let base = base.trim_end_matches('/');
    let host = base.strip_suffix("v1").unwrap_or(base);
    let host = host.trim_end_matches('/');
    let ends = [host.len(), base.len()].map(|end| end.saturating_sub(1));
    let is_apart = |end: &usize| folded.run_start(*end) != folded.run_start(last);
    let mut apart = ends.into_iter().filter(is_apart);
    apart.next().unwrap_or(last)
}

/// Folds all texts of a file, with constants filled in.
pub(crate) fn fold_all(extract: &Extract) -> Vec<Folded> {
    let mut constants = Constants::of(extract);
    // `define('NAME', 'value')`
    let mut names = BTreeMap::new();
    for text in &extract.texts {
        if text.callee.as_deref() != Some("define") {
            continue;
        }
        match (text.element, text.pieces.as_slice()) {
            (Some((list, 0)), [Piece::Text { value, .. }]) => {
                names.insert(list, value);
            }
            (Some((list, 1)), pieces) => {
                if let Some(name) = names.get(&list) {
                    constants.add(name, pieces.to_vec());
                }
            }
            _ => {}
        }
    }
    let mut folder = Folder::new(constants);
    extract
        .texts
        .iter()
        .map(|text| folder.fold(&text.pieces))
        .collect()
}

/// True if a quoted text in data is a key.
fn is_key(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    // `/user/list:` of YAML.
    if rest.trim_end() == ":" {
        return true;
    }
    rest.strip_prefix(['"', '\''])
        .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// The key of a value in a line of JSON, which may be a whole document.
fn json_key(text: &str, start: usize) -> Option<String> {
    let head = text
        .get(..start)?
        .trim_end_matches(['"', '\\', '/'])
        .trim_end();
    let key = last_identifier(head.strip_suffix(':')?);
    (!key.is_empty()).then(|| key.to_owned())
}

fn excerpts(lines: &Lines, secret_words: &[String], facts: &mut FileFacts) {
    let numbers: BTreeSet<usize> = facts
        .signals
        .iter()
        .map(|signal| signal.place.line)
        .chain(facts.calls.iter().map(|(_, place)| place.line))
        .chain(facts.imports.iter().map(|(_, place)| place.line))
        .chain(facts.dependencies.iter().map(|(_, place)| place.line))
        .chain(facts.reads.iter().map(|(_, place)| place.line))
        .chain(facts.receiving.lines())
        .collect();
    let mut secrets: BTreeMap<usize, Vec<&Place>> = BTreeMap::new();
    for secret in &facts.secrets {
        let place = &secret.place;
        secrets.entry(place.line).or_default().push(place);
    }
    for number in numbers {
        let mut line: String = lines.line(number - 1).chars().take(EXCERPT).collect();
        // Their names do not always tell that the line has a secret.
        for place in secrets.get(&number).into_iter().flatten().rev() {
            let mut letters = line.chars();
            let mut hidden: String = letters.by_ref().take(place.column - 1).collect();
            if letters.next().is_some() {
                hidden.push('…');
                hidden.extend(letters.skip(place.end_column - place.column - 1));
                line = hidden;
            }
        }
        facts.excerpts.insert(
            number,
            secrets::mask(&line.replace(HOLE, "?"), secret_words),
        );
    }
}
