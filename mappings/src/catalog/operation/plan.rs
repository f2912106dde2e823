//! Plans: the v2 calls of an operation, and the lists that are made of what they read.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::{
    super::{
        place::{ITEM, PAGE, Place, Pointer},
        wanted::Test,
    },
    call::Call,
};
use crate::template::Template;

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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The name of the other list.
    pub list: String,
    /// The keys here and there; the first that match count.
    #[serde(deserialize_with = "keys")]
    pub on: Vec<(String, String)>,
    /// Entries of the other list that are left are added at the end.
    #[serde(default)]
    pub rest: bool,
}

/// One pair of pointers, or several.
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

    /// True if something of the plan fills a place.
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

    /// True if the plan has documents of a name.
    pub(crate) fn reads(&self, document: &str) -> bool {
        let mut lists = self.calls.iter().filter_map(Call::list);
        let mut calls = self.calls.iter();
        document == ITEM
            || calls.any(|call| call.reads.as_deref() == Some(document))
            || lists.clone().any(|(_, _, known)| known == document)
            || (document == PAGE
                && (lists.next().is_some() || self.lists.iter().any(|list| list.page.is_some())))
    }

    /// True if the plan uses the parameter otherwise than in a document.
    pub(in super::super) fn uses(&self, parameter: &str) -> bool {
        let list = |list: &List| {
            let mut tests = list.keep.iter();
            let page = list.page.as_ref();
            tests.any(|test| test.wanted.parameter() == Some(parameter))
                || page.is_some_and(|(number, size)| number == parameter || size == parameter)
        };
        self.calls.iter().any(|call| call.uses(parameter)) || self.lists.iter().any(list)
    }
}
