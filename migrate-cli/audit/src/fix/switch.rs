//! Reads a literal base URL from an environment variable, with the literal as default.
//!
//! Without the variable, the program must behave exactly as before. That is provable only if the
//! literal is an expression that is evaluated at run time, and if the lookup is part of the
//! language or of a module that the file already imports.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use crate::fix::splice::Edit;
use crate::{
    language::Language,
    shim_address::{Variable, default_of},
};

/// Evidence that a JavaScript file runs on Node, not in a browser.
const NODE: [&str; 13] = [
    "process.env",
    "process.argv",
    "require('http",
    "require(\"http",
    "require('fs",
    "require(\"fs",
    "require('crypto'",
    "require(\"crypto\"",
    "require('url')",
    "require(\"url\")",
    "from 'node:",
    "from \"node:",
    "#!/usr/bin/env node",
];

/// Places in a grammar at which an expression may replace a literal.
struct Grammar {
    /// Nodes of string literals.
    strings: &'static [&'static str],
    /// Parents that allow any expression.
    plain: &'static [&'static str],
    /// Parents that require parentheses.
    wrapped: &'static [&'static str],
    /// Ancestors that allow no expression, or require a constant.
    never: &'static [&'static str],
}

const PYTHON: Grammar = Grammar {
    strings: &["string"],
    plain: &[
        "assignment",
        "argument_list",
        "keyword_argument",
        "default_parameter",
        "pair",
        "return_statement",
        "binary_operator",
        "parenthesized_expression",
        "list",
        "tuple",
        "conditional_expression",
        "boolean_operator",
    ],
    wrapped: &[],
    never: &[
        "type",
        "case_pattern",
        "concatenated_string",
        "import_from_statement",
    ],
};

const JAVASCRIPT: Grammar = Grammar {
    strings: &["string"],
    plain: &[
        "variable_declarator",
        "assignment_expression",
        "pair",
        "arguments",
        "return_statement",
        "field_definition",
        "public_field_definition",
        "assignment_pattern",
        "parenthesized_expression",
        "array",
    ],
    wrapped: &["binary_expression", "ternary_expression"],
    never: &[
        "enum_body",
        "as_expression",
        "satisfies_expression",
        "literal_type",
        "import_statement",
        "switch_case",
    ],
};

const PHP: Grammar = Grammar {
    strings: &["string", "encapsed_string"],
    plain: &[
        "assignment_expression",
        "argument",
        "array_element_initializer",
        "return_statement",
        "parenthesized_expression",
    ],
    wrapped: &["binary_expression"],
    never: &[
        "const_declaration",
        "const_element",
        "property_declaration",
        "property_element",
        "static_variable_declaration",
        "simple_parameter",
        "property_promotion_parameter",
        "attribute_list",
        "attribute",
    ],
};

const RUBY: Grammar = Grammar {
    strings: &["string"],
    plain: &[
        "assignment",
        "argument_list",
        "pair",
        "array",
        "binary",
        "return",
        "parenthesized_statements",
        "optional_parameter",
        "keyword_parameter",
        "body_statement",
        "call",
    ],
    wrapped: &[],
    never: &["chained_string", "when", "in_clause"],
};

const JAVA: Grammar = Grammar {
    strings: &["string_literal"],
    plain: &[
        "variable_declarator",
        "assignment_expression",
        "argument_list",
        "return_statement",
        "binary_expression",
        "parenthesized_expression",
        "ternary_expression",
    ],
    wrapped: &[],
    never: &[
        "annotation",
        "annotation_argument_list",
        "constant_declaration",
        "switch_label",
    ],
};

const C_SHARP: Grammar = Grammar {
    strings: &["string_literal"],
    plain: &[
        "variable_declarator",
        "equals_value_clause",
        "assignment_expression",
        "argument",
        "return_statement",
        "parenthesized_expression",
        "arrow_expression_clause",
    ],
    wrapped: &["binary_expression", "conditional_expression"],
    never: &[
        "attribute",
        "attribute_argument",
        "parameter",
        "case_switch_label",
        "constant_pattern",
        "enum_member_declaration",
    ],
};

