//! What a v1 client gave, with the types that v1 knew.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{
    Site,
    send::{insert, segment},
};
use crate::{
    catalog::{
        Catalog,
        field::{Field, Kind, Part, Place, Shape},
        operation::{Operation, OptionValue},
        protocol::{PARAMETER_INVALID, PARAMETER_MISSING},
    },
    conversion::Sent,
    document::Json,
    exchange::{Argument, Arguments, File, V1Error, Warning, WarningKind},
    moment,
};

/// Said of a value that v1 had not.
const UNKNOWN: &str = "v1 had no such value: it counts as absent";

/// The most elements of a list of ids, unless the catalog says otherwise.
const MOST_ELEMENTS: usize = 1000;

/// The parameters of a request, by v1 name.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    values: BTreeMap<&'a str, Value>,
    files: BTreeMap<&'a str, File>,
    defaults: BTreeMap<&'a str, Value>,
    /// What could not be taken as it came.
    pub(super) warnings: Vec<Warning>,
    /// The names that the operation does not know.
    pub(super) unknown: Vec<String>,
}

/// What became of a value.
enum Read {
    Value(Value),
    /// It was cut.
    Cut(Value),
    /// It is none that v1 knew.
    Invalid,
}

impl<'a> Parameters<'a> {
    /// Reads the arguments of a request.
    ///
    /// # Errors
    ///
    /// v1's error for the first parameter that is missing, or that cannot be read or is out of its
    /// range.
    pub(super) fn read(
        catalog: &'a Catalog,
        operation: &'a Operation,
        mut arguments: Arguments,
        site: &Site,
    ) -> Result<Self, V1Error> {
        let mut given = Self::default();
        let mut invalid = None;
        for parameter in &operation.parameters {
            let Some((_, part)) = parameter.field.and_then(|at| catalog.field(at)) else {
                continue;
            };
            if let Some(default) = &part.default {
                let default = limited(part, default.clone(), site);
                given.defaults.insert(&part.name, default);
            }
            let Some(argument) = taken(part, &mut arguments) else {
                continue;
            };
            if is_empty(&argument) {
                if part.refuses_empty {
                    invalid = invalid.or(Some(&part.name));
                } else if part.kind == Kind::Text && clears(operation, site) {
                    given.values.insert(&part.name, Value::from(""));
                }
                continue;
            }
            let read = match (part.kind, argument) {
                (Kind::File, Given::One(Argument::File(file))) => {
                    given.files.insert(&part.name, file);
                    continue;
                }
                (Kind::File, Given::One(Argument::Text(text))) => {
                    let bytes = text.into();
                    given.files.insert(&part.name, File { name: None, bytes });
                    continue;
                }
                (_, Given::One(argument)) => match text_of_argument(argument) {
                    Some(text) => value(catalog, part, text),
                    None => Read::Invalid,
                },
                (_, Given::Several(pairs)) => several(catalog, part, pairs),
            };
            match read {
                Read::Value(value) if is_below(part, &value) => {}
                // A list without an element is no list.
                Read::Value(Value::Array(list)) if list.is_empty() && part.kind == Kind::Ids => {}
                Read::Value(value) => {
                    given.values.insert(&part.name, limited(part, value, site));
                }
                Read::Cut(value) => {
                    given.values.insert(&part.name, value);
                    let most = part.cut.unwrap_or_default();
                    given.warn(
                        &part.name,
                        format!("cut to the {most} characters that v2 takes"),
                    );
                }
                Read::Invalid if part.drops_unknown => given.warn(&part.name, UNKNOWN.to_owned()),
                Read::Invalid => invalid = invalid.or(Some(&part.name)),
            }
        }
        let error = |name: &str, about: &str| catalog.protocol().parameter_error(name, about);
        // What is there but cannot be read is not missing.
        if let Some(name) = invalid {
            return Err(error(PARAMETER_INVALID, name));
        }
        for one_of in &operation.requires {
            if !one_of.iter().any(|name| given.has(name)) {
                return Err(error(PARAMETER_MISSING, &one_of.join(" or ")));
            }
        }
        given.unknown = arguments.into_names();
        Ok(given)
    }

    fn warn(&mut self, name: &str, reason: String) {
        self.warnings.push(Warning {
            kind: WarningKind::NotHonoured,
            field: name.to_owned(),
            reason,
        });
    }

    /// True if the parameter was given, and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.files.contains_key(name)
    }

    /// A given value; without v1's default.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A given value, or v1's default.
    pub(super) fn value_or_default(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.defaults.get(name))
    }

    /// A given file.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// A given value, or v1's default, as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value_or_default(name).map(plain)
    }

    /// A given number, or v1's default.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.value_or_default(name).and_then(Value::as_i64)
    }

    /// The elements of a list of ids.
    pub(super) fn elements(&self, name: &str) -> &[Value] {
        let list = self.values.get(name).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }

    /// All given values and files in a fixed order, for a digest.
    pub(super) fn bytes(&self) -> impl Iterator<Item = (&str, Vec<u8>)> {
        let values = self
            .values
            .iter()
            .map(|(name, value)| (*name, plain(value).into_bytes()));
        values.chain(
            self.files
                .iter()
                .map(|(name, file)| (*name, file.bytes.to_vec())),
        )
    }
}

