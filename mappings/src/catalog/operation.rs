//! Operations, their plans and the shapes of their answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Location,
    field::Place,
    protocol::Rule,
    reading::{Reading, Source},
};
use crate::{exchange::Method, template::Template};

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
    /// The parameters that name the user it is about; the first given one wins.
    pub subject: Vec<String>,
    /// Fixed values that the calls of its plan have placeholders for.
    pub constants: BTreeMap<String, String>,
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
    /// Where the operation is written.
    pub location: Location,
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

/// The v2 calls of an operation and what each waits for.
#[derive(Debug)]
pub struct Plan {
    /// The calls; each comes after those that it waits for.
    pub calls: Vec<Call>,
    /// Documents that the plan cannot send, and why.
    pub unsent: BTreeMap<String, String>,
}

/// One v2 call of a plan.
#[derive(Debug)]
pub struct Call {
    /// Its name in the plan.
    pub name: String,
    /// The method.
    pub method: Method,
    /// The path with its placeholders, as v2's description has it.
    pub template: std::sync::Arc<str>,
    /// The path, ready to be filled.
    pub path: Vec<Segment>,
    /// Query parameters, in order.
    pub query: Vec<(String, Template)>,
    /// The fixed part of the body.
    pub body: Option<BodyTemplate>,
    /// The document that the body carries, and the pointer where it stands.
    pub sends: Option<(String, String)>,
    /// The parameter whose file is the body.
    pub file: Option<String>,
    /// The document that the answer is.
    pub reads: Option<String>,
    /// The answer holds a list: where, and the document that each item is.
    pub items: Option<(String, String)>,
    /// The answer is a page of a list.
    pub pages: Option<Pages>,
    /// Made once for each item of an earlier call.
    pub each: Option<Each>,
    /// Where the answer names the subject of the calls that follow.
    pub subject: Option<String>,
    /// The calls that it waits for.
    pub after: Vec<usize>,
    /// When it is made: if any of these holds; always if there is none.
    pub when: Vec<Condition>,
    /// A failure leaves its part out of the answer instead of failing the operation.
    pub omit_on_failure: bool,
    /// v2 codes that are no surprise then.
    pub expected: Vec<i64>,
    /// v2 codes that fail the operation all the same.
    pub decisive: Vec<i64>,
    /// Errors (code and part of the message) that mean that what was asked is so already.
    pub done: Vec<(i64, String)>,
    /// v2 codes after which an unfinished earlier request is taken up.
    pub resumes: Vec<i64>,
    /// What the answer must hold.
    pub expects: Option<Expectation>,
    /// What the call is for.
    pub note: Option<String>,
    /// Said when the site's choice leaves the call out.
    pub omitted: Option<String>,
    /// The fields that are missing then, if other than those of the document.
    pub omits: Vec<String>,
    /// v2's rate label: light, medium, heavy or resource-intensive.
    pub label: String,
    /// The OAuth scope that it needs.
    pub scope: String,
    /// The title of the description that has the endpoint.
    pub source: String,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// As it stands.
    Literal(String),
    /// The user that the operation, or the item, is about.
    Subject,
    /// A parameter.
    Parameter(String),
    /// A member of the item that the call is made for.
    Item(String),
}

/// The fixed part of a body, with placeholders in its texts.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyTemplate {
    /// An object.
    Object(Vec<(String, BodyTemplate)>),
    /// An array.
    Array(Vec<BodyTemplate>),
    /// A text with placeholders.
    Text(Template),
    /// Any other value.
    Value(Value),
}

/// How a paged v2 list is read.
#[derive(Debug)]
pub struct Pages {
    /// Where the page's items stand.
    pub items: String,
    /// The document that each item is.
    pub document: String,
    /// The query parameter and the member with the page's number.
    pub number: String,
    /// The query parameter with the page's size.
    pub size: String,
    /// The query parameter and the member with the token of the next page.
    pub token: String,
    /// The member with the number of all records.
    pub total: String,
    /// The member with the number of pages.
    pub count: String,
}

/// For which items a call is made.
#[derive(Debug)]
pub struct Each {
    /// The call whose items they are.
    pub call: usize,
    /// Where an item names the subject of its call.
    pub subject: Option<String>,
    /// Only items whose text at the pointer is the parameter's value, in any case.
    pub only: Option<(String, String)>,
}

/// What must hold for a call to be made; all parts of it.
#[derive(Debug, Default)]
pub struct Condition {
    /// One of these parameters was given.
    pub given: Vec<String>,
    /// One of these parameters was not given.
    pub missing: Vec<String>,
    /// No other call has anything to do.
    pub nothing_else: bool,
    /// The site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// What an earlier call found.
    pub state: Option<State>,
    /// A stored value of this document decides what is sent.
    pub current: Option<String>,
    /// The earlier call found no more items than these.
    pub entries_at_most: Option<usize>,
}

/// What an earlier call found.
#[derive(Debug)]
pub struct State {
    /// The call.
    pub call: usize,
    /// The JSON pointer in its answer.
    pub at: String,
    /// The text there.
    pub text: String,
    /// Whether it is to be that text or any other, or none at all.
    pub is: bool,
}

/// A site's choice.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// A switch.
    Switch(bool),
    /// One of several.
    Choice(String),
}

/// What an answer must hold to count as one.
#[derive(Debug)]
pub struct Expectation {
    /// The parameter, if it was given, …
    pub parameter: String,
    /// … is in the array at this pointer, if there is one.
    pub among: String,
    /// The named error otherwise.
    pub otherwise: String,
}

/// The shape of a v1 answer.
#[derive(Debug)]
pub struct View {
    /// Its name in the catalog.
    pub name: String,
    /// Its fields, in order.
    pub members: Vec<Member>,
    /// Fields that v1 had here and v2 cannot fill.
    pub none: Vec<Unfilled>,
    /// The view of each item of its list.
    pub items: Option<usize>,
    /// What it reads.
    pub(crate) reading: Reading,
    /// Where the view is written.
    pub location: Location,
}

/// A field that v1 had in an answer and v2 cannot fill.
#[derive(Debug)]
pub struct Unfilled {
    /// The index of the mapping in the catalog and of its part there.
    pub field: (usize, usize),
    /// The v1 name.
    pub name: String,
    /// Why v2 cannot fill it.
    pub reason: String,
}

/// A field of a view.
#[derive(Debug)]
pub struct Member {
    /// The index of the mapping in the catalog and of its part there.
    pub field: (usize, usize),
    /// Where the value comes from, if other than the mapping says.
    pub from: Option<Vec<Place>>,
    /// Always v1's empty value here.
    pub empty: bool,
    /// How it begins in JSON: `,"dept":`.
    pub(crate) key: String,
    /// How it stands in JSON where v2 is not asked, or has nothing: `,"dept":""`. Empty if it is
    /// absent then.
    pub(crate) known: String,
    /// Where the value comes from, in order of preference.
    pub(crate) sources: Vec<Source>,
}

impl Operation {
    /// True if the shim answers it from v2.
    pub fn is_served(&self) -> bool {
        !matches!(self.service, Service::NotServed(_))
    }

    /// True if something of a request may be remembered for the next one: where the pages of a list
    /// begin, or how far a write came.
    pub fn may_remember(&self) -> bool {
        let calls = self.plan().map(|plan| plan.calls.as_slice());
        let mut calls = calls.unwrap_or_default().iter();
        calls.any(|call| call.pages.is_some() || !call.resumes.is_empty())
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
                plan.calls
                    .iter()
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
}
