//! The files of a catalog as they are written, and what they declare by name.

use std::{cell::Cell, collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{
    problem::{COMMON, Location, Report},
    shape::{FieldShape, FileShape, Named},
};

/// Where things stand in a file.
pub(super) struct Source {
    name: String,
    /// Where its lines end.
    ends: Vec<usize>,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at);
        Self {
            name: name.to_owned(),
            ends: ends.collect(),
        }
    }

    pub(super) fn at(&self, span: &Range<usize>) -> Location {
        Location {
            file: self.name.clone(),
            line: self.ends.partition_point(|end| *end < span.start) + 1,
        }
    }
}

/// What the files hold of one kind, with where each stands.
pub(super) type Placed<T> = Vec<(Location, T)>;

/// The files in the order in which they count.
#[derive(Default)]
pub(super) struct Files(pub Vec<(Source, FileShape)>);

impl Files {
    /// What stands in a list, or alone.
    pub(super) fn list<'f, T>(
        &'f self,
        of: impl Fn(&'f FileShape) -> &'f [Spanned<T>],
    ) -> Placed<&'f T> {
        let files = self.0.iter();
        let items = files.flat_map(|(source, shape)| {
            let items = of(shape).iter();
            items.map(|item| (source.at(&item.span()), item.as_ref()))
        });
        items.collect()
    }

    /// What has a name.
    pub(super) fn named<'f, T>(
        &'f self,
        of: impl Fn(&'f FileShape) -> &'f Named<T>,
    ) -> Declared<'f, T> {
        let files = self.0.iter();
        let items = files.flat_map(|(source, shape)| {
            of(shape).iter().map(|(name, value)| Declaration {
                at: source.at(&name.span()),
                name: name.as_ref(),
                value,
                is_used: Cell::new(false),
            })
        });
        Declared(items.collect())
    }

    /// The field mappings, which overlays change.
    pub(super) fn take_fields(&mut self) -> Placed<FieldShape> {
        let files = self.0.iter_mut();
        let fields = files.flat_map(|(source, shape)| {
            let fields = std::mem::take(&mut shape.field).into_iter();
            fields.map(|field| (source.at(&field.span()), field.into_inner()))
        });
        fields.collect()
    }

    /// Where a span stands in the file of a known place.
    pub(super) fn at(&self, near: &Location, span: &Range<usize>) -> Location {
        let mut files = self.0.iter();
        let file = files.find(|(source, _)| source.name == near.file);
        file.map_or_else(|| near.clone(), |(source, _)| source.at(span))
    }
}

/// Something with a name.
pub(super) struct Declaration<'f, T> {
    pub at: Location,
    pub name: &'f str,
    pub value: &'f T,
    is_used: Cell<bool>,
}

/// All that the files declare of one kind.
pub(super) struct Declared<'f, T>(pub Vec<Declaration<'f, T>>);

impl<'f, T> Declared<'f, T> {
    /// What a resource means by a name, its own or else that of `common`, with its number. It counts
    /// as used.
    pub(super) fn find(&self, resource: &str, name: &str) -> Option<(usize, &Declaration<'f, T>)> {
        let of = |resource: &str| {
            let mut items = self.0.iter().enumerate();
            items.find(|(_, item)| item.name == name && item.at.resource() == resource)
        };
        let found = of(resource).or_else(|| of(COMMON));
        found.inspect(|(_, item)| item.is_used.set(true))
    }

    /// What all resources mean by a name. It counts as used.
    pub(super) fn get(&self, name: &str) -> Option<&'f T> {
        let item = self.0.iter().find(|item| item.name == name)?;
        item.is_used.set(true);
        Some(item.value)
    }

    /// Notes what is never used; `reason` stands before the name.
    pub(super) fn note_unused(&self, reason: &str, report: &Report) {
        for item in self.0.iter().filter(|item| !item.is_used.get()) {
            report.add(&item.at, format!("{reason} `{}`", item.name));
        }
    }

    /// Notes what is there twice, in one resource if it is `local`.
    pub(super) fn note_duplicates(&self, what: &str, is_local: bool, report: &Report) {
        let mut seen: BTreeMap<(&str, &str), &Location> = BTreeMap::new();
        for Declaration { at, name, .. } in &self.0 {
            let resource = if is_local { at.resource() } else { COMMON };
            if let Some(first) = seen.insert((resource, name), at) {
                report.add(at, format!("{what} `{name}` is there already, at {first}"));
            }
        }
    }
}
