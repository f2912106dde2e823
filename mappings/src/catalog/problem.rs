//! Catalog errors with file, line and reason.

use std::{cell::RefCell, fmt};

/// All mistakes in a catalog.
#[derive(Debug, thiserror::Error)]
pub struct CatalogError {
    /// Mistakes, sorted by file and line.
    pub problems: Vec<Problem>,
}

/// One mistake in a catalog file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Reason, with what was expected.
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

/// Position in a catalog file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

/// Resource whose names are visible in all others.
pub(super) const COMMON: &str = "common";

impl Location {
    /// Resource of the file: its folder.
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

/// TOML error message without Rust vocabulary.
pub(super) fn reason(error: &toml::de::Error) -> String {
    let message = error.message();
    message.replacen("unknown variant", "unknown value", 1)
}

/// Collects mistakes while the catalog is loaded.
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

    /// Returns the result if there are no mistakes.
    pub(super) fn end<T>(self, made: Option<T>) -> Result<T, CatalogError> {
        let mut problems = self.0.into_inner();
        problems.sort();
        problems.dedup();
        made.filter(|_| problems.is_empty())
            .ok_or(CatalogError { problems })
    }
}
