//! Scans code without a grammar for quotes, comments and the code before a quote, and for heredocs,
//! templates and, in languages like Tcl, words without quotes.

mod quotes;
mod templates;
mod variables;
mod words;

use crate::language::Lexis;
use crate::{
    facts::syntax::{Extract, Piece, Role, Text, Usage},
    names::{last_identifier, names_credential},
    source::ceil,
};

/// Bytes before a string in which its callee or name is searched.
const BEFORE: usize = 120;

/// Bytes of a file that are searched for the ends of heredocs and quotes in all. Without a limit,
/// openings without an end take quadratic time.
const LOOKAHEAD: usize = 32 << 20;

/// Scans a text that starts at `offset` in its file. Without a lexis, it is markup.
pub(super) fn extract(lexis: Option<Lexis>, source: &str, offset: usize) -> Extract {
    let mut reader = Reader {
        source,
        offset,
        lexis,
        at: 0,
        found: Extract::default(),
        texts_end: 0,
        heredocs: None,
        lookahead: LOOKAHEAD,
    };
    reader.run();
    variables::add_takers(source, offset, &mut reader.found.texts);
    reader.found
}

struct Reader<'s> {
    source: &'s str,
    offset: usize,
    lexis: Option<Lexis>,
    at: usize,
    found: Extract,
    /// End of the last string, to join `"a" + "b"`.
    texts_end: usize,
    /// Where the bodies of the heredocs that a line opened start and end.
    heredocs: Option<(usize, usize)>,
    /// Bytes that may still be searched for the ends of heredocs and quotes.
    lookahead: usize,
}

impl<'s> Reader<'s> {
    fn run(&mut self) {
        let bytes = self.source.as_bytes();
        // Start of the text between strings, for markup with unquoted values.
        let mut plain = 0;
        while let Some(byte) = bytes.get(self.at).copied() {
            if let Some((_, end)) = self.heredocs.take_if(|(start, _)| *start == self.at) {
                self.at = end;
                continue;
            }
            let is_noted = match self.lexis {
                Some(Lexis::Hash) => {
                    byte == b'<' && self.heredoc() || byte == b'q' && self.perl_quote()
                }
                Some(Lexis::Words) => self.word(),
                _ => false,
            };
            if is_noted {
                continue;
            }
            if let Some(end) = self.comment_end() {
                self.plain(plain, self.at);
                let comment = self.source.get(self.at..end).unwrap_or_default();
                self.found
                    .texts
                    .push(Text::plain(comment, self.offset + self.at, Role::Comment));
                self.at = end;
                plain = end;
                continue;
            }
            if matches!(byte, b'"' | b'\'' | b'`') && self.opens_string(byte) {
                let start = self.at;
                if let Some(end) = self.string_end(byte) {
                    self.plain(plain, start);
                    self.at = self.string(start, end, byte);
                    plain = self.at;
                    continue;
                }
            }
            self.at += 1;
        }
        self.plain(plain, bytes.len());
    }

    fn rest(&self) -> &[u8] {
        self.source.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn comment_end(&self) -> Option<usize> {
        let rest = self.rest();
        let to = |needle: &[u8]| {
            let found = rest
                .windows(needle.len())
                .position(|window| window == needle)
                .map_or(rest.len(), |at| at + needle.len());
            Some(self.at + found)
        };
        let line = || {
            let found = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len());
            Some(self.at + found)
        };
        let after_blank = self.at == 0
            || self.source.as_bytes().get(self.at - 1).is_some_and(|byte| {
                byte.is_ascii_whitespace() || matches!(byte, b';' | b'}' | b'{' | b')' | b',')
            });
        match (self.lexis, rest) {
            (None, [b'<', b'!', b'-', b'-', ..]) => to(b"-->"),
            (None, [b'<', b'%', b'#' | b'-', ..]) if rest.get(2) == Some(&b'#') => to(b"%>"),
            (None | Some(Lexis::Slashes), [b'/', b'*', ..]) => rest.get(2..).map(|body| {
                let end = body
                    .windows(2)
                    .position(|w| w == b"*/")
                    .map_or(rest.len(), |at| at + 4);
                self.at + end
            }),
            (None | Some(Lexis::Slashes), [b'/', b'/', ..])
            | (Some(Lexis::Hash | Lexis::Words), [b'#', ..])
                if after_blank =>
            {
                line()
            }
            (Some(Lexis::Dashes), [b'-', b'-', ..])
            | (Some(Lexis::Quote), [b'\'', ..])
            | (Some(Lexis::Semicolon), [b';', ..])
            | (Some(Lexis::Percent), [b'%', ..]) => line(),
            _ => None,
        }
    }

