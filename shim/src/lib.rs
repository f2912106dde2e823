//! The v1 API over v2, as a library.

pub mod cli;
pub mod config;
mod credential;
mod dev_cert;
mod executor;
mod in_place;
mod inbound;
pub mod ledger;
pub mod ops;
mod outbound;
mod peer;
pub mod recorder;
pub mod server;
mod service;
pub mod shadow;
pub mod store;
pub mod telemetry;
mod tenants;
mod throttle;
pub mod tls;
pub mod ui;
mod watch;

pub use service::{ReloadError, Seams, Shim, StartError};
pub use shim_upstream::install_tls;
