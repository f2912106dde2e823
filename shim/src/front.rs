//! The v1 protocol: requests to parameters, and answers to responses.
//!
//! Listeners with TLS and connection limits, decoding of all parameter encodings, credentials, the
//! limit of failed logins, encoding of responses. Independent of how requests are served: the
//! [`server::Handler`] is passed in.

pub(crate) mod boxed_future;
pub(crate) mod cors;
pub(crate) mod credential;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod peer;
pub mod server;
pub(crate) mod throttle;
