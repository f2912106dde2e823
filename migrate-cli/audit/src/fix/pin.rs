//! Pins a dependency to its exact version, so that an update cannot switch to v2.
//!
//! Only compatible ranges are pinned: `^0.1.5`, `~> 0.7.0`, `~=0.1.7`. The version is the one in
//! the lock file beside the manifest, else the minimum of the range. Open ranges such as `>=0.1.7`
//! need a lock file, because their current version is unknown otherwise. Lock files are not
//! changed.

use std::path::Path;

use crate::fix::splice::Edit;
use crate::{facts::dependencies, rules::Library};

/// A pin.
pub(super) struct Pin {
    pub(super) edit: Edit,
    /// The command that updates the lock file.
    pub(super) then: String,
}

/// Version syntax of a manifest.
struct Form {
    /// Operators of compatible ranges.
    ranges: &'static [&'static str],
    /// Operator of an exact version.
    exact: &'static str,
    /// Names of its lock files.
    locks: &'static [&'static str],
    then: &'static str,
}

fn form(name: &str) -> Option<Form> {
    Some(match name {
        "package.json" => Form {
            ranges: &["^", "~"],
            exact: "",
            locks: &["package-lock.json", "npm-shrinkwrap.json", "yarn.lock"],
            then: "npm install (or yarn install)",
        },
        "composer.json" => Form {
            ranges: &["^", "~"],
            exact: "",
            locks: &["composer.lock"],
            then: "composer update --lock",
        },
        "gemfile" | "gems.rb" => Form {
            ranges: &["~>"],
            exact: "",
            locks: &["gemfile.lock", "gems.locked"],
            then: "bundle install",
        },
        "pyproject.toml" => Form {
            ranges: &["^", "~=", "~"],
            exact: "==",
            locks: &["poetry.lock", "uv.lock"],
            then: "poetry lock (or uv lock)",
        },
        "pipfile" => Form {
            ranges: &["~="],
            exact: "==",
            locks: &["pipfile.lock"],
            then: "pipenv lock",
        },
        _ if name.contains("requirement") && has_extension(name, "txt") => Form {
            ranges: &["~="],
            exact: "==",
            locks: &[],
            then: "pip install -r",
        },
        _ => return None,
    })
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The pin of the entry with the package's name at byte `at` of a manifest; `None` if the syntax of
/// the entry is not a plain range.
pub(super) fn pin(
    root: &Path,
    path: &str,
    source: &str,
    at: usize,
    libraries: &[Library],
) -> Option<Pin> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let form = form(&name)?;
    let library = libraries.iter().find(|library| {
        source
            .get(at..)
            .is_some_and(|rest| rest.starts_with(&library.package))
            && dependencies::ecosystem(&name) == Some(library.ecosystem.as_str())
    })?;
    let from = at + library.package.len();
    let line = source.get(from..)?.lines().next()?;
    let entry = Entry::read(&name, line, &form)?;
    let locked = locked(root, path, library, &form);
    if entry.is_open && locked.is_none()
        || form.exact.is_empty() && !is_in_dependencies(&name, source, at)
    {
        return None;
    }
    let version = locked.unwrap_or_else(|| entry.version.to_owned());
    if dependencies::calls_v1(library, Some(&version)) != Some(true) || !is_whole(&version) {
        return None;
    }
    let then = match form.locks {
        [] => format!("{} {path}", form.then),
        _ => form.then.to_owned(),
    };
    Some(Pin {
        edit: Edit::new(
            from + entry.start..from + entry.end,
            format!("{}{version}", form.exact),
        ),
        then,
    })
}

/// The version range behind a package's name on its line.
struct Entry<'l> {
    version: &'l str,
    start: usize,
    end: usize,
    /// True if the range has no upper bound.
    is_open: bool,
}

/// Operator of an open range, in every manifest.
const OPEN: &str = ">=";

impl<'l> Entry<'l> {
    fn read(name: &str, line: &'l str, form: &Form) -> Option<Self> {
        let ranges = || form.ranges.iter().copied().chain([OPEN]);
        let start = ranges().filter_map(|range| line.find(range)).min()?;
        let before = line.get(..start)?;
        // `": "`, `', '`, ` = "` or nothing: not a table, an extra, or a second condition.
        let opens = match name {
            "package.json" | "composer.json" => before.replace(' ', "") == "\":\"",
            "gemfile" | "gems.rb" => {
                matches!(before.replace(' ', "").as_str(), "','" | "\",\"")
            }
            "pyproject.toml" | "pipfile" => {
                let plain = before.replace(' ', "");
                plain.is_empty() || plain == "=\"" || plain == "\"=\""
            }
            _ => before.trim().is_empty(),
        };
        let rest = line.get(start..)?;
        let operator = ranges()
            .filter(|range| rest.starts_with(range))
            .max_by_key(|range| range.len())?;
        let body = rest.strip_prefix(operator)?;
        let blanks = body.len() - body.trim_start().len();
        let version_start = start + operator.len() + blanks;
        let body = line.get(version_start..)?;
        let length = body
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .unwrap_or(body.len());
        let version = body.get(..length)?;
        let after = body.get(length..)?.trim_start();
        let closes = match name {
            "package.json" | "composer.json" => matches!(after.trim_end(), "\"" | "\","),
            // Gems may have more options, but not a second version.
            "gemfile" | "gems.rb" => {
                let tail = after.strip_prefix(['\'', '"'])?.trim_start();
                let tail = tail.strip_prefix(',').unwrap_or(tail).trim_start();
                tail.is_empty()
                    || tail.starts_with('#')
                    || tail.starts_with(|c: char| c.is_ascii_lowercase() || c == ':')
            }
            "pyproject.toml" | "pipfile" => {
                let tail = after.strip_prefix('"')?.trim();
                matches!(tail, "" | ",") || tail.starts_with('#')
            }
            _ => after.is_empty() || after.starts_with('#') || after.starts_with(';'),
        };
        (opens && closes && !version.is_empty()).then_some(Self {
            version,
            start,
            end: version_start + length,
            is_open: operator == OPEN,
        })
    }
}

