//! Operations, their plans and views.

mod call;
mod condition;
mod plan;
mod view;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Location,
    protocol::{Options, Rule, Subject},
};
pub use super::{
    option::{Amount, OptionValue},
    predicate::{Predicate, Test},
};
use crate::exchange::Method;
pub use call::{
    BodyTemplate, Call, Each, Evidence, FanOut, Filling, Items, On, PageMode, Pages, Probe,
    Segment, Then,
};
pub use condition::{AnswerTest, Check, Compared, Condition};
pub use plan::{Join, List, Plan};
pub use view::{Member, Unfilled, View};

/// One v1 endpoint, named by its path without `/v1/`.
#[derive(Debug)]
pub struct Operation {
    /// Name: `user/getbyemail`.
    pub name: String,
    /// Aliases that real clients use.
    pub aliases: Vec<String>,
    /// One-sentence summary.
    pub summary: String,
    /// True for read-only operations.
    pub read: bool,
    /// v1 parameters.
    pub parameters: Vec<Parameter>,
    /// Required parameters: at least one of each group.
    pub requires: Vec<Vec<String>>,
    /// Parameters that identify the subject; the first one given is used.
    pub subject: Vec<String>,
    /// The subject.
    pub subject_kind: Option<Subject>,
    /// Constants for the placeholders of its calls.
    pub constants: BTreeMap<String, String>,
    /// Date range of the request.
    pub range: Option<Range>,
    /// Switch of the site that must be on for the operation to be allowed.
    pub enabled_by: Option<String>,
    /// Additional token that authorizes the caller.
    pub token: Option<Token>,
    /// Handling of identical concurrent requests.
    pub overlapping: Overlapping,
    /// Handling by the shim.
    pub service: Service,
    /// Documented effect of a repeated request.
    pub repeat: Option<String>,
    /// Additional note for users.
    pub note: Option<String>,
    /// Options under which an empty text parameter clears the stored text; otherwise it counts as
    /// absent.
    pub clears_text: Vec<(String, OptionValue)>,
    /// Error rules, checked before those of all operations.
    pub rules: Vec<Rule>,
    /// Variants for other option values.
    pub variants: Vec<Variant>,
    /// Location in the catalog files.
    pub location: Location,
}

/// Variant of an operation under certain option values.
#[derive(Debug)]
pub struct Variant {
    /// Option values that select the variant.
    pub options: Vec<(String, OptionValue)>,
    /// The operation with its other calls, parameters and view.
    pub operation: Operation,
}

/// Date range of an operation.
#[derive(Debug)]
pub struct Range {
    /// Parameter with the first date.
    pub from: String,
    /// Parameter with the last date; defaults to today.
    pub to: String,
    /// Handling of ranges longer than a month; any length is allowed if `None`.
    pub longer: Option<Longer>,
    /// Start of a range without a first date; one month before its end if `None`.
    pub open: Option<Open>,
    /// Condition under which a missing required date is today.
    pub today: Option<Today>,
    /// Time zone of dates without an offset: call and pointer.
    pub zone: Option<(usize, String)>,
}

/// Handling of date ranges longer than a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Longer {
    /// Move the first date to one month before the last.
    Cut,
    /// Make one call per month.
    Split,
}

/// Start of a range without a first date: the latest of these dates.
#[derive(Debug)]
pub struct Open {
    /// Numeric option: months before the last date.
    pub months: String,
    /// Timestamp in an earlier response: call and pointer.
    pub after: Option<(usize, String)>,
}

/// Condition under which a missing required date is today.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Today {
    /// Tested parameter.
    pub parameter: String,
    /// Values that satisfy the condition.
    pub is: Vec<Value>,
}

/// Parameter with a token that authorizes the caller.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Name of the parameter.
    pub parameter: String,
    /// Name of the site's token that it must match.
    pub site: String,
}

/// Handling of identical concurrent requests of one caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlapping {
    /// The server's default for reads or writes.
    #[default]
    #[serde(skip)]
    AsUsual,
    /// Later requests get the response of the first.
    Join,
    /// Each request is served.
    Run,
}

/// Handling of an operation by the shim.
#[derive(Debug)]
pub enum Service {
    /// By v2 calls.
    Plan {
        /// The v2 calls.
        plan: Plan,
        /// Catalog index of the view.
        view: usize,
    },
    /// Always with this named error, because v2 has no counterpart.
    Refused {
        /// Name of the error.
        error: String,
        /// Catalog index of the view that v1 had.
        view: usize,
    },
    /// Not served by the shim.
    NotServed(Replacement),
}

/// v2 replacement of an operation that the shim does not serve.
#[derive(Debug)]
pub struct Replacement {
    /// v2 requests; empty if there is no replacement.
    pub requests: Vec<(Method, String)>,
    /// True if several of the requests, or one per item, are needed.
    pub composite: bool,
    /// Title of the source document.
    pub source: String,
}

/// Parameter of an operation.
#[derive(Debug)]
pub struct Parameter {
    /// The v1 name.
    pub name: String,
    /// Catalog index of its field mapping and part; `None` if the operation is not served.
    pub field: Option<(usize, usize)>,
    /// Use of the parameter.
    pub usage: ParameterUse,
}

/// Use of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterUse {
    /// Sent in the document of the plan's call at this index.
    SentBy(usize),
    /// Used by a path, query, body or condition.
    Used,
    /// Not sent, for this reason.
    Dropped(String),
    /// Unknown, because the operation is not served.
    Unknown,
}

impl Operation {
    /// The operation, or its variant for these options.
    pub fn under(&self, options: &Options) -> &Self {
        let mut variants = self.variants.iter();
        let variant = variants.find(|variant| options.has_all(&variant.options));
        variant.map_or(self, |variant| &variant.operation)
    }

    /// True if the shim serves it.
    pub fn is_served(&self) -> bool {
        !matches!(self.service, Service::NotServed(_))
    }

    /// True if a request may store state for a later one: the cursor of a list, or the progress of
    /// a write.
    pub fn may_remember(&self) -> bool {
        let calls = self.plan().map(|plan| plan.calls.as_slice());
        let mut calls = calls.unwrap_or_default().iter();
        calls.any(|call| call.pages.is_some() || !call.method.is_read())
    }

    /// The v2 calls, if it is served by v2.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.service {
            Service::Plan { plan, .. } => Some(plan),
            Service::Refused { .. } | Service::NotServed(_) => None,
        }
    }

    /// The v2 requests that serve or replace it, deduplicated, in plan order.
    pub fn v2_requests(&self) -> Vec<(Method, &str)> {
        let mut requests: Vec<(Method, &str)> = Vec::new();
        let mut add = |method, path| {
            if !requests.contains(&(method, path)) {
                requests.push((method, path));
            }
        };
        match &self.service {
            Service::Plan { plan, .. } => {
                plan.calls
                    .iter()
                    .filter(|call| !call.is_verification())
                    .for_each(|call| add(call.method, &call.template));
            }
            Service::NotServed(replacement) => {
                replacement
                    .requests
                    .iter()
                    .for_each(|(method, path)| add(*method, path));
            }
            Service::Refused { .. } => {}
        }
        requests
    }

    /// [`Self::v2_requests`] as text: `GET /users/{userId}, PATCH /users/{userId}`, or `nothing`.
    pub fn replacement(&self) -> String {
        let requests = self.v2_requests();
        let requests: Vec<_> = requests
            .iter()
            .map(|(method, path)| format!("{method} {path}"))
            .collect();
        if requests.is_empty() {
            "nothing".to_owned()
        } else {
            requests.join(", ")
        }
    }
}
