//! Applies edits to a file and keeps its encoding, line ends and byte order mark.

use std::{borrow::Cow, ops::Range};

use crate::source;

/// A replacement in a file's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edit {
    /// First byte of the replaced range, in the decoded text.
    pub(super) from: usize,
    /// The byte behind the range; equal to `from` for an insertion.
    pub(super) to: usize,
    /// The replacement. It is ASCII, so that every encoding supports it.
    pub(super) with: String,
}

impl Edit {
    pub(super) fn new(range: Range<usize>, with: impl Into<String>) -> Self {
        Self {
            from: range.start,
            to: range.end,
            with: with.into(),
        }
    }
}

/// Applies edits to a text; `None` if two of them overlap, or one is out of range.
pub(super) fn splice_text(text: &str, edits: &[Edit]) -> Option<String> {
    let mut spliced = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for edit in edits {
        spliced.push_str(text.get(done..edit.from)?);
        text.get(edit.from..edit.to)?;
        spliced.push_str(&edit.with);
        done = edit.to;
    }
    spliced.push_str(text.get(done..)?);
    Some(spliced)
}

/// Applies edits to the bytes of a file that decode to `text`; `None` if the result would not
/// decode to the edited text.
pub(super) fn splice_bytes(bytes: &[u8], text: &str, edits: &[Edit]) -> Option<Vec<u8>> {
    let wanted = splice_text(text, edits)?;
    let encoding = Encoding::of(bytes);
    let mut spliced = Vec::with_capacity(bytes.len() + 64);
    let mut done = 0;
    for edit in edits {
        let from = encoding.offset(text, edit.from)?;
        spliced.extend_from_slice(bytes.get(done..from)?);
        spliced.extend(encoding.encode(&edit.with)?.iter());
        done = encoding.offset(text, edit.to)?;
    }
    spliced.extend_from_slice(bytes.get(done..)?);
    (source::decode(&spliced) == wanted).then_some(spliced)
}

/// Encoding of a file, as detected by [`source::decode`].
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    /// One byte per character.
    SingleByte,
    Utf16 {
        little: bool,
        /// Length of the byte order mark, in bytes. It is not part of the text.
        mark: usize,
    },
}

impl Encoding {
    fn of(bytes: &[u8]) -> Self {
        if let Some(wide) = source::wide(bytes) {
            Self::Utf16 {
                little: wide == encoding_rs::UTF_16LE,
                mark: if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
                    2
                } else {
                    0
                },
            }
        } else if std::str::from_utf8(bytes).is_ok() {
            Self::Utf8
        } else {
            Self::SingleByte
        }
    }

    /// The offset in the file of a byte of the text.
    fn offset(self, text: &str, at: usize) -> Option<usize> {
        let head = text.get(..at)?;
        Some(match self {
            Self::Utf8 => at,
            Self::SingleByte => head.chars().count(),
            Self::Utf16 { mark, .. } => mark + 2 * head.encode_utf16().count(),
        })
    }

    fn encode(self, ascii: &str) -> Option<Cow<'_, [u8]>> {
        if !ascii.is_ascii() {
            return None;
        }
        Some(match self {
            Self::Utf8 | Self::SingleByte => Cow::Borrowed(ascii.as_bytes()),
            Self::Utf16 { little, .. } => ascii
                .encode_utf16()
                .flat_map(|unit| {
                    if little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    }
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(from: usize, to: usize, with: &str) -> Edit {
        Edit {
            from,
            to,
            with: with.to_owned(),
        }
    }

    #[test]
    fn refuses_overlapping_edits() {
        assert_eq!(
            splice_text("abcd", &[edit(0, 1, "x"), edit(2, 2, "y")]),
            Some("xbycd".into())
        );
        assert_eq!(
            splice_text("abcd", &[edit(0, 2, "x"), edit(1, 3, "y")]),
            None
        );
        assert_eq!(splice_text("abcd", &[edit(3, 9, "x")]), None);
    }

    proptest! {
        /// The bytes around an edit stay the same in every encoding.
        #[test]
        fn keeps_the_bytes_around_an_edit(
            head in "[a-zé€😀\r\n]{0,12}",
            tail in "[a-zé€😀\r\n]{0,12}",
            kind in 0..4,
        ) {
            let text = format!("{head}OLD{tail}");
            let wide = |text: &str, mark: u16| -> Vec<u8> {
                let order = |unit: u16| if mark == 1 { unit.to_le_bytes() } else { unit.to_be_bytes() };
                text.encode_utf16().flat_map(order).collect()
            };
            let encode = |text: &str| -> Vec<u8> {
                match kind {
                    0 => text.as_bytes().to_vec(),
                    1 => [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
                    2 => [vec![0xff, 0xfe], wide(text, 1)].concat(),
                    _ => [vec![0xfe, 0xff], wide(text, 0)].concat(),
                }
            };
            let bytes = encode(&text);
            let decoded = source::decode(&bytes).into_owned();
            let at = decoded.find("OLD").unwrap();
            let spliced = splice_bytes(&bytes, &decoded, &[edit(at, at + 3, "newer")]).unwrap();
            prop_assert_eq!(spliced, encode(&format!("{head}newer{tail}")));
        }
    }

    #[test]
    fn keeps_single_byte_encodings() {
        let bytes = b"caf\xe9 OLD \xfc";
        let text = source::decode(bytes).into_owned();
        let at = text.find("OLD").unwrap();
        assert_eq!(
            splice_bytes(bytes, &text, &[edit(at, at + 3, "new")]).unwrap(),
            b"caf\xe9 new \xfc"
        );
    }
}
