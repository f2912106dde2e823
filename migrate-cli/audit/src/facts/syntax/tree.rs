//! Reads code by its grammar.

mod surroundings;

use std::{collections::HashSet, ops::ControlFlow};

use tree_sitter::{Language as Grammar, Node, ParseOptions, Parser, TreeCursor};

use crate::language::Language;
use crate::{
    facts::syntax::{
        Binding, Call, Extract, Import, Piece, Read, Role, Subclass, Text, Usage, Write,
        budget::Clock,
        kinds::{Kind, is_interpolation, kind},
        lexer,
        tree::surroundings::{Arguments, CLIMB, is_key, tidy},
    },
    names::{first_name, last_identifier, names_credential, names_request, split_member},
};

/// After how many nodes of a tree the clock is read.
const CLOCK: usize = 64;
/// How much of a callee's source is kept, from its end.
pub(super) const CALLEE: usize = 160;

/// Why a file is not parsed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// It takes too long.
    TooLong,
    /// The parser goes through it as through texts that make it take minutes in a single step.
    Suspicious,
}

/// Parses a file.
pub(super) fn extract(
    grammar: &Grammar,
    language: Language,
    source: &str,
    calls: &HashSet<String>,
    clock: &Clock,
) -> Result<Extract, Cut> {
    let mut parser = Parser::new();
    parser.set_language(grammar).map_err(|_| Cut::TooLong)?;
    let mut cut = Cut::TooLong;
    let mut steps = 0;
    let mut patience = |state: &tree_sitter::ParseState| {
        steps += 1;
        if clock.is_over() {
            return ControlFlow::Break(());
        }
        if clock.is_watchful() && is_suspicious(source.len(), steps, state) {
            cut = Cut::Suspicious;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let options = ParseOptions::new().progress_callback(&mut patience);
    let mut read = |at: usize, _| source.as_bytes().get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    let tree = tree.ok_or(cut)?;
    let mut walk = Walk {
        language,
        source,
        calls,
        ancestors: Vec::new(),
        scopes: Vec::new(),
        consumed: HashSet::new(),
        commands: HashSet::new(),
        found: Extract::default(),
    };
    if language == Language::Bash {
        walk.commands = commands(tree.walk(), clock).ok_or(Cut::TooLong)?;
    }
    walk.run(tree.walk(), clock).ok_or(Cut::TooLong)?;
    Ok(walk.found)
}

/// True if a parser that has come so far in a text of `length` bytes may need quadratic time and memory
/// at its end: it follows several readings of the text at once, or has met what follows no grammar.
fn is_suspicious(length: usize, steps: usize, state: &tree_sitter::ParseState) -> bool {
    /// Texts of this length are harmless, in bytes.
    const HARMLESS: usize = 2 << 10;
    /// How many actions the parser takes between two of its reports.
    const ACTIONS: usize = 100;
    /// How many actions one byte of code takes at most; half of it is common.
    const DENSE: usize = 2;
    /// How far into a text this is no accident, in bytes.
    const START: usize = 512;
    let dense = steps * ACTIONS > DENSE * (state.current_byte_offset() + START);
    length > HARMLESS && (state.has_error() || dense)
}

/// The words of a shell script that name a command; nothing if the search takes too long.
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

/// How many classes, functions and maps around a text are noted, from the inside: code may be nested
/// without end.
const SCOPES: usize = 32;

/// A class, a function or a map that the walk is in.
struct Scope {
    depth: usize,
    at: usize,
    name: String,
    is_function: bool,
    /// Where the innermost function is among the scopes, this one included.
    function: Option<usize>,
}

pub(super) struct Walk<'t> {
    language: Language,
    pub(super) source: &'t str,
    /// The last names of calls that matter.
    calls: &'t HashSet<String>,
    pub(super) ancestors: Vec<Node<'t>>,
    scopes: Vec<Scope>,
    /// Strings that are part of a concatenation which was taken as a whole.
    consumed: HashSet<usize>,
    /// Words of a shell script that name a command. Looking up the parent of each word would start
    /// at the root each time, and recurse.
    commands: HashSet<usize>,
    found: Extract,
}

impl<'t> Walk<'t> {
    /// Walks the tree; nothing if that takes too long.
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

    /// The walk is done with what is below a node.
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
        // Go's declaration stands around the names of all packages.
        let block = self.language == Language::Go && node.kind() == "import_declaration";
        if is_import(node.kind()) && !block {
            self.found.imports.push(Import {
                text: self.text_of(node).chars().take(200).collect(),
                at: node.start_byte(),
            });
        }
        match self.kind_of(node) {
            Kind::String => self.string(node),
            Kind::Comment => self.push_comment(node),
            Kind::Markup if self.language == Language::Php => self.markup(node),
            Kind::Binary => self.concatenation(node),
            Kind::Call => self.call(node),
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
            self.found.functions.entry(name.clone()).or_default();
        }
        if !is_function {
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

    /// `class Client(ZoomClient):`, `class Client < Zoomus::Client`
    fn subclass(&mut self, class: Node<'t>, name: &str) {
        /// How long what a class extends may be, in bytes.
        const EXTENDS: usize = 200;
        let ends = class
            .child_by_field_name("name")
            .zip(class.child_by_field_name("body"));
        let of = ends.and_then(|(name, body)| self.source.get(name.end_byte()..body.start_byte()));
        if let Some(of) = of.filter(|of| (2..EXTENDS).contains(&of.trim().len())) {
            self.found.subclasses.push(Subclass {
                name: name.to_owned(),
                of: of.trim().to_owned(),
            });
        }
    }

    /// `const ask = (path) => …`: the variable's name is the function's.
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

    /// `request(:user, :list)`: a symbol that is given to a request stands for a part of its path.
    fn symbol(&mut self, node: Node<'t>) {
        self.identifier(node);
        let given = self
            .ancestors
            .last()
            .is_some_and(|parent| parent.kind() == "argument_list");
        let Some(word) = self.text_of(node).strip_prefix(':').filter(|_| given) else {
            return;
        };
        let mut text = Text::plain(word, node.start_byte() + 1, Role::Value);
        self.climb(node, &mut text);
        let requests = text
            .callee
            .as_deref()
            .is_some_and(|callee| names_request(last_identifier(callee)));
        if requests {
            let Some(Piece::Text { value, at }) = text.pieces.pop() else {
                return;
            };
            self.push(node, vec![Piece::Text { value, at }], Role::Value);
        }
    }

    fn string(&mut self, node: Node<'t>) {
        let parent = self.ancestors.last().copied();
        if parent.is_some_and(|parent| self.kind_of(parent) == Kind::String)
            || self.consumed.contains(&node.id())
        {
            return;
        }
        let mut pieces = Vec::new();
        self.pieces(node, &mut pieces);
        let docstring = self.language == Language::Python
            && parent.is_some_and(|parent| {
                matches!(parent.kind(), "expression_statement" | "module" | "block")
            });
        let role = if docstring {
            Role::Comment
        } else {
            Role::Value
        };
        self.push(node, pieces, role);
    }

    fn push_comment(&mut self, node: Node<'t>) {
        let text = Text::plain(self.text_of(node), node.start_byte(), Role::Comment);
        self.found.texts.push(text);
    }

    fn markup(&mut self, node: Node<'t>) {
        let inner = lexer::extract(None, self.text_of(node), node.start_byte());
        self.found.texts.extend(inner.texts);
    }

    fn concatenation(&mut self, node: Node<'t>) {
        if self.consumed.contains(&node.id()) || !is_concatenation(node, self.source) {
            return;
        }
        let mut pieces = Vec::new();
        let mut strings = 0;
        let mut open = vec![node];
        while let Some(next) = open.pop() {
            match self.kind_of(next) {
                Kind::String => {
                    strings += 1;
                    self.consumed.insert(next.id());
                    self.pieces(next, &mut pieces);
                }
                Kind::Binary if is_concatenation(next, self.source) => {
                    self.consumed.insert(next.id());
                    push_children(next, &mut open);
                }
                Kind::Wrapper | Kind::Binary if next.named_child_count() == 1 => {
                    push_children(next, &mut open);
                }
                _ if next.is_named() => pieces.push(self.hole(next)),
                _ => {}
            }
        }
        if strings > 0 || pieces.len() < 6 {
            self.push(node, pieces, Role::Value);
        }
    }

    fn hole(&self, node: Node) -> Piece {
        let text = self.text_of(node);
        let name = if text.len() <= 80 {
            last_identifier(text)
        } else {
            ""
        };
        Piece::Hole(name.to_owned())
    }

    /// Takes a string apart.
    fn pieces(&self, node: Node<'t>, pieces: &mut Vec<Piece>) {
        let (start, end) = inner_range(self.text_of(node), node.start_byte());
        let mut at = start;
        let mut open = Vec::new();
        push_children(node, &mut open);
        while let Some(child) = open.pop() {
            let name = child.kind();
            if is_interpolation(name) && child.start_byte() >= at {
                self.push_text(at, child.start_byte().min(end), pieces);
                pieces.push(self.hole(child));
                at = child.end_byte();
            } else if matches!(
                name,
                "expandable_string_literal"
                    | "heredoc_body"
                    | "string"
                    | "string_literal"
                    | "expandable_here_string_literal"
            ) {
                push_children(child, &mut open);
            }
        }
        self.push_text(at, end, pieces);
        if self.language == Language::Swift {
            trim_swift(pieces);
        }
    }

    fn push_text(&self, start: usize, end: usize, pieces: &mut Vec<Piece>) {
        if let Some(value) = self.source.get(start..end)
            && !value.is_empty()
        {
            pieces.push(Piece::Text {
                value: value.to_owned(),
                at: start,
            });
        }
    }

    /// Notes a text with its surroundings.
    fn push(&mut self, node: Node<'t>, pieces: Vec<Piece>, role: Role) {
        if pieces.is_empty() {
            return;
        }
        for piece in &pieces {
            if let Piece::Text { value, .. } = piece
                && value.len() < 80
            {
                self.mark_credentials(value);
            }
        }
        let mut text = Text {
            pieces,
            role,
            usage: Usage::Plain,
            callee: None,
            target: None,
            function: self.function().map(str::to_owned),
            class: self.classes(),
            containers: std::iter::once(0)
                .chain(self.containers().map(|scope| scope.at))
                .collect(),
            element: None,
            given: Vec::new(),
            passed: Vec::new(),
            whole: false,
        };
        if role == Role::Value {
            self.climb(node, &mut text);
        }
        self.found.texts.push(text);
    }

    /// The innermost classes, objects and maps around the walk, outermost first.
    fn containers(&self) -> impl Iterator<Item = &Scope> {
        let nearest = self.scopes.len().saturating_sub(SCOPES);
        self.scopes
            .get(nearest..)
            .unwrap_or_default()
            .iter()
            .filter(|scope| !scope.is_function)
    }

    fn classes(&self) -> String {
        let mut names = String::new();
        for scope in self.containers() {
            if scope.name.len() < 60 && !scope.name.contains(['\'', '"', '{']) {
                names.push_str(&scope.name);
                names.push(' ');
            }
        }
        names
    }

    fn call(&mut self, node: Node<'t>) {
        let Some(until) = self.arguments_start(node).or_else(|| {
            // Ruby calls a method without arguments.
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
            tidy(tail(source, CALLEE))
        };
        let name = last_identifier(&callee);
        self.builder(node, until, &callee);
        let zoom = name.len() < 40 && name.to_ascii_lowercase().contains("zoom");
        if !zoom && !self.calls.contains(name) {
            return;
        }
        let end = from + source.trim_end_matches([' ', '\t', '\r', '\n', '(']).len();
        let Arguments { given, whole, .. } = self.named_arguments(node);
        let strings = self.given_strings(node, until);
        self.found.calls.push(Call {
            callee,
            end,
            start: from,
            target: self.target(node),
            function: self.function().map(str::to_owned),
            class: self.classes(),
            given,
            whole,
            strings,
        });
    }

    /// The name that a value is assigned to.
    fn target(&self, node: Node<'t>) -> Option<String> {
        let mut probe = Text::plain("", node.start_byte(), Role::Value);
        self.climb(node, &mut probe);
        probe.target
    }

    /// `form.append("email", email)` sets a key of `form`.
    fn builder(&mut self, call: Node<'t>, arguments: usize, callee: &str) {
        let Some((receiver, method)) = split_member(callee) else {
            return;
        };
        let sets = matches!(
            method.to_ascii_lowercase().as_str(),
            "put"
                | "add"
                | "append"
                | "set"
                | "addparameter"
                | "setparameter"
                | "addbodyparameter"
                | "addqueryparameter"
                | "appendqueryparameter"
                | "addqueryitem"
                | "addformparam"
                | "adddatapart"
                | "addformdatapart"
                | "queryparam"
                | "field"
                | "param"
                | "setobject"
        );
        if !sets || receiver.is_empty() || self.function().is_none() {
            return;
        }
        let mut cursor = call.walk();
        let list = call.named_children(&mut cursor);
        let mut list = list.filter(|child| child.start_byte() >= arguments);
        // Wrappers stand around the first argument in PowerShell, C# and others.
        let first = list.next().and_then(|list| {
            std::iter::successors(Some(list), |node| node.named_child(0))
                .take(CLIMB)
                .find(|node| self.kind_of(*node) == Kind::String)
        });
        let Some(first) = first else {
            return;
        };
        let (from, to) = inner_range(self.text_of(first), first.start_byte());
        let key = self.source.get(from..to).unwrap_or_default();
        if key.is_empty() || key.len() > 40 {
            return;
        }
        let variable = if receiver.contains(['(', ' ']) {
            self.target(call)
        } else {
            Some(receiver.to_owned())
        };
        let variable = variable.unwrap_or_default();
        self.write(last_identifier(&variable), key);
    }

    fn write(&mut self, variable: &str, key: &str) {
        self.found.writes.push(Write {
            variable: variable.to_owned(),
            key: key.to_owned(),
            function: self.function().map(str::to_owned),
        });
    }

    /// `$data = array('id' => $id)`: the keys of a literal that a variable is given.
    fn entry(&mut self, pair: Node<'t>) {
        /// How far above an entry the assignment of its literal may stand.
        const DEPTH: usize = 24;
        if self.function().is_none() {
            return;
        }
        let above = self.ancestors.iter().rev().take(DEPTH).copied();
        let mut above = above.skip_while(|node| {
            matches!(
                self.kind_of(*node),
                Kind::Container | Kind::List | Kind::Wrapper
            ) || matches!(node.kind(), "argument" | "variable_initializer")
        });
        let Some(assignment) = above
            .next()
            .filter(|node| self.kind_of(*node) == Kind::Assignment)
        else {
            return;
        };
        let (Some(name), Some(key)) = (left_of(assignment), pair.named_child(0)) else {
            return;
        };
        if pair.named_child_count() > 1 {
            let key = last_identifier(self.text_of(key));
            let name = last_identifier(tail(self.text_of(name), 80));
            if key.len() < 60 && !name.is_empty() {
                self.write(name, key);
            }
        }
    }

    /// `users = client.user`, `api = make_client()`
    fn bind(&mut self, assignment: Node<'t>) {
        /// How long a value may be, in bytes.
        const VALUE: usize = 120;
        let Some(left) = left_of(assignment) else {
            return;
        };
        let right = ["right", "value", "default"]
            .iter()
            .find_map(|field| assignment.child_by_field_name(field))
            .or_else(|| last_child(assignment))
            .filter(|right| right.start_byte() >= left.end_byte());
        let Some(right) = right else {
            return;
        };
        let value = match self.arguments_start(right) {
            Some(until) if right.end_byte() - right.start_byte() > VALUE => {
                self.source.get(right.start_byte()..until)
            }
            _ => Some(self.text_of(right)),
        };
        let names = matches!(
            self.kind_of(left),
            Kind::Identifier | Kind::Member | Kind::Other
        );
        let value = value.filter(|value| {
            names && value.len() <= VALUE && !value.starts_with(['"', '\'', '{', '[', '`'])
        });
        let name = first_name(tail(self.text_of(left), 80));
        if let Some(value) = value
            && !name.is_empty()
        {
            self.found.bindings.push(Binding {
                name: name.to_owned(),
                value: value.to_owned(),
            });
        }
    }

    fn assignment(&mut self, node: Node<'t>) {
        let Some(left) = left_of(node) else {
            return;
        };
        if !matches!(self.kind_of(left), Kind::Subscript | Kind::Member) {
            return;
        }
        let text = tail(self.text_of(left), 80);
        let key = last_identifier(text);
        let variable = text
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .find(|part| !part.is_empty())
            .unwrap_or_default();
        if key != variable && !key.is_empty() {
            self.write(variable, key);
        }
    }

    fn member(&mut self, node: Node<'t>) {
        let parent = self.ancestors.last().copied();
        let written = parent.is_some_and(|parent| {
            self.kind_of(parent) == Kind::Assignment && is_key(parent, node)
                || self.kind_of(parent) == Kind::Call
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
        self.found.reads.push(Read {
            name: name.to_owned(),
            at: node.start_byte() + offset,
        });
    }
}

/// The last named child of a node.
pub(super) fn last_child(node: Node) -> Option<Node> {
    let last = u32::try_from(node.named_child_count())
        .ok()?
        .checked_sub(1)?;
    node.named_child(last)
}

/// The naming side of an assignment.
fn left_of(assignment: Node) -> Option<Node> {
    ["left", "name", "alias"]
        .iter()
        .find_map(|field| assignment.child_by_field_name(field))
        .or_else(|| assignment.named_child(0))
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
    )
}

/// Puts the children of a node on a stack so that the first one comes off first.
pub(super) fn push_children<'t>(node: Node<'t>, open: &mut Vec<Node<'t>>) {
    let first = open.len();
    let mut cursor = node.walk();
    open.extend(node.named_children(&mut cursor));
    if let Some(added) = open.get_mut(first..) {
        added.reverse();
    }
}

/// Takes the signs of `\(name)` out of the text around a value.
fn trim_swift(pieces: &mut [Piece]) {
    for piece in pieces {
        if let Piece::Text { value, at } = piece {
            if let Some(rest) = value.strip_prefix(')') {
                *value = rest.to_owned();
                *at += 1;
            }
            if let Some(rest) = value.strip_suffix("\\(") {
                *value = rest.to_owned();
            }
        }
    }
}

/// The bytes between the quotes of a string.
pub(super) fn inner_range(text: &str, start: usize) -> (usize, usize) {
    let body = text.trim_start_matches(|letter: char| {
        letter.is_ascii_alphabetic() || letter == '@' || letter == '$'
    });
    let Some(quote) = body
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))
    else {
        return (start, start + text.len());
    };
    let lead = text.len() - body.len();
    let opened = body.trim_start_matches(quote);
    let quotes = (body.len() - opened.len()).min(3);
    let quotes = if quotes == 2 { 1 } else { quotes };
    let inner = body.get(quotes..).unwrap_or_default();
    let closed = inner
        .strip_suffix(quote.to_string().repeat(quotes).as_str())
        .unwrap_or(inner);
    let from = start + lead + quotes;
    (from, from + closed.len())
}

pub(super) fn operator<'s>(node: Node, source: &'s str) -> Option<&'s str> {
    let field = node
        .child_by_field_name("operator")
        .or_else(|| node.child_by_field_name("op"));
    let operator = field.or_else(|| {
        let mut cursor = node.walk();
        node.children(&mut cursor).find(|child| !child.is_named())
    })?;
    source.get(operator.start_byte()..operator.end_byte())
}

fn is_concatenation(node: Node, source: &str) -> bool {
    match node.kind() {
        "concatenated_string" | "concatenation" | "chained_string" => true,
        _ => {
            node.named_child_count() > 1
                && matches!(operator(node, source), Some("+" | "." | "&" | ".." | "~"))
        }
    }
}

/// The end of a text, cut between characters.
pub(super) fn tail(text: &str, length: usize) -> &str {
    let mut start = text.len().saturating_sub(length);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}
