//! Calls that take a path through a variable: `$path = "user/list"; $this->send($path)`.

use std::collections::HashMap;

use tree_sitter::Node;

use crate::{
    facts::syntax::{
        Role, Taker, Text,
        kinds::Kind,
        tree::{
            Walk, arguments::ELEMENTS, last_child, push_children, surroundings::is_formatter, tail,
            texts::operator,
        },
    },
    names::last_identifier,
};

/// Maximum number of calls kept for a text.
const TAKERS: usize = 4;
/// Maximum number of nodes of an argument list searched for variables.
const ARGUMENTS: usize = 48;
/// Maximum number of paths that one variable holds in turn.
const VALUES: usize = 32;

/// Texts that are assigned to a variable: by the function, 0 outside of functions, and the name.
pub(super) type Assigned = HashMap<(usize, String), Vec<usize>>;

impl<'t> Walk<'t> {
    /// Remembers a path that is assigned to a variable. `at` is its index among the texts.
    pub(super) fn note_assigned(&mut self, at: usize) {
        let Some([text]) = self.found.texts.get(at..) else {
            return;
        };
        if let Some(name) = text.path_variable() {
            let variable = (self.function_start(), name.to_owned());
            let values = self.assigned.entry(variable).or_default();
            if values.len() < VALUES {
                values.push(at);
            }
        }
    }

    /// `$path .= "list"` continues what the variable holds.
    pub(super) fn append(&self, text: &mut Text) {
        /// Maximum number of ancestors between a text and its assignment.
        const DEPTH: usize = 8;
        /// Maximum number of pieces that a text continues.
        const PIECES: usize = 8;
        let above = self.ancestors.iter().rev().take(DEPTH);
        let assignment = { above }.find(|node| self.kind_of(**node) == Kind::Assignment);
        let appends = assignment
            .is_some_and(|node| matches!(operator(*node, self.source), Some(".=" | "+=" | "&=")));
        if self.assigned.is_empty() || !appends || text.role != Role::Value {
            return;
        }
        let name = last_identifier(text.target.as_deref().unwrap_or_default());
        let variable = (self.function_start(), name.to_owned());
        let before = self
            .assigned
            .get(&variable)
            .and_then(|values| values.first());
        let before = before.and_then(|at| self.found.texts.get(*at));
        if let Some(before) = before.filter(|before| before.pieces.len() <= PIECES) {
            let appended = std::mem::replace(&mut text.pieces, before.pieces.clone());
            text.pieces.extend(appended);
        }
    }

    /// Adds a call to the paths that its arguments hold.
    pub(super) fn take_variables(&mut self, call: Node<'t>) {
        if self.assigned.is_empty() {
            return;
        }
        let Some((argument, paths)) = self.assigned_argument(call) else {
            return;
        };
        let callee = self.callee(call, argument);
        let Some(callee) = callee.filter(|callee| !is_formatter(callee)) else {
            return;
        };
        let arguments = self.named_arguments(call);
        for at in paths {
            if let Some(text) = self.found.texts.get_mut(at)
                && text.passed_to.len() < TAKERS
            {
                text.passed_to.push(Taker {
                    callee: callee.clone(),
                    given: arguments.given.clone(),
                    passed: arguments.passed.clone(),
                });
            }
        }
    }

    /// The first argument of a call that is a variable with a path, and the paths. Arguments in maps
    /// count, too: `send({ path: path })`.
    fn assigned_argument(&self, call: Node<'t>) -> Option<(Node<'t>, Vec<usize>)> {
        let start = self.arguments_start(call)?;
        let function = self.function_start();
        let mut open = vec![call];
        let mut seen = 0;
        while let Some(node) = open.pop() {
            seen += 1;
            if seen > ARGUMENTS {
                break;
            }
            let is_outside = node.end_byte() <= start;
            match self.kind_of(node) {
                _ if node.id() == call.id() => push_children(node, ELEMENTS, &mut open),
                _ if is_outside => {}
                Kind::Pair => open.extend(last_child(node)),
                Kind::Identifier | Kind::Member => {
                    let name = last_identifier(tail(self.text_of(node), 80));
                    let paths = [function, 0]
                        .iter()
                        .find_map(|function| self.assigned.get(&(*function, name.to_owned())));
                    let has_room = |at: &usize| {
                        let text = self.found.texts.get(*at);
                        text.is_some_and(|text| text.passed_to.len() < TAKERS)
                    };
                    let paths: Vec<usize> = { paths.into_iter().flatten() }
                        .copied()
                        .filter(has_room)
                        .collect();
                    if !paths.is_empty() {
                        return Some((node, paths));
                    }
                }
                Kind::List | Kind::Container | Kind::Wrapper => {
                    push_children(node, ELEMENTS, &mut open);
                }
                _ if matches!(node.kind(), "argument" | "call_suffix") => {
                    push_children(node, ELEMENTS, &mut open);
                }
                _ => {}
            }
        }
        None
    }

    /// Where the innermost function starts; 0 outside of functions.
    fn function_start(&self) -> usize {
        let function = self.scopes.last().and_then(|scope| scope.function);
        let scope = function.and_then(|at| self.scopes.get(at));
        scope.map_or(0, |scope| scope.at)
    }
}
