//! The shape of a catalog file, before it is checked: what may be written in `api/*/*.toml`.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;
use toml::Spanned;

use super::operation::Amount;

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
    pub subject: Named<SubjectShape>,
    pub call: Named<toml::Table>,
    pub operation: Named<OperationShape>,
    pub plan: Named<PlanShape>,
    pub view: Named<ViewShape>,
    pub webhook: Option<Spanned<WebhookShape>>,
    pub notification: Vec<Spanned<NotificationShape>>,
}

/// What all operations share on the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProtocolShape {
    /// The first path segment of every v1 URL.
    pub prefix: String,
    /// Where v1 was served besides.
    #[serde(default)]
    pub other_prefixes: Vec<String>,
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

/// Whom or what operations are about, and whose ids stand in v2's paths.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubjectShape {
    /// Its name in v2's paths, without braces.
    pub placeholder: String,
    /// What a sentence calls it.
    pub noun: String,
    /// The error for an id that names none; that of an invalid parameter if left out.
    pub unknown: Option<Spanned<String>>,
    /// Ids that v2 takes for something else, in lower case.
    #[serde(default)]
    pub reserved: Vec<String>,
    /// An id may be a uuid, which v2's paths want encoded twice if it begins with `/` or has `//`.
    #[serde(default)]
    pub uuid: bool,
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

#[derive(Clone, Debug, Deserialize)]
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
    /// The choices; a switch (true or false) or a number if left out.
    #[serde(default)]
    pub values: Vec<String>,
    /// Smallest and largest number.
    pub range: Option<(i64, i64)>,
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
#[expect(clippy::struct_excessive_bools, reason = "keys of the file")]
pub(super) struct FieldShape {
    /// What operations, views and sets name it by; the v1 name if left out.
    pub key: Option<OneOrMany<String>>,
    pub v1: OneOrMany<String>,
    #[serde(rename = "type")]
    pub kind: OneOrMany<String>,
    pub v2: OneOrMany<String>,
    /// Other names of the parameter.
    #[serde(default)]
    pub aliases: Vec<String>,

    // How the value changes.
    pub convert: Option<String>,
    /// The document whose values are converted, if those of others stay as they are.
    pub convert_of: Option<String>,
    #[serde(default)]
    pub request: Vec<(toml::Value, toml::Value)>,
    #[serde(default)]
    pub response: Vec<(toml::Value, toml::Value)>,
    /// What becomes of a value that `request` or `response` does not list.
    pub others: Option<String>,
    #[serde(default)]
    pub table: Vec<Vec<toml::Value>>,
    #[serde(default)]
    pub given: Vec<GivenShape>,
    #[serde(default)]
    pub round_up: Vec<i64>,
    /// The member of `elements`, or the names' and the values' members of `pairs`.
    pub member: Option<OneOrMany<String>>,
    /// What stands between the parts of `joined` in v1, and in v2 if that is another.
    pub separator: Option<OneOrMany<String>>,
    #[serde(default)]
    pub omit: Vec<toml::Value>,
    /// A value that v2 has stored already is not sent.
    #[serde(default)]
    pub unless_stored: bool,

    // What a request may hold.
    pub range: Option<(i64, i64)>,
    #[serde(default)]
    pub clamp: bool,
    /// The option with the largest number.
    pub at_most: Option<String>,
    #[serde(default)]
    pub values: Vec<i64>,
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What happens to a value that is not in `values` or `one_of`, or cannot be read.
    pub unknown: Option<String>,
    pub min: Option<usize>,
    pub max: Option<usize>,
    /// Longer texts are cut, in characters.
    pub cut: Option<usize>,
    /// How many digits an id of digits has: from and to.
    pub digits: Option<(usize, usize)>,
    /// `object` or `array`, of JSON texts.
    pub shape: Option<String>,
    /// The fields that the members of a JSON object, or of an array's objects, are.
    #[serde(default)]
    pub members: Vec<String>,
    /// The member that a text is which is not JSON.
    pub bare: Option<String>,
    /// The most elements of a list of ids.
    pub max_elements: Option<usize>,
    /// The subject whose ids the elements are.
    pub ids_of: Option<String>,
    /// What becomes of an empty value.
    pub sent_empty: Option<String>,
    pub default: Option<toml::Value>,

