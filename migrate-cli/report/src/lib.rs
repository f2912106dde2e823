//! Reports: commands build a [`Document`], and one [`Printer`] per format writes it.
//!
//! [`layout`] wraps text for terminals, also for commands without a document.

pub mod concise;
pub mod csv;
pub mod document;
pub mod github;
pub mod html;
pub mod junit;
pub mod layout;
pub mod markdown;
pub mod sarif;
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
