//! The catalog: all knowledge of the API, loaded, checked and compiled once.

mod access;
mod compile;
mod error_pattern;
pub mod field;
mod files;
mod load;
pub mod notification;
mod one_or_many;
pub mod operation;
mod option;
mod place;
mod problem;
pub mod protocol;
mod rate;
pub(crate) mod reading;
mod shape;
mod wanted;

use std::collections::BTreeMap;

use serde::Deserialize as _;

pub use access::{MissingScope, missing_scopes, probes};
pub(crate) use compile::GIVEN;
use field::{Field, Part, Place};
use notification::{Notification, Notifications};
use operation::{Operation, OptionValue, Plan, View};
pub(crate) use place::page;
pub use place::{ITEM, PAGE, whole_list};
pub use problem::{CatalogError, Location, Problem};
use protocol::{OptionRule, Options, Protocol, Rule};
pub use rate::Rates;

/// The catalog's files, as they are built into this crate: name (`user/fields.toml`) and text.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Every v1 operation, parameter, field and error, what serves it in v2, and how faithful that is.
///
/// A catalog exists only if all of it is well-formed and reachable: see [`Catalog::load`].
#[derive(Debug)]
pub struct Catalog {
    protocol: Protocol,
    rules: Vec<Rule>,
    options: BTreeMap<String, OptionRule>,
    rates: BTreeMap<String, Rates>,
    fields: Vec<Field>,
    views: Vec<View>,
    operations: Vec<Operation>,
    by_name: BTreeMap<String, usize>,
    notifications: Notifications,
}

/// An option that a site set and the catalog does not have, or not with this value.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// No such option.
    #[error("there is no option `{name}`; there are {known}")]
    Unknown {
        /// What the site wrote.
        name: String,
        /// The options that there are.
        known: String,
    },
    /// No such choice.
    #[error("option `{name}`: {reason}")]
    Value {
        /// The option.
        name: String,
        /// What is wrong and what was expected.
        reason: String,
    },
}

