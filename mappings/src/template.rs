//! Templates with placeholders: `{name}`, `{name?}` for an optional one, and `{name|other}` with a
//! fallback.

use std::fmt;

use serde::Deserialize;

/// Text with placeholders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(Vec<Piece>);

/// Separator of a placeholder's alternatives.
pub(crate) const OR: char = '|';

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder { name: String, optional: bool },
}

impl Template {
    /// Parses a text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(format!("`{text}` has an unclosed placeholder"));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let optional = name.ends_with('?');
            let name = name.trim_end_matches('?');
            if name.is_empty() {
                return Err(format!("`{text}` has a placeholder without a name"));
            }
            pieces.push(Piece::Placeholder {
                name: name.to_owned(),
                optional,
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Fills the placeholders; `None` if one has no value.
    pub(crate) fn fill(&self, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Placeholder { name, .. } => text.push_str(&value(name)?),
            }
        }
        Some(text)
    }

    /// Fills the placeholders; those without a value become empty.
    pub(crate) fn fill_lossy(&self, value: &dyn Fn(&str) -> Option<String>) -> String {
        self.fill(&|name| Some(value(name).unwrap_or_default()))
            .unwrap_or_default()
    }

    /// Literal texts and placeholders, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|piece| match piece {
            Piece::Text(text) => (text.as_str(), None),
            Piece::Placeholder { name, .. } => ("", Some(name.as_str())),
        })
    }

    /// The placeholder, if the template consists of exactly one.
    pub(crate) fn only_placeholder(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Placeholder { name, .. }] => Some(name),
            _ => None,
        }
    }

    /// Names in all placeholders, alternatives included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.placeholders().flat_map(|(names, _)| names.split(OR))
    }

    /// Placeholders as written, and whether each is optional.
    pub fn placeholders(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Placeholder { name, optional } => Some((name.as_str(), *optional)),
            Piece::Text(_) => None,
        })
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Placeholder { name, optional } => {
                    write!(f, "{{{name}{}}}", if *optional { "?" } else { "" })?;
                }
            }
        }
        Ok(())
    }
}