/// A JSON value in the form for a URL or a sentence.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A value of a document in the form for a URL or a sentence.
pub(super) fn text_of(value: Json<'_>) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_value().to_string(), str::to_owned)
}

/// True if the site chose all of these.
pub(super) fn chosen(choices: &[(String, OptionValue)], site: &Site) -> bool {
    choices
        .iter()
        .all(|(name, value)| site.options.get(name) == Some(value))
}

/// What the arguments have of one parameter.
enum Given {
    One(Argument),
    /// What stands in brackets behind the name, and the value.
    Several(Vec<(String, Argument)>),
}

/// Takes a parameter, under any of its names.
fn taken(part: &Part, arguments: &mut Arguments) -> Option<Given> {
    let mut found = None;
    let names = std::iter::once(&part.name).chain(&part.aliases);
    for name in names {
        let mut given = arguments.remove(name).map(Given::One);
        if matches!(part.kind, Kind::Ids | Kind::Json) {
            let pairs = arguments.remove_bracketed(name);
            if !pairs.is_empty() {
                given = Some(with_pairs(part, given, pairs));
            }
        }
        if found.as_ref().is_none_or(is_empty) {
            found = given.or(found);
        }
    }
    found
}

/// A list has the elements of both forms; an object is what its text says.
fn with_pairs(part: &Part, text: Option<Given>, mut pairs: Vec<(String, Argument)>) -> Given {
    match text {
        Some(Given::One(argument)) if part.kind == Kind::Ids => {
            pairs.insert(0, (String::new(), argument));
            Given::Several(pairs)
        }
        Some(given) if !is_empty(&given) => given,
        _ => Given::Several(pairs),
    }
}

fn is_empty(given: &Given) -> bool {
    match given {
        Given::One(Argument::Text(text)) => text.is_empty(),
        Given::One(Argument::File(_)) => false,
        Given::Several(pairs) => pairs
            .iter()
            .all(|(_, argument)| matches!(argument, Argument::Text(text) if text.is_empty())),
    }
}

/// A number that is not larger than the site's choice.
fn limited(part: &Part, value: Value, site: &Site) -> Value {
    let most = part.at_most.as_ref();
    let most = most.and_then(|option| site.options.number(option));
    match (value.as_i64(), most) {
        (Some(number), Some(most)) => number.min(most).into(),
        _ => value,
    }
}

fn clears(operation: &Operation, site: &Site) -> bool {
    !operation.clears_text.is_empty() && chosen(&operation.clears_text, site)
}

fn text_of_argument(argument: Argument) -> Option<String> {
    match argument {
        Argument::Text(text) => Some(text),
        // A part with a file name whose parameter is not a file: its content is the value.
        Argument::File(file) => String::from_utf8(file.bytes.to_vec()).ok(),
    }
}

fn value(catalog: &Catalog, part: &Part, text: String) -> Read {
    let read = |value: Option<Value>| value.map_or(Read::Invalid, Read::Value);
    read(match part.kind {
        Kind::Bool => catalog.protocol().bool(&text).map(Value::from),
        Kind::Int => number(part, &text).map(Value::from),
        Kind::Number => decimal(part, &text),
        Kind::Secret | Kind::String | Kind::Text => return string(part, text),
        Kind::Time => moment::moment(&text)
            .and_then(moment::written)
            .map(Value::from),
        Kind::Date => moment::date(&text).map(|date| date.to_string().into()),
        Kind::LocalTime => moment::local(&text).map(Value::from),
        Kind::Digits => digits(part, &text).map(Value::from),
        Kind::Uuid => Some(uuid(text).into()),
        Kind::Ids => elements(text).and_then(|texts| ids(part, texts.into_iter())),
        Kind::Json => json(catalog, part, &text),
        Kind::File | Kind::List | Kind::Object => None,
    })
}

fn several(catalog: &Catalog, part: &Part, pairs: Vec<(String, Argument)>) -> Read {
    let pairs = pairs
        .into_iter()
        .map(|(at, argument)| Some((at, text_of_argument(argument)?)));
    let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else {
        return Read::Invalid;
    };
    let value = match part.kind {
        Kind::Ids => ids(part, pairs.into_iter().map(|(_, text)| text)),
        _ => bracketed(&pairs).and_then(|value| shaped(catalog, part, value)),
    };
    value.map_or(Read::Invalid, Read::Value)
}

