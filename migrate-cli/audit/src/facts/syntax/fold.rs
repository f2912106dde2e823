//! Puts the pieces of a text together: constants of the same file are filled in, and every letter
//! of the result still knows where it stands in the source.

use std::collections::HashMap;

use crate::{
    facts::syntax::{Extract, Piece, Role, Usage},
    names::last_identifier,
};

/// Stands for a value that is not known.
pub(crate) const HOLE: char = '\u{fffc}';

/// How the signs of a URL are escaped: in JSON and JavaScript, and in URLs within URLs.
const ESCAPES: [(&str, &str); 3] = [("\\/", "/"), ("%2f", "/"), ("%3a", ":")];
/// The length of the longest of [`ESCAPES`], in bytes.
const LONGEST_ESCAPE: usize = 3;

/// How often a constant may name another one.
const DEPTH: usize = 6;
/// How much constants may add to one text, in bytes.
const LIMIT: usize = 4096;
/// How much constants may add to all texts of a file, in bytes.
const BUDGET: usize = 4 << 20;

/// The string constants of a file: a name that is always given the same text.
#[derive(Debug, Default)]
pub(crate) struct Constants(HashMap<String, Option<Vec<Piece>>>);

impl Constants {
    /// Collects what names stand for a text.
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

    /// Adds a constant that is known by another way, such as a `define`.
    pub(crate) fn add(&mut self, name: &str, pieces: Vec<Piece>) {
        self.0.entry(name.to_owned()).or_insert(Some(pieces));
    }

    fn value(&self, name: &str) -> Option<&[Piece]> {
        self.0.get(last_identifier(name))?.as_deref()
    }
}

/// A text whose constants are filled in.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// The text; [`HOLE`] stands for each value that is not known.
    pub(crate) text: String,
    /// Where each run of letters comes from: offset in `text`, offset in the source.
    runs: Vec<(usize, usize)>,
    /// The names of the holes, in order.
    pub(crate) holes: Vec<String>,
    /// The names of the constants that were filled in.
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

    /// Where the piece that holds a byte starts, in the text. Escapes do not divide it.
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
            // A letter stands where its escape ends.
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

/// The first escaped sign of a URL: what stands before it, the sign, and the length of the escape.
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

/// Puts the pieces of a file's texts together, constants filled in as far as they are not endless:
/// `a = b + b`, `b = c + c` and so on double what they add with each line.
#[derive(Debug)]
pub(crate) struct Folder {
    constants: Constants,
    budget: usize,
}

impl Folder {
    /// Starts with a file's constants.
    pub(crate) fn new(constants: Constants) -> Self {
        Self {
            constants,
            budget: BUDGET,
        }
    }

    /// Puts pieces together.
    pub(crate) fn fold(&mut self, pieces: &[Piece]) -> Folded {
        let mut folded = Folded::default();
        let mut left = LIMIT.min(self.budget);
        let granted = left;
        fill(pieces, &self.constants, DEPTH, &mut left, &mut folded);
        self.budget -= granted - left;
        folded
    }
}

/// Adds pieces to a text; `left` is what constants may still add.
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
                // A whole URL begins a text; behind something else it is another name's value.
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
    fn constants_are_filled_in_and_keep_their_place() {
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
    fn a_constant_that_names_itself_ends() {
        let mut constants = Constants::default();
        constants.add("A", vec![Piece::Hole("A".into()), text("/x", 1)]);
        let folded = Folder::new(constants).fold(&[Piece::Hole("A".into())]);
        assert!(folded.text.ends_with("/x"));
    }

    #[test]
    fn constants_add_only_so_much_and_the_source_is_never_cut() {
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
    fn escaped_slashes_are_slashes() {
        let folded = Folder::new(Constants::default()).fold(&[text(r"https:\/\/a\/b", 10)]);
        assert_eq!(folded.text, "https://a/b");
        assert_eq!(folded.source(8), 10 + 10);
        assert_eq!(folded.run_start(10), 0);
    }

    #[test]
    fn what_is_filled_in_is_a_piece_of_its_own() {
        let pieces = [Piece::Hole("$b".into()), text("/user", 3)];
        let folded = Folder::new(Constants::default()).fold(&pieces);
        assert_eq!(folded.run_start(HOLE.len_utf8() + 2), HOLE.len_utf8());
    }
}
