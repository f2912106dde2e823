//! Who still calls v1, and who of them could do without: what a shim's ledger says, judged by a
//! rule, beside what the code says.

mod brownouts;
mod code;
mod owners;
mod report;
mod since;
mod source;
mod story;

pub(crate) use code::Code;
pub(crate) use owners::owners;
pub(crate) use report::{document, owners_document};
pub(crate) use since::Since;
pub(crate) use source::read;
pub(crate) use story::Story;

#[cfg(test)]
mod tests;
