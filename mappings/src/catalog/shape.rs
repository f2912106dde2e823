//! The shape of a catalog file, before it is checked: what may be written in `api/*/*.toml`.

mod plan;

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::{
    field::{Kind, Shape},
    notification::{First, Webhook},
    one_or_many::{self, OneOrMany},
    operation::{Longer, Overlapping, Probe, Today, Token},
    option::{OptionRule, OptionValue},
    place::{Place, Pointer},
    protocol::{NamedError, Protocol, Rule, Subject},
};
use crate::{conversion::Given, fidelity::Fidelity};
pub(super) use plan::{CallShape, ConditionShape, EachShape, ListShape, OnShape, PlanShape};

/// A name together with where it stands, and what it names.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;

/// One catalog file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileShape {
    pub protocol: Option<Spanned<Protocol>>,
    pub error: Named<NamedError>,
    pub rule: Vec<Spanned<Rule>>,
    pub option: Named<OptionRule>,
    pub source: Named<SourceShape>,
    pub request: Named<RequestShape>,
    pub rate: Named<RateShape>,
    pub set: Named<Vec<String>>,
    pub field: Vec<Spanned<FieldShape>>,
    pub subject: Named<Subject>,
    pub call: Named<toml::Table>,
    pub operation: Named<OperationShape>,
    pub plan: Named<PlanShape>,
    pub view: Named<ViewShape>,
    pub webhook: Option<Spanned<Webhook>>,
    pub notification: Vec<Spanned<NotificationShape>>,
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
    #[serde(default)]
    pub or_scopes: Vec<String>,
    pub probe: Option<Spanned<Probe>>,
    pub source: Spanned<String>,
    #[serde(default)]
    pub names: Vec<Pointer>,
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
    /// By day.
    pub light_daily: Option<NonZeroU32>,
    /// By day.
    pub medium_daily: Option<NonZeroU32>,
    /// By day, with the resource-intensive ones.
    pub heavy_daily: Option<NonZeroU32>,
    pub source: String,
}

/// One field mapping.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "keys of the file")]
pub(super) struct FieldShape {
    /// What operations, views and sets name it by; the v1 name if left out.
    #[serde(default, deserialize_with = "one_or_many::read")]
    pub key: Vec<String>,
    #[serde(deserialize_with = "one_or_many::read")]
    pub v1: Vec<String>,
    #[serde(rename = "type", deserialize_with = "one_or_many::read")]
    pub kind: Vec<Kind>,
    #[serde(deserialize_with = "one_or_many::read")]
    pub v2: Vec<Place>,
    /// Other names of the parameter.
    #[serde(default)]
    pub aliases: Vec<String>,

    // How the value changes.
    pub convert: Option<String>,
    /// The document whose values are converted, if those of others stay as they are.
    pub convert_of: Option<String>,
    #[serde(default)]
    pub request: Vec<(Value, Value)>,
    #[serde(default)]
    pub response: Vec<(Value, Value)>,
    /// What becomes of a value that `request` or `response` does not list.
    pub others: Option<Others>,
    #[serde(default)]
    pub table: Vec<Vec<Value>>,
    #[serde(default)]
    pub given: Vec<Given>,
    #[serde(default)]
    pub round_up: Vec<i64>,
    /// The member of `elements`, or the names' and the values' members of `pairs`.
    #[serde(default, deserialize_with = "one_or_many::read")]
    pub member: Vec<String>,
    /// What stands between the parts of `joined` in v1, and in v2 if that is another.
    #[serde(default, deserialize_with = "one_or_many::read")]
    pub separator: Vec<String>,
    #[serde(default)]
    pub omit: Vec<Value>,
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
    pub unknown: Option<Unknown>,
    pub min: Option<usize>,
    pub max: Option<usize>,
    /// Longer texts are cut, in characters.
    pub cut: Option<usize>,
    /// How many digits an id of digits has: from and to.
    pub digits: Option<(usize, usize)>,
    /// Of JSON texts.
    pub shape: Option<Shape>,
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
    pub sent_empty: Option<SentEmpty>,
    pub default: Option<Value>,

