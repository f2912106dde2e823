//! The section `[ledger]`.

use std::{path::PathBuf, time::Duration};

use super::table::Site;

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
    /// With the defaults for all but the file.
    pub fn new(file: PathBuf) -> Self {
        Self::of(file, &Site::default())
    }

    /// `None` if no file is named: nothing is noted then.
    pub(super) fn from_settings(site: &Site) -> Option<Self> {
        let file = site.ledger.file.value.as_ref();
        let file = file.filter(|file| !file.is_empty())?;
        Some(Self::of(PathBuf::from(file), site))
    }

    fn of(file: PathBuf, site: &Site) -> Self {
        Self {
            file,
            keep_days: site.ledger.keep_days.value,
            max_consumers: site.ledger.max_consumers.value,
            flush: site.ledger.flush_seconds.value,
        }
    }
}
