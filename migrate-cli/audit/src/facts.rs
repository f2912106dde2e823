//! Facts of one file, independent of the rest of the project.

pub(crate) mod dependencies;
mod mentions;
mod parameters;
mod payloads;
mod postman;
mod reads;
pub(crate) mod receivers;
mod requests;
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
        syntax::{Binding, Call, Function, Import, Read, Role, Subclass, Text, Write},
    },
    language::Language,
    source::Lines,
};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// The column after the last character.
    pub(crate) end_column: usize,
    /// Number of characters before the first and the last column that take two UTF-16 units.
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

/// A text that looks like v1.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    /// Its shape.
    pub(crate) shape: Shape,
    /// Its place.
    pub(crate) place: Place,
    /// The text around it, without its pieces.
    pub(crate) text: Text,
    /// Names that are concatenated with it: `BASE` in `BASE + "user/list"`.
    pub(crate) joined: Vec<String>,
    /// The whole text, with known constants filled in.
    pub(crate) value: String,
    /// True if it starts in another piece than it ends in: `BASE + "user/list"`.
    pub(crate) spans_pieces: bool,
}

/// Facts of one file.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
pub(crate) struct FileFacts {
    /// The path from the root, with slashes.
    pub(crate) path: String,
    /// The language.
    pub(crate) language: Option<Language>,
    /// True if the path or the text contains the word zoom.
    pub(crate) zoom: bool,
    /// The first other service with similar endpoints that the file mentions.
    pub(crate) vendor: Option<String>,
    /// Texts that look like v1.
    pub(crate) signals: Vec<Signal>,
    /// Calls that may be a client library's.
    pub(crate) calls: Vec<(Call, Place)>,
    /// The import statements.
    pub(crate) import_statements: Vec<String>,
    /// Imports of client libraries.
    pub(crate) imports: Vec<(Import, Place)>,
    /// Dependencies on client libraries.
    pub(crate) dependencies: Vec<(Dependency, Place)>,
    /// Names of the packages that the file declares.
    pub(crate) publishes: Vec<String>,
    /// Functions by name.
    pub(crate) functions: BTreeMap<String, Function>,
    /// Response fields of v1 that the code reads.
    pub(crate) reads: Vec<(Read, Place)>,
    /// Members with the word zoom that the code reads, in lower case: `environment.zoomUrl`.
    pub(crate) members: BTreeSet<String>,
    /// Keys that the code sets on variables.
    pub(crate) writes: Vec<Write>,
    /// Assignments of calls, members and names.
    pub(crate) bindings: Vec<Binding>,
    /// Classes with a superclass.
    pub(crate) subclasses: Vec<Subclass>,
    /// Credentials in plain text.
    pub(crate) secrets: Vec<Secret>,
    /// Parts of a webhook receiver.
    pub(crate) receiving: Receiving,
    /// Lines with a signal, for reports.
    pub(crate) excerpts: BTreeMap<usize, String>,
    /// Lines with a comment that suppresses findings.
    pub(crate) suppressions: BTreeMap<usize, String>,
    /// Content hash, if the file was read as a whole.
    pub(crate) stamp: Option<u64>,
    /// True if the file has more signals than the limit.
    pub(crate) is_cut: bool,
    /// True if parsing timed out.
    pub(crate) is_unparsed: bool,
    /// True if the code passes paths of v1 to a client library.
    pub(crate) is_wrapped: bool,
}

impl FileFacts {
    /// True if the code has a base URL or a path of v2, and nothing of v1.
    pub(crate) fn is_of_v2_alone(&self) -> bool {
        let is_of_v1 = |shape: &Shape| {
            matches!(
                shape,
                Shape::Base | Shape::Url { .. } | Shape::Endpoint { .. }
            )
        };
        self.has_v2() && !self.has_in_code(is_of_v1)
    }

    /// True if the code has a base URL or a path of v2.
    pub(crate) fn has_v2(&self) -> bool {
        self.has_in_code(|shape| matches!(shape, Shape::BaseV2 | Shape::PathV2))
    }

    fn has_in_code(&self, is_shape: impl Fn(&Shape) -> bool) -> bool {
        let mut signals = self.signals.iter();
        signals.any(|signal| signal.text.role == Role::Value && is_shape(&signal.shape))
    }

    /// True if the code has a base URL of v1 or the URL of an operation.
    pub(crate) fn has_v1(&self) -> bool {
        self.is_wrapped
            || self.signals.iter().any(|signal| {
                signal.text.role == Role::Value
                    && matches!(
                        signal.shape,
                        Shape::Base
                            | Shape::Url {
                                operation: Some(_),
                                ..
                            }
                    )
            })
    }
}
