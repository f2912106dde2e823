//! The effective settings, each with its origin, for `check-config`.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use super::origin::Origin;

/// Settings without effect for an in-process v2.
const OF_V2: [&str; 5] = [
    "upstream.url",
    "upstream.oauth_url",
    "upstream.plan",
    "upstream.resolve",
    "upstream.dns",
];

/// The effective values.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    pub(super) file: String,
    /// Values as TOML, by paths such as `tenant.1.api_key`. Secrets are masked.
    lines: Vec<(String, Origin)>,
}

impl Effective {
    /// Values that differ from the defaults.
    #[must_use]
    pub fn changed(&self) -> Self {
        let lines = self.lines.iter().cloned();
        Self {
            file: self.file.clone(),
            lines: lines
                .filter(|(_, origin)| *origin != Origin::Default)
                .collect(),
        }
    }

    /// The given settings that only concern v2 and its tenants, under their variables, flags or
    /// keys.
    pub(super) fn of_v2(&self) -> BTreeSet<String> {
        let named = self.lines.iter().filter_map(|(line, origin)| {
            let key = line.split(" = ").next()?;
            let is_tenant = key.starts_with("tenant.");
            if !is_tenant && !OF_V2.contains(&key) {
                return None;
            }
            match origin {
                Origin::Default => None,
                Origin::Line(_) if is_tenant => Some("[[tenant]]".to_owned()),
                Origin::Line(_) => Some(key.to_owned()),
                Origin::Variable(name) => Some(name.clone()),
                Origin::Flag(name) => Some((*name).to_owned()),
            }
        });
        named.collect()
    }

    pub(super) fn add(&mut self, path: &str, value: &str, origin: Origin) {
        self.lines.push((format!("{path} = {value}"), origin));
    }
}

/// Masks the password of a URL, as `postgres://user:password@host`.
pub(super) fn without_password(text: &str) -> Cow<'_, str> {
    let masked = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user, host) = rest.rsplit_once('@')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:(hidden)@{host}"))
    };
    masked().map_or(Cow::Borrowed(text), Cow::Owned)
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.lines.iter().map(|(line, _)| line.chars().count());
        let width = widths.max().unwrap_or_default();
        for (line, origin) in &self.lines {
            write!(f, "{line:<width$}  # ")?;
            match origin {
                Origin::Default => writeln!(f, "default")?,
                Origin::Line(number) => writeln!(f, "{}, line {number}", self.file)?,
                Origin::Variable(name) => writeln!(f, "{name}")?,
                Origin::Flag(name) => writeln!(f, "{name}")?,
            }
        }
        Ok(())
    }
}
