//! What the nodes of the grammars mean: `rules/data/nodes.toml`.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use serde::Deserialize;

const NODES: &str = include_str!("../../../rules/data/nodes.toml");
static KINDS: LazyLock<Kinds> = LazyLock::new(|| Kinds::read(NODES).unwrap_or_default());

/// What a node is, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A string; its parts are below it or in its text.
    String,
    /// A comment.
    Comment,
    /// Markup around the code.
    Markup,
    /// `a + b`, `a . b`, `"a" "b"` and the like; the operator still has to be looked at.
    Binary,
    /// A node that only wraps another.
    Wrapper,
    /// A call, a construction or a command.
    Call,
    /// An annotation or an attribute.
    Annotation,
    /// Something that gives a value a name and ends the expression.
    Assignment,
    /// A named value inside an expression: a map entry, a named argument.
    Pair,
    /// A label of a switch or a match.
    Case,
    /// A comparison without an operator to look at.
    Comparison,
    /// A list of arguments or elements.
    List,
    /// A class, module, object or map.
    Container,
    /// A function or method.
    Function,
    /// `a.b`, `a->b`
    Member,
    /// `a['b']`
    Subscript,
    /// A name.
    Identifier,
    /// Where an expression ends on the way up.
    Boundary,
    /// Anything else.
    Other,
}

#[derive(Debug, Default)]
struct Kinds {
    by_name: HashMap<String, Kind>,
    interpolations: HashSet<String>,
}

impl Kinds {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        #[derive(Deserialize)]
        struct File {
            interpolation: HashSet<String>,
            #[serde(flatten)]
            nodes: BTreeMap<Kind, Vec<String>>,
        }
        let file: File = toml::from_str(text)?;
        let nodes = file.nodes.into_iter();
        Ok(Self {
            by_name: nodes
                .flat_map(|(kind, names)| names.into_iter().map(move |name| (name, kind)))
                .collect(),
            interpolations: file.interpolation,
        })
    }
}

/// What a node of that name is.
pub(super) fn kind(name: &str) -> Kind {
    KINDS.by_name.get(name).copied().unwrap_or(Kind::Other)
}

/// True if a part of a string stands for the value of something else.
pub(super) fn is_interpolation(name: &str) -> bool {
    KINDS.interpolations.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let kinds = Kinds::read(NODES).unwrap();
        assert_eq!(kinds.by_name.get("call"), Some(&Kind::Call));
    }
}
