//! Validates a `[[rollout]]`: the callers that a second v1 serves, and the guard that stops it.

use std::{collections::BTreeSet, fmt, path::Path, sync::Arc, time::Duration};

use mappings::{Catalog, catalog::operation::Operation};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    CallerIdentity,
    brownout::{check_keys, values},
    mappings_folder::{MappingsFolder, MappingsFolderError},
    origin::Mistakes,
    second_v1::{self, SecondV1},
    table::RolloutKeys,
    tenant::check_operations,
};

/// The callers that a second v1 serves, and the guard that stops it.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutConfig {
    /// Its name, in logs, metrics, headers and pages.
    pub name: String,
    pub(crate) other: OtherSide,
    /// Share of callers that are moved, in percent.
    pub percent: u8,
    pub(crate) by: CallerIdentity,
    /// True if writes of moved callers go to the other side only.
    pub(crate) writes: bool,
    /// Share of moved reads that both sides serve for comparison, in percent.
    pub(crate) compare_percent: u8,
    pub(crate) timeout: Duration,
    pub(crate) allowed: Allowed,
    /// Keys of callers; empty for all.
    keys: BTreeSet<String>,
    /// Operations; empty for all.
    operations: BTreeSet<String>,
}

/// The other side of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OtherSide {
    V1(SecondV1),
    Mappings(OtherMappings),
}

/// Other mappings in this process.
#[derive(Clone)]
pub(crate) struct OtherMappings {
    pub(crate) folder: String,
    pub(crate) catalog: Arc<Catalog>,
    /// Digest of the files, which a reload reads again.
    version: u64,
}

impl PartialEq for OtherMappings {
    fn eq(&self, other: &Self) -> bool {
        (&self.folder, self.version) == (&other.folder, other.version)
    }
}

impl fmt::Debug for OtherMappings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherMappings({:?})", self.folder)
    }
}

/// Limits of a step. If one is exceeded, the rollout is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Number of the last responses that are checked.
    pub(crate) answers: usize,
    /// Maximum number of responses with an unexpected difference.
    pub(crate) unexpected: usize,
    /// Maximum number of requests without a response.
    pub(crate) errors: usize,
    /// Maximum 99th percentile of the response time.
    pub(crate) p99: Option<Duration>,
}

impl RolloutConfig {
    /// True if the rollout applies to a key and an operation.
    pub(crate) fn concerns(&self, key: &str, operation: &Operation) -> bool {
        (operation.read || self.writes)
            && (self.keys.is_empty() || self.keys.contains(key))
            && (self.operations.is_empty() || self.operations.contains(&operation.name))
    }

    /// True if credentials or users are sent unencrypted over a network.
    pub(crate) fn is_exposed(&self) -> bool {
        matches!(&self.other, OtherSide::V1(other) if other.is_exposed())
    }

    /// Digest of the section without credentials. A share that an operator set is kept until it
    /// changes.
    pub(crate) fn section(&self) -> String {
        let allowed = self.allowed;
        let other = match &self.other {
            OtherSide::V1(other) => other.base.as_str().to_owned(),
            OtherSide::Mappings(other) => format!("{} {:x}", other.folder, other.version),
        };
        let section = json!({
            "name": self.name,
            "other": other,
            "percent": self.percent,
            "by_address": self.by == CallerIdentity::Address,
            "writes": self.writes,
            "compare_percent": self.compare_percent,
            "timeout": self.timeout.as_secs(),
            "window": allowed.answers,
            "unexpected": allowed.unexpected,
            "errors": allowed.errors,
            "p99": allowed.p99.map(|p99| p99.as_secs_f64()),
            "keys": self.keys,
            "operations": self.operations,
        });
        section.to_string()
    }

    /// `None` after a mistake. `keys` are the tenants' keys, if they are valid.
    pub(super) fn from_settings(
        written: &RolloutKeys,
        keys: Option<&BTreeSet<&str>>,
        catalog: &Catalog,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let origin = &written.section.origin;
        if written.name.value.is_none() && !written.section.is_broken {
            mistakes.add(origin.clone(), "this [[rollout]] has no name");
        }
        let name = written.name.value.as_ref();
        if let Some(name) = name.filter(|name| !is_name(name)) {
            let text = format!(
                "rollout.name = {name:?} is no name: use up to 32 letters, digits, - and _"
            );
            mistakes.add(written.name.origin.clone(), text);
        }
        check_operations(&written.operations.value, catalog, mistakes);
        check_keys("rollout.keys", &written.keys.value, keys, mistakes);
        let other = other_side(written, mistakes);
        Some(Self {
            name: name?.clone(),
            other: other?,
            percent: written.percent.value,
            by: written.by.value,
            writes: written.writes.value,
            compare_percent: written.compare_percent.value,
            timeout: written.timeout_seconds.value,
            allowed: Allowed {
                answers: written.window.value,
                unexpected: written.max_unexpected.value,
                errors: written.max_errors.value,
                p99: written.max_p99_ms.value.map(Duration::from_millis),
            },
            keys: values(&written.keys.value),
            operations: values(&written.operations.value),
        })
    }
}

fn other_side(written: &RolloutKeys, mistakes: &Mistakes) -> Option<OtherSide> {
    let origin = &written.section.origin;
    let text = match (&written.url.value, &written.mappings.value) {
        (Some(_), None) => {
            let other = second_v1::Keys {
                section: "rollout",
                origin,
                url: &written.url,
                forward: &written.forward_credentials,
                key: &written.api_key,
                secret: &written.api_secret,
            };
            return SecondV1::from_settings(&other, mistakes).map(OtherSide::V1);
        }
        (None, Some(folder)) => {
            let other = OtherMappings::read(folder);
            let other = other
                .map_err(|error| mistakes.add(written.mappings.origin.clone(), error.to_string()));
            return other.ok().map(OtherSide::Mappings);
        }
        (Some(_), Some(_)) => "this [[rollout]] has a url and mappings; leave one",
        // The folder exists, but cannot be read.
        (None, None) if written.section.is_broken => return None,
        (None, None) => "this [[rollout]] has no other side; set url, or mappings",
    };
    mistakes.add(origin.clone(), text);
    None
}

impl OtherMappings {
    fn read(folder: &str) -> Result<Self, MappingsFolderError> {
        let read = MappingsFolder::read(Path::new(folder), "rollout.mappings")?;
        let mut files: Vec<_> = read.files.iter().collect();
        files.sort_unstable();
        let mut version = Sha256::new();
        for text in files.iter().flat_map(|(name, text)| [name, text]) {
            version.update(text.len().to_le_bytes());
            version.update(text);
        }
        let version = version.finalize();
        let version = version.first_chunk().copied().map(u64::from_be_bytes);
        Ok(Self {
            folder: folder.to_owned(),
            version: version.unwrap_or_default(),
            catalog: Arc::new(read.catalog()?),
        })
    }
}

/// The name is a metric label and a header value.
fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(is_part)
}
