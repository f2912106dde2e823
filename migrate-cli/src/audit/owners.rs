//! Who owns a file, by `CODEOWNERS`.

use std::{collections::HashMap, path::Path};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Where the file may lie, in the order in which GitHub looks.
const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The owners of a tree; nobody owns anything by default.
#[derive(Debug)]
pub struct Owners {
    patterns: Gitignore,
    owners: HashMap<String, Vec<String>>,
}

impl Owners {
    /// Reads the file of a tree, if it has one.
    pub fn of(root: &Path) -> Self {
        let text = PLACES
            .iter()
            .find_map(|place| std::fs::read_to_string(root.join(place)).ok());
        Self::parse(text.as_deref().unwrap_or_default())
    }

    /// Reads the text of a `CODEOWNERS` file. Lines that are no pattern are skipped, as GitHub does.
    pub fn parse(text: &str) -> Self {
        let mut patterns = GitignoreBuilder::new("");
        let mut owners = HashMap::new();
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if line.is_empty() || line.starts_with(['#', '[', '^']) {
                continue;
            }
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next() else {
                continue;
            };
            if patterns.add_line(None, pattern).is_ok() {
                owners.insert(pattern.to_owned(), words.map(str::to_owned).collect());
            }
        }
        Self {
            patterns: patterns.build().unwrap_or_else(|_| Gitignore::empty()),
            owners,
        }
    }

    /// The owners of a file; the last pattern that fits decides.
    pub fn of_file(&self, path: &str) -> Vec<String> {
        let found = self.patterns.matched_path_or_any_parents(path, false);
        match found {
            ignore::Match::Ignore(glob) => {
                self.owners.get(glob.original()).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let owners = Owners::parse("* @all\n/app/ @web @ops\n*.rb @ruby # gems\n/app/free.php\n");
        assert_eq!(owners.of_file("README.md"), ["@all"]);
        assert_eq!(owners.of_file("app/a/b.php"), ["@web", "@ops"]);
        assert_eq!(owners.of_file("app/a.rb"), ["@ruby"]);
        assert!(owners.of_file("app/free.php").is_empty());
    }
}