    /// An apostrophe within a word does not start a string.
    fn opens_string(&self, quote: u8) -> bool {
        let before = self
            .at
            .checked_sub(1)
            .and_then(|at| self.source.as_bytes().get(at));
        quote == b'"' || !before.is_some_and(u8::is_ascii_alphanumeric)
    }

    fn string_end(&self, quote: u8) -> Option<usize> {
        let rest = self.rest();
        let triple = rest.starts_with(&[quote, quote, quote]);
        let width = if triple { 3 } else { 1 };
        let mut at = width;
        while let Some(byte) = rest.get(at).copied() {
            if byte == b'\\' {
                at += 2;
            } else if byte == quote
                && (!triple || rest.get(at..at + 3) == Some([quote, quote, quote].as_slice()))
            {
                return Some(self.at + at + width);
            } else if byte == b'\n' && !triple && quote != b'`' {
                return None;
            } else {
                at += 1;
            }
        }
        None
    }

    /// Notes a string. Gives where it ends, with the values of a template.
    fn string(&mut self, start: usize, end: usize, quote: u8) -> usize {
        let text = self.source.get(start..end).unwrap_or_default();
        let width = if text.len() >= 6 && text.bytes().take(3).all(|byte| byte == quote) {
            3
        } else {
            1
        };
        let inner = text.get(width..text.len() - width).unwrap_or_default();
        let before = self.before(start).to_owned();
        let before = before.as_str();
        let inside = self.offset + start + width;
        let filled = self.filled(inner, inside, before, end);
        let (pieces, end) = filled.unwrap_or_else(|| (pieces(inner, inside), end));
        // `"a" + "b"` and `"a" . "b"` are one text.
        let joins = before.trim_end();
        if joins.len() < 8
            && matches!(joins.trim(), "+" | "." | "&" | "<>" | ".." | "++" | "~")
            && let Some(last) = self.found.texts.last_mut()
            && last.role == Role::Value
        {
            last.pieces.extend(pieces);
            self.texts_end = end;
            return end;
        }
        let mut found = Text::new(Role::Value, pieces);
        surroundings(
            // `base <> "/user/list"` concatenates in Elixir, but compares in BASIC and SQL.
            match self.lexis {
                Some(Lexis::Hash) => before.trim_end().trim_end_matches("<>"),
                _ => before,
            },
            self.source.get(end..).unwrap_or_default(),
            &mut found,
        );
        if found.callee.is_none()
            && found.target.is_none()
            && let Some(variable) = variables::chosen_into(self.line_before(start))
        {
            // The colon of `old ? "user/list" : path` does not make a key.
            found.usage = Usage::Plain;
            found.target = Some(variable);
        }
        if let Some(hole) = joined_name(before) {
            found.pieces.insert(0, Piece::Hole(hole.to_owned()));
        }
        if names_credential(inner) {
            self.found
                .functions
                .entry(String::new())
                .or_default()
                .credentials = true;
        }
        self.found.texts.extend(found.parts());
        self.texts_end = end;
        end
    }

    /// The code between the last string and this one, at most [`BEFORE`] bytes.
    fn before(&self, start: usize) -> &'s str {
        let from = ceil(
            self.source,
            start.saturating_sub(BEFORE).max(self.texts_end),
        );
        self.source.get(from..start).unwrap_or_default()
    }

    /// The start of the line of a string, at most [`BEFORE`] bytes.
    fn line_before(&self, start: usize) -> &'s str {
        let from = ceil(self.source, start.saturating_sub(BEFORE));
        let head = self.source.get(from..start).unwrap_or_default();
        head.rsplit('\n').next().unwrap_or_default()
    }

    /// Adds the unquoted text of a page. A URL in it is prose.
    fn plain(&mut self, from: usize, to: usize) {
        if self.lexis.is_some() {
            return;
        }
        let text = self.source.get(from..to).unwrap_or_default();
        if text.contains("zoom") {
            self.found
                .texts
                .push(Text::plain(text, self.offset + from, Role::Prose));
        }
    }
}

