//! The subcommands, one file each: what may be given, and the order in which the parts are called.

pub(crate) mod audit;
pub(crate) mod explain;
pub(crate) mod translate;
