//! Surroundings of a text in a syntax tree: the call that takes it, the name that it is assigned
//! to, the parameters beside it.

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        Text, Usage,
        kinds::{Kind, is_callback},
        tree::{
            CALLEE, Walk,
            bindings::last_child,
            push_children, tail,
            texts::{inner_range, operator},
        },
    },
    language::Language,
    names::{last_identifier, without_type_arguments},
};

/// Maximum number of ancestors searched for the surroundings of a text.
pub(super) const CLIMB: usize = 64;

/// Maximum number of nodes of an argument list searched for parameter names.
const ARGUMENTS: usize = 200;

/// Maximum number of elements of a list that are checked.
pub(super) const ELEMENTS: usize = 24;

/// Maximum depth of the literals in a call.
pub(super) const LITERAL: usize = 6;

/// Names of arguments that hold all parameters of a request.
const PAYLOADS: [&str; 14] = [
    "body",
    "content",
    "data",
    "fields",
    "form",
    "form_params",
    "formdata",
    "json",
    "options",
    "params",
    "payload",
    "qs",
    "query",
    "multipart",
];

/// Functions that convert a literal.
const CONVERTERS: [&str; 7] = [
    "array",
    "dict",
    "http_build_query",
    "of",
    "stringify",
    "to_json",
    "urlencode",
];

/// Arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// Their names.
    pub(super) given: Vec<String>,
    /// Literal values of them, by name.
    pub(super) values: Vec<(String, String)>,
    /// The variables among them.
    pub(super) passed: Vec<String>,
    /// True if all names are literals.
    pub(super) whole: bool,
}

impl<'t> Walk<'t> {
    /// Sets the surroundings of a text from its ancestors.
    pub(super) fn climb(&self, node: Node<'t>, text: &mut Text) {
        let mut child = node;
        for (height, parent) in self.ancestors.iter().rev().take(CLIMB).copied().enumerate() {
            match self.kind_of(parent) {
                Kind::Call => {
                    if let Some(callee) = self.callee(parent, child) {
                        // The search of the arguments is slow.
                        if text.callee.is_none() && text.may_be_path() {
                            let arguments = self.named_arguments(parent);
                            text.whole = arguments.whole;
                            text.given = arguments.given;
                            text.values = arguments.values;
                            text.passed = arguments.passed;
                            self.chained(parent, height + 1, text);
                        }
                        let formats = is_formatter(&callee);
                        text.callee = Some(callee);
                        if !formats {
                            return;
                        }
                    }
                }
                Kind::Annotation => {
                    text.usage = Usage::Annotation;
                    text.callee = Some(tail(self.text_of(parent), CALLEE).to_owned());
                    return;
                }
                Kind::Pair => {
                    if parent.named_child_count() > 1 && is_key(parent, child) {
                        text.usage = Usage::Key;
                    } else if text.target.is_none() {
                        text.target = self.name_before(parent, child);
                    }
                }
                Kind::Assignment if parent.kind() == "as_pattern" => {
                    let alias = parent.child_by_field_name("alias");
                    text.target = alias.map(|alias| self.text_of(alias).to_owned());
                    return;
                }
                Kind::Assignment => {
                    if is_key(parent, child) && !matches!(parent.kind(), "preproc_def") {
                        text.usage = Usage::Key;
                    } else if text.target.is_none() {
                        text.target = self.name_before(parent, child);
                    }
                    return;
                }
                Kind::Subscript
                    if parent
                        .named_child(0)
                        .is_some_and(|first| first.id() != child.id()) =>
                {
                    text.usage = Usage::Key;
                }
                Kind::Case => {
                    if is_label(parent, child) {
                        text.usage = Usage::Case;
                    }
                    return;
                }
                Kind::Comparison => {
                    text.usage = Usage::Compared;
                    return;
                }
                Kind::Binary if is_comparison(parent, self.source) => {
                    text.usage = Usage::Compared;
                    return;
                }
                Kind::List if text.element.is_none() => {
                    text.element = index_in(parent, child).map(|at| (parent.start_byte(), at));
                }
                Kind::Boundary | Kind::Function => return,
                Kind::Container if matches!(parent.kind(), "class" | "module") => return,
                _ => {}
            }
            child = parent;
        }
    }

