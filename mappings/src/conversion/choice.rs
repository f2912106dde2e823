//! Two v1 fields that share one place in v2.

use serde::Deserialize;
use serde_json::Value;

use super::Sent;
use crate::scalar::Scalar;

/// The conversion of a pair of v1 fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The v1 values and the v2 value of each row; for both directions.
    pub rows: Vec<(Vec<Cell>, Value)>,
    /// What a request means that is not a row of the table; the first that fits counts.
    pub given: Vec<Given>,
}

/// What an incomplete or contradicting pair of v1 values in a request means.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// What the request holds.
    #[serde(rename = "v1")]
    pub cells: Vec<Cell>,
    /// Only if v2's stored value is one of these, else it stays as it is; empty: always.
    #[serde(default)]
    pub now: Vec<Value>,
    /// The value to send.
    pub v2: Value,
}

/// What a table says of one v1 field of a pair.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Value")]
pub enum Cell {
    /// Whatever was given.
    Any,
    /// Not given; in answers: not shown.
    Absent,
    /// This value.
    Is(Value),
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value.as_str() {
            Some("any") => Self::Any,
            Some("absent") => Self::Absent,
            _ => Self::Is(value),
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
