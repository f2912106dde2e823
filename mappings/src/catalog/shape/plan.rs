//! The shape of a plan: its calls and its lists.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::{
    super::{
        one_or_many::OneOrMany,
        operation::{BodyTemplate, Check, Items, Join, Pages},
        option::OptionValue,
        place::Pointer,
        protocol::Rule,
        wanted::Test,
    },
    Named, Period,
};
use crate::template::Template;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PlanShape {
    /// v2's errors in v1's words, for all operations of the plan.
    #[serde(default)]
    pub error: Vec<Spanned<Rule>>,
    pub call: Vec<Spanned<toml::Table>>,
    /// Lists that are made of those that calls read.
    #[serde(default)]
    pub list: Named<ListShape>,
    /// Documents that this plan cannot send, and why.
    #[serde(default)]
    pub unsent: BTreeMap<String, String>,
    /// What a write that failed after its first call says, instead of what all say.
    pub unfinished: Option<Template>,
}

/// A list that is made of another one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ListShape {
    /// The list that it is made of.
    pub of: String,
    /// A list that stands in its entries: their entries one after the other.
    pub inner: Option<String>,
    /// Calls that it waits for, besides those that make it and those for its entries.
    #[serde(default)]
    pub after: Vec<String>,
    /// The entries that stay: all of these hold.
    #[serde(default)]
    pub keep: Vec<Test>,
    #[serde(default)]
    pub join: Vec<Join>,
    /// The pointer that it is sorted by.
    pub sort: Option<Pointer>,
    #[serde(default)]
    pub descending: bool,
    /// It is cut into pages.
    pub page: Option<CutShape>,
}

/// The parameters that say which part of a list is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CutShape {
    pub number: String,
    pub size: String,
}

/// One v2 call of a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CallShape {
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
    pub query: Map<String, Value>,
    pub body: Option<BodyTemplate>,
    pub sends: Option<String>,
    /// Where in the body the sent document stands.
    pub at: Option<String>,
    /// The parameter whose file is the body.
    pub file: Option<String>,
    pub reads: Option<String>,
    pub items: Option<Items>,
    pub pages: Option<Pages>,
    pub each: Option<EachShape>,
    /// Where the answer names the subject of the calls that follow.
    pub subject: Option<Pointer>,
    /// The parameters that error texts name by kind, where no path has them.
    #[serde(default)]
    pub about: BTreeMap<String, String>,
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub when: Vec<ConditionShape>,
    #[serde(default)]
    pub check: Vec<Check>,
    /// Members without which a 2xx is a failure.
    #[serde(default)]
    pub needs: Vec<Pointer>,
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
pub(in super::super) struct OnShape {
    pub status: Option<u16>,
    #[serde(default)]
    pub code: Vec<i64>,
    /// A part of v2's message.
    pub message: Option<String>,
    /// Only under these choices of the site.
    #[serde(default)]
    pub option: BTreeMap<String, OptionValue>,
    /// Only for operations with these constants.
    #[serde(default)]
    pub constant: BTreeMap<String, String>,
    pub then: String,
    /// With `resume`: the call that reads what was created.
    pub read: Option<String>,
    /// With `resume`: where that has the time of creation; of a list, its `where` may be enough.
    pub created: Option<Pointer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EachShape {
    /// For each entry of a list.
    pub list: Option<String>,
    /// For each element of a parameter.
    pub parameter: Option<String>,
    /// How many elements at once.
    pub batch: Option<usize>,
    /// For each window of the range.
    pub windows: Option<Period>,
    /// Where an entry names the subject of its call.
    pub subject: Option<Pointer>,
    /// The placeholder of the path that the entry or the element fills.
    pub placeholder: Option<String>,
    /// Where an entry has what fills it.
    pub value: Option<Pointer>,
    /// The entries that count: all of these hold.
    #[serde(rename = "where", default)]
    pub only: Vec<Test>,
    /// The error if there is no such entry.
    pub otherwise: Option<String>,
    /// At the same time if left out.
    pub order: Option<Order>,
}

/// The order of the requests of one call.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Order {
    OneByOne,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct ConditionShape {
    pub given: Vec<String>,
    pub all_given: Vec<String>,
    pub missing: Vec<String>,
    pub nothing_else: bool,
    pub option: BTreeMap<String, OptionValue>,
    pub parameter: Option<ParameterTestShape>,
    pub answer: Option<AnswerShape>,
    pub error: Option<ErrorTestShape>,
    pub resumed: bool,
    pub disputed: bool,
    pub current: Option<String>,
    pub entries_at_most: Option<usize>,
}

/// What a parameter's value is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ParameterTestShape {
    pub name: String,
    #[serde(default)]
    pub is: Vec<Value>,
    #[serde(default)]
    pub is_not: Vec<Value>,
}

/// What an earlier call found.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AnswerShape {
    pub call: String,
    pub at: Pointer,
    #[serde(default)]
    pub is: Vec<Value>,
    #[serde(default)]
    pub is_not: Vec<Value>,
    pub exists: Option<bool>,
}

/// How an earlier call failed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ErrorTestShape {
    pub call: String,
    /// v2's codes; any failure if empty.
    #[serde(default)]
    pub code: Vec<i64>,
}
