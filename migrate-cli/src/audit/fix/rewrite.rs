//! Suggested rewrites: calls whose v2 form is unambiguous. Not safe, as the answer has v2's field
//! names afterwards and the program needs a v2 token.
//!
//! Two kinds only: methods of the Python library `zoomus` whose v2 class does the same under another
//! name, and `curl` commands of literals that are one v2 request without any loss.

use std::collections::BTreeMap;

use mappings::{Catalog, Site};
use tree_sitter::{Node, Tree};

use super::splice::Edit;
use crate::{
    audit::{
        finding::{Finding, Kind},
        language::Language,
    },
    translate::{self, V1Request},
};

/// A method of the library's v1 class and its form in the v2 class.
struct Method {
    v1: &'static str,
    v2: &'static str,
    /// Parameters that are called otherwise.
    renamed: &'static [(&'static str, &'static str)],
    /// Parameters that mean the same.
    kept: &'static [&'static str],
    /// What has to be given besides.
    added: &'static str,
}

/// From `zoomus` 1.2.1: `UserComponent` and `UserComponentV2` in `components/user.py`.
const METHODS: [Method; 2] = [
    Method {
        v1: "user.get_by_email",
        v2: "get",
        renamed: &[("email", "id")],
        kept: &["login_type"],
        added: "",
    },
    Method {
        v1: "user.pending",
        v2: "list",
        renamed: &[],
        kept: &["page_size", "page_number"],
        added: "status=\"pending\"",
    },
];

/// Options of `curl` that change nothing of the request and are kept.
const KEPT: [&str; 4] = ["-s", "-S", "-sS", "-f"];
/// Options of `curl` with a value that the translation reads.
const READ: [&str; 5] = ["-d", "--data", "--data-urlencode", "-X", "--request"];

/// What a rewrite needs to work.
pub(super) const NEEDS_LIBRARY: &str =
    "update zoomus to 1.2.1 with OAuth (account_id); the answer has v2's field names";
/// What a rewrite needs to work.
pub(super) const NEEDS_TOKEN: &str =
    "put a v2 access token into $TOKEN; the answer has v2's field names";

/// The edits for the call at a byte of the source, and what else has to be done.
pub(super) fn edits(
    catalog: &Catalog,
    language: Language,
    source: &str,
    tree: &Tree,
    at: usize,
) -> Option<(Vec<Edit>, &'static str)> {
    let node = tree.root_node().descendant_for_byte_range(at, at + 1)?;
    let above = |kind: &str| {
        std::iter::successors(Some(node), Node::parent).find(|node| node.kind() == kind)
    };
    match language {
        Language::Python => Some((method(source, above("call")?)?, NEEDS_LIBRARY)),
        Language::Bash => Some((vec![curl(catalog, source, above("command")?)?], NEEDS_TOKEN)),
        _ => None,
    }
}

/// True if rewrites need a later version of the library than the manifest at a path asks for.
pub(super) fn updates_library(findings: &[Finding], path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    findings.iter().any(|finding| {
        finding.kind == Kind::SdkCall
            && finding.language == Language::Python.name()
            && finding.path.starts_with(folder)
    })
}

fn method(source: &str, call: Node<'_>) -> Option<Vec<Edit>> {
    let text = |node: Node<'_>| source.get(node.byte_range()).unwrap_or_default();
    let function = call.child_by_field_name("function")?;
    let method = METHODS
        .iter()
        .find(|method| text(function).ends_with(&format!(".{}", method.v1)))?;
    let name = function.child_by_field_name("attribute")?;
    let mut edits = vec![Edit {
        from: name.start_byte(),
        to: name.end_byte(),
        with: method.v2.to_owned(),
    }];
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let given: Vec<Node<'_>> = arguments.named_children(&mut cursor).collect();
    if !method.added.is_empty() {
        let comma = if given.is_empty() { "" } else { ", " };
        edits.push(Edit {
            from: arguments.start_byte() + 1,
            to: arguments.start_byte() + 1,
            with: format!("{}{comma}", method.added),
        });
    }
    let renamed: BTreeMap<_, _> = method.renamed.iter().copied().collect();
    let mut seen = 0;
    for argument in given {
        let name = argument
            .child_by_field_name("name")
            .filter(|_| argument.kind() == "keyword_argument")?;
        if let Some(new) = renamed.get(text(name)) {
            seen += 1;
            edits.push(Edit {
                from: name.start_byte(),
                to: name.end_byte(),
                with: (*new).to_owned(),
            });
        } else if !method.kept.contains(&text(name)) {
            return None;
        }
    }
    (seen == renamed.len()).then_some(edits)
}

fn curl(catalog: &Catalog, source: &str, command: Node<'_>) -> Option<Edit> {
    let text = |node: Node<'_>| source.get(node.byte_range()).unwrap_or_default();
    let mut cursor = command.walk();
    let words: Vec<&str> = command.children(&mut cursor).map(text).collect();
    let (name, rest) = words.split_first()?;
    if *name != "curl" {
        return None;
    }
    let mut kept = String::new();
    let mut plain = vec!["curl".to_owned()];
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        if KEPT.contains(word) {
            kept.push(' ');
            kept.push_str(word);
        } else if READ.contains(word) {
            plain.push((*word).to_owned());
            plain.push(literal(rest.next()?)?);
        } else if word.starts_with('-') {
            return None;
        } else {
            plain.push(literal(word)?);
        }
    }
    let request = V1Request::from_text(catalog, &plain.join(" ")).ok()?;
    let site = Site {
        options: catalog.options(&BTreeMap::new()).unwrap_or_default(),
        ..Site::default()
    };
    let translated =
        translate::translate(catalog, &site, "https://api.zoom.us/v2", request).ok()?;
    let line = translated.only_command()?;
    Some(Edit {
        from: command.start_byte(),
        to: command.end_byte(),
        with: line.replacen("curl", &format!("curl{kept}"), 1),
    })
}

/// A word without anything that the shell would fill in; credentials may be variables, as v2 is not
/// sent them.
fn literal(word: &str) -> Option<String> {
    let bare = word.trim_start_matches(['"', '\'']);
    for name in ["api_key=", "api_secret="] {
        if bare.starts_with(name) && !bare.contains(['&', '\n', '`', '(']) {
            return Some(format!("{name}x"));
        }
    }
    (!word.contains(['$', '`', '\\', '*', '\n'])).then(|| word.to_owned())
}
