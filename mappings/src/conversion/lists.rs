//! Conversions of lists: objects with one member, joined texts, name/value pairs.

use serde_json::{Map, Value};

use crate::document::Json;

/// Conversion between values and objects with one member.
#[derive(Clone, Debug, PartialEq)]
pub struct Elements {
    /// Name of the member.
    pub member: String,
    /// Alternative member for values that are email addresses.
    pub address: Option<String>,
}

/// Conversion between lists and joined texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Separator in v1.
    pub v1: String,
    /// Separator in v2, if it is a text there.
    pub v2: String,
}

/// Conversion between an object and a list of name/value objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// Member with the name.
    pub name: String,
    /// Member with the value.
    pub value: String,
}

/// Separators of values in one text.
pub(crate) const SEPARATORS: [char; 2] = [',', ';'];

/// Values of a separated text, trimmed, without empty ones.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(SEPARATORS).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

impl Elements {
    pub(super) fn to_v2(&self, v1: &Value) -> Option<Value> {
        let object = |value: &Value| {
            let is_address = value.as_str().is_some_and(|text| text.contains('@'));
            let address = self.address.as_ref().filter(|_| is_address);
            object([(address.unwrap_or(&self.member), value.clone())])
        };
        Some(v1.as_array()?.iter().map(object).collect())
    }

    pub(super) fn to_v1(&self, v2: &Value) -> Option<Value> {
        let values = v2.as_array()?.iter();
        let of = |value: &Value| {
            let address = || value.get(self.address.as_ref()?);
            value.get(&self.member).or_else(address).cloned()
        };
        values.map(of).collect()
    }
}

impl Joined {
    pub(super) fn to_v2(&self, v1: &Value) -> Option<String> {
        texts(v1).map(|texts| texts.join(&self.v2))
    }

    pub(super) fn to_v1(&self, v2: &Value) -> Option<String> {
        texts(v2).map(|texts| texts.join(&self.v1))
    }

    /// Appends the value of another field with the same place.
    pub(crate) fn append(&self, to: &mut Value, more: &Value) {
        if let (Some(first), Some(more)) = (to.as_str(), more.as_str()) {
            *to = format!("{first}{}{more}", self.v2).into();
        }
    }
}

impl Pairs {
    pub(super) fn to_v2(&self, v1: &Value) -> Option<Value> {
        let pair = |(name, value): (&String, &Value)| {
            object([
                (&self.name, name.as_str().into()),
                (&self.value, value.clone()),
            ])
        };
        Some(v1.as_object()?.iter().map(pair).collect())
    }

    pub(super) fn to_v1(&self, v2: &Value) -> Option<Value> {
        let mut members = Map::new();
        for pair in v2.as_array()? {
            let name = pair.get(&self.name)?.as_str()?;
            let value = pair.get(&self.value).cloned().unwrap_or_default();
            members.insert(name.to_owned(), value);
        }
        Some(members.into())
    }
}

/// Number of parts of a text, or of elements of an array.
pub(crate) fn count_parts(v2: Json<'_>) -> Option<usize> {
    if v2.is_array() {
        return Some(v2.elements().count());
    }
    v2.as_str().map(|text| parts(text).count())
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(parts(text).collect()),
        Value::Array(values) => values.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn object<'m>(members: impl IntoIterator<Item = (impl AsRef<str> + 'm, Value)>) -> Value {
    let members = members.into_iter();
    let members: Map<_, _> = members
        .map(|(name, value)| (name.as_ref().to_owned(), value))
        .collect();
    members.into()
}
