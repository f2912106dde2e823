//! The members of a view, written down from v2's documents.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{Translation, answer::Documents};
use crate::{
    catalog::{
        Catalog,
        field::{Field, Kind, Part},
        operation::{Member, View},
        reading::{DocumentSource, Reading, Source},
    },
    conversion::Conversion,
    document::Json,
    scalar::Scalar,
};

/// What becomes of a member of an answer.
enum Shown<'v> {
    Scalar(Scalar<'v>),
    /// A value that the catalog names.
    Named(&'v Value),
    /// v2 has it, but in a form that v1 had no value for.
    Unreadable,
    Absent,
}

/// Writes one answer.
pub(super) struct Writer<'t, 'a> {
    pub(super) translation: &'t Translation<'a>,
    /// The time of the answer, in seconds since 1970.
    pub(super) now: i64,
    pub(super) json: Vec<u8>,
    /// The v1 names of what v1 had no value for, each once.
    pub(super) unreadable: Vec<&'a str>,
}

impl<'t, 'a> Writer<'t, 'a> {
    /// Writes the object of a view.
    pub(super) fn object(&mut self, view: &'a View, documents: &'t Documents<'a>) {
        let mut found = Found::new(&view.reading);
        self.object_with(view, documents, &mut found);
    }

    /// Writes the objects of the translation's items.
    fn list(&mut self, view: &'a View) {
        self.json.push(b'[');
        let translation = self.translation;
        if let Some(view) = view.items.and_then(|items| translation.catalog.view(items)) {
            let mut found = Found::new(&view.reading);
            for (at, item) in translation.items.iter().enumerate() {
                let begun = self.json.len();
                if at > 0 {
                    self.json.push(b',');
                }
                self.object_with(view, item, &mut found);
                if at == 0 {
                    // The others will be about as long.
                    let length = self.json.len() - begun + 1;
                    self.json.reserve(length * translation.items.len());
                }
            }
        }
        self.json.push(b']');
    }

    fn object_with(
        &mut self,
        view: &'a View,
        documents: &'t Documents<'a>,
        found: &mut Found<'a, 't>,
    ) {
        let catalog = self.translation.catalog;
        found.look_up(view, catalog, documents);
        self.json.push(b'{');
        for (member, field, part) in found.columns.iter().copied() {
            if let Some(text) = found.plain(member) {
                self.key(member);
                self.verbatim(text);
                continue;
            }
            if part.kind == Kind::List {
                self.key(member);
                self.list(view);
                continue;
            }
            match self.member(member, field, part, found) {
                Shown::Scalar(scalar) => {
                    self.key(member);
                    self.scalar(&scalar);
                }
                Shown::Named(value) => {
                    self.key(member);
                    self.value(value);
                }
                Shown::Unreadable if self.unreadable.contains(&part.name.as_str()) => {}
                Shown::Unreadable => self.unreadable.push(&part.name),
                Shown::Absent => {}
            }
        }
        self.json.push(b'}');
    }

    fn member(
        &self,
        member: &'a Member,
        field: &'a Field,
        part: &'a Part,
        found: &Found<'a, 't>,
    ) -> Shown<'t> {
        let empty = || part.empty.as_ref().map_or(Shown::Absent, Shown::Named);
        if let Some(always) = &field.always {
            return Shown::Named(always);
        }
        if member.empty {
            return empty();
        }
        let Translation { given, site, .. } = self.translation;
        let mut read = field.empty_unread;
        for source in &member.sources {
            let scalar = match source {
                Source::Document(source) => {
                    read |= found.has(source.document);
                    found.at(source).map(Json::scalar)
                }
                Source::Given(name) => given.text(name).map(|text| Scalar::Text(text.into())),
                Source::Clock => {
                    return timestamp(self.now).map_or(Shown::Absent, Shown::Scalar);
                }
                Source::Site => site.account_id.as_deref().map(|id| Scalar::Text(id.into())),
            };
            let Some(scalar) = scalar else { continue };
            return match to_v1(field, member.field.1, part, scalar) {
                Some(scalar) => Shown::Scalar(scalar),
                // A sentence where a word should be is v2's way of saying no.
                None if field.conversion == Conversion::Word => empty(),
                None => Shown::Unreadable,
            };
        }
        if read { empty() } else { Shown::Absent }
    }

    fn key(&mut self, member: &Member) {
        if self.json.last() != Some(&b'{') {
            self.json.push(b',');
        }
        self.json.extend_from_slice(member.key.as_bytes());
    }

    fn scalar(&mut self, scalar: &Scalar<'_>) {
        match scalar {
            Scalar::Verbatim(text) => self.verbatim(text),
            Scalar::Text(text) => self.value(text),
            Scalar::Bool(value) => self.value(value),
            Scalar::Int(number) => self.value(number),
            Scalar::Number(number) => self.value(number),
            Scalar::Null | Scalar::Composite => self.value(&()),
        }
    }

    fn verbatim(&mut self, text: &str) {
        self.json.reserve(text.len() + 2);
        self.json.push(b'"');
        self.json.extend_from_slice(text.as_bytes());
        self.json.push(b'"');
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        // JSON always can be written to memory.
        let _ = serde_json::to_writer(&mut self.json, value);
    }
}

