//! Decides what is a use of v1, in the light of the whole project.

use std::collections::BTreeSet;

use super::{
    evidence::Evidence,
    extract::{Role, Text, last_identifier},
    finding::{Confidence, Kind},
    knowledge::Knowledge,
    language::{Format, Language},
    purpose::{Purpose, split_words},
    rules::Rules,
    scan::{FileFacts, Place, Signal},
    shape::{DOMAIN, Shape},
};

/// A use of v1 before it is written up.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The operation.
    pub(crate) operation: Option<String>,
    /// Where it stands.
    pub(crate) place: Place,
    /// How sure it is.
    pub(crate) confidence: Confidence,
    /// Why it is reported.
    pub(crate) reason: &'static str,
    /// The parameters given beside it.
    pub(crate) given: Vec<String>,
}

/// Decides about the files of one project.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    /// What is known of v1.
    pub(crate) knowledge: &'a Knowledge,
    /// The rules.
    pub(crate) rules: &'a Rules,
    /// What the project says.
    pub(crate) evidence: &'a Evidence,
}

impl Judge<'_> {
    /// All uses in a file, in the order of the text.
    pub(crate) fn uses(&self, file: &FileFacts) -> Vec<Use> {
        let mut uses = Vec::new();
        for signal in &file.signals {
            if let Some(found) = self.signal(file, signal) {
                uses.push(found);
            }
        }
        self.halves(file, &mut uses);
        uses.extend(super::library::uses(self, file));
        fields(file, &mut uses);
        self.secrets(file, &mut uses);
        // A constant that is used in several places is one use, where it stands; and the surest
        // sign of a place speaks for it.
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
                found.kind == Kind::ResponseField,
            ))
        });
        uses
    }

    fn signal(&self, file: &FileFacts, signal: &Signal) -> Option<Use> {
        let found = |kind, operation: &Option<String>, confidence, reason| {
            Some(Use {
                kind,
                operation: operation.clone(),
                place: signal.place.clone(),
                confidence,
                reason,
                given: self.given(file, signal, operation.as_deref()),
            })
        };
        if signal.text.role != Role::Value || signal.shape == Shape::Name {
            return self.mention(file, signal);
        }
        match &signal.shape {
            Shape::Base => {
                let label = self.purpose(file, signal) == Purpose::Label;
                let kind = if label { Kind::Doc } else { Kind::BaseUrl };
                let reason = if self.is_at_shim(file, signal) {
                    AT_SHIM
                } else {
                    "the v1 base URL"
                };
                found(kind, &None, Confidence::High, reason)
            }
            Shape::Url { operation } => {
                let label = self.purpose(file, signal) == Purpose::Label;
                let kind = if label {
                    Kind::Doc
                } else if signal.apart {
                    Kind::Endpoint
                } else {
                    Kind::Url
                };
                match operation {
                    Some(_) => found(kind, operation, Confidence::High, "a URL of v1"),
                    None => found(kind, operation, Confidence::Medium, "a URL below v1's base"),
                }
            }
            Shape::Endpoint {
                operation, path, ..
            } => {
                let (confidence, reason) =
                    self.endpoint(file, signal, operation.as_deref(), path)?;
                let kind = if reason == LABEL {
                    Kind::Doc
                } else {
                    Kind::Endpoint
                };
                found(kind, operation, confidence, reason)
            }
            _ => None,
        }
    }

    /// True if a base names the shim, or is a version whose host, which stands apart, does.
    fn is_at_shim(&self, file: &FileFacts, signal: &Signal) -> bool {
        let hosts = &self.rules.hosts;
        hosts.is_shim(&signal.value)
            || !signal.value.contains(DOMAIN)
                && file
                    .signals
                    .iter()
                    .any(|other| other.shape == Shape::Host && hosts.is_shim(&other.value))
    }

    /// A path or URL in a comment or in prose.
    fn mention(&self, file: &FileFacts, signal: &Signal) -> Option<Use> {
        let operation = match &signal.shape {
            Shape::Base => None,
            Shape::Name if file.vendor.is_none() => None,
            Shape::Call { package, operation } => {
                let speaks = self.evidence.libraries.get(package).copied().flatten();
                if speaks != Some(true) && !self.evidence.publishes.contains(package) {
                    return None;
                }
                operation.clone()
            }
            Shape::Url { operation } => operation.clone(),
            Shape::Endpoint {
                operation: Some(operation),
                exact: true,
                ..
            } => {
                let speaks = file.zoom && file.vendor.is_none();
                let shared = self.knowledge.is_shared(operation) && !self.evidence.v1;
                if !speaks
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
        })
    }

    fn endpoint(
        &self,
        file: &FileFacts,
        signal: &Signal,
        operation: Option<&str>,
        path: &str,
    ) -> Option<(Confidence, &'static str)> {
        let strong = has_v1(file);
        let callee = signal.text.callee.as_deref().unwrap_or_default();
        let helper = self.is_helper(callee);
        let zoomy = file.zoom
            || callee.to_ascii_lowercase().contains("zoom")
            || signal
                .joined
                .iter()
                .any(|name| name.to_ascii_lowercase().contains("zoom"));
        let joins_base = signal
            .joined
            .iter()
            .chain(&signal.text.passed)
            .map(|name| name.to_ascii_lowercase())
            .any(|name| {
                let telling = zoomy || !self.rules.words.common_bases.contains(&name);
                telling && self.evidence.bases.contains(&name)
            });
        if self.is_other_vendor(file, strong, zoomy) {
            return None;
        }
        let purpose = match self.purpose(file, signal) {
            Purpose::Own if helper && !self.is_route(callee) => Purpose::Request,
            purpose => purpose,
        };
        if purpose == Purpose::Own {
            return None;
        }
        let distinctive = operation.is_some_and(|name| self.knowledge.is_distinctive(name));
        // A dump holds the menus and permissions of the program, too.
        if file.language == Some(Language::Data(Format::Sql))
            && !distinctive
            && !file
                .excerpts
                .get(&signal.place.line)
                .is_some_and(|line| line.to_ascii_lowercase().contains("zoom"))
        {
            return None;
        }
        let link = self.link(file, signal, strong, helper, joins_base, zoomy, distinctive)?;
        // Tests of a program that has left v1 may still answer its old paths.
        let stale = !self.evidence.v1 && is_test(&file.path);
        if purpose == Purpose::Label || stale {
            return Some((Confidence::Medium, LABEL));
        }
        let shared = operation.is_some_and(|name| self.knowledge.is_shared(name));
        if shared && !self.means_v1(file, signal) {
            return None;
        }
        // A path that v1 never had needs a sibling that it had, called the same way.
        if operation.is_none() && !has_sibling(file, signal, path) {
            return None;
        }
        Some(link)
    }

    /// Why a path belongs to v1, if it does.
    #[expect(
        clippy::too_many_arguments,
        reason = "the signs that are weighed, each computed once"
    )]
    #[expect(clippy::fn_params_excessive_bools, reason = "each is one sign")]
    fn link(
        &self,
        file: &FileFacts,
        signal: &Signal,
        strong: bool,
        helper: bool,
        joins_base: bool,
        zoomy: bool,
        distinctive: bool,
    ) -> Option<(Confidence, &'static str)> {
        let v1 = self.evidence.v1;
        let callee = signal.text.callee.as_deref().unwrap_or_default();
        // `axios.create({ baseURL: settings.zoomUrl })` sends what the file asks for to v1.
        let told = strong
            || file
                .members
                .iter()
                .any(|name| self.evidence.bases.contains(name));
        let own_server = self.asks_own_server(file, signal)
            && !joins_base
            && !helper
            && (!told || self.asks_by_browser(file, signal));
        if own_server {
            return None;
        }
        let exact = matches!(signal.shape, Shape::Endpoint { exact: true, .. });
        let certain = strong || helper || joins_base && v1;
        if !exact && !certain {
            return None;
        }
        if strong {
            return Some((Confidence::High, "the v1 base URL stands in the same file"));
        }
        if joins_base && v1 {
            return Some((Confidence::High, "joined to the v1 base URL of the project"));
        }
        if helper && (v1 || zoomy) {
            return Some((
                Confidence::High,
                "given to the project's own request function",
            ));
        }
        if v1 && zoomy && self.belongs_to_client(file, signal) {
            return Some((
                Confidence::High,
                "the v1 base URL stands in the same project",
            ));
        }
        if v1 && distinctive {
            return Some((
                Confidence::Medium,
                "only v1 has it, and the project has the v1 base URL",
            ));
        }
        let proven = !callee.is_empty() && self.evidence.proven.contains(callee);
        if v1 && proven {
            return Some((Confidence::Medium, "requested like paths that only v1 has"));
        }
        // From here on there is no v1 base URL. v1 was asked by POST only.
        let lower = callee.to_ascii_lowercase();
        let reads = lower.contains("get") && !lower.contains("post");
        if reads || !zoomy || !(distinctive || proven) {
            return None;
        }
        if self.evidence.v2 {
            return Some((Confidence::Medium, "a path of v1 on a base URL of v2"));
        }
        let client =
            !self.evidence.helpers.is_empty() || file.path.to_ascii_lowercase().contains("zoom");
        (client && operations(file).len() > 1).then_some((
            Confidence::Low,
            "only v1 has it, in a program that speaks of Zoom",
        ))
    }

    /// True if more than a word somewhere in the file speaks for Zoom: a program's own pages mention
    /// it, too.
    fn belongs_to_client(&self, file: &FileFacts, signal: &Signal) -> bool {
        /// How many operations make a table of v1.
        const TABLE: usize = 3;
        let text = &signal.text;
        let names = [
            Some(file.path.as_str()),
            Some(text.class.as_str()),
            text.callee.as_deref(),
            text.target.as_deref(),
            text.function.as_deref(),
        ];
        let says_zoom = names
            .into_iter()
            .flatten()
            .chain(signal.joined.iter().map(String::as_str))
            .any(|name| name.to_ascii_lowercase().contains("zoom"));
        if is_test(&file.path) {
            return false;
        }
        let table = || {
            operations(file).len() >= TABLE
                && operations(file)
                    .iter()
                    .any(|name| self.knowledge.is_distinctive(name))
        };
        let told = file
            .members
            .iter()
            .any(|name| self.evidence.bases.contains(name));
        says_zoom || told || asks_itself(text) || table()
    }

    /// True if the project's own request function is called. One that is named like a verb of HTTP
    /// must be the client's: `this.post(…)`, `zoom.post(…)`.
    fn is_helper(&self, callee: &str) -> bool {
        let name = last_identifier(callee);
        if !self.evidence.helpers.contains(name) {
            return false;
        }
        let verb = matches!(
            name.to_ascii_lowercase().as_str(),
            "get" | "post" | "put" | "patch" | "delete" | "request" | "send" | "call" | "fetch"
        );
        let receiver = callee
            .strip_suffix(name)
            .unwrap_or_default()
            .trim_end_matches(['.', '>', '-', ':', '?']);
        let receiver = last_identifier(receiver).to_ascii_lowercase();
        !verb
            || matches!(
                receiver.as_str(),
                "" | "this" | "self" | "static" | "parent" | "super" | "class" | "await" | "return"
            )
            || receiver.contains("zoom")
    }

    pub(super) fn is_other_vendor(&self, file: &FileFacts, strong: bool, zoomy: bool) -> bool {
        !strong && (file.vendor.is_some() || !self.evidence.vendors.is_empty() && !zoomy)
    }

    /// True for a path with the same name in v2 if it is called as v1 was.
    fn means_v1(&self, file: &FileFacts, signal: &Signal) -> bool {
        let callee = signal
            .text
            .callee
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let class = signal.text.class.to_ascii_lowercase();
        if class.contains("v2")
            || signal
                .text
                .function
                .as_deref()
                .is_some_and(|name| name.to_ascii_lowercase().contains("v2"))
        {
            return false;
        }
        if callee.contains("get") && !callee.contains("post") {
            return false;
        }
        if callee.contains("post") || !self.evidence.v2 {
            return true;
        }
        file.signals.iter().any(|other| {
            matches!(&other.shape, Shape::Endpoint { operation: Some(name), .. }
                if !self.knowledge.is_shared(name) && self.knowledge.is_distinctive(name))
                && other.text.role == Role::Value
                && other.text.class == signal.text.class
        })
    }

    fn secrets(&self, file: &FileFacts, uses: &mut Vec<Use>) {
        let library = self
            .evidence
            .libraries
            .values()
            .any(|speaks| *speaks == Some(true));
        let ours = has_v1(file) || (self.evidence.v1 || library) && file.zoom;
        if !ours {
            return;
        }
        for secret in &file.secrets {
            uses.push(Use {
                kind: Kind::Credential,
                operation: None,
                place: secret.place.clone(),
                confidence: Confidence::Medium,
                reason: "an API key or secret in plain text, in a file of the v1 client",
                given: vec![secret.name.clone()],
            });
        }
    }

    /// The parameters of the operation that are given at the call or set on what is given.
    pub(super) fn given(
        &self,
        file: &FileFacts,
        signal: &Signal,
        operation: Option<&str>,
    ) -> Vec<String> {
        let Some(operation) = operation.and_then(|name| self.knowledge.operation(name)) else {
            return Vec::new();
        };
        let set = file
            .writes
            .iter()
            .filter(|write| write.function.is_some() && write.function == signal.text.function)
            .filter(|write| {
                signal.text.passed.is_empty() || signal.text.passed.contains(&write.variable)
            })
            .map(|write| &write.key);
        let given: BTreeSet<&String> = signal.text.given.iter().chain(set).collect();
        operation
            .parameters
            .iter()
            .filter(|name| given.contains(name))
            .cloned()
            .collect()
    }
}

