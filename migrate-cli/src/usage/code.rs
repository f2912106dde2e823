//! Uses of v1 operations in code, from an audit.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use migrate_audit::{Finding, Kind, plain_file};

/// The parts of a `migrate audit --format json` report that are needed here.
#[derive(Deserialize)]
struct Report {
    schema: u32,
    findings: Vec<ReportedFinding>,
}

#[derive(Deserialize)]
struct ReportedFinding {
    path: String,
    line: usize,
    kind: Kind,
    operation: Option<String>,
    #[serde(default)]
    owners: Vec<String>,
}

/// Code location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Place {
    /// Path from the root, with slashes.
    pub(crate) path: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Owners of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
}

/// Audit findings by operation, without mentions in documentation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(crate) places: BTreeMap<String, Vec<Place>>,
    /// Uses of v1 without an operation: base URLs, client libraries.
    pub(crate) nameless: usize,
}

impl Code {
    /// Reads a report of `migrate audit --format json`.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not an audit report.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = plain_file::read(path, plain_file::LARGEST)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let report: Report = serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is not a report of `migrate audit --format json`",
                path.display()
            )
        })?;
        if report.schema != 1 {
            bail!(
                "{} has schema {}; this version reads schema 1",
                path.display(),
                report.schema
            );
        }
        let mut code = Self::default();
        for found in report.findings {
            code.add(found);
        }
        Ok(code)
    }

    pub(crate) fn of(findings: &[Finding]) -> Self {
        let mut code = Self::default();
        for found in findings {
            code.add(ReportedFinding {
                path: found.path.clone(),
                line: found.line,
                kind: found.kind,
                operation: found.operation.clone(),
                owners: found.owners.clone(),
            });
        }
        code
    }

    fn add(&mut self, found: ReportedFinding) {
        if found.kind == Kind::Doc {
            return;
        }
        match found.operation {
            Some(operation) => self.places.entry(operation).or_default().push(Place {
                path: found.path,
                line: found.line,
                owners: found.owners,
            }),
            // Credentials and the like call nothing by themselves.
            None if found.kind.traits().stands_alone => {}
            None => self.nameless += 1,
        }
    }
}
