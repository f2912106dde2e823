//! Conversions between v1 and v2 values: a small closed set, each with both directions.

mod blanks;
mod brackets;
mod choice;
mod lists;
mod moments;
mod numbers;
mod table;

use serde_json::Value;

use crate::scalar::Scalar;
pub use choice::{Cell, Choice, Given};
pub use lists::{Elements, Joined, Pairs};
pub(crate) use lists::{count_parts, parts};
pub use table::Table;

/// Conversion of one v1 field, or of two v1 fields that share one v2 place.
#[derive(Clone, Debug, PartialEq)]
pub enum Conversion {
    /// Unchanged.
    Same,
    /// Boolean negation.
    Negate,
    /// [`Conversion::Same`], but a v2 text with blanks counts as absent.
    Word,
    /// Value tables.
    Table(Table),
    /// Rounds v1 numbers up to the next of these, the only ones that v2 accepts.
    RoundUp(Vec<i64>),
    /// Two v1 fields for one v2 value.
    Choice(Choice),
    /// List of values in v1, list of objects with one member in v2.
    Elements(Elements),
    /// List of values in one text.
    Joined(Joined),
    /// Object in v1, list of name/value objects in v2.
    Pairs(Pairs),
    /// Response only: text before the trailing brackets, `San Jose` of `San Jose (US)`.
    BeforeBrackets,
    /// Response only: text in the trailing brackets, or all of it if there are none.
    InBrackets,
    /// Response only: text before the last blank, `Mary Ann` of `Mary Ann Smith`.
    BeforeLastBlank,
    /// Response only: text after the last blank; empty if there is none.
    AfterLastBlank,
    /// Response only: seconds in v2, whole minutes in v1.
    Minutes,
    /// Response only: time elapsed since a v2 timestamp, `4 days 8 hours 40 mins`.
    Elapsed,
}

/// Result of converting a v1 value for a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// Send this value.
    Value {
        /// v2 value.
        value: Value,
        /// True if part of the v1 value is lost.
        changed: bool,
    },
    /// Send nothing; the stored value stays.
    Unchanged,
    /// Depends on the stored value, which is unknown.
    DependsOnCurrent,
    /// v2 has no such value.
    Impossible,
}

impl Sent {
    fn exact(value: impl Into<Value>) -> Self {
        Self::Value {
            value: value.into(),
            changed: false,
        }
    }

    fn exact_if_any(value: Option<impl Into<Value>>) -> Self {
        value.map_or(Self::Impossible, Self::exact)
    }
}

impl Conversion {
    /// Catalog names of the conversions that `convert` selects.
    pub const NAMES: [&'static str; 11] = [
        "negate",
        "word",
        "elements",
        "joined",
        "pairs",
        "before_brackets",
        "in_brackets",
        "before_last_blank",
        "after_last_blank",
        "minutes",
        "elapsed",
    ];

    /// Converts a v1 value for a request.
    pub fn to_v2(&self, v1: &Value) -> Sent {
        match self {
            Self::Same | Self::Word => Sent::exact(v1.clone()),
            Self::Negate => Sent::exact_if_any(v1.as_bool().map(|yes| !yes)),
            Self::Table(table) => table.to_v2(v1),
            Self::RoundUp(steps) => numbers::round_up(steps, v1),
            Self::Elements(elements) => Sent::exact_if_any(elements.to_v2(v1)),
            Self::Joined(joined) => Sent::exact_if_any(joined.to_v2(v1)),
            Self::Pairs(pairs) => Sent::exact_if_any(pairs.to_v2(v1)),
            Self::Choice(_)
            | Self::BeforeBrackets
            | Self::InBrackets
            | Self::BeforeLastBlank
            | Self::AfterLastBlank
            | Self::Minutes
            | Self::Elapsed => Sent::Impossible,
        }
    }

    /// Converts a scalar v2 value for a response; `None` if it cannot be converted, or if
    /// [`Conversion::value_to_v1`] must be used. For a [`Conversion::Choice`] see
    /// [`Choice::to_v1`].
    #[inline]
    pub(crate) fn to_v1<'v>(&'v self, v2: Scalar<'v>) -> Option<Scalar<'v>> {
        match self {
            Self::Same | Self::RoundUp(_) => Some(v2),
            Self::Negate => match v2 {
                Scalar::Bool(yes) => Some(Scalar::Bool(!yes)),
                _ => None,
            },
            Self::Word => v2
                .as_str()
                .is_some_and(|text| !text.contains(' '))
                .then_some(v2),
            Self::Table(table) => table.to_v1(v2),
            _ => None,
        }
    }

    /// True if the stored v2 value decides whether the value is sent: see [`Conversion::keeps`].
    pub(crate) fn is_ambiguous(&self, v1: &Value) -> bool {
        matches!(self, Self::Table(table) if table.is_ambiguous(v1))
    }

    /// True if v1 shows `stored` as `v1` although a request would send another value. Writing back
    /// what was read must not change it.
    pub(crate) fn keeps(&self, v1: &Value, stored: &Value) -> bool {
        matches!(self, Self::Table(table) if table.keeps(v1, stored))
    }

    /// True if [`Conversion::value_to_v1`] must be used, because v2's value may be a list or an
    /// object or is taken apart.
    pub(crate) fn takes_values(&self) -> bool {
        !matches!(
            self,
            Self::Same
                | Self::Negate
                | Self::Word
                | Self::Table(_)
                | Self::RoundUp(_)
                | Self::Choice(_)
        )
    }

    /// Converts a v2 value of any type for a response. `now` is the time of the response in Unix
    /// seconds.
    pub(crate) fn value_to_v1(&self, v2: &Value, now: i64) -> Option<Value> {
        match self {
            Self::Elements(elements) => elements.to_v1(v2),
            Self::Joined(joined) => joined.to_v1(v2).map(Value::from),
            Self::Pairs(pairs) => pairs.to_v1(v2),
            Self::BeforeBrackets => Some(brackets::before(v2.as_str()?).into()),
            Self::InBrackets => Some(brackets::inside(v2.as_str()?).into()),
            Self::BeforeLastBlank => Some(blanks::before_last(v2.as_str()?).into()),
            Self::AfterLastBlank => Some(blanks::after_last(v2.as_str()?).into()),
            Self::Minutes => numbers::minutes(v2).map(Value::from),
            Self::Elapsed => moments::elapsed(v2.as_str()?, now).map(Value::from),
            _ => None,
        }
    }

    /// Short description; empty for [`Conversion::Same`].
    pub fn words(&self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Word => "if it is one word",
            Self::Negate => "negated",
            Self::Table(_) => "by a table",
            Self::RoundUp(_) => "rounded up",
            Self::Choice(_) => "two flags, one value",
            Self::Elements(_) => "as objects",
            Self::Joined(_) => "joined",
            Self::Pairs(_) => "names and values",
            Self::BeforeBrackets => "before the brackets",
            Self::InBrackets => "in the brackets",
            Self::BeforeLastBlank => "before the last blank",
            Self::AfterLastBlank => "behind the last blank",
            Self::Minutes => "in minutes",
            Self::Elapsed => "time since then",
        }
    }
}
