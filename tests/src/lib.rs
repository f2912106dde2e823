//! Test environment of the end-to-end tests: a shim, a sandbox as its v2, and a proxy layer between
//! them that records calls and injects faults. All use real HTTP on ephemeral ports, so that tests
//! can run in parallel.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a stage that does not stand fails the test that asked for it"
)]

mod answer;
mod programs;
mod recording;
mod stage;
mod wire;

pub use answer::Answer;
pub use programs::{program, programs};
pub use stage::{API_KEY, API_SECRET, CHAT_TOKEN, Stage};
pub use wire::{Fault, Tampered, V2Call, Wire, fits};
