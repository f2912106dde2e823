//! Values of a document: type and position, in 8 bytes.
//!
//! A list of users has thousands of values, so they are packed to touch few cache lines.

use std::ops::Range;

/// Value of a document.
#[derive(Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// Slice of the received text.
    Number(Span),
    /// Slice of the rewritten texts.
    RewrittenNumber(Span),
    /// String in the received text, without quotes.
    Text(Span),
    /// String in the rewritten texts.
    RewrittenText(Span),
    Array(Array),
    Object(Object),
}

const _: () = assert!(size_of::<Node>() == 8);

/// Byte range in one of the texts.
#[derive(Clone, Copy)]
pub(super) struct Span {
    length: [u8; 3],
    start: [u8; 4],
}

/// Array; its elements are the following nodes.
#[derive(Clone, Copy)]
pub(super) struct Array {
    end: [u8; 4],
}

/// Object; its values are the following nodes.
#[derive(Clone, Copy)]
pub(super) struct Object {
    shape: [u8; 3],
    end: [u8; 4],
}

impl Span {
    /// `None` if it is longer than 16 MiB or begins beyond 4 GiB.
    #[inline]
    pub(super) fn new(range: Range<usize>) -> Option<Self> {
        Some(Self {
            length: bytes_of_24(range.len())?,
            start: u32::try_from(range.start).ok()?.to_le_bytes(),
        })
    }

    #[inline]
    pub(super) fn range(self) -> Range<usize> {
        let start = u32::from_le_bytes(self.start) as usize;
        start..start + of_24(self.length)
    }
}

impl Array {
    /// `None` if it ends beyond 4 billion values.
    pub(super) fn new(end: usize) -> Option<Self> {
        let end = u32::try_from(end).ok()?.to_le_bytes();
        Some(Self { end })
    }

    /// Index of the first node after it.
    #[inline]
    pub(super) fn end(self) -> usize {
        u32::from_le_bytes(self.end) as usize
    }
}

impl Object {
    /// `None` if it ends beyond 4 billion values or the shape does not fit into 24 bits.
    pub(super) fn new(shape: usize, end: usize) -> Option<Self> {
        Some(Self {
            shape: bytes_of_24(shape)?,
            end: u32::try_from(end).ok()?.to_le_bytes(),
        })
    }

    /// Index of its shape.
    #[inline]
    pub(super) fn shape(self) -> usize {
        of_24(self.shape)
    }

    /// Index of the first node after it.
    #[inline]
    pub(super) fn end(self) -> usize {
        u32::from_le_bytes(self.end) as usize
    }
}

#[inline]
fn bytes_of_24(number: usize) -> Option<[u8; 3]> {
    let [a, b, c, 0] = u32::try_from(number).ok()?.to_le_bytes() else {
        return None;
    };
    Some([a, b, c])
}

#[inline]
fn of_24([a, b, c]: [u8; 3]) -> usize {
    u32::from_le_bytes([a, b, c, 0]) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_numbers_up_to_their_limits() {
        for (start, length) in [(0, 0), (7, 300), (0xffff_ffff, 0xff_ffff)] {
            let range = start..start + length;
            assert_eq!(Span::new(range.clone()).unwrap().range(), range);
        }
        assert!(Span::new(0..1 << 24).is_none());
        assert!(Span::new(1 << 32..1 << 32).is_none());
        let object = Object::new(0xff_ffff, 0xffff_ffff).unwrap();
        assert_eq!((object.shape(), object.end()), (0xff_ffff, 0xffff_ffff));
        assert!(Object::new(1 << 24, 0).is_none());
        assert_eq!(Array::new(70_000).unwrap().end(), 70_000);
    }
}
