//! The shape of a catalog file, before it is checked: what may be written in `api/*/*.toml`.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;
use toml::Spanned;

/// A name together with where it stands, and what it names.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;

/// One catalog file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileShape {
    pub protocol: Option<Spanned<ProtocolShape>>,
    pub error: Named<ErrorShape>,
    pub rule: Vec<Spanned<RuleShape>>,
    pub option: Named<OptionShape>,
    pub source: Named<SourceShape>,
    pub request: Named<RequestShape>,
    pub rate: Named<RateShape>,
    pub set: Named<Vec<String>>,
    pub field: Vec<Spanned<FieldShape>>,
    pub operation: Named<OperationShape>,
    pub plan: Named<PlanShape>,
    pub view: Named<ViewShape>,
}

/// What all operations share on the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProtocolShape {
    /// The first path segment of every v1 URL.
    pub prefix: String,
    /// The parameter that names the caller.
    pub key: String,
    /// The parameter that proves who the caller is.
    pub secret: String,
    /// The parameter that chooses between JSON and XML.
    pub format: String,
    /// Members that name a person, in v1 or v2, in lower case.
    #[serde(default)]
    pub personal: Vec<String>,
    /// What the names of secrets have in them, in lower case.
    pub secret_words: Vec<String>,
    /// What the names of secrets have in them in source code, besides; in lower case.
    pub secret_words_in_code: Vec<String>,
    /// Spellings of true, in lower case.
    pub bool_true: Vec<String>,
    /// Spellings of false, in lower case.
    pub bool_false: Vec<String>,
    /// Ids that v2 takes for something else than a user.
    pub reserved_ids: Vec<String>,
    #[serde(default)]
    pub media_type: Vec<MediaTypeShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaTypeShape {
    pub name: String,
    /// The first bytes in hexadecimal, with blanks between.
    pub magic: Spanned<String>,
}

/// An error that the shim itself answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorShape {
    pub code: i64,
    pub message: Spanned<String>,
    /// The HTTP status; 200 as v1 had it for errors too.
    #[serde(default = "ok")]
    pub status: u16,
    pub source: String,
}

fn ok() -> u16 {
    200
}

/// How one error of v2 is said in v1's words.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleShape {
    pub v2: RuleWhenShape,
    pub v1: RuleThenShape,
    pub source: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleWhenShape {
    pub status: Option<u16>,
    pub code: Option<OneOrMany<i64>>,
    /// A part of v2's message.
    pub message: Option<String>,
    /// v2 names the fields that it refuses.
    #[serde(default)]
    pub fields: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleThenShape {
    /// v1's number; v2's own if left out.
    pub code: Option<i64>,
    /// v1's text; v2's own if left out.
    pub message: Option<Spanned<String>>,
    /// One of the named errors instead.
    pub error: Option<Spanned<String>>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Something that a site may choose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionShape {
    /// The choices; a switch (true or false) if left out.
    #[serde(default)]
    pub values: Vec<String>,
    pub default: toml::Value,
    pub about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceShape {
    pub title: String,
}

/// A v2 endpoint.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestShape {
    pub label: Spanned<String>,
    pub scope: String,
    pub source: Spanned<String>,
}

/// How many calls v2 takes from an account of one plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RateShape {
    /// By second.
    pub light: NonZeroU32,
    /// By second.
    pub medium: NonZeroU32,
    /// By second.
    pub heavy: NonZeroU32,
    /// By minute.
    pub resource_intensive: NonZeroU32,
    pub source: String,
}

/// One field mapping.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldShape {
    /// What operations, views and sets name it by; the v1 name if left out.
    pub key: Option<OneOrMany<String>>,
    pub v1: OneOrMany<String>,
    #[serde(rename = "type")]
    pub kind: OneOrMany<String>,
    pub v2: OneOrMany<String>,
    pub convert: Option<String>,
    #[serde(default)]
    pub request: Vec<(toml::Value, toml::Value)>,
    #[serde(default)]
    pub response: Vec<(toml::Value, toml::Value)>,
    #[serde(default)]
    pub table: Vec<Vec<toml::Value>>,
    #[serde(default)]
    pub given: Vec<GivenShape>,
    #[serde(default)]
    pub round_up: Vec<i64>,
    #[serde(default)]
    pub omit: Vec<toml::Value>,
    pub range: Option<(i64, i64)>,
    #[serde(default)]
    pub clamp: bool,
    #[serde(default)]
    pub values: Vec<i64>,
    pub min: Option<usize>,
    pub max: Option<usize>,
    pub default: Option<i64>,
    /// Of two v1 names an array, a value for each.
    pub empty: Option<toml::Value>,
    pub always: Option<toml::Value>,
    /// `empty` is shown also when the document was not read at all.
    #[serde(default)]
    pub empty_unread: bool,
    pub fidelity: Option<String>,
    pub reason: Option<String>,
    pub loss: Option<String>,
    /// Honoured without being sent.
    #[serde(default)]
    pub implied: bool,
}

