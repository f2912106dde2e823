//! Operations, their plans and the shapes of their answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Location,
    field::Place,
    protocol::{Options, Rule, Subject},
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
    /// Where the operation is written.
    pub location: Location,
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
    /// The time zone of what has no offset: the call and the pointer.
    pub zone: Option<(usize, String)>,
}

/// What becomes of a range of dates that is longer than a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The parameter that proves that the caller may use an operation.
#[derive(Debug)]
pub struct Token {
    /// The parameter.
    pub parameter: String,
    /// The name of the site's token that it is to be.
    pub site: String,
}

/// What equal requests of one caller do that come while the first is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlapping {
    /// What the server does for operations of this effect.
    #[default]
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

/// The v2 calls of an operation and what each waits for.
#[derive(Debug, Default)]
pub struct Plan {
    /// The calls; each comes after those that it waits for.
    pub calls: Vec<Call>,
    /// The lists that are made of those that calls read, each after those that it is made of.
    pub lists: Vec<List>,
    /// Documents that the plan cannot send, and why.
    pub unsent: BTreeMap<String, String>,
    /// What a write that failed after its first call says, instead of what all say.
    pub unfinished: Option<Template>,
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
    /// The answer holds a list.
    pub items: Option<Items>,
    /// The answer is a page of a list.
    pub pages: Option<Pages>,
    /// Made once for each of several things.
    pub each: Option<Each>,
    /// Where the answer names the subject of the calls that follow.
    pub subject: Option<String>,
    /// The parameters that error texts name by kind, where no path has them.
    pub about: BTreeMap<String, String>,
    /// The calls that it waits for.
    pub after: Vec<usize>,
    /// The lists of [`Plan::lists`] that it waits for.
    pub(crate) after_lists: Vec<usize>,
    /// When it is made: if any of these holds; always if there is none.
    pub when: Vec<Condition>,
    /// Later calls, conditions or ranges of dates look at what it found.
    pub(crate) keeps: bool,
    /// What the answer must hold.
    pub checks: Vec<Check>,
    /// Members without which a 2xx is a failure.
    pub needs: Vec<String>,
    /// What failures mean; the first that fits counts. One that none fits fails the operation.
    pub on: Vec<On>,
    /// What the call is for.
    pub note: Option<String>,
    /// Said when the site's choice leaves the call out.
    pub omitted: Option<String>,
    /// The fields that are missing then, if other than those of the document.
    pub omits: Vec<String>,
    /// Members and what is said of them, as warnings, once the call is made. In strict mode the
    /// operation fails instead.
    pub warns: BTreeMap<String, String>,
    /// v2's rate label: light, medium, heavy or resource-intensive.
    pub label: String,
    /// The OAuth scope that it needs.
    pub scope: String,
    /// The title of the description that has the endpoint.
    pub source: String,
}

/// What a failure of a call means.
#[derive(Clone, Debug)]
pub struct On {
    /// The HTTP status; any if there is none.
    pub status: Option<u16>,
    /// v2's codes; any if empty.
    pub codes: Vec<i64>,
    /// A part of v2's message.
    pub message: Option<String>,
    /// Only if the site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// What it means.
    pub then: Then,
}

/// What a failure means for its operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The operation fails.
    Fail,
    /// Its part is left out of the answer, with a warning; reads in strict mode fail.
    Omit,
    /// Its part is left out of the answer, which is no surprise.
    Skip,
    /// What was asked is so already.
    Done,
    /// If an equal request lost the answer to this call and v2 shows that it was done then, it is
    /// done; else the next row that fits counts.
    Resume(Evidence),
    /// What is asked for exists: nothing is written, and the answer shows it.
    Answer,
    /// The answer counts as a list without entries.
    Empty,
}

/// How v2 shows that it did a call whose answer was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The call of the plan that reads what was created.
    pub call: String,
    /// Where its answer has the time of creation.
    pub created: String,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// As it stands.
    Literal(String),
    /// What fills a placeholder.
    Filled {
        /// The name of the placeholder.
        placeholder: String,
        /// What fills it.
        by: Filling,
        /// The subject whose id it is, if it is one's.
        kind: Option<Subject>,
    },
}

/// What fills a placeholder of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Whom or what the operation, or the entry of the list, is about.
    Subject,
    /// The first of these parameters that was given.
    Parameters(Vec<String>),
    /// A member of an earlier answer: the call and the pointer.
    Answer(usize, String),
    /// A member of the entry that the call is made for.
    Item(String),
    /// The element that the call is made for.
    Element,
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

/// A list in an answer.
#[derive(Debug)]
pub struct Items {
    /// The name of the list.
    pub list: String,
    /// Where its entries stand.
    pub at: String,
    /// The document that each entry is.
    pub document: String,
    /// What an entry must be to count.
    pub only: Vec<Test>,
}

