//! The rules: data in `rules/`, embedded in the binary.

use std::collections::{BTreeMap, HashSet};

use aho_corasick::{AhoCorasick, BuildError};
use serde::Deserialize;

use crate::{
    kind::Kind,
    names::{last_identifier, root, split_words},
};

/// All rules and word lists.
#[derive(Debug)]
pub struct Rules {
    /// Hosts and paths of v1.
    pub(crate) hosts: Hosts,
    /// Word lists that classify names.
    pub(crate) words: Words,
    /// Other services with similar endpoints, and Zoom itself.
    pub(crate) services: Services,
    /// Client libraries for v1.
    pub libraries: Vec<Library>,
    /// Last identifiers of the calls that load, configure and use libraries.
    pub(crate) calls: HashSet<String>,
    /// Last identifiers of the methods of libraries.
    pub(crate) methods: HashSet<String>,
}

/// An invalid rule file.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file is not valid TOML, or a member is missing or unknown.
    #[error("{file}: {cause}")]
    File {
        /// The file.
        file: String,
        /// The parse error.
        cause: toml::de::Error,
    },
    /// The search for services cannot be built.
    #[error("rules/data/vendors.toml: {0}")]
    Search(#[from] BuildError),
}

/// Hosts and paths of the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hosts {
    /// Domains of the API's hosts, in lower case.
    domains: Vec<String>,
    /// Hosts whose path starts with the version.
    pub(crate) api: Vec<String>,
    /// Hosts that serve the API below `web_path`.
    pub(crate) web: Vec<String>,
    /// Path of the API on the hosts in `web`.
    pub(crate) web_path: String,
    /// Labels in the names of other hosts that may serve v1.
    pub(crate) labels: Vec<String>,
    /// Paths that clients call although v1 never had them.
    pub(crate) strays: Vec<String>,
    /// Operations whose path v2 has, too, although another one replaces them.
    pub(crate) also_of_v2: Vec<String>,
    /// Host, port and path of the shim in lower case, if known.
    #[serde(skip)]
    pub(crate) shim: Option<String>,
}

impl Hosts {
    /// Length of the API domain at the start of a text, in any letter case.
    pub(crate) fn domain_length(&self, text: &[u8]) -> Option<usize> {
        let starts = |domain: &&String| {
            text.get(..domain.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(domain.as_bytes()))
        };
        self.domains.iter().find(starts).map(String::len)
    }

    /// True if a lower-case text contains a domain of the API.
    pub(crate) fn has_domain(&self, text: &str) -> bool {
        self.domains
            .iter()
            .any(|domain| text.contains(domain.as_str()))
    }

    /// True if a text contains the shim's address.
    pub(crate) fn is_shim(&self, text: &str) -> bool {
        self.shim
            .as_ref()
            .is_some_and(|shim| text.to_ascii_lowercase().contains(shim.as_str()))
    }
}

