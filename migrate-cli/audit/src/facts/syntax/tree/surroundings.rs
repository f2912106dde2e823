//! Surroundings of a text in a syntax tree: the call that takes it, and the name that it is assigned
//! to.

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        Text, Usage,
        kinds::Kind,
        tree::{CALLEE, Walk, arguments::ELEMENTS, tail, texts::operator},
    },
    names::{last_identifier, without_type_arguments},
};

/// Maximum number of ancestors searched for the surroundings of a text.
pub(super) const CLIMB: usize = 64;

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
