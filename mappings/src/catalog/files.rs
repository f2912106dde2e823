//! Parsed catalog files and their named declarations.

use std::{cell::Cell, collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{
    problem::{COMMON, Location, Report},
    shape::{FieldShape, FileShape, Named},
};

/// Line index of a file, to resolve spans.
pub(super) struct Source {
    name: String,
    /// Offsets of the line ends.
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

/// Items of one kind with their locations.
pub(super) type Placed<T> = Vec<(Location, T)>;

/// Files in order of precedence.
#[derive(Default)]
pub(super) struct Files(pub Vec<(Source, FileShape)>);

impl Files {
    /// Items of a TOML array, or a single table.
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

    /// Items of a TOML table, by name.
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

    /// Takes the field mappings, which overlays may change.
    pub(super) fn take_fields(&mut self) -> Placed<FieldShape> {
        let files = self.0.iter_mut();
        let fields = files.flat_map(|(source, shape)| {
            let fields = std::mem::take(&mut shape.field).into_iter();
            fields.map(|field| (source.at(&field.span()), field.into_inner()))
        });
        fields.collect()
    }

    /// Location of a span in the same file as `near`.
    pub(super) fn at(&self, near: &Location, span: &Range<usize>) -> Location {
        let mut files = self.0.iter();
        let file = files.find(|(source, _)| source.name == near.file);
        file.map_or_else(|| near.clone(), |(source, _)| source.at(span))
    }
}

/// Named declaration.
pub(super) struct Declaration<'f, T> {
    pub at: Location,
    pub name: &'f str,
    pub value: &'f T,
    is_used: Cell<bool>,
}

/// All declarations of one kind.
pub(super) struct Declared<'f, T>(pub Vec<Declaration<'f, T>>);

impl<'f, T> Declared<'f, T> {
    /// The declaration visible in a resource under this name, with its index: its own, or that of
    /// `common`. Marks it as used.
    pub(super) fn find(&self, resource: &str, name: &str) -> Option<(usize, &Declaration<'f, T>)> {
        let of = |resource: &str| {
            let mut items = self.0.iter().enumerate();
            items.find(|(_, item)| item.name == name && item.at.resource() == resource)
        };
        let found = of(resource).or_else(|| of(COMMON));
        found.inspect(|(_, item)| item.is_used.set(true))
    }

    /// The declaration with this name in any resource. Marks it as used.
    pub(super) fn get(&self, name: &str) -> Option<&'f T> {
        let item = self.0.iter().find(|item| item.name == name)?;
        item.is_used.set(true);
        Some(item.value)
    }

    /// Reports unused declarations; `reason` precedes the name.
    pub(super) fn note_unused(&self, reason: &str, report: &Report) {
        for item in self.0.iter().filter(|item| !item.is_used.get()) {
            report.add(&item.at, format!("{reason} `{}`", item.name));
        }
    }

    /// Reports duplicates: per resource if `is_local`, else across all.
    pub(super) fn note_duplicates(&self, what: &str, is_local: bool, report: &Report) {
        let mut seen: BTreeMap<(&str, &str), &Location> = BTreeMap::new();
        for Declaration { at, name, .. } in &self.0 {
            let resource = if is_local { at.resource() } else { COMMON };
            if let Some(first) = seen.insert((resource, name), at) {
                report.add(at, format!("{what} `{name}` is already defined at {first}"));
            }
        }
    }
}
