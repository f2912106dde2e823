//! v1's answer from v2's documents.

use std::borrow::Cow;

use serde_json::{Map, Value};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::Translation;
use crate::{
    catalog::{
        field::{DocumentPlace, Field, Kind, Part, Place},
        operation::{self, Member, View},
    },
    conversion::Conversion,
    exchange::{Warning, WarningKind},
    pointer,
};

/// The v2 documents that were read, oldest first.
#[derive(Default)]
pub(super) struct Documents<'a>(Vec<(&'a str, Value)>);

impl<'a> Documents<'a> {
    pub(super) fn of(name: &'a str, document: Value) -> Self {
        Self(vec![(name, document)])
    }

    pub(super) fn add(&mut self, name: &'a str, document: Value) {
        self.0.push((name, document));
    }

    /// The first document that was read.
    pub(super) fn first(&self) -> Option<&Value> {
        self.0.first().map(|(_, document)| document)
    }

    /// The newest document of a name.
    pub(super) fn newest(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, document)| document)
    }

    fn has(&self, name: &str) -> bool {
        self.newest(name).is_some()
    }

    /// The newest value at a place; null counts as nothing.
    fn at(&self, place: &DocumentPlace) -> Option<&Value> {
        let documents = self
            .0
            .iter()
            .rev()
            .filter(|(name, _)| *name == place.document);
        documents
            .filter_map(|(_, document)| pointer::at(document, &place.pointer))
            .find(|value| !value.is_null())
    }
}

/// What becomes of a member of an answer.
enum Shown {
    Value(Value),
    /// v2 has it, but in a form that v1 had no value for.
    Unreadable,
    Absent,
}

impl Translation<'_> {
    pub(super) fn answer(&mut self, now: i64) -> Map<String, Value> {
        let Some(view) = self.catalog.view(self.view) else {
            return Map::new();
        };
        let mut unreadable = Vec::new();
        let answer = self.object(view, &self.documents, now, &mut unreadable);
        self.warn_of_misses();
        if !unreadable.is_empty() {
            unreadable.dedup();
            self.warnings.push(Warning {
                kind: WarningKind::Unreadable,
                field: unreadable.join(", "),
                reason: "left out: v2 has a value that v1 had none for".to_owned(),
            });
        }
        answer
    }

    /// Notes a call that is not made because the site chose so, where the answer lacks something.
    pub(super) fn left_out(&mut self, index: usize, call: &operation::Call) {
        let Some(reason) = &call.omitted else { return };
        if self.items.is_empty() {
            return;
        }
        let field = if call.omits.is_empty() {
            self.fields_of(index)
        } else {
            call.omits.join(", ")
        };
        self.warnings.push(Warning {
            kind: WarningKind::LeftOut,
            field,
            reason: reason.clone(),
        });
    }

    fn warn_of_misses(&mut self) {
        let mut calls: Vec<usize> = self.misses.iter().map(|miss| miss.call).collect();
        calls.dedup();
        calls.sort_unstable();
        calls.dedup();
        for call in calls {
            let misses = self.misses.iter().filter(|miss| miss.call == call);
            let items = misses.filter(|miss| miss.item.is_some()).count();
            let reason = match items {
                0 => "could not be read from v2".to_owned(),
                n => format!(
                    "could not be read from v2 for {n} of {} entries",
                    self.items.len()
                ),
            };
            let field = self.fields_of(call);
            self.warnings.push(Warning {
                kind: WarningKind::Unreadable,
                field,
                reason,
            });
        }
    }

    /// The members of the answer that only the document of a call can fill.
    fn fields_of(&self, call: usize) -> String {
        let Some(document) = self
            .plan
            .calls
            .get(call)
            .and_then(|call| call.reads.as_deref())
        else {
            return String::new();
        };
        let view = self.catalog.view(self.view);
        let inner = view.and_then(|view| self.catalog.view(view.items?));
        let members = view.into_iter().chain(inner).flat_map(|view| &view.members);
        let names: Vec<_> = members
            .filter_map(|member| {
                let (field, part) = self.catalog.field(member.field)?;
                let places = member.from.as_ref().unwrap_or(&field.places);
                let only_there = !member.empty
                    && field.always.is_none()
                    && !places.is_empty()
                    && places.iter().all(|place| match place {
                        Place::Document(place) => place.document == document,
                        Place::Given(_) | Place::Clock | Place::Site(_) => false,
                    });
                only_there.then_some(part.name.as_str())
            })
            .collect();
        names.join(", ")
    }

    fn object(
        &self,
        view: &View,
        documents: &Documents<'_>,
        now: i64,
        unreadable: &mut Vec<String>,
    ) -> Map<String, Value> {
        let mut object = Map::new();
        for member in &view.members {
            let Some((field, part)) = self.catalog.field(member.field) else {
                continue;
            };
            let shown = if part.kind == Kind::List {
                Shown::Value(self.list(view, now, unreadable))
            } else {
                self.member(member, field, part, documents, now)
            };
            match shown {
                Shown::Value(value) => {
                    object.insert(part.name.clone(), value);
                }
                Shown::Unreadable => unreadable.push(part.name.clone()),
                Shown::Absent => {}
            }
        }
        object
    }

    fn list(&self, view: &View, now: i64, unreadable: &mut Vec<String>) -> Value {
        let Some(view) = view.items.and_then(|items| self.catalog.view(items)) else {
            return Value::Array(Vec::new());
        };
        let objects = self
            .items
            .iter()
            .map(|item| self.object(view, item, now, unreadable));
        objects.map(Value::Object).collect()
    }

    fn member(
        &self,
        member: &Member,
        field: &Field,
        part: &Part,
        documents: &Documents<'_>,
        now: i64,
    ) -> Shown {
        let empty = || part.empty.clone().map_or(Shown::Absent, Shown::Value);
        if let Some(always) = &field.always {
            return Shown::Value(always.clone());
        }
        if member.empty {
            return empty();
        }
        let mut read = field.empty_unread;
        for place in member.from.as_ref().unwrap_or(&field.places) {
            let found = match place {
                Place::Document(place) => {
                    read |= documents.has(&place.document);
                    documents.at(place).map(Cow::Borrowed)
                }
                Place::Given(name) => self.given.text(name).map(|text| Cow::Owned(text.into())),
                Place::Clock => return timestamp(now).map_or(Shown::Absent, Shown::Value),
                Place::Site(_) => self.site.account_id.clone().map(|id| Cow::Owned(id.into())),
            };
            let Some(found) = found else { continue };
            return match to_v1(field, member.field.1, part, found) {
                Some(value) => Shown::Value(value),
                // A sentence where a word should be is v2's way of saying no.
                None if field.conversion == Conversion::Word => empty(),
                None => Shown::Unreadable,
            };
        }
        if read { empty() } else { Shown::Absent }
    }
}

