//! Calls and operators that fill a template with values.

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        Piece, Role, format,
        kinds::Kind,
        tree::{CALLEE, Walk, last_child, tail, texts::operator},
    },
    names::last_identifier,
};

/// How many arguments of a call are looked at.
const ARGUMENTS: usize = 10;

impl<'t> Walk<'t> {
    /// `sprintf("%s/%s", base, "user/list")`, `"{}/{}".format(base, "user/list")`
    pub(super) fn format_call(&mut self, call: Node<'t>) {
        let Some(until) = self.arguments_start(call) else {
            return;
        };
        let callee = self.source.get(call.start_byte()..until);
        let callee = tail(callee.unwrap_or_default(), CALLEE);
        let is_message = call.kind() == "message_expression";
        let method = call.child_by_field_name("method").filter(|_| is_message);
        let name = method.map_or(callee, |method| self.text_of(method));
        if !format::is_filler(last_identifier(name)) {
            return;
        }
        let mut values = self.values(call, until);
        let receiver = call.named_child(0).map(|first| match self.kind_of(first) {
            Kind::Member => first.named_child(0).unwrap_or(first),
            _ => first,
        });
        let receiver = receiver.filter(|first| self.kind_of(*first) == Kind::String);
        let is_string = |value: &Node<'t>| self.kind_of(*value) == Kind::String;
        let template = match receiver.filter(|first| first.end_byte() <= until) {
            Some(receiver) => Some(receiver),
            // `fprintf(file, "%s/%s", …)`
            None => { values.iter().take(2).position(is_string) }
                .and_then(|at| values.drain(..=at).next_back()),
        };
        let Some(template) = template else {
            return;
        };
        self.filled(call, template, &values);
    }

    /// `"%s/%s" % (base, "user/list")`, `"{0}/{1}" -f $base, "user/list"`
    pub(super) fn format_operator(&mut self, node: Node<'t>) {
        let is_filling = match node.kind() {
            "format_expression" => node.named_child_count() > 1,
            _ => operator(node, self.source) == Some("%"),
        };
        let (Some(left), Some(right), true) = (node.named_child(0), last_child(node), is_filling)
        else {
            return;
        };
        let template = self.unwrapped(left);
        if self.kind_of(template) == Kind::String {
            let mut values = Vec::new();
            match right.named_child_count() {
                0 | 1 => values.push(self.unwrapped(right)),
                _ => {
                    let mut cursor = right.walk();
                    let children = right.named_children(&mut cursor).take(ARGUMENTS);
                    values.extend(children.map(|child| self.unwrapped(child)));
                }
            }
            self.filled(node, template, &values);
        }
    }

    /// The arguments of a call without what wraps them.
    fn values(&self, call: Node<'t>, from: usize) -> Vec<Node<'t>> {
        let list = call.child_by_field_name("arguments").or_else(|| {
            let mut cursor = call.walk();
            let mut children = call.named_children(&mut cursor);
            children
                .find(|child| self.kind_of(*child) == Kind::List || child.kind() == "call_suffix")
        });
        let list = list.map(|list| match list.kind() {
            "call_suffix" => list.named_child(0).unwrap_or(list),
            _ => list,
        });
        let mut cursor = call.walk();
        let arguments = list.unwrap_or(call);
        arguments
            .named_children(&mut cursor)
            .filter(|argument| argument.start_byte() >= from)
            .take(ARGUMENTS)
            .map(|argument| self.unwrapped(argument))
            .collect()
    }

    fn unwrapped(&self, node: Node<'t>) -> Node<'t> {
        let mut inner = node;
        while matches!(self.kind_of(inner), Kind::Wrapper | Kind::Pair | Kind::List)
            || inner.kind() == "argument"
        {
            match last_child(inner) {
                Some(child)
                    if inner.named_child_count() == 1 || self.kind_of(inner) == Kind::Pair =>
                {
                    inner = child;
                }
                _ => break,
            }
        }
        inner
    }

    /// Notes a filled template as one text, in place of its parts.
    fn filled(&mut self, node: Node<'t>, template: Node<'t>, values: &[Node<'t>]) {
        let mut literal = Vec::new();
        self.pieces(template, &mut literal);
        let pieces: Vec<Vec<Piece>> = values
            .iter()
            .map(|value| self.value_pieces(*value))
            .collect();
        let Some(pieces) = format::fill(&literal, &pieces) else {
            return;
        };
        self.consumed.insert(template.id());
        self.consumed.extend(values.iter().map(Node::id));
        self.push(node, pieces, Role::Value);
    }

    fn value_pieces(&self, value: Node<'t>) -> Vec<Piece> {
        let text = self.text_of(value);
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            return vec![Piece::Text {
                value: text.to_owned(),
                at: value.start_byte(),
            }];
        }
        if self.kind_of(value) == Kind::String {
            let mut pieces = Vec::new();
            self.pieces(value, &mut pieces);
            return pieces;
        }
        vec![self.hole(value)]
    }
}
