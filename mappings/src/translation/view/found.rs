//! What a view reads, found in the documents of one object after the other.

use std::mem;

use super::super::entry::Documents;
use crate::{
    catalog::reading::{DocumentSource, Reading},
    document::{Json, Shape},
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
    shapes: Shapes<'t>,
}

/// The shapes that such documents had: the items of a list mostly have the same one.
#[derive(Default)]
struct Shapes<'t> {
    /// True after the first document: for a single one, nothing is kept.
    are_several: bool,
    known: Vec<Known<'t>>,
}

/// A shape whose names were looked up.
struct Known<'t> {
    shape: Shape<'t>,
    /// Which of the members that are read each of its names is.
    members: Vec<Option<usize>>,
}

/// The most shapes that are known; lists with more are slower.
const SHAPES: usize = 16;

/// Where the documents of an object may have a value.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
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
        let before = mem::take(&mut self.count);
        let mut same = before > 0;
        self.values.clear();
        for (name, document) in documents.iter() {
            if self.documents.len() == self.count {
                self.documents.push(Looked {
                    number: None,
                    begin: 0,
                    shapes: Shapes::default(),
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
                looked.shapes = Shapes::default();
            }
            looked.begin = self.values.len();
            if let Some(number) = number {
                let names = self.reading.members(number);
                self.values.resize(looked.begin + names.len(), None);
                if let Some(values) = self.values.get_mut(looked.begin..) {
                    look_through(names, document.json(), &mut looked.shapes, values);
                }
            }
        }
        same && self.count == before
    }

    /// Where a source is looked for: in the newest document of its name first.
    pub(super) fn places(&self, source: &'a DocumentSource) -> impl Iterator<Item = Spot<'a>> {
        let documents = self.documents.iter().take(self.count).rev();
        documents
            .filter(|document| document.number == Some(source.document))
            .map(|document| Spot {
                value: document.begin + source.member,
                rest: &source.rest,
            })
    }

    /// The value of a number.
    #[inline]
    pub(super) fn value(&self, number: usize) -> Option<Json<'t>> {
        *self.values.get(number)?
    }

    pub(super) fn at(&self, place: &Spot<'_>) -> Option<Json<'t>> {
        let value = self.value(place.value)?;
        if place.rest.is_empty() {
            return Some(value);
        }
        value.at(place.rest)
    }
}

impl Spot<'_> {
    /// The number of the value that it is, if it is not something inside.
    pub(super) fn value(&self) -> Option<usize> {
        self.rest.is_empty().then_some(self.value)
    }
}

/// Puts the members of an object, or the elements of an array, where their names are among the
/// names.
fn look_through<'t>(
    names: &[String],
    object: Json<'t>,
    shapes: &mut Shapes<'t>,
    values: &mut [Option<Json<'t>>],
) {
    let Some(shape) = object.shape() else {
        for (name, found) in names.iter().zip(values) {
            *found = object.at(&format!("/{name}"));
        }
        return;
    };
    let mut put = |member: Option<usize>, value| {
        if let Some(found) = member.and_then(|member| values.get_mut(member)) {
            *found = Some(value);
        }
    };
    if let Some(members) = shapes.members(shape, names) {
        let members = members.iter().zip(object.values());
        members.for_each(|(member, value)| put(*member, value));
    } else {
        let members = shape.names().zip(object.values());
        members.for_each(|(name, value)| put(number(names, name), value));
    }
}

impl<'t> Shapes<'t> {
    /// Which of the names each member of a shape is; `None` for the first document.
    #[inline]
    fn members(&mut self, shape: Shape<'t>, names: &[String]) -> Option<&[Option<usize>]> {
        let known = self.known.iter().position(|known| known.shape == shape);
        let at = known.or_else(|| self.get_to_know(shape, names))?;
        self.known.get(at).map(|known| known.members.as_slice())
    }

    fn get_to_know(&mut self, shape: Shape<'t>, names: &[String]) -> Option<usize> {
        if !mem::replace(&mut self.are_several, true) {
            return None;
        }
        if self.known.len() == SHAPES {
            self.known.clear();
        }
        let members = shape.names().map(|name| number(names, name)).collect();
        self.known.push(Known { shape, members });
        Some(self.known.len() - 1)
    }
}

fn number(names: &[String], name: &[u8]) -> Option<usize> {
    names.iter().position(|known| known.as_bytes() == name)
}