    // What an answer shows.
    /// Of two v1 names an array, a value for each.
    pub empty: Option<toml::Value>,
    pub always: Option<toml::Value>,
    /// `empty` is shown also when the document was not read at all.
    #[serde(default)]
    pub empty_unread: bool,
    /// Values that depend on another member.
    #[serde(rename = "override", default)]
    pub overrides: Vec<OverrideShape>,

    pub fidelity: Option<String>,
    pub reason: Option<String>,
    pub loss: Option<String>,
    /// Honoured without being sent.
    #[serde(default)]
    pub implied: bool,
}

/// A site's changes of single fields: keys that replace those of the catalog.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverlayShape {
    pub field: Named<toml::Table>,
}

/// What is shown instead if another member is so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideShape {
    /// `DOCUMENT:/pointer`.
    pub at: Option<String>,
    #[serde(default)]
    pub is: Vec<toml::Value>,
    #[serde(default)]
    pub is_not: Vec<toml::Value>,
    pub exists: Option<bool>,
    /// Only if the site chose so.
    #[serde(default)]
    pub option: BTreeMap<String, toml::Value>,
    /// What is shown then; nothing if left out.
    pub show: Option<toml::Value>,
    /// The place of what is shown then, if it has a value.
    pub from: Option<String>,
}

/// What a member of an entry or of an answer is to be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TestShape {
    /// The document of the entry; its own if left out.
    pub document: Option<String>,
    pub at: String,
    pub is: Vec<toml::Value>,
    pub is_not: Vec<toml::Value>,
    pub exists: Option<bool>,
    /// The parameter that it equals, in any case; of an array, that one of its elements equals.
    pub equals: Option<String>,
    /// The parameter with a moment that it is not earlier than.
    pub not_before: Option<String>,
    /// The parameter with a moment that it is not later than.
    pub not_after: Option<String>,
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
    /// One kind, and the parameters that name it.
    #[serde(default)]
    pub subject: Named<Vec<String>>,
    pub plan: Option<Spanned<String>>,
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    pub range: Option<Spanned<RangeShape>>,
    pub view: Option<Spanned<String>>,
    /// Always answered with this error: nothing in v2 serves it.
    pub refuses: Option<Spanned<String>>,
    /// The switch without which it is not allowed.
    pub enabled_by: Option<String>,
    pub token: Option<TokenShape>,
    /// What equal requests at the same time do.
    pub overlapping: Option<String>,
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

/// The dates that an operation is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeShape {
    /// The parameter with the first date.
    pub from: String,
    /// The parameter with the last date; today if it was not given.
    pub to: String,
    /// `month`: what v2 takes at once.
    pub longest: Option<String>,
    /// What becomes of a longer range: `cut` or `split`.
    pub longer: Option<String>,
    /// Where a range without a first date begins.
    pub open: Option<OpenShape>,
    /// The time zone of what has no offset, `CALL:/pointer`.
    pub zone: Option<String>,
}

impl RangeShape {
    /// The calls whose answers say something of the range.
    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        let after = self.open.iter().filter_map(|open| open.after.as_deref());
        let places = after.chain(self.zone.as_deref());
        places.filter_map(|place| place.split(':').next())
    }
}

/// Where a range without a first date begins: at the latest of these.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenShape {
    /// The numeric option with how many months before the last date.
    pub months: String,
    /// A moment of an earlier answer, `CALL:/pointer`.
    pub after: Option<String>,
}

