//! Options of a site.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::Scalar;

/// Declaration of an option.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRule {
    /// Allowed values; empty for a switch or a number.
    #[serde(default)]
    pub values: Vec<String>,
    /// Minimum and maximum of a numeric option.
    pub range: Option<(i64, i64)>,
    /// Default.
    pub default: OptionValue,
    /// Description.
    pub about: String,
}

/// Value of an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, false, a whole number or a text")]
pub enum OptionValue {
    /// Boolean.
    Switch(bool),
    /// Integer.
    Number(i64),
    /// One of the allowed values.
    Choice(String),
}

/// Validated values of all options; see [`crate::Catalog::options`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options(pub(crate) BTreeMap<String, OptionValue>);

/// Fixed number, or the name of a numeric option.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, or the name of a numeric option"
)]
pub enum Amount {
    /// Fixed number.
    Fixed(usize),
    /// Name of the option.
    Option(String),
}

impl OptionRule {
    /// True for a numeric option.
    pub(super) fn is_number(&self) -> bool {
        self.range.is_some()
    }

    /// True for a boolean option.
    pub(super) fn is_switch(&self) -> bool {
        self.values.is_empty() && self.range.is_none()
    }

    /// True if the value is allowed.
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

    /// Checks a value; the error names the allowed values.
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

impl OptionValue {
    pub(crate) fn to_scalar(&self) -> Scalar<'_> {
        match self {
            Self::Switch(yes) => Scalar::Bool(*yes),
            Self::Number(number) => Scalar::Int(*number),
            Self::Choice(choice) => Scalar::Text(choice.into()),
        }
    }
}

impl Options {
    /// Value of a numeric option.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            OptionValue::Number(number) => Some(*number),
            OptionValue::Switch(_) | OptionValue::Choice(_) => None,
        }
    }

    /// Value of an option.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.get(name)
    }

    /// True if all these options have these values.
    pub(crate) fn has_all(&self, values: &[(String, OptionValue)]) -> bool {
        values
            .iter()
            .all(|(name, value)| self.get(name) == Some(value))
    }

    /// Replaces the value of an option.
    #[must_use]
    pub fn with(mut self, name: &str, value: OptionValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// All values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Amount {
    /// The number, at least 1.
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
