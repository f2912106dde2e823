//! Serializes the members of a view from v2 documents.

mod columns;
mod composite;
mod lookup;
mod value;

use super::{Translation, entry::Entry};
use crate::{catalog::operation::View, conversion::Conversion, scalar::Scalar};
use columns::{Column, Columns, Otherwise, Read};
use lookup::Lookup;
use value::to_v1;

/// Serializer of one response.
pub(super) struct Writer<'t, 'a> {
    pub(super) translation: &'t Translation<'a>,
    /// Time of the response, in Unix seconds.
    pub(super) now: i64,
    pub(super) json: Vec<u8>,
    /// v1 names of members whose v2 value has no v1 counterpart, deduplicated.
    pub(super) unreadable: Vec<&'a str>,
}

/// State shared by the objects of a list.
struct Shared<'t, 'a> {
    view: &'a View,
    lookup: Lookup<'t, 'a>,
    columns: Columns<'a>,
}

impl<'a> Writer<'_, 'a> {
    /// Writes the object of a view.
    pub(super) fn object(&mut self, view: &'a View, entry: &Entry<'a>) {
        self.object_with(entry, &mut Shared::new(view));
    }

    /// Writes a list of objects.
    fn list(&mut self, view: &'a View, entries: &[Entry<'a>]) {
        self.json.push(b'[');
        let mut shared = Shared::new(view);
        for (at, entry) in entries.iter().enumerate() {
            let begun = self.json.len();
            if at > 0 {
                self.json.push(b',');
            }
            self.object_with(entry, &mut shared);
            if at == 0 {
                // Reserve for the others, which are about as long.
                let length = self.json.len() - begun;
                self.json.reserve((length + length / 8) * entries.len());
            }
        }
        self.json.push(b']');
    }

    fn object_with<'d>(&mut self, entry: &'d Entry<'a>, shared: &mut Shared<'d, 'a>) {
        let Shared {
            view,
            lookup,
            columns,
        } = shared;
        if !lookup.look_up(&entry.documents) {
            columns.prepare(view, lookup, self.translation, self.now);
        }
        let begun = self.json.len();
        for column in columns.iter() {
            match column {
                Column::Fixed(members) => self.json.extend_from_slice(columns.written(members)),
                Column::Composite(composite) => self.composite(composite, entry),
                Column::Read(read) => self.read(read, lookup, columns),
            }
        }
        // Each member begins with a comma.
        match self.json.get_mut(begun) {
            Some(comma) => *comma = b'{',
            None => self.json.push(b'{'),
        }
        self.json.push(b'}');
    }

    /// Writes the member of a column, if present.
    #[inline]
    fn read(&mut self, column: &Read<'a>, lookup: &Lookup<'_, 'a>, columns: &Columns<'a>) {
        let copy = |value| column.as_is.copy(lookup.value(value)?);
        match column.first.and_then(copy) {
            Some(value) => {
                self.json.extend_from_slice(column.member.key.as_bytes());
                self.json.extend_from_slice(value);
            }
            None => self.read_other(column, lookup, columns),
        }
    }

    fn read_other(&mut self, column: &Read<'a>, lookup: &Lookup<'_, 'a>, columns: &Columns<'a>) {
        let mut values = columns
            .places(column)
            .iter()
            .filter_map(|place| lookup.at(place));
        // null counts as absent.
        match values.find(|value| !value.is_null()) {
            Some(value) => self.converted(column, value.scalar()),
            None => match &column.otherwise {
                Otherwise::Known(member) => self.json.extend_from_slice(member.as_bytes()),
                Otherwise::Written(member) => {
                    self.json.extend_from_slice(columns.written(member));
                }
                Otherwise::Unreadable => self.unreadable(&column.part.name),
            },
        }
    }

    fn converted(&mut self, column: &Read<'a>, scalar: Scalar<'_>) {
        let Read {
            member,
            field,
            part,
            ..
        } = *column;
        match to_v1(field, member.field.1, part, scalar) {
            Some(scalar) => {
                self.json.extend_from_slice(member.key.as_bytes());
                scalar.write(&mut self.json);
            }
            // In a field for single words, v2 puts a sentence if there is no value.
            None if field.conversion == Conversion::Word => {
                self.json.extend_from_slice(member.known.as_bytes());
            }
            None => self.unreadable(&part.name),
        }
    }

    fn unreadable(&mut self, name: &'a str) {
        if !self.unreadable.contains(&name) {
            self.unreadable.push(name);
        }
    }
}

impl<'a> Shared<'_, 'a> {
    fn new(view: &'a View) -> Self {
        Self {
            view,
            lookup: Lookup::new(&view.reading),
            columns: Columns::default(),
        }
    }
}
