//! Looks up document members for one object after the other.

use std::mem;

use super::super::entry::Documents;
use crate::{
    catalog::reading::{DocumentSource, Reading},
    document::{Json, Shape},
};

/// LookedUpDocument-up document members of the current object.
pub(super) struct Lookup<'t, 'a> {
    reading: &'a Reading,
    /// Documents, oldest first.
    documents: Vec<LookedUpDocument<'t>>,
    /// Number of documents of the current object.
    count: usize,
    /// LookedUpDocument-up members, document by document.
    values: Vec<Option<Json<'t>>>,
}

/// LookedUpDocument-up document.
struct LookedUpDocument<'t> {
    /// Index in the [`Reading`]; `None` if the view does not read it.
    number: Option<usize>,
    /// Index of its first member in `values`.
    begin: usize,
    shapes: Shapes<'t>,
}

/// Shapes of earlier documents; the items of a list mostly share one.
#[derive(Default)]
struct Shapes<'t> {
    /// True after the first document. Nothing is cached for a single one.
    is_caching: bool,
    known: Vec<CachedShape<'t>>,
}

/// Shape with resolved names.
struct CachedShape<'t> {
    shape: Shape<'t>,
    /// Index of the read member for each name of the shape.
    members: Vec<Option<usize>>,
}

/// Maximum number of cached shapes.
const SHAPES: usize = 16;

/// Path of a value in the documents of an object.
#[derive(Clone, Copy)]
pub(super) struct ValuePath<'a> {
    /// Index in `values`.
    value: usize,
    /// JSON pointer below that value.
    rest: &'a str,
}

impl<'t, 'a> Lookup<'t, 'a> {
    pub(super) fn new(reading: &'a Reading) -> Self {
        Self {
            reading,
            documents: Vec::new(),
            count: 0,
            values: Vec::with_capacity(reading.size()),
        }
    }

    /// Looks up all members; true if the object has the same documents as the previous one, so that
    /// prepared columns remain valid.
    pub(super) fn look_up(&mut self, documents: &'t Documents<'a>) -> bool {
        let before = mem::take(&mut self.count);
        let mut same = before > 0;
        self.values.clear();
        for (name, document) in documents.iter() {
            if self.documents.len() == self.count {
                self.documents.push(LookedUpDocument {
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
                    look_up_members(names, document.json(), &mut looked.shapes, values);
                }
            }
        }
        same && self.count == before
    }

    /// Paths of a source, in the newest document of its name first.
    pub(super) fn places(&self, source: &'a DocumentSource) -> impl Iterator<Item = ValuePath<'a>> {
        let documents = self.documents.iter().take(self.count).rev();
        documents
            .filter(|document| document.number == Some(source.document))
            .map(|document| ValuePath {
                value: document.begin + source.member,
                rest: &source.rest,
            })
    }

    /// Value at an index.
    #[inline]
    pub(super) fn value(&self, number: usize) -> Option<Json<'t>> {
        *self.values.get(number)?
    }

    pub(super) fn at(&self, place: &ValuePath<'_>) -> Option<Json<'t>> {
        let value = self.value(place.value)?;
        if place.rest.is_empty() {
            return Some(value);
        }
        value.at(place.rest)
    }
}

impl ValuePath<'_> {
    /// Index of the value, if the path has no remainder.
    pub(super) fn value(&self) -> Option<usize> {
        self.rest.is_empty().then_some(self.value)
    }
}

/// Stores the members of an object, or the elements of an array, at the indexes of their names.
fn look_up_members<'t>(
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
    /// Index of the read member for each name of a shape; `None` for the first document.
    #[inline]
    fn members(&mut self, shape: Shape<'t>, names: &[String]) -> Option<&[Option<usize>]> {
        let known = self.known.iter().position(|known| known.shape == shape);
        let at = known.or_else(|| self.cache_shape(shape, names))?;
        self.known.get(at).map(|known| known.members.as_slice())
    }

    fn cache_shape(&mut self, shape: Shape<'t>, names: &[String]) -> Option<usize> {
        if !mem::replace(&mut self.is_caching, true) {
            return None;
        }
        if self.known.len() == SHAPES {
            self.known.clear();
        }
        let members = shape.names().map(|name| number(names, name)).collect();
        self.known.push(CachedShape { shape, members });
        Some(self.known.len() - 1)
    }
}

fn number(names: &[String], name: &[u8]) -> Option<usize> {
    names.iter().position(|known| known.as_bytes() == name)
}
