//! Changes that are provably safe: a base URL of v1 that stands whole in the source is pointed at
//! the shim, which answers the same paths. Everything else is left to people.

use std::{collections::BTreeMap, fs, io, path::Path};

use similar::TextDiff;

use super::finding::{Finding, Kind};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path from the root, with slashes.
    pub path: String,
    /// How many places change.
    pub places: usize,
    before: String,
    after: String,
}

/// Where the shim answers: `https://shim.example.com`, without `/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShimUrl(String);

/// Why a URL cannot be the shim's.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address of a shim: give it as http://host:port or https://host")]
pub struct ShimUrlError(String);

impl std::str::FromStr for ShimUrl {
    type Err = ShimUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.trim_end_matches('/');
        let bare = bare.strip_suffix("/v1").unwrap_or(bare);
        let host = bare
            .strip_prefix("https://")
            .or_else(|| bare.strip_prefix("http://"));
        // It is put between quotes of any language.
        let plain = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '_' | '[' | ']')
        };
        match host {
            Some(host) if !host.is_empty() && host.chars().all(plain) => Ok(Self(bare.to_owned())),
            _ => Err(ShimUrlError(text.to_owned())),
        }
    }
}

/// Works out the changes for the findings below a folder. Suppressed findings stay as they are.
pub fn changes(root: &Path, findings: &[Finding], shim: &ShimUrl) -> io::Result<Vec<Change>> {
    let mut by_path: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let movable = matches!(finding.kind, Kind::BaseUrl | Kind::Url);
        if movable && finding.suppressed.is_none() {
            by_path.entry(&finding.path).or_default().push(finding);
        }
    }
    let mut changes = Vec::new();
    for (path, findings) in by_path {
        // What is not UTF-8 cannot be written back as it was.
        let before = match fs::read_to_string(root.join(path)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => continue,
            Err(error) => return Err(error),
        };
        if let Some(change) = change(path, before, &findings, shim) {
            changes.push(change);
        }
    }
    Ok(changes)
}

fn change(path: &str, before: String, findings: &[&Finding], shim: &ShimUrl) -> Option<Change> {
    let mut starts: Vec<usize> = findings
        .iter()
        .filter_map(|finding| offset(&before, finding.line, finding.column))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let mut after = before.clone();
    let mut places = 0;
    for start in starts.into_iter().rev() {
        let Some(length) = after.get(start..).and_then(base_length) else {
            continue;
        };
        after.replace_range(start..start + length, &format!("{}/v1", shim.0));
        places += 1;
    }
    (places > 0).then(|| Change {
        path: path.to_owned(),
        places,
        before,
        after,
    })
}

/// The byte offset of a line and a column.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let mut start = 0;
    for _ in 1..line {
        start += text.get(start..)?.find('\n')? + 1;
    }
    let rest = text.get(start..)?;
    let (at, _) = rest.char_indices().nth(column.checked_sub(1)?)?;
    Some(start + at)
}

/// How long the base is that a text starts with: `https://api.zoom.us/v1`.
fn base_length(text: &str) -> Option<usize> {
    let scheme = text.find("://")? + 3;
    let until = text
        .get(scheme..)?
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-'))?;
    let mut end = scheme + until;
    if text.get(end..)?.starts_with("/api/v1") {
        end += "/api".len();
    }
    let rest = text.get(end..)?.strip_prefix("/v1")?;
    let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    let whole = matches!(text.get(..scheme), Some("https://" | "http://"));
    (ends && whole).then_some(end + "/v1".len())
}

impl Change {
    /// The change as a patch.
    pub fn patch(&self) -> String {
        TextDiff::from_lines(self.before.as_str(), self.after.as_str())
            .unified_diff()
            .header(&format!("a/{}", self.path), &format!("b/{}", self.path))
            .to_string()
    }

    /// Writes the file. It is replaced as a whole, so that no half of it is ever there.
    pub fn apply(&self, root: &Path) -> io::Result<()> {
        let path = root.join(&self.path);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".migrate-new");
        let new = path.with_file_name(name);
        fs::write(&new, &self.after)?;
        fs::set_permissions(&new, fs::metadata(&path)?.permissions())?;
        fs::rename(&new, &path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_base_is_replaced() {
        assert_eq!(base_length("https://api.zoom.us/v1/user/list"), Some(22));
        assert_eq!(base_length("http://www.zoom.us/api/v1\""), Some(25));
        assert_eq!(base_length("https://api.zoom.us/v10/"), None);
        assert_eq!(base_length("/v1/"), None);
    }

    #[test]
    fn a_shim_has_a_plain_address() {
        let parsed = |text: &str| text.parse::<ShimUrl>().ok().map(|url| url.0);
        assert_eq!(
            parsed("https://shim.example.com/v1/"),
            Some("https://shim.example.com".into())
        );
        assert_eq!(
            parsed("http://127.0.0.1:8080"),
            Some("http://127.0.0.1:8080".into())
        );
        assert_eq!(parsed("https://x'y"), None);
        assert_eq!(parsed("shim"), None);
    }
}
