//! The shim over HTTP, in front of a scripted v2.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code outside of test functions"
)]

mod brownout;
mod certificates;
mod connections;
mod errors;
mod faults;
mod headers;
mod http2;
mod ids;
mod lists;
mod load;
mod observers;
mod ops;
mod proxies;
mod relay;
mod reload;
mod rollout;
#[path = "../running/mod.rs"]
mod running;
mod shadow;
mod shutdown;
mod tenants;
mod tls;
mod trouble;
mod ui;
mod wrappings;
mod writes;
