//! `migrate`: finds uses of Zoom API v1 in a code base, shows their v2 replacements, and tracks the
//! migration.

mod audit;
mod cli;
mod commands;
mod diff;
mod exit;
mod explain;
mod http;
mod plan;
mod progress;
mod record;
mod settings;
mod site_mappings;
mod translate;
mod usage;
mod v1_address;

pub use cli::run;
