//! Concatenates the pieces of a text and fills in constants of the same file. Each byte of the
//! result keeps its place in the source.

use std::collections::HashMap;

use crate::{
    facts::syntax::{Extract, Piece, Role, Usage},
    names::last_identifier,
};

/// Placeholder for an unknown value.
pub(crate) const HOLE: char = '\u{fffc}';

/// Escapes of characters in a URL: in JSON and JavaScript, and in URLs within URLs.
const ESCAPES: [(&str, &str); 3] = [("\\/", "/"), ("%2f", "/"), ("%3a", ":")];
/// Length of the longest escape, in bytes.
const LONGEST_ESCAPE: usize = 3;

/// Maximum depth of constants that name other constants.
const DEPTH: usize = 6;
/// Maximum length that constants add to a text, in bytes.
const LIMIT: usize = 4096;
/// Maximum length that constants add to all texts of a file, in bytes.
const BUDGET: usize = 4 << 20;

/// The string constants of a file: names with only one value. `None` marks a name with several.
#[derive(Debug, Default)]
pub(crate) struct Constants(HashMap<String, Option<Vec<Piece>>>);

impl Constants {
    /// Collects the constants.
    pub(crate) fn of(extract: &Extract) -> Self {
        let mut known: HashMap<String, Option<Vec<Piece>>> = HashMap::new();
        for text in &extract.texts {
            if text.role != Role::Value || text.usage != Usage::Plain || text.callee.is_some() {
                continue;
            }
            let Some(target) = text.target.as_deref().map(last_identifier) else {
                continue;
            };
            if target.is_empty() {
                continue;
            }
            known
                .entry(target.to_owned())
                .and_modify(|value| {
                    if value.as_ref() != Some(&text.pieces) {
                        *value = None;
                    }
                })
                .or_insert_with(|| Some(text.pieces.clone()));
        }
        Self(known)
    }

    /// Adds a constant from elsewhere, such as a `define`.
    pub(crate) fn add(&mut self, name: &str, pieces: Vec<Piece>) {
        self.0.entry(name.to_owned()).or_insert(Some(pieces));
    }

    fn value(&self, name: &str) -> Option<&[Piece]> {
        self.0.get(last_identifier(name))?.as_deref()
    }
}

/// A text with constants filled in.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// The text, with [`HOLE`] for each unknown value.
    pub(crate) text: String,
    /// Places of the runs of bytes: offset in `text`, offset in the source.
    runs: Vec<(usize, usize)>,
    /// The names of the holes, in order.
    pub(crate) holes: Vec<String>,
    /// The names of the filled-in constants.
    pub(crate) filled: Vec<String>,
}

impl Folded {
    /// The byte offset in the source of a byte of the text.
    pub(crate) fn source(&self, at: usize) -> usize {
        let index = self.runs.partition_point(|(start, _)| *start <= at);
        let (start, source) = index
            .checked_sub(1)
            .and_then(|index| self.runs.get(index))
            .copied()
            .unwrap_or_default();
        source + (at - start)
    }

    /// The offset in the text at which the piece around a byte starts. Escapes do not split a
    /// piece.
    pub(crate) fn run_start(&self, at: usize) -> usize {
        let index = self.runs.partition_point(|(start, _)| *start <= at);
        let mut runs = self.runs.iter().take(index).rev().peekable();
        while let Some((start, source)) = runs.next() {
            let is_behind_hole = self
                .text
                .get(..*start)
                .is_some_and(|text| text.ends_with(HOLE));
            let before = runs.peek().filter(|_| !is_behind_hole);
            let goes_on = before.is_some_and(|(before, its_source)| {
                let gap = source.checked_sub(its_source + (start - before));
                gap.is_some_and(|gap| gap < LONGEST_ESCAPE)
            });
            if !goes_on {
                return *start;
            }
        }
        0
    }

    fn push_text(&mut self, value: &str, at: usize) {
        let mut offset = 0;
        while let Some((body, letter, length)) = value.get(offset..).and_then(next_escape) {
            self.push_run(body, at + offset);
            offset += body.len() + length;
            // The place of a decoded character is the end of its escape.
            self.push_run(letter, at + offset - 1);
        }
        self.push_run(value.get(offset..).unwrap_or_default(), at + offset);
    }

    fn push_run(&mut self, text: &str, at: usize) {
        if !text.is_empty() {
            self.runs.push((self.text.len(), at));
            self.text.push_str(text);
        }
    }

    fn push_hole(&mut self, name: &str, at: usize) {
        self.runs.push((self.text.len(), at));
        self.text.push(HOLE);
        self.holes.push(name.to_owned());
    }
}

