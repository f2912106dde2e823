//! The rules: data in `rules/`, embedded in the program.

use std::collections::{BTreeMap, HashSet};

use aho_corasick::{AhoCorasick, BuildError};
use serde::Deserialize;

use super::{extract::last_identifier, finding::Kind, shape::Hosts};

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
}

/// A rule file that does not say what it should.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file cannot be read.
    #[error("rules/{file}: {cause}")]
    File {
        /// The file.
        file: &'static str,
        /// Why.
        cause: toml::de::Error,
    },
    /// The names of services cannot be searched for.
    #[error("rules/data/vendors.toml: {0}")]
    Search(#[from] BuildError),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostFile {
    api: Vec<String>,
    web: Vec<String>,
    web_path: String,
    strays: Vec<String>,
}

/// What names tell about the path beside them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// Calls whose path is the program's own.
    pub(crate) own: Vec<String>,
    /// Such calls that only count without a receiver.
    pub(crate) own_bare: Vec<String>,
    /// Receivers that are views, links and forms of the program itself.
    pub(crate) own_roots: Vec<String>,
    /// Receivers that are a server's router.
    pub(crate) servers: Vec<String>,
    /// Words of calls that only name an endpoint.
    pub(crate) label: Vec<String>,
    /// Names of such calls.
    pub(crate) label_exact: Vec<String>,
    /// Calls that a browser makes to the page's own server.
    pub(crate) browser: Vec<String>,
    /// Those among them that only their own settings can send to another server.
    pub(crate) browser_bound: Vec<String>,
    /// Keys whose value is the program's own address.
    pub(crate) own_targets: Vec<String>,
    /// Names for the first half of an endpoint.
    pub(crate) first_half: Vec<String>,
    /// Names for the second half of an endpoint.
    pub(crate) second_half: Vec<String>,
    /// Names for a base URL that any program may have.
    pub(crate) common_bases: Vec<String>,
    /// Words in the names of versions and bases.
    pub(crate) bases: Vec<String>,
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
    /// The first version that does not speak v1; all do, if there is none.
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
    /// Words in the name of a variable that holds a client.
    pub names: Vec<String>,
    /// What to use instead.
    pub instead: String,
    /// How methods are called.
    pub style: Style,
    /// The operation behind each method; empty if v1 had none.
    pub methods: BTreeMap<String, String>,
    /// Methods whose v2 form is another name.
    #[serde(default, rename = "rewrite")]
    pub rewrites: Vec<Rewrite>,
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

/// The rules by id, sorted, as they stand in `rules/`.
pub const RULES: [(&str, &str); 10] = [
    (
        "v1-answer-field",
        include_str!("../rules/v1-answer-field/rule.toml"),
    ),
    (
        "v1-base-url",
        include_str!("../rules/v1-base-url/rule.toml"),
    ),
    (
        "v1-credential",
        include_str!("../rules/v1-credential/rule.toml"),
    ),
    (
        "v1-dependency",
        include_str!("../rules/v1-dependency/rule.toml"),
    ),
    (
        "v1-endpoint",
        include_str!("../rules/v1-endpoint/rule.toml"),
    ),
    (
        "v1-endpoint-halves",
        include_str!("../rules/v1-endpoint-halves/rule.toml"),
    ),
    (
        "v1-library-call",
        include_str!("../rules/v1-library-call/rule.toml"),
    ),
    (
        "v1-library-import",
        include_str!("../rules/v1-library-import/rule.toml"),
    ),
    ("v1-mention", include_str!("../rules/v1-mention/rule.toml")),
    ("v1-url", include_str!("../rules/v1-url/rule.toml")),
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
const LIBRARIES: [(&str, &str); 11] = [
    (
        "libraries/go-zoom-lib-golang/rule.toml",
        include_str!("../rules/libraries/go-zoom-lib-golang/rule.toml"),
    ),
    (
        "libraries/npm-zoomus/rule.toml",
        include_str!("../rules/libraries/npm-zoomus/rule.toml"),
    ),
    (
        "libraries/packagist-alexjose-zoom-api/rule.toml",
        include_str!("../rules/libraries/packagist-alexjose-zoom-api/rule.toml"),
    ),
    (
        "libraries/packagist-fusedinteractive-laravel-zoom/rule.toml",
        include_str!("../rules/libraries/packagist-fusedinteractive-laravel-zoom/rule.toml"),
    ),
    (
        "libraries/packagist-nicosoft-zoom/rule.toml",
        include_str!("../rules/libraries/packagist-nicosoft-zoom/rule.toml"),
    ),
    (
        "libraries/packagist-rignet-zoom-lib-php/rule.toml",
        include_str!("../rules/libraries/packagist-rignet-zoom-lib-php/rule.toml"),
    ),
    (
        "libraries/packagist-silinternational-zoom-php-client/rule.toml",
        include_str!("../rules/libraries/packagist-silinternational-zoom-php-client/rule.toml"),
    ),
    (
        "libraries/pypi-pw-zoomus/rule.toml",
        include_str!("../rules/libraries/pypi-pw-zoomus/rule.toml"),
    ),
    (
        "libraries/pypi-zoomus/rule.toml",
        include_str!("../rules/libraries/pypi-zoomus/rule.toml"),
    ),
    (
        "libraries/rubygems-zoomba/rule.toml",
        include_str!("../rules/libraries/rubygems-zoomba/rule.toml"),
    ),
    (
        "libraries/rubygems-zoomus/rule.toml",
        include_str!("../rules/libraries/rubygems-zoomus/rule.toml"),
    ),
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
        let calls = libraries.iter().flat_map(calls_of).collect();
        Ok(Self {
            hosts: Hosts {
                api: hosts.api,
                web: hosts.web,
                web_path: hosts.web_path,
                shim: None,
            },
            strays: hosts.strays,
            words: read("data/words.toml", WORDS)?,
            services: Services::new(&vendors.vendor)?,
            libraries,
            calls,
        })
    }
}

fn calls_of(library: &Library) -> impl Iterator<Item = String> {
    let loading = ["require", "import", "require_relative"].map(str::to_owned);
    library
        .constructors
        .iter()
        .chain(library.methods.keys())
        .map(|name| last_identifier(name).to_owned())
        .chain(loading)
}

fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, RuleError> {
    toml::from_str(text).map_err(|cause| RuleError::File { file, cause })
}
