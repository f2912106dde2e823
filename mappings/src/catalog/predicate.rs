//! Tests of values.

use serde::Deserialize;
use serde_json::Value;

use super::place::Pointer;

/// Expected value.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// One of these values, or none of them.
    OneOf {
        /// Compared values.
        values: Vec<Value>,
        /// If false, the value must be none of these; absent values pass.
        is: bool,
    },
    /// Present and not null, or the opposite.
    Exists(bool),
    /// Equal to a parameter, ignoring case; for an array, one of its elements is.
    Equals(String),
    /// Timestamp not earlier than the parameter, if given.
    NotBefore(String),
    /// Timestamp not later than the parameter, if given.
    NotAfter(String),
}

/// Test of a member of an entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TestShape")]
pub struct Test {
    /// Name of the document; the entry itself if `None`.
    pub document: Option<String>,
    /// Pointer to the member.
    pub at: String,
    /// Expected value.
    pub predicate: Predicate,
}

/// TOML form of a test.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestShape {
    document: Option<String>,
    at: Pointer,
    #[serde(default)]
    is: Vec<Value>,
    #[serde(default)]
    is_not: Vec<Value>,
    exists: Option<bool>,
    /// Parameters to compare with.
    equals: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
}

impl Predicate {
    /// Exactly one of `is`, `is_not` and `exists` must be set.
    pub(super) fn new(
        is: Vec<Value>,
        is_not: Vec<Value>,
        exists: Option<bool>,
    ) -> Result<Self, String> {
        match (is.is_empty(), is_not.is_empty(), exists) {
            (false, true, None) => Ok(Self::OneOf {
                values: is,
                is: true,
            }),
            (true, false, None) => Ok(Self::OneOf {
                values: is_not,
                is: false,
            }),
            (true, true, Some(exists)) => Ok(Self::Exists(exists)),
            _ => Err("exactly one of `is`, `is_not` and `exists` is required".to_owned()),
        }
    }

    /// Parameter that the value is compared with.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Equals(name) | Self::NotBefore(name) | Self::NotAfter(name) => Some(name),
            Self::OneOf { .. } | Self::Exists(_) => None,
        }
    }
}

impl TryFrom<TestShape> for Test {
    type Error = String;

    fn try_from(shape: TestShape) -> Result<Self, String> {
        let parameters = [
            shape.equals.map(Predicate::Equals),
            shape.not_before.map(Predicate::NotBefore),
            shape.not_after.map(Predicate::NotAfter),
        ];
        let mut parameters = parameters.into_iter().flatten();
        let fixed = !shape.is.is_empty() || !shape.is_not.is_empty() || shape.exists.is_some();
        let predicate = match (parameters.next(), parameters.next()) {
            (Some(_), Some(_)) => {
                return Err(
                    "only one of `equals`, `not_before` and `not_after` is allowed".to_owned(),
                );
            }
            (Some(_), None) if fixed => {
                return Err("a test compares with values or with a parameter, not both".to_owned());
            }
            (Some(predicate), None) => predicate,
            (None, _) => Predicate::new(shape.is, shape.is_not, shape.exists)?,
        };
        Ok(Self {
            document: shape.document,
            at: shape.at.0,
            predicate,
        })
    }
}
