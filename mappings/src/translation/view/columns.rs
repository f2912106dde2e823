//! Columns of a view: the members that can be decided once for all objects with the same documents.
//!
//! With columns, the core spends 3.2 million instructions on a list of 300 users; with a decision
//! for each member of each object 6.1 million, and without [`Lookup`] 8.4 million (170, 290 and 400
//! µs): measured by `list_300` of `tests/bench/instructions.sh`.

use std::{ops::Range, slice};

use super::{
    super::Translation,
    lookup::{Lookup, ValuePath},
    value::{AsIs, is_plain, to_v1},
};
use crate::{
    catalog::{
        field::{Field, Part, Place},
        operation::{Member, View},
        reading::Source,
    },
    conversion::Conversion,
    moment::timestamp,
    scalar::Scalar,
};

/// Initial capacity in bytes for constant members.
const WRITTEN: usize = 256;

/// Members of a view, prepared for objects with the same documents.
#[derive(Default)]
pub(super) struct Columns<'a> {
    list: Vec<Column<'a>>,
    /// Value paths of all columns.
    places: Vec<ValuePath<'a>>,
    /// Serialized constant members.
    written: Vec<u8>,
}

pub(super) enum Column<'a> {
    /// Serialized members that are equal in all objects.
    Fixed(Range<usize>),
    /// Member that depends on more than one document value.
    Composite(Composite<'a>),
    /// Member that is looked up in each object.
    Read(Read<'a>),
}

/// List, object, or member that depends on several values.
pub(super) struct Composite<'a> {
    pub(super) member: &'a Member,
    pub(super) field: &'a Field,
    pub(super) part: &'a Part,
}

/// Member with a single document value.
pub(super) struct Read<'a> {
    pub(super) member: &'a Member,
    pub(super) field: &'a Field,
    pub(super) part: &'a Part,
    /// Index of the preferred value.
    pub(super) first: Option<usize>,
    pub(super) as_is: AsIs,
    places: Range<usize>,
    pub(super) otherwise: Otherwise<'a>,
}

/// Output for a member that no document has.
pub(super) enum Otherwise<'a> {
    /// Serialized constant from the catalog; empty to omit the member.
    Known(&'a str),
    /// Serialized value that is equal in all objects.
    Written(Range<usize>),
    /// v2 has a value without a v1 counterpart.
    Unreadable,
}

impl<'a> Columns<'a> {
    /// Prepares the columns for the documents just looked up.
    pub(super) fn prepare(
        &mut self,
        view: &'a View,
        lookup: &Lookup<'_, 'a>,
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
                self.list.push(Column::Composite(Composite {
                    member,
                    field,
                    part,
                }));
                continue;
            }
            let begun = self.places.len();
            let otherwise = self.fallback(member, field, part, lookup, translation, now);
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
                    first: self.places.get(begun).and_then(ValuePath::value),
                    as_is: AsIs::of(field, part),
                    places,
                    otherwise,
                })),
            }
        }
    }

    /// Collects the value paths of a member; returns its fallback.
    fn fallback(
        &mut self,
        member: &'a Member,
        field: &'a Field,
        part: &'a Part,
        lookup: &Lookup<'_, 'a>,
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
                    self.places.extend(lookup.places(source));
                    continue;
                }
                Source::Other(place) => place,
                Source::Text(..) | Source::List(_) => continue,
            };
            // The clock needs no conversion.
            if *place == Place::Clock {
                return timestamp(now).map_or(Otherwise::Known(""), |time| {
                    self.write_member(member, &Scalar::Text(time.into()))
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

    /// Adds constant members; adjacent ones are merged.
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
    pub(super) fn places(&self, of: &Read<'_>) -> &[ValuePath<'a>] {
        self.places.get(of.places.clone()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn written(&self, members: &Range<usize>) -> &[u8] {
        self.written.get(members.clone()).unwrap_or_default()
    }
}

/// True if the member is a single value, of a document or another place.
fn is_simple(member: &Member, field: &Field, part: &Part) -> bool {
    let is_single = |source: &Source| matches!(source, Source::Document(_) | Source::Other(_));
    field.overrides.is_empty() && is_plain(field, part) && member.sources.iter().all(is_single)
}
