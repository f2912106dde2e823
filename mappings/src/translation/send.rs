//! From given parameters to v2 requests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::given::{Given, text_of};
use crate::{
    catalog::{
        Catalog, SUBJECT,
        operation::{BodyTemplate, Call, Fate, Operation, Segment},
    },
    conversion::{Conversion, Sent},
    document::Json,
    exchange::{Body, V2Request},
};

/// All but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a request is made from.
pub(super) struct Material<'t, 'a> {
    pub catalog: &'a Catalog,
    pub operation: &'a Operation,
    pub given: &'t Given<'a>,
    /// The user that the operation, or the item, is about.
    pub subject: Option<&'t str>,
    /// The item that the call is made for.
    pub item: Option<Json<'t>>,
    /// The stored document that decides what half of a pair of flags means.
    pub current: Option<Json<'t>>,
    pub constants: &'a dyn Fn(&str) -> Option<String>,
}

/// What a call has to send.
pub(super) enum Prepared {
    /// This request.
    Request(V2Request),
    /// Nothing: the call is not made.
    Nothing,
}

impl Material<'_, '_> {
    /// Makes the request of the call at `index` of the plan.
    pub(super) fn request(&self, index: usize, call: &Call) -> Prepared {
        let Some(path) = self.path(call) else {
            return Prepared::Nothing;
        };
        let query = call
            .query
            .iter()
            .filter_map(|(name, template)| Some((name.clone(), template.fill(&|n| self.fill(n))?)))
            .collect();
        let Some(body) = self.body(index, call) else {
            return Prepared::Nothing;
        };
        Prepared::Request(V2Request {
            method: call.method,
            path,
            query,
            body,
            template: call.template.clone(),
        })
    }

    fn fill(&self, name: &str) -> Option<String> {
        if name == SUBJECT {
            return self.subject.map(str::to_owned);
        }
        (self.constants)(name).or_else(|| self.given.text(name))
    }

    fn path(&self, call: &Call) -> Option<String> {
        let mut path = String::new();
        for part in &call.path {
            path.push('/');
            match part {
                Segment::Literal(text) => path.push_str(text),
                Segment::Subject => path.push_str(&segment(self.subject?)?),
                Segment::Parameter(name) => path.push_str(&segment(&self.given.text(name)?)?),
                Segment::Item(at) => {
                    let value = self.item?.at(at)?;
                    path.push_str(&segment(&text_of(value))?);
                }
            }
        }
        Some(path)
    }

    /// The body; `None` if the call has nothing to send.
    fn body(&self, index: usize, call: &Call) -> Option<Body> {
        if let Some(name) = &call.file {
            let file = self.given.file(name)?.clone();
            let media_type = self.catalog.protocol().media_type(&file.bytes);
            let media_type = media_type.unwrap_or("application/octet-stream").to_owned();
            return Some(Body::File {
                part: name.clone(),
                media_type,
                file,
            });
        }
        let optional = call.body.iter().flat_map(BodyTemplate::placeholders);
        let filled = optional
            .clone()
            .any(|(name, optional)| optional && self.fill(name).is_some());
        let mut body = call
            .body
            .as_ref()
            .and_then(|template| self.fill_body(template));
        if let Some((document, at)) = &call.sends {
            let content = self.document(index, document);
            if content.is_empty() && !filled {
                return None;
            }
            body = Some(placed(body, at, content));
        } else if optional.clone().count() > 0 && optional.clone().all(|(_, o)| o) && !filled {
            return None;
        }
        Some(body.map_or(Body::None, Body::Json))
    }

    fn fill_body(&self, template: &BodyTemplate) -> Option<Value> {
        Some(match template {
            BodyTemplate::Object(members) => Value::Object(
                members
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), self.fill_body(value)?)))
                    .collect(),
            ),
            BodyTemplate::Array(items) => Value::Array(
                items
                    .iter()
                    .filter_map(|item| self.fill_body(item))
                    .collect(),
            ),
            BodyTemplate::Text(text) => Value::from(text.fill(&|name| self.fill(name))?),
            BodyTemplate::Value(value) => value.clone(),
        })
    }

    /// The members of a document that the given parameters make: pointer and value.
    fn document(&self, index: usize, document: &str) -> Vec<(String, Value)> {
        let mut content = Vec::new();
        let mut seen = Vec::new();
        for parameter in &self.operation.parameters {
            let Some((field_index, _)) = parameter.field else {
                continue;
            };
            if parameter.fate != Fate::SentBy(index) || seen.contains(&field_index) {
                continue;
            }
            let Some(field) = self.catalog.fields().get(field_index) else {
                continue;
            };
            seen.push(field_index);
            let Some(place) = field.pointer_in(document) else {
                continue;
            };
            let current = self.current.and_then(|stored| stored.at(place));
            let sent = match &field.conversion {
                Conversion::Choice(choice) => {
                    let values: Vec<_> = field
                        .parts
                        .iter()
                        .map(|part| self.given.value(&part.name))
                        .collect();
                    if values.iter().all(Option::is_none) {
                        continue;
                    }
                    choice.to_v2(&values, current.map(Json::to_value).as_ref())
                }
                conversion => match self.given.value(&parameter.name) {
                    Some(value) if !field.omit.contains(value) => conversion.to_v2(value),
                    _ => continue,
                },
            };
            if let Sent::Value { value, .. } = sent {
                content.push((place.to_owned(), value));
            }
        }
        content
    }
}

/// One percent-encoded path segment; `None` for what a path would not keep as one.
pub fn segment(text: &str) -> Option<String> {
    match text {
        "" | "." | ".." => None,
        text => Some(utf8_percent_encode(text, SEGMENT).to_string()),
    }
}

fn placed(body: Option<Value>, at: &str, content: Vec<(String, Value)>) -> Value {
    let mut body = body.unwrap_or_else(|| Value::Object(Map::new()));
    for (pointer, value) in content {
        insert(
            &mut body,
            format!("{at}{pointer}").split('/').skip(1),
            value,
        );
    }
    body
}

fn insert<'p>(into: &mut Value, mut pointer: impl Iterator<Item = &'p str>, value: Value) {
    let Some(name) = pointer.next() else {
        *into = value;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    if let Value::Object(members) = into {
        insert(members.entry(name).or_insert(Value::Null), pointer, value);
    }
}
