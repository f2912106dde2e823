//! What the files of a project say together: which base URLs, libraries, helpers and other services
//! it has. A relative path means something only in this light.

pub(crate) mod libraries;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::{
    evidence::libraries::{chooses_v1, loads},
    facts::{
        FileFacts, Signal,
        shape::Shape,
        syntax::{Role, Usage},
    },
    knowledge::Knowledge,
    names::last_identifier,
    rules::Rules,
};

/// How far a version may stand from its host, in lines.
const NEAR: usize = 25;

/// What is known of one project, or of a part of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// A base or URL of v1 stands in code or settings.
    pub(crate) v1: bool,
    /// A base of v2 stands there.
    pub(crate) v2: bool,
    /// Names that hold a base URL, in lower case.
    pub(crate) bases: BTreeSet<String>,
    /// A client of v1 answers to any name, as `__call` and `method_missing` do.
    pub(crate) dynamic: bool,
    /// Functions that send requests to v1.
    pub(crate) helpers: BTreeSet<String>,
    /// What is called with paths that only v1 has.
    pub(crate) proven: BTreeSet<String>,
    /// Other services with similar endpoints.
    pub(crate) vendors: BTreeSet<String>,
    /// Packages that the project itself is.
    pub(crate) publishes: BTreeSet<String>,
    /// Client libraries, and whether their version speaks v1.
    pub(crate) libraries: BTreeMap<String, Option<bool>>,
}

impl Evidence {
    fn add(&mut self, other: &Self) {
        self.v1 |= other.v1;
        self.v2 |= other.v2;
        self.dynamic |= other.dynamic;
        self.bases.extend(other.bases.iter().cloned());
        self.helpers.extend(other.helpers.iter().cloned());
        self.proven.extend(other.proven.iter().cloned());
        self.vendors.extend(other.vendors.iter().cloned());
        self.publishes.extend(other.publishes.iter().cloned());
        for (package, speaks) in &other.libraries {
            let entry = self.libraries.entry(package.clone()).or_default();
            *entry = match (*entry, *speaks) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (known, said) => said.or(known),
            };
        }
    }
}

/// The evidence of every part of a tree.
#[derive(Debug, Default)]
pub(crate) struct Projects {
    by_root: BTreeMap<String, Evidence>,
    all: Evidence,
}

impl Projects {
    /// Gathers what the files say. `roots` are the folders with a manifest.
    pub(crate) fn gather(
        files: &mut [FileFacts],
        roots: &BTreeSet<String>,
        knowledge: &Knowledge,
        rules: &Rules,
    ) -> Self {
        let mut own: BTreeMap<String, Evidence> = BTreeMap::new();
        for file in files.iter_mut() {
            join_split_bases(file, rules);
            let evidence = own.entry(root_of(&file.path, roots)).or_default();
            evidence.add(&of_file(file, rules));
            for library in &rules.libraries {
                if library.before.is_some() && loads(library, file) && chooses_v1(library, file) {
                    let speaks = evidence
                        .libraries
                        .entry(library.package.clone())
                        .or_default();
                    *speaks = speaks.or(Some(true));
                }
            }
        }
        // A base in one file names what another file's functions use.
        let named: BTreeMap<String, Evidence> = own
            .keys()
            .map(|root| (root.clone(), with_ancestors(root, &own)))
            .collect();
        for file in files.iter() {
            let root = root_of(&file.path, roots);
            let bases = named.get(&root).map(|evidence| &evidence.bases);
            let found = helpers(file, bases, rules);
            let proven = proven(file, knowledge);
            if let Some(evidence) = own.get_mut(&root) {
                evidence.helpers.extend(found);
                evidence.proven.extend(proven);
            }
        }
        let mut all = Evidence::default();
        for evidence in own.values() {
            all.add(evidence);
        }
        let by_root = own
            .keys()
            .map(|root| {
                let mut evidence = with_ancestors(root, &own);
                // A part that says nothing of its own belongs to the whole.
                if !evidence.v1 && !evidence.v2 {
                    let vendors = evidence.vendors.clone();
                    evidence.add(&all);
                    evidence.vendors = vendors;
                }
                (root.clone(), evidence)
            })
            .collect();
        Self { by_root, all }
    }

    /// A search for the names through which a file that does not speak of Zoom can use v1: base
    /// URLs, request functions. Nothing if there is no v1.
    pub(crate) fn names(&self) -> Option<AhoCorasick> {
        if !self.all.v1 {
            return None;
        }
        let proven = self
            .all
            .proven
            .iter()
            .map(|callee| last_identifier(callee).to_owned());
        let names: BTreeSet<String> = self
            .all
            .helpers
            .iter()
            .chain(&self.all.bases)
            .cloned()
            .chain(proven)
            .filter(|name| name.len() > 2)
            .collect();
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .ascii_case_insensitive(true)
            .build(&names)
            .ok()
    }

