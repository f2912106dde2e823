//! The catalog of endpoints, objects and seeds: the embedded files of `api`.

mod behaviour;
mod list;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use self::behaviour::Behaviour;
pub(in crate::engine) use self::list::Dates;
pub(crate) use self::list::List;
use super::template::{Conditions, Document, View};
use crate::embedded;
use crate::error::{self, ApiError, ErrorRow};
use crate::rules::Shape;

macro_rules! areas {
    ($($area:literal),+ $(,)?) => {
        /// Endpoints, objects and seed of each area.
        const AREAS: &[(&str, &str, &str, &str)] = &[$((
            $area,
            include_str!(concat!("../../api/", $area, "/endpoints.toml")),
            include_str!(concat!("../../api/", $area, "/objects.toml")),
            include_str!(concat!("../../api/", $area, "/seed.toml")),
        )),+];
    };
}

areas![
    "groups",
    "meetings",
    "recordings",
    "reports",
    "webinars",
    "metrics",
    "chats",
    "devices",
    "accounts",
];

/// Merged data of all areas.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    pub(crate) subjects: BTreeMap<String, Subject>,
    pub(crate) collections: BTreeMap<String, CollectionRules>,
    pub(crate) documents: BTreeMap<String, Document>,
    pub(crate) bodies: BTreeMap<String, Shape>,
    pub(crate) queries: BTreeMap<String, Shape>,
    pub(crate) errors: BTreeMap<String, ErrorRow>,
    pub(crate) words: BTreeMap<String, Vec<String>>,
    /// In order of the areas, then of the file.
    pub(crate) seeds: Vec<Seed>,
}

/// `objects.toml` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct ObjectsFile {
    subjects: BTreeMap<String, Subject>,
    collections: BTreeMap<String, CollectionRules>,
    documents: BTreeMap<String, Document>,
    bodies: BTreeMap<String, Shape>,
    queries: BTreeMap<String, Shape>,
    errors: BTreeMap<String, ErrorRow>,
}

/// `seed.toml` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SeedFile {
    words: BTreeMap<String, Vec<String>>,
    seeds: Vec<Seed>,
}

/// Endpoint: `"GET /meetings/{meetingId}"`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// v2's rate label.
    pub(crate) label: Label,
    /// Granular scope that the token needs.
    #[serde(default)]
    pub(crate) scope: String,
    /// Subjects of the path's placeholders, in order.
    #[serde(default)]
    pub(crate) path: Vec<String>,
    /// Error for an unknown last object of the path; overrides that of its subject.
    pub(crate) unknown: Option<String>,
    /// Validation of the query: a name of `queries`, or inline rules.
    #[serde(default)]
    pub(crate) query: Rules,
    /// Validation of the body: a name of `bodies`, or inline rules.
    #[serde(default)]
    pub(crate) body: Rules,
    /// Rejections; the first whose conditions hold applies.
    #[serde(default)]
    pub(crate) refuse: Vec<Refusal>,
    /// Path of the value (a host's id) to which the daily limit of 100 calls applies.
    pub(crate) daily: Option<String>,
    /// Returns a list.
    pub(crate) list: Option<Box<List>>,
    /// Adds an object to this collection.
    pub(crate) create: Option<String>,
    /// Behaviour; it may fall back to the method's default.
    #[serde(rename = "do")]
    pub(crate) behaviour: Option<Behaviour>,
    #[serde(default = "ok")]
    pub(crate) status: u16,
    /// Response body; empty if `None`.
    pub(crate) answer: Option<View>,
}

impl Endpoint {
    /// True if the query may have this parameter.
    pub(crate) fn has_query_parameter(&self, name: &str) -> bool {
        let rules = self.query.shape(&Catalog::embedded().queries);
        rules.is_some_and(|shape| shape.has_parameter(name))
    }
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Rules {
    #[default]
    None,
    Named(String),
    Own(Shape),
}

impl Rules {
    pub(crate) fn shape<'a>(&'a self, named: &'a BTreeMap<String, Shape>) -> Option<&'a Shape> {
        match self {
            Self::None => None,
            Self::Named(name) => named.get(name),
            Self::Own(shape) => Some(shape),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    pub(crate) when: Conditions,
    /// A name of `errors`.
    pub(crate) error: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
pub(crate) enum Label {
    Light,
    Medium,
    Heavy,
    ResourceIntensive,
}

impl Label {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "Light",
            Self::Medium => "Medium",
            Self::Heavy => "Heavy",
            Self::ResourceIntensive => "Resource-intensive",
        }
    }
}

/// Lookup of an object by a path segment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    /// Name of the collection.
    pub(crate) of: String,
    /// Members to compare with the segment.
    pub(crate) by: Vec<String>,
    #[serde(rename = "where", default)]
    pub(crate) filter: Conditions,
    /// Error for an unknown object.
    pub(crate) unknown: String,
    /// Other collections, with the errors for their objects.
    #[serde(default)]
    pub(crate) elsewhere: BTreeMap<String, String>,
    /// Decode the segment twice, as v2 does for ids of instances.
    #[serde(default)]
    pub(crate) double_encoded: bool,
    /// Rejections checked before the lookup.
    #[serde(default)]
    pub(crate) refuse: Vec<Refusal>,
    /// Users added to the scope, each with the member that holds the id.
    #[serde(default)]
    pub(crate) users: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectionRules {
    /// Maximum number of objects.
    pub(crate) max: usize,
    /// Error when the collection is full.
    #[serde(default = "full")]
    pub(crate) full: String,
    /// Default members of a new object.
    #[serde(default)]
    pub(crate) new: Map<String, Value>,
    /// Computed members, updated after each change.
    #[serde(default)]
    pub(crate) derive: Map<String, Value>,
    /// Unique members, ignoring case, with the error for a duplicate.
    #[serde(default)]
    pub(crate) unique: BTreeMap<String, String>,
    /// Behaviour that runs before an object is stored.
    pub(crate) prepare: Option<Behaviour>,
    /// Objects deleted together with an object: collection and conditions.
    #[serde(default)]
    pub(crate) children: BTreeMap<String, Conditions>,
}

/// Initial objects of a collection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
    /// Name of the collection.
    pub(crate) into: String,
    /// Number of objects, with `n` from 0. Default 1.
    #[serde(default = "once")]
    pub(crate) repeat: i64,
    /// Name under which later seeds refer to the last of these objects.
    #[serde(rename = "as")]
    pub(crate) label: Option<String>,
    /// Users added to the scope: name and email address.
    #[serde(default)]
    pub(crate) users: BTreeMap<String, String>,
    pub(crate) object: Map<String, Value>,
}

fn ok() -> u16 {
    200
}

fn once() -> i64 {
    1
}

fn full() -> String {
    "collection_full".to_owned()
}

impl Catalog {
    pub(crate) fn embedded() -> &'static Self {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::read);
        &CATALOG
    }

