//! Where code uses which operation, as an audit found it.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use migrate_audit::{Finding, Kind, plain_file};

/// What `migrate audit --format json` writes, as far as it matters here.
#[derive(Deserialize)]
struct Report {
    schema: u32,
    findings: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    path: String,
    line: usize,
    kind: Kind,
    operation: Option<String>,
    #[serde(default)]
    owners: Vec<String>,
}

/// A place in the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Place {
    /// The path from the root, with slashes.
    pub(crate) path: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// Who owns the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
}

/// The findings of an audit by operation. Mentions are no code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(crate) places: BTreeMap<String, Vec<Place>>,
    /// Uses of v1 that name no operation: base URLs, client libraries.
    pub(crate) nameless: usize,
}

impl Code {
    /// Reads a report of `migrate audit --format json`.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is not an audit's report.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = plain_file::read(path, plain_file::LARGEST)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let report: Report = serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is no report of `migrate audit --format json`",
                path.display()
            )
        })?;
        if report.schema != 1 {
            bail!(
                "{} is of schema {}, and this program reads 1",
                path.display(),
                report.schema
            );
        }
        let mut code = Self::default();
        for found in report.findings {
            let place = Place {
                path: found.path,
                line: found.line,
                owners: found.owners,
            };
            code.add(found.kind, found.operation, place);
        }
        Ok(code)
    }

    /// The findings of an audit.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut code = Self::default();
        for found in findings {
            let place = Place {
                path: found.path.clone(),
                line: found.line,
                owners: found.owners.clone(),
            };
            code.add(found.kind, found.operation.clone(), place);
        }
        code
    }

    fn add(&mut self, kind: Kind, operation: Option<String>, place: Place) {
        if kind == Kind::Doc {
            return;
        }
        match operation {
            Some(operation) => {
                let places = self.places.entry(operation).or_default();
                places.push(place);
            }
            // What stands alone requests nothing.
            None if kind.traits().stands_alone => {}
            None => self.nameless += 1,
        }
    }
}
