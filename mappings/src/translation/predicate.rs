//! Evaluates the catalog's tests of values.

use serde_json::Value;

use super::{
    Translation,
    entry::Entry,
    values::{plain, text_of},
};
use crate::{
    catalog::operation::{Predicate, Test},
    document::Json,
    moment,
};

impl Translation<'_> {
    /// True if an entry passes all tests.
    pub(super) fn fits(&self, entry: &Entry<'_>, tests: &[Test]) -> bool {
        tests.iter().all(|test| {
            let value = match &test.document {
                Some(document) => entry.documents.at(document, &test.at),
                None => entry.own().and_then(|own| own.at(&test.at)),
            };
            self.satisfies(value, &test.predicate)
        })
    }

    pub(super) fn satisfies(&self, value: Option<Json<'_>>, predicate: &Predicate) -> bool {
        let value = value.filter(|value| !value.is_null());
        let given = |name: &str| self.given.value_or_default(name);
        match predicate {
            Predicate::Exists(exists) => value.is_some() == *exists,
            Predicate::OneOf { values, is } => {
                let found =
                    value.is_some_and(|value| values.iter().any(|known| is_value(value, known)));
                found == *is
            }
            Predicate::Equals(name) => match given(name) {
                None => true,
                Some(given) => value.is_some_and(|value| equals(value, given)),
            },
            Predicate::NotBefore(name) | Predicate::NotAfter(name) => {
                let Some(text) = given(name).and_then(Value::as_str) else {
                    return true;
                };
                let is_end = matches!(predicate, Predicate::NotAfter(_));
                let found = value.and_then(Json::as_str).and_then(moment::moment);
                let bound = moment::in_zone(text, self.zone(), is_end);
                let (Some(found), Some(bound)) = (found, bound) else {
                    return false;
                };
                if is_end {
                    found <= bound
                } else {
                    found >= bound
                }
            }
        }
    }
}

/// True if the values are equal.
pub(super) fn is_value(value: Json<'_>, known: &Value) -> bool {
    match known {
        Value::String(text) => value.as_str() == Some(text),
        Value::Bool(yes) => value.as_bool() == Some(*yes),
        Value::Number(number) => value.as_number().as_ref() == Some(number),
        _ => false,
    }
}

/// True if the value, or one of its elements, equals the given one as text, ignoring case.
pub(super) fn equals(value: Json<'_>, given: &Value) -> bool {
    let expected = plain(given).to_lowercase();
    let is_it = |value: Json<'_>| text_of(value).to_lowercase() == expected;
    if value.is_array() {
        return value.elements().any(is_it);
    }
    !value.is_object() && is_it(value)
}
