//! Views: the shapes of v1 responses.

use super::super::{
    Location,
    place::Place,
    reading::{Reading, Source},
};

/// Shape of a v1 response.
#[derive(Debug)]
pub struct View {
    /// Catalog name.
    pub name: String,
    /// Members, in response order.
    pub members: Vec<Member>,
    /// Fields of v1 that v2 cannot fill.
    pub none: Vec<Unfilled>,
    /// View of the items of its first list.
    pub items: Option<usize>,
    /// Document members that it reads.
    pub(crate) reading: Reading,
    /// Location in the catalog files.
    pub location: Location,
}

/// Field of a v1 response that v2 cannot fill.
#[derive(Debug)]
pub struct Unfilled {
    /// Catalog index of the field mapping and its part.
    pub field: (usize, usize),
    /// v1 name.
    pub name: String,
    /// Reason.
    pub reason: String,
}

/// Member of a view.
#[derive(Debug)]
pub struct Member {
    /// Catalog index of the field mapping and its part.
    pub field: (usize, usize),
    /// Sources of the value that override those of the mapping.
    pub from: Option<Vec<Place>>,
    /// Always v1's empty value.
    pub empty: bool,
    /// View of the nested objects, for a list or an object.
    pub view: Option<usize>,
    /// Serialized key with leading comma: `,"dept":`.
    pub(crate) key: String,
    /// Serialized member for a constant or absent value: `,"dept":""`. Empty if the member is then
    /// omitted.
    pub(crate) known: String,
    /// Sources of the value, in order of preference.
    pub(crate) sources: Vec<Source>,
}
