//! Decides which signals of a file are uses of v1, from the evidence of the whole project.

mod endpoint;
mod halves;
mod libraries;
mod purpose;
mod receivers;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    evidence::Evidence,
    facts::{
        FileFacts, Place, Signal,
        secrets::Sign,
        shape::Shape,
        syntax::{Role, Write},
    },
    judge::{endpoint::Endpoint, purpose::Purpose},
    kind::{Confidence, Kind},
    knowledge::Knowledge,
    names::{contains_zoom, last_identifier},
    rules::{Library, Rules, has},
};

/// A use of v1.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The operation.
    pub(crate) operation: Option<String>,
    /// Its place.
    pub(crate) place: Place,
    /// Its confidence.
    pub(crate) confidence: Confidence,
    /// The reason for the report.
    pub(crate) reason: &'static str,
    /// The parameters of the call; for other kinds, the name of the package, field or credential.
    pub(crate) given: Vec<String>,
    /// Values of parameters that are literals in the code.
    pub(crate) values: BTreeMap<String, String>,
    /// True if these are all parameters.
    pub(crate) whole: bool,
    /// Why v1 refused the request, whatever its parameters are.
    pub(crate) refused: Option<&'static str>,
}
impl Use {
    /// A use that has a name instead of an operation.
    fn named(
        kind: Kind,
        name: &str,
        place: &Place,
        confidence: Confidence,
        reason: &'static str,
    ) -> Self {
        Self {
            kind,
            operation: None,
            place: place.clone(),
            confidence,
            reason,
            given: vec![name.to_owned()],
            values: BTreeMap::new(),
            whole: false,
            refused: None,
        }
    }

    /// A use of a client library, with its package and ecosystem.
    fn of_library(
        kind: Kind,
        library: &Library,
        place: &Place,
        confidence: Confidence,
        reason: &'static str,
    ) -> Self {
        let mut found = Self::named(kind, &library.package, place, confidence, reason);
        found.given.push(library.ecosystem.clone());
        found
    }
}

/// The parameters of a call that are in the code.
#[derive(Debug, Default)]
pub(super) struct Given {
    names: Vec<String>,
    values: BTreeMap<String, String>,
    whole: bool,
}

/// The values of parameters whose only value is a literal.
fn literals<'a>(
    values: impl Iterator<Item = (&'a String, Option<&'a String>)>,
) -> BTreeMap<String, String> {
    let mut literals: BTreeMap<&String, Option<&String>> = BTreeMap::new();
    for (name, value) in values {
        let kept = literals.entry(name).or_insert(value);
        *kept = kept.filter(|kept| Some(*kept) == value);
    }
    literals
        .into_iter()
        .filter_map(|(name, value)| Some((name.clone(), value?.clone())))
        .collect()
}

/// Finds the uses in the files of a project.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    /// The index of v1.
    pub(crate) knowledge: &'a Knowledge,
    /// The rules.
    pub(crate) rules: &'a Rules,
    /// The evidence of the project.
    pub(crate) evidence: &'a Evidence,
}

