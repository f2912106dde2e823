//! The section `[record]`.

use std::path::PathBuf;

use recording::PseudonymKey;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    mistakes::Mistakes,
    section::{Placed, Section},
};

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
    /// How many exchanges may wait to be written; more are dropped.
    pub queue: usize,
    /// Addresses and names are replaced by pseudonyms under this key.
    pub pseudonym_key: Option<PseudonymKey>,
}

impl RecordConfig {
    /// All exchanges, with addresses and names as they are, in five files of 64 MiB.
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            max_bytes: 64 << 20,
            files: 5,
            sample_percent: 100,
            queue: 4096,
            pseudonym_key: None,
        }
    }
}

/// The section `[record]`.
#[derive(Default)]
pub(super) struct RecordDraft {
    pub(super) file: Option<String>,
    max_bytes: Option<u64>,
    files: Option<usize>,
    sample_percent: Option<u8>,
    key: Option<Placed<SecretString>>,
}

impl RecordDraft {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let draft = Self {
            file: section.text("file").map(|file| file.value),
            max_bytes: section
                .number("max_bytes", 1024..=1 << 40)
                .map(|bytes| bytes.value),
            files: section.count("files"),
            sample_percent: section
                .number("sample_percent", 1..=100)
                .and_then(|percent| percent.value.try_into().ok()),
            key: section.secret("pseudonym_key", "pseudonym_key_file"),
        };
        section.finish();
        draft
    }

    /// The key, and what is recorded: nothing if no file is named.
    pub(super) fn validate(
        self,
        mistakes: &Mistakes,
    ) -> (Option<PseudonymKey>, Option<RecordConfig>) {
        let key = self.key.and_then(|key| {
            let made = PseudonymKey::new(key.value.expose_secret());
            made.map_err(|error| mistakes.add(key.line, error.to_string()))
                .ok()
        });
        let Some(file) = self.file else {
            return (key, None);
        };
        let mut config = RecordConfig::new(PathBuf::from(file));
        config.max_bytes = self.max_bytes.unwrap_or(config.max_bytes);
        config.files = self.files.unwrap_or(config.files);
        config.sample_percent = self.sample_percent.unwrap_or(config.sample_percent);
        config.pseudonym_key.clone_from(&key);
        (key, Some(config))
    }
}