    /// Adds the arguments of the calls on a call: `post(url).send(data)`.
    fn chained(&self, call: Node<'t>, height: usize, text: &mut Text) {
        let mut child = call;
        for parent in self
            .ancestors
            .iter()
            .rev()
            .skip(height)
            .take(CLIMB)
            .copied()
        {
            match self.kind_of(parent) {
                Kind::Member => {}
                Kind::Call
                    if self
                        .arguments_start(parent)
                        .is_some_and(|start| child.start_byte() < start) =>
                {
                    let arguments = self.named_arguments(parent);
                    text.given.extend(arguments.given);
                    text.values.extend(arguments.values);
                    text.passed.extend(arguments.passed);
                    let member = self.member_set(parent);
                    text.whole &= arguments.whole || member.is_some();
                    text.given.extend(member);
                }
                _ => return,
            }
            child = parent;
        }
    }

    /// The name in a call with a name and a value: `.field("id", id)`.
    fn member_set(&self, call: Node<'t>) -> Option<String> {
        let list = call.child_by_field_name("arguments")?;
        let name = list
            .named_child(0)
            .filter(|_| list.named_child_count() == 2)?;
        self.literal(name)
    }

    /// The callee, if the child is among the arguments of the call.
    pub(super) fn callee(&self, call: Node<'t>, child: Node<'t>) -> Option<String> {
        let from = call.start_byte();
        let keyword = match call.kind() {
            "echo_statement" => Some("echo"),
            "print_intrinsic" => Some("print"),
            "throw_expression" | "throw_statement" | "raise_statement" => Some("throw"),
            "include_expression"
            | "include_once_expression"
            | "require_expression"
            | "require_once_expression" => Some("include"),
            "import_statement" | "import_from_statement" | "import_spec" => Some("import"),
            _ => None,
        };
        if let Some(keyword) = keyword {
            return Some(keyword.to_owned());
        }
        if matches!(call.kind(), "message_expression") {
            let receiver = call.named_child(0)?;
            let method = call.child_by_field_name("method")?;
            if child.id() == receiver.id() {
                return None;
            }
            return Some(format!(
                "{} {}",
                tail(self.text_of(receiver), CALLEE / 2),
                self.text_of(method)
            ));
        }
        let until = self.arguments_start(call)?;
        if child.start_byte() < until {
            return None;
        }
        let source = self.source.get(from..until)?;
        Some(tidy(tail(source, CALLEE)))
    }

    pub(super) fn arguments_start(&self, call: Node<'t>) -> Option<usize> {
        if let Some(arguments) = call.child_by_field_name("arguments") {
            return Some(arguments.start_byte());
        }
        let mut cursor = call.walk();
        let found = call.named_children(&mut cursor).find(|child| {
            self.kind_of(*child) == Kind::List
                || matches!(child.kind(), "call_suffix" | "do_block" | "block")
        });
        if let Some(found) = found {
            return Some(found.start_byte());
        }
        let name = call.child_by_field_name("name")?;
        Some(name.end_byte())
    }

    /// The names and variables among the arguments of a call.
    pub(super) fn named_arguments(&self, call: Node<'t>) -> Arguments {
        let mut found = Arguments::default();
        let Some(start) = self.arguments_start(call) else {
            return found;
        };
        self.arguments(call, start, &mut found);
        let mut variables = Vec::new();
        found.whole = self.is_whole(call, start, &mut variables);
        for variable in variables {
            let name = last_identifier(self.text_of(variable));
            match self.contents(name, call) {
                Some(contents) => {
                    found.whole &= contents.whole;
                    found.given.extend(contents.given);
                    found.values.extend(contents.values);
                }
                None => found.whole &= is_callback(name),
            }
        }
        found
    }

    /// Adds the names and variables in a node behind `start`.
    pub(super) fn arguments(&self, root: Node<'t>, start: usize, found: &mut Arguments) {
        let mut open = vec![root];
        let mut seen = 0;
        while let Some(node) = open.pop() {
            seen += 1;
            if seen > ARGUMENTS {
                break;
            }
            if node.id() != root.id() && node.end_byte() <= start {
                continue;
            }
            match self.kind_of(node) {
                Kind::Pair if node.named_child_count() > 1 => {
                    if let Some(key) = node.named_child(0) {
                        let key = last_identifier(self.text_of(key));
                        if key.len() < 60 {
                            found.given.push(key.to_owned());
                            let value = last_child(node).and_then(|value| self.literal(value));
                            let value = value.map(|value| (key.to_owned(), value));
                            found.values.extend(value);
                        }
                    }
                }
                Kind::Identifier if node.start_byte() >= start => {
                    let name = last_identifier(self.text_of(node));
                    if name.len() < 60 {
                        // `{ id, email }` of JavaScript.
                        if node.kind() == "shorthand_property_identifier" {
                            found.given.push(name.to_owned());
                        }
                        found.passed.push(name.to_owned());
                    }
                    continue;
                }
                _ => {}
            }
            push_children(node, ELEMENTS, &mut open);
        }
    }

