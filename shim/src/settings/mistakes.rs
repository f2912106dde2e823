//! The mistakes in a configuration, all reported at once.

use std::{cell::RefCell, fmt};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The line of the file, from 1; `None` for what is missing and for other sources.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub text: String,
}

/// Why there is no configuration: all mistakes.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// The configuration file, if there is one.
    pub file: Option<String>,
    /// Those with a line first.
    pub mistakes: Vec<Mistake>,
}

/// Collects mistakes while settings are read.
#[derive(Default)]
pub(super) struct Mistakes(RefCell<Vec<Mistake>>);

impl Mistakes {
    pub(super) fn add(&self, line: Option<usize>, text: impl Into<String>) {
        let text = text.into();
        self.0.borrow_mut().push(Mistake { line, text });
    }

    /// In the order in which they are told.
    pub(super) fn into_sorted(self) -> Vec<Mistake> {
        let mut mistakes = self.0.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line.unwrap_or(usize::MAX));
        mistakes
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.file.as_deref().unwrap_or("the environment");
        writeln!(f, "{what} does not describe a working shim")?;
        let lines = self.mistakes.iter().filter_map(|mistake| mistake.line);
        let width = lines.max().unwrap_or(0).to_string().len();
        for mistake in &self.mistakes {
            match mistake.line {
                Some(line) => writeln!(f, "  line {line:>width$}: {}", mistake.text)?,
                None => writeln!(f, "  {}", mistake.text)?,
            }
        }
        match self.mistakes.len() {
            1 => write!(f, "1 mistake; nothing was started"),
            count => write!(f, "{count} mistakes; nothing was started"),
        }
    }
}
