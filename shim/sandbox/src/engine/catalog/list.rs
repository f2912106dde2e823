//! Lists as data: source, filter, order and pagination.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Behaviour;
use crate::engine::template::{Conditions, View};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Collection of the entries.
    pub(in crate::engine) of: Option<String>,
    /// Number of generated entries, each with its `n` from 0 and a `person`. With `of`, entries are
    /// generated only if the collection has none.
    pub(in crate::engine) repeat: Option<String>,
    /// Position of the first person.
    pub(in crate::engine) people: Option<String>,
    /// Behaviour that provides the entries.
    pub(in crate::engine) from: Option<Behaviour>,
    /// Returns the single entry whose first template equals the second, instead of a list.
    pub(in crate::engine) single: Option<(String, String)>,
    #[serde(rename = "where", default)]
    pub(in crate::engine) filter: Conditions,
    /// Additional conditions by query parameter and value.
    #[serde(default)]
    pub(in crate::engine) cases: BTreeMap<String, BTreeMap<String, Conditions>>,
    pub(in crate::engine) dates: Option<Dates>,
    /// Sort key, in descending order.
    pub(in crate::engine) newest: Option<String>,
    /// Member of the response with the list.
    pub(in crate::engine) entries: String,
    /// View of an entry; the stored object if `None`.
    pub(in crate::engine) entry: Option<View>,
    /// Pagination members. Without `next_page_token` the response has all entries.
    pub(in crate::engine) page: Vec<String>,
    /// Additional members of the response; `all` is the unpaginated list.
    #[serde(default)]
    pub(in crate::engine) extra: Map<String, Value>,
    /// Member of the response in which list and pagination are nested.
    pub(in crate::engine) within: Option<String>,
}

/// Date range of the parameters `from` and `to`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Dates {
    /// Date member of an entry to filter by. Default: no filter.
    pub(in crate::engine) on: Option<String>,
    /// Parameter values that disable the range: `type = ["live"]`.
    #[serde(default)]
    pub(in crate::engine) unless: BTreeMap<String, Vec<String>>,
    /// Limit the range to its last month; the end defaults to today. Default true.
    #[serde(default = "yes")]
    pub(in crate::engine) month: bool,
    /// Return `from` and `to`.
    #[serde(default)]
    pub(in crate::engine) shown: bool,
}

fn yes() -> bool {
    true
}
