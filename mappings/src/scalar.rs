//! Scalar values on their way from v2 to v1, borrowed where possible.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Number, Value};

/// JSON value other than an object or array.
#[derive(Clone, Debug)]
pub(crate) enum Scalar<'v> {
    Null,
    Bool(bool),
    Int(i64),
    /// Number outside the range of [`Scalar::Int`].
    Number(Number),
    Text(Cow<'v, str>),
    /// Text without characters that JSON escapes.
    Verbatim(&'v str),
    /// Object or array, which no scalar conversion accepts.
    Composite,
}

impl Scalar<'_> {
    #[inline]
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Verbatim(text) => Some(text),
            _ => None,
        }
    }

    /// True if equal to this value.
    pub(crate) fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(own), Value::Bool(other)) => own == other,
            (Self::Int(own), Value::Number(other)) => other.as_i64() == Some(*own),
            (Self::Number(own), Value::Number(other)) => own == other,
            (own, Value::String(other)) => own.as_str() == Some(other),
            _ => false,
        }
    }

    /// Serializes the value; objects and arrays become null.
    #[inline]
    pub(crate) fn write(&self, json: &mut Vec<u8>) {
        match self {
            Self::Null | Self::Composite => json.extend_from_slice(b"null"),
            Self::Bool(true) => json.extend_from_slice(b"true"),
            Self::Bool(false) => json.extend_from_slice(b"false"),
            Self::Verbatim(text) => {
                json.push(b'"');
                json.extend_from_slice(text.as_bytes());
                json.push(b'"');
            }
            Self::Int(number) => serialize(json, number),
            Self::Number(number) => serialize(json, number),
            Self::Text(text) => serialize(json, text),
        }
    }

    /// A copy; objects and arrays become null.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::Composite => Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(number) => (*number).into(),
            Self::Number(number) => number.clone().into(),
            Self::Text(text) => text.as_ref().into(),
            Self::Verbatim(text) => (*text).into(),
        }
    }
}

fn serialize(json: &mut Vec<u8>, value: &impl Serialize) {
    // Writing JSON to memory cannot fail.
    let _ = serde_json::to_writer(json, value);
}

impl<'v> From<&'v Value> for Scalar<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Number(number.clone()), Self::Int),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(_) | Value::Object(_) => Self::Composite,
        }
    }
}
