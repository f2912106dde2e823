//! What one file states that may matter, before the rest of the project is known.

pub(crate) mod dependencies;
mod mentions;
mod parameters;
mod postman;
pub(crate) mod receivers;
pub(crate) mod scanner;
pub(crate) mod secrets;
pub(crate) mod shape;
pub(crate) mod suppression;
pub(crate) mod syntax;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    facts::{
        dependencies::Dependency,
        receivers::Receiving,
        secrets::Secret,
        shape::Shape,
        syntax::{Binding, Call, Import, Read, Role, Subclass, Text, Write},
    },
    language::Language,
    source::Lines,
};

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// The column after the last character.
    pub(crate) end_column: usize,
    /// How many UTF-16 units more than characters stand before the first and the last column.
    pub(crate) wide: (usize, usize),
    /// The byte offset in the text.
    pub(crate) at: usize,
}

impl Place {
    /// The place of a range of bytes.
    pub(crate) fn of(lines: &Lines, from: usize, to: usize) -> Self {
        let (line, column) = lines.position(from);
        let (end_line, end) = lines.position(to);
        Self {
            line,
            column,
            end_column: if end_line == line { end } else { column + 1 },
            wide: (lines.wide(from), lines.wide(to)),
            at: from,
        }
    }
}

/// Something in a file that looks like v1.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    /// What it looks like.
    pub(crate) shape: Shape,
    /// Where it stands.
    pub(crate) place: Place,
    /// The text that it is in, its pieces left out.
    pub(crate) text: Text,
    /// The names of what is joined to it: `BASE` in `BASE + "user/list"`.
    pub(crate) joined: Vec<String>,
    /// The whole text as far as it is known.
    pub(crate) value: String,
    /// It starts in another piece than it ends in: `BASE + "user/list"`.
    pub(crate) apart: bool,
}

/// What one file says that may matter.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
pub(crate) struct FileFacts {
    /// The path from the root, with slashes.
    pub(crate) path: String,
    /// The language.
    pub(crate) language: Option<Language>,
    /// The word zoom stands in the path or in the text.
    pub(crate) zoom: bool,
    /// The name of another service with similar endpoints that the file mentions.
    pub(crate) vendor: Option<String>,
    /// What looks like v1.
    pub(crate) signals: Vec<Signal>,
    /// Calls that may be a client library's.
    pub(crate) calls: Vec<(Call, Place)>,
    /// The import statements.
    pub(crate) brought_in: Vec<String>,
    /// Imports of client libraries.
    pub(crate) imports: Vec<(Import, Place)>,
    /// Client libraries that it names as dependencies.
    pub(crate) dependencies: Vec<(Dependency, Place)>,
    /// Packages that the file declares itself to be.
    pub(crate) publishes: Vec<String>,
    /// Functions that handle credentials or join names to a path.
    pub(crate) functions: BTreeMap<String, FunctionFacts>,
    /// Answer fields that are read.
    pub(crate) reads: Vec<(Read, Place)>,
    /// Members that are read and speak of Zoom, in lower case: `environment.zoomUrl`.
    pub(crate) members: BTreeSet<String>,
    /// Keys that are set on variables.
    pub(crate) writes: Vec<Write>,
    /// Names that are given what is not literal.
    pub(crate) bindings: Vec<Binding>,
    /// Classes that extend others.
    pub(crate) subclasses: Vec<Subclass>,
    /// Credentials in plain text.
    pub(crate) secrets: Vec<Secret>,
    /// What it has of a receiver.
    pub(crate) receiving: Receiving,
    /// The lines that signals stand on, for reports.
    pub(crate) excerpts: BTreeMap<usize, String>,
    /// Lines with a comment that suppresses findings.
    pub(crate) suppressions: BTreeMap<usize, String>,
    /// What its content was, if it was read as a whole.
    pub(crate) stamp: Option<u64>,
    /// More looks like v1 than is noted.
    pub(crate) is_cut: bool,
    /// It took too long to parse.
    pub(crate) is_unparsed: bool,
    /// It requests paths of v1 through a library.
    pub(crate) is_wrapped: bool,
}

/// What a function does.
#[derive(Clone, Debug, Default)]
pub(crate) struct FunctionFacts {
    /// It handles an API key or secret.
    pub(crate) credentials: bool,
    /// The names that it joins to texts or to other names.
    pub(crate) joins: BTreeSet<String>,
    /// The class that it is a method of.
    pub(crate) class: Option<String>,
}

impl FileFacts {
    /// True if code of the file holds a base or an operation's URL of v1.
    pub(crate) fn has_v1(&self) -> bool {
        self.is_wrapped
            || self.signals.iter().any(|signal| {
                signal.text.role == Role::Value
                    && matches!(
                        signal.shape,
                        Shape::Base | Shape::Url { operation: Some(_) }
                    )
            })
    }
}
