//! The v2 calls of a plan.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        error_pattern::ErrorPattern,
        option::{Amount, OptionValue},
        place::pointer,
        protocol::Subject,
        wanted::Test,
    },
    condition::{Check, Compared, Condition},
};
use crate::{exchange::Method, template::Template};

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
    /// The members of which one repeats the last id of the path or, if the path has none, the
    /// subject. A 2xx that has some of them and repeats it in none is a failure.
    pub names: Vec<String>,
    /// What failures mean; the first that fits counts. One that none fits fails the operation.
    pub on: Vec<On>,
    /// What the call is for.
    pub note: Option<String>,
    /// Said when the site's choice leaves the call out.
    pub omitted: Option<String>,
    /// The fields that are missing then, or if it fails, if other than those of the document.
    pub omits: Vec<String>,
    /// Members and what is said of them, as warnings, once the call is made. In strict mode the
    /// operation fails instead.
    pub warns: BTreeMap<String, String>,
    /// v2's rate label: light, medium, heavy or resource-intensive.
    pub label: String,
    /// The granular OAuth scope that it needs.
    pub scope: String,
    /// Scopes that suffice in its place: classic ones, which apps from before 2024 have, and those of
    /// master accounts.
    pub or_scopes: Vec<String>,
    /// A harmless request to its endpoint.
    pub probe: Option<Probe>,
    /// The title of the description that has the endpoint.
    pub source: String,
}

/// A read that needs no id of the account, to find out whether v2 answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The path below v2's base.
    pub path: String,
    /// The query; the value `{today}` is the date of the day.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
}

impl Probe {
    /// True if this is a request to an endpoint that only reads: `GET /users/{userId}`.
    pub(crate) fn is_of(&self, request: &str) -> bool {
        let is_of = |(template, segment): (&str, &str)| {
            !segment.contains(['{', '?', '#', '%'])
                && (template.starts_with('{') || template == segment)
        };
        request.strip_prefix("GET ").is_some_and(|template| {
            let mut segments = template.split('/').zip(self.path.split('/'));
            template.matches('/').count() == self.path.matches('/').count() && segments.all(is_of)
        })
    }
}

/// What a failure of a call means.
#[derive(Clone, Debug)]
pub struct On {
    /// The failures.
    pub v2: ErrorPattern,
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
    /// If an equal request lost the answer to this call and v2 shows that it was done for that one, it
    /// is done; else the next row that fits counts.
    Resume(Evidence),
    /// What is asked for exists: nothing is written, and the answer shows it.
    Answer,
    /// The answer counts as a list without entries.
    Empty,
}

/// How v2 shows that it did a call whose answer was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The call of the plan that reads what was created; of one that reads a list, the entry that
    /// passes its tests.
    pub call: String,
    /// Where that has the time of creation, if v2 shows one.
    pub created: Option<String>,
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
        /// The subject whose id fills it, if any.
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// The name of the list.
    #[serde(rename = "name", default)]
    pub list: String,
    /// Where its entries stand.
    #[serde(deserialize_with = "pointer")]
    pub at: String,
    /// The document that each entry is.
    pub document: String,
    /// What an entry must be to count.
    #[serde(rename = "where", default)]
    pub only: Vec<Test>,
}

/// How a paged v2 list is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// The name of the list.
    #[serde(rename = "name", default)]
    pub list: String,
    /// How it is walked through.
    #[serde(default)]
    pub mode: PageMode,
    /// Where the page's items stand.
    #[serde(deserialize_with = "pointer")]
    pub items: String,
    /// The document that each item is.
    pub document: String,
    /// The parameter, v2's query parameter and v2's member with the page's number.
    #[serde(default)]
    pub number: String,
    /// The parameter and v2's query parameter with the page's size.
    #[serde(default)]
    pub size: String,
    /// v2's query parameter and v2's member with the token of the next page.
    pub token: String,
    /// v2's member with the number of all records.
    #[serde(default)]
    pub total: String,
    /// v2's member with the number of pages.
    #[serde(default)]
    pub count: String,
    /// The most requests for a list that is read as a whole.
    #[serde(default = "Pages::most")]
    pub most: Amount,
    /// What an entry must be to count.
    #[serde(rename = "where", default)]
    pub only: Vec<Test>,
}

/// How a paged list is walked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageMode {
    /// By number, and by tokens where v2 does not honour the number.
    #[default]
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

impl Call {
    /// True if a failure may leave its part out of the answer instead of failing the operation.
    pub fn may_fail(&self) -> bool {
        self.on.iter().any(|on| on.then == Then::Omit)
    }

    /// True if only [`Then::Resume`] makes it: the course of the plan never needs it.
    pub fn is_for_disputes(&self) -> bool {
        self.when.iter().any(|condition| condition.disputed)
    }

