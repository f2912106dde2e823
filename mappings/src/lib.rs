//! What Zoom's API v1 was, what serves it in v2 today, and how faithful that is.
//!
//! The knowledge is data (`api/*/*.toml`, embedded in this crate) and this crate interprets it. It
//! does no I/O and has no clock: it is handed values and hands values back.
//!
//! Start with [`Catalog::embedded`], find an [`Operation`](catalog::operation::Operation) by its
//! path, and let a [`Translation`] turn a v1 request into v2 requests and v2's answers into v1's.

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
    Argument, Arguments, Body, File, Method, Outcome, V1Answer, V1Error, V1Object, V2Request,
    Warning, WarningKind,
};
pub use template::Template;
pub use translation::{Links, Memory, Site, Tokens, Translation};
