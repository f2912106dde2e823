//! A file's text, whatever its encoding, and where its lines are.

use std::borrow::Cow;

/// Decodes a file's bytes.
///
/// UTF-16 is read by its byte order mark; what is not valid UTF-8 is taken for Windows-1252, which
/// keeps every ASCII byte in its place, and no byte can fail.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes)
        && encoding != encoding_rs::UTF_8
    {
        let body = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(body).0;
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

/// True if the bytes open with a byte order mark of UTF-16, which a search for ASCII cannot see
/// into.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// The lines of a text.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines.
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
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
        let before = self.text.get(start..offset).unwrap_or_default();
        (index + 1, before.chars().count() + 1)
    }

    /// How many characters of two UTF-16 units stand before a byte offset on its line.
    pub(crate) fn wide(&self, offset: usize) -> usize {
        let start = self.starts.get(self.index(offset)).copied();
        let before = self.text.get(start.unwrap_or_default()..offset);
        before
            .unwrap_or_default()
            .chars()
            .filter(|letter| letter.len_utf16() == 2)
            .count()
    }

    /// The byte offset of a line and a column, both from 1.
    pub(crate) fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let rest = self.text.get(start..)?;
        let (at, _) = rest.char_indices().nth(column.checked_sub(1)?)?;
        Some(start + at)
    }

    /// A line without its end, by its index from 0; empty if there is none.
    pub(crate) fn line(&self, index: usize) -> &'a str {
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let end = self
            .starts
            .get(index + 1)
            .copied()
            .unwrap_or(self.text.len());
        self.text
            .get(start..end)
            .unwrap_or_default()
            .trim_end_matches(['\n', '\r'])
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
        assert_eq!(lines.line(1), "üb");
        assert_eq!(lines.line(7), "");
    }

    #[test]
    fn utf16_and_single_byte_text_are_read() {
        assert_eq!(decode(b"\xff\xfea\0b\0"), "ab");
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode("grüß".as_bytes()), "grüß");
    }
}