impl Judge<'_> {
    /// All uses in a file, in order of their place.
    pub(crate) fn uses(&self, file: &FileFacts) -> Vec<Use> {
        let signals = file.signals.iter();
        let mut uses: Vec<Use> = signals
            .filter_map(|signal| self.signal(file, signal))
            .collect();
        self.halves(file, &mut uses);
        uses.extend(libraries::uses(self, file));
        if !uses.iter().any(|found| found.kind.is_request()) {
            uses.extend(self.requests_without_path(file));
        }
        uses.extend(receivers::uses(self, file));
        self.fields(file, &mut uses);
        self.secrets(file, &mut uses);
        // A constant that is used in several places is one use, at its definition. Of several uses
        // at one place, the one with the highest confidence is kept.
        uses.sort_by(|a, b| {
            (
                a.place.line,
                a.place.column,
                a.kind == Kind::Doc,
                b.confidence,
            )
                .cmp(&(
                    b.place.line,
                    b.place.column,
                    b.kind == Kind::Doc,
                    a.confidence,
                ))
        });
        let mut seen = BTreeSet::new();
        uses.retain(|found| {
            seen.insert((
                found.place.line,
                found.operation.clone(),
                // Several fields or credentials of one line are as many findings.
                { found.kind.traits().stands_alone }
                    .then(|| (found.kind, found.given.first().cloned())),
            ))
        });
        uses
    }

    fn signal(&self, file: &FileFacts, signal: &Signal) -> Option<Use> {
        let found = |kind, operation: &Option<String>, confidence, reason| {
            let given = self.given(file, signal, operation.as_deref());
            Some(Use {
                kind,
                operation: operation.clone(),
                place: signal.place.clone(),
                confidence,
                reason,
                given: given.names,
                values: given.values,
                whole: given.whole,
                refused: self.refused(kind, signal),
            })
        };
        if signal.text.role != Role::Value || signal.shape == Shape::Name {
            return self.mention(file, signal);
        }
        match &signal.shape {
            Shape::Base => {
                let label =
                    self.purpose(file, signal) == Purpose::Label || self.is_compared(signal);
                let kind = if label { Kind::Doc } else { Kind::BaseUrl };
                let reason = if self.is_at_shim(file, signal) {
                    AT_SHIM
                } else {
                    "the v1 base URL"
                };
                let base = found(kind, &None, Confidence::High, reason)?;
                let place = self.host_of(file, signal).unwrap_or(base.place);
                Some(Use { place, ..base })
            }
            Shape::Url { operation, unknown } => {
                let label = self.purpose(file, signal) == Purpose::Label;
                let kind = if label {
                    Kind::Doc
                } else if signal.spans_pieces {
                    Kind::Endpoint
                } else {
                    Kind::Url
                };
                match operation {
                    Some(_) => found(kind, operation, Confidence::High, "a URL of v1"),
                    // `https://api.zoom.us/v1/ma/`
                    None if unknown.is_none() && !label && signal.value.ends_with('/') => {
                        found(Kind::BaseUrl, &None, Confidence::High, "the v1 base URL")
                    }
                    None => found(kind, unknown, Confidence::Medium, "a URL below v1's base"),
                }
            }
            Shape::Dynamic => {
                let sent = self.sends_dynamic(file, signal);
                let reason = "the operation is put together at run time";
                sent.then(|| found(Kind::Endpoint, &None, Confidence::Low, reason))?
            }
            Shape::BrowserSdk => found(
                Kind::Doc,
                &None,
                Confidence::High,
                "Zoom's browser SDK signs in with a person's password, which the shim does not serve",
            ),
            Shape::Endpoint {
                operation, path, ..
            } => {
                let endpoint = Endpoint::new(self, file, signal, operation.as_deref(), path);
                let (kind, confidence, reason) = endpoint.verdict()?;
                let path = operation.clone().or_else(|| Some(path.clone()));
                found(kind, &path, confidence, reason)
            }
            _ => None,
        }
    }

    /// Why v1 refused a request.
    fn refused(&self, kind: Kind, signal: &Signal) -> Option<&'static str> {
        let callee = signal.text.callee.as_deref().unwrap_or_default();
        let name = last_identifier(callee);
        let receiver = callee.strip_suffix(name).unwrap_or_default();
        let receiver = last_identifier(receiver.trim_end_matches(['.', '>', '-', ':', '?']));
        let words = &self.rules.words;
        // A method of the program itself may post.
        let is_get = kind == Kind::Url
            && has(&words.get_verbs, &name.to_ascii_lowercase())
            && !has(&words.itself, &receiver.to_ascii_lowercase())
            && !contains_zoom(receiver)
            && !self.evidence.helpers.contains(name);
        match signal.text.keys_in_headers {
            _ if !kind.is_request() || kind == Kind::BaseUrl => None,
            true => Some(KEYS_IN_HEADERS),
            false => is_get.then_some(GET),
        }
    }

    /// The place of the host of a version that stands apart, `VERSION = "/v1"`: the only host of the
    /// file, which is what has to change.
    fn host_of(&self, file: &FileFacts, signal: &Signal) -> Option<Place> {
        let has_host = |text: &str| self.rules.hosts.has_domain(text);
        if has_host(&signal.value) {
            return None;
        }
        let is_host = |other: &&Signal| {
            matches!(other.shape, Shape::Host | Shape::Base)
                && other.text.role == Role::Value
                && has_host(&other.value)
        };
        let mut hosts = file.signals.iter().filter(is_host);
        let host = &hosts.next()?.place;
        hosts
            .all(|other| other.place.line == host.line)
            .then(|| host.clone())
    }

    /// True if a base URL points to the shim. For a version alone, the host elsewhere in the file
    /// counts.
    fn is_at_shim(&self, file: &FileFacts, signal: &Signal) -> bool {
        let hosts = &self.rules.hosts;
        hosts.is_shim(&signal.value)
            || !hosts.has_domain(&signal.value)
                && file
                    .signals
                    .iter()
                    .any(|other| other.shape == Shape::Host && hosts.is_shim(&other.value))
    }

    /// A path or URL in a comment or in prose.
    fn mention(&self, file: &FileFacts, signal: &Signal) -> Option<Use> {
        let operation = match &signal.shape {
            Shape::Base => None,
            // A title such as `Zoom API v1` may be about the program's own API.
            Shape::Name if file.vendor.is_none() && !file.is_of_v2_alone() => None,
            Shape::Call { package, operation } => {
                let calls_v1 = self.evidence.libraries.get(package).copied().flatten();
                if calls_v1 != Some(true) && !self.evidence.publishes.contains(package) {
                    return None;
                }
                operation.clone()
            }
            Shape::Url { operation, .. } => operation.clone(),
            Shape::Endpoint {
                operation: Some(operation),
                exact: true,
                ..
            } => {
                let is_about_zoom = file.zoom && file.vendor.is_none();
                let shared = self.knowledge.is_shared(operation) && !self.evidence.v1;
                if !is_about_zoom
                    || shared
                    || !(self.evidence.v1
                        || self.evidence.v2
                        || self.knowledge.is_distinctive(operation))
                {
                    return None;
                }
                Some(operation.clone())
            }
            _ => return None,
        };
        Some(Use {
            kind: Kind::Doc,
            operation,
            place: signal.place.clone(),
            confidence: Confidence::Medium,
            reason: if signal.text.role == Role::Comment {
                "named in a comment"
            } else {
                "named in prose"
            },
            given: Vec::new(),
            values: BTreeMap::new(),
            whole: false,
            refused: None,
        })
    }

    /// True if a path with a computed action goes to v1: it is concatenated with v1's base URL, or
    /// is an argument of a request helper.
    fn sends_dynamic(&self, file: &FileFacts, signal: &Signal) -> bool {
        let callee = signal.text.taker().unwrap_or_default();
        let based = signal.joined.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            let is_common = self.rules.words.common_bases.contains(&name);
            self.evidence.bases.contains(&name) && (!is_common || file.has_v1())
        });
        let strong = file.has_v1();
        self.evidence.v1
            && (based || self.is_helper(callee) || self.rules.hosts.has_domain(&signal.value))
            && !self.is_other_vendor(file, strong, file.zoom)
            && self.purpose(file, signal) == Purpose::Request
    }

    /// True if the callee is a request helper of the project. If its name is an HTTP verb, the
    /// receiver must be the client: `this.post(…)`, `zoom.post(…)`.
    fn is_helper(&self, callee: &str) -> bool {
        let name = last_identifier(callee);
        if !self.evidence.helpers.contains(name) {
            return false;
        }
        let receiver = callee
            .strip_suffix(name)
            .unwrap_or_default()
            .trim_end_matches(['.', '>', '-', ':', '?']);
        let receiver = last_identifier(receiver).to_ascii_lowercase();
        let words = &self.rules.words;
        !words.verbs.contains(&name.to_ascii_lowercase())
            || words.itself.contains(&receiver)
            || receiver.contains("zoom")
    }

    pub(super) fn is_other_vendor(&self, file: &FileFacts, strong: bool, about_zoom: bool) -> bool {
        !strong && (file.vendor.is_some() || !self.evidence.vendors.is_empty() && !about_zoom)
    }

    /// Requests whose URL is not in the code. In a project with URLs of v1, theirs may be constants of
    /// other files, which are found there.
    fn requests_without_path(&self, file: &FileFacts) -> Vec<Use> {
        let is_of_v2 = file.is_of_v2_alone() || self.evidence.v2;
        let is_of_another = self.is_other_vendor(file, false, file.zoom);
        let is_test = self.rules.words.is_test(&file.path);
        if self.evidence.v1 || is_of_v2 || is_of_another || is_test {
            return Vec::new();
        }
        let signals = file.signals.iter();
        signals
            .filter(|signal| signal.shape == Shape::Parameters)
            .map(|signal| Use {
                kind: Kind::Endpoint,
                operation: None,
                place: signal.place.clone(),
                confidence: Confidence::Low,
                reason: "sent with v1's credentials and a parameter that only v1 has; \
                         its URL is elsewhere",
                given: Vec::new(),
                values: BTreeMap::new(),
                whole: false,
                refused: None,
            })
            .collect()
    }

    /// Adds reads of v1's response fields close behind a request to v1. What a function takes and sends
    /// to v1 itself is no response. Parameters with the name of a field are read from other places, too,
    /// so these count only in the function of the request, or where a function is given the answer.
    fn fields(&self, file: &FileFacts, uses: &mut Vec<Use>) {
        /// Maximum distance between a request to v1 and the read of its response, in lines.
        const NEAR: usize = 30;
        let requests: Vec<Place> = uses
            .iter()
            .filter(|found| found.kind.is_request())
            .map(|found| found.place.clone())
            .collect();
        let requests_in = |function: &Range<usize>| {
            let mut requests = requests.iter();
            requests.any(|request| function.contains(&request.at))
        };
        for (read, place) in &file.reads {
            let near = requests
                .iter()
                .any(|request| place.line >= request.line && place.line - request.line <= NEAR);
            let is_sent = read.given_to.as_ref().is_some_and(requests_in);
            let is_elsewhere = || {
                let function = read.inside.as_ref();
                read.given_to.is_none()
                    && self.knowledge.is_parameter(&read.name)
                    && function.is_some_and(|function| !requests_in(function))
            };
            if near && !is_sent && !is_elsewhere() {
                uses.push(Use::named(
                    Kind::ResponseField,
                    &read.name,
                    place,
                    Confidence::Medium,
                    "a response field that only v1 has, read after a v1 call",
                ));
            }
        }
    }

    fn secrets(&self, file: &FileFacts, uses: &mut Vec<Use>) {
        let library = self
            .evidence
            .libraries
            .values()
            .any(|calls_v1| *calls_v1 == Some(true));
        let setups = libraries::starts_of_setups(self, file);
        let ours =
            file.has_v1() || (self.evidence.v1 || library) && file.zoom || !setups.is_empty();
        if !ours {
            return;
        }
        for secret in &file.secrets {
            let is_ours = match secret.sign {
                Sign::Named => true,
                Sign::Pair => file.has_v1() || !setups.is_empty(),
                Sign::Argument(at) => setups.contains(&at),
            };
            if !is_ours {
                continue;
            }
            uses.push(Use::named(
                Kind::Credential,
                &secret.name,
                &secret.place,
                Confidence::Medium,
                "an API key or secret in plain text, in a file of the v1 client",
            ));
        }
    }

    /// The parameters of the operation that the call has, or that the function sets on its
    /// variables.
    pub(super) fn given(
        &self,
        file: &FileFacts,
        signal: &Signal,
        operation: Option<&str>,
    ) -> Given {
        let Some(operation) = operation.and_then(|name| self.knowledge.operation(name)) else {
            return Given::default();
        };
        let text = &signal.text;
        let set: Vec<&Write> = file
            .writes
            .iter()
            .filter(|write| write.function.is_some() && write.function == text.function)
            .filter(|write| text.passed.is_empty() || text.passed.contains(&write.variable))
            .collect();
        let given: BTreeSet<&String> = text
            .given
            .iter()
            .chain(set.iter().map(|write| &write.key))
            .collect();
        let names: Vec<String> = operation
            .parameters
            .iter()
            .filter(|name| given.contains(name))
            .cloned()
            .collect();
        let has_credential = || {
            text.given
                .iter()
                .any(|name| has(&self.knowledge.credentials, name))
        };
        let written = set.iter().map(|write| (&write.key, write.value.as_ref()));
        let values = text.values.iter().map(|(name, value)| (name, Some(value)));
        Given {
            // A call without a parameter may get all of them elsewhere.
            whole: text.whole && (!names.is_empty() || has_credential()),
            values: literals(values.chain(written)),
            names,
        }
    }
}

/// Refusal of a request without credentials among its parameters.
const KEYS_IN_HEADERS: &str = "v1 took the key and the secret as parameters: it refused them in headers, and so does the shim";
/// Refusal of a request with another method.
const GET: &str = "v1 took POST only: the shim refuses GET";
/// Reason of a base URL that points to the shim.
pub(crate) const AT_SHIM: &str = "the v1 base URL, at the shim";
/// Reason of a path whose halves are two arguments or elements.
pub(crate) const SIDE_BY_SIDE: &str = "the two halves of the path are side by side";
/// Reason of a path whose first half belongs to the class or object around the second half.
pub(crate) const AROUND: &str = "the class or object around it is the first half of the path";
