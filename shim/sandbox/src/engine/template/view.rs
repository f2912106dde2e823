//! Response views: documents and inline templates.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Scope;

/// Name of a document, or an inline template.
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

/// Members of an object in responses.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    /// Members to show; by default those that do not begin with `_`.
    pub(crate) take: Option<Vec<String>>,
    /// Members to omit.
    #[serde(default)]
    pub(crate) omit: Vec<String>,
    /// Computed members.
    #[serde(default)]
    pub(crate) set: Map<String, Value>,
}

impl Document {
    /// Renders `self` as this document.
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
