//! Owners of files, from `CODEOWNERS` with GitHub's semantics and GitLab's sections.
//!
//! The last matching pattern decides; a pattern without owners removes them. Patterns are those of
//! `.gitignore`, with three differences: `docs/*` does not match in subfolders, `!` and `[ ]` are
//! not supported, and a space is written as `\ `. Each GitLab section adds its own owners.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::plain_file;

/// Places of the file, in GitHub's order.
const PLACES: [&str; 4] = [
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
];

/// The owners in a tree. By default, no file has an owner.
#[derive(Debug, Default)]
pub struct Owners {
    sections: Vec<Section>,
    /// Path from the root of the repository to the audited folder: `app/`.
    below: String,
    /// The file, if it or a part of it is not used, with the reason.
    pub left_out: Option<(PathBuf, String)>,
}

/// Largest file that is read, in bytes: GitHub's limit.
const LARGEST: u64 = 3 << 20;
/// Maximum total length of the patterns with wildcards, in bytes. Each becomes a regular expression
/// with some hundred times the memory.
const WILDCARDS: usize = 128 << 10;

/// A GitLab section, in the order of the file.
#[derive(Debug, Default)]
struct Section {
    /// Owners of patterns without owners.
    default: Vec<String>,
    patterns: Vec<(Pattern, Vec<String>)>,
}

impl Owners {
    /// Reads the file of the repository around a folder, if there is one.
    pub fn of(folder: &Path) -> Self {
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let whole: PathBuf = whole.components().collect();
        for root in whole.ancestors() {
            let file = PLACES
                .iter()
                .map(|place| root.join(place))
                .find(|file| file.exists() && !file.is_dir());
            if let Some(file) = file {
                let below = whole.strip_prefix(root).unwrap_or(Path::new(""));
                let mut owners = match plain_file::read(&file, LARGEST) {
                    Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes)),
                    Err(error) => Self {
                        left_out: Some((PathBuf::new(), error.to_string())),
                        ..Self::default()
                    },
                };
                if let Some((path, _)) = &mut owners.left_out {
                    *path = file;
                }
                for part in below.components() {
                    owners.below.push_str(&part.as_os_str().to_string_lossy());
                    owners.below.push('/');
                }
                return owners;
            }
            // Folders above a repository do not count.
            if root.join(".git").exists() {
                break;
            }
        }
        Self::default()
    }

    /// Parses a `CODEOWNERS` file. Invalid lines are skipped, as GitHub does.
    pub fn parse(text: &str) -> Self {
        let mut sections = vec![Section::default()];
        let (mut wildcards, mut left_out) = (0, None);
        for line in text.lines() {
            let mut words = words(line).into_iter();
            let Some(first) = words.next() else {
                continue;
            };
            if let Some(default) = section(line) {
                sections.push(Section {
                    default,
                    patterns: Vec::new(),
                });
            } else if let (Some(pattern), Some(section)) = (pattern(&first), sections.last_mut()) {
                if first.contains(['*', '?']) {
                    wildcards += first.len();
                }
                if wildcards > WILDCARDS {
                    let reason = "has too many wildcards; its last lines are left out";
                    left_out = Some((PathBuf::new(), reason.to_owned()));
                    break;
                }
                let mut owners: Vec<String> = words.collect();
                if owners.is_empty() {
                    owners.clone_from(&section.default);
                }
                section.patterns.push((pattern, owners));
            }
        }
        Self {
            sections,
            below: String::new(),
            left_out,
        }
    }

    /// The owners of a file, by its path from the audited folder.
    pub fn of_file(&self, path: &str) -> Vec<String> {
        let path = format!("{}{path}", self.below);
        let mut owners: Vec<String> = Vec::new();
        for section in &self.sections {
            let matching = section
                .patterns
                .iter()
                .rev()
                .find(|(pattern, _)| pattern.is_match(&path));
            for owner in matching.iter().flat_map(|(_, owners)| owners) {
                if !owners.contains(owner) {
                    owners.push(owner.clone());
                }
            }
        }
        owners
    }
}

/// The words of a line before a comment; `\ ` is a space within a word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_some_and(|next| matches!(next, ' ' | '#')) => {
                word.extend(letters.next());
            }
            '#' if word.is_empty() => break,
            letter if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The default owners of a section, if a line starts one: `[Docs][2] @writers`, `^[Optional]`.
fn section(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (_, mut rest) = rest.split_once(']')?;
    if let Some(count) = rest.strip_prefix('[') {
        rest = count.split_once(']')?.1;
    }
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| words(rest))
}

