//! Puts the pieces of a text together: constants of the same file are filled in, and every letter
//! of the result still knows where it stands in the source.

use std::collections::HashMap;

use super::{Extract, Piece, Role, Usage, last_identifier};

/// Stands for a value that is not known.
pub(crate) const HOLE: char = '\u{fffc}';

/// How often a constant may name another one.
const DEPTH: usize = 6;
/// How long a folded text may get.
const LIMIT: usize = 4096;

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
                gap.is_some_and(|gap| gap <= "\\".len())
            });
            if !goes_on {
                return *start;
            }
        }
        0
    }

    fn push_text(&mut self, value: &str, at: usize) {
        // `\/` is a slash in JSON and in JavaScript.
        let mut offset = 0;
        for part in value.split_inclusive("\\/") {
            let (body, slash) = match part.strip_suffix("\\/") {
                Some(body) => (body, true),
                None => (part, false),
            };
            if !body.is_empty() {
                self.runs.push((self.text.len(), at + offset));
                self.text.push_str(body);
            }
            if slash {
                self.runs
                    .push((self.text.len(), at + offset + body.len() + 1));
                self.text.push('/');
            }
            offset += part.len();
        }
    }

    fn push_hole(&mut self, name: &str, at: usize) {
        self.runs.push((self.text.len(), at));
        self.text.push(HOLE);
        self.holes.push(name.to_owned());
    }
}

/// Puts pieces together.
pub(crate) fn fold(pieces: &[Piece], constants: &Constants) -> Folded {
    let mut folded = Folded::default();
    fill(pieces, constants, DEPTH, &mut folded);
    folded
}

fn fill(pieces: &[Piece], constants: &Constants, depth: usize, folded: &mut Folded) {
    for piece in pieces {
        if folded.text.len() > LIMIT {
            return;
        }
        match piece {
            Piece::Text { value, at } => folded.push_text(value, *at),
            Piece::Hole(name) => match constants.value(name) {
                // A whole URL begins a text; behind something else it is another name's value.
                Some(value)
                    if depth > 0
                        && value != pieces
                        && (folded.text.is_empty() || !starts_with_scheme(value)) =>
                {
                    folded.filled.push(last_identifier(name).to_owned());
                    fill(value, constants, depth - 1, folded);
                }
                _ => folded.push_hole(last_identifier(name), 0),
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
        let folded = fold(
            &[Piece::Hole("self::BASE".into()), text("user/get", 200)],
            &constants,
        );
        assert_eq!(folded.text, "https://x/user/get");
        assert_eq!(folded.source(0), 100);
        assert_eq!(folded.source(10), 200);
        assert_eq!(folded.filled, ["BASE"]);
    }

    #[test]
    fn a_constant_that_names_itself_ends() {
        let mut constants = Constants::default();
        constants.add("A", vec![Piece::Hole("A".into()), text("/x", 1)]);
        let folded = fold(&[Piece::Hole("A".into())], &constants);
        assert!(folded.text.ends_with("/x"));
    }

    #[test]
    fn escaped_slashes_are_slashes() {
        let folded = fold(&[text(r"https:\/\/a\/b", 10)], &Constants::default());
        assert_eq!(folded.text, "https://a/b");
        assert_eq!(folded.source(8), 10 + 10);
        assert_eq!(folded.run_start(10), 0);
    }

    #[test]
    fn what_is_filled_in_is_a_piece_of_its_own() {
        let pieces = [Piece::Hole("$b".into()), text("/user", 3)];
        let folded = fold(&pieces, &Constants::default());
        assert_eq!(folded.run_start(HOLE.len_utf8() + 2), HOLE.len_utf8());
    }
}
