//! The short way to read a document, for texts in which nothing is hidden.
//!
//! v2's answers are one line without escapes, nearly always. In such a text a string ends at the next
//! quote and a space is the only white space, so reading it takes a third of the time that a parser
//! for all of JSON takes. What is not such a text, or no JSON, or unusual otherwise, is left to
//! `serde_json`: this way has no opinion of its own.

use memchr::memchr;
use serde_json::{Number, Value};

use super::{BYTES_PER_NODE, Node, Span};

/// Nested deeper it is unusual.
const DEPTH: u32 = 64;

/// Texts up to so many bytes are short.
const NEAR: usize = 32;

/// More digits may be too many for 64 bits.
const DIGITS: usize = 18;

/// What stands where in a text; `None` if the long way has to tell.
pub(super) fn nodes(text: &str) -> Option<Vec<Node>> {
    let bytes = text.as_bytes();
    u32::try_from(bytes.len()).ok()?;
    if bytes.chunks(CHUNK).any(hides_something) {
        return None;
    }
    let mut reader = Reader {
        bytes,
        at: 0,
        nodes: Vec::with_capacity(bytes.len() / BYTES_PER_NODE),
    };
    reader.value(DEPTH)?;
    (reader.next().is_none()).then_some(reader.nodes)
}

/// Looked at together, without a branch for each byte.
const CHUNK: usize = 256;

fn hides_something(chunk: &[u8]) -> bool {
    let least = chunk.iter().fold(u8::MAX, |least, byte| least.min(*byte));
    least < b' ' || memchr(b'\\', chunk).is_some()
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    #[inline]
    fn value(&mut self, depth: u32) -> Option<()> {
        match self.next()? {
            b'"' => self.string(),
            b'{' | b'[' => self.nest(depth),
            b't' => self.word(b"true", Node::Bool(true)),
            b'f' => self.word(b"false", Node::Bool(false)),
            b'n' => self.word(b"null", Node::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    /// Notes an array or object with what is inside. Most values are neither: they are not to pay
    /// for a call that calls itself.
    #[inline(never)]
    fn nest(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let begun = self.nodes.len();
        self.nodes.push(Node::Null);
        let is_object = self.is_next(b'{');
        if is_object {
            self.members(depth)?;
        } else {
            self.at += 1;
            self.elements(depth)?;
        }
        let end = u32::try_from(self.nodes.len()).ok()?;
        *self.nodes.get_mut(begun)? = if is_object {
            Node::Object { end }
        } else {
            Node::Array { end }
        };
        Some(())
    }

    #[inline]
    fn members(&mut self, depth: u32) -> Option<()> {
        if self.is_next(b'}') {
            return Some(());
        }
        loop {
            if self.next()? != b'"' {
                return None;
            }
            self.string()?;
            if !self.is_next(b':') {
                return None;
            }
            self.value(depth)?;
            if !self.is_next(b',') {
                return self.is_next(b'}').then_some(());
            }
        }
    }

    #[inline]
    fn elements(&mut self, depth: u32) -> Option<()> {
        if self.is_next(b']') {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if !self.is_next(b',') {
                return self.is_next(b']').then_some(());
            }
        }
    }

    /// From its quote on.
    #[inline]
    fn string(&mut self) -> Option<()> {
        let start = self.at + 1;
        let end = quote(self.bytes, start)?;
        self.at = end + 1;
        self.nodes.push(Node::Text(Span {
            start: u32::try_from(start).ok()?,
            length: u32::try_from(end - start).ok()?,
        }));
        Some(())
    }

    #[inline]
    fn word(&mut self, word: &[u8], node: Node) -> Option<()> {
        if !self.bytes.get(self.at..)?.starts_with(word) {
            return None;
        }
        self.at += word.len();
        self.nodes.push(node);
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().position(|byte| !is_part(byte));
        let text = rest.get(..length.unwrap_or(rest.len()))?;
        self.at += text.len();
        self.nodes.push(match whole(text) {
            Some(number) => Node::Int(number),
            None => any(&serde_json::from_slice(text).ok()?)?,
        });
        Some(())
    }

    /// Passes over blanks to what comes next.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Passes over the byte if it comes next.
    #[inline]
    fn is_next(&mut self, byte: u8) -> bool {
        let is_next = self.next() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }
}

/// Where the next quote is. Most texts are too short for a search that has to be called: their bytes
/// are compared eight at a time.
#[inline]
fn quote(text: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    let mut at = from;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk)
        && at < from + NEAR
    {
        // A byte that was a quote is zero now, and the first zero is the lowest byte that borrows.
        let bytes = u64::from_le_bytes(*word) ^ QUOTES;
        let zeros = bytes.wrapping_sub(ONES) & !bytes & (ONES << 7);
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += word.len();
    }
    Some(at + memchr(b'"', text.get(at..)?)?)
}

/// A whole number as nearly all are: not too long, and without a sign.
fn whole(text: &[u8]) -> Option<i64> {
    let leads_with_zero = text.first() == Some(&b'0') && text.len() > 1;
    if leads_with_zero || text.len() > DIGITS {
        return None;
    }
    text.iter().try_fold(0, |number: i64, byte| {
        let is_digit = byte.is_ascii_digit();
        is_digit.then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn any(number: &Value) -> Option<Node> {
    let number = number.as_number()?;
    let whole = number.as_i64().map(Node::Int);
    let large = || number.as_u64().map(Node::Large);
    whole
        .or_else(large)
        .or_else(|| Number::as_f64(number).map(Node::Float))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::{Document, Source};

    /// The document of the short way and the one of the long way; `None` for what is no JSON.
    fn both(text: &str) -> Option<(Option<Value>, Value)> {
        let short = nodes(text).map(|nodes| {
            let source = Source {
                text: text.to_owned(),
                unescaped: String::new(),
                nodes,
            };
            Document::from(source).json().to_value()
        });
        let long: Result<Value, _> = serde_json::from_str(text);
        let Ok(long) = long else {
            assert_eq!(short, None, "{text}");
            return None;
        };
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
    fn a_quote_is_found_wherever_it_is() {
        for length in 0..70 {
            let text = "é!#".repeat(30);
            let text: String = text.chars().take(length).collect();
            let (quoted, ended) = (format!("{text}\"\"!"), format!("{text}\""));
            for text_with_quotes in [quoted, ended] {
                assert_eq!(quote(text_with_quotes.as_bytes(), 0), Some(text.len()));
            }
            assert_eq!(quote(text.as_bytes(), 0), None);
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
        fn the_short_way_never_differs(text in "[\\[\\]{}:,\" 0-9a-ctrufalsn.eE+-]{0,24}") {
            both(&text);
        }

        #[test]
        fn nor_for_what_is_nearly_json(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\":", "1", "-2.5", "true", "null", " ",
                    "{\"x\":1}", "[1,2]", "\"é\"", "\\",
                ]),
                0..12,
            )
        ) {
            if let Some((Some(short), long)) = both(&words.concat()) {
                prop_assert_eq!(short, long);
            }
        }
    }
}
