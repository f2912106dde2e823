//! The names of the members that objects have: their shapes.
//!
//! The entries of a list mostly have the same names in the same order. They are noted once, and who
//! reads a list compares the next name with the one that the entry before had there, which takes
//! fewer steps than to look for its end.

use std::{mem, ops::Range};

use super::{
    node::{Array, Node},
    texts::Texts,
};

/// The shapes of a document's objects. Each has the number of the node where it begins.
#[derive(Default)]
pub(super) struct Shapes {
    /// Shape by shape an array of its names.
    nodes: Vec<Node>,
}

/// The number of the shape without names, which is not noted.
const EMPTY: usize = 0xff_ffff;

/// Notes the shapes of objects, one object inside another.
pub(super) struct Noter {
    shapes: Shapes,
    /// The names of objects that are not at their end, the innermost last.
    pending: Vec<Node>,
    /// The shape of the last object of each depth.
    last: [usize; DEPTHS],
    /// The last shapes that were noted.
    recent: [usize; RECENT],
    noted: usize,
}

/// Deeper, nothing is expected.
const DEPTHS: usize = 16;

/// How many of the last shapes an object may have without a new one being noted.
const RECENT: usize = 8;

/// Room for the names of an object and those around it: mostly they are fewer.
const PENDING: usize = 32;

/// The names of an object that is not at its end.
pub(super) struct Names {
    /// The shape that is expected.
    shape: usize,
    /// Where the first of its names is.
    first: usize,
    /// Where the next of them is, and the first that is none.
    expected: Range<usize>,
    /// Where the pending ones begin.
    begun: usize,
    /// True as long as the object is as expected: nothing is pending then.
    is_expected: bool,
}

impl Shapes {
    /// The names of a shape.
    #[inline]
    pub(super) fn names(&self, shape: usize) -> &[Node] {
        self.nodes.get(self.places(shape)).unwrap_or_default()
    }

    /// What they keep in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        size_of_val(self.nodes.as_slice())
    }

    /// Where the names of a shape are.
    #[inline]
    fn places(&self, shape: usize) -> Range<usize> {
        match self.nodes.get(shape) {
            Some(Node::Array(names)) => shape + 1..names.end(),
            _ => 0..0,
        }
    }
}

impl Noter {
    pub(super) fn new() -> Self {
        Self {
            shapes: Shapes::default(),
            pending: Vec::new(),
            last: [EMPTY; DEPTHS],
            recent: [EMPTY; RECENT],
            noted: 0,
        }
    }

    pub(super) fn finish(self) -> Shapes {
        self.shapes
    }

    /// Begins an object at a depth, which is expected to be as the one before.
    #[inline]
    pub(super) fn begin(&self, depth: usize) -> Names {
        let shape = self.last.get(depth).copied().unwrap_or(EMPTY);
        let expected = self.shapes.places(shape);
        Names {
            shape,
            first: expected.start,
            expected,
            begun: self.pending.len(),
            is_expected: true,
        }
    }

    /// The name that is expected after some others.
    #[inline]
    pub(super) fn expected(&self, names: &Names, others: usize) -> Option<Node> {
        let at = names.expected.start + others;
        let is_one = at < names.expected.end;
        self.shapes.nodes.get(at).copied().filter(|_| is_one)
    }

    /// Notes that what was expected after some others is what comes next.
    #[inline]
    pub(super) fn take(&mut self, names: &mut Names, others: usize) {
        if !names.is_expected || others > 0 {
            let name = self.expected(names, others);
            self.differ(names);
            self.pending.extend(name);
        }
        names.expected.start += others + 1;
    }

    /// Notes a name that was not expected.
    pub(super) fn add(&mut self, names: &mut Names, name: Node) {
        self.differ(names);
        self.pending.push(name);
    }

    /// Ends an object at a depth; returns the number of its shape, or `None` if there are too many.
    #[inline]
    pub(super) fn end(
        &mut self,
        mut names: Names,
        depth: usize,
        texts: Texts<'_>,
    ) -> Option<usize> {
        if names.is_expected && names.expected.is_empty() {
            return Some(names.shape);
        }
        self.differ(&mut names);
        self.end_other(names.begun, depth, texts)
    }

