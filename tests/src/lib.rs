//! The stage of the end-to-end tests: a shim, a sandbox behind it, and a wire between the two that
//! records what passes and can be made to fail. All talk real HTTP on ports of their own, so that
//! tests run at the same time.
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
