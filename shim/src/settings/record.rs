//! The section `[record]`.

use std::path::PathBuf;

use recording::PseudonymKey;
use secrecy::ExposeSecret as _;

use super::{origin::Mistakes, table::Site};

/// What is recorded, and where to.
#[derive(Clone, Debug)]
pub struct RecordConfig {
    /// The file that is written; older ones have `.1`, `.2` and so on at the end of their names.
    pub file: PathBuf,
    /// The size at which a new file is begun, in bytes.
    pub max_bytes: u64,
    /// How many files are kept, with the one that is written.
    pub files: usize,
    /// How many of a hundred exchanges are recorded.
    pub sample_percent: u8,
    /// How many exchanges that differ only in values are kept; all if `None`.
    pub alike: Option<usize>,
    /// How many exchanges may wait to be written; more are dropped.
    pub queue: usize,
    /// Addresses and names are replaced by pseudonyms under this key.
    pub pseudonym_key: Option<PseudonymKey>,
}

impl RecordConfig {
    /// All exchanges, with addresses and names as they are, and the defaults for all but the file.
    pub fn new(file: PathBuf) -> Self {
        Self::of(file, &Site::default(), None)
    }

    /// The settings by which exchanges are left out, if there are some.
    pub(crate) fn leaves_out(&self) -> Option<String> {
        let sampled = (self.sample_percent < 100)
            .then(|| format!("record.sample_percent = {}", self.sample_percent));
        let thinned = self.alike.map(|alike| format!("record.alike = {alike}"));
        let settings: Vec<_> = sampled.into_iter().chain(thinned).collect();
        (!settings.is_empty()).then(|| settings.join(" and "))
    }

    /// `None` if no file is named: nothing is recorded then.
    pub(super) fn from_settings(site: &Site, key: Option<&PseudonymKey>) -> Option<Self> {
        let file = site.record.file.value.as_ref()?;
        Some(Self::of(PathBuf::from(file), site, key.cloned()))
    }

    fn of(file: PathBuf, site: &Site, pseudonym_key: Option<PseudonymKey>) -> Self {
        Self {
            file,
            max_bytes: site.record.max_bytes.value,
            files: site.record.files.value,
            sample_percent: site.record.sample_percent.value,
            alike: site.record.alike.value,
            queue: 4096,
            pseudonym_key,
        }
    }
}

/// The key of the pseudonyms, wherever exchanges are kept.
pub(super) fn pseudonym_key(site: &Site, mistakes: &Mistakes) -> Option<PseudonymKey> {
    let key = site.record.pseudonym_key.value.as_ref()?;
    let origin = || site.record.pseudonym_key.origin.clone();
    let made = PseudonymKey::new(key.expose_secret());
    made.map_err(|error| mistakes.add(origin(), error.to_string()))
        .ok()
}
