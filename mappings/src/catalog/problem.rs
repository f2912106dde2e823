//! What is wrong with a catalog: every mistake with file, line and reason.

use std::fmt;

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
