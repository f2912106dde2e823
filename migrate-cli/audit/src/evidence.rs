//! Combines the facts of a project: base URLs, client libraries, request helpers, other services.
//! They decide whether a path without a base URL is v1's.

mod bases;
pub(crate) mod clients;
pub(crate) mod dynamic;
pub(crate) mod libraries;
mod shared_names;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::BuildError;

use crate::{
    evidence::{
        bases::{join_split_bases, mark_browser_sdk, promote_hosts},
        clients::Clients,
        libraries::{loads, selects_v1, setups, supports_language},
        shared_names::SharedNames,
    },
    facts::{
        FileFacts, Signal,
        shape::Shape,
        syntax::{Role, Usage},
    },
    knowledge::Knowledge,
    names::{last_identifier, root},
    rules::{Rules, has},
};

/// Evidence of a project, or of a part of one.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
pub(crate) struct Evidence {
    /// The code or the settings contain a base URL of v1 or the URL of an operation.
    pub(crate) v1: bool,
    /// They contain a base URL of v2.
    pub(crate) v2: bool,
    /// Lower-case names of variables that hold a base URL.
    pub(crate) bases: BTreeSet<String>,
    /// The project's client of v1 has dynamic members, as with `__call` and `method_missing`.
    pub(crate) dynamic: bool,
    /// Classes of such clients.
    pub(crate) dynamic_classes: BTreeSet<String>,
    /// The project's request helpers: functions that send requests to v1.
    pub(crate) helpers: BTreeSet<String>,
    /// Callees of calls with a path that only v1 has.
    pub(crate) proven: BTreeSet<String>,
    /// True if a callee takes several operations of v1, one with a name that only v1 has. This
    /// proves v1 without a host or a library.
    pub(crate) by_operations: bool,
    /// Other services with similar endpoints.
    pub(crate) vendors: BTreeSet<String>,
    /// Packages that the project publishes.
    pub(crate) publishes: BTreeSet<String>,
    /// Client libraries; true if their version calls v1.
    pub(crate) libraries: BTreeMap<String, Option<bool>>,
    /// They contain a host of the API without a version.
    host: bool,
    /// They contain the path of an operation with the version: `/v1/user/list`.
    versioned: bool,
    /// They contain a path of v2 without a host.
    path_v2: bool,
    /// Names of the clients of libraries, and their factories.
    pub(crate) clients: Clients,
}

impl Evidence {
    fn add(&mut self, other: &Self) {
        self.v1 |= other.v1;
        self.v2 |= other.v2;
        self.dynamic |= other.dynamic;
        self.dynamic_classes
            .extend(other.dynamic_classes.iter().cloned());
        self.bases.extend(other.bases.iter().cloned());
        self.helpers.extend(other.helpers.iter().cloned());
        self.proven.extend(other.proven.iter().cloned());
        self.by_operations |= other.by_operations;
        self.vendors.extend(other.vendors.iter().cloned());
        self.publishes.extend(other.publishes.iter().cloned());
        self.host |= other.host;
        self.versioned |= other.versioned;
        self.path_v2 |= other.path_v2;
        self.clients.add(&other.clients);
        for (package, calls_v1) in &other.libraries {
            let entry = self.libraries.entry(package.clone()).or_default();
            *entry = match (*entry, *calls_v1) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (known, other) => other.or(known),
            };
        }
    }
}

/// The evidence of each project of a tree.
#[derive(Debug, Default)]
pub(crate) struct Projects {
    by_root: BTreeMap<String, Evidence>,
    all: Evidence,
    /// The roots whose own files prove v1.
    proving: BTreeSet<String>,
}