    // What an answer shows.
    /// Of two v1 names an array, a value for each.
    pub empty: Option<Value>,
    /// `empty` is JSON's null, which TOML cannot say.
    #[serde(default)]
    pub null: bool,
    pub always: Option<Value>,
    /// `empty` is shown also when the document was not read at all.
    #[serde(default)]
    pub empty_unread: bool,
    /// Values that depend on another member.
    #[serde(rename = "override", default)]
    pub overrides: Vec<OverrideShape>,

    #[serde(default)]
    pub fidelity: Fidelity,
    pub reason: Option<String>,
    /// Which uses in a request are a loss; all if left out.
    pub loss: Option<Loss>,
    /// Honoured without being sent.
    #[serde(default)]
    pub implied: bool,
}

impl FieldShape {
    /// What operations, views and sets name it by.
    pub(super) fn keys(&self) -> &[String] {
        if self.key.is_empty() {
            &self.v1
        } else {
            &self.key
        }
    }
}

/// What becomes of a value that a table does not list.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Others {
    Same,
}

/// What becomes of a value that v1 did not know.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unknown {
    Drop,
}

/// What becomes of a parameter that is there but empty.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SentEmpty {
    Refuse,
}

/// Which values of a request are a loss.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Loss {
    Changed,
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
    pub at: Option<Place>,
    #[serde(default)]
    pub is: Vec<Value>,
    #[serde(default)]
    pub is_not: Vec<Value>,
    pub exists: Option<bool>,
    /// Only if the site chose so.
    #[serde(default)]
    pub option: BTreeMap<String, OptionValue>,
    /// What is shown then; nothing if left out.
    pub show: Option<Value>,
    /// The place of what is shown then, if it has a value.
    pub from: Option<Place>,
}

/// One v1 operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationShape {
    pub summary: String,
    pub effect: Effect,
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
    pub token: Option<Token>,
    /// What equal requests at the same time do.
    #[serde(default)]
    pub overlapping: Overlapping,
    pub repeat: Option<String>,
    pub note: Option<String>,
    /// The choice of the site under which an empty text parameter clears the stored text.
    #[serde(default)]
    pub clears_text: BTreeMap<String, OptionValue>,
    #[serde(default)]
    pub error: Vec<Spanned<Rule>>,
    /// How it is served under other choices of the site.
    #[serde(default)]
    pub variant: Vec<Spanned<VariantShape>>,
    /// What replaces an operation that the shim does not serve.
    #[serde(default)]
    pub instead: Vec<String>,
    pub instead_source: Option<Spanned<String>>,
    #[serde(default)]
    pub composite: bool,
}

/// How an operation is served under a choice of the site.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariantShape {
    pub option: BTreeMap<String, OptionValue>,
    /// Those of the operation if left out.
    pub parameters: Option<Vec<String>>,
    pub plan: Spanned<String>,
    pub view: Spanned<String>,
}

/// What an operation does to what v2 has stored.
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    Read,
    Write,
}

/// The dates that an operation is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeShape {
    /// The parameter with the first date.
    pub from: String,
    /// The parameter with the last date; today if it was not given.
    pub to: String,
    /// What v2 takes at once.
    pub longest: Option<Period>,
    /// What becomes of a longer range.
    pub longer: Option<Longer>,
    /// Where a range without a first date begins.
    pub open: Option<OpenShape>,
    /// When a required date may be missing, and is today.
    pub today: Option<Today>,
    /// The time zone of what has no offset, `CALL:/pointer`.
    pub zone: Option<String>,
}

/// A part of a range of dates.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Period {
    Month,
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
    pub from: BTreeMap<String, Vec<Place>>,
    /// The views of lists and objects, by key.
    #[serde(default)]
    pub items: Named<String>,
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
    pub pause: bool,
    #[serde(default)]
    pub option: BTreeMap<String, OneOrMany<OptionValue>>,
    #[serde(default)]
    pub repeats: Vec<Pointer>,
    pub first: Option<First>,
    #[serde(default)]
    pub fidelity: Fidelity,
    pub reason: Option<String>,
}
