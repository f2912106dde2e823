//! Strings, comments and calls of a file, with their surroundings.
//!
//! A file whose language has a grammar is parsed ([`tree`]). Bundles, files of other languages and
//! files that time out are read by a scanner for quotes and comments ([`lexer`]), data and prose
//! line by line ([`lines`]). All return an [`Extract`].

mod budget;
pub(crate) mod fold;
mod format;
pub mod isolated;
mod kinds;
mod lexer;
mod lines;
mod parts;
mod tree;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use serde::{Deserialize, Serialize};

use crate::{
    facts::syntax::{
        budget::ParseBudget,
        isolated::{NoProcess, Parsers},
    },
    language::Language,
    names::last_identifier,
    source::is_packed,
};

/// Role of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Role {
    /// A string in code, or a value in data.
    Value,
    /// A comment.
    Comment,
    /// A sentence in a document.
    Prose,
}

/// How the code uses a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Usage {
    /// As a value.
    #[default]
    Plain,
    /// As a label of a switch or a match.
    Case,
    /// As an operand of a comparison.
    Compared,
    /// As a key of a map or an index.
    Key,
    /// Inside an annotation or an attribute.
    Annotation,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Piece {
    /// Literal text of the source, from the byte offset `at`.
    Text {
        /// The text.
        value: String,
        /// Its byte offset.
        at: usize,
    },
    /// A value from somewhere else, with its name if it has one.
    Hole(String),
}

/// A string, a comment or a sentence.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Text {
    /// Its parts in order; concatenation and interpolation are resolved into parts.
    pub(crate) pieces: Vec<Piece>,
    /// Its role.
    pub(crate) role: Role,
    /// How the code uses it.
    pub(crate) usage: Usage,
    /// The function that takes it as an argument, as in the source: `$this->sendRequest`.
    pub(crate) callee: Option<String>,
    /// Calls that take the variable that it is assigned to: `$path = "…"; $this->send($path)`.
    pub(crate) passed_to: Vec<Taker>,
    /// The name that it is assigned to, or the key of its value.
    pub(crate) target: Option<String>,
    /// The innermost function around it.
    pub(crate) function: Option<String>,
    /// The names of the classes and modules around it, outermost first, separated by spaces.
    pub(crate) class: String,
    /// The classes, objects and maps around it by byte offset, innermost last. The file is 0.
    pub(crate) containers: Vec<usize>,
    /// Its list of arguments or elements by byte offset, and its index in the list.
    pub(crate) element: Option<(usize, usize)>,
    /// Names of the other arguments of the call.
    pub(crate) given: Vec<String>,
    /// Literal values of these arguments, by name.
    pub(crate) values: Vec<(String, String)>,
    /// Variables among the other arguments of the call.
    pub(crate) passed: Vec<String>,
    /// True if all parameter names of the call are literals.
    pub(crate) whole: bool,
    /// True if the statement has v1's credentials in headers, and nowhere else.
    pub(crate) keys_in_headers: bool,
}

impl Text {
    /// A text without surroundings.
    pub(crate) fn new(role: Role, pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            role,
            usage: Usage::Plain,
            callee: None,
            passed_to: Vec::new(),
            target: None,
            function: None,
            class: String::new(),
            containers: vec![0],
            element: None,
            given: Vec::new(),
            values: Vec::new(),
            passed: Vec::new(),
            whole: false,
            keys_in_headers: false,
        }
    }

    /// A text of one piece without surroundings.
    pub(crate) fn plain(value: &str, at: usize, role: Role) -> Self {
        let value = value.to_owned();
        Self::new(role, vec![Piece::Text { value, at }])
    }

    /// The function that takes it, as an argument or through a variable.
    pub(crate) fn taker(&self) -> Option<&str> {
        let through_variable = || self.passed_to.first().map(|taker| taker.callee.as_str());
        self.callee.as_deref().or_else(through_variable)
    }

    /// True if it contains a slash.
    pub(crate) fn may_be_path(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Text { value, .. } => value.contains('/'),
            Piece::Hole(_) => false,
        })
    }

    /// The variable that holds it, if it may be a path and no call takes it directly.
    pub(crate) fn path_variable(&self) -> Option<&str> {
        let is_path = self.role == Role::Value
            && self.usage == Usage::Plain
            && self.callee.is_none()
            && self.may_be_path();
        let name = self.target.as_deref().map(last_identifier);
        name.filter(|name| is_path && !name.is_empty())
    }

    /// The surroundings, without the text itself.
    pub(crate) fn without_pieces(&self) -> Self {
        Self {
            pieces: Vec::new(),
            ..self.clone()
        }
    }
}