    /// The evidence for a file.
    pub(crate) fn of(&self, path: &str, roots: &BTreeSet<String>) -> &Evidence {
        self.by_root.get(&root_of(path, roots)).unwrap_or(&self.all)
    }
}

/// The nearest folder above a file that has a manifest.
fn root_of(path: &str, roots: &BTreeSet<String>) -> String {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        if roots.contains(above) {
            return above.to_owned();
        }
        folder = above;
    }
    String::new()
}

fn with_ancestors(root: &str, own: &BTreeMap<String, Evidence>) -> Evidence {
    let mut evidence = Evidence::default();
    for (other, found) in own {
        let above = other.is_empty()
            || root == other
            || root
                .strip_prefix(other.as_str())
                .is_some_and(|rest| rest.starts_with('/'));
        if above {
            evidence.add(found);
        }
    }
    evidence
}

fn of_file(file: &FileFacts, rules: &Rules) -> Evidence {
    let mut evidence = Evidence {
        vendors: file.vendor.iter().cloned().collect(),
        publishes: file.publishes.iter().cloned().collect(),
        ..Evidence::default()
    };
    for signal in &file.signals {
        if signal.text.role != Role::Value {
            continue;
        }
        match &signal.shape {
            Shape::Base => {
                evidence.v1 = true;
                evidence.bases.extend(names_of(signal));
            }
            Shape::Url { operation: Some(_) } => evidence.v1 = true,
            Shape::BaseV2 => {
                evidence.v2 = true;
                evidence.bases.extend(names_of(signal));
            }
            Shape::Host => evidence.bases.extend(names_of(signal)),
            _ => {}
        }
    }
    evidence.dynamic = evidence.v1
        && file
            .functions
            .keys()
            .any(|name| rules.words.dynamic.contains(name));
    for (dependency, _) in &file.dependencies {
        let known = evidence
            .libraries
            .entry(dependency.package.clone())
            .or_default();
        if known.is_none() || dependency.speaks_v1 == Some(true) {
            *known = dependency.speaks_v1;
        }
    }
    evidence
}

fn names_of(signal: &Signal) -> impl Iterator<Item = String> {
    signal
        .text
        .target
        .iter()
        .map(|target| last_identifier(target).to_ascii_lowercase())
        .filter(|name| name.len() > 2)
}

/// Makes a version that stands near its host a base: `HOST = "api.zoom.us"`, `PATH = "/v1"`.
fn join_split_bases(file: &mut FileFacts, rules: &Rules) {
    let hosts: Vec<usize> = file
        .signals
        .iter()
        .filter(|signal| signal.shape == Shape::Host && signal.text.role == Role::Value)
        .map(|signal| signal.place.line)
        .collect();
    if hosts.is_empty() {
        return;
    }
    for signal in &mut file.signals {
        if signal.shape != Shape::Version || signal.text.role != Role::Value {
            continue;
        }
        let near = hosts
            .iter()
            .any(|line| line.abs_diff(signal.place.line) <= NEAR);
        let named = signal.text.target.as_deref().is_some_and(|target| {
            let lower = last_identifier(target).to_ascii_lowercase();
            rules
                .words
                .bases
                .iter()
                .any(|word| lower.contains(word.as_str()))
        });
        let plain = matches!(signal.text.usage, Usage::Plain);
        if near && plain && (named || signal.text.callee.is_some() || signal.text.element.is_some())
        {
            signal.shape = Shape::Base;
        }
    }
}

fn helpers(file: &FileFacts, bases: Option<&BTreeSet<String>>, rules: &Rules) -> Vec<String> {
    if !file.zoom {
        return Vec::new();
    }
    file.functions
        .iter()
        .filter(|(name, facts)| {
            let sends = facts.credentials
                || bases.is_some_and(|bases| {
                    facts
                        .joins
                        .iter()
                        .any(|name| bases.contains(&name.to_ascii_lowercase()))
                });
            sends && name.len() > 2 && !rules.words.constructors.contains(name)
        })
        .map(|(name, _)| name.clone())
        .collect()
}

fn proven(file: &FileFacts, knowledge: &Knowledge) -> Vec<String> {
    if !file.zoom || file.vendor.is_some() {
        return Vec::new();
    }
    file.signals
        .iter()
        .filter_map(|signal| match &signal.shape {
            Shape::Endpoint {
                operation: Some(operation),
                ..
            } if signal.text.role == Role::Value && knowledge.is_distinctive(operation) => {
                signal.text.callee.clone()
            }
            _ => None,
        })
        .collect()
}