    fn end_other(&mut self, begun: usize, depth: usize, texts: Texts<'_>) -> Option<usize> {
        let shape = match self.pending.get(begun..)? {
            [] => EMPTY,
            own => match self.known(own, texts) {
                Some(shape) => shape,
                None => self.note(begun)?,
            },
        };
        self.pending.truncate(begun);
        if let Some(last) = self.last.get_mut(depth) {
            *last = shape;
        }
        Some(shape)
    }

    /// The shape of these names, if it is among the last.
    fn known(&self, own: &[Node], texts: Texts<'_>) -> Option<usize> {
        let known = self.recent.into_iter();
        known.take(self.noted).find(|shape| {
            let names = self.shapes.names(*shape);
            let mut pairs = names.iter().zip(own);
            names.len() == own.len()
                && pairs.all(|(name, own)| texts.bytes_of(*name) == texts.bytes_of(*own))
        })
    }

    /// A new shape of the names that are pending from there on.
    fn note(&mut self, begun: usize) -> Option<usize> {
        let nodes = &mut self.shapes.nodes;
        let shape = nodes.len();
        if shape >= EMPTY {
            return None;
        }
        let count = self.pending.len().checked_sub(begun)?;
        let array = Node::Array(Array::new(shape + 1 + count)?);
        if nodes.is_empty() && begun == 0 {
            // It may well be the only one: nothing is copied.
            self.pending.insert(0, array);
            *nodes = mem::take(&mut self.pending);
        } else {
            nodes.reserve(count + 1);
            nodes.push(array);
            nodes.extend_from_slice(self.pending.get(begun..)?);
        }
        *self.recent.get_mut(self.noted % RECENT)? = shape;
        self.noted += 1;
        Some(shape)
    }

    /// From here on, the object is not as expected.
    fn differ(&mut self, names: &mut Names) {
        if names.is_expected {
            names.is_expected = false;
            let before = self.shapes.nodes.get(names.first..names.expected.start);
            if self.pending.capacity() == 0 {
                self.pending.reserve(PENDING);
            }
            self.pending.extend_from_slice(before.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::plain;

    fn shapes(text: &str) -> (usize, Vec<Vec<&str>>) {
        let (nodes, shapes) = plain::nodes(text).unwrap();
        let texts = Texts {
            text,
            rewritten: "",
        };
        let names = nodes.iter().filter_map(|node| match node {
            Node::Object(object) => Some(shapes.names(object.shape())),
            _ => None,
        });
        let names = names.map(|names| {
            names
                .iter()
                .filter_map(|name| texts.text_of(*name))
                .collect()
        });
        let noted = shapes
            .nodes
            .iter()
            .filter(|node| matches!(node, Node::Array(_)));
        (noted.count(), names.collect())
    }

    #[test]
    fn objects_with_the_same_names_share_their_shape() {
        let (noted, names) = shapes(r#"[{"a":1,"b":{"c":2}},{"a":3,"b":{"c":4}}, {"a":[],"b":0}]"#);
        assert_eq!(noted, 2);
        let ab = ["a", "b"];
        assert_eq!(names, [&ab[..], &["c"], &ab, &["c"], &ab]);
    }

    #[test]
    fn what_lacks_a_member_or_has_one_more_is_another_shape_once() {
        let all = r#"{"a":1,"b":2,"c":3}"#;
        let (less, more) = (r#"{"a":1,"c":3}"#, r#"{"a":1,"b":2,"x":0,"c":3}"#);
        let (short, none) = (r#"{"a":1}"#, "{}");
        let list = [all, less, all, more, short, none, less, all, more, none];
        let text = format!("[{}]", list.join(","));
        let (noted, names) = shapes(&text);
        assert_eq!(noted, 4);
        let (all, less) = (vec!["a", "b", "c"], vec!["a", "c"]);
        let (more, short, none) = (vec!["a", "b", "x", "c"], vec!["a"], vec![]);
        let expected = [
            &all, &less, &all, &more, &short, &none, &less, &all, &more, &none,
        ];
        assert_eq!(names, expected.map(Clone::clone));
    }

    #[test]
    fn shapes_that_are_long_gone_are_noted_anew() {
        let list: Vec<_> = (0..100).map(|n| format!("{{\"m{}\":0}}", n % 20)).collect();
        let text = format!("[{}]", list.join(","));
        let (noted, names) = shapes(&text);
        assert_eq!(noted, 100);
        for (n, names) in names.iter().enumerate() {
            assert_eq!(names, &[format!("m{}", n % 20)]);
        }
    }
}
