//! Recorded exchanges, and what reads them: the recording format, redaction, the comparison of
//! answers, and the usage document of the shim.
//!
//! [`Redactor::record`] makes an [`Exchange`] of an [`Unredacted`] one, and [`Exchange::write`] the
//! line of a recording of that. [`Exchange::read`] reads the line back, and [`comparison`] compares it with what the
//! mappings make of the same request. Like `mappings`, this crate does no I/O and has no clock.

pub mod comparison;
mod exchange;
mod names;
mod redaction;
pub mod rollout;
mod scrub;
mod unredacted;
pub mod usage;

pub use exchange::{
    Exchange, FORMAT, OutcomeKind, RecordError, RecordedSite, V1Exchange, V2Exchange, Wrapping,
    moment,
};
pub use redaction::{PseudonymKey, PseudonymKeyError, REDACTED, Redactor};
pub use unredacted::{Unredacted, UnredactedCall};
