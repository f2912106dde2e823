//! The v2 calls of a plan.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        error_pattern::ErrorPattern,
        option::{Amount, OptionValue},
        place::pointer,
        predicate::Test,
        protocol::Subject,
    },
    condition::{Check, Compared, Condition},
};
use crate::{
    exchange::{Method, RateLabel},
    template::Template,
};

/// One v2 call of a plan.
#[derive(Debug)]
pub struct Call {
    /// Name in the plan.
    pub name: String,
    /// HTTP method.
    pub method: Method,
    /// Path with placeholders, as in v2's documentation.
    pub template: std::sync::Arc<str>,
    /// Parsed path.
    pub path: Vec<Segment>,
    /// Query parameters, in order.
    pub query: Vec<(String, Template)>,
    /// Fixed part of the body.
    pub body: Option<BodyTemplate>,
    /// Document sent in the body, and the pointer where it is placed.
    pub sends: Option<(String, String)>,
    /// Parameter whose uploaded file is the body.
    pub file: Option<String>,
    /// Document name of the response.
    pub reads: Option<String>,
    /// List in the response.
    pub items: Option<Items>,
    /// Paged list in the response.
    pub pages: Option<Pages>,
    /// Fan-out: the call is made once per item.
    pub each: Option<Each>,
    /// Pointer to the subject of later calls in the response.
    pub subject: Option<String>,
    /// Parameters that fill subject placeholders of error texts when no path does.
    pub about: BTreeMap<String, String>,
    /// Indexes of the calls to wait for.
    pub after: Vec<usize>,
    /// Indexes in [`Plan::lists`] of the lists to wait for.
    pub(crate) after_lists: Vec<usize>,
    /// Alternative conditions; the call is unconditional if empty.
    pub when: Vec<Condition>,
    /// True if the response is needed by later calls, conditions or date ranges.
    pub(crate) keeps: bool,
    /// Checks of the response.
    pub checks: Vec<Check>,
    /// Pointers to members that a 2xx response must contain.
    pub needs: Vec<String>,
    /// Pointers to members one of which must repeat the last id of the path, or the subject if the
    /// path has none. A 2xx response that has such members and repeats the id in none of them is a
    /// failure.
    pub names: Vec<String>,
    /// Meanings of failures; the first match applies. Other failures fail the operation.
    pub on: Vec<On>,
    /// Purpose of the call.
    pub note: Option<String>,
    /// Warning if an option disables the call.
    pub omitted: Option<String>,
    /// Fields lost when the call is skipped or fails, if not those of its document.
    pub omits: Vec<String>,
    /// Members with a warning to issue after the call. In strict mode the operation fails instead.
    pub warns: BTreeMap<String, String>,
    /// v2's rate label.
    pub label: RateLabel,
    /// Required granular OAuth scope.
    pub scope: String,
    /// Scopes accepted instead: classic ones of apps from before 2024, and those of master
    /// accounts.
    pub or_scopes: Vec<String>,
    /// Read-only request to the endpoint.
    pub probe: Option<Probe>,
    /// Title of the source document.
    pub source: String,
}

/// Read that needs no id of the account; shows whether v2 accepts the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Path below v2's base URL.
    pub path: String,
    /// Query; the value `{today}` stands for today's date.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
}

impl Probe {
    /// True if this is a request to `request`, which must be a read such as `GET /users/{userId}`.
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

/// Meaning of a failure of a call.
#[derive(Clone, Debug)]
pub struct On {
    /// Matching failures.
    pub v2: ErrorPattern,
    /// Option values under which the entry applies.
    pub options: Vec<(String, OptionValue)>,
    /// Effect of the failure.
    pub then: Then,
}

/// Effect of a call's failure on the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The operation fails.
    Fail,
    /// Omit the part with a warning; reads in strict mode fail.
    Omit,
    /// Omit the part silently.
    Skip,
    /// The requested state exists already; the call counts as done.
    Done,
    /// Done if an identical earlier request lost the response to this call and v2 has the result;
    /// otherwise the next matching entry applies.
    Resume(Evidence),
    /// The requested object exists: write nothing and return it.
    Answer,
    /// Treat the response as an empty list.
    Empty,
}

