//! Finds uses of v1 in a code base: walk, prefilter, scan, decide.

mod advice;
pub mod baseline;
mod decide;
mod dependency;
mod evidence;
mod extract;
mod finding;
mod knowledge;
mod language;
mod library;
mod revision;
pub mod owners;
pub mod plan;
pub mod report;
pub(crate) mod rules;
mod scan;
mod shape;
mod source;
mod suppression;
mod trace;
mod walk;
mod run;

pub use finding::{Advice, Confidence, Finding, Kind, LossyParameter, Shim, SuppressedBy, Suppression};
pub use run::{Audit, AuditError, Options, Outcome, Unreadable};