/// How a paged v2 list is read.
#[derive(Debug)]
pub struct Pages {
    /// The name of the list.
    pub list: String,
    /// How it is walked through.
    pub mode: PageMode,
    /// Where the page's items stand.
    pub items: String,
    /// The document that each item is.
    pub document: String,
    /// The parameter, v2's query parameter and v2's member with the page's number.
    pub number: String,
    /// The parameter and v2's query parameter with the page's size.
    pub size: String,
    /// v2's query parameter and v2's member with the token of the next page.
    pub token: String,
    /// v2's member with the number of all records.
    pub total: String,
    /// v2's member with the number of pages.
    pub count: String,
    /// The most requests for a list that is read as a whole.
    pub most: Amount,
    /// What an entry must be to count.
    pub only: Vec<Test>,
}

/// A number of the catalog's, or one that the site chooses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// The catalog's.
    Fixed(usize),
    /// The choice for this option.
    Option(String),
}

impl Amount {
    /// The number; 1 at least.
    pub fn of(&self, options: &Options) -> usize {
        let number = match self {
            Self::Fixed(number) => *number,
            Self::Option(name) => {
                let chosen = options.number(name).unwrap_or_default();
                usize::try_from(chosen).unwrap_or_default()
            }
        };
        number.max(1)
    }
}

/// How a paged list is walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMode {
    /// By number, and by tokens where v2 does not honour the number.
    Number,
    /// By tokens.
    Token,
    /// All pages make one list.
    All,
}

/// What a call is made for, once for each.
#[derive(Debug)]
pub struct Each {
    /// What there are several of.
    pub of: Several,
    /// Where an entry names the subject of its call.
    pub subject: Option<String>,
    /// What an entry must be.
    pub only: Vec<Test>,
    /// The named error if there is no such entry.
    pub otherwise: Option<String>,
    /// One request after the other.
    pub one_by_one: bool,
}

/// What there are several of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Several {
    /// The entries of a list.
    Entries {
        /// The name of the list.
        list: String,
    },
    /// The elements of a parameter.
    Elements {
        /// The parameter.
        parameter: String,
        /// How many at once.
        batch: usize,
    },
    /// The months of the operation's range of dates, the latest first.
    Windows,
}

/// A list that is made of another one.
#[derive(Debug)]
pub struct List {
    /// Its name.
    pub name: String,
    /// The name of the list that it is made of.
    pub of: String,
    /// The name of a list in its entries, whose entries it has one after the other.
    pub inner: Option<String>,
    /// The calls that it waits for.
    pub after: Vec<usize>,
    /// The other lists that it waits for.
    pub after_lists: Vec<usize>,
    /// What an entry must be to stay.
    pub keep: Vec<Test>,
    /// The lists whose entries become part of those of equal keys.
    pub joins: Vec<Join>,
    /// The pointer that it is sorted by.
    pub sort: Option<String>,
    /// The largest first.
    pub descending: bool,
    /// The parameters with the number and the size of the page that is shown.
    pub page: Option<(String, String)>,
}

/// Another list whose entries become part of those of equal keys.
#[derive(Debug)]
pub struct Join {
    /// The name of the other list.
    pub list: String,
    /// The keys here and there; the first that match count.
    pub on: Vec<(String, String)>,
    /// Entries of the other list that are left are added at the end.
    pub rest: bool,
}

/// What a member of an entry is to be.
#[derive(Clone, Debug)]
pub struct Test {
    /// The document; the entry's own if there is none.
    pub document: Option<String>,
    /// The member.
    pub at: String,
    /// What it is to be.
    pub wanted: Wanted,
}

/// What a value is to be.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One of these, or none of them.
    OneOf {
        /// The values.
        values: Vec<Value>,
        /// False for none of them, which nothing at all is, too.
        is: bool,
    },
    /// Present and not null, or not so.
    Exists(bool),
    /// The value of a parameter, in any case; of an array, that one of its elements is.
    Equals(String),
    /// A moment that is not earlier than a parameter's, if it was given.
    NotBefore(String),
    /// A moment that is not later than a parameter's, if it was given.
    NotAfter(String),
}

/// What must hold for a call to be made; all parts of it.
#[derive(Debug, Default)]
pub struct Condition {
    /// One of these parameters was given.
    pub given: Vec<String>,
    /// All of these parameters were given.
    pub all_given: Vec<String>,
    /// One of these parameters was not given.
    pub missing: Vec<String>,
    /// No other call has anything to do.
    pub nothing_else: bool,
    /// The site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// A parameter has one of these values, or none of them; v1's default counts.
    pub parameter: Option<(String, Wanted)>,
    /// What an earlier call found.
    pub answer: Option<AnswerTest>,
    /// An earlier call failed with one of these v2 codes; with any if empty.
    pub error: Option<(usize, Vec<i64>)>,
    /// v2 did a write of the plan for an earlier equal request, which was left unfinished.
    pub resumed: bool,
    /// A stored value of this document decides what is sent.
    pub current: Option<String>,
    /// The list that the call is made for has no more entries than these.
    pub entries_at_most: Option<usize>,
}

