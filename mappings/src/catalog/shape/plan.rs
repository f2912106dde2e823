//! TOML shapes of plans, calls and lists.

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
        predicate::Test,
        protocol::Rule,
    },
    Named, Period,
};
use crate::template::Template;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct PlanShape {
    /// Error rules for all operations of the plan.
    #[serde(default)]
    pub error: Vec<Spanned<Rule>>,
    pub call: Vec<Spanned<toml::Table>>,
    /// Derived lists.
    #[serde(default)]
    pub list: Named<ListShape>,
    /// Documents that the plan cannot send, with the reason.
    #[serde(default)]
    pub unsent: BTreeMap<String, String>,
    /// Error text for a write that failed after its first call; overrides the default.
    pub unfinished: Option<Template>,
}

/// Derived list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ListShape {
    /// Source list.
    pub of: String,
    /// Nested list whose entries are flattened into this one.
    pub inner: Option<String>,
    /// Calls to wait for, in addition to those that produce the sources.
    #[serde(default)]
    pub after: Vec<String>,
    /// Filter for entries.
    #[serde(default)]
    pub keep: Vec<Test>,
    #[serde(default)]
    pub join: Vec<Join>,
    /// Pointer of the sort key.
    pub sort: Option<Pointer>,
    #[serde(default)]
    pub descending: bool,
    /// Pagination.
    pub page: Option<CutShape>,
}

/// Parameters that select the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CutShape {
    pub number: String,
    pub size: String,
}

/// v2 call of a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CallShape {
    #[serde(default)]
    pub name: String,
    /// Shared call to inherit from.
    #[serde(rename = "use")]
    pub base: Option<String>,
    #[serde(default)]
    pub request: String,
    /// Sources of path placeholders: parameters, of which the first given one is used, or
    /// `CALL:/pointer`.
    #[serde(default)]
    pub path: BTreeMap<String, OneOrMany<String>>,
    #[serde(default)]
    pub query: Map<String, Value>,
    pub body: Option<BodyTemplate>,
    pub sends: Option<String>,
    /// Pointer in the body where the sent document is placed.
    pub at: Option<String>,
    /// Parameter whose uploaded file is the body.
    pub file: Option<String>,
    pub reads: Option<String>,
    pub items: Option<Items>,
    pub pages: Option<Pages>,
    pub each: Option<EachShape>,
    /// Pointer to the subject of later calls in the response.
    pub subject: Option<Pointer>,
    /// Parameters that fill subject placeholders of error texts when no path does.
    #[serde(default)]
    pub about: BTreeMap<String, String>,
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub when: Vec<ConditionShape>,
    #[serde(default)]
    pub check: Vec<Check>,
    /// Pointers to members that a 2xx response must contain.
    #[serde(default)]
    pub needs: Vec<Pointer>,
    /// Meanings of failures; the first match applies.
    #[serde(default)]
    pub on: Vec<OnShape>,
    pub note: Option<String>,
    /// Warning if an option disables the call.
    pub omitted: Option<String>,
    /// Fields lost then, if not those of the document.
    #[serde(default)]
    pub omits: Vec<String>,
    /// Members with a warning to issue after the call, which is not made in strict mode.
    #[serde(default)]
    pub warns: BTreeMap<String, String>,
}

/// Meaning of a failure of a call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct OnShape {
    pub status: Option<u16>,
    #[serde(default)]
    pub code: Vec<i64>,
    /// Substring of v2's message.
    pub message: Option<String>,
    /// Option values under which the entry applies.
    #[serde(default)]
    pub option: BTreeMap<String, OptionValue>,
    /// Operations to which the entry applies, by constant.
    #[serde(default)]
    pub constant: BTreeMap<String, String>,
    pub then: String,
    /// For `resume`: call that reads the created object.
    pub read: Option<String>,
    /// For `resume`: pointer to the creation time; optional for a list with `where`.
    pub created: Option<Pointer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EachShape {
    /// Fan out over the entries of this list.
    pub list: Option<String>,
    /// Fan out over the elements of this parameter.
    pub parameter: Option<String>,
    /// Elements per request.
    pub batch: Option<usize>,
    /// Fan out over the windows of the date range.
    pub windows: Option<Period>,
    /// Pointer to the subject in an entry.
    pub subject: Option<Pointer>,
    /// Path placeholder filled by the entry or element.
    pub placeholder: Option<String>,
    /// Pointer to its value in an entry.
    pub value: Option<Pointer>,
    /// Filter for entries.
    #[serde(rename = "where", default)]
    pub only: Vec<Test>,
    /// Named error if no entry passes.
    pub otherwise: Option<String>,
    /// Requests run in parallel if `None`.
    pub order: Option<Order>,
}

/// Order of the requests of a fan-out.
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
    pub verification: bool,
    pub current: Option<String>,
    pub entries_at_most: Option<usize>,
}

/// Test of a parameter's value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ParameterTestShape {
    pub name: String,
    #[serde(default)]
    pub is: Vec<Value>,
    #[serde(default)]
    pub is_not: Vec<Value>,
}

/// Test of an earlier response.
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

/// Test of an earlier failure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ErrorTestShape {
    pub call: String,
    /// v2 error codes; any if empty.
    #[serde(default)]
    pub code: Vec<i64>,
}
