//! The v1 API over v2, as a library.

pub mod sandbox;