/// Word lists that classify the names around a path; `rules/data/words.toml` documents each list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "keys of the file")]
pub(crate) struct Words {
    pub(crate) own: Vec<String>,
    pub(crate) own_bare: Vec<String>,
    pub(crate) own_roots: Vec<String>,
    pub(crate) servers: Vec<String>,
    pub(crate) label: Vec<String>,
    pub(crate) stubs: Vec<String>,
    pub(crate) label_exact: Vec<String>,
    pub(crate) loggers: Vec<String>,
    pub(crate) comparisons: Vec<String>,
    pub(crate) browser: Vec<String>,
    pub(crate) browser_bound: Vec<String>,
    pub(crate) own_targets: Vec<String>,
    pub(crate) first_half: Vec<String>,
    pub(crate) first_half_endings: Vec<String>,
    pub(crate) second_half: Vec<String>,
    pub(crate) unique_actions: Vec<String>,
    pub(crate) unique_parameters: Vec<String>,
    pub(crate) common_bases: Vec<String>,
    pub(crate) bases: Vec<String>,
    pub(crate) class_fillers: Vec<String>,
    pub(crate) constructors: Vec<String>,
    pub(crate) dynamic: Vec<String>,
    pub(crate) verbs: Vec<String>,
    pub(crate) get_verbs: Vec<String>,
    pub(crate) itself: Vec<String>,
    pub(crate) requests: Vec<String>,
    pub(crate) route_verbs: Vec<String>,
    pub(crate) handler_keys: Vec<String>,
    pub(crate) client_annotations: Vec<String>,
    pub(crate) formatters: Vec<String>,
    pub(crate) page_moves: Vec<String>,
    pub(crate) page_movers: Vec<String>,
    pub(crate) notification_field: String,
    pub(crate) recording_field: String,
    pub(crate) notification_fields: Vec<String>,
    pub(crate) unique_notifications: Vec<String>,
    pub(crate) common_notifications: Vec<String>,
    pub(crate) form_reads: Vec<String>,
    pub(crate) own_input: Vec<String>,
    pub(crate) form_parsers: Vec<String>,
    pub(crate) verification_tokens: Vec<String>,
    pub(crate) verified_subjects: Vec<String>,
    pub(crate) authorization_reads: Vec<String>,
    pub(crate) authorization_schemes: Vec<String>,
    pub(crate) webhook_headers: Vec<String>,
    pub(crate) test_folders: Vec<String>,
    pub(crate) stand_ins: Vec<String>,
    pub(crate) value_words: Vec<String>,
    pub(crate) other_services: Vec<String>,
    pub(crate) other_key_prefixes: Vec<String>,
    pub(crate) credential_words: Vec<String>,
    pub(crate) credential_abbreviations: Vec<String>,
    pub(crate) scaled: Vec<String>,
    pub(crate) browser_sdk: Vec<String>,
    pub(crate) api_names: Vec<String>,
}

impl Words {
    /// True if a call only names what it is given, for a message or a test.
    pub(crate) fn is_label(&self, callee: &str) -> bool {
        let name = last_identifier(callee);
        has(&self.label_exact, &name.to_ascii_lowercase())
            || has_word(&self.label, name)
            || has_word(&self.loggers, &root(callee))
            || self.is_stub(callee)
    }

    /// True if a call replaces an endpoint in a test: `stub_request`.
    pub(crate) fn is_stub(&self, callee: &str) -> bool {
        has_word(&self.stubs, last_identifier(callee))
    }

    /// True if a file is a test, by its folder or its name.
    pub(crate) fn is_test(&self, path: &str) -> bool {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.split('.').next().unwrap_or_default();
        folders
            .split('/')
            .any(|folder| has(&self.test_folders, folder))
            || split_words(stem)
                .last()
                .is_some_and(|word| matches!(word.as_str(), "spec" | "test"))
            || name.contains(".spec.")
            || name.contains(".test.")
    }

    /// True if the name of a call says that it is given a page, template or file of the program.
    pub(crate) fn is_own(&self, callee: &str) -> bool {
        let lower = last_identifier(callee).to_ascii_lowercase();
        has(&self.own, &lower) || has(&self.own, &lower.replace('_', ""))
    }
}

/// True if a list has a word.
pub(crate) fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|known| known == word)
}

/// True if a name has one of the words.
fn has_word(words: &[String], name: &str) -> bool {
    split_words(name).iter().any(|part| has(words, part))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    vendor: Vec<Vendor>,
}

/// Another service with similar endpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    /// Its name.
    name: String,
    /// Texts that identify programs for it, in lower case.
    marks: Vec<String>,
}

/// Finds mentions of services, in any letter case.
#[derive(Debug)]
pub(crate) struct Services {
    marks: AhoCorasick,
    /// The service behind each mark; the first mark is Zoom's.
    owners: Vec<Option<usize>>,
    names: Vec<String>,
}

/// The services that a text mentions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MentionedServices<'r> {
    /// True if it contains the word zoom.
    pub(crate) zoom: bool,
    /// The first other service, in the order of the rules.
    pub(crate) vendor: Option<&'r str>,
}

impl Services {
    fn new(vendors: &[Vendor]) -> Result<Self, BuildError> {
        let mut marks = vec!["zoom"];
        let mut owners = vec![None];
        for (index, vendor) in vendors.iter().enumerate() {
            marks.extend(vendor.marks.iter().map(String::as_str));
            owners.resize(marks.len(), Some(index));
        }
        Ok(Self {
            marks: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(&marks)?,
            owners,
            names: vendors.iter().map(|vendor| vendor.name.clone()).collect(),
        })
    }

