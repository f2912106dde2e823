//! The shim over real HTTP, in front of a scripted v2.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code outside of test functions"
)]

mod connections;
mod errors;
mod faults;
mod headers;
mod ids;
mod lists;
mod load;
mod ops;
mod reload;
#[path = "../running/mod.rs"]
mod running;
mod shadow;
mod tenants;
mod trouble;
mod ui;
mod wrappings;
mod writes;
