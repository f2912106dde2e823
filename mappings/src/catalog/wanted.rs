//! What a value is to be.

use serde::Deserialize;
use serde_json::Value;

use super::place::Pointer;

/// What a value is to be.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One of these, or none of them.
    OneOf {
        /// The values.
        values: Vec<Value>,
        /// False: none of these; an absent value fits.
        is: bool,
    },
    /// Present and not null, or not so.
    Exists(bool),
    /// The value of a parameter, in any case; of an array, that one of its elements is.
    Equals(String),
    /// A moment that is not earlier than a parameter's, if it was given.
    NotBefore(String),
    /// A moment that is not later than a parameter's, if it was given.
    NotAfter(String),
}

/// What a member of an entry is to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TestShape")]
pub struct Test {
    /// The document; the entry's own if there is none.
    pub document: Option<String>,
    /// The member.
    pub at: String,
    /// What it is to be.
    pub wanted: Wanted,
}

/// A test as it is written.
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
    /// The parameters that it is compared with.
    equals: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
}

impl Wanted {
    /// Of `is`, `is_not` and `exists` the one that is written.
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
            _ => Err("one of `is`, `is_not` and `exists` says what is wanted".to_owned()),
        }
    }

    /// The parameter that a value is compared with.
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
            shape.equals.map(Wanted::Equals),
            shape.not_before.map(Wanted::NotBefore),
            shape.not_after.map(Wanted::NotAfter),
        ];
        let mut parameters = parameters.into_iter().flatten();
        let fixed = !shape.is.is_empty() || !shape.is_not.is_empty() || shape.exists.is_some();
        let wanted = match (parameters.next(), parameters.next()) {
            (Some(_), Some(_)) => {
                return Err("one of `equals`, `not_before` and `not_after` is enough".to_owned());
            }
            (Some(_), None) if fixed => {
                return Err("a test compares with values or with a parameter, not both".to_owned());
            }
            (Some(wanted), None) => wanted,
            (None, _) => Wanted::new(shape.is, shape.is_not, shape.exists)?,
        };
        Ok(Self {
            document: shape.document,
            at: shape.at.0,
            wanted,
        })
    }
}
