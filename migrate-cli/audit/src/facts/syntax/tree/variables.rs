//! What a variable holds that a call takes: the keys of a map or the names in a query string, from
//! its assignment and from the writes to its members.

use tree_sitter::Node;

use crate::{
    facts::{
        parameters,
        syntax::{
            kinds::Kind,
            tree::{
                Walk,
                arguments::{Arguments, LITERAL, unwrapped},
                last_child, push_children,
            },
        },
    },
    names::last_identifier,
};

/// Maximum number of nodes of a scope that are searched for the uses of a variable.
const SCOPE: usize = 4000;
/// Maximum number of nodes of a file that are searched in all.
pub(super) const FILE: usize = 100_000;
/// Maximum number of children of a node that are searched.
const CHILDREN: usize = 400;

/// A use of a variable, with the nodes around it that are longer than itself.
struct Place<'t> {
    node: Node<'t>,
    around: Option<Node<'t>>,
    outside: Option<Node<'t>>,
}

impl<'t> Walk<'t> {
    /// The parameters in a variable that a call takes. They are not all if another use of the
    /// variable may add some. `None` if it has no single assignment in the code around the call.
    pub(super) fn contents(&self, name: &str, call: Node<'t>) -> Option<Arguments> {
        let scopes = self.ancestors.iter().rev().enumerate();
        let last = self.ancestors.len().checked_sub(1)?;
        for (index, scope) in scopes {
            if index != last && !self.is_scope(*scope) {
                continue;
            }
            if self.searchable.get() == 0 || self.takes(*scope, name) {
                return None;
            }
            let (contents, assignments) = self.contents_in(*scope, name, call)?;
            match assignments {
                0 => {}
                1 => return Some(contents),
                _ => return None,
            }
        }
        None
    }

    /// True for a function, with a name or without.
    fn is_scope(&self, node: Node) -> bool {
        self.kind_of(node) == Kind::Function
            || self.kind_of(node) == Kind::Boundary && node.child_by_field_name("body").is_some()
    }

    /// True if a function has a parameter of that name.
    fn takes(&self, scope: Node, name: &str) -> bool {
        ["parameters", "parameter"]
            .iter()
            .filter_map(|field| scope.child_by_field_name(field))
            .any(|list| {
                let mut words = self
                    .text_of(list)
                    .split(|c: char| !c.is_alphanumeric() && c != '_');
                words.any(|word| word == name)
            })
    }

    /// The contents of a variable, and its number of assignments, in a scope that is not too long.
    fn contents_in(
        &self,
        scope: Node<'t>,
        name: &str,
        call: Node<'t>,
    ) -> Option<(Arguments, usize)> {
        let mut contents = Arguments {
            whole: true,
            ..Arguments::default()
        };
        let mut assignments = 0;
        let mut open = vec![Place {
            node: scope,
            around: None,
            outside: None,
        }];
        let mut seen = 0;
        while let Some(place) = open.pop() {
            seen += 1;
            if seen > SCOPE {
                self.spend(seen);
                return None;
            }
            if self.kind_of(place.node) == Kind::Identifier {
                let is_named = last_identifier(self.text_of(place.node)) == name;
                let is_taken = call.byte_range().contains(&place.node.start_byte());
                if is_named && !is_taken {
                    assignments += usize::from(self.use_of(&place, &mut contents));
                }
                continue;
            }
            let mut children = Vec::new();
            push_children(place.node, CHILDREN, &mut children);
            open.extend(children.into_iter().map(|child| {
                let is_longer = child.byte_range() != place.node.byte_range();
                Place {
                    node: child,
                    around: if is_longer {
                        Some(place.node)
                    } else {
                        place.around
                    },
                    outside: if is_longer {
                        place.around
                    } else {
                        place.outside
                    },
                }
            }));
        }
        self.spend(seen).then_some((contents, assignments))
    }

    /// Counts searched nodes; false if the file had too many.
    fn spend(&self, nodes: usize) -> bool {
        let left = self.searchable.get().saturating_sub(nodes);
        self.searchable.set(left);
        left > 0
    }

    /// Adds what a use of the variable tells of its contents; true for an assignment.
    fn use_of(&self, place: &Place<'t>, contents: &mut Arguments) -> bool {
        let Some(around) = place.around else {
            return false;
        };
        let is_first = around.start_byte() == place.node.start_byte()
            || around
                .child_by_field_name("name")
                .is_some_and(|name| name.id() == place.node.id());
        match self.kind_of(around) {
            Kind::Assignment if is_first => {
                let value =
                    last_child(around).filter(|value| value.start_byte() > place.node.start_byte());
                let Some(value) = value else {
                    return false;
                };
                let operator = self
                    .source
                    .get(place.node.end_byte()..value.start_byte())
                    .unwrap_or_default()
                    .trim();
                self.value(value, contents);
                let appends = ["+=", ".=", "&="]
                    .iter()
                    .any(|sign| operator.ends_with(sign));
                !appends
            }
            Kind::Member | Kind::Subscript if is_first => {
                let outside = place
                    .outside
                    .map(|outside| (outside, self.kind_of(outside)));
                match outside {
                    Some((outside, Kind::Assignment))
                        if outside.start_byte() == around.start_byte() =>
                    {
                        self.member_write(around, outside, contents);
                    }
                    Some((_, Kind::Call)) => contents.whole = false,
                    _ => {}
                }
                false
            }
            // The key of a map or the name of another's member.
            Kind::Pair if is_first => false,
            Kind::Member => false,
            _ => {
                contents.whole = false;
                false
            }
        }
    }

    /// `data.email = …`, `data['email'] = …`
    fn member_write(&self, member: Node<'t>, assignment: Node<'t>, contents: &mut Arguments) {
        let key = match self.kind_of(member) {
            Kind::Member => Some(last_identifier(self.text_of(member)).to_owned()),
            _ => last_child(member).and_then(|index| {
                self.literal(index)
                    .or_else(|| self.text_of(index).strip_prefix(':').map(str::to_owned))
            }),
        };
        let Some(key) = key else {
            contents.whole = false;
            return;
        };
        let value = last_child(assignment).and_then(|value| self.literal(value));
        contents
            .values
            .extend(value.map(|value| (key.clone(), value)));
        contents.given.push(key);
    }

    /// A map, or a text that may be a query string.
    fn value(&self, value: Node<'t>, contents: &mut Arguments) {
        let value = unwrapped(value);
        match self.kind_of(value) {
            Kind::String | Kind::Binary => {
                let text = self.text_of(value);
                let names = parameters::named(text, &|_| true);
                let is_query = !names.is_empty();
                contents.whole &= if is_query {
                    text.split('&').all(|part| part.contains('='))
                } else {
                    self.kind_of(value) == Kind::String
                };
                contents.given.extend(names);
                contents.values.extend(parameters::numbers(text, &|_| true));
            }
            _ => {
                self.arguments(value, value.start_byte(), contents);
                let mut nested = Vec::new();
                contents.whole &= self.is_literal(value, LITERAL, &mut nested) && nested.is_empty();
            }
        }
    }
}
