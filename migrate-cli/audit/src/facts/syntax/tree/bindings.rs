//! Assignments: keys of variables, values of names, and superclasses.

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        Binding, Read, Role, Subclass, Text, Write,
        kinds::Kind,
        tree::{Walk, last_child, surroundings::CLIMB, tail, texts::inner_range},
    },
    names::{first_name, last_identifier, split_member},
};

impl<'t> Walk<'t> {
    /// `class Client(ZoomClient):`, `class Client < Zoomus::Client`
    pub(super) fn subclass(&mut self, class: Node<'t>, name: &str) {
        /// Maximum length of the superclasses, in bytes.
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

    /// The name that a value is assigned to.
    pub(super) fn target(&self, node: Node<'t>) -> Option<String> {
        let mut probe = Text::plain("", node.start_byte(), Role::Value);
        self.climb(node, &mut probe);
        probe.target
    }

    /// `form.append("email", email)` writes a key of `form`.
    pub(super) fn builder(&mut self, call: Node<'t>, arguments: usize, callee: &str) {
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
        let Some((key, _)) = self.first_string(call, arguments) else {
            return;
        };
        let variable = if receiver.contains(['(', ' ']) {
            self.target(call)
        } else {
            Some(receiver.to_owned())
        };
        let variable = variable.unwrap_or_default();
        self.write(last_identifier(&variable), key, None);
    }

    /// The first argument of a call and its offset, if it is a string that may be a key.
    pub(super) fn first_string(
        &self,
        call: Node<'t>,
        arguments: usize,
    ) -> Option<(&'t str, usize)> {
        /// Maximum length of a key, in bytes.
        const KEY: usize = 40;
        let mut cursor = call.walk();
        let list = call.named_children(&mut cursor);
        let mut list = list.filter(|child| child.start_byte() >= arguments);
        // The first argument may have wrapper nodes, in PowerShell, C# and others.
        let first = std::iter::successors(list.next(), |node| node.named_child(0))
            .take(CLIMB)
            .find(|node| self.kind_of(*node) == Kind::String)?;
        let (from, to) = inner_range(self.text_of(first), first.start_byte());
        let key = self.source.get(from..to)?;
        (!key.is_empty() && key.len() <= KEY).then_some((key, from))
    }

    fn write(&mut self, variable: &str, key: &str, value: Option<Node<'t>>) {
        self.found.writes.push(Write {
            variable: variable.to_owned(),
            key: key.to_owned(),
            value: value.and_then(|value| self.literal(value)),
            function: self.function().map(str::to_owned),
        });
    }

    /// `$data = array('id' => $id)`: the keys of an assigned literal.
    pub(super) fn entry(&mut self, pair: Node<'t>) {
        /// Maximum number of nodes between an entry and its assignment.
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
                || self.is_payload(*node)
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
                self.write(name, key, last_child(pair));
            }
        }
    }

    /// `users = client.user`, `api = make_client()`
    pub(super) fn bind(&mut self, assignment: Node<'t>) {
        /// Maximum length of a value, in bytes.
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
        if left.kind() == "object_pattern" {
            self.bind_members(left, self.text_of(right));
            return;
        }
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

    /// `const { user, meeting: rooms } = client`
    fn bind_members(&mut self, pattern: Node<'t>, of: &str) {
        /// Maximum length of what the members are taken from, in bytes.
        const OF: usize = 80;
        /// Maximum number of members.
        const MEMBERS: usize = 24;
        if of.len() > OF {
            return;
        }
        let mut cursor = pattern.walk();
        for member in pattern.named_children(&mut cursor).take(MEMBERS) {
            let ends = member
                .child_by_field_name("key")
                .zip(member.child_by_field_name("value"));
            let (key, name) = ends.unwrap_or((member, member));
            let key_name = last_identifier(tail(self.text_of(key), 80));
            let name = last_identifier(tail(self.text_of(name), 80));
            self.found.reads.push(Read {
                name: key_name.to_owned(),
                at: key.start_byte(),
                of: of.to_owned(),
                given_to: None,
                inside: None,
            });
            self.found.bindings.push(Binding {
                name: name.to_owned(),
                value: format!("{of}.{key_name}"),
            });
        }
    }

    /// `function pending(Client $client)`
    pub(super) fn typed_parameter(&mut self, node: Node<'t>) {
        let is_parameter = matches!(
            node.kind(),
            "simple_parameter"
                | "property_promotion_parameter"
                | "required_parameter"
                | "typed_parameter"
                | "formal_parameter"
                | "parameter"
        );
        let Some(class) = node.child_by_field_name("type").filter(|_| is_parameter) else {
            return;
        };
        let name = ["name", "pattern"]
            .iter()
            .find_map(|field| node.child_by_field_name(field))
            .or_else(|| node.named_child(0));
        let class = last_identifier(tail(self.text_of(class), 80));
        if let Some(name) = name.filter(|_| !class.is_empty()) {
            self.found.bindings.push(Binding {
                name: first_name(tail(self.text_of(name), 80)).to_owned(),
                value: format!("new {class}()"),
            });
        }
    }

    /// `data['email'] = email`
    pub(super) fn assignment(&mut self, node: Node<'t>) {
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
            self.write(variable, key, last_child(node));
        }
    }
}

/// The left side of an assignment.
fn left_of(assignment: Node) -> Option<Node> {
    ["left", "name", "alias"]
        .iter()
        .find_map(|field| assignment.child_by_field_name(field))
        .or_else(|| assignment.named_child(0))
}
