//! How a value changes between v1 and v2: a small closed set, each read in both directions.

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

/// The conversion of one v1 field, or of a pair of v1 fields that share one place in v2.
#[derive(Clone, Debug, PartialEq)]
pub enum Conversion {
    /// The value stays as it is.
    Same,
    /// True becomes false and false becomes true.
    Negate,
    /// As [`Conversion::Same`]; but a sentence (a text with blanks) in v2 is not a value.
    Word,
    /// Value tables.
    Table(Table),
    /// v2 knows these numbers only: v1 numbers go up to the next one, never down.
    RoundUp(Vec<i64>),
    /// Two v1 fields, one v2 value.
    Choice(Choice),
    /// Each value becomes an object with one member.
    Elements(Elements),
    /// Several values become one text.
    Joined(Joined),
    /// An object in v1, a list of objects with a name and a value in v2.
    Pairs(Pairs),
    /// v1 shows what stands before the brackets at the end: `San Jose` of `San Jose (US)`.
    BeforeBrackets,
    /// v1 shows what stands in the brackets at the end, or all if there are none.
    InBrackets,
    /// v1 shows what stands before the last blank: `Mary Ann` of `Mary Ann Smith`.
    BeforeLastBlank,
    /// v1 shows what stands behind the last blank, or nothing if there is none.
    AfterLastBlank,
    /// v1 shows whole minutes, v2 has seconds.
    Minutes,
    /// v1 shows how long ago v2's moment is: `4 days 8 hours 40 mins`.
    Elapsed,
}

/// What a request sends for a v1 value.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// This value; `changed` if v1 would not have taken the one for the other.
    Value {
        /// The v2 value.
        value: Value,
        /// True if something of the v1 value is lost on the way.
        changed: bool,
    },
    /// Nothing: the stored value stays as it is.
    Unchanged,
    /// It depends on the stored value, which is not known.
    DependsOnCurrent,
    /// v2 has no value for it.
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
    /// The names that the catalog has for those that are chosen by `convert`.
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

    /// What v2 is sent for a v1 value.
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

    /// What v1 shows for a v2 value; `None` if it cannot be converted, or is one of those of
    /// [`Conversion::value_to_v1`]. For a [`Conversion::Choice`] see [`Choice::to_v1`].
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

    /// True if what v2 has stored decides whether the value is sent: see [`Conversion::keeps`].
    pub(crate) fn is_ambiguous(&self, v1: &Value) -> bool {
        matches!(self, Self::Table(table) if table.is_ambiguous(v1))
    }

    /// True if v1 shows the stored value as this one, and another would be sent: what was read is
    /// written back, and changes nothing.
    pub(crate) fn keeps(&self, v1: &Value, stored: &Value) -> bool {
        matches!(self, Self::Table(table) if table.keeps(v1, stored))
    }

    /// True if v2's value may be a list or an object, or is taken apart: then
    /// [`Conversion::value_to_v1`] converts it.
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

    /// What v1 shows for a v2 value of any kind; `now` is the time of the answer, in seconds since
    /// 1970.
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

    /// In a few words, for people; empty if the value stays as it is.
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
