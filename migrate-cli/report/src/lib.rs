//! How reports are printed: one mechanism per format.

pub mod sheet;
