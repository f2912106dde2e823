//! Result of a run: findings and unreadable paths.

use std::{collections::BTreeMap, time::Duration};

use crate::findings::Finding;

/// A path that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    /// The path.
    pub path: String,
    /// Reason.
    pub reason: String,
}

/// Result of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// All findings by path and line.
    pub findings: Vec<Finding>,
    /// Paths that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Number of files read.
    pub files: usize,
    /// Duration of the run.
    pub elapsed: Duration,
    /// Content hashes of files with findings, by path: fixes refuse files that changed since.
    pub(crate) stamps: BTreeMap<String, u64>,
}

impl Outcome {
    /// Adds the outcome of another path.
    pub fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.unreadable.extend(other.unreadable);
        self.files += other.files;
        self.elapsed += other.elapsed;
        self.stamps.extend(other.stamps);
    }

    /// Prefixes all paths with a folder.
    pub fn put_below(&mut self, folder: &str) {
        let folder = folder.replace('\\', "/");
        let folder = folder.trim_end_matches('/');
        for finding in &mut self.findings {
            finding.path = format!("{folder}/{}", finding.path);
        }
        for unreadable in &mut self.unreadable {
            unreadable.path = format!("{folder}/{}", unreadable.path);
        }
        self.stamps = std::mem::take(&mut self.stamps)
            .into_iter()
            .map(|(path, stamp)| (format!("{folder}/{path}"), stamp))
            .collect();
    }
}
