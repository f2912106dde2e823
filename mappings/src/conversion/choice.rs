//! Two v1 fields that share one place in v2.

use serde::Deserialize;
use serde_json::Value;

use super::Sent;
use crate::scalar::Scalar;

/// Conversion of a pair of v1 fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// v1 values and the v2 value of each row, for both directions.
    pub rows: Vec<(Vec<Cell>, Value)>,
    /// Rules for pairs that match no row; the first match applies.
    pub given: Vec<Given>,
}

/// Meaning of an incomplete or contradictory pair of v1 values in a request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Pattern for the pair.
    #[serde(rename = "v1")]
    pub cells: Vec<Cell>,
    /// Stored v2 values under which `v2` is sent; any if empty. Otherwise the stored value stays.
    #[serde(default)]
    pub now: Vec<Value>,
    /// Value to send.
    pub v2: Value,
}

/// Pattern for one v1 field of the pair.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Value")]
pub enum Cell {
    /// Any given value.
    Any,
    /// Not given; in responses, omitted.
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
    /// Converts a pair of v1 values, some of which may be absent. `current` is the stored v2 value,
    /// if known.
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

    /// v1 value of the field at index `part`.
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
