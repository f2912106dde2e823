//! Strings and comments of a tree, split into pieces.

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        Piece, Role, Text,
        kinds::{Kind, is_interpolation},
        lexer,
        tree::{SCOPES, Scope, Walk, push_children},
    },
    language::Language,
    names::{last_identifier, names_request},
};

impl<'t> Walk<'t> {
    /// `request(:user, :list)`: a symbol in the arguments of a request is a part of its path.
    pub(super) fn symbol(&mut self, node: Node<'t>) {
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
        let callee = text.callee.as_deref();
        if callee.is_some_and(|callee| names_request(last_identifier(callee))) {
            self.push(node, text.pieces, Role::Value);
        }
    }

    pub(super) fn string(&mut self, node: Node<'t>) {
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

    pub(super) fn push_comment(&mut self, node: Node<'t>) {
        let text = Text::plain(self.text_of(node), node.start_byte(), Role::Comment);
        self.found.texts.push(text);
    }

    pub(super) fn markup(&mut self, node: Node<'t>) {
        let inner = lexer::extract(None, self.text_of(node), node.start_byte());
        self.found.texts.extend(inner.texts);
    }

    pub(super) fn concatenation(&mut self, node: Node<'t>) {
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
                    push_children(next, usize::MAX, &mut open);
                }
                Kind::Wrapper | Kind::Binary if next.named_child_count() == 1 => {
                    push_children(next, usize::MAX, &mut open);
                }
                _ if next.is_named() => pieces.push(self.hole(next)),
                _ => {}
            }
        }
        if strings > 0 || pieces.len() < 6 {
            self.push(node, pieces, Role::Value);
        }
    }

    pub(super) fn hole(&self, node: Node) -> Piece {
        let text = self.text_of(node);
        let name = if text.len() <= 80 {
            last_identifier(text)
        } else {
            ""
        };
        Piece::Hole(name.to_owned())
    }

    /// Splits a string into pieces.
    pub(super) fn pieces(&self, node: Node<'t>, pieces: &mut Vec<Piece>) {
        let (start, end) = if node.kind().starts_with("heredoc") {
            self.heredoc_range(node)
        } else {
            inner_range(self.text_of(node), node.start_byte())
        };
        let mut at = start;
        let mut open = Vec::new();
        push_children(node, usize::MAX, &mut open);
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
                push_children(child, usize::MAX, &mut open);
            }
        }
        self.push_text(at, end, pieces);
        if self.language == Language::Swift {
            trim_swift(pieces);
        }
    }

    /// The bytes between the delimiters of a heredoc, trimmed.
    fn heredoc_range(&self, node: Node<'t>) -> (usize, usize) {
        let child = |node: Node<'t>, kind: &str| {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .find(|child| child.kind() == kind)
        };
        let body = child(node, "heredoc_body").unwrap_or(node);
        let until = child(body, "heredoc_end").map_or(body.end_byte(), |end| end.start_byte());
        let from = body.start_byte();
        let text = self.source.get(from..until).unwrap_or_default();
        let start = from + text.len() - text.trim_start().len();
        (start, start + text.trim().len())
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

    /// Adds a text with its surroundings.
    pub(super) fn push(&mut self, node: Node<'t>, pieces: Vec<Piece>, role: Role) {
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
            function: self.function().map(str::to_owned),
            class: self.classes(),
            containers: std::iter::once(0)
                .chain(self.containers().map(|scope| scope.at))
                .collect(),
            ..Text::new(role, pieces)
        };
        if role == Role::Value {
            self.climb(node, &mut text);
        }
        self.append(&mut text);
        let first = self.found.texts.len();
        self.found.texts.extend(text.parts());
        self.note_assigned(first);
    }

    /// The innermost classes, objects and maps around the current node, outermost first.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Scope> {
        let nearest = self.scopes.len().saturating_sub(SCOPES);
        self.scopes
            .get(nearest..)
            .unwrap_or_default()
            .iter()
            .filter(|scope| !scope.is_function)
    }

    pub(super) fn classes(&self) -> String {
        let mut names = String::new();
        for scope in self.containers() {
            if scope.name.len() < 60 && !scope.name.contains(['\'', '"', '{']) {
                names.push_str(&scope.name);
                names.push(' ');
            }
        }
        names
    }
}

/// Removes the delimiters of `\(name)` from the texts around a value.
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