    /// The services mentioned in either text.
    pub(crate) fn mentioned_in(&self, texts: [&str; 2]) -> MentionedServices<'_> {
        let mut zoom = false;
        let mut first: Option<usize> = None;
        for found in texts
            .iter()
            .flat_map(|text| self.marks.find_overlapping_iter(text))
        {
            match self.owners.get(found.pattern().as_usize()) {
                Some(Some(vendor)) => first = Some(first.map_or(*vendor, |f| f.min(*vendor))),
                _ => zoom = true,
            }
        }
        MentionedServices {
            zoom,
            vendor: first
                .and_then(|index| self.names.get(index))
                .map(String::as_str),
        }
    }
}

/// A client library.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Summary, one line.
    pub summary: String,
    /// What the rule finds, and what it skips.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// Example of a line with a finding.
    pub example: String,
    /// Registry: `rubygems`, `pypi`, `npm`, `go`, `packagist`, `powershell`.
    pub ecosystem: String,
    /// Its name there.
    pub package: String,
    /// The first version that does not call v1; `None` if all versions call it.
    pub before: Option<String>,
    /// Constructor arguments that select v1 in later versions.
    #[serde(default)]
    pub v1_arguments: Vec<String>,
    /// Methods and parameters that only v1 had.
    #[serde(default)]
    pub v1_only: Vec<String>,
    /// Methods and parameters that only v2 has.
    #[serde(default)]
    pub v2_only: Vec<String>,
    /// Languages whose programs use it.
    pub languages: Vec<String>,
    /// Names in import statements.
    pub imports: Vec<String>,
    /// Constructors of a client.
    pub constructors: Vec<String>,
    /// Calls that configure the library for all its clients.
    #[serde(default)]
    pub setups: Vec<String>,
    /// Words in the names of variables that hold a client.
    pub names: Vec<String>,
    /// Replacement.
    pub instead: String,
    /// How to point its clients at the base URL `{base}`, if possible.
    pub repoint: Option<String>,
    /// Call syntax of its methods.
    pub style: Style,
    /// Functions of the library that take a path of v1.
    #[serde(default)]
    pub helpers: Vec<String>,
    /// The operation of each method; empty if v1 had none.
    pub methods: BTreeMap<String, String>,
    /// Methods with another name in v2.
    #[serde(default, rename = "rewrite")]
    pub rewrites: Vec<Rewrite>,
}

impl Library {
    /// How its clients are pointed at a base URL, in a sentence.
    pub fn repointing(&self, base: &str) -> String {
        match &self.repoint {
            Some(way) => format!(
                "Point the library at the shim: {}",
                way.replace("{base}", base)
            ),
            None => {
                "The library holds its base URL itself: lead the host to the shim, for example by \
                     a hosts entry"
                    .to_owned()
            }
        }
    }

    /// True if programs pass paths of v1 to the library.
    pub(crate) fn is_wrapper(&self) -> bool {
        !self.helpers.is_empty()
    }
}

/// A method of a library's v1 class and its replacement in the v2 class.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The v1 form: `user.get_by_email`.
    pub method: String,
    /// The name of the v2 method.
    pub to: String,
    /// Parameters with another name in v2.
    #[serde(default)]
    pub renamed: BTreeMap<String, String>,
    /// Parameters with the same meaning in v2.
    #[serde(default)]
    pub kept: Vec<String>,
    /// Additional arguments of v2.
    #[serde(default)]
    pub added: String,
    /// What else has to be done, in a sentence.
    pub needs: String,
}

/// Call syntax of a library's methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Style {
    /// `client.user_list`
    #[serde(rename = "receiver.method")]
    Method,
    /// `client.user.list`
    #[serde(rename = "receiver.resource.method")]
    ResourceMethod,
    /// `Get-ZoomUser`, `user_list(…)`
    #[serde(rename = "function")]
    Function,
}

/// The names of folders below `rules/`, each with the text of its `rule.toml`.
macro_rules! embedded {
    ($($folder:literal),* $(,)?) => {
        [$(($folder, include_str!(concat!("../rules/", $folder, "/rule.toml")))),*]
    };
}