    fn read() -> Self {
        let mut catalog = Self {
            errors: error::rows().clone(),
            ..Self::default()
        };
        catalog.add_objects(
            "common/errors.toml",
            include_str!("../../api/common/errors.toml"),
        );
        catalog.add_seed(
            "common/words.toml",
            include_str!("../../api/common/words.toml"),
        );
        for (area, endpoints, objects, seed) in AREAS {
            let endpoints: BTreeMap<String, Endpoint> =
                embedded::toml(&format!("{area}/endpoints.toml"), endpoints);
            catalog.endpoints.extend(endpoints);
            catalog.add_objects(&format!("{area}/objects.toml"), objects);
            catalog.add_seed(&format!("{area}/seed.toml"), seed);
        }
        catalog
    }

    fn add_objects(&mut self, name: &str, text: &str) {
        let objects: ObjectsFile = embedded::toml(name, text);
        self.subjects.extend(objects.subjects);
        self.collections.extend(objects.collections);
        self.documents.extend(objects.documents);
        self.bodies.extend(objects.bodies);
        self.queries.extend(objects.queries);
        self.errors.extend(objects.errors);
    }

    fn add_seed(&mut self, name: &str, text: &str) {
        let seed: SeedFile = embedded::toml(name, text);
        self.words.extend(seed.words);
        self.seeds.extend(seed.seeds);
    }

    pub(crate) fn error(&self, name: &str) -> ApiError {
        ApiError::of(self.errors.get(name))
    }
}

/// Splits an endpoint's key into method and path.
pub(crate) fn method_and_path(key: &str) -> (Method, &str) {
    let (method, path) = key.split_once(' ').unwrap_or(("GET", key));
    (method.parse().unwrap_or_default(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_defined() {
        let catalog = Catalog::embedded();
        let mut missing = Vec::new();
        let mut expect = |found: bool, what: String| {
            if !found {
                missing.push(what);
            }
        };
        for (key, endpoint) in &catalog.endpoints {
            let segments = key.matches('{').count();
            expect(
                segments == endpoint.path.len(),
                format!("{key}: a subject for each variable segment"),
            );
            for subject in &endpoint.path {
                let known =
                    subject == "any" || subject == "user" || catalog.subjects.contains_key(subject);
                expect(known, format!("{key}: subject {subject}"));
            }
            let refusals = endpoint.refuse.iter().map(|refusal| &refusal.error);
            for error in refusals.chain(&endpoint.unknown) {
                expect(
                    catalog.errors.contains_key(error),
                    format!("{key}: error {error}"),
                );
            }
            for (rules, named) in [
                (&endpoint.query, &catalog.queries),
                (&endpoint.body, &catalog.bodies),
            ] {
                if let Rules::Named(name) = rules {
                    expect(named.contains_key(name), format!("{key}: rules {name}"));
                }
            }
            if let Some(collection) = &endpoint.create {
                expect(
                    catalog.collections.contains_key(collection),
                    format!("{key}: collection {collection}"),
                );
            }
            let listed = endpoint.list.as_ref().and_then(|list| list.entry.as_ref());
            for view in [endpoint.answer.as_ref(), listed].into_iter().flatten() {
                let mut names = Vec::new();
                match view {
                    View::Document(name) => names.push(name.clone()),
                    View::Template(members) => {
                        named_documents(&Value::Object(members.clone()), &mut names);
                    }
                }
                for name in names {
                    expect(
                        catalog.documents.contains_key(&name),
                        format!("{key}: document {name}"),
                    );
                }
            }
        }
        for (name, subject) in &catalog.subjects {
            expect(
                catalog.collections.contains_key(&subject.of),
                format!("{name}: collection {}", subject.of),
            );
            for error in subject.elsewhere.values().chain([&subject.unknown]) {
                expect(
                    catalog.errors.contains_key(error),
                    format!("{name}: error {error}"),
                );
            }
        }
        for (name, rules) in &catalog.collections {
            for error in rules.unique.values().chain([&rules.full]) {
                expect(
                    catalog.errors.contains_key(error),
                    format!("{name}: error {error}"),
                );
            }
        }
        for seed in &catalog.seeds {
            expect(
                catalog.collections.contains_key(&seed.into),
                format!("seed: collection {}", seed.into),
            );
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }

    fn named_documents(value: &Value, names: &mut Vec<String>) {
        if let Value::Object(members) = value {
            names.extend(
                members
                    .get("$document")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            for member in members.values() {
                named_documents(member, names);
            }
        }
    }
}