impl Field {
    /// The v1 value of a v2 value in the field at `part`, with v1's type; `None` if v1 had none for
    /// it.
    pub fn to_v1(&self, part: usize, v2: &Value) -> Option<Value> {
        to_v1(self, part, self.parts.get(part)?, Cow::Borrowed(v2))
    }
}

/// The v1 value of a v2 value, with v1's type.
fn to_v1(field: &Field, at: usize, part: &Part, v2: Cow<'_, Value>) -> Option<Value> {
    let value = match &field.conversion {
        Conversion::Choice(choice) => Cow::Owned(choice.to_v1(at, &v2)?),
        Conversion::Same | Conversion::RoundUp(_) => v2,
        conversion => Cow::Owned(conversion.to_v1(&v2)?),
    };
    match part.kind {
        Kind::Bool => value.as_bool().map(Value::from),
        Kind::Int => match &*value {
            Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
            number => number.as_i64().map(Value::from),
        },
        Kind::Secret | Kind::String | Kind::Text => match value.into_owned() {
            text @ Value::String(_) => Some(text),
            Value::Number(number) => Some(number.to_string().into()),
            _ => None,
        },
        Kind::Time => {
            let text = value.as_str()?;
            if text.is_empty() {
                return part.empty.clone();
            }
            let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            if text.len() == WHOLE_SECONDS.len() && text.ends_with('Z') {
                return Some(value.into_owned());
            }
            timestamp(time.to_offset(UtcOffset::UTC).unix_timestamp())
        }
        Kind::File | Kind::List => None,
    }
}

/// A moment as v1 wrote it; v2 mostly does too.
const WHOLE_SECONDS: &str = "2015-01-19T14:47:22Z";

/// v1's form of a moment: UTC, whole seconds.
fn timestamp(seconds: i64) -> Option<Value> {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.format(&Rfc3339).ok().map(Value::from)
}
