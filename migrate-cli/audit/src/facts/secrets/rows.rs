//! Rows of a table whose cells name a credential, hold it, and say zoom:
//! `INSERT INTO settings VALUES (7, 'secret1', '…', 'zoom')`.

use std::collections::BTreeMap;

use memchr::memmem;

use crate::{
    language::{Format, Language},
    names::{contains_zoom, names_credential, split_words},
    rules::{Words, has},
};

/// Maximum number of words in a cell that names a credential or says zoom.
const WORDS: usize = 3;

/// A cell without its quotes, and its offset in the line.
type Cell<'s> = (usize, &'s str);

/// The credentials in the rows of a file.
pub(super) struct Rows<'s> {
    /// The cell with the name, by the offset of the value.
    names: BTreeMap<usize, &'s str>,
}

impl<'s> Rows<'s> {
    /// Collects the credentials. A row stands on one line.
    pub(super) fn of(source: &'s str, language: Language, words: &Words) -> Self {
        // Delimiters of rows without parentheses: in CSV and in dumps of PostgreSQL.
        let delimiters: &[char] = match language {
            Language::Data(Format::Sql) => &['\t'],
            Language::Data(Format::Other) => &[',', ';', '\t'],
            _ => &[],
        };
        let mut rows = Self {
            names: BTreeMap::new(),
        };
        let mut at = 0;
        for line in source.split_inclusive('\n') {
            if contains_zoom(line) {
                rows.add_tuples(line, at, words);
                if !delimiters.is_empty() {
                    rows.add(&split(line, delimiters), at, words);
                }
            }
            at += line.len();
        }
        rows
    }

    /// The name of the credential at an offset.
    pub(super) fn name(&self, at: usize) -> Option<&'s str> {
        self.names.get(&at).copied()
    }

    /// Adds the tuples of the line at `at`: behind `VALUES`, behind another tuple, or at the start of the
    /// line.
    fn add_tuples(&mut self, line: &'s str, at: usize, words: &Words) {
        let lower = line.to_ascii_lowercase();
        let values = memmem::find_iter(lower.as_bytes(), "values");
        let mut values = values.map(|at| at + "values".len()).peekable();
        let mut next = Some(0);
        while let Some(from) = next {
            let Some(start) = opening(line, from) else {
                while values.next_if(|at| *at <= from).is_some() {}
                next = values.next();
                continue;
            };
            // The rest of the line is no row if the tuple has no end.
            let Some((cells, end)) = tuple(line, start) else {
                return;
            };
            self.add(&cells, at, words);
            next = Some(end);
        }
    }

    /// Adds the credential of a row that says zoom, on the line at `line`: the cell behind its name. Words such as
    /// `string` may stand between them.
    fn add(&mut self, cells: &[Cell<'s>], line: usize, words: &Words) {
        let has_cell = |is_kind: &dyn Fn(&str) -> bool| cells.iter().any(|(_, cell)| is_kind(cell));
        if !has_cell(&says_zoom) || has_cell(&|cell| names_scaled(cell, words)) {
            return;
        }
        let mut name = None;
        for (at, cell) in cells {
            if names_secret(cell, words) {
                name.get_or_insert(*cell);
            } else if !says_zoom(cell)
                && !has(&words.value_words, &cell.to_ascii_lowercase())
                && let Some(name) = name.take()
                && is_random(cell)
            {
                self.names.insert(line + at, name);
            }
        }
    }
}

/// The offset behind the parenthesis that opens a tuple, if one does.
fn opening(line: &str, from: usize) -> Option<usize> {
    let rest = line.get(from..)?.trim_start();
    let rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    let rest = rest.strip_prefix('(')?;
    Some(line.len() - rest.len())
}

/// The cells of a tuple, and the offset behind it.
fn tuple(line: &str, from: usize) -> Option<(Vec<Cell<'_>>, usize)> {
    let (mut cells, mut start) = (Vec::new(), from);
    let (mut quote, mut is_escaped, mut depth) = (None, false, 0_usize);
    for (at, byte) in line.bytes().enumerate().skip(from) {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match (quote, byte) {
            (_, b'\\') => is_escaped = true,
            (Some(open), _) => quote = Some(open).filter(|open| *open != byte),
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') if depth > 0 => depth -= 1,
            (None, b',' | b')') if depth == 0 => {
                cells.push(unquoted(start, line.get(start..at)?));
                start = at + 1;
                if byte == b')' {
                    return Some((cells, start));
                }
            }
            _ => {}
        }
    }
    None
}

/// The cells of a line without parentheses.
fn split<'s>(line: &'s str, delimiters: &[char]) -> Vec<Cell<'s>> {
    let mut at = 0;
    { line.split(delimiters) }
        .map(|cell| {
            let start = at;
            // The delimiters are of one byte.
            at += cell.len() + 1;
            unquoted(start, cell)
        })
        .collect()
}

/// A cell at `at` without its quotes.
fn unquoted(at: usize, cell: &str) -> Cell<'_> {
    let is_around = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '\\');
    // `N'…'` of SQL Server, `E'…'` of PostgreSQL
    let prefixed = cell.trim_start().strip_prefix(['N', 'E']);
    let bare = prefixed.filter(|rest| rest.starts_with('\''));
    let bare = bare.unwrap_or(cell).trim_start_matches(is_around);
    (
        at + cell.len() - bare.len(),
        bare.trim_end_matches(is_around),
    )
}

/// `zoom`, `zoom_api`
fn says_zoom(cell: &str) -> bool {
    contains_zoom(cell) && {
        let words = split_words(cell);
        words.len() <= WORDS && words.first().is_some_and(|word| word == "zoom")
    }
}

/// `map`, `Google Maps`: zoom is their scale.
fn names_scaled(cell: &str, words: &Words) -> bool {
    let parts = split_words(cell);
    parts.iter().any(|part| has(&words.scaled, part))
}

/// `key`, `secret1`, `zoom_api_key`
fn names_secret(cell: &str, words: &Words) -> bool {
    /// Maximum length of a name, in bytes.
    const NAME: usize = 40;
    if cell.len() > NAME {
        return false;
    }
    let name = cell.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '-' | ' '));
    let parts = split_words(name);
    parts.len() <= WORDS
        && (names_credential(name) || { parts.last() }
            .is_some_and(|last| has(&words.credential_words, last)))
}

/// True for letters of both cases with digits. Names in tables, such as `meeting_title_2`, and
/// hashes have one case.
fn is_random(cell: &str) -> bool {
    let has_byte = |is_kind: fn(&u8) -> bool| cell.bytes().any(|byte| is_kind(&byte));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    cell.bytes().all(is_part)
        && has_byte(u8::is_ascii_lowercase)
        && has_byte(u8::is_ascii_uppercase)
        && has_byte(u8::is_ascii_digit)
}
