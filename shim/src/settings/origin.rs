//! Origins of values, and the mistakes found there, which are all reported at once.

use std::{cell::RefCell, fmt};

/// Origin of a value.
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

/// A value with its origin.
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
    /// Its place; [`Origin::Default`] for a missing value.
    pub origin: Origin,
    /// The problem and the correct form.
    pub text: String,
}

/// All mistakes of a configuration.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// The configuration file, if there is one.
    pub file: Option<String>,
    /// The mistakes, those with a line first.
    pub mistakes: Vec<Mistake>,
}

/// Collects mistakes.
#[derive(Default)]
pub(super) struct Mistakes(RefCell<Vec<Mistake>>);

impl Mistakes {
    pub(super) fn add(&self, origin: impl Into<Origin>, text: impl Into<String>) {
        let (origin, text) = (origin.into(), text.into());
        self.0.borrow_mut().push(Mistake { origin, text });
    }

    /// Removes mistakes about missing keys, because a malformed file may contain the keys.
    pub(super) fn forget_missing(&self) {
        let mut mistakes = self.0.borrow_mut();
        mistakes.retain(|mistake| mistake.origin != Origin::Default);
    }

    /// The mistakes in the order of the report.
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
