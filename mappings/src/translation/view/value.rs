//! Converts v2 values to v1 types.

use serde_json::{Number, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    catalog::field::{Field, Kind, Part},
    conversion::Conversion,
    document::Json,
    moment::timestamp,
    scalar::Scalar,
};

impl Field {
    /// The v1 value for a v2 value in the field at index `part`; `None` if v1 has no counterpart.
    pub fn to_v1(&self, part: usize, v2: &Value) -> Option<Value> {
        let (at, part) = (part, self.parts.get(part)?);
        if is_plain(self, part) {
            return Some(to_v1(self, at, part, v2.into())?.to_value());
        }
        value_to_v1(self, at, part, v2, 0)
    }
}

/// True if the v1 value is made of a single scalar v2 value.
pub(super) fn is_plain(field: &Field, part: &Part) -> bool {
    let is_single = !matches!(
        part.kind,
        Kind::Ids | Kind::Json | Kind::List | Kind::Object
    );
    is_single && !field.conversion.takes_values()
}

/// Converts a v2 value of any type; `now` is the time of the response in Unix seconds.
pub(super) fn value_to_v1(
    field: &Field,
    at: usize,
    part: &Part,
    v2: &Value,
    now: i64,
) -> Option<Value> {
    let takes_values = field.conversion.takes_values();
    let converted = if takes_values {
        field.conversion.value_to_v1(v2, now)?
    } else {
        v2.clone()
    };
    match part.kind {
        Kind::Ids => (converted.is_array() || converted.is_string()).then_some(converted),
        Kind::Json => (converted.is_array() || converted.is_object()).then_some(converted),
        Kind::File | Kind::List | Kind::Object => None,
        _ if takes_values => Some(typed(part, (&converted).into())?.to_value()),
        _ => Some(to_v1(field, at, part, v2.into())?.to_value()),
    }
}

/// Converts a scalar v2 value.
#[inline]
pub(super) fn to_v1<'v>(
    field: &'v Field,
    at: usize,
    part: &'v Part,
    v2: Scalar<'v>,
) -> Option<Scalar<'v>> {
    let converted = |v2: Scalar<'v>| {
        let value = match &field.conversion {
            Conversion::Choice(choice) => choice.to_v1(at, &v2)?,
            conversion => conversion.to_v1(v2)?,
        };
        typed(part, value)
    };
    let respelled = respelled(part.kind, &v2);
    converted(v2).or_else(|| converted(respelled?))
}