impl Projects {
    /// Combines the facts of all files. `roots` are the folders with a manifest.
    pub(crate) fn gather(
        files: &mut [FileFacts],
        roots: &BTreeSet<String>,
        knowledge: &Knowledge,
        rules: &Rules,
    ) -> Self {
        let mut own: BTreeMap<String, Evidence> = BTreeMap::new();
        for file in files.iter_mut() {
            join_split_bases(file, rules);
            mark_browser_sdk(file, rules);
            let evidence = own.entry(root_of(&file.path, roots)).or_default();
            evidence.add(&of_file(file, rules));
            let clients = Clients::of_file(file, &rules.libraries, &rules.words);
            evidence.clients.add(&clients);
            for library in &rules.libraries {
                let is_for_v1 = || {
                    let is_beside_v1 = file.has_v1() && !file.has_v2();
                    library.before.is_none() || selects_v1(library, file) || is_beside_v1
                };
                if supports_language(library, file) && loads(library, file) && is_for_v1() {
                    let libraries = &mut evidence.libraries;
                    libraries
                        .entry(library.package.clone())
                        .or_default()
                        .get_or_insert(true);
                }
            }
        }
        promote_versioned_hosts(files, roots, rules, &mut own);
        mark_wrappers(files, roots, knowledge, rules, &mut own);
        // A base URL in one file can be used by a function in another file.
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
        add_proven_callees(files, roots, rules, &mut own);
        let mut all = Evidence::default();
        for evidence in own.values() {
            all.add(evidence);
        }
        let proving = own.iter().filter(|(_, evidence)| proves_v1(evidence));
        let proving = proving.map(|(root, _)| root.clone()).collect();
        let by_root = own
            .keys()
            .map(|root| {
                let mut evidence = with_ancestors(root, &own);
                // A part of a tree without a base URL of its own gets the evidence of the whole
                // tree.
                if !evidence.v1 && !evidence.v2 {
                    let vendors = evidence.vendors.clone();
                    evidence.add(&all);
                    evidence.vendors = vendors;
                }
                (root.clone(), evidence)
            })
            .collect();
        Self {
            by_root,
            all,
            proving,
        }
    }

    /// The search for the names that the files share. `None` without v1.
    pub(crate) fn shared_names(
        &self,
        knowledge: &Knowledge,
        rules: &Rules,
    ) -> Result<Option<SharedNames>, BuildError> {
        proves_v1(&self.all)
            .then(|| SharedNames::new(&self.all, knowledge, rules))
            .transpose()
    }

    /// True if the project of a file, or one around it, proves v1.
    pub(crate) fn is_proven(&self, path: &str, roots: &BTreeSet<String>) -> bool {
        let root = root_of(path, roots);
        self.proving.iter().any(|proving| is_within(&root, proving))
    }

    /// The evidence that applies to a file.
    pub(crate) fn of(&self, path: &str, roots: &BTreeSet<String>) -> &Evidence {
        self.by_root.get(&root_of(path, roots)).unwrap_or(&self.all)
    }
}

/// The nearest folder with a manifest above a file.
pub(crate) fn root_of(path: &str, roots: &BTreeSet<String>) -> String {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        if roots.contains(above) {
            return above.to_owned();
        }
        folder = above;
    }
    String::new()
}

/// True if a root is another one or below it.
fn is_within(root: &str, other: &str) -> bool {
    let rest = root.strip_prefix(other);
    other.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn with_ancestors(root: &str, own: &BTreeMap<String, Evidence>) -> Evidence {
    let mut evidence = Evidence::default();
    let above = root.match_indices('/').filter_map(|(at, _)| root.get(..at));
    let whole = Some(root).filter(|root| !root.is_empty());
    for folder in [""].into_iter().chain(above).chain(whole) {
        if let Some(found) = own.get(folder) {
            evidence.add(found);
        }
    }
    evidence
}

/// The evidence in one file.
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
            Shape::Url {
                operation: Some(_), ..
            } => {
                evidence.v1 = true;
                evidence.versioned |= signal.spans_pieces;
            }
            Shape::BaseV2 => {
                evidence.v2 = true;
                evidence.bases.extend(names_of(signal));
            }
            Shape::Host => {
                evidence.host = true;
                evidence.bases.extend(names_of(signal));
            }
            Shape::PathV2 => evidence.path_v2 = true,
            Shape::Endpoint {
                operation: Some(_),
                versioned: true,
                ..
            } if signal.text.usage == Usage::Plain => {
                let callee = signal.text.callee.as_deref().unwrap_or_default();
                evidence.versioned |= !rules.words.servers.contains(&root(callee));
            }
            _ => {}
        }
    }
    evidence.dynamic = evidence.v1
        && file
            .functions
            .keys()
            .any(|name| rules.words.dynamic.contains(name));
    if evidence.dynamic {
        evidence.dynamic_classes = dynamic::classes(file, &rules.words);
    }
    for (dependency, _) in &file.dependencies {
        let known = evidence
            .libraries
            .entry(dependency.package.clone())
            .or_default();
        if known.is_none() || dependency.calls_v1 == Some(true) {
            *known = dependency.calls_v1;
        }
    }
    evidence
}

