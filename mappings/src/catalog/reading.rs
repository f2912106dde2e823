//! What a view reads, compiled: which members of which documents, each looked up once.

use super::place::{DocumentPlace, Place};

/// The members of v2's documents that a view reads.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    documents: Vec<DocumentMembers>,
}

/// The members of one document that a view reads.
#[derive(Debug)]
pub(crate) struct DocumentMembers {
    name: String,
    /// Names on the document's first level, each once.
    pub(crate) members: Vec<String>,
}

/// Where a view's field comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A document of v2.
    Document(DocumentSource),
    /// A text with places of documents in it: what stands before each, and what comes last.
    Text(Vec<(String, DocumentSource)>, String),
    /// The entries of a list.
    List(String),
    /// Anything else than documents.
    Other(Place),
}

/// A place in a document: a member of its first level, and what is below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentSource {
    /// The number of the document in the [`Reading`].
    pub(crate) document: usize,
    /// The number of the member there.
    pub(crate) member: usize,
    /// A JSON pointer from the member on.
    pub(crate) rest: String,
}

impl Reading {
    /// The number of the document of a name, if the view reads it.
    pub(crate) fn document(&self, name: &str) -> Option<usize> {
        self.documents.iter().position(|known| known.name == name)
    }

    /// What is read of the document of a number.
    pub(crate) fn members(&self, document: usize) -> &[String] {
        let document = self.documents.get(document);
        document.map_or(&[], |document| &document.members)
    }

    /// How many members are read, of all documents.
    pub(crate) fn size(&self) -> usize {
        let documents = self.documents.iter();
        documents.map(|document| document.members.len()).sum()
    }

    /// Notes that a field comes from a place.
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
