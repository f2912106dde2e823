//! How a value changes between v1 and v2: a small closed set, read in both directions.

use serde_json::Value;

use crate::scalar::Scalar;

/// The conversion of one v1 field, or of a pair of v1 fields that share one place in v2.
#[derive(Clone, Debug, PartialEq)]
pub enum Conversion {
    /// The value stays as it is.
    Same,
    /// True becomes false and false becomes true.
    Negate,
    /// As [`Conversion::Same`]; but a sentence (a text with blanks) in v2 is not a value.
    Word,
    /// Value tables. A direction without a table leaves the value as it is; a value that a table
    /// does not list cannot be converted.
    Table {
        /// v1 to v2.
        request: Vec<(Value, Value)>,
        /// v2 to v1.
        response: Vec<(Value, Value)>,
    },
    /// v2 knows these numbers only: v1 numbers go up to the next one, never down.
    RoundUp(Vec<i64>),
    /// Two v1 fields, one v2 value.
    Choice(Choice),
}

/// The conversion of a pair of v1 fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The v1 values and the v2 value of each row; for both directions.
    pub rows: Vec<(Vec<Cell>, Value)>,
    /// What a request means that is not a row of the table; the first that fits counts.
    pub given: Vec<Given>,
}

/// What an incomplete or contradicting pair of v1 values in a request means.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// What the request holds.
    pub cells: Vec<Cell>,
    /// Only if v2's stored value is one of these, else it stays as it is; empty: always.
    pub now: Vec<Value>,
    /// The value to send.
    pub v2: Value,
}

/// What a table says of one v1 field of a pair.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Whatever was given.
    Any,
    /// Not given; in answers: not shown.
    Absent,
    /// This value.
    Is(Value),
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

impl Conversion {
    /// What v2 is sent for a v1 value.
    pub fn to_v2(&self, v1: &Value) -> Sent {
        let exact = |value| Sent::Value {
            value,
            changed: false,
        };
        match self {
            Self::Same | Self::Word => exact(v1.clone()),
            Self::Negate => v1
                .as_bool()
                .map_or(Sent::Impossible, |yes| exact((!yes).into())),
            Self::Table { request, .. } if request.is_empty() => exact(v1.clone()),
            Self::Table { request, .. } => match request.iter().find(|(from, _)| from == v1) {
                Some((_, to)) => Sent::Value {
                    value: to.clone(),
                    changed: to != v1,
                },
                None => Sent::Impossible,
            },
            Self::RoundUp(steps) => {
                let Some(number) = v1.as_i64() else {
                    return Sent::Impossible;
                };
                match steps.iter().find(|step| **step >= number) {
                    Some(step) => Sent::Value {
                        value: (*step).into(),
                        changed: *step != number,
                    },
                    None => Sent::Impossible,
                }
            }
            Self::Choice(_) => Sent::Impossible,
        }
    }

    /// What v1 shows for a v2 value; `None` if it cannot be converted. For a [`Conversion::Choice`]
    /// see [`Choice::to_v1`].
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
            Self::Table { response, .. } if response.is_empty() => Some(v2),
            Self::Table { response, .. } => response
                .iter()
                .find(|(from, _)| v2.is(from))
                .map(|(_, to)| to.into()),
            Self::Choice(_) => None,
        }
    }
}

impl Choice {
    /// What v2 is sent for a pair of v1 values, of which some may be absent. `current` is v2's
    /// stored value, if it is known.
    pub fn to_v2(&self, given: &[Option<&Value>], current: Option<&Value>) -> Sent {
        let sent = |value: &Value| Sent::Value {
            value: value.clone(),
            changed: false,
        };
        if let Some((_, v2)) = self.rows.iter().find(|(cells, _)| fits(cells, given)) {
            return sent(v2);
        }
        let Some(first) = self.given.iter().find(|rule| fits(&rule.cells, given)) else {
            return Sent::Impossible;
        };
        if first.now.is_empty() {
            return sent(&first.v2);
        }
        match current {
            None => Sent::DependsOnCurrent,
            Some(current) if first.now.contains(current) => sent(&first.v2),
            Some(_) => Sent::Unchanged,
        }
    }

    /// What v1 shows in the field at `part` for a v2 value.
    pub(crate) fn to_v1<'v>(&'v self, part: usize, v2: &Scalar<'_>) -> Option<Scalar<'v>> {
        let (cells, _) = self.rows.iter().find(|(_, value)| v2.is(value))?;
        match cells.get(part)? {
            Cell::Is(value) => Some(value.into()),
            Cell::Any | Cell::Absent => None,
        }
    }
}

fn fits(cells: &[Cell], given: &[Option<&Value>]) -> bool {
    cells.len() == given.len()
        && cells
            .iter()
            .zip(given)
            .all(|(cell, given)| match (cell, given) {
                (Cell::Any, Some(_)) | (Cell::Absent, None) => true,
                (Cell::Is(value), Some(given)) => value == *given,
                _ => false,
            })
}
