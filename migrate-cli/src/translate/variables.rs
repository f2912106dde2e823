//! Shell variables for secrets and for values that depend on v2 responses.
//!
//! During the translation each variable is a marker: letters and digits, which no encoding changes,
//! and which occur nowhere else in the request.

use mappings::{
    Argument, Arguments,
    catalog::{
        Catalog,
        field::{Kind, Part},
        operation::{Call, Filling, Operation, Segment},
    },
};

use crate::explain::wording;

/// Maximum length of a secret's marker, in characters; more than any v1 secret.
const MAX_MARKER: usize = 1_000;
/// Length of the marker of a request variable, in characters: between the minimum for user
/// passwords and the maximum for meeting passwords.
const MARKER: usize = 9;
/// First number used as a marker.
const NUMBER: i64 = 8_461_730_000;

/// Part of a text with variables.
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// Name of a variable.
    Variable(&'t str),
}

/// Variables in the text of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestVariables {
    /// Prefix of all markers; occurs nowhere else in the text.
    prefix: String,
    names: Vec<String>,
}

impl RequestVariables {
    /// Chooses a marker prefix that the text does not contain.
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

    /// Returns the marker of a variable.
    pub(super) fn marker(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.at(at)
    }

    /// The marker of a variable that the text has.
    pub(super) fn known(&self, name: &str) -> Option<String> {
        let at = self.names.iter().position(|known| known == name)?;
        Some(self.at(at))
    }

    /// The first marker in a word, with the text before and after it.
    pub(super) fn first_in<'w>(&self, word: &'w str) -> Option<(&'w str, String, &'w str)> {
        let (before, from) = word.split_once(&self.prefix)?;
        let digits = from.find(|letter: char| !letter.is_ascii_digit())?;
        let marker = self.at(from.get(..digits)?.parse().ok()?);
        let after = word.get(before.len()..)?.strip_prefix(&marker)?;
        Some((before, marker, after))
    }

    fn at(&self, at: usize) -> String {
        format!("{:q<MARKER$}", format!("{}{at}q", self.prefix))
    }

    /// Returns an unused variable name.
    pub(super) fn fresh(&self, stem: &str) -> String {
        let mut names = (1_u32..).map(|number| match number {
            1 => stem.to_owned(),
            number => format!("{stem}_{number}"),
        });
        { names.find(|name| !self.names.contains(name)) }.unwrap_or_default()
    }

    /// Replaces `{{name}}`, the variables of Postman and `.http` files, with markers.
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
                let name: String = name
                    .trim_start_matches('$')
                    .chars()
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

    /// True if the text has a variable.
    pub(super) fn is_in(&self, text: &str) -> bool {
        !self.names.is_empty() && text.contains(&self.prefix)
    }

    /// Replaces markers with formatted variable names.
    pub(super) fn shown(&self, text: &str, write: impl Fn(&str) -> String) -> String {
        let names = self.names.iter().enumerate();
        names.fold(text.to_owned(), |text, (at, name)| {
            text.replace(&self.at(at), &write(name))
        })
    }
}

/// Variable of a translation.
#[derive(Clone, Debug)]
struct MarkedVariable {
    marker: String,
    name: String,
    /// True if the request had it; false for a secret or an id.
    is_given: bool,
}

/// Variables of a translation.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Vec<MarkedVariable>);

impl Variables {
    /// Replaces secrets in the arguments with variables. Also returns a marker for the id of list
    /// items. A variable for a parameter that is not text is replaced with a valid value, and a
    /// note is added.
    pub(super) fn extract_secrets(
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
        found: &RequestVariables,
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
        let mut variables: Vec<MarkedVariable> = found
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| MarkedVariable {
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
                    let text = match substitute(part) {
                        Substitute::Marker => text.clone(),
                        Substitute::Number => {
                            let number = (NUMBER
                                + i64::try_from(variables.len()).unwrap_or_default())
                            .to_string();
                            let name = found.shown(text, str::to_owned);
                            let known = MarkedVariable {
                                marker: number.clone(),
                                name,
                                is_given: true,
                            };
                            variables.push(known);
                            number
                        }
                        Substitute::Value(value) => {
                            let shown = found.shown(text, |name| format!("${name}"));
                            let kind = wording::kind(part);
                            notes.push(format!(
                                "{name}: {value} is used in place of {shown}, which must be {kind}"
                            ));
                            value
                        }
                    };
                    Argument::Text(text)
                }
                (Argument::Text(text), Some(part))
                    if !text.is_empty() && part.kind == Kind::Secret =>
                {
                    // As long as the secret, so that length checks give the same result.
                    let marker = marker(text.chars().take(MAX_MARKER).count());
                    let (name, is_given) = (upper_snake(name), false);
                    variables.push(MarkedVariable {
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

    /// Adds the variable for the list item of a call.
    pub(super) fn with_item(&self, call: &Call, item: &str) -> Self {
        let mut variables = self.clone();
        variables
            .0
            .extend(item_variable(call).map(|name| MarkedVariable {
                marker: item.to_owned(),
                name,
                is_given: false,
            }));
        variables
    }

    /// Names, and whether the request had them.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0
            .iter()
            .map(|known| (known.name.as_str(), known.is_given))
    }

    /// Replaces markers with `$NAME`.
    pub(super) fn named(&self, text: &str) -> String {
        let pieces = self.pieces(text).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Variable(name) => format!("${name}"),
        });
        pieces.collect()
    }

    /// Splits a text at the markers.
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

/// Substitute for a variable during the translation.
enum Substitute {
    /// A unique string.
    Marker,
    /// A unique number.
    Number,
    /// A value that v1 accepted.
    Value(String),
}

/// Chooses a substitute that is valid for a parameter.
fn substitute(part: &Part) -> Substitute {
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
        (Kind::Int, _) if has_room && part.values.is_empty() => Substitute::Number,
        (Kind::Bool, _) => Substitute::Value("true".to_owned()),
        (Kind::Date, _) => Substitute::Value("2030-01-31".to_owned()),
        (Kind::Time, _) => Substitute::Value("2030-01-31T10:00:00Z".to_owned()),
        (_, Some(value)) => Substitute::Value(value),
        (Kind::Int | Kind::Number | Kind::Digits, None) => Substitute::Number,
        (_, None) => Substitute::Marker,
    }
}

/// Variable for the id of the list item of a call: `{assistantId}` becomes `ASSISTANT_ID`.
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