/// The globs of a pattern; `None` for syntax that GitHub does not support.
fn pattern(text: &str) -> Option<Pattern> {
    if text.starts_with('!') || text.contains(['[', ']']) {
        return None;
    }
    let inner = text.strip_prefix('/').unwrap_or(text);
    let folder = inner.ends_with('/');
    let inner = inner.trim_end_matches('/');
    // A slash at the start or within anchors a pattern to the root.
    let anchored = text.starts_with('/') || inner.contains('/');
    let start = if anchored { "" } else { "**/" };
    let inner = inner.replace('{', "[{]").replace('}', "[}]");
    let last = inner.rsplit('/').next().unwrap_or_default();
    let mut globs = Vec::new();
    if !folder {
        globs.push(format!("{start}{inner}"));
    }
    // A folder matches everything in it, but `docs/*` only the files directly in `docs`.
    if folder || !(anchored && last == "*") {
        globs.push(format!("{start}{inner}/**"));
    }
    let plain = inner.find(['*', '?', '[', '\\']).unwrap_or(inner.len());
    let head = if anchored { inner.get(..plain)? } else { "" };
    Some(Pattern {
        head: head.to_owned(),
        globs,
        search: OnceLock::new(),
    })
}

/// A pattern. Its globs are compiled on the first path that starts with `head`, because a file may
/// have thousands of patterns.
#[derive(Debug)]
struct Pattern {
    /// Literal prefix of every matching path.
    head: String,
    globs: Vec<String>,
    search: OnceLock<GlobSet>,
}

impl Pattern {
    fn is_match(&self, path: &str) -> bool {
        path.starts_with(&self.head) && self.search.get_or_init(|| self.build()).is_match(path)
    }

    /// Compiles the globs; matches nothing if one is invalid.
    fn build(&self) -> GlobSet {
        let mut globs = GlobSetBuilder::new();
        for glob in &self.globs {
            let glob = GlobBuilder::new(glob)
                .literal_separator(true)
                .backslash_escape(true)
                .build();
            match glob {
                Ok(glob) => globs.add(glob),
                Err(_) => return GlobSet::empty(),
            };
        }
        globs.build().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(pattern: &str, path: &str) -> bool {
        !Owners::parse(&format!("{pattern} @a"))
            .of_file(path)
            .is_empty()
    }

    #[test]
    fn the_last_matching_pattern_decides() {
        let owners = Owners::parse("* @all\n/app/ @web @ops\n*.rb @ruby # gems\n/app/free.php\n");
        assert_eq!(owners.of_file("README.md"), ["@all"]);
        assert_eq!(owners.of_file("app/a/b.php"), ["@web", "@ops"]);
        assert_eq!(owners.of_file("app/a.rb"), ["@ruby"]);
        assert!(owners.of_file("app/free.php").is_empty());
    }

    /// The examples of GitHub's documentation.
    #[test]
    fn patterns_match_as_documented_by_github() {
        assert!(owner("*", "any/where"));
        assert!(owner("*.js", "a/b.js"));
        assert!(owner("/build/logs/", "build/logs/x/y"));
        assert!(!owner("/build/logs/", "a/build/logs/x"));
        assert!(owner("docs/*", "docs/getting-started.md"));
        assert!(!owner("docs/*", "docs/build-app/troubleshooting.md"));
        assert!(owner("apps/", "a/apps/b"));
        assert!(owner("/docs/", "docs/a/b"));
        assert!(owner("/scripts/", "scripts/a"));
        assert!(owner("**/logs", "build/logs/x"));
        assert!(owner("**/logs", "logs/x"));
        assert!(owner("/apps/github", "apps/github/a"));
        assert!(!owner("/apps/github", "b/apps/github"));
        assert!(owner("a/**/z", "a/b/c/z"));
        assert!(owner("with\\ blank/", "with blank/a"));
        assert!(owner("a.{b}", "a.{b}"));
        assert!(!owner("!secret", "secret"));
        assert!(!owner("[ab].c", "a.c"));
    }

    #[test]
    fn each_section_adds_its_owners() {
        let owners = Owners::parse(
            "* @all\n[Docs][2] @writers\n*.md\nREADME.md @lead\n^[Ruby]\n*.rb @ruby\n",
        );
        assert_eq!(owners.of_file("a.md"), ["@all", "@writers"]);
        assert_eq!(owners.of_file("README.md"), ["@all", "@lead"]);
        assert_eq!(owners.of_file("a.rb"), ["@all", "@ruby"]);
    }

    #[test]
    fn uses_the_owners_of_the_repository_for_a_folder_in_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("app/old")).unwrap();
        std::fs::create_dir_all(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("CODEOWNERS"), "/app/old/ @old\n").unwrap();
        let owners = Owners::of(&folder.path().join("app"));
        assert_eq!(owners.of_file("old/a.php"), ["@old"]);
        assert!(owners.of_file("new/a.php").is_empty());
    }
}
