//! TOML shapes of catalog files (`api/*/*.toml`), before validation.

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
use crate::{conversion::Given, exchange::RateLabel, fidelity::Fidelity};
pub(super) use plan::{CallShape, ConditionShape, EachShape, ListShape, OnShape, PlanShape};

/// Table of named items with the spans of the names.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;

/// Catalog file.
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

/// v2 endpoint.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestShape {
    pub label: RateLabel,
    pub scope: String,
    #[serde(default)]
    pub or_scopes: Vec<String>,
    pub probe: Option<Spanned<Probe>>,
    pub source: Spanned<String>,
    #[serde(default)]
    pub names: Vec<Pointer>,
}

/// v2's rate limits for one price plan.
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

/// Field mapping.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "keys of the file")]
pub(super) struct FieldShape {
    /// Catalog key; defaults to the v1 name.
    #[serde(default, deserialize_with = "one_or_many::read")]
    pub key: Vec<String>,
    #[serde(deserialize_with = "one_or_many::read")]
    pub v1: Vec<String>,
    #[serde(rename = "type", deserialize_with = "one_or_many::read")]
    pub kind: Vec<Kind>,
    #[serde(deserialize_with = "one_or_many::read")]
    pub v2: Vec<Place>,
    /// Other accepted names of the parameter.
    #[serde(default)]
    pub aliases: Vec<String>,

    // Conversion.
    pub convert: Option<String>,
    /// Restricts the conversion of response values to this document.
    pub convert_of: Option<String>,
    #[serde(default)]
    pub request: Vec<(Value, Value)>,
    #[serde(default)]
    pub response: Vec<(Value, Value)>,
    /// Handling of values that `request` or `response` does not list.
    pub others: Option<Others>,
    #[serde(default)]
    pub table: Vec<Vec<Value>>,
    #[serde(default)]
    pub given: Vec<Given>,
    #[serde(default)]
    pub round_up: Vec<i64>,
    /// Member of `elements`; name and value members of `pairs`.
    #[serde(default, deserialize_with = "one_or_many::read")]
    pub member: Vec<String>,
    /// Separator of `joined` in v1, and in v2 if it differs.
    #[serde(default, deserialize_with = "one_or_many::read")]
    pub separator: Vec<String>,
    #[serde(default)]
    pub omit: Vec<Value>,
    /// A value equal to the stored one is not sent.
    #[serde(default)]
    pub unless_stored: bool,

    // Request validation.
    pub range: Option<(i64, i64)>,
    #[serde(default)]
    pub clamp: bool,
    /// Option with the maximum.
    pub at_most: Option<String>,
    #[serde(default)]
    pub values: Vec<i64>,
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Handling of values that `values` or `one_of` does not list, and of unreadable ones.
    pub unknown: Option<Unknown>,
    pub min: Option<usize>,
    pub max: Option<usize>,
    /// Truncate longer texts to this many characters.
    pub cut: Option<usize>,
    /// Minimum and maximum number of digits of an id.
    pub digits: Option<(usize, usize)>,
    /// Expected shape of a JSON text.
    pub shape: Option<Shape>,
    /// Fields of the members of a JSON object, or of the objects in an array.
    #[serde(default)]
    pub members: Vec<String>,
    /// Wrap a text that is not JSON into an object with this member.
    pub bare: Option<String>,
    /// Maximum number of elements of an id list.
    pub max_elements: Option<usize>,
    /// Subject that the ids refer to.
    pub ids_of: Option<String>,
    /// Handling of an empty parameter.
    pub sent_empty: Option<SentEmpty>,
    pub default: Option<Value>,

    // Response.
    /// For two v1 names an array with one value each.
    pub empty: Option<Value>,
    /// `empty` is null, which TOML lacks.
    #[serde(default)]
    pub null: bool,
    pub always: Option<Value>,
    /// Show `empty` even if the document was not read.
    #[serde(default)]
    pub empty_unread: bool,
    /// Conditional replacements.
    #[serde(rename = "override", default)]
    pub overrides: Vec<OverrideShape>,

    #[serde(default)]
    pub fidelity: Fidelity,
    pub reason: Option<String>,
    /// Uses in a request that are a loss; all if `None`.
    pub loss: Option<Loss>,
    /// Accepted without being sent.
    #[serde(default)]
    pub implied: bool,
}