/// The base URL of v1 as the shim serves it.
pub(crate) const AT_SHIM: &str = "the v1 base URL, at the shim";
/// The halves of a path are two arguments or elements.
pub(crate) const SIDE_BY_SIDE: &str = "the two halves of the path stand side by side";
/// A half of a path belongs to the class or object around the other one.
pub(crate) const AROUND: &str = "the first half of the path stands around it";
fn has_sibling(file: &FileFacts, signal: &Signal, path: &str) -> bool {
    let head = path.split('/').next().unwrap_or_default();
    file.signals.iter().any(|other| match &other.shape {
        Shape::Endpoint {
            operation: Some(name),
            ..
        } => {
            other.text.role == Role::Value
                && other.text.class == signal.text.class
                && name.split('/').next() == Some(head)
        }
        _ => false,
    })
}

fn fields(file: &FileFacts, uses: &mut Vec<Use>) {
    /// How far from a use of v1 an answer is read, in lines.
    const NEAR: usize = 30;
    let lines: Vec<usize> = uses
        .iter()
        .filter(|found| !matches!(found.kind, Kind::Doc | Kind::SdkImport | Kind::Dependency))
        .map(|found| found.place.line)
        .collect();
    for (read, place) in &file.reads {
        let near = lines
            .iter()
            .any(|line| place.line >= *line && place.line - line <= NEAR);
        if near {
            uses.push(Use {
                kind: Kind::ResponseField,
                operation: None,
                place: place.clone(),
                confidence: Confidence::Medium,
                reason: "an answer field that only v1 has, read after a v1 call",
                given: vec![read.name.clone()],
            });
        }
    }
}

