//! The recording format, redaction, comparison of responses, and the shim's usage document.
//! [`Redactor::record`] converts an [`Unredacted`] exchange into an [`Exchange`], which
//! [`Exchange::write`] serializes as a line and [`Exchange::read`] parses. [`comparison`] compares
//! a recorded response with another one, or with a new translation of the request. Like `mappings`,
//! this crate does no I/O and reads no clock.

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
