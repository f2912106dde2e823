//! Dependencies on client libraries in manifests and lock files.

use crate::{
    language::{Format, Language},
    rules::Library,
};

/// A dependency on a client library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The library's ecosystem.
    pub(crate) ecosystem: String,
    /// The library's package.
    pub(crate) package: String,
    /// The minimum version, if there is one.
    pub(crate) version: Option<String>,
    /// True if that version calls v1; `None` without a version.
    pub(crate) calls_v1: Option<bool>,
}

/// Finds the dependencies in a file, each with the byte range of the package name.
pub(crate) fn find(
    path: &str,
    language: Language,
    source: &str,
    libraries: &[Library],
) -> Vec<(Dependency, usize, usize)> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let Some(ecosystem) = ecosystem(&name) else {
        return Vec::new();
    };
    let listed = listed(&name, source);
    let mut found = Vec::new();
    for library in libraries
        .iter()
        .filter(|library| library.ecosystem == ecosystem)
    {
        let mut at = 0;
        for line in entries(language, &name, source) {
            if !is_comment(language, line)
                && is_required(listed.as_deref(), &library.package)
                && let Some(column) = named(&name, line, &library.package)
            {
                let rest = line
                    .get(column + library.package.len()..)
                    .unwrap_or_default();
                let next = source.get(at + line.len()..).unwrap_or_default();
                let version = version(rest).or_else(|| following_version(&name, rest, next));
                found.push((
                    Dependency {
                        ecosystem: library.ecosystem.clone(),
                        package: library.package.clone(),
                        calls_v1: calls_v1(library, version.as_deref()),
                        version,
                    },
                    at + column,
                    at + column + library.package.len(),
                ));
            }
            at += line.len();
        }
    }
    found
}

/// The entries of a manifest: lines, or in JSON smaller parts, because a line may have several.
fn entries<'s>(language: Language, name: &str, source: &'s str) -> impl Iterator<Item = &'s str> {
    let is_json = language == Language::Data(Format::Json) || name.strip_suffix(".json").is_some();
    source.split_inclusive(move |c| c == '\n' || is_json && matches!(c, '{' | ','))
}

/// The packages that a JSON manifest requires; `None` for other files and invalid JSON.
fn listed(name: &str, source: &str) -> Option<Vec<String>> {
    let is_manifest = matches!(name, "package.json" | "composer.json" | "bower.json");
    let manifest: serde_json::Value = is_manifest.then(|| serde_json::from_str(source).ok())??;
    let tables = manifest.as_object()?.iter().filter(|(key, _)| {
        key.to_ascii_lowercase().ends_with("dependencies") || key.starts_with("require")
    });
    Some(
        tables
            .filter_map(|(_, table)| table.as_object())
            .flat_map(|table| table.keys().cloned())
            .collect(),
    )
}

fn is_required(listed: Option<&[String]>, package: &str) -> bool {
    listed.is_none_or(|listed| listed.iter().any(|name| name == package))
}

/// True if a version of a library calls v1; `None` if the version is unknown and matters.
pub(crate) fn calls_v1(library: &Library, version: Option<&str>) -> Option<bool> {
    let Some(before) = &library.before else {
        return Some(true);
    };
    let version = version?;
    Some(numbers(version) < numbers(before))
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

/// The registry whose packages a manifest lists.
pub(crate) fn ecosystem(name: &str) -> Option<&'static str> {
    let extension = name.rsplit('.').next().unwrap_or_default();
    match name {
        "gemfile" | "gemfile.lock" | "gems.rb" | "gems.locked" => Some("rubygems"),
        _ if extension == "gemspec" => Some("rubygems"),
        "setup.py" | "setup.cfg" | "pyproject.toml" | "pipfile" | "pipfile.lock"
        | "poetry.lock" | "environment.yml" | "environment.yaml" | "conda.yml" | "uv.lock"
        | "tox.ini" => Some("pypi"),
        _ if name.contains("requirement") && matches!(extension, "txt" | "in" | "pip") => {
            Some("pypi")
        }
        "package.json"
        | "package-lock.json"
        | "yarn.lock"
        | "pnpm-lock.yaml"
        | "npm-shrinkwrap.json"
        | "bower.json" => Some("npm"),
        "go.mod" | "go.sum" | "gopkg.toml" | "gopkg.lock" | "godeps.json" | "glide.yaml"
        | "glide.lock" | "vendor.json" => Some("go"),
        "composer.json" | "composer.lock" => Some("packagist"),
        _ => None,
    }
}

