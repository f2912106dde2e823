//! Kinds of findings. Everything that depends on the kind alone stands in `rules/data/kinds.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

const KINDS: &str = include_str!("../rules/data/kinds.toml");
static TABLE: LazyLock<BTreeMap<Kind, Traits>> =
    LazyLock::new(|| toml::from_str(KINDS).unwrap_or_default());

/// What kind of use a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An absolute URL of an operation.
    Url,
    /// The base URL that a client hangs on.
    BaseUrl,
    /// An operation below a base URL that stands elsewhere.
    Endpoint,
    /// A call of a client library's method.
    SdkCall,
    /// An import or a set-up of a client library.
    SdkImport,
    /// A dependency on a client library that speaks v1.
    Dependency,
    /// The name of a push notification, in a program that receives them.
    PushNotification,
    /// The verification token that webhooks of v2 were once sent with.
    VerificationToken,
    /// An API key or secret in plain text.
    Credential,
    /// An answer field that only v1 has.
    ResponseField,
    /// A mention in prose, a comment or a message: it never fails a build.
    Doc,
}

/// How loud a finding is where a report has levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It has to be changed.
    #[default]
    Error,
    /// It goes with another finding.
    Warning,
    /// It only informs.
    Note,
}

/// A stage of the migration, in the order in which they are worked through.
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
    /// Remove the shim and what is left of v1.
    Remove,
}

/// How hard a step of the migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// A value is changed.
    Trivial,
    /// One v2 request does what the v1 call did.
    Small,
    /// Several v2 requests do it.
    Medium,
    /// v2 cannot do all of it; a person has to decide.
    Large,
}

/// The step of the migration that removes the findings of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindStep {
    /// When it is taken.
    pub wave: Wave,
    /// What is changed.
    pub what: String,
    /// How hard it is.
    pub effort: Effort,
    /// Why it is that hard.
    pub why: String,
}

/// What a fix may do about a finding.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixable {
    /// Its base may be pointed at the shim.
    pub address: bool,
    /// Its call may be rewritten for v2, if suggestions are asked for.
    pub call: bool,
    /// Its version may be pinned.
    pub version: bool,
}

/// What depends on a finding's kind alone; `rules/data/kinds.toml` documents each member.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traits {
    /// The name in reports: `base_url`.
    pub name: String,
    /// The rule that finds it: `v1-base-url`.
    pub rule: String,
    /// How loud it is.
    #[serde(default)]
    pub level: Level,
    /// What it is about, with `{name}` for the credential or field.
    pub title: Option<String>,
    /// What to do about it, in a few words.
    pub advice: Option<String>,
    /// What to do about it by hand.
    pub recipe: String,
    /// Why no fix changes it, if nothing else stands in the way.
    pub unfixed: String,
    /// The step that removes it.
    pub step: Option<KindStep>,
    /// What a fix may do about it.
    #[serde(default)]
    pub fix: Fixable,
    /// It is reported beside other kinds of the same line.
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

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Likely; a person should look.
    Low,
    /// Two signs agree.
    Medium,
    /// Certain for all practical purposes.
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
