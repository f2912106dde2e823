//! How v1 operations and fields map to v2, read from the catalog: first as values, then as
//! documents.
//!
//! The values ([`Overview`], [`OperationPage`], [`FieldPage`], …) are the JSON output. Each object
//! has `"schema": 1` and a `kind`. Members may be added; renaming or removing one changes the
//! schema.

mod answer;
mod calls;
mod errors;
mod field;
mod guide;
mod notifications;
mod operation;
mod overview;
pub(crate) mod page;
mod parameters;
#[cfg(test)]
mod tests;
mod topic;
pub(crate) mod wording;

use mappings::fidelity::Fidelity;
use serde::Serialize;

pub(crate) use calls::direct_dependencies;
pub(crate) use field::FieldPage;
pub(crate) use notifications::NotificationsPage;
pub(crate) use operation::{OperationPage, unique, v2_requests};
pub(crate) use overview::Overview;
pub(crate) use parameters::parameter_entries;
pub(crate) use topic::{Topic, nearest, nearest_operations, suggestion};

/// Version of the JSON output.
pub(crate) const SCHEMA: u32 = 1;

/// Number of fields by fidelity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) exact: usize,
    pub(crate) lossy: usize,
    pub(crate) none: usize,
}

impl Counts {
    pub(crate) fn of(fields: impl IntoIterator<Item = Fidelity>) -> Self {
        let mut counts = Self::default();
        for fidelity in fields {
            match fidelity {
                Fidelity::Exact => counts.exact += 1,
                Fidelity::Lossy => counts.lossy += 1,
                Fidelity::None => counts.none += 1,
            }
        }
        counts
    }

    pub(crate) fn total(self) -> usize {
        self.exact + self.lossy + self.none
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            exact: self.exact + other.exact,
            lossy: self.lossy + other.lossy,
            none: self.none + other.none,
        }
    }
}
