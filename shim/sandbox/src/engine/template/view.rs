//! How objects are shown: documents, and templates in their place.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Scope;

/// How something is shown: by a document's name, or by a template.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum View {
    Document(String),
    Template(Map<String, Value>),
}

impl View {
    pub(crate) fn of(&self, scope: &Scope<'_>) -> Value {
        match self {
            Self::Document(name) => scope.document(name),
            Self::Template(members) => Value::Object(scope.members(members)),
        }
    }
}

/// How an object is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    /// The object's members that are shown; left out: those that do not begin with `_`.
    pub(crate) take: Option<Vec<String>>,
    /// Members that are not.
    #[serde(default)]
    pub(crate) omit: Vec<String>,
    /// Computed members.
    #[serde(default)]
    pub(crate) set: Map<String, Value>,
}

impl Document {
    /// The object at hand as this document.
    pub(crate) fn of(&self, scope: &Scope<'_>) -> Value {
        let mut shown = Map::new();
        let object = scope.at("self").and_then(Value::as_object);
        for (name, value) in object.into_iter().flatten() {
            let taken = match &self.take {
                Some(names) => names.contains(name),
                None => !name.starts_with('_'),
            };
            if taken && !value.is_null() && !self.omit.contains(name) {
                shown.insert(name.clone(), value.clone());
            }
        }
        shown.extend(scope.members(&self.set));
        Value::Object(shown)
    }
}