/// The rules by id, sorted.
pub const RULES: [(&str, &str); 12] = embedded![
    "v1-answer-field",
    "v1-base-url",
    "v1-credential",
    "v1-dependency",
    "v1-endpoint",
    "v1-endpoint-halves",
    "v1-library-call",
    "v1-library-import",
    "v1-mention",
    "v1-push-notification",
    "v1-url",
    "verification-token",
];

/// Documentation of a rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The kind of its findings.
    /// Kind of its findings.
    pub kind: Kind,
    /// Summary, one line.
    pub summary: String,
    /// What the rule finds, and what it skips.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// Example of a line with a finding.
    pub example: String,
    /// Replacement.
    pub instead: String,
}

impl Rule {
    /// Parses a rule and trims its texts.
    pub fn parse(id: &'static str, text: &str) -> Result<Self, RuleError> {
        let rule: Self = read(id, text)?;
        Ok(Self {
            what: rule.what.trim().to_owned(),
            why: rule.why.trim().to_owned(),
            example: rule.example.trim().to_owned(),
            instead: rule.instead.trim().to_owned(),
            ..rule
        })
    }
}

const HOSTS: &str = include_str!("../rules/data/hosts.toml");
const WORDS: &str = include_str!("../rules/data/words.toml");
const VENDORS: &str = include_str!("../rules/data/vendors.toml");
const LIBRARIES: [(&str, &str); 12] = embedded![
    "libraries/go-zoom-lib-golang",
    "libraries/moodle-mod-zoom",
    "libraries/npm-zoomus",
    "libraries/packagist-alexjose-zoom-api",
    "libraries/packagist-fusedinteractive-laravel-zoom",
    "libraries/packagist-nicosoft-zoom",
    "libraries/packagist-rignet-zoom-lib-php",
    "libraries/packagist-silinternational-zoom-php-client",
    "libraries/pypi-pw-zoomus",
    "libraries/pypi-zoomus",
    "libraries/rubygems-zoomba",
    "libraries/rubygems-zoomus",
];

impl Rules {
    /// Reads the embedded rules.
    pub fn embedded() -> Result<Self, RuleError> {
        let vendors: VendorFile = read("data/vendors.toml", VENDORS)?;
        let libraries = LIBRARIES
            .into_iter()
            .map(|(file, text)| read(file, text))
            .collect::<Result<Vec<Library>, _>>()?;
        let mut rules = Self {
            hosts: read("data/hosts.toml", HOSTS)?,
            words: read("data/words.toml", WORDS)?,
            services: Services::new(&vendors.vendor)?,
            libraries: Vec::new(),
            calls: HashSet::new(),
            methods: HashSet::new(),
        };
        rules.add(libraries);
        Ok(rules)
    }

    /// The library of a package.
    pub fn library(&self, ecosystem: &str, package: &str) -> Option<&Library> {
        let mut libraries = self.libraries.iter();
        libraries.find(|library| library.ecosystem == ecosystem && library.package == package)
    }

    /// Adds libraries.
    pub fn add(&mut self, libraries: Vec<Library>) {
        self.calls.extend(libraries.iter().flat_map(calls_of));
        let methods = libraries.iter().flat_map(|library| library.methods.keys());
        let last = |name: &String| name.rsplit('.').next().map(str::to_owned);
        self.methods.extend(methods.filter_map(last));
        self.libraries.extend(libraries);
    }
}

impl Library {
    /// Parses a user's library file, in the format of `rules/libraries`.
    ///
    /// # Errors
    ///
    /// Fails if the text is not valid TOML, or a member is missing or unknown.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        read(file, text)
    }
}

/// Last identifiers of the calls that load, configure and use a library.
fn calls_of(library: &Library) -> impl Iterator<Item = String> {
    let loading = ["require", "import", "require_relative"].map(str::to_owned);
    library
        .constructors
        .iter()
        .chain(&library.setups)
        .chain(library.methods.keys())
        .map(|name| last_identifier(name).to_owned())
        .chain(loading)
}

fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, RuleError> {
    toml::from_str(text).map_err(|cause| RuleError::File {
        file: file.to_owned(),
        cause,
    })
}
