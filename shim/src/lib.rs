//! The v1 API over v2, as a library.
//!
//! The modules are layers. Each uses those above it in this table, never those below.
//!
//! | layer | job |
//! |---|---|
//! | [`clock`] | the time of the system, which tests replace |
//! | [`settings`] | one typed configuration from file, environment and flags, checked as a whole |
//! | `v1_client` | asks a second v1: a shadow, or the other side of a rollout |
//! | [`observe`] | everything that watches and nothing waits for: log, metrics, traces, recorder, usage ledger, shadow |
//! | [`state`] | what is remembered between requests, behind one trait |
//! | [`front`] | what v1 clients send becomes parameters, and answers become v1's bytes: listeners, TLS, limits, decoding, credentials, encoding |
//! | `serve` | one request: authentication, the plan of v2 calls, the answer |
//! | [`notifications`] | v2's webhooks in, v1's push notifications out |
//! | [`operate`] | the operations address: health, metrics, usage, pages |
//! | [`cli`] | the command line: starts and stops all of it |
//!
//! v2 itself is behind the crate `shim_upstream`, which every layer may use; `shim_sandbox` is
//! a v2 of its own, which only `cli` starts.

pub mod cli;
pub mod clock;
pub mod front;
pub mod notifications;
pub mod observe;
pub mod operate;
mod serve;
pub mod settings;
pub mod state;
mod v1_client;

pub use serve::{Dependencies, ReloadError, Shim, StartError};
pub use shim_upstream::install_tls;
