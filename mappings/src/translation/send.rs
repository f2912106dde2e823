//! Builds v2 requests from parameters.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Translation,
    units::Unit,
    values::{in_text, insert, name, segment},
};
use crate::{
    catalog::operation::{BodyTemplate, Call, Filling, ParameterUse, Segment},
    conversion::{Conversion, Sent},
    document::Json,
    exchange::{Body, V2Request},
    moment,
    template::{OR, Template},
};

/// Inputs of a v2 request.
pub(super) struct RequestBuilder<'t, 'a> {
    pub translation: &'t Translation<'a>,
    /// Subject of the operation or of the list entry.
    pub subject: Option<&'t str>,
    /// Item of the fan-out.
    pub unit: Option<&'t Unit>,
    /// List entry that the call is made for.
    pub item: Option<Json<'t>>,
    /// Stored document that decides the meaning of half a pair of flags.
    pub current: Option<Json<'t>>,
}

impl RequestBuilder<'_, '_> {
    /// Builds the request of the call at `index` of the plan; `None` if it has nothing to send.
    pub(super) fn request(&self, index: usize, call: &Call) -> Option<V2Request> {
        let (path, query) = self.path_and_query(call);
        Some(V2Request {
            method: call.method,
            path: path?,
            query,
            body: self.body(index, call)?,
            template: call.template.clone(),
            label: call.label,
        })
    }

    /// The path, if all placeholders have values, and the query.
    pub(super) fn path_and_query(&self, call: &Call) -> (Option<String>, Vec<(String, String)>) {
        let query = call.query.iter().filter_map(|(name, template)| {
            let value = template.fill(&|name| self.fill(name).map(in_text))?;
            Some((name.clone(), value))
        });
        (self.path(call), query.collect())
    }

    /// Value of a placeholder: of the first alternative that has one.
    fn fill(&self, names: &str) -> Option<Value> {
        if names.contains(OR) {
            return names.split(OR).find_map(|name| self.fill_one(name));
        }
        self.fill_one(names)
    }

    fn fill_one(&self, name: &str) -> Option<Value> {
        let translation = self.translation;
        let operation = translation.operation;
        let is_subject = operation
            .subject_kind
            .as_ref()
            .is_some_and(|kind| kind.placeholder == name);
        if is_subject {
            return self.subject.map(Value::from);
        }
        if let Some(constant) = operation.constants.get(name) {
            return Some(constant.as_str().into());
        }
        if let Some((of, at)) = name.split_once(':') {
            let value = match of {
                "item" => self.item?.at(at),
                call => translation.answer_of(call)?.at(at),
            };
            return value.filter(|value| !value.is_null()).map(Json::to_value);
        }
        match name.split_once('.') {
            Some(("window", end)) => {
                let Some(Unit::Window(from, to)) = self.unit else {
                    return None;
                };
                let date = if end == "from" { from } else { to };
                return Some(date.to_string().into());
            }
            Some(("range", end)) => {
                let (from, to) = translation.range()?;
                let date = if end == "from" { from } else { to };
                return Some(date.to_string().into());
            }
            Some(("clock", _)) => return Some(moment::day_of(translation.now).to_string().into()),
            Some(("option", option)) => {
                let value = translation.site.options.get(option)?;
                return Some(value.to_scalar().to_value());
            }
            _ => {}
        }
        if let Some(Unit::Elements { parameter, range }) = self.unit
            && matches!(name, "element" | "elements")
        {
            let elements = translation.given.elements(parameter).get(range.clone())?;
            if name == "element" {
                return elements.first().cloned();
            }
            return self.converted(parameter, &Value::Array(elements.to_vec()));
        }
        self.converted(name, translation.given.value_or_default(name)?)
    }

    /// Converted value of a parameter.
    fn converted(&self, name: &str, value: &Value) -> Option<Value> {
        let translation = self.translation;
        let mut parameters = translation.operation.parameters.iter();
        let parameter = parameters.find(|parameter| parameter.name == name)?;
        let (field, _) = translation.catalog.field(parameter.field?)?;
        match &field.conversion {
            Conversion::Choice(_) | Conversion::Same => Some(value.clone()),
            conversion => match conversion.to_v2(value) {
                Sent::Value { value, .. } => Some(value),
                Sent::Unchanged | Sent::DependsOnCurrent | Sent::Impossible => None,
            },
        }
    }

