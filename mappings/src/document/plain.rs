//! The short way to read a document, for texts in which nothing is hidden.
//!
//! v2's answers are one line without escapes, nearly always. In such a text a string ends at the next
//! quote and a space is the only white space, so reading it takes a third of the time that a parser
//! for all of JSON takes. What is not such a text, or no JSON, or unusual otherwise, is left to
//! `serde_json`: this way has no opinion of its own.

use memchr::memchr;
use serde_json::Number;

use super::{
    BYTES_PER_NODE,
    node::{Array, Node, Object, Span},
    shape::{Names, Noter, Shapes},
    swar::{begins, quote},
    texts::{Texts, is_whole},
};

/// Nested deeper it is unusual.
const DEPTH: usize = 64;

/// What stands where in a text; `None` if the long way has to tell.
pub(super) fn nodes(text: &str) -> Option<(Vec<Node>, Shapes)> {
    let bytes = text.as_bytes();
    if bytes.len() > Span::NEAR || bytes.chunks(CHUNK).any(hides_something) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes,
        nodes: Vec::with_capacity(bytes.len() / BYTES_PER_NODE),
        names: Noter::new(),
    };
    let end = reader.value(0, 0)?;
    let is_all = reader.next(end).is_none();
    is_all.then(|| (reader.nodes, reader.names.finish()))
}

/// Looked at together, without a branch for each byte.
const CHUNK: usize = 256;

fn hides_something(chunk: &[u8]) -> bool {
    let least = chunk.iter().fold(u8::MAX, |least, byte| least.min(*byte));
    least < b' ' || memchr(b'\\', chunk).is_some()
}

/// Notes what it reads from a place on, and returns where that ends.
struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    nodes: Vec<Node>,
    names: Noter,
}

