//! Objects by collection, in insertion order.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use time::Date;

use super::catalog::Catalog;
use super::template::{Environment, shown};

/// v2's daily limit per operation and host.
const DAILY: u32 = 100;

/// Storage of the engine.
pub(crate) struct Store {
    pub(crate) env: Environment,
    collections: BTreeMap<&'static str, Collection>,
    /// Calls by operation and host on the day of the last call.
    daily: (Option<Date>, HashMap<(String, String), u32>),
    /// Webhook events of the current request: names and objects.
    pub(crate) events: Vec<(String, Value)>,
}

#[derive(Default)]
pub(crate) struct Collection {
    objects: BTreeMap<u64, Value>,
    last: u64,
}

/// Identifies an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObjectKey {
    pub(crate) collection: &'static str,
    pub(crate) number: u64,
}

impl Store {
    pub(crate) fn new(env: Environment) -> Self {
        let names = Catalog::embedded().collections.keys();
        Self {
            env,
            collections: names
                .map(|name| (name.as_str(), Collection::default()))
                .collect(),
            daily: (None, HashMap::new()),
            events: Vec::new(),
        }
    }

    /// Objects of a collection with their numbers.
    pub(crate) fn all(&self, collection: &str) -> impl Iterator<Item = (u64, &Value)> {
        let collection = self.collections.get(collection);
        let objects = collection
            .into_iter()
            .flat_map(|collection| &collection.objects);
        objects.map(|(number, object)| (*number, object))
    }

    /// The object whose member equals this text; the most recently started one if there are
    /// several.
    pub(crate) fn find(
        &self,
        collection: &str,
        member: &str,
        text: &str,
    ) -> Option<(ObjectKey, &Value)> {
        self.find_where(collection, &[member.to_owned()], text, |_| true)
    }

    /// [`Store::find`] with alternative members, among the `wanted` objects.
    pub(crate) fn find_where(
        &self,
        collection: &str,
        members: &[String],
        text: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Option<(ObjectKey, &Value)> {
        let (name, collection) = self.collections.get_key_value(collection)?;
        let named = |object: &Value| {
            members
                .iter()
                .any(|member| object.get(member).is_some_and(|value| shown(value) == text))
        };
        let started = |object: &Value| object.get("start_time").map(shown);
        let objects = collection.objects.iter();
        let found = objects
            .filter(|(_, object)| named(object) && wanted(object))
            .max_by_key(|(_, object)| started(object));
        found.map(|(number, object)| {
            let key = ObjectKey {
                collection: name,
                number: *number,
            };
            (key, object)
        })
    }

    pub(crate) fn len(&self, collection: &str) -> usize {
        self.collections
            .get(collection)
            .map_or(0, |collection| collection.objects.len())
    }

    pub(crate) fn get(&self, key: ObjectKey) -> Option<&Value> {
        self.collections
            .get(key.collection)?
            .objects
            .get(&key.number)
    }

    pub(crate) fn set(&mut self, key: ObjectKey, object: Value) {
        if let Some(collection) = self.collections.get_mut(key.collection)
            && let Some(stored) = collection.objects.get_mut(&key.number)
        {
            *stored = object;
        }
    }

    pub(crate) fn insert(&mut self, collection: &str, object: Value) {
        if let Some(collection) = self.collections.get_mut(collection) {
            collection.last += 1;
            collection.objects.insert(collection.last, object);
        }
    }

    pub(crate) fn remove(&mut self, key: ObjectKey) {
        if let Some(collection) = self.collections.get_mut(key.collection) {
            collection.objects.remove(&key.number);
        }
    }

    /// Counts a call; false if the daily limit is exceeded.
    pub(crate) fn count(&mut self, endpoint: &str, host: &str) -> bool {
        let today = self.env.now.date();
        if self.daily.0 != Some(today) {
            self.daily = (Some(today), HashMap::new());
        }
        let key = (endpoint.to_owned(), host.to_owned());
        let calls = self.daily.1.entry(key).or_default();
        *calls += 1;
        *calls <= DAILY
    }
}
