//! Meaning of the grammars' nodes, from `rules/data/nodes.toml`.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use serde::Deserialize;

const NODES: &str = include_str!("../../../rules/data/nodes.toml");
static KINDS: LazyLock<Kinds> = LazyLock::new(|| Kinds::read(NODES).unwrap_or_default());

/// Meaning of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A string with its parts as children or text.
    String,
    /// A comment.
    Comment,
    /// Markup around the code.
    Markup,
    /// `a + b`, `a . b`, `"a" "b"` and the like. The operator decides.
    Binary,
    /// A node around one other node.
    Wrapper,
    /// A call, a construction or a command.
    Call,
    /// An annotation or an attribute.
    Annotation,
    /// An assignment or declaration. It ends the expression.
    Assignment,
    /// A named value inside an expression: a map entry, a named argument.
    Pair,
    /// A label of a switch or a match.
    Case,
    /// A comparison whose operator is not in the tree.
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
    /// The end of an expression on the way up.
    Boundary,
    /// Anything else.
    Other,
}

#[derive(Debug, Default)]
struct Kinds {
    by_name: HashMap<String, Kind>,
    interpolations: HashSet<String>,
    callbacks: HashSet<String>,
}

impl Kinds {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        #[derive(Deserialize)]
        struct File {
            interpolation: HashSet<String>,
            callback: HashSet<String>,
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
            callbacks: file.callback,
        })
    }
}

/// The meaning of a node type.
pub(super) fn kind(name: &str) -> Kind {
    KINDS.by_name.get(name).copied().unwrap_or(Kind::Other)
}

/// True for a part of a string that is an interpolated expression.
pub(super) fn is_interpolation(name: &str) -> bool {
    KINDS.interpolations.contains(name)
}

/// True for the name of an argument that is called with the response.
pub(super) fn is_callback(name: &str) -> bool {
    KINDS.callbacks.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_table() {
        let kinds = Kinds::read(NODES).unwrap();
        assert_eq!(kinds.by_name.get("call"), Some(&Kind::Call));
    }
}
