//! Short texts, looked at eight bytes at a time in one register: they are too short for a search that
//! has to be called.

use memchr::memchr;

/// Texts up to so many bytes are short.
const SHORT: usize = 32;

/// True if a text begins with another one.
#[inline]
pub(super) fn begins(text: &[u8], with: &[u8]) -> bool {
    let Some(text) = text.get(..with.len()) else {
        return false;
    };
    match (text.last_chunk::<8>(), with.last_chunk::<8>()) {
        (Some(last), Some(with_last)) if last == with_last => {
            let mut words = text.chunks_exact(8).zip(with.chunks_exact(8));
            words.all(|(word, with)| word == with)
        }
        (None, None) => text == with,
        _ => false,
    }
}

/// Where the next quote is.
#[inline]
pub(super) fn quote(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some((words, [])) = text.get(at..at + 16).map(<[u8]>::as_chunks::<8>)
        && let [first, second] = words
        && at < from + SHORT
    {
        let (first, second) = (quotes(*first), quotes(*second));
        if first | second != 0 {
            let (place, quotes) = if first == 0 { (8, second) } else { (0, first) };
            return Some(at + place + quotes.trailing_zeros() as usize / 8);
        }
        at += 16;
    }
    Some(at + memchr(b'"', text.get(at..)?)?)
}

/// The lowest bit that is set is in the first byte that is a quote.
#[inline]
fn quotes(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    // A byte that was a quote is zero now, and the first zero is the lowest byte that borrows.
    let bytes = u64::from_le_bytes(word) ^ QUOTES;
    bytes.wrapping_sub(ONES) & !bytes & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_a_text_begins_with_is_known_whatever_its_length() {
        let text = b"0123456789abcdefghijklmnopqrstuvwxyz";
        for length in 0..text.len() {
            assert!(begins(text, &text[..length]));
            for other in 0..length {
                let mut with = text[..length].to_vec();
                with[other] = b'!';
                assert!(!begins(text, &with), "{length} {other}");
            }
        }
        assert!(!begins(b"abc", b"abcd"));
    }
}