/// Evidence that v2 executed a call whose response was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Call of the plan that reads the created object; if it reads a list, the entry that passes
    /// its tests.
    pub call: String,
    /// Pointer to the creation time, if v2 returns one.
    pub created: Option<String>,
}

/// Path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Literal text.
    Literal(String),
    /// Placeholder.
    Filled {
        /// Name of the placeholder.
        placeholder: String,
        /// Source of the value.
        by: Filling,
        /// Subject whose id fills it, if any.
        kind: Option<Subject>,
    },
}

/// Source of a path placeholder's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Subject of the operation or of the list entry.
    Subject,
    /// First given parameter of these.
    Parameters(Vec<String>),
    /// Member of an earlier response: call and pointer.
    Answer(usize, String),
    /// Pointer to a member of the current entry.
    Item(String),
    /// Current element.
    Element,
}

/// Fixed part of a body, with placeholders in its strings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub enum BodyTemplate {
    /// JSON object.
    Object(Vec<(String, BodyTemplate)>),
    /// JSON array.
    Array(Vec<BodyTemplate>),
    /// String with placeholders.
    Text(Template),
    /// Any other value.
    Value(Value),
}

/// List in a response.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// Name of the list.
    #[serde(rename = "name", default)]
    pub list: String,
    /// Pointer to the entries.
    #[serde(deserialize_with = "pointer")]
    pub at: String,
    /// Document name of the entries.
    pub document: String,
    /// Filter for entries.
    #[serde(rename = "where", default)]
    pub only: Vec<Test>,
}

/// Pagination of a v2 list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Name of the list.
    #[serde(rename = "name", default)]
    pub list: String,
    /// Pagination mode.
    #[serde(default)]
    pub mode: PageMode,
    /// Pointer to the page's items.
    #[serde(deserialize_with = "pointer")]
    pub items: String,
    /// Document name of the items.
    pub document: String,
    /// v1 parameter, v2 query parameter and v2 member with the page number.
    #[serde(default)]
    pub number: String,
    /// v1 parameter and v2 query parameter with the page size.
    #[serde(default)]
    pub size: String,
    /// v2 query parameter and member with the token of the next page.
    pub token: String,
    /// v2 member with the total number of records.
    #[serde(default)]
    pub total: String,
    /// v2 member with the number of pages.
    #[serde(default)]
    pub count: String,
    /// Maximum number of requests in mode [`PageMode::All`].
    #[serde(default = "Pages::most")]
    pub most: Amount,
    /// Filter for entries.
    #[serde(rename = "where", default)]
    pub only: Vec<Test>,
}

/// Pagination mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageMode {
    /// Page numbers; cursors where v2 ignores the number.
    #[default]
    Number,
    /// Cursors.
    Token,
    /// All pages form one list.
    All,
}

/// Fan-out of a call: one request per item.
#[derive(Debug)]
pub struct Each {
    /// Items.
    pub of: FanOut,
    /// Pointer to the subject in an entry.
    pub subject: Option<String>,
    /// Filter for entries.
    pub only: Vec<Test>,
    /// Named error if no entry passes the filter.
    pub otherwise: Option<String>,
    /// Run the requests sequentially.
    pub one_by_one: bool,
}

/// Items of a fan-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FanOut {
    /// Entries of a list.
    Entries {
        /// Name of the list.
        list: String,
    },
    /// Elements of a parameter.
    Elements {
        /// Name of the parameter.
        parameter: String,
        /// Elements per request.
        batch: usize,
    },
    /// Months of the operation's date range, the latest first.
    Windows,
}

impl Call {
    /// True if a failure may omit its part of the response instead of failing the operation.
    pub fn may_fail(&self) -> bool {
        self.on.iter().any(|on| on.then == Then::Omit)
    }

    /// True if the call is made for [`Then::Resume`] only; the plan never needs it otherwise.
    pub fn is_verification(&self) -> bool {
        self.when.iter().any(|condition| condition.verification)
    }

    /// v2 error codes with this effect.
    pub fn codes(&self, then: &Then) -> Vec<i64> {
        let on = self.on.iter().filter(|on| on.then == *then);
        on.flat_map(|on| on.v2.codes.iter().copied()).collect()
    }