/// Reinterprets a value that v2 sends with another JSON type: `"2"`, `"true"`, `1` for true.
fn respelled(kind: Kind, value: &Scalar<'_>) -> Option<Scalar<'static>> {
    let text = value.as_str().map(str::trim);
    match (kind, value, text) {
        (Kind::Bool, Scalar::Int(number @ (0 | 1)), _) => Some(Scalar::Bool(*number == 1)),
        (Kind::Bool, _, Some(text)) => {
            let text = text.to_ascii_lowercase();
            text.parse().ok().map(Scalar::Bool)
        }
        (Kind::Int, Scalar::Bool(yes), _) => Some(Scalar::Int((*yes).into())),
        (Kind::Int, _, Some(text)) => text.parse().ok().map(Scalar::Int),
        _ => None,
    }
}

/// Coerces a value to its v1 type.
#[inline]
pub(super) fn typed<'v>(part: &'v Part, value: Scalar<'v>) -> Option<Scalar<'v>> {
    match (part.kind, value) {
        (Kind::Bool, value @ Scalar::Bool(_))
        | (Kind::Int | Kind::Digits | Kind::Number, value @ Scalar::Int(_))
        | (Kind::Number, value @ Scalar::Number(_)) => Some(value),
        (Kind::Int | Kind::Digits, text) => text.as_str()?.trim().parse().ok().map(Scalar::Int),
        (Kind::Number, text) => {
            let text = text.as_str()?.trim();
            match text.parse() {
                Ok(whole) => Some(Scalar::Int(whole)),
                Err(_) => Number::from_f64(text.parse().ok()?).map(Scalar::Number),
            }
        }
        (
            Kind::Secret | Kind::String | Kind::Text | Kind::Uuid,
            text @ (Scalar::Text(_) | Scalar::Verbatim(_)),
        ) => Some(if is_null(part, &text) {
            Scalar::Null
        } else {
            text
        }),
        (Kind::Secret | Kind::String | Kind::Text | Kind::Uuid, Scalar::Int(number)) => {
            Some(Scalar::Text(number.to_string().into()))
        }
        (Kind::Secret | Kind::String | Kind::Text | Kind::Uuid, Scalar::Number(number)) => {
            Some(Scalar::Text(number.to_string().into()))
        }
        (Kind::Time, value) => moment(part, value.as_str()?),
        (Kind::Date, value) => {
            let date = crate::moment::date(value.as_str()?)?;
            Some(Scalar::Text(date.to_string().into()))
        }
        _ => None,
    }
}

/// True for an empty v2 text where v1 had null.
fn is_null(part: &Part, text: &Scalar<'_>) -> bool {
    part.empty == Some(Value::Null) && text.as_str() == Some("")
}

/// Values that v1 shows exactly as serialized by v2, which most are.
#[derive(Clone, Copy)]
pub(super) enum AsIs {
    /// Strings.
    Text,
    /// Timestamps in v1's format.
    Moment,
    /// Integers.
    Whole,
    /// Booleans.
    Bool,
    /// None recognizable by syntax.
    None,
}

impl AsIs {
    pub(super) fn of(field: &Field, part: &Part) -> Self {
        if !matches!(field.conversion, Conversion::Same) || part.empty == Some(Value::Null) {
            return Self::None;
        }
        match part.kind {
            Kind::Secret | Kind::String | Kind::Text | Kind::Uuid => Self::Text,
            Kind::Time => Self::Moment,
            Kind::Int | Kind::Digits => Self::Whole,
            Kind::Bool => Self::Bool,
            _ => Self::None,
        }
    }

    /// The serialized value, if it can be copied.
    #[inline]
    pub(super) fn copy(self, value: Json<'_>) -> Option<&[u8]> {
        match self {
            Self::Text => value.quoted(),
            Self::Moment => value.quoted().filter(|quoted| is_v1s(quoted)),
            Self::Whole => value.digits(),
            Self::Bool => Some(if value.as_bool()? { b"true" } else { b"false" }),
            Self::None => None,
        }
    }
}

/// True for a timestamp in v1's format, `2015-01-19T14:47:22Z`. Days after the 28th are left to the
/// calendar, because not all months have them.
fn is_v1s(quoted: &[u8]) -> bool {
    let Ok(bytes) = <&[u8; 22]>::try_from(quoted) else {
        return false;
    };
    let [
        b'"',
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
        b'"',
    ] = *bytes
    else {
        return false;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2];
    digits.iter().all(u8::is_ascii_digit)
        && (*b"01"..=*b"12").contains(&[m1, m2])
        && (*b"01"..=*b"28").contains(&[d1, d2])
        && [h1, h2] < *b"24"
        && [n1, n2] < *b"60"
        && [s1, s2] < *b"60"
}

/// Converts a v2 timestamp to v1's format.
fn moment<'v>(part: &'v Part, text: &str) -> Option<Scalar<'v>> {
    if text.is_empty() {
        return part.empty.as_ref().map(Scalar::from);
    }
    // Timestamps without an offset are UTC.
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    let time = time.or_else(|| crate::moment::moment(text))?;
    let text = timestamp(time.unix_timestamp())?;
    Some(Scalar::Text(text.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reference implementation that parses and formats.
    fn rewritten(text: &str) -> Option<String> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        timestamp(time.unix_timestamp())
    }

    #[test]
    fn recognises_v1_timestamps() {
        assert!(is_v1s(br#""2015-01-19T14:47:22Z""#));
        for other in [
            "2015-01-19T14:47:22.5Z",
            "2015-01-19T14:47:22+01:00",
            "2015-13-19T14:47:22Z",
            "2015-02-30T14:47:22Z",
            "2015-01-19T24:47:22Z",
            "2015-01-19 14:47:22Z",
            "",
        ] {
            assert!(!is_v1s(format!("\"{other}\"").as_bytes()), "{other}");
        }
    }

    proptest! {
        #[test]
        fn v1_timestamps_are_copied_unchanged(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z"
        ) {
            if is_v1s(format!("\"{text}\"").as_bytes()) {
                prop_assert_eq!(rewritten(&text), Some(text));
            }
        }
    }
}