fn is_comment(language: Language, line: &str) -> bool {
    let start = line.trim_start();
    start.starts_with('#') && language.lexis().is_some() || start.starts_with("//")
}

/// The offset of a package name in a line, if it is not part of a longer name.
fn named(file: &str, line: &str, package: &str) -> Option<usize> {
    for (at, _) in line.match_indices(package) {
        let before = line.get(..at).unwrap_or_default().chars().next_back();
        let after = line
            .get(at + package.len()..)
            .unwrap_or_default()
            .chars()
            .next();
        let apart = |letter: Option<char>| {
            letter.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '/' | '@'))
        };
        let opens = apart(before)
            || file == "package-lock.json"
                && line
                    .get(..at)
                    .is_some_and(|head| head.ends_with("node_modules/"));
        let closes = apart(after) || file == "yarn.lock" && after == Some('@');
        if opens && closes && is_entry(file, line, at) {
            return Some(at);
        }
    }
    None
}

/// True if the line lists a dependency, false if it only mentions the package.
fn is_entry(file: &str, line: &str, at: usize) -> bool {
    let head = line.get(..at).unwrap_or_default();
    let start = head.trim_start();
    match file {
        "gemfile" | "gems.rb" => start.starts_with("gem"),
        "gemfile.lock" | "gems.locked" => start.is_empty() && !head.is_empty(),
        "setup.py" => {
            let quoted = head.ends_with(['\'', '"']);
            quoted && !head.contains("name") && !head.contains("packages") && !head.contains("url")
        }
        // Only there, every package has a "name" member.
        "composer.lock" => start == "\"name\": \"",
        "package.json" | "composer.json" => head.trim() == "\"" && line.contains(':'),
        _ if file.ends_with(".gemspec") => head.contains("dependency"),
        _ if matches!(file.rsplit('.').next(), Some("txt" | "in")) => start.is_empty(),
        _ => !head.contains("http") && !head.contains("name"),
    }
}

/// The first version number in the rest of an entry.
fn version(rest: &str) -> Option<String> {
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let head = rest.get(..start)?;
    if head.contains("git") || head.contains("http") || head.len() > 24 {
        return None;
    }
    let number: String = rest
        .get(start..)?
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    number
        .contains('.')
        .then(|| number.trim_end_matches('.').to_owned())
}

/// The version on one of the next lines, as in lock files.
fn following_version(file: &str, rest: &str, next: &str) -> Option<String> {
    let locks = matches!(
        file,
        "package-lock.json"
            | "pipfile.lock"
            | "yarn.lock"
            | "npm-shrinkwrap.json"
            | "poetry.lock"
            | "composer.lock"
    );
    if !locks || rest.contains(',') {
        return None;
    }
    next.lines()
        .take(4)
        .find(|line| line.contains("version"))
        .and_then(|line| version(line.get(line.find("version")? + 7..)?))
}

/// The names under which a manifest publishes its own project.
pub(crate) fn publishes(path: &str, source: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_manifest = matches!(
        name.as_str(),
        "package.json" | "setup.py" | "setup.cfg" | "pyproject.toml" | "composer.json"
    ) || name.ends_with(".gemspec");
    if !is_manifest {
        return Vec::new();
    }
    source
        .lines()
        .filter_map(|line| {
            let at = line.find("name")?;
            let rest = line
                .get(at + 4..)?
                .trim_start_matches(['"', '\'', ' ', '=', ':', '\t']);
            let head = line.get(..at)?;
            if head.chars().next_back().is_some_and(char::is_alphanumeric) {
                return None;
            }
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '@'))
                .collect();
            (!name.is_empty()).then_some(name)
        })
        .take(3)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("0.10.0") > numbers("0.9.9"));
        assert_eq!(version("', '~> 0.7.0'"), Some("0.7.0".into()));
        assert_eq!(version(" (0.7.0)"), Some("0.7.0".into()));
        assert_eq!(version("', git: 'https://example.com/v1.2'"), None);
    }

    #[test]
    fn finds_only_dependency_entries() {
        assert_eq!(named("gemfile", "gem 'zoomus'\n", "zoomus"), Some(5));
        assert_eq!(named("gemfile", "gem 'zoomus_extra'\n", "zoomus"), None);
        assert_eq!(
            named("package.json", "  \"zoomus\": \"^0.1.5\",", "zoomus"),
            Some(3)
        );
        assert_eq!(
            named("package.json", "  \"name\": \"zoomus\",", "zoomus"),
            None
        );
        assert_eq!(
            named("gemfile.lock", "    zoomus (0.7.0)", "zoomus"),
            Some(4)
        );
    }
}