const BASH: Grammar = Grammar {
    strings: &["string", "raw_string", "word"],
    plain: &["variable_assignment"],
    wrapped: &[],
    never: &["array", "heredoc_body"],
};

fn grammar(language: Language) -> Option<&'static Grammar> {
    Some(match language {
        Language::Python => &PYTHON,
        Language::JavaScript | Language::TypeScript | Language::Tsx => &JAVASCRIPT,
        Language::Php => &PHP,
        Language::Ruby => &RUBY,
        Language::Java => &JAVA,
        Language::CSharp => &C_SHARP,
        Language::Bash => &BASH,
        _ => return None,
    })
}

/// The edits that make a literal the default of a variable; `None` unless the program provably
/// behaves the same without the variable. `base` is the place of the URL, `with` the new default.
pub(super) fn edits(
    language: Language,
    source: &str,
    tree: &Tree,
    base: &Range<usize>,
    with: &str,
    variable: &Variable,
) -> Option<Vec<Edit>> {
    let grammar = grammar(language)?;
    let literal = literal(grammar, tree, source, base)?;
    let line = source.get(..base.start)?.rsplit('\n').next()?;
    if default_of(line).is_some() {
        return None;
    }
    let parent = literal.parent()?;
    let wrap = if grammar.plain.contains(&parent.kind()) {
        false
    } else if grammar.wrapped.contains(&parent.kind()) {
        true
    } else {
        return None;
    };
    let above = std::iter::successors(Some(parent), Node::parent);
    if above
        .into_iter()
        .any(|node| grammar.never.contains(&node.kind()))
        || !is_value_of(&parent, &literal)
        || !is_allowed(language, source, tree, &literal)
    {
        return None;
    }
    let text = source.get(literal.byte_range())?;
    let quote = match text.chars().next()? {
        quote @ ('"' | '\'') => quote,
        _ => '"',
    };
    let tail = if text.trim_end_matches(['"', '\'']).ends_with('/') {
        "/"
    } else {
        ""
    };
    let name = variable.name();
    let default = format!("{quote}{with}{tail}{quote}");
    let expression = match language {
        Language::Python => format!("os.environ.get({quote}{name}{quote}, {default})"),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            format!("process.env.{name} || {default}")
        }
        Language::Php => format!("getenv({quote}{name}{quote}) ?: {default}"),
        Language::Ruby => format!("ENV.fetch({quote}{name}{quote}, {default})"),
        Language::Java => format!("System.getenv().getOrDefault(\"{name}\", {default})"),
        Language::CSharp => {
            format!("System.Environment.GetEnvironmentVariable(\"{name}\") ?? {default}")
        }
        Language::Bash => format!("\"${{{name}:-{with}{tail}}}\""),
        _ => return None,
    };
    let expression = if wrap {
        format!("({expression})")
    } else {
        expression
    };
    let mut edits = Vec::new();
    if language == Language::Python {
        edits.extend(import_os(source, tree)?);
    }
    edits.push(Edit::new(literal.byte_range(), expression));
    Some(edits)
}

/// The string literal that contains the base URL and nothing else.
fn literal<'t>(
    grammar: &Grammar,
    tree: &'t Tree,
    source: &str,
    base: &Range<usize>,
) -> Option<Node<'t>> {
    let inner = tree
        .root_node()
        .descendant_for_byte_range(base.start, base.end.checked_sub(1)?)?;
    let literal = std::iter::successors(Some(inner), Node::parent)
        .take(3)
        .filter(|node| grammar.strings.contains(&node.kind()))
        .last()?;
    let text = source.get(literal.byte_range())?;
    let content = match text.chars().next()? {
        quote @ ('"' | '\'') => text.strip_prefix(quote)?.strip_suffix(quote)?,
        'h' if grammar.strings.contains(&"word") => text,
        _ => return None,
    };
    let url = source.get(base.clone())?;
    let whole = content.strip_suffix('/').unwrap_or(content) == url && !url.contains('\\');
    whole.then_some(literal)
}

