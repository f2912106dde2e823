//! Suggested rewrites: calls whose v2 form is unambiguous. Not safe, as the answer has v2's field
//! names afterwards and the program needs a v2 token.
//!
//! Two kinds only: methods of a Python library that do the same under another name in its v2 class
//! (`[[rewrite]]` in the library's rule), and `curl` commands of literals that are one v2 request
//! without any loss.

use mappings::Catalog;
use tree_sitter::{Node, Tree};

use crate::fix::{CurlTranslator, splice::Edit};
use crate::{
    findings::Finding,
    kind::Kind,
    language::Language,
    rules::{Library, Rewrite},
};

/// Options of `curl` that change nothing of the request and are kept.
const KEPT: [&str; 4] = ["-s", "-S", "-sS", "-f"];
/// Options of `curl` with a value that the translation reads.
const READ: [&str; 5] = ["-d", "--data", "--data-urlencode", "-X", "--request"];

/// What a rewritten command needs to work.
const NEEDS_TOKEN: &str = "put a v2 access token into $TOKEN; the answer has v2's field names";

/// What calls may be rewritten with.
#[derive(Clone, Copy)]
pub(super) struct Rewriter<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) libraries: &'a [Library],
    pub(super) curl: CurlTranslator,
}

impl<'a> Rewriter<'a> {
    /// The edits for the call at a byte of the source, and what else has to be done.
    pub(super) fn edits(
        self,
        language: Language,
        source: &str,
        tree: &Tree,
        at: usize,
    ) -> Option<(Vec<Edit>, &'a str)> {
        let node = tree.root_node().descendant_for_byte_range(at, at + 1)?;
        let above = |kind: &str| {
            std::iter::successors(Some(node), Node::parent).find(|node| node.kind() == kind)
        };
        match language {
            Language::Python => {
                let call = above("call")?;
                let callee = source.get(call.child_by_field_name("function")?.byte_range())?;
                let rewrite = self
                    .libraries
                    .iter()
                    .flat_map(|library| &library.rewrites)
                    .find(|rewrite| callee.ends_with(&format!(".{}", rewrite.method)))?;
                Some((method(rewrite, source, call)?, &rewrite.needs))
            }
            Language::Bash => Some((vec![self.curl(source, above("command")?)?], NEEDS_TOKEN)),
            _ => None,
        }
    }

    fn curl(self, source: &str, command: Node<'_>) -> Option<Edit> {
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
        let line = (self.curl)(self.catalog, &plain.join(" "))?;
        Some(Edit {
            from: command.start_byte(),
            to: command.end_byte(),
            with: line.replacen("curl", &format!("curl{kept}"), 1),
        })
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

fn method(rewrite: &Rewrite, source: &str, call: Node<'_>) -> Option<Vec<Edit>> {
    let text = |node: Node<'_>| source.get(node.byte_range()).unwrap_or_default();
    let name = call
        .child_by_field_name("function")?
        .child_by_field_name("attribute")?;
    let mut edits = vec![Edit {
        from: name.start_byte(),
        to: name.end_byte(),
        with: rewrite.to.clone(),
    }];
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let given: Vec<Node<'_>> = arguments.named_children(&mut cursor).collect();
    if !rewrite.added.is_empty() {
        let comma = if given.is_empty() { "" } else { ", " };
        edits.push(Edit {
            from: arguments.start_byte() + 1,
            to: arguments.start_byte() + 1,
            with: format!("{}{comma}", rewrite.added),
        });
    }
    let mut seen = 0;
    for argument in given {
        let name = argument
            .child_by_field_name("name")
            .filter(|_| argument.kind() == "keyword_argument")?;
        if let Some(new) = rewrite.renamed.get(text(name)) {
            seen += 1;
            edits.push(Edit {
                from: name.start_byte(),
                to: name.end_byte(),
                with: new.clone(),
            });
        } else if !rewrite.kept.iter().any(|kept| kept == text(name)) {
            return None;
        }
    }
    (seen == rewrite.renamed.len()).then_some(edits)
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