/// Splits `${x}`, `#{x}`, `{x}` and `$x` off a string.
fn pieces(inner: &str, at: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut rest = 0;
    while let Some(found) = inner.get(rest..).and_then(|text| text.find(['{', '$'])) {
        let open = rest + found;
        let Some((name, end)) = placeholder(inner, open) else {
            rest = open + 1;
            continue;
        };
        let lead = usize::from(inner.get(..open).is_some_and(|head| head.ends_with('#')));
        if open - lead > start {
            push(inner, start, open - lead, at, &mut pieces);
        }
        pieces.push(Piece::Hole(last_identifier(name).to_owned()));
        start = end;
        rest = end;
    }
    push(inner, start, inner.len(), at, &mut pieces);
    pieces
}

/// The name in a placeholder at `open`, and the offset behind the placeholder.
fn placeholder(inner: &str, open: usize) -> Option<(&str, usize)> {
    /// Maximum length of a name in braces, in bytes.
    const LONGEST: usize = 120;
    let text = inner.get(open..)?;
    let body = text.strip_prefix('$').unwrap_or(text);
    let dollar = text.len() - body.len();
    if let Some(braced) = body.strip_prefix('{') {
        let close = braced.bytes().take(LONGEST).position(|byte| byte == b'}')?;
        return Some((braced.get(..close)?, open + dollar + close + 2));
    }
    let length = body
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let named = dollar == 1 && body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    // `$settings->{host}` of Perl
    let member = body.get(length..)?.strip_prefix("->{");
    let member =
        member.and_then(|member| Some((member, member.find('}').filter(|at| *at < LONGEST)?)));
    if let Some((member, close)) = member.filter(|_| named) {
        let name = member.get(..close)?;
        return Some((
            name,
            open + dollar + length + "->{".len() + close + "}".len(),
        ));
    }
    named.then_some((body.get(..length)?, open + dollar + length))
}

fn push(inner: &str, from: usize, to: usize, at: usize, pieces: &mut Vec<Piece>) {
    if let Some(value) = inner.get(from..to)
        && !value.is_empty()
    {
        pieces.push(Piece::Text {
            value: value.to_owned(),
            at: at + from,
        });
    }
}

/// The name that a string is concatenated with: `BASE + ` before it.
fn joined_name(before: &str) -> Option<&str> {
    let trimmed = before.trim_end();
    let head = trimmed
        .strip_suffix("<>")
        .or_else(|| trimmed.strip_suffix(['+', '.', '&', '~']))?
        .trim_end();
    let name = last_identifier(head);
    (head.ends_with(name) && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()))
        .then_some(name)
}

fn surroundings(before: &str, after: &str, text: &mut Text) {
    let trimmed = before.trim_end();
    let after = after.trim_start();
    if let Some(head) = trimmed.strip_suffix('(') {
        text.callee = Some(callee(head));
        text.element = None;
    } else if trimmed.ends_with("==") || trimmed.ends_with("!=") || trimmed.ends_with("<>") {
        text.usage = Usage::Compared;
    } else if let Some(head) = trimmed
        .strip_suffix(":=")
        .or_else(|| trimmed.strip_suffix("=>"))
        .or_else(|| trimmed.strip_suffix(['=', ':']))
    {
        // `Dim data As String =`
        let head = head.split(" As ").next().unwrap_or_default();
        let name = last_identifier(head);
        if !name.is_empty() {
            text.target = Some(name.to_owned());
        }
    } else if let Some((_, name)) = trimmed.rsplit_once("#define ") {
        text.target = Some(name.trim().to_owned());
    } else if trimmed.ends_with("case") || trimmed.ends_with("when") {
        text.usage = Usage::Case;
    } else if let Some(at) = trimmed.rfind('(')
        && !trimmed.get(at..).unwrap_or_default().contains(')')
    {
        text.callee = Some(callee(trimmed.get(..at).unwrap_or_default()));
    }
    if after.starts_with("=>")
        || (after.starts_with(':') && text.target.is_none() && text.callee.is_none())
    {
        text.usage = Usage::Key;
    }
}

fn callee(head: &str) -> String {
    let is_part = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '.' | '$' | '>' | '-' | ':' | '@')
    };
    let start = head.trim_end_matches(is_part).len();
    head.get(start..).unwrap_or_default().to_owned()
}
