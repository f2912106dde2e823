//! Shapes: the ordered member names of objects.
//!
//! The entries of a list usually have the same names in the same order. Such objects share one
//! shape. The fast path also compares the next name with the one at that place in the previous
//! object: without that, the core spends 225 µs instead of 175 µs on a list of 300 users.

use std::ops::Range;

use super::{
    node::{Array, Node},
    texts::Texts,
};

/// Shapes of a document's objects, identified by the index of their first node.
#[derive(Default)]
pub(super) struct Shapes {
    /// Each shape is an array node followed by its names.
    nodes: Vec<Node>,
}

/// Shape without names, which is not stored.
const EMPTY: usize = 0xff_ffff;

/// Collects the shapes of nested objects.
pub(super) struct ShapeBuilder {
    shapes: Shapes,
    /// Names of unfinished objects, the innermost last.
    pending: Vec<Node>,
    /// Shape of the previous object at each depth.
    previous: [usize; DEPTHS],
    /// Ring buffer of the shapes stored last.
    recent: [usize; RECENT],
    stored: usize,
}

/// Depth limit for the comparison with the previous object.
const DEPTHS: usize = 16;

/// Number of recent shapes to search before storing a new one.
const RECENT: usize = 8;

/// Initial capacity for the names of an object and its ancestors.
const PENDING: usize = 32;

/// Names of an unfinished object.
pub(super) struct Names {
    /// Shape of the previous object at this depth.
    shape: usize,
    /// Index of the first name of that shape.
    first: usize,
    /// Indexes of the names of that shape that are still expected.
    expected: Range<usize>,
    /// Index of the object's first name in `pending`.
    begun: usize,
    /// True while the names equal those of the previous object; they are not in `pending` then.
    is_expected: bool,
}

impl Names {
    /// Adds the expected name.
    #[inline]
    pub(super) fn add_expected(&mut self) {
        self.expected.start += 1;
    }
}

impl Shapes {
    /// The names of a shape.
    #[inline]
    pub(super) fn names(&self, shape: usize) -> &[Node] {
        self.nodes.get(self.indices(shape)).unwrap_or_default()
    }

    /// Memory in bytes.
    pub(super) fn weight(&self) -> usize {
        size_of_val(self.nodes.as_slice())
    }

    /// Indexes of the names of a shape.
    #[inline]
    fn indices(&self, shape: usize) -> Range<usize> {
        match self.nodes.get(shape) {
            Some(Node::Array(names)) => shape + 1..names.end(),
            _ => 0..0,
        }
    }
}

impl ShapeBuilder {
    pub(super) fn new() -> Self {
        Self {
            shapes: Shapes::default(),
            pending: Vec::new(),
            previous: [EMPTY; DEPTHS],
            recent: [EMPTY; RECENT],
            stored: 0,
        }
    }

    pub(super) fn finish(self) -> Shapes {
        self.shapes
    }

    /// Begins an object.
    #[inline]
    pub(super) fn begin(&self, depth: usize) -> Names {
        let shape = self.previous.get(depth).copied().unwrap_or(EMPTY);
        let expected = self.shapes.indices(shape);
        Names {
            shape,
            first: expected.start,
            expected,
            begun: self.pending.len(),
            is_expected: true,
        }
    }

    /// The previous object's name at this position, if all names so far are equal.
    #[inline]
    pub(super) fn expected(&self, names: &Names) -> Option<Node> {
        let is_one = names.is_expected && !names.expected.is_empty();
        let name = self.shapes.nodes.get(names.expected.start);
        name.copied().filter(|_| is_one)
    }

    /// Adds any other name.
    pub(super) fn add(&mut self, names: &mut Names, name: Node) {
        self.differ(names);
        self.pending.push(name);
    }

    /// Ends an object; returns its shape, or `None` if there are too many.
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
        let shape = match self.pending.get(names.begun..)? {
            [] => EMPTY,
            own => match self.find(own, texts) {
                Some(shape) => shape,
                None => self.store(names.begun)?,
            },
        };
        self.pending.truncate(names.begun);
        if let Some(previous) = self.previous.get_mut(depth) {
            *previous = shape;
        }
        Some(shape)
    }

    /// A recent shape with these names.
    fn find(&self, own: &[Node], texts: Texts<'_>) -> Option<usize> {
        let recent = self.recent.into_iter();
        recent.take(self.stored).find(|shape| {
            let names = self.shapes.names(*shape);
            let mut pairs = names.iter().zip(own);
            names.len() == own.len()
                && pairs.all(|(name, own)| texts.bytes_of(*name) == texts.bytes_of(*own))
        })
    }

    /// Stores the pending names from `begun` as a shape.
    fn store(&mut self, begun: usize) -> Option<usize> {
        let own = self.pending.get(begun..)?;
        let nodes = &mut self.shapes.nodes;
        let shape = nodes.len();
        if shape >= EMPTY {
            return None;
        }
        nodes.reserve(own.len() + 1);
        nodes.push(Node::Array(Array::new(shape + 1 + own.len())?));
        nodes.extend_from_slice(own);
        *self.recent.get_mut(self.stored % RECENT)? = shape;
        self.stored += 1;
        Some(shape)
    }

    /// Copies the names so far to `pending`, because the object differs from the previous one.
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
    use crate::document::fast;

    fn shapes(text: &str) -> (usize, Vec<Vec<&str>>) {
        let (nodes, shapes) = fast::nodes(text).unwrap();
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
        let stored = shapes
            .nodes
            .iter()
            .filter(|node| matches!(node, Node::Array(_)));
        (stored.count(), names.collect())
    }

    #[test]
    fn equal_names_share_a_shape() {
        let (stored, names) =
            shapes(r#"[{"a":1,"b":{"c":2}},{"a":3,"b":{"c":4}}, {"a":[],"b":0}]"#);
        assert_eq!(stored, 2);
        let ab = ["a", "b"];
        assert_eq!(names, [&ab[..], &["c"], &ab, &["c"], &ab]);
    }

    #[test]
    fn shares_several_shapes() {
        let all = r#"{"a":1,"b":2,"c":3}"#;
        let (less, more) = (r#"{"a":1,"c":3}"#, r#"{"a":1,"b":2,"x":0,"c":3}"#);
        let (short, none) = (r#"{"a":1}"#, "{}");
        let list = [all, less, all, more, short, none, less, all, more, none];
        let text = format!("[{}]", list.join(","));
        let (stored, names) = shapes(&text);
        assert_eq!(stored, 4);
        let (all, less) = (vec!["a", "b", "c"], vec!["a", "c"]);
        let (more, short, none) = (vec!["a", "b", "x", "c"], vec!["a"], vec![]);
        let expected = [
            &all, &less, &all, &more, &short, &none, &less, &all, &more, &none,
        ];
        assert_eq!(names, expected.map(Clone::clone));
    }

    #[test]
    fn shares_only_recent_shapes() {
        let list: Vec<_> = (0..100).map(|n| format!("{{\"m{}\":0}}", n % 20)).collect();
        let text = format!("[{}]", list.join(","));
        let (stored, names) = shapes(&text);
        assert_eq!(stored, 100);
        for (n, names) in names.iter().enumerate() {
            assert_eq!(names, &[format!("m{}", n % 20)]);
        }
    }
}
