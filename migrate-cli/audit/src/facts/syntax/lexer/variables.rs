//! Paths in variables: `val path = if (old) "user/list" else "user/get"`, `send(path)`.

use crate::{
    facts::syntax::{Piece, Taker, Text, lexer::callee},
    names::last_identifier,
    source::{floor, is_name},
};

/// Bytes behind a path in which a call takes its variable.
const NEAR: usize = 400;

/// Adds to each path the next call whose first argument is the variable that holds the path.
/// `offset` is where the source starts in its file.
pub(super) fn add_takers(source: &str, offset: usize, texts: &mut [Text]) {
    for text in texts {
        let Some(Piece::Text { value, at }) = text.pieces.last() else {
            continue;
        };
        let taker = text.path_variable().and_then(|name| {
            let from = (at + value.len()).checked_sub(offset)?;
            let until = floor(source, from + NEAR);
            taker(source.get(from..until)?, name)
        });
        text.passed_to.extend(taker.map(|callee| Taker {
            callee,
            given: Vec::new(),
            passed: Vec::new(),
        }));
    }
}

/// The callee of the first call in the code that a variable is the first argument of.
fn taker(code: &str, variable: &str) -> Option<String> {
    let bytes = code.as_bytes();
    code.match_indices(variable).find_map(|(at, _)| {
        let end = at + variable.len();
        let before = code.get(..at)?.trim_end_matches(['$', '@']);
        let head = before.strip_suffix('(')?;
        let callee = callee(head.trim_end());
        (!is_name(bytes.get(end)) && !callee.is_empty()).then_some(callee)
    })
}

/// The variable that a line assigns one of several texts to: `path = old ? ` before a text.
pub(super) fn chosen_into(before: &str) -> Option<String> {
    let at = before.match_indices('=').map(|(at, _)| at).find(|at| {
        let sides = [at.checked_sub(1), Some(at + 1)];
        let mut sides = sides.into_iter().flatten();
        let is_operator = |byte: &u8| matches!(byte, b'=' | b'!' | b'<' | b'>' | b'~');
        !sides.any(|at| before.as_bytes().get(at).is_some_and(is_operator))
    })?;
    let (name, value) = before.split_at(at);
    let value = value.trim_start_matches('=').trim_start();
    let name = last_identifier(name);
    (!name.is_empty() && (value.contains('?') || value.starts_with("if"))).then(|| name.to_owned())
}