/// The name of the variable that holds a signal, in lower case.
fn names_of(signal: &Signal) -> impl Iterator<Item = String> {
    signal
        .text
        .target
        .iter()
        .map(|target| last_identifier(target).to_ascii_lowercase())
        .filter(|name| name.len() > 2)
}

/// Turns hosts into base URLs of v1 in projects whose paths contain the version, unless the project
/// uses v2.
fn promote_versioned_hosts(
    files: &mut [FileFacts],
    roots: &BTreeSet<String>,
    rules: &Rules,
    own: &mut BTreeMap<String, Evidence>,
) {
    let of_v1: BTreeSet<String> = own
        .keys()
        .filter(|root| {
            let around = with_ancestors(root, own);
            around.host && around.versioned && !around.v2 && !around.path_v2
        })
        .cloned()
        .collect();
    for file in files.iter_mut() {
        let root = root_of(&file.path, roots);
        if of_v1.contains(&root) {
            promote_hosts(file);
            own.entry(root).or_default().add(&of_file(file, rules));
        }
    }
}

/// Marks the files that call v1 through the class of another project: files with paths of v1 or
/// methods that the class had for v1, in a project without a base URL of v1.
fn mark_wrappers(
    files: &mut [FileFacts],
    roots: &BTreeSet<String>,
    knowledge: &Knowledge,
    rules: &Rules,
    own: &mut BTreeMap<String, Evidence>,
) {
    let with_base: BTreeSet<String> = own
        .keys()
        .filter(|root| with_ancestors(root, own).v1)
        .cloned()
        .collect();
    for file in files.iter_mut() {
        let root = root_of(&file.path, roots);
        let mut wrappers = rules
            .libraries
            .iter()
            .filter(|library| library.is_wrapper());
        let wrapper = wrappers.find(|library| {
            let calls_method = || {
                let mut calls = file.calls.iter();
                calls.any(|(call, _)| library.methods.contains_key(last_identifier(&call.callee)))
            };
            setups(library, file).next().is_some()
                && (names_v1_alone(file, knowledge) || calls_method())
        });
        let wrapper = wrapper.filter(|_| !with_base.contains(&root));
        file.is_wrapped = wrapper.is_some();
        if let Some(library) = wrapper {
            let evidence = own.entry(root).or_default();
            evidence.v1 = true;
            evidence.helpers.extend(library.helpers.iter().cloned());
        }
    }
}

/// Adds the callees that take several operations of v1, one of which only v1 has.
fn add_proven_callees(
    files: &[FileFacts],
    roots: &BTreeSet<String>,
    rules: &Rules,
    own: &mut BTreeMap<String, Evidence>,
) {
    let mut called: BTreeMap<(String, &str), BTreeSet<&str>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.vendor.is_none()) {
        let root = root_of(&file.path, roots);
        for signal in &file.signals {
            if let Shape::Endpoint {
                operation: Some(operation),
                exact: true,
                ..
            } = &signal.shape
                && signal.text.role == Role::Value
                && let Some(callee) = signal.text.taker()
            {
                let operations = called.entry((root.clone(), callee)).or_default();
                operations.insert(operation);
            }
        }
    }
    for ((root, callee), operations) in called {
        let is_unique = |operation: &&str| {
            let action = operation.rsplit('/').next().unwrap_or(operation);
            has(&rules.words.unique_actions, action)
        };
        if operations.len() > 1
            && operations.iter().any(is_unique)
            && let Some(evidence) = own.get_mut(&root)
        {
            evidence.by_operations = true;
            evidence.proven.insert(callee.to_owned());
        }
    }
}

fn proves_v1(evidence: &Evidence) -> bool {
    evidence.v1
        || evidence.by_operations
        || evidence
            .libraries
            .values()
            .any(|calls_v1| *calls_v1 == Some(true))
}

/// True if a file has a path of v1 that v2 does not have.
fn names_v1_alone(file: &FileFacts, knowledge: &Knowledge) -> bool {
    file.signals.iter().any(|signal| match &signal.shape {
        Shape::Endpoint {
            operation: Some(operation),
            ..
        } => signal.text.role == Role::Value && !knowledge.is_shared(operation),
        _ => false,
    })
}

/// The request helpers of a file: functions that use v1's credentials or a base URL.
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

/// Callees of calls with a path that only v1 has.
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
            } if signal.text.role == Role::Value
                && knowledge.is_distinctive(operation)
                && !knowledge.is_shared(operation) =>
            {
                signal.text.taker().map(str::to_owned)
            }
            _ => None,
        })
        .collect()
}
