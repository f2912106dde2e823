//! The rules: data in `rules/`, embedded in the program.

use std::collections::{BTreeMap, HashSet};

use aho_corasick::{AhoCorasick, BuildError};
use serde::Deserialize;

use crate::{kind::Kind, names::last_identifier};

/// What the rules say about names, hosts, vendors and client libraries.
#[derive(Debug)]
pub struct Rules {
    /// Where v1 was served.
    pub(crate) hosts: Hosts,
    /// Paths that clients call although v1 did not have them.
    pub(crate) strays: Vec<String>,
    /// What names tell.
    pub(crate) words: Words,
    /// Services whose endpoints have the same names, and Zoom itself.
    pub(crate) services: Services,
    /// Client libraries that speak v1.
    pub libraries: Vec<Library>,
    /// The last names of the calls by which libraries are loaded, set up and used.
    pub(crate) calls: HashSet<String>,
    /// The last names of the methods of libraries.
    pub(crate) methods: HashSet<String>,
}

/// A rule file that does not say what it should.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file cannot be read.
    #[error("{file}: {cause}")]
    File {
        /// The file.
        file: String,
        /// Why.
        cause: toml::de::Error,
    },
    /// The names of services cannot be searched for.
    #[error("rules/data/vendors.toml: {0}")]
    Search(#[from] BuildError),
}

/// Hosts and paths of the API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    /// Domains that the hosts of the API end with, in lower case.
    domains: Vec<String>,
    /// Hosts whose path starts with the version.
    pub(crate) api: Vec<String>,
    /// Hosts on which the API lies below a path, and that path.
    pub(crate) web: Vec<String>,
    /// The path below which the API lies there.
    pub(crate) web_path: String,
    /// Labels of other hosts that may serve v1.
    pub(crate) labels: Vec<String>,
    /// Where the shim serves v1, if that is known: host, port and path in lower case.
    pub(crate) shim: Option<String>,
}

impl Hosts {
    /// Length of the domain of the API that the text starts with, in any letter case.
    pub(crate) fn domain_length(&self, text: &[u8]) -> Option<usize> {
        let starts = |domain: &&String| {
            text.get(..domain.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(domain.as_bytes()))
        };
        self.domains.iter().find(starts).map(String::len)
    }

    /// True if a domain of the API is in the text, in lower case.
    pub(crate) fn has_domain(&self, text: &str) -> bool {
        self.domains
            .iter()
            .any(|domain| text.contains(domain.as_str()))
    }

    /// True if a text names the shim.
    pub(crate) fn is_shim(&self, text: &str) -> bool {
        self.shim
            .as_ref()
            .is_some_and(|shim| text.to_ascii_lowercase().contains(shim.as_str()))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostFile {
    domains: Vec<String>,
    api: Vec<String>,
    web: Vec<String>,
    web_path: String,
    labels: Vec<String>,
    strays: Vec<String>,
}

/// Words that tell what the names around a path mean; `rules/data/words.toml` documents each list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "keys of the file")]
pub(crate) struct Words {
    pub(crate) own: Vec<String>,
    pub(crate) own_bare: Vec<String>,
    pub(crate) own_roots: Vec<String>,
    pub(crate) servers: Vec<String>,
    pub(crate) label: Vec<String>,
    pub(crate) label_exact: Vec<String>,
    pub(crate) loggers: Vec<String>,
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
    pub(crate) itself: Vec<String>,
    pub(crate) requests: Vec<String>,
    pub(crate) route_verbs: Vec<String>,
    pub(crate) handler_keys: Vec<String>,
    pub(crate) client_annotations: Vec<String>,
    pub(crate) formatters: Vec<String>,
    pub(crate) page_moves: Vec<String>,
    pub(crate) page_movers: Vec<String>,
    pub(crate) notification_field: String,
    pub(crate) notification_fields: Vec<String>,
    pub(crate) unique_notifications: Vec<String>,
    pub(crate) common_notifications: Vec<String>,
    pub(crate) form_reads: Vec<String>,
    pub(crate) form_parsers: Vec<String>,
    pub(crate) verification_tokens: Vec<String>,
    pub(crate) webhook_headers: Vec<String>,
    pub(crate) test_folders: Vec<String>,
    pub(crate) stand_ins: Vec<String>,
    pub(crate) value_words: Vec<String>,
    pub(crate) browser_sdk: Vec<String>,
    pub(crate) api_names: Vec<String>,
}

/// True if a list has a word.
pub(crate) fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|known| known == word)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    vendor: Vec<Vendor>,
}

