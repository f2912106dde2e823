//! The strings and numbers of a document.

use serde_json::Number;

use super::node::Node;

/// Texts that nodes point into.
#[derive(Clone, Copy, Default)]
pub(super) struct Texts<'d> {
    /// Received text.
    pub(super) text: &'d str,
    /// Unescaped strings and normalised numbers.
    pub(super) rewritten: &'d str,
}

/// Maximum number of digits that always fits into 64 bits.
const DIGITS: usize = 18;

impl<'d> Texts<'d> {
    /// A string, or the name of a member.
    pub(super) fn text_of(self, node: Node) -> Option<&'d str> {
        match node {
            Node::Text(span) => self.text.get(span.range()),
            Node::RewrittenText(span) => self.rewritten.get(span.range()),
            _ => None,
        }
    }

    /// [`Self::text_of`] without the check for UTF-8 boundaries.
    #[inline]
    pub(super) fn bytes_of(self, node: Node) -> Option<&'d [u8]> {
        match node {
            Node::Text(span) => self.text.as_bytes().get(span.range()),
            Node::RewrittenText(span) => self.rewritten.as_bytes().get(span.range()),
            _ => None,
        }
    }

    /// A number, if it is an integer of 64 bits.
    #[inline]
    pub(super) fn whole_number_of(self, node: Node) -> Option<i64> {
        let written = match node {
            Node::Number(span) => self.text.as_bytes().get(span.range()),
            Node::RewrittenNumber(span) => self.rewritten.as_bytes().get(span.range()),
            _ => None,
        };
        whole(written?).or_else(|| self.number_of(node)?.as_i64())
    }

    /// A number.
    pub(super) fn number_of(self, node: Node) -> Option<Number> {
        match node {
            Node::Number(span) => serde_json::from_str(self.text.get(span.range())?).ok(),
            // `serde_json` does not always parse its own output of a float to the same float.
            Node::RewrittenNumber(span) => {
                let written = self.rewritten.get(span.range())?;
                let signed = written.parse().map(|number: i64| number.into()).ok();
                let unsigned = || written.parse().map(|number: u64| number.into()).ok();
                let float = || Number::from_f64(written.parse().ok()?);
                signed.or_else(unsigned).or_else(float)
            }
            _ => None,
        }
    }
}

/// Fast path for integers in canonical form.
#[inline]
fn whole(text: &[u8]) -> Option<i64> {
    if !is_whole(text.len(), *text.first()?) {
        return None;
    }
    text.iter().try_fold(0, |number, byte| {
        let is_digit = byte.is_ascii_digit();
        is_digit.then(|| number * 10 + i64::from(byte & 0xf))
    })
}

/// True if a text of this many digits, beginning with `first`, is an integer in canonical form that
/// fits into 64 bits.
#[inline]
pub(super) fn is_whole(digits: usize, first: u8) -> bool {
    matches!(digits, 1..=DIGITS) && (first != b'0' || digits == 1)
}