    /// Name, pointer and entry document of the list in the response.
    pub fn list(&self) -> Option<(&str, &str, &str)> {
        let items = self.items.as_ref();
        let items = items.map(|items| (&items.list, &items.at, &items.document));
        let pages = self.pages.as_ref();
        let pages = pages.map(|pages| (&pages.list, &pages.items, &pages.document));
        let (list, at, document) = items.or(pages)?;
        Some((list, at, document))
    }

    /// Filters of the entries of its list.
    pub fn entry_tests(&self) -> &[Test] {
        let items = self.items.as_ref().map(|items| &items.only);
        let pages = self.pages.as_ref().map(|pages| &pages.only);
        items.or(pages).map_or(&[], Vec::as_slice)
    }

    /// Name of the list that the call produces. `None` for calls made per entry of another list:
    /// their lists become part of these entries.
    pub fn makes_list(&self) -> Option<&str> {
        let (list, _, _) = self.list()?;
        self.each_of().is_none().then_some(list)
    }

    /// Name of the list that the call fans out over.
    pub fn each_of(&self) -> Option<&str> {
        match &self.each.as_ref()?.of {
            FanOut::Entries { list } => Some(list),
            FanOut::Elements { .. } | FanOut::Windows => None,
        }
    }

    /// True if the path contains the subject's id.
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
    /// True if the parameter identifies an object in the path; it is then not sent in the document.
    pub(in super::super) fn names(&self, parameter: &str) -> bool {
        self.path.iter().any(|segment| match segment {
            Segment::Filled {
                by: Filling::Parameters(names),
                ..
            } => names.iter().any(|name| name == parameter),
            _ => false,
        })
    }

    /// True if a check compares the parameter with the response.
    pub(in super::super) fn compares(&self, parameter: &str) -> bool {
        self.checks.iter().any(|check| match &check.compared {
            Compared::Parameter(name, _) => name == parameter,
            Compared::Member(..) | Compared::Subject(_) => false,
        })
    }

    /// True if the call uses the parameter outside its document.
    pub(in super::super) fn uses(&self, parameter: &str) -> bool {
        let condition = |condition: &Condition| {
            let test = condition.parameter.as_ref();
            test.is_some_and(|(name, _)| name == parameter)
        };
        let pages = |pages: &Pages| {
            let is_chosen = pages.mode != PageMode::All;
            is_chosen && (pages.number == parameter || pages.size == parameter)
        };
        let elements = |each: &Each| matches!(&each.of, FanOut::Elements { parameter: name, .. } if name == parameter);
        self.names(parameter)
            || self.compares(parameter)
            || self.file.as_deref() == Some(parameter)
            || self.placeholders().any(|name| name == parameter)
            || self
                .tests()
                .any(|test| test.predicate.parameter() == Some(parameter))
            || self.when.iter().any(condition)
            || self.pages.as_ref().is_some_and(pages)
            || self.each.as_ref().is_some_and(elements)
    }

    /// Placeholders of the query and the body.
    pub(in super::super) fn placeholders(&self) -> impl Iterator<Item = &str> {
        let query = self.query.iter().map(|(_, template)| template);
        let body = self.body.iter().flat_map(BodyTemplate::templates);
        query.chain(body).flat_map(Template::names)
    }

    /// Filters of its lists.
    fn tests(&self) -> impl Iterator<Item = &Test> {
        let each = self.each.iter().flat_map(|each| &each.only);
        self.entry_tests().iter().chain(each)
    }

    /// Indexes of the earlier calls whose responses the call uses.
    pub(in super::super) fn dependencies(&self, earlier: &[Self]) -> Vec<usize> {
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
    /// Default of [`Pages::most`].
    pub(in super::super) fn most() -> Amount {
        Amount::Fixed(20)
    }
}

impl BodyTemplate {
    /// All strings with placeholders.
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
    /// True if every failure that matches `other` also matches `self`.
    pub(in super::super) fn covers(&self, other: &Self) -> bool {
        let is_certain = self.options.is_empty() && !matches!(self.then, Then::Resume(_));
        is_certain && self.v2.covers(&other.v2)
    }
}