/// What an earlier call found.
#[derive(Debug)]
pub struct AnswerTest {
    /// The call.
    pub call: usize,
    /// The JSON pointer in its answer.
    pub at: String,
    /// What is to be there.
    pub wanted: Wanted,
}

/// A site's choice.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// A switch.
    Switch(bool),
    /// A number.
    Number(i64),
    /// One of several.
    Choice(String),
}

/// What an answer must hold to count as one.
#[derive(Debug)]
pub struct Check {
    /// What is compared.
    pub compared: Compared,
    /// The named error otherwise.
    pub otherwise: String,
    /// Only if the site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// Says nothing if the answer lacks the members, which always passes.
    pub absent_passes: bool,
}

/// What a check compares.
#[derive(Debug)]
pub enum Compared {
    /// A parameter, if it was given, with one of these members, in any case; of an array, with one
    /// of its elements.
    Parameter(String, Vec<String>),
    /// A member with values.
    Member(String, Wanted),
    /// A member with v2's id of the subject, if an earlier answer named it.
    Subject(String),
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
    /// The view of each item of its first list.
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
    /// The view of the objects in it, if it is a list or an object.
    pub view: Option<usize>,
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

impl Call {
    /// True if a failure may leave its part out of the answer instead of failing the operation.
    pub fn may_fail(&self) -> bool {
        self.on.iter().any(|on| on.then == Then::Omit)
    }

    /// v2's codes of failures that mean this.
    pub fn codes(&self, then: &Then) -> Vec<i64> {
        let on = self.on.iter().filter(|on| on.then == *then);
        on.flat_map(|on| on.codes.iter().copied()).collect()
    }

    /// The name of the list that it reads, where the list stands, and the document that each entry
    /// is.
    pub fn list(&self) -> Option<(&str, &str, &str)> {
        let items = self.items.as_ref();
        let items = items.map(|items| (&items.list, &items.at, &items.document));
        let pages = self.pages.as_ref();
        let pages = pages.map(|pages| (&pages.list, &pages.items, &pages.document));
        let (list, at, document) = items.or(pages)?;
        Some((list, at, document))
    }

    /// The name of the list of the answer that it makes; one that is made for entries of another
    /// list makes lists in these.
    pub fn makes_list(&self) -> Option<&str> {
        let (list, _, _) = self.list()?;
        self.each_of().is_none().then_some(list)
    }

    /// The name of the list for whose entries it is made.
    pub fn each_of(&self) -> Option<&str> {
        match &self.each.as_ref()?.of {
            Several::Entries { list } => Some(list),
            Several::Elements { .. } | Several::Windows => None,
        }
    }

    /// True if its path has the id of what the operation is about.
    pub fn is_about_subject(&self) -> bool {
        self.path.iter().any(|segment| {
            matches!(
                segment,
                Segment::Filled {
                    by: Filling::Subject,
                    ..
                }
            )
        })
    }
}

impl Plan {
    /// The call that makes the list for whose entries a call is made, by its number.
    pub fn list_of(&self, call: &Call) -> Option<usize> {
        let mut name = call.each_of()?;
        // A list that is made of another one has the entries of that.
        for list in self.lists.iter().rev() {
            if list.name == name {
                name = &list.of;
            }
        }
        self.calls
            .iter()
            .position(|call| call.makes_list() == Some(name))
    }
}

impl On {
    /// True if a failure fits.
    pub(crate) fn fits(&self, status: Option<u16>, code: Option<i64>, message: &str) -> bool {
        self.status.is_none_or(|wanted| status == Some(wanted))
            && (self.codes.is_empty() || code.is_some_and(|code| self.codes.contains(&code)))
            && self
                .message
                .as_ref()
                .is_none_or(|part| message.contains(part))
    }

    /// True if every failure that fits `other` fits this one too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let always = self.options.is_empty() && !matches!(self.then, Then::Resume(_));
        always
            && (self.status.is_none() || self.status == other.status)
            && (self.codes.is_empty()
                || (!other.codes.is_empty()
                    && other.codes.iter().all(|code| self.codes.contains(code))))
            && match (&self.message, &other.message) {
                (None, _) => true,
                (Some(mine), Some(theirs)) => theirs.contains(mine),
                (Some(_), None) => false,
            }
    }
}
