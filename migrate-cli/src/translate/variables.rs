//! Shell variables in place of what is secret, or not known before v2 answers.
//!
//! During the translation a marker stands for each of them: letters and digits, which no encoding
//! changes, and which nothing in the request contains.

use mappings::{
    Argument, Arguments,
    catalog::{
        Catalog,
        field::{Kind, Part},
        operation::{Call, Filling, Operation, Segment},
    },
};

use crate::explain::wording;

/// Characters of a marker: more than any secret of v1 may have.
const MAX_MARKER: usize = 1_000;
/// Characters of what stands for a variable of the request: as many as a password of a user has at
/// least and one of a meeting at most.
const MARKER: usize = 9;
/// The first number that stands for a variable.
const NUMBER: i64 = 8_461_730_000;

/// Where a text is interrupted by variables.
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// The name of a variable.
    Variable(&'t str),
}

/// The variables that a text had before it was read.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What no text begins with but a marker.
    prefix: String,
    names: Vec<String>,
}

impl Found {
    /// For a text whose variables are to be found.
    pub(super) fn of(text: &str) -> Self {
        let mut prefix = "Zv".to_owned();
        while text.contains(&prefix) {
            prefix.push('v');
        }
        Self {
            prefix,
            names: Vec::new(),
        }
    }

    /// What stands for a variable.
    pub(super) fn marker(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.at(at)
    }

    fn at(&self, at: usize) -> String {
        format!("{:q<MARKER$}", format!("{}{at}q", self.prefix))
    }

    /// A name that no variable has.
    pub(super) fn fresh(&self, stem: &str) -> String {
        let mut names = (1_u32..).map(|number| match number {
            1 => stem.to_owned(),
            number => format!("{stem}_{number}"),
        });
        { names.find(|name| !self.names.contains(name)) }.unwrap_or_default()
    }

    /// The text with markers in place of `{{name}}`, as Postman and .http files write variables.
    pub(super) fn braces(&mut self, text: &str) -> String {
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_.-$".contains(letter);
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("{{") {
            out.push_str(before);
            let inner = from
                .split_once("}}")
                .map(|(name, after)| (name.trim(), after));
            if let Some((name, after)) =
                inner.filter(|(name, _)| !name.is_empty() && name.chars().all(is_of_name))
            {
                let name: String = { name.trim_start_matches('$').chars() }
                    .map(|letter| {
                        if letter.is_ascii_alphanumeric() {
                            letter
                        } else {
                            '_'
                        }
                    })
                    .collect();
                out.push_str(&self.marker(&name));
                rest = after;
            } else {
                out.push_str("{{");
                rest = from;
            }
        }
        out + rest
    }

    /// True if there is a variable in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        !self.names.is_empty() && text.contains(&self.prefix)
    }

    /// A text with its variables written in some way.
    pub(super) fn shown(&self, text: &str, write: impl Fn(&str) -> String) -> String {
        let names = self.names.iter().enumerate();
        names.fold(text.to_owned(), |text, (at, name)| {
            text.replace(&self.at(at), &write(name))
        })
    }
}

/// A variable of a translation.
#[derive(Clone, Debug)]
struct Known {
    marker: String,
    name: String,
    /// It was in the request; else it stands for a secret or an id.
    is_given: bool,
}

/// The variables of one translation.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Vec<Known>);

impl Variables {
    /// Takes the secrets out of the arguments; also gives a marker for the id of a list's items.
    /// Variables of the request that stand for a whole value of another kind than text get a value
    /// that fits, and a note.
    pub(super) fn take_secrets(
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
        found: &Found,
        notes: &mut Vec<String>,
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
        let part = |name: &str| {
            let mut parameters = operation.parameters.iter();
            let parameter = parameters.find(|parameter| parameter.name == name)?;
            Some(catalog.field(parameter.field?)?.1)
        };
        let protocol = catalog.protocol();
        let dropped = [&protocol.key, &protocol.secret, &protocol.format];
        let mut variables: Vec<Known> = { found.names.iter().enumerate() }
            .map(|(at, name)| Known {
                marker: found.at(at),
                name: name.clone(),
                is_given: true,
            })
            .collect();
        let mut open = Arguments::default();
        for (name, value) in arguments.iter() {
            if dropped.iter().any(|dropped| *dropped == name) {
                continue;
            }
            let value = match (value, part(name)) {
                (Argument::Text(text), Some(part)) if found.is_in(text) => {
                    let text = match stand_in(part) {
                        StandIn::Marker => text.clone(),
                        StandIn::Number => {
                            let number = (NUMBER
                                + i64::try_from(variables.len()).unwrap_or_default())
                            .to_string();
                            let name = found.shown(text, str::to_owned);
                            let known = Known {
                                marker: number.clone(),
                                name,
                                is_given: true,
                            };
                            variables.push(known);
                            number
                        }
                        StandIn::Value(value) => {
                            let shown = found.shown(text, |name| format!("${name}"));
                            let kind = wording::kind(part);
                            notes.push(format!(
                                "{name}: {value} stands for {shown} here, which is to be {kind}"
                            ));
                            value
                        }
                    };
                    Argument::Text(text)
                }
                (Argument::Text(text), Some(part))
                    if !text.is_empty() && part.kind == Kind::Secret =>
                {
                    // As long as the secret, so that it is refused if that is.
                    let marker = marker(text.chars().take(MAX_MARKER).count());
                    let (name, is_given) = (upper_snake(name), false);
                    variables.push(Known {
                        marker: marker.clone(),
                        name,
                        is_given,
                    });
                    Argument::Text(marker)
                }
                (value, _) => value.clone(),
            };
            open.add(name, value);
        }
        let item = marker(0);
        (Self(variables), open, item)
    }

    /// These, and the one that a call's own item has.
    pub(super) fn with_item(&self, call: &Call, item: &str) -> Self {
        let mut variables = self.clone();
        variables.0.extend(item_variable(call).map(|name| Known {
            marker: item.to_owned(),
            name,
            is_given: false,
        }));
        variables
    }

    /// The names, each once, and whether the request had them.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0
            .iter()
            .map(|known| (known.name.as_str(), known.is_given))
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
                .filter_map(|known| Some((rest.find(&known.marker)?, &known.marker, &known.name)))
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

/// What stands for a variable while a request is translated.
enum StandIn {
    /// Letters and digits that nothing else in the request has.
    Marker,
    /// A number that nothing else in the request has.
    Number,
    /// A value that v1 took.
    Value(String),
}

/// What may stand for a variable as the value of a parameter.
fn stand_in(part: &Part) -> StandIn {
    let of_list = part
        .values
        .iter()
        .map(ToString::to_string)
        .chain(part.one_of.iter().cloned());
    let first = of_list
        .chain(part.range.map(|(least, _)| least.to_string()))
        .next();
    let has_room = part.range.is_some_and(|(_, most)| most > NUMBER + 1_000);
    match (part.kind, first) {
        (Kind::Int, _) if has_room && part.values.is_empty() => StandIn::Number,
        (Kind::Bool, _) => StandIn::Value("true".to_owned()),
        (Kind::Date, _) => StandIn::Value("2030-01-31".to_owned()),
        (Kind::Time, _) => StandIn::Value("2030-01-31T10:00:00Z".to_owned()),
        (_, Some(value)) => StandIn::Value(value),
        (Kind::Int | Kind::Number | Kind::Digits, None) => StandIn::Number,
        (_, None) => StandIn::Marker,
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
