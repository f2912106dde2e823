//! Finds uses of v1 in a code base: walk, prefilter, scan, decide.

mod advice;
pub mod baseline;
mod decide;
mod dependency;
mod evidence;
mod extract;
mod finding;
pub mod fix;
mod halves;
mod knowledge;
mod language;
mod library;
pub mod owners;
pub mod plan;
mod purpose;
mod relevance;
mod revision;
pub mod rules;
mod run;
mod scan;
mod secrets;
mod shape;
mod shim_address;
mod source;
mod suppression;
mod trace;
pub mod traffic;
mod walk;
mod write_up;

pub use finding::{
    Advice, Confidence, Finding, Kind, LossyParameter, Shim, SuppressedBy, Suppression,
};
pub use run::{Audit, AuditError, Options, Outcome, Unreadable};
pub use shim_address::{Moved, ShimUrl, Variable};