/// The first escape in a text: the text before it, the decoded character, the length of the escape.
fn next_escape(text: &str) -> Option<(&str, &'static str, usize)> {
    memchr::memchr2_iter(b'\\', b'%', text.as_bytes()).find_map(|at| {
        let rest = text.get(at..)?;
        let (escape, letter) = ESCAPES.iter().find(|(escape, _)| {
            rest.get(..escape.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(escape))
        })?;
        Some((text.get(..at)?, *letter, escape.len()))
    })
}

/// Folds the texts of a file. The budget bounds the result: a chain such as `a = b + b`, `b = c +
/// c` doubles its length with each line.
#[derive(Debug)]
pub(crate) struct Folder {
    constants: Constants,
    budget: usize,
}

impl Folder {
    /// Starts with the constants of a file.
    pub(crate) fn new(constants: Constants) -> Self {
        Self {
            constants,
            budget: BUDGET,
        }
    }

    /// Concatenates pieces.
    pub(crate) fn fold(&mut self, pieces: &[Piece]) -> Folded {
        let mut folded = Folded::default();
        let mut left = LIMIT.min(self.budget);
        let granted = left;
        fill(pieces, &self.constants, DEPTH, &mut left, &mut folded);
        self.budget -= granted - left;
        folded
    }
}

/// Appends pieces to a text. `left` is the rest of the budget for constants.
fn fill(
    pieces: &[Piece],
    constants: &Constants,
    depth: usize,
    left: &mut usize,
    folded: &mut Folded,
) {
    let within = depth < DEPTH;
    for piece in pieces {
        if within && *left == 0 {
            return;
        }
        match piece {
            Piece::Text { value, at } => {
                folded.push_text(value, *at);
                if within {
                    *left = left.saturating_sub(value.len().max(1));
                }
            }
            Piece::Hole(name) => match constants.value(name) {
                // A constant with a whole URL can only start a text. Elsewhere, it belongs to
                // another name.
                Some(value)
                    if depth > 0
                        && *left > 0
                        && value != pieces
                        && (folded.text.is_empty() || !starts_with_scheme(value)) =>
                {
                    folded.filled.push(last_identifier(name).to_owned());
                    fill(value, constants, depth - 1, left, folded);
                }
                _ => {
                    folded.push_hole(last_identifier(name), 0);
                    if within {
                        *left -= 1;
                    }
                }
            },
        }
    }
}

fn starts_with_scheme(pieces: &[Piece]) -> bool {
    matches!(pieces.first(), Some(Piece::Text { value, .. })
        if value.starts_with("http://") || value.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str, at: usize) -> Piece {
        Piece::Text {
            value: value.into(),
            at,
        }
    }

    #[test]
    fn fills_in_constants_and_keeps_their_place() {
        let mut constants = Constants::default();
        constants.add("BASE", vec![text("https://x/", 100)]);
        let folded =
            Folder::new(constants).fold(&[Piece::Hole("self::BASE".into()), text("user/get", 200)]);
        assert_eq!(folded.text, "https://x/user/get");
        assert_eq!(folded.source(0), 100);
        assert_eq!(folded.source(10), 200);
        assert_eq!(folded.filled, ["BASE"]);
    }

    #[test]
    fn stops_at_a_constant_that_names_itself() {
        let mut constants = Constants::default();
        constants.add("A", vec![Piece::Hole("A".into()), text("/x", 1)]);
        let folded = Folder::new(constants).fold(&[Piece::Hole("A".into())]);
        assert!(folded.text.ends_with("/x"));
    }

    #[test]
    fn bounds_constants_but_not_literal_text() {
        let mut constants = Constants::default();
        for level in 0..64 {
            let below = Piece::Hole(format!("a{}", level + 1));
            constants.add(&format!("a{level}"), vec![below; 1000]);
        }
        constants.add("a64", vec![text("x", 0)]);
        let mut all = Folder::new(constants);
        let pieces = [Piece::Hole("a0".into()), text(&"y".repeat(2 * LIMIT), 9)];
        for _ in 0..2 * BUDGET / LIMIT {
            let folded = all.fold(&pieces);
            assert!(folded.text.ends_with(&"y".repeat(2 * LIMIT)));
            assert!(folded.holes.len() <= LIMIT);
        }
        assert_eq!(all.fold(&pieces).holes, ["a0"]);
    }

    #[test]
    fn decodes_escaped_slashes() {
        let folded = Folder::new(Constants::default()).fold(&[text(r"https:\/\/a\/b", 10)]);
        assert_eq!(folded.text, "https://a/b");
        assert_eq!(folded.source(8), 10 + 10);
        assert_eq!(folded.run_start(10), 0);
    }

    #[test]
    fn a_hole_is_a_piece() {
        let pieces = [Piece::Hole("$b".into()), text("/user", 3)];
        let folded = Folder::new(Constants::default()).fold(&pieces);
        assert_eq!(folded.run_start(HOLE.len_utf8() + 2), HOLE.len_utf8());
    }
}
