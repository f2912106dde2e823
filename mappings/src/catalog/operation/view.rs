//! The shapes of answers.

use super::super::{
    Location,
    place::Place,
    reading::{Reading, Source},
};

/// The shape of a v1 answer.
#[derive(Debug)]
pub struct View {
    /// Its name in the catalog.
    pub name: String,
    /// Its fields, in order.
    pub members: Vec<Member>,
    /// Fields that v1 had here and v2 cannot fill.
    pub none: Vec<Unfilled>,
    /// The view of each item of its first list.
    pub items: Option<usize>,
    /// What it reads.
    pub(crate) reading: Reading,
    /// Where the view is written.
    pub location: Location,
}

/// A field that v1 had in an answer and v2 cannot fill.
#[derive(Debug)]
pub struct Unfilled {
    /// The index of the mapping in the catalog and of its part there.
    pub field: (usize, usize),
    /// The v1 name.
    pub name: String,
    /// Why v2 cannot fill it.
    pub reason: String,
}

/// A field of a view.
#[derive(Debug)]
pub struct Member {
    /// The index of the mapping in the catalog and of its part there.
    pub field: (usize, usize),
    /// Where the value comes from, if other than the mapping says.
    pub from: Option<Vec<Place>>,
    /// Always v1's empty value here.
    pub empty: bool,
    /// The view of the objects in it, if it is a list or an object.
    pub view: Option<usize>,
    /// How it begins in JSON: `,"dept":`.
    pub(crate) key: String,
    /// How it stands in JSON where v2 is not asked, or has nothing: `,"dept":""`. Empty if it is
    /// absent then.
    pub(crate) known: String,
    /// Where the value comes from, in order of preference.
    pub(crate) sources: Vec<Source>,
}
