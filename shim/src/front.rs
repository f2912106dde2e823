//! What v1 clients send becomes parameters, and answers become the bytes that v1 sent.
//!
//! Listeners with TLS and connection limits, decoding of every form of parameters, credentials, the
//! limit of failed logins, encoding of answers. Knows nothing of what serves a request: that is handed
//! in as a [`server::Handler`].

pub(crate) mod boxed_future;
pub(crate) mod cors;
pub(crate) mod credential;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod peer;
pub mod server;
pub(crate) mod throttle;
