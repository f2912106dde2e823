//! Checks of the documentation: relative links and anchors resolve, and the README is short.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Folders without documentation: build output, packages, and test data.
const SKIPPED: [&str; 5] = [
    ".git",
    "target",
    "node_modules",
    "migrate-cli/audit/rules",
    "migrate-cli/tests",
];

#[test]
fn readme_has_at_most_1400_words_and_200_lines() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let words = readme.split_whitespace().count();
    assert!(words < 1400, "README.md has {words} words");
    let lines = readme.lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}

#[test]
fn relative_links_and_anchors_resolve() {
    let pages = pages();
    assert!(pages.len() > 10, "{:?}", pages.keys());
    let mut broken = Vec::new();
    for (page, text) in &pages {
        for link in links(text).filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                let target = page.parent().unwrap().join(path);
                target.canonicalize().unwrap_or(target)
            };
            let resolves = target.exists()
                && (anchor.is_empty()
                    || pages
                        .get(&target)
                        .is_some_and(|text| anchors(text).contains(anchor)));
            if !resolves {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn anchors_match_github() {
    let text = "# Use `--fix`, safely\n## Errors\n```\n# a comment\n```\n## Errors\n";
    assert_eq!(
        anchors(text),
        ["use---fix-safely", "errors", "errors-1"]
            .map(str::to_owned)
            .into()
    );
}

#[test]
fn ignores_links_in_code() {
    let text = "[a](b.md) `[c](d)`\n```\n[e](f)\n```\n[g](h.md#i)\n";
    assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "h.md#i"]);
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

/// Markdown files, by canonical path.
fn pages() -> BTreeMap<PathBuf, String> {
    let skipped = SKIPPED.map(Path::new);
    let mut pages = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if skipped.iter().any(|skipped| path.ends_with(skipped)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.insert(path, text);
            }
        }
    }
    pages
}

/// Lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// Targets of `[text](target)` outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text)
        .flat_map(|line| line.split('`').step_by(2))
        .flat_map(|text| text.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// Anchors of the headings on GitHub: lower case, hyphens for spaces, no punctuation; repeated
/// headings get a number.
fn anchors(text: &str) -> HashSet<String> {
    let mut seen = HashMap::<String, usize>::new();
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |char: &char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_');
            let slug = heading
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-");
            let count = seen.entry(slug.clone()).or_default();
            *count += 1;
            if *count == 1 {
                slug
            } else {
                format!("{slug}-{}", *count - 1)
            }
        })
        .collect()
}
