//! Parses parameter texts as v1 types.

mod json;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::super::values::segment;
use crate::{
    catalog::{
        Catalog,
        field::{Kind, Part},
    },
    exchange::Argument,
    moment,
};

/// Default of the maximum number of elements of an id list.
const MOST_ELEMENTS: usize = 1000;

/// Result of parsing a value.
pub(super) enum Read {
    Value(Value),
    /// Truncated.
    Cut(Value),
    /// Not a v1 value.
    Invalid,
}

/// Parses a parameter that was given once.
pub(super) fn one(catalog: &Catalog, part: &Part, argument: Argument) -> Read {
    text_of_argument(argument).map_or(Read::Invalid, |text| value(catalog, part, text))
}

/// Parses a text.
pub(super) fn value(catalog: &Catalog, part: &Part, text: String) -> Read {
    let read = |value: Option<Value>| value.map_or(Read::Invalid, Read::Value);
    read(match part.kind {
        Kind::Bool => catalog.protocol().bool(&text).map(Value::from),
        Kind::Int => number(part, &text).map(Value::from),
        Kind::Number => decimal(part, &text),
        Kind::Secret | Kind::String | Kind::Text => return string(part, text),
        Kind::Time => moment::moment(&text)
            .and_then(|time| moment::timestamp(time.unix_timestamp()))
            .map(Value::from),
        Kind::Date => moment::date(&text).map(|date| date.to_string().into()),
        Kind::LocalTime => moment::local(&text).map(Value::from),
        Kind::Digits => digits(part, &text).map(Value::from),
        Kind::Uuid => Some(uuid(text).into()),
        Kind::Ids => elements(text).and_then(|texts| ids(part, texts.into_iter())),
        Kind::Json => json::read(catalog, part, &text),
        Kind::File | Kind::List | Kind::Object => None,
    })
}

/// Parses a parameter that was given as several parts, each with the brackets after the name.
pub(super) fn several(catalog: &Catalog, part: &Part, pairs: Vec<(String, Argument)>) -> Read {
    let pairs = pairs
        .into_iter()
        .map(|(at, argument)| Some((at, text_of_argument(argument)?)));
    let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else {
        return Read::Invalid;
    };
    let value = match part.kind {
        Kind::Ids => ids(part, pairs.into_iter().map(|(_, text)| text)),
        _ => json::bracketed(catalog, part, &pairs),
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

/// True for numbers below the range of a clamping field; they count as absent.
pub(super) fn is_below(part: &Part, value: &Value) -> bool {
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

/// Removes the extra percent-encoding that some clients add.
fn uuid(text: String) -> String {
    let is_encoded = text.contains('%') && !text.contains(['/', '+', '=']);
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) if is_encoded => decoded.into_owned(),
        _ => text,
    }
}

/// Elements of a JSON array; any other text is one element.
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

fn text_of_argument(argument: Argument) -> Option<String> {
    match argument {
        Argument::Text(text) => Some(text),
        // A part with a file name for a parameter that is not a file: its content is the value.
        Argument::File(file) => String::from_utf8(file.bytes.to_vec()).ok(),
    }
}