impl Catalog {
    /// The catalog that is built into this crate.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::with_overrides(std::iter::empty())
    }

    /// The built-in catalog's files: name and text.
    pub fn embedded_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        EMBEDDED.iter().copied()
    }

    /// The built-in catalog, with a site's own files (name and text) in place of those of the same
    /// name, and beside them. A name without a folder is one of `common`, or the name that a file
    /// of a resource had before there were folders: `mc.toml` is `mc/operations.toml`, and
    /// `user-fields.toml` is `user/fields.toml`.
    pub fn with_overrides(
        overrides: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, CatalogError> {
        let mut files: BTreeMap<String, String> = EMBEDDED
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        for (name, text) in overrides {
            let name = Self::place_of(&name).unwrap_or(name);
            files.insert(name, text);
        }
        Self::load(files)
    }

    /// Where the built-in catalog has the file that a name without a folder stands for.
    fn place_of(name: &str) -> Option<String> {
        let stem = name
            .strip_suffix(".toml")
            .filter(|stem| !stem.contains('/'))?;
        let resource = stem.strip_suffix("-fields");
        let candidates = [
            Some(format!("common/{name}")),
            Some(format!("{stem}/operations.toml")),
            resource.map(|resource| format!("{resource}/fields.toml")),
        ];
        let mut known = candidates.into_iter().flatten();
        known.find(|file| EMBEDDED.iter().any(|(embedded, _)| embedded == file))
    }

    /// A catalog from its files: name and text.
    ///
    /// # Errors
    ///
    /// Mistakes with file, line and reason. First, of each file the first key, type or value that
    /// cannot be read. If there are none: all placeholders that nothing fills, unknown names,
    /// duplicates, missing reasons, parameters that go nowhere and rules that are never reached.
    /// If there are none either: calls, plans, views and requests that nothing uses.
    pub fn load(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, CatalogError> {
        load::load(files)
    }

    /// What all operations share.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// The operation of a path below `/v1/`: in any case, with or without slashes at its ends,
    /// also under the other names that real clients use.
    pub fn find(&self, path: &str) -> Option<&Operation> {
        // Nearly all clients write it as it is known.
        let known = self.by_name.get(path).or_else(|| {
            let name = path.trim_matches('/').to_lowercase();
            self.by_name.get(&name)
        });
        self.operations.get(*known?)
    }

    /// How many calls v2 takes from an account, by the name of its plan.
    pub fn rates(&self) -> &BTreeMap<String, Rates> {
        &self.rates
    }

    /// All operations, by name.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The plans of all operations, those of their variants with them.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        let all = self.operations.iter().flat_map(|operation| {
            let variants = operation.variants.iter();
            std::iter::once(operation).chain(variants.map(|variant| &variant.operation))
        });
        all.filter_map(Operation::plan)
    }

    /// All push notifications, in the order of the files.
    pub fn notifications(&self) -> &[Notification] {
        &self.notifications.list
    }

    /// What webhooks of v2 say, and the notifications that are made from them.
    pub(crate) fn webhooks(&self) -> &Notifications {
        &self.notifications
    }

    /// All field mappings, in the order of v1's answers.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The mapping and part at an index that the catalog gave.
    pub fn field(&self, (field, part): (usize, usize)) -> Option<(&Field, &Part)> {
        let field = self.fields.get(field)?;
        Some((field, field.parts.get(part)?))
    }

    /// The view at an index that the catalog gave.
    pub fn view(&self, view: usize) -> Option<&View> {
        self.views.get(view)
    }

    /// The rules by which v2's errors are said in v1's words, after those of the operation.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What a site may choose, by name.
    pub fn option_rules(&self) -> &BTreeMap<String, OptionRule> {
        &self.options
    }

    /// True if answers under these choices have links of the site's own to v2's files.
    pub fn has_links(&self, options: &Options) -> bool {
        let rules = self.fields.iter().flat_map(|field| &field.overrides);
        let is_chosen = |(name, value): &(String, _)| options.get(name) == Some(value);
        rules
            .filter(|rule| matches!(rule.from, Some(Place::Link(_))))
            .any(|rule| rule.options.iter().all(is_chosen))
    }

    /// A site's choices, with the catalog's defaults for what it leaves open.
    ///
    /// # Errors
    ///
    /// All mistakes in what the site wrote.
    pub fn options(
        &self,
        chosen: &BTreeMap<String, toml::Value>,
    ) -> Result<Options, Vec<OptionError>> {
        let mut options = self.default_options();
        let mut errors = Vec::new();
        for (name, value) in chosen {
            let Some(rule) = self.options.get(name) else {
                errors.push(OptionError::Unknown {
                    name: name.clone(),
                    known: self.options.keys().cloned().collect::<Vec<_>>().join(", "),
                });
                continue;
            };
            let value = OptionValue::deserialize(value.clone());
            let value = value.map_err(|error| error.message().to_owned());
            match value.and_then(|value| rule.check(&value).map(|()| value)) {
                Ok(value) => drop(options.insert(name.clone(), value)),
                Err(reason) => errors.push(OptionError::Value {
                    name: name.clone(),
                    reason,
                }),
            }
        }
        if errors.is_empty() {
            Ok(Options(options))
        } else {
            Err(errors)
        }
    }

    /// Choices that were made under another version of the catalog, as far as this one knows them,
    /// with its defaults for the rest.
    pub fn options_as_far_as_known(&self, chosen: &Options) -> Options {
        let mut options = self.default_options();
        for (name, value) in chosen.iter() {
            let Some(rule) = self.options.get(name) else {
                continue;
            };
            if rule.takes(value) {
                options.insert(name.to_owned(), value.clone());
            }
        }
        Options(options)
    }

    fn default_options(&self) -> BTreeMap<String, OptionValue> {
        let rules = self.options.iter();
        rules
            .map(|(name, rule)| (name.clone(), rule.default.clone()))
            .collect()
    }
}
