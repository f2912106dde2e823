//! Old and new beside each other, through the map: what differs, and whether the catalog explains
//! it.
//!
//! [`recording::comparison`] finds what differs between two v1 answers and judges it, [`join`] puts a
//! v1 answer beside the v2 documents that it was made from. All of it is data first
//! ([`Comparison`]); [`show`] renders it last.

pub(crate) mod beside;
pub(crate) mod documents;
pub(crate) mod given;
pub(crate) mod join;
pub(crate) mod live;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod show;

#[cfg(test)]
mod tests;

pub(crate) use recording::comparison::{Comparison, Kind, Row, Verdict};