/// False for a key and for the left side of an assignment.
fn is_value_of(parent: &Node<'_>, literal: &Node<'_>) -> bool {
    let left = ["left", "key", "name", "pattern"]
        .iter()
        .any(|field| parent.child_by_field_name(field).as_ref() == Some(literal));
    !left
}

fn is_allowed(language: Language, source: &str, tree: &Tree, literal: &Node<'_>) -> bool {
    let parent = literal.parent();
    let kind = parent.map_or("", |parent| parent.kind());
    let text_of = |node: Node<'_>| source.get(node.byte_range()).unwrap_or_default();
    match language {
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            NODE.iter().any(|sign| source.contains(sign))
        }
        // `'…'.freeze` is common. Other methods may need a literal.
        Language::Ruby => {
            kind != "call"
                || parent.is_some_and(|call| {
                    call.child_by_field_name("receiver").as_ref() == Some(literal)
                        && call
                            .child_by_field_name("method")
                            .is_some_and(|method| text_of(method) == "freeze")
                })
        }
        Language::Java => may_vary(source, literal, tree),
        Language::CSharp => {
            let declaration = std::iter::successors(parent, Node::parent).find(|node| {
                matches!(
                    node.kind(),
                    "field_declaration" | "local_declaration_statement"
                )
            });
            declaration.is_none_or(|declaration| {
                let mut cursor = declaration.walk();
                !declaration
                    .children(&mut cursor)
                    .any(|child| text_of(child) == "const")
            })
        }
        // In Python classes and in scripts, every assignment is evaluated at run time.
        _ => true,
    }
}

/// False for a `final` string of Java that an annotation or a label may need as a constant. A
/// private or local string can only be used in this file.
fn may_vary(source: &str, literal: &Node<'_>, tree: &Tree) -> bool {
    let field = std::iter::successors(literal.parent(), Node::parent).find(|node| {
        matches!(
            node.kind(),
            "field_declaration" | "local_variable_declaration"
        )
    });
    let Some(field) = field else {
        return true;
    };
    let text = source.get(field.byte_range()).unwrap_or_default();
    let head = text.split('=').next().unwrap_or_default();
    let has = |word: &str| head.split_whitespace().any(|part| part == word);
    if !has("final") {
        return true;
    }
    if field.kind() == "field_declaration" && !has("private") {
        return false;
    }
    let Some(name) = head.split_whitespace().next_back() else {
        return false;
    };
    let constants = ["annotation_argument_list", "switch_label"];
    !is_below(tree.root_node(), source, name, &constants)
}

/// True if a node of one of `kinds` contains an identifier.
fn is_below(root: Node<'_>, source: &str, name: &str, kinds: &[&str]) -> bool {
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if kinds.contains(&node.kind())
            && source
                .get(node.byte_range())
                .is_some_and(|text| text.contains(name))
        {
            return true;
        }
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
        }
    }
}

/// The edits that import `os` into a Python file: none if it is imported already, else one line
/// before the first import. `None` if the name may be in use.
fn import_os(source: &str, tree: &Tree) -> Option<Vec<Edit>> {
    let root = tree.root_node();
    let mut cursor = root.walk();
    let mut first = None;
    for child in root.children(&mut cursor) {
        let text = source.get(child.byte_range()).unwrap_or_default();
        match child.kind() {
            "import_statement" => {
                let names = text.strip_prefix("import").unwrap_or_default();
                if names.split(',').any(|name| name.trim() == "os") {
                    return Some(Vec::new());
                }
                first = first.or(Some(child.start_byte()));
            }
            "import_from_statement" => first = first.or(Some(child.start_byte())),
            _ => {}
        }
    }
    // Another `os` could shadow the module, or be shadowed by it.
    let taken = source
        .lines()
        .map(str::trim_start)
        .any(|line| line.starts_with("os =") || line.contains(" as os") || line.contains("(os,"));
    let at = first.filter(|_| !taken)?;
    let end = if source.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    Some(vec![Edit::new(at..at, format!("import os{end}"))])
}
