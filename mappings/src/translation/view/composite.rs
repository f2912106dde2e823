//! Members made of several values: lists, objects, conditional values, templates and aggregates.

use std::slice;

use serde_json::Value;

use super::{
    Writer,
    columns::Composite,
    value::{typed, value_to_v1},
};
use crate::{
    catalog::{
        ITEM,
        field::{DocumentPlace, Field, Kind, Place},
        operation::{Member, View},
    },
    conversion::count_parts,
    document::{Document, Json},
    moment::timestamp,
    scalar::Scalar,
    template::Template,
    translation::{
        Translation,
        entry::{Documents, Entry},
        values::text_of,
    },
};

impl<'a> Writer<'_, 'a> {
    pub(super) fn composite(&mut self, composite: &Composite<'a>, entry: &Entry<'a>) {
        let Composite {
            member,
            field,
            part,
        } = *composite;
        for rule in &field.overrides {
            let is_so = rule.at.as_ref().is_none_or(|(place, predicate)| {
                let found = entry.documents.at(&place.document, &place.pointer);
                self.translation.satisfies(found, predicate)
            });
            if !is_so || !self.translation.site.options.has_all(&rule.options) {
                continue;
            }
            match (&rule.from, &rule.show) {
                (Some(from), _)
                    if !self.composite_value(composite, slice::from_ref(from), entry) =>
                {
                    continue;
                }
                (None, Some(show)) => self.value(member, show),
                _ => {}
            }
            return;
        }
        let places = member.from.as_ref().unwrap_or(&field.places);
        let view = member
            .view
            .and_then(|view| self.translation.catalog.view(view));
        let is_shown = match (part.kind, view) {
            (Kind::List, Some(view)) => self.list_member(member, view, places, entry),
            (Kind::Object, Some(view)) => self.object_member(member, view, places, entry),
            _ => self.composite_value(composite, places, entry),
        };
        if !is_shown {
            self.write_empty(member, field, places, entry);
        }
    }

    /// Writes a list read by calls, or an array of a document.
    fn list_member(
        &mut self,
        member: &'a Member,
        view: &'a View,
        places: &[Place],
        entry: &Entry<'a>,
    ) -> bool {
        for place in places {
            let root = &self.translation.root;
            let elements = match place {
                Place::List(name) => match entry.list(name).or_else(|| root.list(name)) {
                    Some(entries) => {
                        self.json.extend_from_slice(member.key.as_bytes());
                        self.list(view, entries);
                        return true;
                    }
                    None => continue,
                },
                Place::Document(place) => part(entry, &place.document, &place.pointer)
                    .filter(|part| part.json().is_array()),
                _ => None,
            };
            if let Some(array) = elements {
                let inner = |element| inside(entry, element);
                let entries: Vec<_> = array.elements().map(inner).collect();
                self.json.extend_from_slice(member.key.as_bytes());
                self.list(view, &entries);
                return true;
            }
        }
        false
    }

    /// Writes an object of a document, or a nested view over the same documents.
    fn object_member(
        &mut self,
        member: &'a Member,
        view: &'a View,
        places: &[Place],
        entry: &Entry<'a>,
    ) -> bool {
        for place in places {
            let begun = self.json.len();
            self.json.extend_from_slice(member.key.as_bytes());
            let value = self.json.len();
            match place {
                Place::Here => self.object(view, entry),
                Place::Document(place) => {
                    let found = part(entry, &place.document, &place.pointer);
                    if let Some(object) = found.filter(|part| part.json().is_object()) {
                        self.object(view, &inside(entry, object));
                    }
                }
                _ => {}
            }
            // Omit empty objects.
            let written = self.json.get(value..).unwrap_or_default();
            if !written.is_empty() && written != b"{}" {
                return true;
            }
            self.json.truncate(begun);
        }
        false
    }

    /// Writes the first present value.
    fn composite_value(
        &mut self,
        composite: &Composite<'a>,
        places: &[Place],
        entry: &Entry<'a>,
    ) -> bool {
        let Composite {
            member,
            field,
            part,
        } = *composite;
        for place in places {
            let value = match place {
                Place::Document(place) => {
                    let found = entry.documents.at(&place.document, &place.pointer);
                    found.map(Json::to_value)
                }
                Place::Text(template) => text(template, entry).map(Value::from),
                Place::Link(place) => self.link(place, entry).map(Value::from),
                Place::Clock => timestamp(self.now).map(Value::from),
                other => self
                    .translation
                    .other(other)
                    .map(|scalar| scalar.to_value()),
            };
            let Some(value) = value else { continue };
            let stays = |document: &String| matches!(place, Place::Document(place) if place.document != *document);
            let shown = if field.converts.as_ref().is_some_and(stays) {
                typed(part, (&value).into()).map(|scalar| scalar.to_value())
            } else {
                value_to_v1(field, member.field.1, part, &value, self.now)
            };
            match shown {
                Some(value) => self.value(member, &value),
                None => self.unreadable(&part.name),
            }
            return true;
        }
        false
    }

    /// The site's link for a file URL.
    fn link(&self, place: &DocumentPlace, entry: &Entry<'a>) -> Option<String> {
        let url = entry.documents.at(&place.document, &place.pointer)?;
        let links = self.translation.site.links.as_ref()?;
        links.link(url.as_str()?, self.now)
    }

    /// Writes the empty value, if the documents were read.
    fn write_empty(
        &mut self,
        member: &'a Member,
        field: &Field,
        places: &[Place],
        entry: &Entry<'a>,
    ) {
        let is_read = |place: &Place| match place {
            Place::Document(place) => entry.documents.newest(&place.document).is_some(),
            Place::Text(_) | Place::Here => true,
            _ => false,
        };
        if field.empty_unread || places.iter().any(is_read) {
            self.json.extend_from_slice(member.known.as_bytes());
        }
    }

    fn value(&mut self, member: &Member, value: &Value) {
        self.json.extend_from_slice(member.key.as_bytes());
        // Writing JSON to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.json, value);
    }
}