const LABEL: &str = "only names the endpoint";

/// True for a request through a method of the class itself, `self.post_request(…)`, which is no
/// controller.
fn asks_itself(text: &Text) -> bool {
    let callee = text.callee.as_deref().unwrap_or_default();
    let name = last_identifier(callee);
    let receiver: String = callee
        .strip_suffix(name)
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let lower = name.to_ascii_lowercase();
    let requests = ["post", "request", "send", "call", "api", "fetch", "invoke"]
        .iter()
        .any(|word| lower.contains(word));
    requests
        && matches!(receiver.as_str(), "self" | "this" | "selfclass")
        && !text.class.to_ascii_lowercase().contains("controller")
}

/// True if a file is a test, by its folder or its name.
fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or_default();
    let words = split_words(stem);
    folders
        .split('/')
        .any(|folder| matches!(folder, "spec" | "specs" | "test" | "tests" | "__tests__"))
        || words
            .last()
            .is_some_and(|word| matches!(word.as_str(), "spec" | "test"))
        || name.contains(".spec.")
        || name.contains(".test.")
}

/// The operations that a file names as v1 spelt them.
fn operations(file: &FileFacts) -> BTreeSet<&String> {
    file.signals
        .iter()
        .filter_map(|signal| match &signal.shape {
            Shape::Endpoint {
                operation: Some(name),
                exact: true,
                ..
            } if signal.text.role == Role::Value => Some(name),
            _ => None,
        })
        .collect()
}

/// True if the file holds a base or URL of v1 in its code.
pub(crate) fn has_v1(file: &FileFacts) -> bool {
    file.signals.iter().any(|signal| {
        signal.text.role == Role::Value
            && matches!(
                signal.shape,
                Shape::Base | Shape::Url { operation: Some(_) }
            )
    })
}
