//! What `migrate audit` prints: reports, and recipes for findings without a fix.

pub(crate) mod recipe;
pub(crate) mod report;
