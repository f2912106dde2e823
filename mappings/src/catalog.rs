//! The catalog: v1's operations, fields and errors with their v2 counterparts, loaded and checked
//! once.

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
mod predicate;
mod problem;
pub mod protocol;
mod rate;
pub(crate) mod reading;
mod shape;

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

/// Catalog files compiled into this crate: name (`user/fields.toml`) and text.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// v1's operations, parameters, fields and errors, the v2 calls that serve them, and the fidelity
/// of each mapping.
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

/// Invalid option setting of a site.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// Unknown option.
    #[error("there is no option `{name}`; there are {known}")]
    Unknown {
        /// Name in the site's settings.
        name: String,
        /// Names of all options, separated by commas.
        known: String,
    },
    /// Value that the option does not accept.
    #[error("option `{name}`: {reason}")]
    Value {
        /// Name of the option.
        name: String,
        /// Reason, with the accepted values.
        reason: String,
    },
}

impl Catalog {
    /// The catalog compiled into this crate.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::with_overrides(std::iter::empty())
    }

    /// The built-in catalog's files: name and text.
    pub fn embedded_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        EMBEDDED.iter().copied()
    }

    /// The built-in catalog with a site's own files (name and text), which replace built-in files
    /// of the same name or are added to them.
    ///
    /// A name without a folder is looked up in `common`, then under the names from before there
    /// were folders: `mc.toml` is `mc/operations.toml`, `user-fields.toml` is `user/fields.toml`.
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

    /// Path of the built-in file for a name without a folder.
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

    /// Loads a catalog from its files (name and text).
    ///
    /// # Errors
    ///
    /// All mistakes with file, line and reason, in three passes. The first reports the first
    /// unreadable key, type or value of each file. If there are none, the second reports unfilled
    /// placeholders, unknown names, duplicates, missing reasons, unused parameters and unreachable
    /// rules. If there are none either, the third reports unused calls, plans, views and requests.
    pub fn load(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, CatalogError> {
        load::load(files)
    }

    /// Rules shared by all operations.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// The operation at a path below `/v1/`. Case and slashes at either end are ignored, and
    /// aliases are accepted.
    pub fn find(&self, path: &str) -> Option<&Operation> {
        // Fast path: nearly all clients send the name in its canonical form.
        let known = self.by_name.get(path).or_else(|| {
            let name = path.trim_matches('/').to_lowercase();
            self.by_name.get(&name)
        });
        self.operations.get(*known?)
    }

    /// v2's rate limits by price plan.
    pub fn rates(&self) -> &BTreeMap<String, Rates> {
        &self.rates
    }

    /// All operations, by name.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The plans of all operations and of their variants.
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

    /// Notifications with the layout of the webhooks that they are made from.
    pub(crate) fn webhooks(&self) -> &Notifications {
        &self.notifications
    }

    /// All field mappings, in the order in which v1 responses show them.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field mapping and its part at a catalog index.
    pub fn field(&self, (field, part): (usize, usize)) -> Option<(&Field, &Part)> {
        let field = self.fields.get(field)?;
        Some((field, field.parts.get(part)?))
    }

    /// The view at a catalog index.
    pub fn view(&self, view: usize) -> Option<&View> {
        self.views.get(view)
    }

    /// Error rules of all operations; an operation's own rules precede them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Options of a site, by name.
    pub fn option_rules(&self) -> &BTreeMap<String, OptionRule> {
        &self.options
    }

    /// True if responses under these options contain links of the site that stand for v2's files.
    pub fn has_links(&self, options: &Options) -> bool {
        let rules = self.fields.iter().flat_map(|field| &field.overrides);
        rules
            .filter(|rule| matches!(rule.from, Some(Place::Link(_))))
            .any(|rule| options.has_all(&rule.options))
    }

    /// A site's options, with the catalog's defaults for unset ones.
    ///
    /// # Errors
    ///
    /// All mistakes in the site's settings.
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

    /// Options stored by another version of the catalog: unknown options and values are replaced by
    /// this catalog's defaults.
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