/// What a view reads, found in the documents of one object after the other.
struct Found<'a, 't> {
    reading: &'a Reading,
    /// The number of each document in the reading, oldest document first; none for one that is not
    /// read.
    documents: Vec<(Option<usize>, Vec<Option<Json<'t>>>)>,
    /// How many documents the object at hand has.
    count: usize,
    /// What the members of the object before were: the items of a list mostly have the same ones
    /// in the same order.
    before: Vec<Vec<(&'t str, Option<usize>)>>,
    /// The members of the view that these documents may fill, or that need none: without the
    /// settings, most of what v1 showed of a user is not among them.
    columns: Vec<Column<'a>>,
}

type Column<'a> = (&'a Member, &'a Field, &'a Part);

impl<'a, 't> Found<'a, 't> {
    fn new(reading: &'a Reading) -> Self {
        Self {
            reading,
            documents: Vec::new(),
            count: 0,
            before: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Looks up everything that is read.
    fn look_up(&mut self, view: &'a View, catalog: &'a Catalog, documents: &'t Documents<'a>) {
        let count = self.count;
        let mut same = !self.columns.is_empty();
        self.count = 0;
        for (name, document) in documents.iter() {
            if self.documents.len() == self.count {
                self.documents.push((None, Vec::new()));
                self.before.push(Vec::new());
            }
            let number = self.reading.document(name);
            if let Some((known, values)) = self.documents.get_mut(self.count)
                && let Some(before) = self.before.get_mut(self.count)
            {
                let names = number.map_or(&[][..], |number| self.reading.members(number));
                same &= *known == number;
                *known = number;
                values.clear();
                values.resize(names.len(), None);
                if number.is_some() {
                    members(names, document.json(), before, values);
                }
            }
            self.count += 1;
        }
        if !same || self.count != count {
            let mut columns = std::mem::take(&mut self.columns);
            columns.clear();
            columns.reserve(view.members.len());
            columns.extend(view.members.iter().filter_map(|member| {
                let (field, part) = catalog.field(member.field)?;
                Some((member, field, part)).filter(|column| self.may_show(*column))
            }));
            self.columns = columns;
        }
    }

    fn may_show(&self, (member, field, part): Column<'a>) -> bool {
        let is_there = |source: &Source| match source {
            Source::Document(source) => self.has(source.document),
            Source::Given(_) | Source::Clock | Source::Site => true,
        };
        part.kind == Kind::List
            || field.always.is_some()
            || field.empty_unread
            || member.empty
            || member.sources.iter().any(is_there)
    }

    fn read(&self) -> impl DoubleEndedIterator<Item = &(Option<usize>, Vec<Option<Json<'t>>>)> {
        self.documents.iter().take(self.count)
    }

    /// True if there is such a document.
    fn has(&self, document: usize) -> bool {
        self.read().any(|(known, _)| *known == Some(document))
    }

    /// The text of a member that is one in v1 and one in v2 and does not change on the way, which
    /// most are, if it stands in the only document.
    fn plain(&self, member: &Member) -> Option<&'t str> {
        let at = member.plain?;
        let [(known, values)] = self.documents.get(..self.count)? else {
            return None;
        };
        let source = (*known == Some(at.0)).then(|| values.get(at.1))??;
        match (*source)?.scalar() {
            Scalar::Verbatim(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a place in the newest document that has one; null counts as nothing.
    fn at(&self, source: &DocumentSource) -> Option<Json<'t>> {
        let documents = self.read().rev();
        documents
            .filter(|(known, _)| *known == Some(source.document))
            .filter_map(|(_, values)| {
                let member = (*values.get(source.member)?)?;
                if source.rest.is_empty() {
                    Some(member)
                } else {
                    member.at(&source.rest)
                }
            })
            .find(|value| !value.is_null())
    }
}

/// Puts the members of an object, or the elements of an array, where their names are among the
/// names.
fn members<'t>(
    names: &[String],
    object: Json<'t>,
    before: &mut Vec<(&'t str, Option<usize>)>,
    values: &mut [Option<Json<'t>>],
) {
    if object.is_array() {
        for (name, found) in names.iter().zip(values) {
            *found = object.at(&format!("/{name}"));
        }
        return;
    }
    for (at, (name, value)) in object.members().enumerate() {
        let number = match before.get_mut(at) {
            Some((known, number)) if *known == name => *number,
            known => {
                let number = names.iter().position(|known| known == name);
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

impl Field {
    /// The v1 value of a v2 value in the field at `part`, with v1's type; `None` if v1 had none for
    /// it.
    pub fn to_v1(&self, part: usize, v2: &Value) -> Option<Value> {
        let value = to_v1(self, part, self.parts.get(part)?, v2.into())?;
        Some(value.to_value())
    }
}

/// The v1 value of a v2 value, with v1's type.
fn to_v1<'v>(field: &'v Field, at: usize, part: &'v Part, v2: Scalar<'v>) -> Option<Scalar<'v>> {
    let value = match &field.conversion {
        Conversion::Choice(choice) => choice.to_v1(at, &v2)?,
        conversion => conversion.to_v1(v2)?,
    };
    match (part.kind, value) {
        (Kind::Bool, value @ Scalar::Bool(_)) | (Kind::Int, value @ Scalar::Int(_)) => Some(value),
        (Kind::Int, text) => text.as_str()?.trim().parse().ok().map(Scalar::Int),
        (
            Kind::Secret | Kind::String | Kind::Text,
            text @ (Scalar::Text(_) | Scalar::Verbatim(_)),
        ) => Some(text),
        (Kind::Secret | Kind::String | Kind::Text, Scalar::Int(number)) => {
            Some(Scalar::Text(number.to_string().into()))
        }
        (Kind::Secret | Kind::String | Kind::Text, Scalar::Number(number)) => {
            Some(Scalar::Text(number.to_string().into()))
        }
        (Kind::Time, value) => {
            let text = value.as_str()?;
            if is_v1s(text) {
                return Some(value);
            }
            if text.is_empty() {
                return part.empty.as_ref().map(Scalar::from);
            }
            let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            timestamp(time.to_offset(UtcOffset::UTC).unix_timestamp())
        }
        (Kind::Bool | Kind::File | Kind::List | Kind::Secret | Kind::String | Kind::Text, _) => {
            None
        }
    }
}

/// True for a moment that surely stands as v1 wrote it, `2015-01-19T14:47:22Z`, which v2's mostly
/// do. The last days of a month, which not all have, are left to who knows calendars.
fn is_v1s(text: &str) -> bool {
    let Ok(bytes) = <&[u8; 20]>::try_from(text.as_bytes()) else {
        return false;
    };
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
    ] = bytes
    else {
        return false;
    };
    let two = |tens: &u8, ones: &u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
    };
    [y1, y2, y3, y4].into_iter().all(u8::is_ascii_digit)
        && two(m1, m2).is_some_and(|month| (1..=12).contains(&month))
        && two(d1, d2).is_some_and(|day| (1..=28).contains(&day))
        && two(h1, h2).is_some_and(|hour| hour < 24)
        && two(n1, n2).is_some_and(|minute| minute < 60)
        && two(s1, s2).is_some_and(|second| second < 60)
}

/// v1's form of a moment: UTC, whole seconds.
fn timestamp(seconds: i64) -> Option<Scalar<'static>> {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let text = time.format(&Rfc3339).ok()?;
    Some(Scalar::Text(Cow::Owned(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// v1's form, by way of the calendar.
    fn rewritten(text: &str) -> Option<String> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let written = timestamp(time.to_offset(UtcOffset::UTC).unix_timestamp())?;
        written.as_str().map(str::to_owned)
    }

    #[test]
    fn v1s_moments_are_known() {
        assert!(is_v1s("2015-01-19T14:47:22Z"));
        for other in [
            "2015-01-19T14:47:22.5Z",
            "2015-01-19T14:47:22+01:00",
            "2015-13-19T14:47:22Z",
            "2015-02-30T14:47:22Z",
            "2015-01-19T24:47:22Z",
            "2015-01-19 14:47:22Z",
            "",
        ] {
            assert!(!is_v1s(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_v1s_is_not_rewritten(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z"
        ) {
            if is_v1s(&text) {
                prop_assert_eq!(rewritten(&text), Some(text));
            }
        }
    }
}
