//! Suggestions: rewrites of calls with an unambiguous v2 form. They are not safe, because the
//! response has v2's field names and the program needs a v2 token.
//!
//! There are two kinds: methods of a Python library with another name in its v2 class
//! (`[[rewrite]]` in the library's rule), and `curl` commands without variables that one v2 request
//! replaces without a loss.

use mappings::Catalog;
use tree_sitter::{Node, Tree};

use crate::fix::{CurlTranslator, splice::Edit};
use crate::{
    findings::Finding,
    kind::Kind,
    language::Language,
    rules::{Library, Rewrite},
};

/// Options of `curl` that do not affect the request. They are kept.
const KEPT: [&str; 4] = ["-s", "-S", "-sS", "-f"];
/// Options of `curl` with a value that the translation supports.
const READ: [&str; 5] = ["-d", "--data", "--data-urlencode", "-X", "--request"];

/// Follow-up work of a rewritten command.
const NEEDS_TOKEN: &str = "put a v2 access token into $TOKEN; the answer has v2's field names";

/// Rewrites calls.
#[derive(Clone, Copy)]
pub(super) struct Rewriter<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) libraries: &'a [Library],
    pub(super) curl: CurlTranslator,
}

impl<'a> Rewriter<'a> {
    /// The edits for the call at a byte of the source, and the follow-up work.
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
        let with = line.replacen("curl", &format!("curl{kept}"), 1);
        Some(Edit::new(command.byte_range(), with))
    }
}

/// True if rewritten calls need a later version of the library than the manifest at `path` allows.
pub(super) fn updates_library(findings: &[Finding], path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    findings.iter().any(|finding| {
        finding.kind == Kind::SdkCall
            && finding.language == Language::Python.name()
            && finding.path.starts_with(folder)
    })
}

/// The edits that rename a method and its parameters.
fn method(rewrite: &Rewrite, source: &str, call: Node<'_>) -> Option<Vec<Edit>> {
    let text = |node: Node<'_>| source.get(node.byte_range()).unwrap_or_default();
    let name = call
        .child_by_field_name("function")?
        .child_by_field_name("attribute")?;
    let mut edits = vec![Edit::new(name.byte_range(), &*rewrite.to)];
    let arguments = call.child_by_field_name("arguments")?;
    let mut cursor = arguments.walk();
    let given: Vec<Node<'_>> = arguments.named_children(&mut cursor).collect();
    if !rewrite.added.is_empty() {
        let comma = if given.is_empty() { "" } else { ", " };
        let at = arguments.start_byte() + 1;
        edits.push(Edit::new(at..at, format!("{}{comma}", rewrite.added)));
    }
    let mut seen = 0;
    for argument in given {
        let name = argument
            .child_by_field_name("name")
            .filter(|_| argument.kind() == "keyword_argument")?;
        if let Some(new) = rewrite.renamed.get(text(name)) {
            seen += 1;
            edits.push(Edit::new(name.byte_range(), &**new));
        } else if !rewrite.kept.iter().any(|kept| kept == text(name)) {
            return None;
        }
    }
    (seen == rewrite.renamed.len()).then_some(edits)
}

/// A word that the shell does not expand. Credentials may be variables, because v2 does not get
/// them.
fn literal(word: &str) -> Option<String> {
    let bare = word.trim_start_matches(['"', '\'']);
    for name in ["api_key=", "api_secret="] {
        if bare.starts_with(name) && !bare.contains(['&', '\n', '`', '(']) {
            return Some(format!("{name}x"));
        }
    }
    (!word.contains(['$', '`', '\\', '*', '\n'])).then(|| word.to_owned())
}
