//! The members of a view as they are written of all objects that have the same documents.
//!
//! With it, the core spends 3.2 million instructions on a list of 300 users; with a decision for each
//! member of each object 6.1 million, and without [`Found`] 8.4 million (170, 290 and 400 µs):
//! measured by `list_300` of `tests/bench/instructions.sh`.

use std::{ops::Range, slice};

use super::{
    super::Translation,
    found::{Found, Spot},
    value::{AsIs, is_plain, timestamp, to_v1},
};
use crate::{
    catalog::{
        field::{Field, Part, Place},
        operation::{Member, View},
        reading::Source,
    },
    conversion::Conversion,
    scalar::Scalar,
};

/// The initial capacity for what is the same in all objects, in bytes.
const WRITTEN: usize = 256;

/// The members of a view for objects with certain documents: what does not depend on the single
/// object is found out once.
#[derive(Default)]
pub(super) struct Columns<'a> {
    list: Vec<Column<'a>>,
    /// Where the columns are looked for.
    places: Vec<Spot<'a>>,
    /// The members that are the same in all objects, as they are written.
    written: Vec<u8>,
}

pub(super) enum Column<'a> {
    /// Members that are the same in all objects, as they are written.
    Fixed(Range<usize>),
    /// A member that is made of more than one value of a document.
    Made(Made<'a>),
    /// A member that is looked for in each object.
    Read(Read<'a>),
}

/// A member that is a list or an object, depends on another, or is made of several values.
pub(super) struct Made<'a> {
    pub(super) member: &'a Member,
    pub(super) field: &'a Field,
    pub(super) part: &'a Part,
}

/// A member that the documents may have.
pub(super) struct Read<'a> {
    pub(super) member: &'a Member,
    pub(super) field: &'a Field,
    pub(super) part: &'a Part,
    /// The number of the value that is preferred.
    pub(super) first: Option<usize>,
    pub(super) as_is: AsIs,
    places: Range<usize>,
    pub(super) otherwise: Otherwise<'a>,
}

/// What is shown of a member that no document has.
pub(super) enum Otherwise<'a> {
    /// What the catalog says, as it is written; nothing of what is absent.
    Known(&'a str),
    /// What is the same in all objects, as it is written.
    Written(Range<usize>),
    /// There is something, but v1 had no value for it.
    Unreadable,
}

impl<'a> Columns<'a> {
    /// Makes the columns for documents like those at hand.
    pub(super) fn make(
        &mut self,
        view: &'a View,
        found: &Found<'_, 'a>,
        translation: &Translation<'a>,
        now: i64,
    ) {
        self.list.clear();
        self.places.clear();
        self.written.clear();
        self.list.reserve(view.members.len());
        self.places.reserve(view.members.len());
        for member in &view.members {
            let Some((field, part)) = translation.catalog.field(member.field) else {
                continue;
            };
            let is_shown = !member.empty && field.always.is_none();
            if is_shown && (part.kind.has_view() || !is_simple(member, field, part)) {
                self.list.push(Column::Made(Made {
                    member,
                    field,
                    part,
                }));
                continue;
            }
            let begun = self.places.len();
            let otherwise = self.look_around(member, field, part, found, translation, now);
            let places = begun..self.places.len();
            match otherwise {
                Otherwise::Known(member) if places.is_empty() => {
                    let member = self.write(|json| json.extend_from_slice(member.as_bytes()));
                    self.add_fixed(member);
                }
                Otherwise::Written(member) if places.is_empty() => self.add_fixed(member),
                otherwise => self.list.push(Column::Read(Read {
                    member,
                    field,
                    part,
                    first: self.places.get(begun).and_then(Spot::value),
                    as_is: AsIs::of(field, part),
                    places,
                    otherwise,
                })),
            }
        }
    }

    /// Notes where a member is looked for; returns what is shown if it is absent there.
    fn look_around(
        &mut self,
        member: &'a Member,
        field: &'a Field,
        part: &'a Part,
        found: &Found<'_, 'a>,
        translation: &Translation<'a>,
        now: i64,
    ) -> Otherwise<'a> {
        if field.always.is_some() || member.empty {
            return Otherwise::Known(&member.known);
        }
        let begun = self.places.len();
        for source in &member.sources {
            let place = match source {
                Source::Document(source) => {
                    self.places.extend(found.places(source));
                    continue;
                }
                Source::Other(place) => place,
                Source::Text(..) | Source::List(_) => continue,
            };
            // It needs no conversion.
            if *place == Place::Clock {
                return timestamp(now).map_or(Otherwise::Known(""), |time| {
                    self.write_member(member, &time)
                });
            }
            let scalar = translation.other(place);
            let Some(scalar) = scalar else { continue };
            return match to_v1(field, member.field.1, part, scalar) {
                Some(scalar) => self.write_member(member, &scalar),
                None if field.conversion == Conversion::Word => Otherwise::Known(&member.known),
                None => Otherwise::Unreadable,
            };
        }
        let is_read = field.empty_unread || self.places.len() > begun;
        Otherwise::Known(if is_read { &member.known } else { "" })
    }

    fn write_member(&mut self, member: &Member, scalar: &Scalar<'_>) -> Otherwise<'a> {
        Otherwise::Written(self.write(|json| {
            json.extend_from_slice(member.key.as_bytes());
            scalar.write(json);
        }))
    }

    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        if self.written.capacity() == 0 {
            self.written.reserve(WRITTEN);
        }
        let begun = self.written.len();
        write(&mut self.written);
        begun..self.written.len()
    }

    /// Adds members that are the same in all objects; neighbours are written in one go.
    fn add_fixed(&mut self, members: Range<usize>) {
        match self.list.last_mut() {
            Some(Column::Fixed(before)) if before.end == members.start => before.end = members.end,
            _ if members.is_empty() => {}
            _ => self.list.push(Column::Fixed(members)),
        }
    }

    pub(super) fn iter(&self) -> slice::Iter<'_, Column<'a>> {
        self.list.iter()
    }

    #[inline]
    pub(super) fn places(&self, of: &Read<'_>) -> &[Spot<'a>] {
        self.places.get(of.places.clone()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn written(&self, members: &Range<usize>) -> &[u8] {
        self.written.get(members.clone()).unwrap_or_default()
    }
}

/// True if a member is one value of a document, or of something else, in v1's form.
fn is_simple(member: &Member, field: &Field, part: &Part) -> bool {
    let is_single = |source: &Source| matches!(source, Source::Document(_) | Source::Other(_));
    field.overrides.is_empty() && is_plain(field, part) && member.sources.iter().all(is_single)
}
