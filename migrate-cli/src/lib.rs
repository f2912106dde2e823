//! `migrate`: finds what a code base uses of Zoom's API v1, says what replaces it, and tracks the
//! migration to v2.

mod audit;
mod cli;
mod commands;
mod diff;
mod exit;
mod explain;
mod http;
mod plan;
mod record;
mod settings;
mod site_mappings;
mod translate;
mod usage;
mod v1_address;

pub use cli::run;
