//! Reports: commands build a [`Document`], and one [`Printer`] per format writes it.
//!
//! [`sheet`] lays out text for terminals, also for commands whose output is text alone.

pub mod concise;
pub mod csv;
pub mod document;
pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod sheet;
pub mod text;
pub mod words;

use std::io;

pub use document::Document;

/// Writes documents in one format.
pub trait Printer {
    /// Writes a document.
    ///
    /// # Errors
    ///
    /// The output cannot be written to.
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()>;
}
