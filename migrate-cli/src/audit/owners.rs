//! Who owns a file, by `CODEOWNERS`.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Where the file may lie, in the order in which GitHub looks.
const PLACES: [&str; 4] = [
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
];

/// The owners of a tree; nobody owns anything by default.
#[derive(Debug)]
pub struct Owners {
    /// In the order of the file: the last one that fits decides.
    patterns: Vec<(Gitignore, Vec<String>)>,
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
        let patterns = text
            .lines()
            .map(|line| line.split(" #").next().unwrap_or_default().trim())
            .filter(|line| !line.starts_with(['#', '[', '^']))
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let mut pattern = GitignoreBuilder::new("");
                pattern.add_line(None, words.next()?).ok()?;
                Some((pattern.build().ok()?, words.map(str::to_owned).collect()))
            })
            .collect();
        Self { patterns }
    }

    /// The owners of a file.
    pub fn of_file(&self, path: &str) -> Vec<String> {
        self.patterns
            .iter()
            .rev()
            .find(|(pattern, _)| pattern.matched_path_or_any_parents(path, false).is_ignore())
            .map(|(_, owners)| owners.clone())
            .unwrap_or_default()
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
