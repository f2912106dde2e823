//! What is wrong with a catalog: every mistake with file, line and reason.

use std::{cell::RefCell, fmt};

/// Why a catalog was refused: all mistakes, not only the first one.
#[derive(Debug, thiserror::Error)]
pub struct CatalogError {
    /// The mistakes, by file and line.
    pub problems: Vec<Problem>,
}

/// One mistake in a catalog file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub reason: String,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// Where something stands in a catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// The resource whose names all resources find.
pub(super) const COMMON: &str = "common";

impl Location {
    /// The resource that the file belongs to: its folder.
    pub fn resource(&self) -> &str {
        self.file
            .split_once('/')
            .map_or(COMMON, |(folder, _)| folder)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What is wrong with a text or a table, in TOML's words instead of Rust's.
pub(super) fn reason(error: &toml::de::Error) -> String {
    let message = error.message();
    message.replacen("unknown variant", "unknown value", 1)
}

/// Collects mistakes while a catalog is loaded.
#[derive(Default)]
pub(super) struct Report(RefCell<Vec<Problem>>);

impl Report {
    pub(super) fn add(&self, at: &Location, reason: impl Into<String>) {
        let Location { file, line } = at.clone();
        let reason = reason.into();
        self.0.borrow_mut().push(Problem { file, line, reason });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// What was made, if there are no mistakes.
    pub(super) fn end<T>(self, made: Option<T>) -> Result<T, CatalogError> {
        let mut problems = self.0.into_inner();
        problems.sort();
        problems.dedup();
        made.filter(|_| problems.is_empty())
            .ok_or(CatalogError { problems })
    }
}
