//! What a site may choose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A setting of a site that mappings depend on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRule {
    /// The choices; empty for a switch or a number.
    #[serde(default)]
    pub values: Vec<String>,
    /// Smallest and largest number, if it is one.
    pub range: Option<(i64, i64)>,
    /// The value without a choice of the site.
    pub default: OptionValue,
    /// What it is about.
    pub about: String,
}

/// A site's choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, false, a whole number or a text")]
pub enum OptionValue {
    /// A switch.
    Switch(bool),
    /// A number.
    Number(i64),
    /// One of several.
    Choice(String),
}

/// A site's choices, complete and checked; see [`crate::Catalog::options`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options(pub(crate) BTreeMap<String, OptionValue>);

/// A number of the catalog's, or one that the site chooses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, or the name of a numeric option"
)]
pub enum Amount {
    /// The catalog's.
    Fixed(usize),
    /// The choice for this option.
    Option(String),
}

impl OptionRule {
    /// True if it has a number.
    pub(super) fn is_number(&self) -> bool {
        self.range.is_some()
    }

    /// True if it is on or off.
    pub(super) fn is_switch(&self) -> bool {
        self.values.is_empty() && self.range.is_none()
    }

    /// True if a site may choose this.
    pub(crate) fn takes(&self, value: &OptionValue) -> bool {
        match value {
            OptionValue::Switch(_) => self.is_switch(),
            OptionValue::Number(number) => {
                let range = self.range;
                range.is_some_and(|(least, most)| (least..=most).contains(number))
            }
            OptionValue::Choice(choice) => self.values.contains(choice),
        }
    }

    /// Why a site may not choose this.
    pub(super) fn check(&self, value: &OptionValue) -> Result<(), String> {
        if self.takes(value) {
            return Ok(());
        }
        let given = serde_json::json!(value);
        Err(match self.range {
            Some((least, most)) => format!("{given} is not a number from {least} to {most}"),
            None if self.values.is_empty() => format!("{given} is neither true nor false"),
            None => format!("{given} is none of {}", self.values.join(", ")),
        })
    }
}

impl Options {
    /// The number that was chosen for an option.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            OptionValue::Number(number) => Some(*number),
            OptionValue::Switch(_) | OptionValue::Choice(_) => None,
        }
    }

    /// The choice for an option.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.get(name)
    }

    /// The same with another choice for an option.
    #[must_use]
    pub fn with(mut self, name: &str, value: OptionValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// All choices by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Amount {
    /// The number; 1 at least.
    pub fn of(&self, options: &Options) -> usize {
        let number = match self {
            Self::Fixed(number) => *number,
            Self::Option(name) => {
                let chosen = options.number(name).unwrap_or_default();
                usize::try_from(chosen).unwrap_or_default()
            }
        };
        number.max(1)
    }
}
