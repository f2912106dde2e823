//! v1's answer from v2's documents.

use super::{Translation, view::Writer};
use crate::{
    catalog::{field::Place, operation},
    document::Document,
    exchange::{V1Object, Warning, WarningKind},
};

/// The v2 documents that were read, oldest first.
#[derive(Default)]
pub(super) struct Documents<'a> {
    first: Option<(&'a str, Document)>,
    more: Vec<(&'a str, Document)>,
}

impl<'a> Documents<'a> {
    pub(super) fn of(name: &'a str, document: Document) -> Self {
        Self {
            first: Some((name, document)),
            more: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: &'a str, document: Document) {
        match self.first {
            None => self.first = Some((name, document)),
            Some(_) => self.more.push((name, document)),
        }
    }

    /// The first document that was read.
    pub(super) fn first(&self) -> Option<&Document> {
        self.first.as_ref().map(|(_, document)| document)
    }

    /// The newest document of a name.
    pub(super) fn newest(&self, name: &str) -> Option<&Document> {
        let mut documents = self.iter().rev();
        documents
            .find(|(known, _)| *known == name)
            .map(|(_, document)| document)
    }

    /// All documents, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &(&'a str, Document)> {
        self.first.iter().chain(&self.more)
    }
}

impl Translation<'_> {
    pub(super) fn answer(&mut self, now: i64) -> V1Object {
        let mut writer = Writer {
            translation: self,
            now,
            json: Vec::new(),
            unreadable: Vec::new(),
        };
        match self.catalog.view(self.view) {
            Some(view) => writer.object(view, &self.documents),
            None => writer.json.extend_from_slice(b"{}"),
        }
        let Writer {
            json, unreadable, ..
        } = writer;
        self.warn_of_misses();
        if !unreadable.is_empty() {
            self.warnings.push(Warning {
                kind: WarningKind::Unreadable,
                field: unreadable.join(", "),
                reason: "left out: v2 has a value that v1 had none for".to_owned(),
            });
        }
        V1Object::written(json)
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
}
