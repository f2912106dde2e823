//! The section `[record]`.

use std::path::PathBuf;

use recording::PseudonymKey;
use secrecy::ExposeSecret as _;

use super::{origin::Mistakes, table::Site};

/// Settings of the recorder.
#[derive(Clone, Debug)]
pub struct RecordConfig {
    /// The current file. Older files have the suffixes `.1`, `.2` and so on.
    pub file: PathBuf,
    /// Size at which a new file is started, in bytes.
    pub max_bytes: u64,
    /// Maximum number of files, including the current one.
    pub files: usize,
    /// Share of recorded exchanges, in percent.
    pub sample_percent: u8,
    /// Maximum number of exchanges that differ only in values; `None` for no limit.
    pub alike: Option<usize>,
    /// Maximum number of pending exchanges. More are dropped.
    pub queue: usize,
    /// Key for pseudonyms of addresses and names.
    pub pseudonym_key: Option<PseudonymKey>,
}

impl RecordConfig {
    /// All exchanges without pseudonyms, and defaults except for the file.
    pub fn new(file: PathBuf) -> Self {
        Self::of(file, &Site::default(), None)
    }

    /// The settings that omit exchanges, if any.
    pub(crate) fn leaves_out(&self) -> Option<String> {
        let sampled = (self.sample_percent < 100)
            .then(|| format!("record.sample_percent = {}", self.sample_percent));
        let thinned = self.alike.map(|alike| format!("record.alike = {alike}"));
        let settings: Vec<_> = sampled.into_iter().chain(thinned).collect();
        (!settings.is_empty()).then(|| settings.join(" and "))
    }

    /// `None` if no file is set: nothing is recorded.
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

/// The key of pseudonyms in all stored exchanges.
pub(super) fn pseudonym_key(site: &Site, mistakes: &Mistakes) -> Option<PseudonymKey> {
    let key = site.record.pseudonym_key.value.as_ref()?;
    let origin = || site.record.pseudonym_key.origin.clone();
    let made = PseudonymKey::new(key.expose_secret());
    made.map_err(|error| mistakes.add(origin(), error.to_string()))
        .ok()
}
