//! What differs each time, and so tells nothing.

use std::collections::BTreeSet;

use super::{Kind, Row, Verdict};

/// More fields than all operations of v1 have: a bound for what answers with other members each
/// time.
const MOST: usize = 10_000;

/// The fields of operations whose values were different in two answers of the same side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noise(BTreeSet<(String, String)>);

impl Noise {
    /// Learns from two answers of one side, compared: all that differs in them is noise.
    pub fn learn<'r>(&mut self, operation: &str, rows: impl IntoIterator<Item = &'r Row>) {
        for row in rows {
            if row.verdict != Verdict::Same && self.0.len() < MOST {
                self.0.insert((operation.to_owned(), row.field.clone()));
            }
        }
    }

    /// Makes what is noise volatile: other values only. What is missing, or of another type, is no
    /// noise.
    pub fn cancel(&self, operation: &str, rows: &mut [Row]) {
        for row in rows {
            if row.verdict == Verdict::Unexpected
                && row.kind == Some(Kind::Value)
                && self.has(operation, &row.field)
            {
                row.verdict = Verdict::Volatile;
                "asked twice, it differs each time".clone_into(&mut row.reason);
            }
        }
    }

    /// True if the field of the operation is noise.
    pub fn has(&self, operation: &str, field: &str) -> bool {
        self.0.contains(&(operation.to_owned(), field.to_owned()))
    }

    /// Operations and fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(operation, field)| (operation.as_str(), field.as_str()))
    }
}