impl FieldShape {
    /// Catalog keys.
    pub(super) fn keys(&self) -> &[String] {
        if self.key.is_empty() {
            &self.v1
        } else {
            &self.key
        }
    }
}

/// Handling of values that a table does not list.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Others {
    Same,
}

/// Handling of values unknown to v1.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unknown {
    Drop,
}

/// Handling of an empty parameter.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SentEmpty {
    Refuse,
}

/// Request values that are a loss.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Loss {
    Changed,
}

/// Overlay of a site: keys that replace those of single fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverlayShape {
    pub field: Named<toml::Table>,
}

/// Conditional replacement of a shown value.
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
    /// Option values under which it applies.
    #[serde(default)]
    pub option: BTreeMap<String, OptionValue>,
    /// Replacement; the member is omitted if `None`.
    pub show: Option<Value>,
    /// Place of the replacement; takes precedence over `show` if it has a value.
    pub from: Option<Place>,
}

/// v1 operation.
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
    /// One subject kind with the parameters that identify it.
    #[serde(default)]
    pub subject: Named<Vec<String>>,
    pub plan: Option<Spanned<String>>,
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    pub range: Option<Spanned<RangeShape>>,
    pub view: Option<Spanned<String>>,
    /// Always fails with this error, because v2 has no counterpart.
    pub refuses: Option<Spanned<String>>,
    /// Switch that must be on.
    pub enabled_by: Option<String>,
    pub token: Option<Token>,
    /// Handling of identical concurrent requests.
    #[serde(default)]
    pub overlapping: Overlapping,
    pub repeat: Option<String>,
    pub note: Option<String>,
    /// Option values under which an empty text parameter clears the stored text.
    #[serde(default)]
    pub clears_text: BTreeMap<String, OptionValue>,
    #[serde(default)]
    pub error: Vec<Spanned<Rule>>,
    /// Variants for other option values.
    #[serde(default)]
    pub variant: Vec<Spanned<VariantShape>>,
    /// v2 requests that replace an operation that the shim does not serve.
    #[serde(default)]
    pub instead: Vec<String>,
    pub instead_source: Option<Spanned<String>>,
    #[serde(default)]
    pub composite: bool,
}

/// Variant of an operation under certain option values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariantShape {
    pub option: BTreeMap<String, OptionValue>,
    /// Defaults to those of the operation.
    pub parameters: Option<Vec<String>>,
    pub plan: Spanned<String>,
    pub view: Spanned<String>,
}

/// Effect on the data stored in v2.
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    Read,
    Write,
}

/// Date range of an operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeShape {
    /// Parameter with the first date.
    pub from: String,
    /// Parameter with the last date; defaults to today.
    pub to: String,
    /// Longest range of one v2 request.
    pub longest: Option<Period>,
    /// Handling of a longer range.
    pub longer: Option<Longer>,
    /// Start of a range without a first date.
    pub open: Option<OpenShape>,
    /// Condition under which a missing required date is today.
    pub today: Option<Today>,
    /// Time zone of dates without an offset, as `CALL:/pointer`.
    pub zone: Option<String>,
}

/// Unit of date ranges.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Period {
    Month,
}

impl RangeShape {
    /// Names of the calls whose responses define the range.
    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        let after = self.open.iter().filter_map(|open| open.after.as_deref());
        let places = after.chain(self.zone.as_deref());
        places.filter_map(|place| place.split(':').next())
    }
}

/// Start of a range without a first date: the latest of these dates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenShape {
    /// Numeric option: months before the last date.
    pub months: String,
    /// Timestamp in an earlier response, as `CALL:/pointer`.
    pub after: Option<String>,
}

/// View of a v1 response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewShape {
    pub fields: Vec<String>,
    #[serde(default)]
    pub without: Vec<String>,
    /// Fields that always have v1's empty value.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Fields or sets of v1 that v2 cannot fill, with the reason.
    #[serde(default)]
    pub none: BTreeMap<String, String>,
    #[serde(default)]
    pub from: BTreeMap<String, Vec<Place>>,
    /// Views of lists and objects, by key.
    #[serde(default)]
    pub items: Named<String>,
}

/// v1 push notification and its v2 event.
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
