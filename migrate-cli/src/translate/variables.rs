//! Shell variables in place of what is secret, or not known before v2 answers.
//!
//! During the translation a marker stands for each of them: letters and digits, which no encoding
//! changes, and which nothing in the request contains.

use mappings::{
    Argument, Arguments,
    catalog::{
        Catalog,
        field::Kind,
        operation::{Call, Filling, Operation, Segment},
    },
};

/// Characters of a marker: more than any secret of v1 may have.
const MAX_MARKER: usize = 1_000;

/// Where a text is interrupted by variables.
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// The name of a variable.
    Variable(&'t str),
}

/// The variables of one translation.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Vec<(String, String)>);

impl Variables {
    /// Takes the secrets out of the arguments; also gives a marker for the id of a list's items.
    pub(super) fn take_secrets(
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
    ) -> (Self, Arguments, String) {
        let mut number = 0;
        let mut marker = |length: usize| loop {
            number += 1;
            let marker = format!("{:x<length$}", format!("Zq{number}x"));
            let is_in = |text: &str| text.contains(&marker);
            let taken = arguments.iter().any(|(name, value)| {
                is_in(name) || matches!(value, Argument::Text(text) if is_in(text))
            });
            if !taken {
                return marker;
            }
        };
        let is_secret = |name: &str| {
            operation
                .parameters
                .iter()
                .filter(|parameter| parameter.name == name)
                .filter_map(|parameter| catalog.field(parameter.field?))
                .any(|(_, part)| part.kind == Kind::Secret)
        };
        let protocol = catalog.protocol();
        let dropped = [&protocol.key, &protocol.secret, &protocol.format];
        let mut variables = Self::default();
        let mut open = Arguments::default();
        for (name, value) in arguments.iter() {
            if dropped.iter().any(|dropped| *dropped == name) {
                continue;
            }
            let value = match value {
                Argument::Text(text) if !text.is_empty() && is_secret(name) => {
                    // As long as the secret, so that it is refused if that is.
                    let marker = marker(text.chars().take(MAX_MARKER).count());
                    variables.0.push((marker.clone(), upper_snake(name)));
                    Argument::Text(marker)
                }
                value => value.clone(),
            };
            open.add(name, value);
        }
        let item = marker(0);
        (variables, open, item)
    }

    /// These, and the one that a call's own item has.
    pub(super) fn with_item(&self, call: &Call, item: &str) -> Self {
        let mut variables = self.clone();
        variables
            .0
            .extend(item_variable(call).map(|name| (item.to_owned(), name)));
        variables
    }

    /// The names, each once.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, name)| name.as_str())
    }

    /// A text with `$NAME` in place of the markers.
    pub(super) fn named(&self, text: &str) -> String {
        let pieces = self.pieces(text).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Variable(name) => format!("${name}"),
        });
        pieces.collect()
    }

    /// A text, cut at the markers.
    pub(super) fn pieces<'t>(&'t self, text: &'t str) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        loop {
            let next = self
                .0
                .iter()
                .filter_map(|(marker, name)| Some((rest.find(marker)?, marker, name)))
                .min();
            let Some((at, marker, name)) = next else {
                break;
            };
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Text(before));
            }
            pieces.push(Piece::Variable(name));
            rest = from.get(marker.len()..).unwrap_or_default();
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest));
        }
        pieces
    }
}

/// The variable with the id of the item that a call is made for: `{assistantId}` is `ASSISTANT_ID`.
pub(super) fn item_variable(call: &Call) -> Option<String> {
    let each = call.each.as_ref()?;
    let names = call.template.split('/').skip(1);
    let of_item = call
        .path
        .iter()
        .zip(names)
        .find(|(segment, _)| match segment {
            Segment::Filled {
                by: Filling::Item(_),
                ..
            } => true,
            Segment::Filled {
                by: Filling::Subject,
                ..
            } => each.subject.is_some(),
            Segment::Literal(_) | Segment::Filled { .. } => false,
        });
    of_item.map(|(_, name)| upper_snake(name.trim_matches(['{', '}'])))
}

fn upper_snake(name: &str) -> String {
    let mut upper = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !upper.is_empty() {
            upper.push('_');
        }
        upper.push(letter.to_ascii_uppercase());
    }
    upper
}