/// True if an entry of a JSON manifest is a dependency of the program itself. Peer dependencies and
/// overrides are not.
fn is_in_dependencies(name: &str, source: &str, at: usize) -> bool {
    let lists: &[&str] = match name {
        "package.json" => &["dependencies", "devDependencies", "optionalDependencies"],
        "composer.json" => &["require", "require-dev"],
        _ => return true,
    };
    let head = source.get(..at).unwrap_or_default();
    let mut depth = 0_usize;
    for (index, letter) in head.char_indices().rev() {
        match letter {
            '}' => depth += 1,
            '{' if depth == 0 => {
                let key = head.get(..index).unwrap_or_default();
                let key = key.trim_end().trim_end_matches(':').trim_end();
                return lists
                    .iter()
                    .any(|list| key.ends_with(&format!("\"{list}\"")));
            }
            '{' => depth -= 1,
            _ => {}
        }
    }
    false
}

/// True for a full version such as `0.1.5`, false for `0.1`, which stands for several.
fn is_whole(version: &str) -> bool {
    version.split('.').count() >= 3
        && version
            .split('.')
            .all(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}

/// The version in a lock file beside the manifest.
fn locked(root: &Path, path: &str, library: &Library, form: &Form) -> Option<String> {
    let folder = root.join(path);
    let folder = folder.parent()?;
    let files: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .collect();
    form.locks.iter().find_map(|lock| {
        let file = files.iter().find(|file| {
            file.file_name()
                .to_string_lossy()
                .eq_ignore_ascii_case(lock)
        })?;
        let text = crate::plain_file::read_text(&file.path()).ok()?;
        let language = crate::language::Language::of(Path::new(lock), "");
        dependencies::find(lock, language, &text, std::slice::from_ref(library))
            .into_iter()
            .find_map(|(dependency, _, _)| dependency.version.filter(|version| is_whole(version)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn pinned(name: &str, text: &str) -> Option<String> {
        let rules = Rules::embedded().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = text.find("zoomus")?;
        let pin = pin(folder.path(), name, text, at, &rules.libraries)?;
        super::super::splice::splice_text(text, &[pin.edit])
    }

    #[test]
    fn compatible_ranges_become_exact() {
        for (name, before, after) in [
            (
                "package.json",
                "{\"dependencies\": {\n  \"zoomus\": \"^0.1.5\",\n",
                "{\"dependencies\": {\n  \"zoomus\": \"0.1.5\",\n",
            ),
            (
                "Gemfile",
                "gem 'zoomus', '~> 0.7.0', require: false\n",
                "gem 'zoomus', '0.7.0', require: false\n",
            ),
            (
                "requirements.txt",
                "zoomus~=0.1.7  # v1\n",
                "zoomus==0.1.7  # v1\n",
            ),
            (
                "requirements-dev.txt",
                "zoomus ~= 0.1.7 ; python_version < '3'\n",
                "zoomus ==0.1.7 ; python_version < '3'\n",
            ),
            (
                "pyproject.toml",
                "zoomus = \"^0.1.7\"\n",
                "zoomus = \"==0.1.7\"\n",
            ),
            (
                "pyproject.toml",
                "dependencies = [\n  \"zoomus~=0.1.7\",\n",
                "dependencies = [\n  \"zoomus==0.1.7\",\n",
            ),
            (
                "Pipfile",
                "zoomus = \"~=0.1.7\"\n",
                "zoomus = \"==0.1.7\"\n",
            ),
        ] {
            assert_eq!(pinned(name, before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn pins_the_version_of_the_lock_file() {
        let rules = Rules::embedded().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lock =
            "{\n \"packages\": {\n  \"node_modules/zoomus\": {\n   \"version\": \"0.1.9\",\n";
        std::fs::write(folder.path().join("package-lock.json"), lock).unwrap();
        let text = "{\"dependencies\": {\n  \"zoomus\": \">=0.1.5\"\n}}";
        let at = text.find("zoomus").unwrap();
        let pin = pin(folder.path(), "package.json", text, at, &rules.libraries).unwrap();
        assert_eq!(pin.edit.with, "0.1.9");
    }

    #[test]
    fn leaves_other_syntax_alone() {
        for (name, text) in [
            ("requirements.txt", "zoomus>=0.1.7\n"),
            ("requirements.txt", "zoomus==0.1.7\n"),
            ("requirements.txt", "zoomus~=0.1.7,!=0.1.8\n"),
            ("requirements.txt", "zoomus~=0.1\n"),
            ("requirements.txt", "zoomus~=1.0.0\n"),
            (
                "package.json",
                "{\"peerDependencies\": {\n  \"zoomus\": \"^0.1.5\"\n",
            ),
            ("package.json", "  \"zoomus\": \"^0.1.5 || ^0.2.0\",\n"),
            ("package.json", "  \"zoomus\": \"github:a/zoomus\",\n"),
            ("Gemfile", "gem 'zoomus', '~> 0.7.0', '>= 0.7.1'\n"),
            (
                "Gemfile",
                "gem 'zoomus', git: 'https://example.com/~> 0.7.0'\n",
            ),
            ("pyproject.toml", "zoomus = { version = \"^0.1.7\" }\n"),
            ("Gemfile.lock", "    zoomus (~> 0.7.0)\n"),
        ] {
            assert_eq!(pinned(name, text), None, "{text}");
        }
    }
}
