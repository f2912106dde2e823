//! The v1 API over v2, as a library.

mod budget;
pub mod cli;
pub mod config;
mod credential;
mod dev_cert;
mod executor;
mod in_place;
mod inbound;
mod label;
pub mod ledger;
pub mod ops;
mod outbound;
mod peer;
pub mod recorder;
mod request;
pub mod server;
mod service;
pub mod shadow;
pub mod store;
pub mod telemetry;
mod tenants;
mod throttle;
pub mod tls;
pub mod ui;
mod upstream;
mod watch;

pub use service::{ReloadError, Seams, Shim, StartError};
pub use upstream::install_tls;
