//! Fields that differ in every response.

use std::collections::BTreeSet;

use super::{Kind, Row, Verdict};

/// Maximum number of fields: more than v1 has, but bounded in case each response has new members.
const MOST: usize = 10_000;

/// Fields by operation that differed between two responses of the same side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noise(BTreeSet<(String, String)>);

impl Noise {
    /// Adds all fields that differ between two responses of the same side.
    pub fn learn<'r>(&mut self, operation: &str, rows: impl IntoIterator<Item = &'r Row>) {
        for row in rows {
            if row.verdict != Verdict::Same && self.0.len() < MOST {
                self.0.insert((operation.to_owned(), row.field.clone()));
            }
        }
    }

    /// Reclassifies unexpected values of these fields as volatile. Missing members and type changes
    /// stay unexpected.
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

    /// True if the operation's field is known to differ.
    pub fn has(&self, operation: &str, field: &str) -> bool {
        self.0.contains(&(operation.to_owned(), field.to_owned()))
    }

    /// All operations and fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(operation, field)| (operation.as_str(), field.as_str()))
    }
}
