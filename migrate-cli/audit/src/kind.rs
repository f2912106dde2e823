//! Kinds of findings. Everything that depends on the kind alone stands in one table: [`Kind::traits`].

use serde::{Deserialize, Serialize};

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
    /// An API key or secret in plain text.
    Credential,
    /// An answer field that only v1 has.
    ResponseField,
    /// A mention in prose, a comment or a message: it never fails a build.
    Doc,
}

/// How loud a finding is where a report has levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It has to be changed.
    Error,
    /// It goes with another finding.
    Warning,
    /// It only informs.
    Note,
}

/// A stage of the migration, in the order in which they are worked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Wave {
    /// Point the program at the shim.
    Shim,
    /// Move the reads to v2.
    Reads,
    /// Move the writes to v2.
    Writes,
    /// Decide what v2 cannot do the same way.
    Decide,
    /// Remove the shim and what is left of v1.
    Remove,
}

/// How hard a step of the migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
#[derive(Clone, Copy, Debug)]
pub struct KindStep {
    /// When it is taken.
    pub wave: Wave,
    /// What is changed.
    pub what: &'static str,
    /// How hard it is.
    pub effort: Effort,
    /// Why it is that hard.
    pub why: &'static str,
}

/// What a fix may do about a finding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixable {
    /// Its base may be pointed at the shim.
    pub address: bool,
    /// Its call may be rewritten for v2, if suggestions are asked for.
    pub call: bool,
    /// Its version may be pinned.
    pub version: bool,
}

/// What depends on a finding's kind alone.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// The name in reports: `base_url`.
    pub name: &'static str,
    /// The rule that finds it: `v1-base-url`.
    pub rule: &'static str,
    /// How loud it is.
    pub level: Level,
    /// What it is about if it names no operation, with `{name}` for the credential or field; the
    /// reason of the finding if there is nothing here.
    pub title: Option<&'static str>,
    /// What to do about it, in a few words; the v2 requests if there is nothing here.
    pub advice: Option<&'static str>,
    /// What to do about it by hand if it names no operation.
    pub recipe: &'static str,
    /// The step that removes it; those of operations depend on the operation.
    pub step: Option<KindStep>,
    /// What a fix may do about it.
    pub fix: Fixable,
}

impl Kind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::BaseUrl,
        Self::Url,
        Self::Endpoint,
        Self::SdkCall,
        Self::SdkImport,
        Self::Dependency,
        Self::Credential,
        Self::ResponseField,
        Self::Doc,
    ];

    /// The row of the kind.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub fn traits(self) -> Traits {
        let any = Traits {
            name: "",
            rule: "",
            level: Level::Error,
            title: None,
            advice: None,
            recipe: "",
            step: None,
            fix: Fixable::default(),
        };
        let by_hand = "Make it the shim's address by hand, or read it from the environment.";
        let base = KindStep {
            wave: Wave::Shim,
            what: "base URL",
            effort: Effort::Trivial,
            why: "the host in the URL is replaced by the shim's",
        };
        let library = KindStep {
            wave: Wave::Remove,
            what: "client library",
            effort: Effort::Small,
            why: "removed or renamed",
        };
        let replace = "Replace the library: migrate rules names what takes its place.";
        let address = Fixable {
            address: true,
            ..Fixable::default()
        };
        match self {
            Self::BaseUrl => Traits {
                name: "base_url",
                rule: "v1-base-url",
                title: Some("the v1 base URL"),
                advice: Some("point it at the shim (see --fix)"),
                recipe: by_hand,
                step: Some(base),
                fix: address,
                ..any
            },
            Self::Url => Traits {
                name: "url",
                rule: "v1-url",
                recipe: by_hand,
                step: Some(base),
                fix: Fixable {
                    call: true,
                    ..address
                },
                ..any
            },
            Self::Endpoint => Traits {
                name: "endpoint",
                rule: "v1-endpoint",
                recipe: "Nothing in v1 has this path: see what the program meant.",
                fix: address,
                ..any
            },
            Self::SdkCall => Traits {
                name: "sdk_call",
                rule: "v1-library-call",
                recipe: replace,
                fix: Fixable {
                    call: true,
                    ..Fixable::default()
                },
                ..any
            },
            Self::SdkImport => Traits {
                name: "sdk_import",
                rule: "v1-library-import",
                level: Level::Warning,
                advice: Some("replace the library: see migrate rules"),
                recipe: replace,
                step: Some(library),
                ..any
            },
            Self::Dependency => Traits {
                name: "dependency",
                rule: "v1-dependency",
                advice: Some("replace the library: see migrate rules"),
                recipe: "Pin the version that runs today, which the package manager lists; then \
                         replace the library: migrate rules names what takes its place.",
                step: Some(library),
                fix: Fixable {
                    version: true,
                    ..Fixable::default()
                },
                ..any
            },
            Self::Credential => Traits {
                name: "credential",
                rule: "v1-credential",
                title: Some("{name} in plain text"),
                advice: Some("revoke it and read the new one from the environment"),
                recipe: "Revoke it, read the new one from the environment, and take it out of \
                         the history.",
                step: Some(KindStep {
                    wave: Wave::Shim,
                    what: "credentials in plain text",
                    effort: Effort::Small,
                    why: "revoke them and read new ones from the environment",
                }),
                ..any
            },
            Self::ResponseField => Traits {
                name: "response_field",
                rule: "v1-answer-field",
                level: Level::Warning,
                title: Some("{name}"),
                advice: Some("v2 has it elsewhere or not at all: see migrate explain"),
                recipe: "v2 has it elsewhere or not at all: migrate explain says where.",
                step: Some(KindStep {
                    what: "answer fields of v1",
                    ..library
                }),
                ..any
            },
            Self::Doc => Traits {
                name: "doc",
                rule: "v1-mention",
                level: Level::Note,
                recipe: "Nothing has to be done.",
                ..any
            },
        }
    }

    /// The name in reports: `base_url`.
    pub fn name(self) -> &'static str {
        self.traits().name
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
            Self::Decide => "decide",
            Self::Remove => "remove",
        }
    }
}