fn number(part: &Part, text: &str) -> Option<i64> {
    let number: i64 = text.trim().parse().ok()?;
    let number = match part.range {
        Some((_, most)) if part.clamp => number.min(most),
        Some((least, most)) if !(least..=most).contains(&number) => return None,
        _ => number,
    };
    (part.values.is_empty() || part.values.contains(&number)).then_some(number)
}

/// True for a number that counts as absent: below the range of a field that clamps.
fn is_below(part: &Part, value: &Value) -> bool {
    let least = part.range.map(|(least, _)| least).filter(|_| part.clamp);
    least
        .zip(value.as_i64())
        .is_some_and(|(least, number)| number < least)
}

#[expect(clippy::cast_precision_loss, reason = "ranges of catalogs are small")]
fn decimal(part: &Part, text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return number(part, text).map(|_| whole.into());
    }
    let number: f64 = text.parse().ok()?;
    let fits = part
        .range
        .is_none_or(|(least, most)| (least as f64..=most as f64).contains(&number));
    serde_json::Number::from_f64(number)
        .filter(|_| fits)
        .map(Value::from)
}

fn string(part: &Part, text: String) -> Read {
    let length = text.chars().count();
    if part.min.is_some_and(|min| length < min) || part.max.is_some_and(|max| max < length) {
        return Read::Invalid;
    }
    if !part.one_of.is_empty() {
        let text = text.trim().to_lowercase();
        let mut known = part.one_of.iter();
        let known = known.find(|known| known.to_lowercase() == text);
        return known.map_or(Read::Invalid, |known| Read::Value(known.as_str().into()));
    }
    match part.cut.filter(|most| *most < length) {
        Some(most) => Read::Cut(text.chars().take(most).collect::<String>().into()),
        None => Read::Value(text.into()),
    }
}

fn digits(part: &Part, text: &str) -> Option<String> {
    let text = text.trim();
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let begins = text.starts_with(|c: char| c.is_ascii_digit());
    let ends = text.ends_with(|c: char| c.is_ascii_digit());
    let (least, most) = part.digits.unwrap_or((1, 18));
    let is_id = begins && ends && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_id && (least..=most).contains(&digits.len())).then_some(digits)
}

/// Without the percent-encoding that some clients put on top of the form's.
fn uuid(text: String) -> String {
    let is_encoded = text.contains('%') && !text.contains(['/', '+', '=']);
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) if is_encoded => decoded.into_owned(),
        _ => text,
    }
}

/// The elements of a JSON array; another text as it is.
fn elements(text: String) -> Option<Vec<String>> {
    if !text.trim_start().starts_with(['[', '{']) {
        return Some(vec![text]);
    }
    let elements: Vec<Value> = serde_json::from_str(&text).ok()?;
    let text = |element| match element {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    elements.into_iter().map(text).collect()
}

fn ids(part: &Part, texts: impl Iterator<Item = String>) -> Option<Value> {
    let most = part.max_elements.unwrap_or(MOST_ELEMENTS);
    let mut ids: Vec<Value> = Vec::new();
    for text in texts {
        for id in crate::conversion::parts(&text) {
            let is_reserved = part
                .ids_of
                .as_ref()
                .is_some_and(|kind| kind.is_reserved(id));
            if is_reserved || segment(id).is_none() {
                return None;
            }
            let id = Value::from(id);
            if !ids.contains(&id) {
                if ids.len() == most {
                    return None;
                }
                ids.push(id);
            }
        }
    }
    Some(Value::Array(ids))
}

fn json(catalog: &Catalog, part: &Part, text: &str) -> Option<Value> {
    let read = serde_json::from_str(text).ok();
    let read = read.filter(|value: &Value| value.is_object() || value.is_array());
    let bare = || {
        let member = part.bare.clone()?;
        Some(Map::from_iter([(member, text.trim().into())]).into())
    };
    shaped(catalog, part, read.or_else(bare)?)
}

/// The value of `name[a]=1&name[b]=2`, `name[]=1&name[]=2` or `name[0][a]=1&name[][a]=2`: a repeated
/// member begins the next object.
fn bracketed(pairs: &[(String, String)]) -> Option<Value> {
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
    match (list.is_empty(), object.is_empty()) {
        (false, true) => Some(list.into()),
        (true, false) => Some(object.into()),
        _ => None,
    }
}

/// The value, if it has the wanted shape; its members become those of v2.
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

/// v2's object for one of v1; `None` if it has a member that v1 did not know.
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
            // Days of a week, say: texts may come as lists of their parts.
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
        if let Some(pointer) = first_pointer(field) {
            insert(&mut v2, pointer.split('/').skip(1), sent);
        }
    }
    Some(v2)
}

fn first_pointer(field: &Field) -> Option<&str> {
    field.places.iter().find_map(|place| match place {
        Place::Document(place) => Some(place.pointer.as_str()),
        _ => None,
    })
}
