//! Kinds of findings. Properties that depend on the kind alone are in `rules/data/kinds.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

const KINDS: &str = include_str!("../rules/data/kinds.toml");
static TABLE: LazyLock<BTreeMap<Kind, Traits>> =
    LazyLock::new(|| toml::from_str(KINDS).unwrap_or_default());

/// Kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An absolute URL of an operation.
    Url,
    /// The base URL of a client.
    BaseUrl,
    /// The path of an operation, without its base URL.
    Endpoint,
    /// A call of a client library's method.
    SdkCall,
    /// An import or the configuration of a client library.
    SdkImport,
    /// A dependency on a client library for v1.
    Dependency,
    /// The name of a push notification, in a program that receives them.
    PushNotification,
    /// The verification token, which authenticated v2's webhooks before signatures.
    VerificationToken,
    /// An API key or secret in plain text.
    Credential,
    /// A response field that only v1 has.
    ResponseField,
    /// A mention in prose, a comment or a message. It never fails a build.
    Doc,
}

/// Severity of a finding in reports that have levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The code has to change.
    #[default]
    Error,
    /// It is resolved together with another finding.
    Warning,
    /// For information.
    Note,
}

/// A stage of the migration, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Wave {
    /// Point the program at the shim.
    Shim,
    /// Move the reads to v2.
    Reads,
    /// Move the writes to v2.
    Writes,
    /// Move the receivers to v2's webhooks.
    Webhooks,
    /// Decide what v2 cannot do the same way.
    Decide,
    /// Remove the shim and the rest of v1.
    Remove,
}

/// Effort of a migration step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Change a value.
    Trivial,
    /// One v2 request replaces the v1 call.
    Small,
    /// Several v2 requests replace it.
    Medium,
    /// v2 does not cover all of it; a person has to decide.
    Large,
}

/// The migration step that removes the findings of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindStep {
    /// Its wave.
    pub wave: Wave,
    /// The change.
    pub what: String,
    /// The effort.
    pub effort: Effort,
    /// Reason for the effort.
    pub why: String,
}

/// Fixes that exist for a kind of finding.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixable {
    /// Point its base URL at the shim.
    pub address: bool,
    /// Rewrite its call for v2, if suggestions are enabled.
    pub call: bool,
    /// Pin its version.
    pub version: bool,
}

/// Properties of a kind; `rules/data/kinds.toml` documents each member.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traits {
    /// The name in reports: `base_url`.
    pub name: String,
    /// The rule that finds it: `v1-base-url`.
    pub rule: String,
    /// Its severity.
    #[serde(default)]
    pub level: Level,
    /// Title, with `{name}` for the credential or field.
    pub title: Option<String>,
    /// Short advice.
    pub advice: Option<String>,
    /// How to change it by hand.
    pub recipe: String,
    /// Default reason why no fix applies.
    pub unfixed: String,
    /// The migration step that removes it.
    pub step: Option<KindStep>,
    /// Fixes that exist for it.
    #[serde(default)]
    pub fix: Fixable,
    /// Report it even if the same line has findings of other kinds.
    #[serde(default)]
    pub stands_alone: bool,
}

impl Kind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::BaseUrl,
        Self::Url,
        Self::Endpoint,
        Self::SdkCall,
        Self::SdkImport,
        Self::Dependency,
        Self::PushNotification,
        Self::VerificationToken,
        Self::Credential,
        Self::ResponseField,
        Self::Doc,
    ];

    /// The row of the kind.
    pub fn traits(self) -> &'static Traits {
        static NONE: LazyLock<Traits> = LazyLock::new(Traits::default);
        TABLE.get(&self).unwrap_or(&NONE)
    }

    /// The name in reports: `base_url`.
    pub fn name(self) -> &'static str {
        &self.traits().name
    }

    /// True if it is, or may be, part of a request to v1.
    pub fn is_request(self) -> bool {
        matches!(
            self,
            Self::BaseUrl | Self::Url | Self::Endpoint | Self::SdkCall
        )
    }
}

/// Confidence of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Likely; review it.
    Low,
    /// Two pieces of evidence agree.
    Medium,
    /// Practically certain.
    High,
}

impl Confidence {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Level {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Effort {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trivial => "trivial",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

impl Wave {
    /// The name as it is given to `--check`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shim => "shim",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Webhooks => "webhooks",
            Self::Decide => "decide",
            Self::Remove => "remove",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        let table: BTreeMap<Kind, Traits> = toml::from_str(KINDS).unwrap();
        assert!(table.keys().copied().eq({
            let mut all = Kind::ALL;
            all.sort_unstable();
            all
        }));
        for (kind, traits) in &table {
            assert_eq!(serde_json::json!(kind), traits.name);
        }
    }
}
