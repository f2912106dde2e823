//! Single values on their way from v2 to v1, borrowed from where they stand.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Number, Value};

/// What is neither an object nor an array.
#[derive(Clone, Debug)]
pub(crate) enum Scalar<'v> {
    Null,
    Bool(bool),
    Int(i64),
    /// One that is no [`Scalar::Int`].
    Number(Number),
    Text(Cow<'v, str>),
    /// A text in its JSON form, where nothing in it is escaped.
    Verbatim(&'v str),
    /// An object or array, of which no conversion makes anything.
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

    /// True if it is this value.
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

    /// Writes it as JSON; of an object or array that it is null.
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

    /// A copy; an object or array is not in it.
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
    // JSON always can be written to memory.
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