impl Reader<'_> {
    #[expect(
        clippy::inline_always,
        reason = "for a call of each value a list costs a tenth more"
    )]
    #[inline(always)]
    fn value(&mut self, at: usize, depth: usize) -> Option<usize> {
        let (first, at) = self.next(at)?;
        let (node, end) = match first {
            b'"' => self.string(at)?,
            b'{' | b'[' => return self.nest(first, at, depth),
            b'-' | b'0'..=b'9' => self.number(at)?,
            _ => self.word(at)?,
        };
        self.nodes.push(node);
        Some(end)
    }

    /// An array or object with what is inside, from its bracket on. Most values are neither: they
    /// are not to pay for a call that calls itself.
    #[inline(never)]
    fn nest(&mut self, first: u8, at: usize, depth: usize) -> Option<usize> {
        if depth == DEPTH {
            return None;
        }
        let begun = self.nodes.len();
        self.nodes.push(Node::Null);
        let (node, end) = if first == b'{' {
            let (shape, end) = self.members(at, depth + 1)?;
            (Node::Object(Object::new(shape, self.nodes.len())?), end)
        } else {
            let end = self.elements(at + 1, depth + 1)?;
            (Node::Array(Array::new(self.nodes.len())?), end)
        };
        *self.nodes.get_mut(begun)? = node;
        Some(end)
    }

    /// From the brace on; returns the number of the shape, too.
    #[inline]
    fn members(&mut self, begun: usize, depth: usize) -> Option<(usize, usize)> {
        let mut names = self.names.begin(depth);
        let mut at = begun;
        let end = loop {
            // Mostly the one that the object before had there.
            let name_end = match self.end_of_expected(&names, at, at == begun) {
                Some(end) => {
                    self.names.take(&mut names, 0);
                    end
                }
                None => match self.other_name(&mut names, at, at == begun)? {
                    (end, true) => break end,
                    (end, false) => end,
                },
            };
            at = self.value(name_end, depth)?;
        };
        let texts = Texts {
            text: self.text,
            rewritten: "",
        };
        Some((self.names.end(names, depth, texts)?, end))
    }

    /// Where the expected name ends, with what is around it: a brace or comma before it and a colon
    /// behind it, with a blank after the comma or without.
    #[inline]
    fn end_of_expected(&self, names: &Names, at: usize, is_first: bool) -> Option<usize> {
        let Node::Text(name) = self.names.expected(names, 0)? else {
            return None;
        };
        let name = name.range();
        let known = self.bytes.get(name.start.checked_sub(1)?..name.end + 2)?;
        let expected = if is_first { b'{' } else { b',' };
        if self.bytes.get(at) != Some(&expected) {
            return None;
        }
        let at = at + 1 + usize::from(self.bytes.get(at + 1) == Some(&b' '));
        let is_expected = known.ends_with(b":") && begins(self.bytes.get(at..)?, known);
        is_expected.then_some(at + known.len())
    }

    /// Where a name ends, with what is around it, or, and true, the object.
    fn other_name(
        &mut self,
        names: &mut Names,
        at: usize,
        is_first: bool,
    ) -> Option<(usize, bool)> {
        let (separator, at) = self.next(at)?;
        if separator == b'}' && !is_first {
            return Some((at + 1, true));
        }
        if separator != if is_first { b'{' } else { b',' } {
            return None;
        }
        let (quote, at) = self.next(at + 1)?;
        if quote == b'}' && is_first {
            return Some((at + 1, true));
        }
        if quote != b'"' {
            return None;
        }
        let end = self.name(names, at)?;
        let (colon, at) = self.next(end)?;
        (colon == b':').then_some((at + 1, false))
    }

    /// From its quote on: mostly the one that the object before had there or a little later.
    fn name(&mut self, names: &mut Names, at: usize) -> Option<usize> {
        for others in 0..=1 {
            let Some(Node::Text(name)) = self.names.expected(names, others) else {
                break;
            };
            let name = name.range();
            let known = self.bytes.get(name.start.checked_sub(1)?..=name.end)?;
            if self.bytes.get(at..)?.starts_with(known) {
                self.names.take(names, others);
                return Some(at + known.len());
            }
        }
        let (name, end) = self.string(at)?;
        self.names.add(names, name);
        Some(end)
    }

    #[inline]
    fn elements(&mut self, at: usize, depth: usize) -> Option<usize> {
        if let (b']', at) = self.next(at)? {
            return Some(at + 1);
        }
        let mut at = at;
        loop {
            let end = self.value(at, depth)?;
            match self.next(end)? {
                (b',', comma) => at = comma + 1,
                (b']', end) => return Some(end + 1),
                _ => return None,
            }
        }
    }

    /// From its quote on.
    #[inline]
    fn string(&self, at: usize) -> Option<(Node, usize)> {
        let start = at + 1;
        let end = quote(self.bytes, start)?;
        Some((Node::Text(Span::near(start..end)), end + 1))
    }

    #[inline]
    fn number(&self, at: usize) -> Option<(Node, usize)> {
        let rest = self.bytes.get(at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = digits;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let is_at_end = !rest.get(digits).is_some_and(is_part);
        if !(is_at_end && is_whole(digits, *rest.first()?)) {
            length = rest.iter().take_while(|byte| is_part(byte)).count();
            serde_json::from_slice::<Number>(rest.get(..length)?).ok()?;
        }
        let end = at + length;
        Some((Node::Number(Span::near(at..end)), end))
    }

    fn word(&self, at: usize) -> Option<(Node, usize)> {
        let rest = self.bytes.get(at..)?;
        let words: [(&[u8], _); 3] = [
            (b"true", Node::Bool(true)),
            (b"false", Node::Bool(false)),
            (b"null", Node::Null),
        ];
        let mut words = words.into_iter();
        let (word, node) = words.find(|(word, _)| rest.starts_with(word))?;
        Some((node, at + word.len()))
    }

    /// What comes next that is no blank, and where it is.
    #[inline]
    fn next(&self, mut at: usize) -> Option<(u8, usize)> {
        loop {
            match *self.bytes.get(at)? {
                b' ' => at += 1,
                byte => return Some((byte, at)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::document::{Document, Source};

    /// The document of the short way and the one of the long way; `None` for what is no JSON.
    fn both(text: &str) -> Option<(Option<Value>, Value)> {
        let short = nodes(text).map(|(nodes, shapes)| {
            let source = Source {
                text: text.to_owned(),
                rewritten: String::new(),
                nodes,
                shapes,
            };
            Document::from(source).json().to_value()
        });
        let long: Result<Value, _> = serde_json::from_str(text);
        let Ok(long) = long else {
            assert_eq!(short, None, "{text}");
            return None;
        };
        if let Some(short) = &short {
            assert_eq!(short, &long, "{text}");
        }
        Some((short, long))
    }

    #[test]
    fn plain_texts_go_the_short_way() {
        for text in [
            r#"{"a": [1, {"b": null}], "c": "é", "d": true, "e": {}, "f": []}"#,
            " [ -1 , 0, -0.5, 1e3, 18446744073709551615, -9223372036854775808, 1.5E-3 ] ",
            "\"text\"",
            "false",
            "7",
        ] {
            let (short, long) = both(text).unwrap();
            assert_eq!(short, Some(long), "{text}");
        }
    }

    #[test]
    fn others_are_left_to_the_long_way() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        for text in [r#"{"a":"\n"}"#, "{\n}", "[\t]", &deep, "\"\\u00e9\""] {
            let (short, _) = both(text).unwrap();
            assert_eq!(short, None, "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "[",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\" 1}",
            "[1 2]",
            "01",
            "-",
            "1.",
            "+1",
            "1e",
            "--1",
            "tru",
            "nul",
            "truefalse",
            "\"",
            "{} {}",
            "[}",
            "\"a\u{1}\"",
            "'a'",
        ] {
            assert_eq!(both(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn lists_of_objects_are_read_by_what_went_before(
            objects in prop::collection::vec(
                r#"("(a|b)" ?: ?(1|"x"|\{"a":0\}))?"#,
                0..4,
            ),
            more in prop::collection::vec(
                r#"\{"(a|b|ab)":(1|"x"|\{"a":0\})(,"(a|b|long name)":(2|\[\]) ?){0,3}\}"#,
                0..6,
            ),
        ) {
            let objects = objects.iter().map(|members| format!("{{{members}}}"));
            let objects: Vec<_> = objects.chain(more).collect();
            let read = both(&format!("[{}]", objects.join(",")));
            prop_assert!(matches!(read, Some((Some(_), _))));
        }

        #[test]
        fn the_short_way_never_differs(text in "[\\[\\]{}:,\" 0-9a-ctrufalsn.eE+-]{0,24}") {
            both(&text);
        }

        #[test]
        fn nor_for_what_is_nearly_json(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\":", "1", "-2.5", "true", "null", " ",
                    "{\"x\":1}", "[1,2]", "\"é\"", "\\", "{\"a\":1,\"b\":[]},", ",\"b\":", "{\"a\":",
                ]),
                0..12,
            )
        ) {
            both(&words.concat());
        }
    }
}
