//! Documents and lists read from v2.

use crate::document::{Document, Json};

/// v2 documents, oldest first. The first is stored inline, because most entries have only one.
#[derive(Clone, Default)]
pub(super) struct Documents<'a> {
    first: Option<(&'a str, Document)>,
    more: Vec<(&'a str, Document)>,
}

/// Documents and lists of the response, or of an entry of a list.
#[derive(Clone, Default)]
pub(super) struct Entry<'a> {
    pub documents: Documents<'a>,
    /// Nested lists, by name.
    pub lists: Vec<(&'a str, Vec<Entry<'a>>)>,
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

    /// The oldest document.
    pub(super) fn first(&self) -> Option<&Document> {
        self.first.as_ref().map(|(_, document)| document)
    }

    /// The newest document with this name.
    pub(super) fn newest(&self, name: &str) -> Option<&Document> {
        self.all(name).next()
    }

    /// All documents with this name, newest first.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Document> {
        let documents = self.iter().rev();
        documents
            .filter(move |(known, _)| *known == name)
            .map(|(_, document)| document)
    }

    /// All documents, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &(&'a str, Document)> {
        self.first.iter().chain(&self.more)
    }

    /// The value at a pointer in the newest document with this name that has one; null counts as
    /// absent.
    pub(super) fn at(&self, document: &str, pointer: &str) -> Option<Json<'_>> {
        self.all(document).find_map(|document| {
            let value = document.json().at(pointer)?;
            (!value.is_null()).then_some(value)
        })
    }
}

impl<'a> Entry<'a> {
    /// Entry of a list.
    pub(super) fn of(name: &'a str, document: Document) -> Self {
        Self {
            documents: Documents::of(name, document),
            lists: Vec::new(),
        }
    }

    /// The entry's own document.
    pub(super) fn own(&self) -> Option<Json<'_>> {
        self.documents.first().map(Document::json)
    }

    pub(super) fn list(&self, name: &str) -> Option<&[Entry<'a>]> {
        let mut lists = self.lists.iter();
        let (_, list) = lists.find(|(known, _)| *known == name)?;
        Some(list)
    }

    pub(super) fn list_mut(&mut self, name: &str) -> Option<&mut Vec<Entry<'a>>> {
        let mut lists = self.lists.iter_mut();
        let (_, list) = lists.find(|(known, _)| *known == name)?;
        Some(list)
    }

    /// Creates a list or appends to it.
    pub(super) fn extend(&mut self, name: &'a str, entries: Vec<Entry<'a>>) {
        match self.list_mut(name) {
            Some(list) => list.extend(entries),
            None => self.lists.push((name, entries)),
        }
    }

    /// Removes the entries of a list.
    pub(super) fn take(&mut self, name: &str) -> Vec<Entry<'a>> {
        self.list_mut(name).map(std::mem::take).unwrap_or_default()
    }
}
