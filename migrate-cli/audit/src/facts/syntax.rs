//! What a file says: its strings, comments and calls, with what surrounds them.
//!
//! Where a grammar is at hand the file is parsed ([`tree`]); else, for bundles, and when parsing gives
//! up, a reader that knows only quotes and comments does it ([`lexer`]), or one for data and prose
//! ([`lines`]). All give the same [`Extract`], so that nothing after this cares.

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
    collections::{BTreeMap, HashSet},
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
    source::is_packed,
};

/// What a text is.
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
    /// To compare something with it.
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
    /// The value of something else; the name, if it has one.
    Hole(String),
}

/// A string, a comment or a sentence.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Text {
    /// Its parts in order: concatenation and interpolation are taken apart.
    pub(crate) pieces: Vec<Piece>,
    /// What it is.
    pub(crate) role: Role,
    /// How it is used.
    pub(crate) usage: Usage,
    /// What is called with it, as the source has it: `$this->sendRequest`.
    pub(crate) callee: Option<String>,
    /// The name that it is assigned to, or the key that it belongs to.
    pub(crate) target: Option<String>,
    /// The innermost function around it.
    pub(crate) function: Option<String>,
    /// The names of the classes and modules around it, outermost first, joined by blanks.
    pub(crate) class: String,
    /// The classes, objects and maps around it by their byte offset, innermost last. The file
    /// itself is 0.
    pub(crate) containers: Vec<usize>,
    /// The list of arguments or elements that it is in, by byte offset, and its place there.
    pub(crate) element: Option<(usize, usize)>,
    /// The parameters given beside it in the same call.
    pub(crate) given: Vec<String>,
    /// The variables given beside it in the same call.
    pub(crate) passed: Vec<String>,
    /// All that is given beside it in the same call is literal but for values.
    pub(crate) whole: bool,
}

impl Text {
    /// A text of one piece without surroundings.
    pub(crate) fn plain(value: &str, at: usize, role: Role) -> Self {
        Self {
            pieces: vec![Piece::Text {
                value: value.to_owned(),
                at,
            }],
            role,
            usage: Usage::Plain,
            callee: None,
            target: None,
            function: None,
            class: String::new(),
            containers: vec![0],
            element: None,
            given: Vec::new(),
            passed: Vec::new(),
            whole: false,
        }
    }

    /// What surrounds it, without itself.
    pub(crate) fn without_pieces(&self) -> Self {
        Self {
            pieces: Vec::new(),
            callee: self.callee.clone(),
            target: self.target.clone(),
            function: self.function.clone(),
            class: self.class.clone(),
            containers: self.containers.clone(),
            given: self.given.clone(),
            passed: self.passed.clone(),
            ..*self
        }
    }
}

/// A call of something: `client.user.list(…)`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Call {
    /// What is called, as the source has it, without blanks.
    pub(crate) callee: String,
    /// The byte offset at which the name of the method ends.
    pub(crate) end: usize,
    /// The byte offset at which the call starts.
    pub(crate) start: usize,
    /// The name that the result is assigned to.
    pub(crate) target: Option<String>,
    /// The innermost function around it.
    pub(crate) function: Option<String>,
    /// The names of the classes and modules around it, joined by blanks.
    pub(crate) class: String,
    /// The named parameters that are given.
    pub(crate) given: Vec<String>,
    /// All that is given is literal but for values.
    pub(crate) whole: bool,
    /// The strings that are given.
    pub(crate) strings: Vec<String>,
}

/// A member or key that is read: `.lastLoginTime`, `['zpk']`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Read {
    /// The name.
    pub(crate) name: String,
    /// Its byte offset.
    pub(crate) at: usize,
}

/// A line that brings in another package.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Import {
    /// The source of the statement.
    pub(crate) text: String,
    /// Its byte offset.
    pub(crate) at: usize,
}

/// A member or key of a variable that is set: `$data['email'] = …`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Write {
    /// The variable.
    pub(crate) variable: String,
    /// The key.
    pub(crate) key: String,
    /// The function around it.
    pub(crate) function: Option<String>,
}

/// A name that is given the value of a call, a member or another name: `users = client.user`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Binding {
    /// The name.
    pub(crate) name: String,
    /// The source of the value. A parameter of a class has a construction of that class.
    pub(crate) value: String,
}

/// A class that extends others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Subclass {
    /// Its name.
    pub(crate) name: String,
    /// The source of what it extends.
    pub(crate) of: String,
}

/// What a function does that matters here.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Deeds {
    /// It handles an API key or secret.
    pub(crate) credentials: bool,
    /// The class that it is a method of.
    pub(crate) class: Option<String>,
}

/// All that a file says.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Extract {
    /// Its strings, comments or sentences.
    pub(crate) texts: Vec<Text>,
    /// Its calls.
    pub(crate) calls: Vec<Call>,
    /// Its imports.
    pub(crate) imports: Vec<Import>,
    /// Members and keys that are read.
    pub(crate) reads: Vec<Read>,
    /// Keys that are set.
    pub(crate) writes: Vec<Write>,
    /// Its functions by name.
    pub(crate) functions: BTreeMap<String, Deeds>,
    /// Names that are given what is not literal.
    pub(crate) bindings: Vec<Binding>,
    /// Its classes that extend others.
    pub(crate) subclasses: Vec<Subclass>,
    /// It took too long to parse, so that only its strings and comments were read.
    pub(crate) is_unparsed: bool,
}

/// How long a text may be to be parsed, in bytes. Longer ones are no code that people keep.
const PARSED: usize = 1 << 20;

/// Runs a parser on a stack that the nesting of `length` bytes cannot overflow: parsers free their
/// stacks by recursion. Nothing if there is no memory for the stack.
fn with_stack_for<T: Send>(length: usize, parse: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    /// Any stack is large enough for texts of this length, in bytes.
    const SHORT: usize = 4 << 10;
    /// Twice what one level takes without optimisation, in bytes; a level is at least a byte of text.
    const LEVEL: usize = 256;
    /// What is needed beside the recursion, in bytes.
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

/// Where texts are parsed, and how long.
#[derive(Debug, Default)]
pub(crate) struct Parsing {
    budget: ParseBudget,
    /// Processes, which can be ended.
    parsers: Option<Parsers>,
}

impl Parsing {
    /// Has less time when `stop` is set. `program` is this program, if it can be run again.
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

/// Reads a file's text. Of its calls, only those whose last name is among `calls` are noted.
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