/// A call that takes a variable.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Taker {
    /// The callee as in the source.
    pub(crate) callee: String,
    /// The names of the arguments.
    pub(crate) given: Vec<String>,
    /// Variables among the arguments.
    pub(crate) passed: Vec<String>,
}

/// A call: `client.user.list(…)`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Call {
    /// The callee as in the source, without line breaks.
    pub(crate) callee: String,
    /// The byte offset behind the name of the method.
    pub(crate) end: usize,
    /// The byte offset at which the call starts.
    pub(crate) start: usize,
    /// The name that the result is assigned to.
    pub(crate) target: Option<String>,
    /// The innermost function around it.
    pub(crate) function: Option<String>,
    /// The names of the classes and modules around it, separated by spaces.
    pub(crate) class: String,
    /// The names of the arguments.
    pub(crate) given: Vec<String>,
    /// Literal values of these arguments, by name.
    pub(crate) values: Vec<(String, String)>,
    /// True if all parameter names are literals.
    pub(crate) whole: bool,
    /// The string arguments.
    pub(crate) strings: Vec<String>,
}

/// A read of a member or key: `.lastLoginTime`, `['zpk']`, `.getString("zpk")`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Read {
    /// The name.
    pub(crate) name: String,
    /// Its byte offset.
    pub(crate) at: usize,
    /// What it is read from, as in the source: `$_POST`, `user.settings`.
    pub(crate) of: String,
    /// The function that takes what it is read from as a parameter, by byte range.
    #[serde(skip)]
    pub(crate) given_to: Option<Range<usize>>,
    /// The outermost function around it, by byte range.
    #[serde(skip)]
    pub(crate) inside: Option<Range<usize>>,
}

/// An import statement.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Import {
    /// Its source.
    pub(crate) text: String,
    /// Its byte offset.
    pub(crate) at: usize,
}

/// A write to a member or key: `$data['email'] = …`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Write {
    /// The variable.
    pub(crate) variable: String,
    /// The key.
    pub(crate) key: String,
    /// The value, if it is a literal.
    pub(crate) value: Option<String>,
    /// The function around it.
    pub(crate) function: Option<String>,
}

/// An assignment of a call, a member or another name: `users = client.user`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Binding {
    /// The name.
    pub(crate) name: String,
    /// The source of the value. A parameter of a class has a construction of that class.
    pub(crate) value: String,
}

/// A class with superclasses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Subclass {
    /// Its name.
    pub(crate) name: String,
    /// The source of the superclasses.
    pub(crate) of: String,
}

/// A function.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Function {
    /// True if it handles an API key or secret.
    pub(crate) credentials: bool,
    /// Names that it concatenates with texts or other names.
    pub(crate) joins: BTreeSet<String>,
    /// The class that it is a method of.
    pub(crate) class: Option<String>,
}

/// Everything that is extracted from a file.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Extract {
    /// Its strings, comments or sentences.
    pub(crate) texts: Vec<Text>,
    /// Its calls.
    pub(crate) calls: Vec<Call>,
    /// Its imports.
    pub(crate) imports: Vec<Import>,
    /// Reads of members and keys.
    pub(crate) reads: Vec<Read>,
    /// Writes to keys.
    pub(crate) writes: Vec<Write>,
    /// Its functions by name.
    pub(crate) functions: BTreeMap<String, Function>,
    /// The byte ranges of its functions, by their start.
    pub(crate) scopes: Vec<Range<usize>>,
    /// Assignments of values that are not literals.
    pub(crate) bindings: Vec<Binding>,
    /// Classes with superclasses.
    pub(crate) subclasses: Vec<Subclass>,
    /// True if parsing timed out, so that there are only strings and comments.
    pub(crate) is_unparsed: bool,
}
/// Maximum length of what a member is read from, in bytes. The end is kept.
const READ_OF: usize = 80;

