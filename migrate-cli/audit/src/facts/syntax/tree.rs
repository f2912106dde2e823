//! Parses code with its grammar.

mod arguments;
mod bindings;
mod formats;
mod surroundings;
mod takers;
mod texts;
mod variables;

use std::{cell::Cell, collections::HashSet, ops::ControlFlow};

use tree_sitter::{Language as Grammar, Node, ParseOptions, Parser, TreeCursor};

use crate::language::Language;
use crate::{
    facts::syntax::{
        Call, Extract, Import, READ_OF, Read,
        budget::Clock,
        kinds::{Kind, kind},
        tree::{
            arguments::Arguments,
            surroundings::{is_key, tidy},
            takers::Assigned,
        },
    },
    names::{
        contains_zoom, is_assigned, last_identifier, names_credential, names_getter, split_member,
    },
    source::ceil,
};

/// Number of nodes between two reads of the clock.
const CLOCK: usize = 64;
/// Maximum length of a callee, in bytes. The end is kept.
pub(super) const CALLEE: usize = 160;

/// Parses a file; `None` after a timeout.
pub(super) fn extract(
    grammar: &Grammar,
    language: Language,
    source: &str,
    calls: &HashSet<String>,
    clock: &Clock,
) -> Option<Extract> {
    let mut parser = Parser::new();
    parser.set_language(grammar).ok()?;
    let mut check_clock = |_: &tree_sitter::ParseState| {
        if clock.is_over() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let options = ParseOptions::new().progress_callback(&mut check_clock);
    let mut read = |at: usize, _| source.as_bytes().get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options))?;
    let mut walk = Walk {
        language,
        source,
        calls,
        ancestors: Vec::new(),
        scopes: Vec::new(),
        consumed: HashSet::new(),
        commands: HashSet::new(),
        searchable: Cell::new(variables::FILE),
        assigned: Assigned::default(),
        found: Extract::default(),
    };
    if language == Language::Bash {
        walk.commands = commands(tree.walk(), clock)?;
    }
    walk.run(tree.walk(), clock)?;
    Some(walk.found)
}

/// The words of a shell script that name a command; `None` after a timeout.
fn commands(mut cursor: TreeCursor, clock: &Clock) -> Option<HashSet<usize>> {
    let mut commands = HashSet::new();
    let mut nodes = 0_usize;
    loop {
        let node = cursor.node();
        nodes += 1;
        if nodes.is_multiple_of(CLOCK) && clock.is_over() {
            return None;
        }
        if node.kind() == "command_name" {
            let mut children = node.walk();
            let names = node.named_children(&mut children);
            commands.extend(names.map(|name| name.id()));
        }
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(commands);
            }
        }
    }
}

/// Maximum number of classes, functions and maps kept for a text, innermost first. Nesting has no
/// bound.
const SCOPES: usize = 32;

/// A class, a function or a map around the current node.
struct Scope {
    depth: usize,
    at: usize,
    name: String,
    is_function: bool,
    /// Index of the innermost function among the scopes, this one included.
    function: Option<usize>,
}

pub(super) struct Walk<'t> {
    language: Language,
    pub(super) source: &'t str,
    /// Last identifiers of the calls to keep.
    calls: &'t HashSet<String>,
    pub(super) ancestors: Vec<Node<'t>>,
    scopes: Vec<Scope>,
    /// Strings that are part of a concatenation already added.
    consumed: HashSet<usize>,
    /// Words of a shell script that name a command. Collected in advance, because looking up the
    /// parent of a node starts at the root and recurses.
    commands: HashSet<usize>,
    /// Number of nodes that may still be searched for the uses of variables.
    searchable: Cell<usize>,
    assigned: Assigned,
    found: Extract,
}

