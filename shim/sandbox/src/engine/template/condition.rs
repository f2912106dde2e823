//! Conditions on values of the scope: `{ "meeting.type" = [2, 8], until = { after = "{now}" } }`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Scope, shown};

/// Dotted paths with their tests.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Conditions(BTreeMap<String, Test>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Test {
    Table(Comparison),
    /// Equal to one of these values.
    OneOf(Vec<Value>),
    /// Equal as text: `7` equals `"7"`.
    Equal(Value),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Comparison {
    /// Not equal, or absent.
    Not(Value),
    /// Present or absent.
    Present(bool),
    /// Later in text order; absent values pass.
    After(Value),
    /// Not later in text order.
    Until(Value),
    /// Array that contains this entry.
    Has(Value),
    /// Greater than this number.
    Above(i64),
    /// Integer, or a text of digits.
    Digits(bool),
    /// Empty text, array or object, or absent.
    Empty(bool),
}

impl Conditions {
    pub(crate) fn hold(&self, scope: &Scope<'_>) -> bool {
        self.0.iter().all(|(path, test)| test.holds(path, scope))
    }
}

impl Test {
    fn holds(&self, path: &str, scope: &Scope<'_>) -> bool {
        let value = scope.at(path);
        let same = |other: &Value| {
            let other = scope.render(other);
            value.map_or(other.is_null(), |value| shown(value) == shown(&other))
        };
        match self {
            Self::Equal(other) => same(other),
            Self::OneOf(others) => others.iter().any(same),
            Self::Table(Comparison::Not(other)) => !same(other),
            Self::Table(Comparison::Present(present)) => value.is_some() == *present,
            Self::Table(Comparison::After(bound)) => {
                value.is_none_or(|value| shown(value) > shown(&scope.render(bound)))
            }
            Self::Table(Comparison::Until(bound)) => {
                value.is_some_and(|value| shown(value) <= shown(&scope.render(bound)))
            }
            Self::Table(Comparison::Has(entry)) => {
                let entry = scope.render(entry);
                let entries = value.and_then(Value::as_array);
                entries.is_some_and(|entries| entries.contains(&entry))
            }
            Self::Table(Comparison::Above(bound)) => value
                .and_then(Value::as_i64)
                .is_some_and(|value| value > *bound),
            Self::Table(Comparison::Digits(digits)) => {
                let text = value.map(shown).unwrap_or_default();
                (text.parse::<u64>().is_ok()) == *digits
            }
            Self::Table(Comparison::Empty(empty)) => {
                let content = value.is_some_and(|value| match value {
                    Value::Array(entries) => !entries.is_empty(),
                    Value::Object(members) => !members.is_empty(),
                    other => !shown(other).trim().is_empty(),
                });
                content != *empty
            }
        }
    }
}
