//! Templates of paths and what fills them: `"%s/v%d/%s"` with `base`, `1` and `"user/list"`.

use crate::facts::syntax::Piece;

/// How many values a template may have.
const VALUES: usize = 8;

/// True for the name of a function that fills a template.
pub(super) fn is_filler(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.trim_end_matches('!');
    name.ends_with("printf")
        || matches!(name, "format" | "formatted" | "stringwithformat" | "string")
}

/// Puts a template and its values together.
///
/// Nothing for what cannot be a path, for placeholders that are not understood, and if all values
/// are unknown, because the template alone tells as much then.
pub(super) fn fill(template: &[Piece], values: &[Vec<Piece>]) -> Option<Vec<Piece>> {
    let texts = || template.iter().filter_map(literal);
    let is_path = texts().any(|text| text.contains('/'))
        && !texts().any(|text| text.contains(char::is_whitespace));
    let is_known = |value: &Vec<Piece>| value.iter().any(|piece| literal(piece).is_some());
    if !is_path || values.len() > VALUES || !values.iter().any(is_known) {
        return None;
    }
    let mut pieces = Vec::new();
    let mut next = 0;
    for piece in template {
        let Piece::Text { value: text, at } = piece else {
            pieces.push(piece.clone());
            continue;
        };
        let mut from = 0;
        while let Some(found) = text.get(from..)?.find(['%', '{']) {
            let open = from + found;
            push(text, from, open, *at, &mut pieces);
            let (number, length) = placeholder(text.get(open..)?)?;
            let index = number.unwrap_or(next);
            next = index + 1;
            pieces.extend(values.get(index)?.iter().cloned());
            from = open + length;
        }
        push(text, from, text.len(), *at, &mut pieces);
    }
    (next > 0).then_some(pieces)
}

fn literal(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Text { value, .. } => Some(value),
        Piece::Hole(_) => None,
    }
}

/// The number of the value that a placeholder names, if it names one, and the placeholder's length.
fn placeholder(text: &str) -> Option<(Option<usize>, usize)> {
    if let Some(braced) = text.strip_prefix('{') {
        let inner = braced.get(..braced.find('}')?)?;
        let number = inner.split(':').next().unwrap_or_default();
        let length = inner.len() + "{}".len();
        return match number {
            "" => Some((None, length)),
            digits => Some((Some(digits.parse().ok()?), length)),
        };
    }
    let verb = text.strip_prefix('%')?;
    let digits = verb.bytes().take_while(u8::is_ascii_digit).count();
    let (number, verb) = match verb.get(digits..)?.strip_prefix('$') {
        // `%1$s` counts from 1.
        Some(rest) => (
            Some(verb.get(..digits)?.parse::<usize>().ok()?.checked_sub(1)?),
            rest,
        ),
        None => (None, verb),
    };
    let verb = verb.trim_start_matches('l');
    verb.starts_with(['s', 'd', 'i', 'v', 'u', '@'])
        .then_some((number, text.len() - verb.len() + 1))
}

fn push(template: &str, from: usize, to: usize, at: usize, pieces: &mut Vec<Piece>) {
    if let Some(value) = template.get(from..to).filter(|value| !value.is_empty()) {
        pieces.push(Piece::Text {
            value: value.to_owned(),
            at: at + from,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Vec<Piece> {
        vec![Piece::Text {
            value: value.to_owned(),
            at: 0,
        }]
    }

    fn filled(template: &str, values: &[Vec<Piece>]) -> Option<String> {
        let pieces = fill(&text(template), values)?;
        let texts = pieces.into_iter().map(|piece| match piece {
            Piece::Text { value, .. } => value,
            Piece::Hole(name) => format!("<{name}>"),
        });
        Some(texts.collect())
    }

    #[test]
    fn templates_are_filled_in_every_notation() {
        let values = [
            vec![Piece::Hole("base".to_owned())],
            text("1"),
            text("user/list"),
        ];
        for template in [
            "%s/v%d/%s",
            "{}/v{}/{}",
            "{0}/v{1}/{2}",
            "%1$s/v%2$d/%3$s",
            "%@/v%ld/%@",
        ] {
            let filled = filled(template, &values);
            assert_eq!(filled.as_deref(), Some("<base>/v1/user/list"), "{template}");
        }
    }

    #[test]
    fn other_texts_are_left_alone() {
        let values = [text("user/list")];
        for template in [
            "%s",
            "call %s/x",
            "/%s/%s",
            "/{name}",
            "/%2F",
            "/fixed",
            "/%0$s",
        ] {
            assert_eq!(filled(template, &values), None, "{template}");
        }
        let named = [vec![Piece::Hole("base".to_owned())], text("/%s")].concat();
        let pieces = fill(&named, &values).into_iter().flatten();
        assert_eq!(pieces.filter(|piece| literal(piece).is_none()).count(), 1);
        let unknown = [vec![Piece::Hole("path".to_owned())]];
        assert_eq!(filled("https://example.com/%s", &unknown), None);
    }
}
