//! Where a value comes from, and the mistakes that are found there, all reported at once.

use std::{cell::RefCell, fmt};

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Not set.
    #[default]
    Default,
    /// A line of the file, from 1.
    Line(usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl From<Option<usize>> for Origin {
    fn from(line: Option<usize>) -> Self {
        line.map_or(Self::Default, Self::Line)
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

impl<T> Placed<Option<T>> {
    pub(super) fn transpose(self) -> Option<Placed<T>> {
        let Self { value, origin } = self;
        value.map(|value| Placed { value, origin })
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is; [`Origin::Default`] for what is missing.
    pub origin: Origin,
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
    pub(super) fn add(&self, origin: impl Into<Origin>, text: impl Into<String>) {
        let (origin, text) = (origin.into(), text.into());
        self.0.borrow_mut().push(Mistake { origin, text });
    }

    /// Forgets what was reported as missing, which it may not be: the file cannot be read as a whole.
    pub(super) fn forget_missing(&self) {
        let mut mistakes = self.0.borrow_mut();
        mistakes.retain(|mistake| mistake.origin != Origin::Default);
    }

    /// In the order in which they are reported.
    pub(super) fn into_sorted(self) -> Vec<Mistake> {
        let mut mistakes = self.0.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line().unwrap_or(usize::MAX));
        mistakes
    }
}

impl Mistake {
    fn line(&self) -> Option<usize> {
        match self.origin {
            Origin::Line(line) => Some(line),
            _ => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => writeln!(f, "{file} does not describe a working shim")?,
            None => writeln!(f, "flags and environment do not describe a working shim")?,
        }
        let lines = self.mistakes.iter().filter_map(Mistake::line);
        let width = lines.max().unwrap_or(0).to_string().len();
        for Mistake { origin, text } in &self.mistakes {
            match origin {
                Origin::Default => writeln!(f, "  {text}")?,
                Origin::Line(line) => writeln!(f, "  line {line:>width$}: {text}")?,
                Origin::Variable(name) => writeln!(f, "  {name}: {text}")?,
                Origin::Flag(name) => writeln!(f, "  {name}: {text}")?,
            }
        }
        match self.mistakes.len() {
            1 => write!(f, "1 mistake; nothing was started"),
            count => write!(f, "{count} mistakes; nothing was started"),
        }
    }
}
