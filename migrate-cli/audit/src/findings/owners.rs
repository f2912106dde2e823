//! Who owns a file, by `CODEOWNERS` as GitHub reads it, and the sections of GitLab's.
//!
//! The last pattern that fits decides, and a pattern without owners takes them away. Patterns are
//! those of `.gitignore`, except that `docs/*` does not reach into subfolders, that `!` and `[ ]`
//! mean nothing, and that a blank is written as `\ `. Every section of GitLab's decides for itself.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::plain_file;

/// Where the file may lie, in the order in which GitHub looks.
const PLACES: [&str; 4] = [
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
];

/// The owners of a tree; by default no file has an owner.
#[derive(Debug, Default)]
pub struct Owners {
    sections: Vec<Section>,
    /// The audited folder, seen from the root of the repository: `app/`.
    below: String,
    /// The file, and why it or a part of it is not used.
    pub left_out: Option<(PathBuf, String)>,
}

/// Largest file that is read, in bytes: GitHub's limit.
const LARGEST: u64 = 3 << 20;
/// Largest sum of all patterns with wildcards, in bytes: each becomes a regular expression, which
/// takes some hundred times as much memory.
const WILDCARDS: usize = 128 << 10;

/// Lines that decide together, in the order of the file.
#[derive(Debug, Default)]
struct Section {
    /// Owners of patterns that name none.
    default: Vec<String>,
    patterns: Vec<(Pattern, Vec<String>)>,
}

impl Owners {
    /// Reads the file of the repository that a folder is in, if it has one.
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
            // What lies above a repository has nothing to say about it.
            if root.join(".git").exists() {
                break;
            }
        }
        Self::default()
    }

    /// Reads the text of a `CODEOWNERS` file. Lines that are no pattern are skipped, as GitHub does.
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
            let decides = section
                .patterns
                .iter()
                .rev()
                .find(|(pattern, _)| pattern.is_match(&path));
            for owner in decides.iter().flat_map(|(_, owners)| owners) {
                if !owners.contains(owner) {
                    owners.push(owner.clone());
                }
            }
        }
        owners
    }
}

/// The words of a line until a comment; `\ ` is a blank within a word.
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

/// The default owners of a section, if a line begins one: `[Docs][2] @writers`, `^[Optional]`.
fn section(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (_, mut rest) = rest.split_once(']')?;
    if let Some(count) = rest.strip_prefix('[') {
        rest = count.split_once(']')?.1;
    }
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| words(rest))
}

/// What a pattern matches; nothing if it has what GitHub does not know.
fn pattern(text: &str) -> Option<Pattern> {
    if text.starts_with('!') || text.contains(['[', ']']) {
        return None;
    }
    let inner = text.strip_prefix('/').unwrap_or(text);
    let folder = inner.ends_with('/');
    let inner = inner.trim_end_matches('/');
    // A slash at the start or within ties a pattern to the root.
    let tied = text.starts_with('/') || inner.contains('/');
    let start = if tied { "" } else { "**/" };
    let inner = inner.replace('{', "[{]").replace('}', "[}]");
    let last = inner.rsplit('/').next().unwrap_or_default();
    let mut globs = Vec::new();
    if !folder {
        globs.push(format!("{start}{inner}"));
    }
    // A folder stands for all that is in it; but `docs/*` only for the files beside each other.
    if folder || !(tied && last == "*") {
        globs.push(format!("{start}{inner}/**"));
    }
    let plain = inner.find(['*', '?', '[', '\\']).unwrap_or(inner.len());
    let head = if tied { inner.get(..plain)? } else { "" };
    Some(Pattern {
        head: head.to_owned(),
        globs,
        search: OnceLock::new(),
    })
}

/// A pattern; what it takes to search for it is made when a path comes near, as a file may have
/// thousands of them.
#[derive(Debug)]
struct Pattern {
    /// What every path that fits begins with.
    head: String,
    globs: Vec<String>,
    search: OnceLock<GlobSet>,
}

impl Pattern {
    fn is_match(&self, path: &str) -> bool {
        path.starts_with(&self.head) && self.search.get_or_init(|| self.build()).is_match(path)
    }

    /// The search; it matches nothing if a glob is invalid.
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
    fn the_last_pattern_that_fits_decides() {
        let owners = Owners::parse("* @all\n/app/ @web @ops\n*.rb @ruby # gems\n/app/free.php\n");
        assert_eq!(owners.of_file("README.md"), ["@all"]);
        assert_eq!(owners.of_file("app/a/b.php"), ["@web", "@ops"]);
        assert_eq!(owners.of_file("app/a.rb"), ["@ruby"]);
        assert!(owners.of_file("app/free.php").is_empty());
    }

    /// The examples of GitHub's documentation, each with what it says.
    #[test]
    fn patterns_mean_what_github_says() {
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
    fn sections_decide_one_by_one() {
        let owners = Owners::parse(
            "* @all\n[Docs][2] @writers\n*.md\nREADME.md @lead\n^[Ruby]\n*.rb @ruby\n",
        );
        assert_eq!(owners.of_file("a.md"), ["@all", "@writers"]);
        assert_eq!(owners.of_file("README.md"), ["@all", "@lead"]);
        assert_eq!(owners.of_file("a.rb"), ["@all", "@ruby"]);
    }

    #[test]
    fn a_folder_within_a_repository_has_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("app/old")).unwrap();
        std::fs::create_dir_all(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("CODEOWNERS"), "/app/old/ @old\n").unwrap();
        let owners = Owners::of(&folder.path().join("app"));
        assert_eq!(owners.of_file("old/a.php"), ["@old"]);
        assert!(owners.of_file("new/a.php").is_empty());
    }
}