    /// v2's codes of failures that mean this.
    pub fn codes(&self, then: &Then) -> Vec<i64> {
        let on = self.on.iter().filter(|on| on.then == *then);
        on.flat_map(|on| on.v2.codes.iter().copied()).collect()
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

    /// What the entries of its list are to be.
    pub fn entry_tests(&self) -> &[Test] {
        let items = self.items.as_ref().map(|items| &items.only);
        let pages = self.pages.as_ref().map(|pages| &pages.only);
        items.or(pages).map_or(&[], Vec::as_slice)
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

impl Call {
    /// True if the parameter names what the call is about, or what its answer is to be about: it is
    /// not sent in the call's document then.
    pub(in super::super) fn names(&self, parameter: &str) -> bool {
        self.path.iter().any(|segment| match segment {
            Segment::Filled {
                by: Filling::Parameters(names),
                ..
            } => names.iter().any(|name| name == parameter),
            _ => false,
        })
    }

    /// True if a check compares the parameter with the call's answer.
    pub(in super::super) fn compares(&self, parameter: &str) -> bool {
        self.checks.iter().any(|check| match &check.compared {
            Compared::Parameter(name, _) => name == parameter,
            Compared::Member(..) | Compared::Subject(_) => false,
        })
    }

    /// True if the call uses the parameter otherwise than in its document.
    pub(in super::super) fn uses(&self, parameter: &str) -> bool {
        let condition = |condition: &Condition| {
            let test = condition.parameter.as_ref();
            test.is_some_and(|(name, _)| name == parameter)
        };
        let pages = |pages: &Pages| {
            let is_chosen = pages.mode != PageMode::All;
            is_chosen && (pages.number == parameter || pages.size == parameter)
        };
        let elements = |each: &Each| matches!(&each.of, Several::Elements { parameter: name, .. } if name == parameter);
        self.names(parameter)
            || self.compares(parameter)
            || self.file.as_deref() == Some(parameter)
            || self.placeholders().any(|name| name == parameter)
            || self
                .tests()
                .any(|test| test.wanted.parameter() == Some(parameter))
            || self.when.iter().any(condition)
            || self.pages.as_ref().is_some_and(pages)
            || self.each.as_ref().is_some_and(elements)
    }

    /// The placeholders of its query and of its body.
    pub(in super::super) fn placeholders(&self) -> impl Iterator<Item = &str> {
        let query = self.query.iter().map(|(_, template)| template);
        let body = self.body.iter().flat_map(BodyTemplate::templates);
        query.chain(body).flat_map(Template::names)
    }

    /// What entries of its lists are to be.
    fn tests(&self) -> impl Iterator<Item = &Test> {
        let each = self.each.iter().flat_map(|each| &each.only);
        self.entry_tests().iter().chain(each)
    }

    /// The earlier calls whose answers the call looks at.
    pub(in super::super) fn looks_at(&self, earlier: &[Self]) -> Vec<usize> {
        let in_path = self.path.iter().filter_map(|segment| match segment {
            Segment::Filled {
                by: Filling::Answer(call, _),
                ..
            } => Some(*call),
            _ => None,
        });
        let answers = self.when.iter().filter_map(|when| when.answer.as_ref());
        let in_templates = self.placeholders().filter_map(|name| {
            let (of, _) = name.split_once(':')?;
            earlier.iter().position(|call| call.name == of)
        });
        in_path
            .chain(answers.map(|test| test.call))
            .chain(in_templates)
            .collect()
    }
}

impl Pages {
    /// How many requests a list takes at most that is read as a whole, unless a plan says otherwise.
    pub(in super::super) fn most() -> Amount {
        Amount::Fixed(20)
    }
}

impl BodyTemplate {
    /// The texts with placeholders.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Object(members) => members
                .iter()
                .flat_map(|(_, value)| value.templates())
                .collect(),
            Self::Array(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Text(template) => vec![template],
            Self::Value(_) => Vec::new(),
        }
    }
}

impl TryFrom<Value> for BodyTemplate {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(&text)?),
            Value::Array(items) => {
                let items = items.into_iter().map(Self::try_from);
                Self::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let members = members.into_iter();
                let members = members.map(|(name, value)| Ok((name, value.try_into()?)));
                Self::Object(members.collect::<Result<_, String>>()?)
            }
            other => Self::Value(other),
        })
    }
}

impl On {
    /// True if every failure that fits `other` fits this one too.
    pub(in super::super) fn covers(&self, other: &Self) -> bool {
        let is_certain = self.options.is_empty() && !matches!(self.then, Then::Resume(_));
        is_certain && self.v2.covers(&other.v2)
    }
}