/// The parameter that proves that the caller may, and which of the site's tokens it is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenShape {
    pub parameter: String,
    pub site: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanShape {
    /// v2's errors in v1's words, for all operations of the plan.
    #[serde(default)]
    pub error: Vec<Spanned<RuleShape>>,
    pub call: Vec<Spanned<toml::Table>>,
    /// Lists that are made of those that calls read.
    #[serde(default)]
    pub list: Named<ListShape>,
    /// Documents that this plan cannot send, and why.
    #[serde(default)]
    pub unsent: BTreeMap<String, String>,
    /// What a write that failed after its first call says, instead of what all say.
    pub unfinished: Option<String>,
}

/// A list that is made of another one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListShape {
    /// The list that it is made of.
    pub of: String,
    /// A list that stands in its entries: their entries one after the other.
    pub inner: Option<String>,
    /// Calls that it waits for, besides those that make it and those for its entries.
    #[serde(default)]
    pub after: Vec<String>,
    /// The entries that stay: all of these hold.
    #[serde(default)]
    pub keep: Vec<TestShape>,
    #[serde(default)]
    pub join: Vec<JoinShape>,
    /// The pointer that it is sorted by.
    pub sort: Option<String>,
    #[serde(default)]
    pub descending: bool,
    /// It is cut into pages.
    pub page: Option<CutShape>,
}

/// Another list whose entries become part of those of equal keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinShape {
    pub list: String,
    /// The pointers of the keys, here and there; of several the first that match.
    pub on: OneOrMany<(String, String)>,
    /// Entries of the other list that are left are added at the end.
    #[serde(default)]
    pub rest: bool,
}

/// The parameters that say which part of a list is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CutShape {
    pub number: String,
    pub size: String,
}

/// One v2 call of a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallShape {
    #[serde(default)]
    pub name: String,
    /// The shared call that it starts from.
    #[serde(rename = "use")]
    pub base: Option<String>,
    #[serde(default)]
    pub request: String,
    /// What fills a placeholder of the path: a parameter, several of which the first given one
    /// counts, or `CALL:/pointer`.
    #[serde(default)]
    pub path: BTreeMap<String, OneOrMany<String>>,
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
    /// The parameters that error texts name by kind, where no path has them.
    #[serde(default)]
    pub about: BTreeMap<String, String>,
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub when: Vec<ConditionShape>,
    #[serde(default)]
    pub check: Vec<CheckShape>,
    /// Members without which a 2xx is a failure.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What failures mean; the first that fits counts.
    #[serde(default)]
    pub on: Vec<OnShape>,
    pub note: Option<String>,
    /// Said when the call is left out by a site's choice.
    pub omitted: Option<String>,
    /// The fields that are missing then, if other than those of the document.
    #[serde(default)]
    pub omits: Vec<String>,
    /// Said, as warnings, of these members once the call is made; not made in strict mode.
    #[serde(default)]
    pub warns: BTreeMap<String, String>,
}

