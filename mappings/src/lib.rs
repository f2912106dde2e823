//! Zoom's API v1, the v2 calls that serve it, and the fidelity of each field.
//!
//! The knowledge is data (`api/*/*.toml`, embedded in this crate), which this crate interprets. It
//! does no I/O and reads no clock: all inputs are arguments.
//!
//! Start with [`Catalog::embedded`], find an [`Operation`](catalog::operation::Operation) by its
//! path, and let a [`Translation`] turn a v1 request into v2 requests and their responses into a v1
//! response.

pub mod catalog;
pub mod conversion;
pub mod document;
pub mod exchange;
pub mod fidelity;
mod moment;
pub mod notification;
mod scalar;
mod template;
pub mod translation;

pub use catalog::Catalog;
pub use document::Document;
pub use exchange::{
    Argument, Arguments, Body, File, Method, Outcome, RateLabel, V1Answer, V1Error, V1Object,
    V2Request, Warning, WarningKind,
};
pub use template::Template;
pub use translation::{Links, Memory, Site, Tokens, Translation};
