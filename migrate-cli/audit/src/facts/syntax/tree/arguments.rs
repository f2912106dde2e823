//! Arguments of a call: names and values of parameters, and whether these are all.

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        kinds::{Kind, is_callback},
        tree::{Walk, last_child, push_children, texts::inner_range},
    },
    language::Language,
    names::last_identifier,
};

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

    /// The first short strings behind `start`.
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