    /// True if all arguments of a call are literals, maps, functions or variables, which are added
    /// to `variables`. The values in maps may be variables.
    fn is_whole(&self, call: Node<'t>, start: usize, variables: &mut Vec<Node<'t>>) -> bool {
        if let Some(list) = call.child_by_field_name("arguments") {
            return self.are_literal(list, LITERAL, variables);
        }
        let mut cursor = call.walk();
        let mut children = call.named_children(&mut cursor);
        let words = children.find(|child| child.start_byte() >= start);
        let is_literal = words.is_some_and(|words| self.are_literal(words, LITERAL, variables));
        is_literal && self.language == Language::PowerShell
    }

    /// As [`Self::is_literal`] for all entries. Goes on behind one that is not, for the variables.
    fn are_literal(&self, list: Node<'t>, depth: usize, variables: &mut Vec<Node<'t>>) -> bool {
        let mut cursor = list.walk();
        let mut entries = list.named_children(&mut cursor);
        let mut literal = true;
        for entry in entries.by_ref().take(ELEMENTS) {
            literal &= self.is_literal(entry, depth, variables);
        }
        literal && entries.next().is_none()
    }

    /// The value of a number or of a short string without placeholders.
    pub(super) fn literal(&self, node: Node<'t>) -> Option<String> {
        /// Maximum length of a value, in bytes.
        const VALUE: usize = 1200;
        let node = unwrapped(node);
        let text = self.text_of(node);
        if text.len() > VALUE || text.contains(['\\', '$', '{', '%', '#']) {
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(text.to_owned());
        }
        let (from, to) = inner_range(text, node.start_byte());
        let is_string = self.kind_of(node) == Kind::String && to - from < text.len();
        is_string.then(|| self.source.get(from..to).map(str::to_owned))?
    }

    /// True for an entry whose value holds parameters: `qs: { … }`.
    pub(super) fn is_payload(&self, node: Node<'t>) -> bool {
        let key = node.named_child(0).map(|key| self.text_of(key));
        self.kind_of(node) == Kind::Pair
            && key.is_some_and(|key| {
                let key = last_identifier(key).to_ascii_lowercase();
                PAYLOADS.contains(&key.as_str())
            })
    }

    /// True for a literal. A variable is one for now, and is added to `variables`.
    pub(super) fn is_literal(
        &self,
        node: Node<'t>,
        depth: usize,
        variables: &mut Vec<Node<'t>>,
    ) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let node = unwrapped(node);
        match self.kind_of(node) {
            Kind::String | Kind::Comment | Kind::Boundary | Kind::Function => true,
            Kind::Pair if node.named_child_count() > 1 => {
                !self.is_payload(node)
                    || last_child(node)
                        .is_some_and(|value| self.is_literal(value, depth, variables))
            }
            Kind::Pair | Kind::Container | Kind::List => self.are_literal(node, depth, variables),
            Kind::Identifier if node.kind() != "shorthand_property_identifier" => {
                variables.push(node);
                true
            }
            // `BASE + "user/list"`
            Kind::Binary => last_child(node).is_some_and(|last| {
                let text = self.text_of(last);
                self.kind_of(last) == Kind::String && text.contains('/') && !text.contains('=')
            }),
            Kind::Call => {
                let list = node.child_by_field_name("arguments");
                let until = list.map_or(node.start_byte(), |list| list.start_byte());
                let callee = self.source.get(node.start_byte()..until);
                let name = last_identifier(callee.unwrap_or_default()).to_ascii_lowercase();
                CONVERTERS.contains(&name.as_str())
                    && list.is_some_and(|list| self.are_literal(list, depth, variables))
            }
            _ => {
                matches!(
                    node.kind(),
                    "integer"
                        | "number"
                        | "float"
                        | "true"
                        | "false"
                        | "null"
                        | "nil"
                        | "none"
                        | "shorthand_property_identifier"
                        | "command_parameter"
                        | "command_argument_sep"
                ) || matches!(node.kind(), "argument" | "hash_literal_body")
                    && self.are_literal(node, depth, variables)
                    || node.kind() == "composite_literal"
                        && last_child(node)
                            .is_some_and(|body| self.is_literal(body, depth, variables))
            }
        }
    }

    /// The name to the left of a value.
    fn name_before(&self, parent: Node<'t>, child: Node<'t>) -> Option<String> {
        for field in ["name", "left", "key", "declarator", "property"] {
            if let Some(name) = parent.child_by_field_name(field)
                && name.id() != child.id()
                && name.end_byte() <= child.start_byte()
            {
                return Some(trim_name(tail(self.text_of(name), 80)));
            }
        }
        let before = self.source.get(parent.start_byte()..child.start_byte())?;
        let name = trim_name(tail(before, 80));
        (!name.is_empty()).then_some(name)
    }

    pub(super) fn given_strings(&self, call: Node<'t>, start: usize) -> Vec<String> {
        let mut strings = Vec::new();
        let mut open = vec![call];
        let mut seen = 0;
        while let Some(node) = open.pop() {
            seen += 1;
            if seen > 60 || strings.len() > 4 {
                break;
            }
            if node.id() != call.id() && node.end_byte() <= start {
                continue;
            }
            if self.kind_of(node) == Kind::String && node.start_byte() >= start {
                let (from, to) = inner_range(self.text_of(node), node.start_byte());
                let value = self.source.get(from..to).unwrap_or_default();
                if value.len() < 120 {
                    strings.push(value.to_owned());
                }
            } else {
                push_children(node, ELEMENTS, &mut open);
            }
        }
        strings
    }
}

