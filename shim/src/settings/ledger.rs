//! The section `[ledger]`.

use std::{fmt, path::PathBuf, time::Duration};

use secrecy::SecretString;

use super::{effective::without_password, origin::Mistakes, table::Site};

/// Settings of the ledger.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// The database.
    pub place: LedgerPlace,
    /// Retention time.
    pub keep_days: u32,
    /// Maximum number of distinct callers. Further callers of a key are merged into one.
    pub max_consumers: usize,
    /// Interval at which sums are written.
    pub flush: Duration,
}

/// The database of a ledger.
#[derive(Clone, Debug)]
pub enum LedgerPlace {
    /// A SQLite file on this machine.
    File(PathBuf),
    /// A PostgreSQL URL, with a separate password if the URL has none.
    Postgres(String, Option<SecretString>),
}

impl LedgerConfig {
    /// Defaults except for the place.
    pub fn new(place: impl Into<LedgerPlace>) -> Self {
        Self::of(place.into(), &Site::default())
    }

    /// `None` if no place is set: the ledger is disabled.
    pub(super) fn from_settings(site: &Site, mistakes: &Mistakes) -> Option<Self> {
        let file = site.ledger.file.clone().transpose()?;
        if file.value.is_empty() {
            return None;
        }
        let place = LedgerPlace::read(&file.value, site.ledger.password.value.clone());
        if matches!(place, LedgerPlace::Postgres(..)) && !cfg!(feature = "postgres") {
            let text = "ledger.file is a database of PostgreSQL, but this shim is built without it; \
                        name a file, or build with --features postgres";
            mistakes.add(file.origin, text);
        }
        Some(Self::of(place, site))
    }

    fn of(place: LedgerPlace, site: &Site) -> Self {
        Self {
            place,
            keep_days: site.ledger.keep_days.value,
            max_consumers: site.ledger.max_consumers.value,
            flush: site.ledger.flush_seconds.value,
        }
    }
}

impl LedgerPlace {
    /// A `postgres://` URL, else a path.
    pub fn read(text: &str, password: Option<SecretString>) -> Self {
        if ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            Self::Postgres(text.to_owned(), password)
        } else {
            Self::File(PathBuf::from(text))
        }
    }
}

impl From<PathBuf> for LedgerPlace {
    fn from(file: PathBuf) -> Self {
        Self::File(file)
    }
}

/// Omits the password.
impl fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Postgres(url, _) => f.write_str(&without_password(url)),
        }
    }
}
