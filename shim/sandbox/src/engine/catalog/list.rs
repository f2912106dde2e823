//! Lists as data: source, filter, order and page of their entries.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Behaviour;
use crate::engine::template::{Conditions, View};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// The collection of the entries.
    pub(in crate::engine) of: Option<String>,
    /// Number of generated entries, each with its `n` from 0 and a `person`. With `of`: generated
    /// only when the collection has no entry.
    pub(in crate::engine) repeat: Option<String>,
    /// The position of the first person.
    pub(in crate::engine) people: Option<String>,
    /// A behaviour that yields the entries.
    pub(in crate::engine) from: Option<Behaviour>,
    /// Answers the one entry whose first template equals the second, in the key of a list.
    pub(in crate::engine) single: Option<(String, String)>,
    #[serde(rename = "where", default)]
    pub(in crate::engine) filter: Conditions,
    /// More conditions, by a parameter of the query and its value.
    #[serde(default)]
    pub(in crate::engine) cases: BTreeMap<String, BTreeMap<String, Conditions>>,
    pub(in crate::engine) dates: Option<Dates>,
    /// The member to sort by, highest values first.
    pub(in crate::engine) newest: Option<String>,
    /// The member of the answer that holds the list.
    pub(in crate::engine) entries: String,
    /// The document of an entry; left out: the object as it is.
    pub(in crate::engine) entry: Option<View>,
    /// The members that describe the page. Without `next_page_token` the answer has all entries.
    pub(in crate::engine) page: Vec<String>,
    /// Further members of the answer; `all` is the list before paging.
    #[serde(default)]
    pub(in crate::engine) extra: Map<String, Value>,
    /// The member of the answer that list and page are nested in.
    pub(in crate::engine) within: Option<String>,
}

/// A range of days by the parameters `from` and `to`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Dates {
    /// The member of an entry that must be in the range. Default: no filter.
    pub(in crate::engine) on: Option<String>,
    /// Parameters of the query that switch the range off, by value: `type = ["live"]`.
    #[serde(default)]
    pub(in crate::engine) unless: BTreeMap<String, Vec<String>>,
    /// Cuts a longer range to its last month; a missing end is today. Default true.
    #[serde(default = "yes")]
    pub(in crate::engine) month: bool,
    /// Answers `from` and `to`.
    #[serde(default)]
    pub(in crate::engine) shown: bool,
}

fn yes() -> bool {
    true
}
