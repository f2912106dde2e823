//! What a view reads, found in the documents of one object after the other.

use super::super::answer::Documents;
use crate::{
    catalog::reading::{DocumentSource, Reading},
    document::Json,
};

/// What a view reads, found in the documents of the object at hand.
pub(super) struct Found<'t, 'a> {
    reading: &'a Reading,
    /// Oldest first.
    documents: Vec<Looked<'t>>,
    /// How many documents the object has.
    count: usize,
    /// The members that are read, document by document.
    values: Vec<Option<Json<'t>>>,
}

/// A document that was looked through.
struct Looked<'t> {
    /// Its number in the reading; none for one that is not read.
    number: Option<usize>,
    /// Where its members begin among the values.
    begin: usize,
    /// What its members are: the items of a list mostly have the same ones in the same order.
    names: Vec<(&'t [u8], Option<usize>)>,
}

/// Where the documents of an object may have a value.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The number among the values.
    value: usize,
    /// A JSON pointer from there on.
    rest: &'a str,
}

impl<'t, 'a> Found<'t, 'a> {
    pub(super) fn new(reading: &'a Reading) -> Self {
        Self {
            reading,
            documents: Vec::new(),
            count: 0,
            values: Vec::with_capacity(reading.size()),
        }
    }

    /// Looks up everything that is read; true if these are the same documents as the object before
    /// had, so that the places are the same.
    pub(super) fn look_up(&mut self, documents: &'t Documents<'a>) -> bool {
        let before = std::mem::take(&mut self.count);
        let mut same = before > 0;
        self.values.clear();
        for (name, document) in documents.iter() {
            if self.documents.len() == self.count {
                self.documents.push(Looked {
                    number: None,
                    begin: 0,
                    names: Vec::new(),
                });
            }
            let Some(looked) = self.documents.get_mut(self.count) else {
                break;
            };
            self.count += 1;
            let number = self.reading.document(name);
            if looked.number != number {
                same = false;
                looked.number = number;
                looked.names.clear();
            }
            looked.begin = self.values.len();
            if let Some(number) = number {
                let names = self.reading.members(number);
                self.values.resize(looked.begin + names.len(), None);
                if let Some(values) = self.values.get_mut(looked.begin..) {
                    members(names, document.json(), &mut looked.names, values);
                }
            }
        }
        same && self.count == before
    }

    /// Where a source is looked for: in the newest document of its name first.
    pub(super) fn places(&self, source: &'a DocumentSource) -> impl Iterator<Item = Place<'a>> {
        let documents = self.documents.iter().take(self.count).rev();
        documents
            .filter(|document| document.number == Some(source.document))
            .map(|document| Place {
                value: document.begin + source.member,
                rest: &source.rest,
            })
    }

    #[inline]
    pub(super) fn at(&self, place: &Place<'_>) -> Option<Json<'t>> {
        let value = (*self.values.get(place.value)?)?;
        if place.rest.is_empty() {
            return Some(value);
        }
        value.at(place.rest)
    }
}

/// Puts the members of an object, or the elements of an array, where their names are among the
/// names.
fn members<'t>(
    names: &[String],
    object: Json<'t>,
    before: &mut Vec<(&'t [u8], Option<usize>)>,
    values: &mut [Option<Json<'t>>],
) {
    if object.is_array() {
        for (name, found) in names.iter().zip(values) {
            *found = object.at(&format!("/{name}"));
        }
        return;
    }
    for (at, (name, value)) in object.named().enumerate() {
        let number = match before.get_mut(at) {
            Some((known, number)) if *known == name => *number,
            known => {
                let number = names.iter().position(|known| known.as_bytes() == name);
                match known {
                    Some(known) => *known = (name, number),
                    None => before.push((name, number)),
                }
                number
            }
        };
        if let Some(found) = number.and_then(|number| values.get_mut(number)) {
            *found = Some(value);
        }
    }
}
