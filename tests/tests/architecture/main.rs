//! Rules on the source code of the workspace: layers of crates and modules, and no knowledge of the
//! API in Rust.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code outside of test functions"
)]

mod knowledge;
mod layers;
mod sources;