impl Extract {
    /// The byte ranges of comments and sentences, by their start.
    pub(crate) fn comments(&self) -> Vec<Range<usize>> {
        let mut comments: Vec<_> = self
            .texts
            .iter()
            .filter(|text| text.role != Role::Value)
            .flat_map(|text| &text.pieces)
            .filter_map(|piece| match piece {
                Piece::Text { value, at } => Some(*at..*at + value.len()),
                Piece::Hole(_) => None,
            })
            .collect();
        comments.sort_unstable_by_key(|comment: &Range<usize>| comment.start);
        comments
    }
}

/// The functions around a place, innermost first.
pub(crate) fn enclosing(scopes: &[Range<usize>], at: usize) -> impl Iterator<Item = &Range<usize>> {
    /// Maximum number of functions before the place that are searched.
    const SCOPES: usize = 256;
    let before = scopes.partition_point(|scope| scope.start <= at);
    let near = scopes.iter().take(before).rev().take(SCOPES);
    near.filter(move |scope| scope.contains(&at))
}

/// True if one of the ranges, which are sorted by their start, contains an offset.
pub(crate) fn is_within(ranges: &[Range<usize>], at: usize) -> bool {
    let after = ranges.partition_point(|range| range.start <= at);
    let last = after.checked_sub(1).and_then(|index| ranges.get(index));
    last.is_some_and(|range| at < range.end)
}

/// Maximum length of a parsed file, in bytes. Longer files are not hand-written.
const PARSED: usize = 1 << 20;

/// Runs a parser on a stack that `length` bytes of nesting cannot overflow: parsers free their
/// trees by recursion. `None` if there is no memory for the stack.
fn with_stack_for<T: Send>(length: usize, parse: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    /// Any stack is large enough for a text of this length, in bytes.
    const SHORT: usize = 4 << 10;
    /// Twice the stack of one level without optimization, in bytes. A level takes at least one byte
    /// of text.
    const LEVEL: usize = 256;
    /// Stack besides the recursion, in bytes.
    const REST: usize = 2 << 20;
    if length <= SHORT {
        return parse();
    }
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(REST + length * LEVEL)
            .spawn_scoped(scope, parse)
            .ok()?
            .join()
            .ok()?
    })
}

/// Parses a text in this process.
fn parsed(
    language: Language,
    source: &str,
    calls: &HashSet<String>,
    budget: &ParseBudget,
) -> Option<Extract> {
    let grammar = language.grammar()?;
    with_stack_for(source.len(), || {
        tree::extract(&grammar, language, source, calls, &budget.start())
    })
}

/// Parser for files, in this process or in others, with a time budget.
#[derive(Debug, Default)]
pub(crate) struct Parsing {
    budget: ParseBudget,
    /// Child processes, which can be killed.
    parsers: Option<Parsers>,
}

impl Parsing {
    /// The budget shrinks when `stop` is set. `program` is the executable that parses in child
    /// processes.
    pub(crate) fn new(stop: Arc<AtomicBool>, program: Option<PathBuf>) -> Self {
        Self {
            budget: ParseBudget::new(stop),
            parsers: program.map(Parsers::new),
        }
    }

    fn extract(
        &self,
        language: Language,
        source: &str,
        calls: &HashSet<String>,
    ) -> Option<Extract> {
        let budget = &self.budget;
        let here = || parsed(language, source, calls, budget);
        match &self.parsers {
            Some(_) if budget.is_used_up() => None,
            Some(parsers) => parsers
                .extract(language, source, calls, budget)
                .unwrap_or_else(|NoProcess| here()),
            None => here(),
        }
    }
}

/// Extracts from a file. Calls are kept only if their last name is in `calls`.
pub(crate) fn extract(
    language: Language,
    source: &str,
    calls: &HashSet<String>,
    parsing: &Parsing,
) -> Extract {
    let bundle = source.len() > PARSED || is_packed(source.as_bytes());
    let mut is_unparsed = false;
    if !bundle && language.grammar().is_some() {
        match parsing.extract(language, source, calls) {
            Some(extract) => return extract,
            None => is_unparsed = true,
        }
    }
    let extract = match language {
        Language::Data(_) | Language::Prose => lines::extract(language, source),
        Language::Markup => lexer::extract(None, source, 0),
        _ => lexer::extract(language.lexis(), source, 0),
    };
    Extract {
        is_unparsed,
        ..extract
    }
}