/// What a request with an incomplete pair of flags means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenShape {
    pub v1: Vec<toml::Value>,
    /// Only if the stored value is one of these; otherwise it stays as it is.
    #[serde(default)]
    pub now: Vec<toml::Value>,
    pub v2: toml::Value,
}

/// One v1 operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationShape {
    pub summary: String,
    pub effect: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub parameters: Vec<String>,
    #[serde(default)]
    pub requires: Vec<OneOrMany<String>>,
    #[serde(default)]
    pub subject: Vec<String>,
    pub plan: Option<Spanned<String>>,
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    pub view: Option<Spanned<String>>,
    /// Always answered with this error: nothing in v2 serves it.
    pub refuses: Option<Spanned<String>>,
    pub repeat: Option<String>,
    pub note: Option<String>,
    /// The choice of the site under which an empty text parameter clears the stored text.
    #[serde(default)]
    pub clears_text: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub error: Vec<Spanned<RuleShape>>,
    /// What replaces an operation that the shim does not serve.
    #[serde(default)]
    pub instead: Vec<String>,
    pub instead_source: Option<Spanned<String>>,
    #[serde(default)]
    pub composite: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanShape {
    /// v2's errors in v1's words, for all operations of the plan.
    #[serde(default)]
    pub error: Vec<Spanned<RuleShape>>,
    pub call: Vec<Spanned<CallShape>>,
    /// Documents that this plan cannot send, and why.
    #[serde(default)]
    pub unsent: BTreeMap<String, String>,
}

/// One v2 call of a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallShape {
    pub name: String,
    pub request: String,
    #[serde(default)]
    pub path: BTreeMap<String, String>,
    #[serde(default)]
    pub query: toml::Table,
    pub body: Option<toml::Value>,
    pub sends: Option<String>,
    /// Where in the body the sent document stands.
    pub at: Option<String>,
    /// The parameter whose file is the body.
    pub file: Option<String>,
    pub reads: Option<String>,
    pub items: Option<ItemsShape>,
    pub pages: Option<PagesShape>,
    pub each: Option<EachShape>,
    /// Where the answer names the subject of the calls that follow.
    pub subject: Option<String>,
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub when: Vec<ConditionShape>,
    pub on_failure: Option<String>,
    /// v2 codes that are no surprise where a failure is left out of the answer.
    #[serde(default)]
    pub expected: Vec<i64>,
    /// v2 codes that decide although a failure is otherwise left out.
    #[serde(default)]
    pub decisive: Vec<i64>,
    /// Errors that mean that what was asked is so already.
    #[serde(default)]
    pub done: Vec<DoneShape>,
    /// v2 codes after which an unfinished earlier request is taken up.
    #[serde(default)]
    pub resumes: Vec<i64>,
    pub expects: Option<ExpectsShape>,
    pub note: Option<String>,
    /// Said when the call is left out by a site's choice.
    pub omitted: Option<String>,
    /// The fields that are missing then, if other than those of the document.
    #[serde(default)]
    pub omits: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemsShape {
    pub at: String,
    pub document: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagesShape {
    pub items: String,
    pub document: String,
    pub number: String,
    pub size: String,
    pub token: String,
    pub total: String,
    pub count: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EachShape {
    pub call: String,
    /// Where an item names the subject of its call.
    pub subject: Option<String>,
    pub placeholder: Option<String>,
    pub value: Option<String>,
    #[serde(rename = "where")]
    pub only: Option<EachOnlyShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EachOnlyShape {
    pub at: String,
    pub equals: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConditionShape {
    pub given: Vec<String>,
    pub missing: Vec<String>,
    pub nothing_else: bool,
    pub option: BTreeMap<String, toml::Value>,
    pub state: Option<StateShape>,
    pub current: Option<String>,
    pub entries_at_most: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateShape {
    pub call: String,
    pub at: String,
    pub is: Option<String>,
    pub is_not: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoneShape {
    pub code: i64,
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectsShape {
    pub parameter: String,
    pub among: String,
    pub otherwise: String,
}

/// The shape of a v1 answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewShape {
    pub fields: Vec<String>,
    #[serde(default)]
    pub without: Vec<String>,
    /// Fields that are always v1's empty value here.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Fields, or sets of them, that v1 had here and v2 cannot fill, and why.
    #[serde(default)]
    pub none: BTreeMap<String, String>,
    #[serde(default)]
    pub from: BTreeMap<String, Vec<String>>,
    pub items: Option<String>,
}