impl<'t> Walk<'t> {
    /// Walks the tree; `None` after a timeout.
    fn run(&mut self, mut cursor: TreeCursor<'t>, clock: &Clock) -> Option<()> {
        let mut nodes = 0_usize;
        loop {
            let node = cursor.node();
            nodes += 1;
            if nodes.is_multiple_of(CLOCK) && clock.is_over() {
                return None;
            }
            self.enter(node);
            if cursor.goto_first_child() {
                self.ancestors.push(node);
                continue;
            }
            self.leave();
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Some(());
                }
                self.ancestors.pop();
                self.leave();
            }
        }
    }

    /// Closes the scopes of a node.
    fn leave(&mut self) {
        let depth = self.ancestors.len();
        while self.scopes.last().is_some_and(|scope| scope.depth >= depth) {
            self.scopes.pop();
        }
    }

    pub(super) fn kind_of(&self, node: Node) -> Kind {
        let name = node.kind();
        match (self.language, name) {
            (Language::Bash, "word") if !self.commands.contains(&node.id()) => Kind::String,
            (Language::PowerShell, "generic_token") | (Language::ObjectiveC, "preproc_arg") => {
                Kind::String
            }
            (Language::PowerShell, "comparison_expression") => {
                if node.named_child_count() > 1 {
                    Kind::Comparison
                } else {
                    Kind::Wrapper
                }
            }
            // Python's `a.b`, C#'s `[A("b")]`.
            (Language::CSharp, "attribute") => Kind::Annotation,
            (Language::PowerShell, "attribute" | "parameter") => Kind::Other,
            (Language::Java, "enum_constant") => Kind::Call,
            _ => kind(name),
        }
    }

    fn enter(&mut self, node: Node<'t>) {
        if !node.is_named() {
            return;
        }
        // In Go, one declaration contains the import specs of all packages.
        let block = self.language == Language::Go && node.kind() == "import_declaration";
        if is_import(node.kind()) && !block {
            self.found.imports.push(Import {
                text: self.text_of(node).chars().take(200).collect(),
                at: node.start_byte(),
            });
        }
        self.typed_parameter(node);
        match self.kind_of(node) {
            Kind::String => self.string(node),
            Kind::Comment => self.push_comment(node),
            Kind::Markup if self.language == Language::Php => self.markup(node),
            Kind::Binary => {
                self.format_operator(node);
                self.concatenation(node);
            }
            Kind::Wrapper if node.kind() == "format_expression" => self.format_operator(node),
            Kind::Call => {
                self.format_call(node);
                self.take_variables(node);
                self.call(node);
            }
            Kind::Container => self.open(node, false),
            Kind::Function => self.open(node, true),
            Kind::Boundary => self.open_named(node),
            Kind::Assignment => {
                self.bind(node);
                self.assignment(node);
            }
            Kind::Pair => self.entry(node),
            Kind::Identifier if node.kind() == "simple_symbol" => self.symbol(node),
            Kind::Identifier => self.identifier(node),
            Kind::Member | Kind::Subscript => self.member(node),
            _ => {}
        }
    }

    pub(super) fn text_of(&self, node: Node) -> &'t str {
        self.source
            .get(node.start_byte()..node.end_byte())
            .unwrap_or_default()
    }

    fn open(&mut self, node: Node<'t>, is_function: bool) {
        let name = node
            .child_by_field_name("name")
            .or_else(|| node.named_child(0))
            .filter(|child| child.end_byte() - child.start_byte() < 120)
            .map(|child| self.text_of(child).to_owned())
            .unwrap_or_default();
        if is_function {
            let class = self.containers().last();
            let class = class.map(|scope| scope.name.clone());
            self.found.functions.entry(name.clone()).or_default().class = class;
            self.found.scopes.push(node.byte_range());
        } else {
            self.subclass(node, &name);
        }
        let function = if is_function {
            Some(self.scopes.len())
        } else {
            self.scopes.last().and_then(|scope| scope.function)
        };
        self.scopes.push(Scope {
            depth: self.ancestors.len(),
            at: node.start_byte() + 1,
            name,
            is_function,
            function,
        });
    }

    /// `const send = (path) => …`: the function has the name of the variable.
    fn open_named(&mut self, node: Node<'t>) {
        let is_function = matches!(
            node.kind(),
            "arrow_function" | "function_expression" | "anonymous_function"
        );
        let parent = self.ancestors.last().copied().filter(|_| is_function);
        let name = parent.and_then(|parent| {
            ["name", "left", "key", "property"]
                .iter()
                .find_map(|field| parent.child_by_field_name(field))
                .filter(|name| name.end_byte() <= node.start_byte())
        });
        let Some(name) = name else {
            return;
        };
        let name = last_identifier(tail(self.text_of(name), 80)).to_owned();
        if !name.is_empty() {
            self.found.functions.entry(name.clone()).or_default();
            self.found.scopes.push(node.byte_range());
            self.scopes.push(Scope {
                depth: self.ancestors.len(),
                at: node.start_byte() + 1,
                name,
                is_function: true,
                function: Some(self.scopes.len()),
            });
        }
    }

    fn function(&self) -> Option<&str> {
        let function = self.scopes.last()?.function?;
        self.scopes.get(function).map(|scope| scope.name.as_str())
    }

    fn mark_credentials(&mut self, name: &str) {
        if !names_credential(name) {
            return;
        }
        if let Some(function) = self.function().map(str::to_owned) {
            self.found
                .functions
                .entry(function)
                .or_default()
                .credentials = true;
        }
    }

    fn identifier(&mut self, node: Node<'t>) {
        let name = self.text_of(node);
        if name.len() < 80 {
            self.mark_credentials(name);
        }
    }

    fn call(&mut self, node: Node<'t>) {
        let Some(until) = self.arguments_start(node).or_else(|| {
            // A Ruby call without arguments.
            (node.kind() == "call").then(|| node.end_byte())
        }) else {
            return;
        };
        let from = node.start_byte();
        let Some(source) = self.source.get(from..until) else {
            return;
        };
        let callee = if node.kind() == "message_expression" {
            self.text_of(node).chars().take(CALLEE).collect()
        } else {
            with_dots(tidy(tail(source, CALLEE)))
        };
        let name = last_identifier(&callee);
        self.builder(node, until, &callee);
        self.getter(node, until, &callee);
        let zoom = name.len() < 40 && contains_zoom(name);
        if !zoom && !self.calls.contains(name) {
            return;
        }
        let end = from + source.trim_end_matches([' ', '\t', '\r', '\n', '(']).len();
        let Arguments {
            given,
            values,
            whole,
            ..
        } = self.named_arguments(node);
        let strings = self.given_strings(node, until);
        self.found.calls.push(Call {
            callee,
            end,
            start: from,
            target: self.target(node),
            function: self.function().map(str::to_owned),
            class: self.classes(),
            given,
            values,
            whole,
            strings,
        });
    }

    fn member(&mut self, node: Node<'t>) {
        let mut above = self.ancestors.iter().rev().copied();
        let parent = above.next();
        let written = parent.is_some_and(|parent| {
            let is_left = |above: Node<'t>, child: Node<'t>| {
                self.kind_of(above) == Kind::Assignment && is_key(above, child)
            };
            // `a.b, c.d = …`
            let in_list = self.kind_of(parent) == Kind::Wrapper
                && above.next().is_some_and(|above| is_left(above, parent));
            is_left(parent, node) || in_list || self.kind_of(parent) == Kind::Call
        });
        if written || node.end_byte() - node.start_byte() > 200 {
            return;
        }
        let text = self.text_of(node);
        let name = last_identifier(text);
        if name.is_empty() {
            return;
        }
        let offset = text.rfind(name).unwrap_or_default();
        // In most languages, a capital starts a class. In Go, it starts any public name.
        let is_class = self.language != Language::Go && name.starts_with(char::is_uppercase);
        let is_method_value = !is_class && parent.is_some_and(|parent| self.takes_method(parent));
        if is_method_value && self.calls.contains(name) {
            self.found.calls.push(Call {
                callee: tidy(text),
                end: node.end_byte(),
                start: node.start_byte(),
                target: self.target(node),
                function: self.function().map(str::to_owned),
                class: self.classes(),
                given: Vec::new(),
                values: Vec::new(),
                whole: false,
                strings: Vec::new(),
            });
        }
        let end = node.end_byte();
        if self.source.get(end..).is_some_and(is_assigned) {
            return;
        }
        let of = text.get(..offset).unwrap_or_default();
        self.found.reads.push(Read {
            name: name.to_owned(),
            at: node.start_byte() + offset,
            of: tail(of, READ_OF).to_owned(),
            given_to: None,
            inside: None,
        });
    }

    /// `user.getString("zpk")` reads a member of `user`.
    fn getter(&mut self, call: Node<'t>, arguments: usize, callee: &str) {
        let plain = callee.split('<').next().unwrap_or(callee);
        let Some((receiver, method)) = split_member(plain) else {
            return;
        };
        if receiver.is_empty() || !names_getter(method) {
            return;
        }
        if let Some((name, at)) = self.first_string(call, arguments) {
            self.found.reads.push(Read {
                name: name.to_owned(),
                at,
                of: tail(receiver, READ_OF).to_owned(),
                given_to: None,
                inside: None,
            });
        }
    }

    /// True if the parent takes a method as a value, to call it later: `promisify(zoom.user.list)`,
    /// `zoom.user.list.bind(zoom)`, `{ people: zoom.user.list }`.
    fn takes_method(&self, parent: Node<'t>) -> bool {
        match self.kind_of(parent) {
            Kind::List | Kind::Pair | Kind::Assignment => true,
            Kind::Member => last_identifier(self.text_of(parent)) == "bind",
            _ => false,
        }
    }
}

