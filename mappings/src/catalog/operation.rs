//! Operations, their plans and the shapes of their answers.

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
    wanted::{Test, Wanted},
};
use crate::exchange::Method;
pub use call::{
    BodyTemplate, Call, Each, Evidence, Filling, Items, On, PageMode, Pages, Probe, Segment,
    Several, Then,
};
pub use condition::{AnswerTest, Check, Compared, Condition};
pub use plan::{Join, List, Plan};
pub use view::{Member, Unfilled, View};

/// One v1 endpoint, named by its path without `/v1/`.
#[derive(Debug)]
pub struct Operation {
    /// The name: `user/getbyemail`.
    pub name: String,
    /// Other names that real clients use.
    pub aliases: Vec<String>,
    /// What it does, in a sentence.
    pub summary: String,
    /// True if it changes nothing.
    pub read: bool,
    /// The parameters that v1 knew.
    pub parameters: Vec<Parameter>,
    /// What must be given: of each entry at least one.
    pub requires: Vec<Vec<String>>,
    /// The parameters that name whom or what it is about; the first given one wins.
    pub subject: Vec<String>,
    /// Whom or what it is about.
    pub subject_kind: Option<Subject>,
    /// Fixed values that the calls of its plan have placeholders for.
    pub constants: BTreeMap<String, String>,
    /// The dates that it is about.
    pub range: Option<Range>,
    /// The switch of the site without which it is not allowed.
    pub enabled_by: Option<String>,
    /// What proves, beside the credentials, that the caller may.
    pub token: Option<Token>,
    /// What equal requests at the same time do.
    pub overlapping: Overlapping,
    /// How the shim answers.
    pub service: Service,
    /// What a repeated request does.
    pub repeat: Option<String>,
    /// What else is worth knowing.
    pub note: Option<String>,
    /// The choice of the site under which an empty text parameter clears the stored text; else it
    /// counts as absent.
    pub clears_text: Vec<(String, OptionValue)>,
    /// v2's errors in v1's words, before the rules of all operations.
    pub rules: Vec<Rule>,
    /// How it is served under other choices of the site.
    pub variants: Vec<Variant>,
    /// Where the operation is written.
    pub location: Location,
}

/// How an operation is served under a choice of the site.
#[derive(Debug)]
pub struct Variant {
    /// The site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// The operation with other calls, parameters and answers.
    pub operation: Operation,
}

/// The dates that an operation is about.
#[derive(Debug)]
pub struct Range {
    /// The parameter with the first date.
    pub from: String,
    /// The parameter with the last date; today if it was not given.
    pub to: String,
    /// What becomes of a range that is longer than a month; nothing if it may be of any length.
    pub longer: Option<Longer>,
    /// Where a range without a first date begins; a month before its end if there is none.
    pub open: Option<Open>,
    /// When a date that is required may be missing, and is today.
    pub today: Option<Today>,
    /// The time zone of what has no offset: the call and the pointer.
    pub zone: Option<(usize, String)>,
}

/// What becomes of a range of dates that is longer than a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Longer {
    /// The first date moves to a month before the last one.
    Cut,
    /// A call is made for each month of it.
    Split,
}

/// Where a range without a first date begins: at the latest of these.
#[derive(Debug)]
pub struct Open {
    /// The numeric option with how many months before the last date.
    pub months: String,
    /// A moment of an earlier answer: the call and the pointer.
    pub after: Option<(usize, String)>,
}

/// When a date that is required may be missing, and is today.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Today {
    /// The parameter.
    pub parameter: String,
    /// It is one of these.
    pub is: Vec<Value>,
}

/// The parameter that proves that the caller may use an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The parameter.
    pub parameter: String,
    /// The name of the site's token that it is to be.
    pub site: String,
}

/// What equal requests of one caller do that come while the first is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlapping {
    /// What the server does for operations of this effect.
    #[default]
    #[serde(skip)]
    AsUsual,
    /// They get the answer of the first.
    Join,
    /// Each is served.
    Run,
}

/// How an operation is answered.
#[derive(Debug)]
pub enum Service {
    /// From v2.
    Plan {
        /// The v2 calls.
        plan: Plan,
        /// The index of the view in the catalog.
        view: usize,
    },
    /// Always with this named error: nothing in v2 serves it.
    Refused {
        /// The name of the error.
        error: String,
        /// The view that v1 had.
        view: usize,
    },
    /// Not yet by the shim.
    NotServed(Replacement),
}

/// What replaces an operation that the shim does not serve.
#[derive(Debug)]
pub struct Replacement {
    /// The v2 requests; empty if there is none.
    pub requests: Vec<(Method, String)>,
    /// True if several of them, or one for each item, are needed.
    pub composite: bool,
    /// The title of the description that has them.
    pub source: String,
}

/// A parameter of an operation.
#[derive(Debug)]
pub struct Parameter {
    /// The v1 name.
    pub name: String,
    /// The index of its mapping in the catalog and of its part there; `None` in operations that
    /// the shim does not serve.
    pub field: Option<(usize, usize)>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The call at this index of the plan sends it in its document.
    SentBy(usize),
    /// A path, a query, a body or a condition uses it.
    Used,
    /// Nothing in v2 takes it, for this reason.
    Dropped(String),
    /// The operation is not served.
    Unknown,
}

impl Operation {
    /// The operation as it is served under a site's choices.
    pub fn under(&self, options: &Options) -> &Self {
        let is_chosen = |(name, value): &(String, _)| options.get(name) == Some(value);
        let mut variants = self.variants.iter();
        let variant = variants.find(|variant| variant.options.iter().all(is_chosen));
        variant.map_or(self, |variant| &variant.operation)
    }

    /// True if the shim answers it from v2.
    pub fn is_served(&self) -> bool {
        !matches!(self.service, Service::NotServed(_))
    }

    /// True if something of a request may be remembered for the next one: where the pages of a list
    /// begin, or how far a write came.
    pub fn may_remember(&self) -> bool {
        let calls = self.plan().map(|plan| plan.calls.as_slice());
        let mut calls = calls.unwrap_or_default().iter();
        calls.any(|call| call.pages.is_some() || !call.method.is_read())
    }

    /// The v2 calls, if it is answered from v2.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.service {
            Service::Plan { plan, .. } => Some(plan),
            Service::Refused { .. } | Service::NotServed(_) => None,
        }
    }

    /// The v2 requests that serve or replace it, each once, in the order of the plan.
    pub fn v2_requests(&self) -> Vec<(Method, &str)> {
        let mut requests: Vec<(Method, &str)> = Vec::new();
        let mut add = |method, path| {
            if !requests.contains(&(method, path)) {
                requests.push((method, path));
            }
        };
        match &self.service {
            Service::Plan { plan, .. } => {
                { plan.calls.iter() }
                    .filter(|call| !call.is_for_disputes())
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

    /// The same as a text: `GET /users/{userId}, PATCH /users/{userId}`; `nothing` if there are none.
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
