//! Usage of v1: the consumers in a shim's ledger, classified by a rule and compared with the code.

mod brownouts;
mod code;
mod document;
mod owners;
mod report;
mod since;
mod source;

pub(crate) use code::Code;
pub(crate) use document::{document, owners_document};
pub(crate) use owners::owners;
pub(crate) use report::UsageReport;
pub(crate) use since::Since;
pub(crate) use source::read;

#[cfg(test)]
mod tests;
