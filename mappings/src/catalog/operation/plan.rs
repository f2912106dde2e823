//! Plans: the v2 calls of an operation and the lists derived from their responses.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{
    super::{
        place::{ITEM, PAGE, Place, Pointer},
        predicate::Test,
    },
    call::Call,
};
use crate::template::Template;

/// The v2 calls of an operation and their dependencies.
#[derive(Debug, Default)]
pub struct Plan {
    /// Calls, in an order that satisfies their dependencies.
    pub calls: Vec<Call>,
    /// Derived lists, each after its sources.
    pub lists: Vec<List>,
    /// Documents that the plan cannot send, with the reason.
    pub unsent: BTreeMap<String, String>,
    /// Error text for a write that failed after its first call; overrides the default.
    pub unfinished: Option<Template>,
}

/// Derived list.
#[derive(Debug)]
pub struct List {
    /// Name.
    pub name: String,
    /// Name of the source list.
    pub of: String,
    /// Name of the nested list whose entries are flattened into this one.
    pub inner: Option<String>,
    /// Indexes of the calls to wait for.
    pub after: Vec<usize>,
    /// Indexes of the lists to wait for.
    pub after_lists: Vec<usize>,
    /// Filter for entries.
    pub keep: Vec<Test>,
    /// Lists that are joined into the entries.
    pub joins: Vec<Join>,
    /// Pointer of the sort key.
    pub sort: Option<String>,
    /// Sort in descending order.
    pub descending: bool,
    /// Parameters with the number and the size of the returned page.
    pub page: Option<(String, String)>,
}

/// Join: entries of another list are merged into entries with equal keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Name of the other list.
    pub list: String,
    /// Pairs of key pointers, left and right; the first matching pair is used.
    #[serde(deserialize_with = "keys")]
    pub on: Vec<(String, String)>,
    /// Append unmatched entries of the other list.
    #[serde(default)]
    pub rest: bool,
}

/// Deserializes one pair of pointers or several.
fn keys<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<(String, String)>, D::Error> {
    let mut pairs = Value::deserialize(reader)?;
    if pairs.get(0).is_some_and(Value::is_string) {
        pairs = [pairs].into_iter().collect();
    }
    let pairs: Vec<(Pointer, Pointer)> = serde_json::from_value(pairs).map_err(D::Error::custom)?;
    let pairs = pairs.into_iter().map(|(here, there)| (here.0, there.0));
    Ok(pairs.collect())
}

impl Plan {
    /// Index of the call that produces the list that `call` fans out over.
    pub fn list_of(&self, call: &Call) -> Option<usize> {
        let mut name = call.each_of()?;
        // A derived list has the entries of its source.
        for list in self.lists.iter().rev() {
            if list.name == name {
                name = &list.of;
            }
        }
        self.calls
            .iter()
            .position(|call| call.makes_list() == Some(name))
    }

    /// True if the plan can fill the place.
    pub(in super::super) fn fills(&self, place: &Place) -> bool {
        let has_list = |name: &String| {
            let mut calls = self.calls.iter().filter_map(Call::list);
            self.lists.iter().any(|list| list.name == *name)
                || calls.any(|(list, _, _)| list == name)
        };
        match place {
            Place::Document(place) | Place::Parts(place) | Place::Link(place) => {
                self.reads(&place.document)
            }
            Place::List(list) | Place::Count(list) | Place::Sum(list, _) => has_list(list),
            Place::Done(name) => self.calls.iter().any(|call| call.name == *name),
            Place::Text(template) => template.placeholders().all(|(inner, _)| {
                let document = inner.split_once(':').map(|(document, _)| document);
                document.is_some_and(|document| self.reads(document))
            }),
            Place::Given(_)
            | Place::Clock
            | Place::Here
            | Place::Today
            | Place::Site(_)
            | Place::RangeFrom
            | Place::RangeTo
            | Place::Elements(_)
            | Place::Option(_) => true,
        }
    }

    /// True if the plan reads this document.
    pub(crate) fn reads(&self, document: &str) -> bool {
        let mut lists = self.calls.iter().filter_map(Call::list);
        let mut calls = self.calls.iter();
        document == ITEM
            || calls.any(|call| call.reads.as_deref() == Some(document))
            || lists.clone().any(|(_, _, known)| known == document)
            || (document == PAGE
                && (lists.next().is_some() || self.lists.iter().any(|list| list.page.is_some())))
    }

    /// True if the plan uses the parameter outside documents.
    pub(in super::super) fn uses(&self, parameter: &str) -> bool {
        let list = |list: &List| {
            let mut tests = list.keep.iter();
            let page = list.page.as_ref();
            tests.any(|test| test.predicate.parameter() == Some(parameter))
                || page.is_some_and(|(number, size)| number == parameter || size == parameter)
        };
        self.calls.iter().any(|call| call.uses(parameter)) || self.lists.iter().any(list)
    }
}
