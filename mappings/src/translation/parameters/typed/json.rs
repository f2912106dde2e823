//! Parses JSON parameters, as text or in brackets after the name.

use serde_json::{Map, Value};

use super::{
    super::super::values::{insert, plain},
    Read, value,
};
use crate::{
    catalog::{
        Catalog,
        field::{Kind, Part, Place, Shape},
    },
    conversion::Sent,
};

/// Parses a JSON text.
pub(super) fn read(catalog: &Catalog, part: &Part, text: &str) -> Option<Value> {
    let read = serde_json::from_str(text).ok();
    let read = read.filter(|value: &Value| value.is_object() || value.is_array());
    let bare = || {
        let member = part.bare.clone()?;
        Some(Map::from_iter([(member, text.trim().into())]).into())
    };
    shaped(catalog, part, read.or_else(bare)?)
}

/// Parses `name[a]=1&name[b]=2`, `name[]=1&name[]=2` or `name[0][a]=1&name[][a]=2`; a repeated
/// member starts the next object.
pub(super) fn bracketed(
    catalog: &Catalog,
    part: &Part,
    pairs: &[(String, String)],
) -> Option<Value> {
    let mut list: Vec<Value> = Vec::new();
    let mut object = Map::new();
    let mut before = None;
    for (at, text) in pairs {
        let inner = at.strip_prefix('[')?.strip_suffix(']')?;
        let (first, member) = match inner.split_once("][") {
            Some((first, member)) => (first, Some(member)),
            None => (inner, None),
        };
        let is_index = first.bytes().all(|byte| byte.is_ascii_digit());
        match (is_index, member) {
            (true, None) => list.push(text.as_str().into()),
            (true, Some(member)) => {
                let goes_on = list
                    .last_mut()
                    .filter(|last| before == Some(first) && last.get(member).is_none());
                let value = Value::from(text.as_str());
                match goes_on.and_then(Value::as_object_mut) {
                    Some(object) => drop(object.insert(member.to_owned(), value)),
                    None => list.push(Map::from_iter([(member.to_owned(), value)]).into()),
                }
                before = Some(first);
            }
            (false, None) => drop(object.insert(first.to_owned(), text.as_str().into())),
            (false, Some(_)) => return None,
        }
    }
    let value = match (list.is_empty(), object.is_empty()) {
        (false, true) => list.into(),
        (true, false) => object.into(),
        _ => return None,
    };
    shaped(catalog, part, value)
}

/// Checks the shape of a value and converts its members to v2.
fn shaped(catalog: &Catalog, part: &Part, value: Value) -> Option<Value> {
    let fits = match part.shape {
        None => true,
        Some(Shape::Object) => value.is_object(),
        Some(Shape::Array) => value.is_array(),
    };
    if !fits {
        return None;
    }
    if part.members.is_empty() {
        return Some(value);
    }
    match value {
        Value::Object(object) => members(catalog, part, object),
        Value::Array(values) => values
            .into_iter()
            .map(|value| match value {
                Value::Object(object) => members(catalog, part, object),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// Converts an object to v2; `None` if it has an unknown member.
fn members(catalog: &Catalog, of: &Part, object: Map<String, Value>) -> Option<Value> {
    let mut v2 = Value::Object(Map::new());
    for (name, given) in object {
        if given.is_null() {
            continue;
        }
        let fields = of.members.iter().filter_map(|at| catalog.field(*at));
        let mut fields =
            fields.filter(|(_, part)| part.name == name || part.aliases.contains(&name));
        let (field, part) = fields.next()?;
        let value = match given {
            Value::Object(_) | Value::Array(_) if part.kind == Kind::Json => {
                shaped(catalog, part, given)?
            }
            Value::Object(_) => return None,
            // Texts may be lists of their parts, such as days of the week.
            Value::Array(_) if !matches!(part.kind, Kind::Ids | Kind::String) => return None,
            given => match value(catalog, part, plain(&given)) {
                Read::Value(value) | Read::Cut(value) => value,
                Read::Invalid => return None,
            },
        };
        let sent = match field.conversion.to_v2(&value) {
            Sent::Value { value, .. } => value,
            Sent::Unchanged => continue,
            Sent::DependsOnCurrent | Sent::Impossible => return None,
        };
        let place = field.places.iter().find_map(|place| match place {
            Place::Document(place) => Some(&place.pointer),
            _ => None,
        });
        if let Some(pointer) = place {
            insert(&mut v2, pointer.split('/').skip(1), sent);
        }
    }
    Some(v2)
}
