//! The section `[ledger]`.

use std::{path::PathBuf, time::Duration};

use super::section::Section;

/// What is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerConfig {
    /// The SQLite file.
    pub file: PathBuf,
    /// What is older is forgotten.
    pub keep_days: u32,
    /// Callers that are told apart; the others of a key are one.
    pub max_consumers: usize,
    /// What is summed up is written down so often.
    pub flush: Duration,
}

impl LedgerConfig {
    /// Thirteen months, so that what runs once a year is seen twice.
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            keep_days: 400,
            max_consumers: 5000,
            flush: Duration::from_secs(5),
        }
    }
}

/// The section `[ledger]`.
#[derive(Default)]
pub(super) struct LedgerDraft {
    pub(super) file: Option<String>,
    keep_days: Option<u32>,
    max_consumers: Option<usize>,
    flush: Option<Duration>,
}

impl LedgerDraft {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let draft = Self {
            file: section.text("file").map(|file| file.value),
            keep_days: section
                .number("keep_days", 1..=3660)
                .and_then(|days| days.value.try_into().ok()),
            max_consumers: section.count("max_consumers"),
            flush: section.seconds("flush_seconds", 1..=300),
        };
        section.finish();
        draft
    }

    /// `None` if no file is named: nothing is noted then.
    pub(super) fn validate(self) -> Option<LedgerConfig> {
        let file = self.file.filter(|file| !file.is_empty())?;
        let mut config = LedgerConfig::new(PathBuf::from(file));
        config.keep_days = self.keep_days.unwrap_or(config.keep_days);
        config.max_consumers = self.max_consumers.unwrap_or(config.max_consumers);
        config.flush = self.flush.unwrap_or(config.flush);
        Some(config)
    }
}