/// `client["user"]["list"]` as `client.user.list`.
fn with_dots(callee: String) -> String {
    if !callee.contains("[\"") && !callee.contains("['") {
        return callee;
    }
    ['"', '\''].iter().fold(callee, |callee, quote| {
        let member = callee.replace(&format!("[{quote}"), ".");
        member.replace(&format!("{quote}]"), "")
    })
}

fn is_import(name: &str) -> bool {
    matches!(
        name,
        "import_statement"
            | "import_from_statement"
            | "import_declaration"
            | "import_spec"
            | "using_directive"
            | "namespace_use_declaration"
            // PHP
            | "include_expression"
            | "include_once_expression"
            | "require_expression"
            | "require_once_expression"
    )
}

/// The last named child of a node.
pub(super) fn last_child(node: Node) -> Option<Node> {
    let last = u32::try_from(node.named_child_count())
        .ok()?
        .checked_sub(1)?;
    node.named_child(last)
}

/// Pushes at most `limit` children of a node on a stack, so that the first child is popped first.
pub(super) fn push_children<'t>(node: Node<'t>, limit: usize, open: &mut Vec<Node<'t>>) {
    let first = open.len();
    let mut cursor = node.walk();
    open.extend(node.named_children(&mut cursor).take(limit));
    if let Some(added) = open.get_mut(first..) {
        added.reverse();
    }
}

/// The last `length` bytes of a text, cut at a character boundary.
pub(super) fn tail(text: &str, length: usize) -> &str {
    let start = ceil(text, text.len().saturating_sub(length));
    text.get(start..).unwrap_or_default()
}
