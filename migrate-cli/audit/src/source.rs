//! Decoding of files, and positions in their text.

use std::{borrow::Cow, cell::Cell};

use encoding_rs::Encoding;

/// Bytes of a file in which UTF-16 without a byte order mark is detected.
const SAMPLE: usize = 512;

/// Decodes a file's bytes.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    decode_as(wide(bytes), bytes)
}

/// Decodes a part of a file. `wide` is the UTF-16 encoding of the file, if it has one.
///
/// Text that is not valid UTF-8 is decoded as Windows-1252, which never fails and keeps the offset
/// of every ASCII byte.
pub(crate) fn decode_as<'b>(wide: Option<&'static Encoding>, bytes: &'b [u8]) -> Cow<'b, str> {
    if let Some(encoding) = wide {
        let body = bytes
            .strip_prefix(&[0xff, 0xfe])
            .or_else(|| bytes.strip_prefix(&[0xfe, 0xff]));
        return encoding
            .decode_without_bom_handling(body.unwrap_or(bytes))
            .0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
        }
    }
}

/// The UTF-16 encoding of a file, detected from its first bytes. Without a byte order mark, every
/// other byte of a program in UTF-16 is null.
pub(crate) fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    if bytes.starts_with(&[0xff, 0xfe]) {
        return Some(encoding_rs::UTF_16LE);
    }
    if bytes.starts_with(&[0xfe, 0xff]) {
        return Some(encoding_rs::UTF_16BE);
    }
    let sample = bytes.get(..bytes.len().min(SAMPLE))?;
    memchr::memchr(0, sample)?;
    let (pairs, _) = sample.as_chunks::<2>();
    let nearly_all = |ascii: fn(&[u8; 2]) -> bool| {
        pairs.len() > 3 && pairs.iter().filter(|pair| ascii(pair)).count() * 10 >= pairs.len() * 9
    };
    if nearly_all(|pair| matches!(pair, [1..=0x7f, 0])) {
        Some(encoding_rs::UTF_16LE)
    } else if nearly_all(|pair| matches!(pair, [0, 1..=0x7f])) {
        Some(encoding_rs::UTF_16BE)
    } else {
        None
    }
}

/// True for minified text: few lines, and very long ones.
pub(crate) fn is_packed(bytes: &[u8]) -> bool {
    /// Size up to which a text is cheap to parse however it is written, in bytes.
    const SMALL: usize = 32 << 10;
    /// Average line length above which a text is not hand-written, in bytes.
    const LINE: usize = 400;
    bytes.len() > SMALL && memchr::memchr_iter(b'\n', bytes).count() * LINE < bytes.len()
}

/// True if the word continues behind `end`: `autocreate` in `autocreated`, but not in `autocreate2`
/// or `autocreateUser`.
pub(crate) fn continues_word(bytes: &[u8], end: usize) -> bool {
    let is_upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    bytes.get(end).is_some_and(u8::is_ascii_lowercase)
        || is_upper(end) && end.checked_sub(1).is_some_and(is_upper)
}

/// True for a byte of an identifier.
pub(crate) fn is_name(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The character boundary at or before an offset.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The character boundary at or behind an offset.
pub(crate) fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// The runs of characters that pass a test, with their offsets.
pub(crate) fn runs(
    text: &str,
    is_part: impl Fn(char) -> bool,
) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(move |letter| !is_part(letter)).map(move |run| {
        let start = at;
        at += run.len();
        let next = text.get(at..).and_then(|rest| rest.chars().next());
        at += next.map_or(0, char::len_utf8);
        (start, run)
    })
}

/// The lines of a text.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The offset of the last query and its column, from 0. Most queries are close to the one
    /// before, and a line can be very long.
    last: Cell<(usize, usize)>,
    /// Offset and number of wide characters before it of the last call of `wide`.
    last_wide: Cell<(usize, usize)>,
}

impl<'a> Lines<'a> {
    /// Splits a text.
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
            last: Cell::default(),
            last_wide: Cell::default(),
        }
    }

    /// The line of a byte offset, from 0.
    pub(crate) fn index(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
    }

    /// The line and column of a byte offset, both from 1; columns count characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let index = self.index(offset);
        let start = self.starts.get(index).copied().unwrap_or_default();
        let (last, column) = self.last.get();
        let (from, column) = if (start..=offset).contains(&last) {
            (last, column)
        } else {
            (start, 0)
        };
        let Some(between) = self.text.get(from..offset) else {
            return (index + 1, column + 1);
        };
        let column = column + between.chars().count();
        self.last.set((offset, column));
        (index + 1, column + 1)
    }

    /// Number of characters before a byte offset on its line that take two UTF-16 units.
    pub(crate) fn wide(&self, offset: usize) -> usize {
        let start = self.starts.get(self.index(offset)).copied();
        let start = start.unwrap_or_default();
        let (last, wide) = self.last_wide.get();
        let (from, wide) = if (start..=offset).contains(&last) {
            (last, wide)
        } else {
            (start, 0)
        };
        let between = self.text.get(from..offset).unwrap_or_default();
        let letters = between.chars();
        let wide = wide + letters.filter(|letter| letter.len_utf16() == 2).count();
        self.last_wide.set((offset, wide));
        wide
    }

    /// The byte offset of a line and a column, both from 1.
    pub(crate) fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let rest = self.text.get(start..)?;
        let (at, _) = rest.char_indices().nth(column.checked_sub(1)?)?;
        Some(start + at)
    }

    /// A line by its index from 0, without the line end; empty if there is no such line.
    pub(crate) fn line(&self, index: usize) -> &'a str {
        let start = self.starts.get(index).copied();
        let rest = start.and_then(|start| self.text.get(start..));
        let line = rest.unwrap_or_default().split('\n').next();
        line.unwrap_or_default().trim_end_matches('\r')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let lines = Lines::new("a\nüb\r\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(4), (2, 2));
        assert_eq!(lines.offset(2, 2), Some(4));
        assert_eq!(lines.offset(3, 9), None);
        assert_eq!(lines.position(5), (2, 3));
        assert_eq!(lines.position(2), (2, 1));
        assert_eq!(lines.position(5), (2, 3));
        assert_eq!(lines.position(1), (1, 2));
        assert_eq!(lines.line(1), "üb");
        assert_eq!(lines.line(7), "");
    }

    #[test]
    fn detects_minified_text() {
        assert!(is_packed("f(a,b);".repeat(10_000).as_bytes()));
        assert!(!is_packed("f(a,b);\n".repeat(10_000).as_bytes()));
        assert!(!is_packed("f(a,b);".repeat(100).as_bytes()));
    }

    #[test]
    fn decodes_utf16_and_single_byte_text() {
        assert_eq!(decode(b"\xff\xfea\0b\0"), "ab");
        assert_eq!(decode(b"\xfe\xff\0a\0b"), "ab");
        assert_eq!(decode(b"x\0=\0'\0a\0'\0"), "x='a'");
        assert_eq!(decode(b"\0x\0=\0'\0a\0'"), "x='a'");
        assert_eq!(wide(b"\0\0\0\x01\0\0\0\x02\0\0"), None);
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode("grüß".as_bytes()), "grüß");
    }
}
