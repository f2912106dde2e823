//! What Zoom's API v1 was, what serves it in v2 today, and how faithful that is.
//!
//! The knowledge is data (`api/*.toml`, embedded in this crate) and this crate interprets it. It
//! does no I/O and has no clock: it is handed values and hands values back.

pub mod exchange;

pub use exchange::{
    Argument, Arguments, Body, File, Method, Outcome, V1Answer, V1Error, V2Request, Warning,
};