/// The innermost node with the same text.
pub(super) fn unwrapped(node: Node) -> Node {
    let mut inner = node;
    while let Some(child) = inner
        .named_child(0)
        .filter(|child| child.byte_range() == inner.byte_range())
    {
        inner = child;
    }
    inner
}

/// The index of an element among the first [`ELEMENTS`] of its list. Searching the whole list for
/// each of its elements would take quadratic time.
fn index_in(list: Node, child: Node) -> Option<usize> {
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .take(ELEMENTS)
        .filter(|element| element.kind() != "command_argument_sep")
        .position(|element| element.id() == child.id())
}

/// True if a call formats a text for another call.
pub(super) fn is_formatter(callee: &str) -> bool {
    let name = last_identifier(callee).to_ascii_lowercase();
    matches!(
        name.as_str(),
        "format"
            | "sprintf"
            | "stringwithformat"
            | "join"
            | "concat"
            | "url"
            | "uri"
            | "trim"
            | "rtrim"
            | "urlwithstring"
            | "encodeuri"
            | "urljoin"
            | "string"
            | "str"
            | "strcat"
            | "array"
            | "freeze"
            | "path_join"
            | "parse"
            | "urlbuilder"
            | "vsprintf"
            | "implode"
            | "stringbyappendingstring"
            | "append"
            | "resolve"
            | "create"
            | "urlencode"
    )
}

/// True if a child is the left side of an assignment or a map entry.
pub(super) fn is_key(parent: Node, child: Node) -> bool {
    parent.named_child_count() > 1
        && parent
            .named_child(0)
            .is_some_and(|first| first.id() == child.id())
}

/// True if a child is the label of a case, not its body.
fn is_label(case: Node, child: Node) -> bool {
    case.child_by_field_name("value")
        .or_else(|| case.child_by_field_name("pattern"))
        .map_or_else(|| case.named_child(0), Some)
        .is_some_and(|label| label.id() == child.id() || label.start_byte() == child.start_byte())
        || !matches!(
            case.kind(),
            "case_statement" | "switch_case" | "expression_case" | "when" | "case_item"
        )
}

fn is_comparison(node: Node, source: &str) -> bool {
    matches!(
        operator(node, source),
        Some("==" | "===" | "!=" | "!==" | "<>" | "=~" | "<=>" | "eq" | "in" | "-eq" | "=")
    )
}

/// A name without punctuation around it: `$data['x'] =` gives `$data['x`.
fn trim_name(text: &str) -> String {
    text.trim_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, '=' | ':' | '>' | '"' | '\'' | '@' | '[' | ']')
    })
    .to_owned()
}

/// A callee without line breaks, spaces around its dots and type arguments.
pub(super) fn tidy(source: &str) -> String {
    let source = without_type_arguments(source.trim().trim_end_matches('(').trim_end());
    let mut tidy = String::with_capacity(source.len());
    for word in source.split_whitespace() {
        if !tidy.is_empty()
            && !word.starts_with(['.', '-', ':', '?', '('])
            && !tidy.ends_with(['.', '>', ':', '('])
        {
            tidy.push(' ');
        }
        tidy.push_str(word);
    }
    tidy
}
