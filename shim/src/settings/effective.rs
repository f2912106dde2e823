//! The effective settings, each with its origin, for `check-config`.

use std::fmt;

use super::origin::Origin;

/// All values that hold.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    file: Option<String>,
    settings: Vec<Setting>,
}

#[derive(Clone, Debug)]
struct Setting {
    /// With dots: `limits.requests`, `tenant.1.api_key`.
    path: String,
    /// As TOML; a secret is masked.
    value: String,
    origin: Origin,
}

impl Effective {
    pub(super) fn new(file: Option<String>) -> Self {
        Self {
            file,
            settings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, path: String, value: String, origin: Origin) {
        self.settings.push(Setting {
            path,
            value,
            origin,
        });
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.settings.iter().map(|setting| {
            let Setting {
                path,
                value,
                origin,
            } = setting;
            (format!("{path} = {value}"), origin)
        });
        let lines: Vec<_> = lines.collect();
        let longest = lines.iter().map(|(line, _)| line.chars().count()).max();
        let width = longest.unwrap_or_default();
        for (line, origin) in lines {
            write!(f, "{line:<width$}  # ")?;
            match origin {
                Origin::Default => writeln!(f, "default")?,
                Origin::Line(line) => {
                    writeln!(
                        f,
                        "{}, line {line}",
                        self.file.as_deref().unwrap_or_default()
                    )?;
                }
                Origin::Variable(name) => writeln!(f, "{name}")?,
                Origin::Flag(name) => writeln!(f, "{name}")?,
            }
        }
        Ok(())
    }
}