/// What a failure of a call means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnShape {
    pub status: Option<u16>,
    #[serde(default)]
    pub code: Vec<i64>,
    /// A part of v2's message.
    pub message: Option<String>,
    /// Only under these choices of the site.
    #[serde(default)]
    pub option: BTreeMap<String, toml::Value>,
    /// Only for operations with these constants.
    #[serde(default)]
    pub constant: BTreeMap<String, String>,
    pub then: String,
    /// With `resume`: the call that reads what was created.
    pub read: Option<String>,
    /// With `resume`: where that has the time of creation.
    pub created: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemsShape {
    /// The list's name; the call's if left out.
    pub name: Option<String>,
    pub at: String,
    pub document: String,
    /// Entries of which one of these does not hold are none.
    #[serde(rename = "where", default)]
    pub only: Vec<TestShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagesShape {
    /// The list's name; the call's if left out.
    pub name: Option<String>,
    /// `number`, `token` or `all`.
    pub mode: Option<String>,
    pub items: String,
    pub document: String,
    pub number: Option<String>,
    pub size: Option<String>,
    pub token: String,
    pub total: Option<String>,
    pub count: Option<String>,
    /// The most requests of mode `all`: a number, or the option that has it.
    pub most: Option<Amount>,
    #[serde(rename = "where", default)]
    pub only: Vec<TestShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EachShape {
    /// For each entry of a list.
    pub list: Option<String>,
    /// For each element of a parameter.
    pub parameter: Option<String>,
    /// How many elements at once.
    pub batch: Option<usize>,
    /// For each window of the range: `month`.
    pub windows: Option<String>,
    /// Where an entry names the subject of its call.
    pub subject: Option<String>,
    /// The placeholder of the path that the entry or the element fills.
    pub placeholder: Option<String>,
    /// Where an entry has what fills it.
    pub value: Option<String>,
    /// The entries that count: all of these hold.
    #[serde(rename = "where", default)]
    pub only: Vec<TestShape>,
    /// The error if there is no such entry.
    pub otherwise: Option<String>,
    /// `one_by_one`, or at the same time.
    pub order: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConditionShape {
    pub given: Vec<String>,
    pub all_given: Vec<String>,
    pub missing: Vec<String>,
    pub nothing_else: bool,
    pub option: BTreeMap<String, toml::Value>,
    pub parameter: Option<ParameterTestShape>,
    pub answer: Option<AnswerShape>,
    pub error: Option<ErrorTestShape>,
    pub resumed: bool,
    pub current: Option<String>,
    pub entries_at_most: Option<usize>,
}

/// What a parameter's value is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterTestShape {
    pub name: String,
    #[serde(default)]
    pub is: Vec<toml::Value>,
    #[serde(default)]
    pub is_not: Vec<toml::Value>,
}

/// What an earlier call found.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerShape {
    pub call: String,
    pub at: String,
    #[serde(default)]
    pub is: Vec<toml::Value>,
    #[serde(default)]
    pub is_not: Vec<toml::Value>,
    pub exists: Option<bool>,
}

/// How an earlier call failed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorTestShape {
    pub call: String,
    /// v2's codes; any failure if empty.
    #[serde(default)]
    pub code: Vec<i64>,
}

/// What an answer must hold to count as one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckShape {
    /// The parameter that, if it was given, …
    pub parameter: Option<String>,
    /// … equals one of these members, or an element of one that is an array.
    #[serde(default)]
    pub equals: Vec<String>,
    /// Or the member that …
    pub at: Option<String>,
    /// … is one of these.
    #[serde(default)]
    pub is: Vec<toml::Value>,
    #[serde(default)]
    pub is_not: Vec<toml::Value>,
    /// … is v2's id of the subject.
    #[serde(default)]
    pub subject: bool,
    pub otherwise: String,
    /// Only if the site chose so.
    #[serde(default)]
    pub option: BTreeMap<String, toml::Value>,
    /// `pass`: says nothing if the members are absent.
    pub absent: Option<String>,
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
    /// The views of lists and objects, by key.
    #[serde(default)]
    pub items: Named<String>,
}

/// Where the webhooks of v2 say what they are about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookShape {
    pub event: String,
    pub account: String,
    pub meeting: String,
    pub needs: Vec<(String, String)>,
    pub validation: String,
    pub plain_token: String,
    #[serde(default)]
    pub alerts: Vec<String>,
}

/// A push notification of v1, and the event of v2 that it is made from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationShape {
    pub name: String,
    pub event: String,
    pub summary: String,
    pub view: Spanned<String>,
    #[serde(default)]
    pub sample: bool,
    #[serde(default)]
    pub option: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub repeats: Vec<String>,
    pub first: Option<FirstShape>,
    pub fidelity: Option<String>,
    pub reason: Option<String>,
}

/// Which entries of a list come first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstShape {
    pub list: String,
    pub by: String,
    pub values: Vec<String>,
}