    fn path(&self, call: &Call) -> Option<String> {
        let mut path = String::new();
        for part in &call.path {
            path.push('/');
            match part {
                Segment::Literal(text) => path.push_str(text),
                Segment::Filled { by, kind, .. } => {
                    let id = self.id(by)?;
                    let mut encoded = segment(&id)?;
                    // v2 requires double encoding for such UUIDs.
                    let may_be_uuid = kind.as_ref().is_some_and(|kind| kind.uuid);
                    if may_be_uuid && (id.starts_with('/') || id.contains("//")) {
                        encoded = segment(&encoded)?;
                    }
                    path.push_str(&encoded);
                }
            }
        }
        Some(path)
    }

    /// Value of a path placeholder.
    pub(super) fn id(&self, by: &Filling) -> Option<Cow<'_, str>> {
        let translation = self.translation;
        match by {
            Filling::Subject => self.subject.map(Cow::Borrowed),
            Filling::Parameters(names) => {
                let mut given = names.iter().filter_map(|name| translation.given.text(name));
                given.next().map(Cow::Owned)
            }
            Filling::Answer(call, at) => {
                let found = translation.progress.get(*call)?.found.as_ref()?;
                found.json().at(at).and_then(name)
            }
            Filling::Item(at) => self.item?.at(at).and_then(name),
            Filling::Element => self.fill_one("element").map(|id| in_text(id).into()),
        }
    }

    /// The body; `None` if the call has nothing to send.
    pub(super) fn body(&self, index: usize, call: &Call) -> Option<Body> {
        if let Some(name) = &call.file {
            let file = self.translation.given.file(name)?.clone();
            let protocol = self.translation.catalog.protocol();
            let media_type = protocol.media_type(&file.bytes);
            let media_type = media_type.unwrap_or("application/octet-stream").to_owned();
            return Some(Body::File {
                part: name.clone(),
                media_type,
                file,
            });
        }
        let templates = call.body.as_ref().map(BodyTemplate::templates);
        let templates = templates.unwrap_or_default();
        let placeholders = templates
            .iter()
            .flat_map(|template| template.placeholders());
        let (mut any, mut all_optional, mut filled) = (false, true, false);
        for (name, optional) in placeholders {
            any = true;
            all_optional &= optional;
            filled |= optional && self.fill(name).is_some();
        }
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
        } else if any && all_optional && !filled {
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
            BodyTemplate::Text(text) => self.fill_text(text)?,
            BodyTemplate::Value(value) => value.clone(),
        })
    }

    /// A text that is exactly one placeholder keeps the type of its value.
    fn fill_text(&self, text: &Template) -> Option<Value> {
        if let Some(name) = text.only_placeholder() {
            return self.fill(name);
        }
        let text = text.fill(&|name| self.fill(name).map(in_text))?;
        Some(text.into())
    }

    /// Pointers and values of the document's members. If several parameters share a place, the
    /// first one wins, unless they are joined.
    fn document(&self, index: usize, document: &str) -> Vec<(&str, Value)> {
        let translation = self.translation;
        let mut content: Vec<(&str, Value)> = Vec::new();
        let mut seen = Vec::new();
        for parameter in &translation.operation.parameters {
            let Some((field_index, _)) = parameter.field else {
                continue;
            };
            if parameter.usage != ParameterUse::SentBy(index) || seen.contains(&field_index) {
                continue;
            }
            let Some(field) = translation.catalog.fields().get(field_index) else {
                continue;
            };
            seen.push(field_index);
            let Some(place) = field.pointer_in(document) else {
                continue;
            };
            let current = self.current.and_then(|stored| stored.at(place));
            let current = current.map(Json::to_value);
            let sent = translation.sent(parameter, field, current.as_ref());
            let Some(Sent::Value { value, .. }) = sent else {
                continue;
            };
            match content.iter_mut().find(|(known, _)| *known == place) {
                None => content.push((place, value)),
                Some((_, before)) => {
                    if let Conversion::Joined(joined) = &field.conversion {
                        joined.append(before, &value);
                    }
                }
            }
        }
        content
    }
}

fn placed(body: Option<Value>, at: &str, content: Vec<(&str, Value)>) -> Value {
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
