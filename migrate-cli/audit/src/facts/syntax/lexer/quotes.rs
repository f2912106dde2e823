//! Heredocs, and what Perl quotes with `q{…}`.

use super::{Reader, pieces, surroundings};
use crate::facts::syntax::{Role, Text};

/// Maximum length of a quoted text of Perl, in bytes.
const QUOTED: usize = 2048;

/// What opens a heredoc.
struct Opening<'s> {
    /// The line that ends it.
    mark: &'s str,
    /// The mark may be indented.
    is_indented: bool,
    /// How long the opening is, in bytes.
    length: usize,
}

impl Reader<'_> {
    /// Notes a heredoc that opens here: `<<URL`, `<<"URL"`, `<<~URL`. Its body is skipped when the
    /// reader reaches it. False if there is none.
    pub(super) fn heredoc(&mut self) -> bool {
        let Some(opening) = self.source.get(self.at..).and_then(opening) else {
            return false;
        };
        let rest = self.source.get(self.at..).unwrap_or_default();
        let line_length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        if !self.may_search(line_length) {
            return false;
        }
        let line_end = self.at + line_length;
        // The heredocs of a line follow each other.
        let body = self.heredocs.map_or(line_end, |(_, end)| end.max(line_end));
        let mut at = body;
        for line in self
            .source
            .get(body..)
            .unwrap_or_default()
            .split_inclusive('\n')
        {
            let bare = line.trim_end();
            let bare = if opening.is_indented {
                bare.trim_start()
            } else {
                bare
            };
            if bare == opening.mark {
                let value = self.source.get(body..at).unwrap_or_default();
                let mut text = Text::plain("", 0, Role::Value);
                text.pieces = pieces(value, self.offset + body);
                surroundings(self.before(self.at), "", &mut text);
                self.found.texts.extend(text.parts());
                self.at += opening.length;
                self.texts_end = self.at;
                self.heredocs = Some((line_end, at + line.len()));
                return true;
            }
            if !self.may_search(line.len()) {
                return false;
            }
            at += line.len();
        }
        false
    }

    /// Takes bytes of the lookahead; false if it is used up.
    fn may_search(&mut self, bytes: usize) -> bool {
        let left = self.lookahead.checked_sub(bytes);
        self.lookahead = left.unwrap_or_default();
        left.is_some()
    }

    /// Notes what stands in Perl's `q{…}`, `qq{…}` or `qw{…}`. False if there is none.
    pub(super) fn perl_quote(&mut self) -> bool {
        let head = self.source.get(..self.at).unwrap_or_default();
        if head.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '%' | '>'))
        {
            return false;
        }
        let Some((is_list, start, inner)) = self.source.get(self.at..).and_then(perl_quoted) else {
            return false;
        };
        if !self.may_search(inner.len()) {
            return false;
        }
        let start = self.at + start;
        let end = start + inner.len() + 1;
        let words = inner.split(|c: char| is_list && c.is_whitespace());
        let mut at = start;
        for word in words {
            let mut text = Text::plain("", 0, Role::Value);
            text.pieces = pieces(word, self.offset + at);
            let after = self.source.get(end..).unwrap_or_default();
            surroundings(self.before(self.at), after, &mut text);
            if !word.is_empty() {
                self.found.texts.push(text);
            }
            at += word.len() + 1;
        }
        self.at = end;
        self.texts_end = end;
        true
    }
}

fn opening(text: &str) -> Option<Opening<'_>> {
    let rest = text.strip_prefix("<<")?;
    let mark = rest.strip_prefix(['~', '-']).unwrap_or(rest);
    let is_indented = mark.len() < rest.len();
    let in_quotes = ['"', '\'']
        .iter()
        .find_map(|quote| mark.strip_prefix(*quote)?.split_once(*quote));
    let (name, quotes) = if let Some((name, _)) = in_quotes {
        (name, 2)
    } else {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = mark.find(|c| !is_name(c)).unwrap_or(mark.len());
        (mark.get(..end)?, 0)
    };
    let is_mark = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_mark.then_some(Opening {
        mark: name,
        is_indented,
        length: text.len() - mark.len() + name.len() + quotes,
    })
}

/// True for a list of words; where the quoted text starts; the text.
fn perl_quoted(text: &str) -> Option<(bool, usize, &str)> {
    let rest = text.strip_prefix('q')?;
    let open = rest.strip_prefix(['q', 'w']).unwrap_or(rest);
    let close = match open.bytes().next()? {
        b'{' => b'}',
        b'(' => b')',
        b'[' => b']',
        b'|' => b'|',
        _ => return None,
    };
    let inner = open.get(1..)?;
    let is_list = rest.starts_with('w');
    let bytes = inner.as_bytes();
    let end = memchr::memchr(close, bytes.get(..QUOTED).unwrap_or(bytes))?;
    let inner = inner
        .get(..end)
        .filter(|inner| is_list || !inner.contains('\n'))?;
    Some((is_list, text.len() - open.len() + 1, inner))
}
