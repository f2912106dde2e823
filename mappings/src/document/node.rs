//! What a value of a document is, and where it stands: 8 bytes each.
//!
//! A list of users is thousands of values. Written down and read again they cost less the fewer
//! cache lines they take, so numbers are packed to bytes.

use std::ops::Range;

/// A value of a document.
#[derive(Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// As it stands in the text.
    Number(Span),
    /// As it stands in the rewritten texts.
    RewrittenNumber(Span),
    /// In the text, between its quotes.
    Text(Span),
    /// In the rewritten texts.
    RewrittenText(Span),
    Array(Array),
    Object(Object),
}

const _: () = assert!(size_of::<Node>() == 8);

/// A stretch of one of the texts.
#[derive(Clone, Copy)]
pub(super) struct Span {
    length: [u8; 3],
    start: [u8; 4],
}

/// An array, whose elements follow it.
#[derive(Clone, Copy)]
pub(super) struct Array {
    end: [u8; 4],
}

/// An object, whose values follow it.
#[derive(Clone, Copy)]
pub(super) struct Object {
    shape: [u8; 3],
    end: [u8; 4],
}

impl Span {
    /// What ends up to here is near.
    pub(super) const NEAR: usize = 0xff_ffff;

    /// A near stretch, whose numbers need no look.
    #[inline]
    pub(super) fn near(range: Range<usize>) -> Self {
        debug_assert!(range.end <= Self::NEAR);
        let [a, b, c, ..] = range.len().to_le_bytes();
        let length = [a, b, c];
        let [a, b, c, ..] = range.start.to_le_bytes();
        let start = [a, b, c, 0];
        Self { length, start }
    }

    /// `None` for what is longer than 16 MiB, or begins beyond 4 GiB.
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

    /// The number of the first node behind it.
    #[inline]
    pub(super) fn end(self) -> usize {
        u32::from_le_bytes(self.end) as usize
    }
}

impl Object {
    /// `None` if it ends beyond 4 billion values, or its shape is one too many.
    pub(super) fn new(shape: usize, end: usize) -> Option<Self> {
        Some(Self {
            shape: bytes_of_24(shape)?,
            end: u32::try_from(end).ok()?.to_le_bytes(),
        })
    }

    /// The number of its shape.
    #[inline]
    pub(super) fn shape(self) -> usize {
        of_24(self.shape)
    }

    /// The number of the first node behind it.
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
    fn numbers_are_kept_up_to_their_limits() {
        for (start, length) in [(0, 0), (7, 300), (0xffff_ffff, 0xff_ffff)] {
            let range = start..start + length;
            assert_eq!(Span::new(range.clone()).unwrap().range(), range);
        }
        let near = Span::NEAR - 300..Span::NEAR;
        assert_eq!(Span::near(near.clone()).range(), near);
        assert!(Span::new(0..1 << 24).is_none());
        assert!(Span::new(1 << 32..1 << 32).is_none());
        let object = Object::new(0xff_ffff, 0xffff_ffff).unwrap();
        assert_eq!((object.shape(), object.end()), (0xff_ffff, 0xffff_ffff));
        assert!(Object::new(1 << 24, 0).is_none());
        assert_eq!(Array::new(70_000).unwrap().end(), 70_000);
    }
}
