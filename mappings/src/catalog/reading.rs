//! Compiled reads of a view: the document members that it needs, deduplicated.

use super::place::{DocumentPlace, Place};

/// Document members that a view reads.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    documents: Vec<DocumentMembers>,
}

/// Members of one document.
#[derive(Debug)]
pub(crate) struct DocumentMembers {
    name: String,
    /// Names of top-level members, deduplicated.
    pub(crate) members: Vec<String>,
}

/// Compiled source of a member's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Member of a v2 document.
    Document(DocumentSource),
    /// Text before each document member, and the text after the last one.
    Text(Vec<(String, DocumentSource)>, String),
    /// Entries of a list.
    List(String),
    /// Any other place.
    Other(Place),
}

/// Document member, split into its top-level member and the path below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentSource {
    /// Index of the document in the [`Reading`].
    pub(crate) document: usize,
    /// Index of the top-level member.
    pub(crate) member: usize,
    /// JSON pointer below the top-level member.
    pub(crate) rest: String,
}

impl Reading {
    /// Index of the document, if the view reads it.
    pub(crate) fn document(&self, name: &str) -> Option<usize> {
        self.documents.iter().position(|known| known.name == name)
    }

    /// Top-level members read from the document.
    pub(crate) fn members(&self, document: usize) -> &[String] {
        let document = self.documents.get(document);
        document.map_or(&[], |document| &document.members)
    }

    /// Total number of top-level members read.
    pub(crate) fn size(&self) -> usize {
        let documents = self.documents.iter();
        documents.map(|document| document.members.len()).sum()
    }

    /// Adds the reads of a place.
    pub(super) fn add(&mut self, place: &Place) -> Source {
        match place {
            Place::Document(place) => Source::Document(self.add_document(place)),
            Place::Text(template) => {
                let mut pieces = Vec::new();
                let mut before = String::new();
                for (text, inner) in template.pieces() {
                    before.push_str(text);
                    if let Some(Ok(place)) = inner.map(Place::in_document) {
                        let source = self.add_document(&place);
                        pieces.push((std::mem::take(&mut before), source));
                    }
                }
                Source::Text(pieces, before)
            }
            Place::Link(place) => {
                let source = self.add_document(place);
                Source::Text(vec![(String::new(), source)], String::new())
            }
            Place::List(list) => Source::List(list.clone()),
            other => Source::Other(other.clone()),
        }
    }

    fn add_document(&mut self, place: &DocumentPlace) -> DocumentSource {
        let document = self.document(&place.document).unwrap_or_else(|| {
            self.documents.push(DocumentMembers {
                name: place.document.clone(),
                members: Vec::new(),
            });
            self.documents.len() - 1
        });
        let pointer = place.pointer.strip_prefix('/').unwrap_or_default();
        let (first, rest) = match pointer.find('/') {
            Some(slash) => pointer.split_at(slash),
            None => (pointer, ""),
        };
        let mut member = 0;
        if let Some(DocumentMembers { members, .. }) = self.documents.get_mut(document) {
            member = members
                .iter()
                .position(|known| known == first)
                .unwrap_or_else(|| {
                    members.push(first.to_owned());
                    members.len() - 1
                });
        }
        DocumentSource {
            document,
            member,
            rest: rest.to_owned(),
        }
    }
}
