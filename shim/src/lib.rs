//! Zoom's REST API v1 served from v2, as a library.
//!
//! The modules are layers. Each uses only those above it in this table.
//!
//! | layer | job |
//! |---|---|
//! | [`clock`] | system clock, which tests replace |
//! | `private_file` | files that only their owner can read |
//! | [`settings`] | one typed configuration from file, environment and flags, checked as a whole |
//! | `v1_client` | client of a second v1: a shadow, or the other side of a rollout |
//! | [`observe`] | observation of requests, which never wait for it: log, metrics, traces,
//! recorder, usage ledger, shadow |
//! | [`state`] | state kept between requests, behind one trait |
//! | [`front`] | the v1 protocol: listeners, TLS, limits, decoding, credentials, encoding |
//! | `serve` | one request: authentication, plan of v2 calls, response |
//! | [`notifications`] | webhooks of v2 in, push notifications of v1 out |
//! | [`operate`] | the operations address: health, metrics, usage, pages |
//! | [`cli`] | the command line: starts and stops all of it |
//!
//! Every layer may use the v2 client in the crate `shim_upstream`. Only `cli` uses `shim_sandbox`,
//! an in-process v2.

pub mod cli;
pub mod clock;
pub mod front;
pub mod notifications;
pub mod observe;
pub mod operate;
mod private_file;
mod serve;
pub mod settings;
pub mod state;
mod v1_client;

pub use serve::{Dependencies, ReloadError, Shim, StartError};
pub use shim_upstream::install_tls;
