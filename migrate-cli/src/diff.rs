//! Comparison of old and new responses through the mappings: what differs, and whether the catalog
//! explains it.
//!
//! [`recording::comparison`] compares two v1 responses; [`join`] compares a v1 response with the v2
//! documents that it was built from. Both produce a [`Comparison`], which [`report`] renders.

pub(crate) mod documents;
pub(crate) mod exchange;
pub(crate) mod join;
pub(crate) mod live;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod response_source;
pub(crate) mod rules;
pub(crate) mod thresholds;

#[cfg(test)]
mod tests;

pub(crate) use recording::comparison::{Comparison, Kind, Row, Verdict};

/// The rows of a comparison that differ unexpectedly.
fn unexpected(comparison: &Comparison) -> impl Iterator<Item = &Row> {
    let rows = comparison.rows.iter();
    rows.filter(|row| row.verdict == Verdict::Unexpected)
}