/// The value at a pointer in the newest document that has it.
fn part(entry: &Entry<'_>, document: &str, pointer: &str) -> Option<Document> {
    let mut documents = entry.documents.all(document);
    documents.find_map(|document| document.part(pointer))
}

/// Documents visible to the view of a nested object: its own and those around it.
fn inside<'a>(entry: &Entry<'a>, element: Document) -> Entry<'a> {
    let mut documents = Documents::default();
    for (name, document) in entry.documents.iter() {
        documents.add(name, document.clone());
    }
    documents.add(ITEM, element);
    Entry {
        documents,
        lists: Vec::new(),
    }
}

/// Fills a template from documents; `None` if a value is absent.
fn text(template: &Template, entry: &Entry<'_>) -> Option<String> {
    template.fill(&|place| {
        let (document, pointer) = place.split_once(':')?;
        entry.documents.at(document, pointer).map(text_of)
    })
}

impl<'a> Translation<'a> {
    /// Value of a place outside documents.
    pub(super) fn other(&self, place: &Place) -> Option<Scalar<'a>> {
        let text = |text: String| Scalar::Text(text.into());
        let count = |count: usize| Scalar::Int(i64::try_from(count).unwrap_or(i64::MAX));
        Some(match place {
            Place::Given(name) if self.is_ignored(name) => return None,
            Place::Given(name) => text(self.given.text(name)?),
            Place::Site(_) => text(self.site.account_id.clone()?),
            Place::Today => text(crate::moment::day_of(self.now).to_string()),
            Place::RangeFrom => text(self.range()?.0.to_string()),
            Place::RangeTo => text(self.range()?.1.to_string()),
            Place::Count(list) => count(self.root.list(list)?.len()),
            Place::Sum(list, at) => self.sum(list, at)?,
            Place::Parts(place) => {
                let documents = self.root.documents.all(&place.document);
                let texts = documents.filter_map(|document| document.json().at(&place.pointer));
                let mut counts = texts.filter_map(count_parts).peekable();
                counts.peek()?;
                count(counts.fold(0, usize::saturating_add))
            }
            Place::Done(name) => {
                let mut calls = self.plan.calls.iter().zip(&self.progress);
                let (_, progress) = calls.find(|(call, _)| call.name == *name)?;
                count(progress.succeeded)
            }
            Place::Elements(name) => count(self.given.elements(name).len()),
            Place::Option(name) => self.site.options.get(name)?.to_scalar(),
            Place::Document(_)
            | Place::Clock
            | Place::List(_)
            | Place::Text(_)
            | Place::Link(_)
            | Place::Here => return None,
        })
    }

    /// True if another parameter identifies the subject.
    pub(in super::super) fn is_ignored(&self, name: &str) -> bool {
        let names = &self.operation.subject;
        let used = names.iter().find(|name| self.given.has(name));
        names.iter().any(|known| known == name) && used.is_some_and(|used| used != name)
    }

    /// Sum over a member of a list's entries; an integer if all values are.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum with decimals is one of decimals"
    )]
    fn sum(&self, list: &str, at: &str) -> Option<Scalar<'static>> {
        let entries = self.root.list(list)?.iter();
        let values = entries.filter_map(|entry| entry.own()?.at(at)?.as_number());
        let (mut whole, mut decimals) = (0_i64, None);
        for value in values {
            match (value.as_i64(), value.as_f64()) {
                (Some(value), _) => whole = whole.saturating_add(value),
                (None, Some(value)) => decimals = Some(decimals.unwrap_or(0.0) + value),
                (None, None) => {}
            }
        }
        match decimals {
            None => Some(Scalar::Int(whole)),
            Some(decimals) => {
                let sum = serde_json::Number::from_f64(decimals + whole as f64);
                sum.map(Scalar::Number)
            }
        }
    }
}
