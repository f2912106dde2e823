//! Templates and the values behind them: `sprintf("%s/v%d", base, 1)`, `"{}/v{}".format(base, 1)`.

use super::{Reader, pieces};
use crate::{
    facts::syntax::{Piece, format},
    names::last_identifier,
};

/// How long the values of a template may be, in bytes.
const VALUES: usize = 400;

impl Reader<'_> {
    /// Fills a template with the values behind it; `inside` is where the template stands in the
    /// file, `end` where its string ends. Gives the pieces, and where the values end.
    pub(super) fn filled(
        &self,
        template: &str,
        inside: usize,
        before: &str,
        end: usize,
    ) -> Option<(Vec<Piece>, usize)> {
        // Names that `$base` stands for are no values of the call.
        if !template.contains('/') || !template.contains(['%', '{']) || template.contains('$') {
            return None;
        }
        let rest = self.source.get(end..)?;
        let after = rest.trim_start();
        let list = if let Some(call) = after.strip_prefix('.') {
            let end = call.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            let (name, list) = call.split_at(end);
            let list = list.strip_prefix('(')?;
            format::is_filler(name).then_some(list)?
        } else {
            let name = last_identifier(before.get(..before.rfind('(')?)?);
            after
                .strip_prefix(',')
                .filter(|_| format::is_filler(name))?
        };
        let from = end + rest.len() - list.len();
        let (values, length) = values(list, self.offset + from)?;
        let template = [Piece::Text {
            value: template.to_owned(),
            at: inside,
        }];
        Some((format::fill(&template, &values)?, from + length))
    }
}

/// The values of a list that its call closes, and the list's length.
fn values(list: &str, at: usize) -> Option<(Vec<Vec<Piece>>, usize)> {
    let (mut values, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let mut quote = None;
    for (end, byte) in list.bytes().enumerate().take(VALUES) {
        match (quote, byte) {
            (Some(open), _) => quote = Some(open).filter(|open| *open != byte),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') if depth > 0 => depth -= 1,
            (None, b',' | b')') if depth == 0 => {
                values.push(value(list.get(start..end)?, at + start));
                start = end + 1;
                if byte == b')' {
                    return Some((values, end));
                }
            }
            (None, b';') => return None,
            _ => {}
        }
    }
    None
}

fn value(text: &str, at: usize) -> Vec<Piece> {
    let bare = text.trim();
    let at = at + text.len() - text.trim_start().len();
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| bare.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(inner) = quoted {
        return pieces(inner, at + 1);
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return vec![Piece::Text {
            value: bare.to_owned(),
            at,
        }];
    }
    vec![Piece::Hole(last_identifier(bare).to_owned())]
}