/// Another service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    /// Its name.
    name: String,
    /// What its programs contain, in lower case.
    marks: Vec<String>,
}

/// Finds out which services a text speaks of, in any letter case.
#[derive(Debug)]
pub(crate) struct Services {
    marks: AhoCorasick,
    /// The service behind each mark; the first mark is Zoom's.
    owners: Vec<Option<usize>>,
    names: Vec<String>,
}

/// The services that texts speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spoken<'r> {
    /// The word zoom stands there.
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

    /// What texts speak of together.
    pub(crate) fn in_texts(&self, texts: [&str; 2]) -> Spoken<'_> {
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
        Spoken {
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
    /// One line.
    pub summary: String,
    /// What it finds, and what it leaves alone.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// A line that it finds.
    pub example: String,
    /// Where it is published: `rubygems`, `pypi`, `npm`, `go`, `packagist`, `powershell`.
    pub ecosystem: String,
    /// Its name there.
    pub package: String,
    /// The first version that does not speak v1; `None` if all versions do.
    pub before: Option<String>,
    /// Arguments of the constructor that choose v1 in later versions.
    #[serde(default)]
    pub v1_arguments: Vec<String>,
    /// Methods and parameters that only v1 had.
    #[serde(default)]
    pub v1_only: Vec<String>,
    /// Methods and parameters that only v2 has.
    #[serde(default)]
    pub v2_only: Vec<String>,
    /// The languages that use it.
    pub languages: Vec<String>,
    /// What an import names.
    pub imports: Vec<String>,
    /// What makes a client.
    pub constructors: Vec<String>,
    /// What sets the library up for all of its clients.
    #[serde(default)]
    pub setups: Vec<String>,
    /// Words in the name of a variable that holds a client.
    pub names: Vec<String>,
    /// What to use instead.
    pub instead: String,
    /// How its clients are pointed at the base URL `{base}`, if they can be.
    pub repoint: Option<String>,
    /// How methods are called.
    pub style: Style,
    /// Functions of the library that take a path of v1.
    #[serde(default)]
    pub helpers: Vec<String>,
    /// The operation behind each method; empty if v1 had none.
    pub methods: BTreeMap<String, String>,
    /// Methods whose v2 form is another name.
    #[serde(default, rename = "rewrite")]
    pub rewrites: Vec<Rewrite>,
}

impl Library {
    /// True if programs call v1 by its paths through the library.
    pub(crate) fn is_wrapper(&self) -> bool {
        !self.helpers.is_empty()
    }
}

/// A method of a library's v1 class and its form in the v2 class.
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
    /// Parameters that mean the same.
    #[serde(default)]
    pub kept: Vec<String>,
    /// The arguments that v2 needs besides.
    #[serde(default)]
    pub added: String,
    /// What else has to be done, in a sentence.
    pub needs: String,
}

/// How a library's methods are called.
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

/// The rules by id, sorted, as they stand in `rules/`.
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

/// What a rule is for, as people read it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The kind of its findings.
    pub kind: Kind,
    /// One line.
    pub summary: String,
    /// What it finds, and what it leaves alone.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// A line that it finds.
    pub example: String,
    /// What to use instead.
    pub instead: String,
}

impl Rule {
    /// Reads a rule; the texts come without blanks around them.
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
        let hosts: HostFile = read("data/hosts.toml", HOSTS)?;
        let vendors: VendorFile = read("data/vendors.toml", VENDORS)?;
        let libraries = LIBRARIES
            .into_iter()
            .map(|(file, text)| read(file, text))
            .collect::<Result<Vec<Library>, _>>()?;
        let mut rules = Self {
            hosts: Hosts {
                domains: hosts.domains,
                api: hosts.api,
                web: hosts.web,
                web_path: hosts.web_path,
                labels: hosts.labels,
                shim: None,
            },
            strays: hosts.strays,
            words: read("data/words.toml", WORDS)?,
            services: Services::new(&vendors.vendor)?,
            libraries: Vec::new(),
            calls: HashSet::new(),
            methods: HashSet::new(),
        };
        rules.add(libraries);
        Ok(rules)
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
    /// Reads a library of a user, in the form of `rules/libraries`.
    ///
    /// # Errors
    ///
    /// It does not say what it should.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        read(file, text)
    }
}

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
