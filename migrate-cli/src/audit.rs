//! Output of `migrate audit`: reports, and manual recipes for findings without an automatic fix.

pub(crate) mod recipe;
pub(crate) mod report;
