//! Journal of a replay, from which another run resumes.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use migrate_audit::plain_file;
use serde::{Deserialize, Serialize};

use super::{ReplayResult, Report, count};
use crate::diff::Verdict;

/// Journal of a replay: one JSON line per exchange.
pub(super) struct Journal {
    file: Option<File>,
    /// Number of the last recording line that was compared.
    done: u64,
}

/// First line: the recording and the shim that the journal belongs to.
#[derive(PartialEq, Serialize, Deserialize)]
struct Head {
    recorded: String,
    shim: String,
}

#[derive(Serialize, Deserialize)]
struct JournalEntry {
    line: u64,
    #[serde(rename = "judged")]
    result: ReplayResult,
}

impl Journal {
    /// Opens a journal and adds its entries to the report. Without a path, nothing is recorded.
    pub(super) fn open(
        path: Option<&Path>,
        recording: &Path,
        shim: &str,
        report: &mut Report,
    ) -> anyhow::Result<Self> {
        let mut journal = Self {
            file: None,
            done: 0,
        };
        let Some(path) = path else {
            return Ok(journal);
        };
        let head = Head {
            recorded: recording.display().to_string(),
            shim: shim.to_owned(),
        };
        let mut whole = 0;
        if path.exists() {
            whole = journal
                .read(path, &head, report)
                .with_context(|| format!("--resume: {} cannot be used", path.display()))?;
        }
        let unwritable = || format!("--resume: {} cannot be written", path.display());
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(unwritable)?;
        // Cuts off an incomplete last line.
        file.set_len(whole).with_context(unwritable)?;
        if whole == 0 {
            writeln!(file, "{}", serde_json::to_string(&head)?).with_context(unwritable)?;
        }
        journal.file = Some(file);
        Ok(journal)
    }

    /// Adds the entries to the report. Returns the length of all complete lines.
    fn read(&mut self, path: &Path, head: &Head, report: &mut Report) -> anyhow::Result<u64> {
        let mut reader = BufReader::new(plain_file::open(path)?);
        let mut whole = 0;
        let mut line = String::new();
        for number in 1_u64.. {
            line.clear();
            let read = reader.read_line(&mut line)?;
            if !line.ends_with('\n') {
                break;
            }
            if number == 1 {
                let found: Head = serde_json::from_str(&line).context("not a journal")?;
                if found != *head {
                    bail!("it belongs to {} and {}", found.recorded, found.shim);
                }
            } else {
                let entry: JournalEntry =
                    serde_json::from_str(&line).with_context(|| format!("line {number}"))?;
                self.done = entry.line;
                count(report, entry.result);
            }
            whole += read as u64;
        }
        Ok(whole)
    }

    pub(super) fn has(&self, line: u64) -> bool {
        line <= self.done
    }

    pub(super) fn append(&mut self, line: u64, result: &ReplayResult) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut result = serde_json::to_value(result)?;
        // Equal fields are not needed on resume.
        if let Some(rows) = result.pointer_mut("/compared/comparison/rows")
            && let Some(rows) = rows.as_array_mut()
        {
            rows.retain(|row| row["verdict"] != Verdict::Same.as_str());
        }
        let mut text = serde_json::json!({ "line": line, "judged": result }).to_string();
        text.push('\n');
        file.write_all(text.as_bytes())
            .context("--resume: the file cannot be written")
    }
}
