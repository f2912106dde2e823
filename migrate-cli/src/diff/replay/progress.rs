//! How far a replay is: on a terminal, and in a file from which another run goes on.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use migrate_audit::plain_file;
use serde::{Deserialize, Serialize};

use super::{Judged, Report, count};
use crate::diff::Verdict;

/// A line that is overwritten, on a terminal only.
pub(super) struct Progress {
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            shown: None,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    pub(super) fn show(&mut self, report: &Report) {
        let is_due = self
            .shown
            .is_none_or(|shown| shown.elapsed() > Duration::from_millis(200));
        if self.is_terminal && is_due {
            self.shown = Some(Instant::now());
            let (compared, unexpected) = (report.compared(), report.unexpected());
            // There is no place to report that standard error is closed.
            let _ = write!(
                io::stderr(),
                "\r{compared} compared, {unexpected} unexpected "
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r{:60}\r", "");
        }
    }
}

/// What was compared, a line each.
pub(super) struct Journal {
    file: Option<File>,
    /// The last line of the recording that was compared.
    done: u64,
}

/// The first line: what the journal is about.
#[derive(PartialEq, Serialize, Deserialize)]
struct Head {
    recorded: String,
    shim: String,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    line: u64,
    judged: Judged,
}

impl Journal {
    /// Opens a journal and counts what is in it; without a name, nothing is noted.
    pub(super) fn open(
        path: Option<&Path>,
        recording: &Path,
        shim: &str,
        report: &mut Report,
    ) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self {
                file: None,
                done: 0,
            });
        };
        let head = Head {
            recorded: recording.display().to_string(),
            shim: shim.to_owned(),
        };
        let mut journal = Self {
            file: None,
            done: 0,
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
        // A line that was begun when the last run was stopped.
        file.set_len(whole).with_context(unwritable)?;
        if whole == 0 {
            writeln!(file, "{}", serde_json::to_string(&head)?).with_context(unwritable)?;
        }
        journal.file = Some(file);
        Ok(journal)
    }

    /// Counts what is noted; returns the length of all whole lines.
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
                let found: Head = serde_json::from_str(&line).context("it is no journal")?;
                if found != *head {
                    bail!("it is about {} and {}", found.recorded, found.shim);
                }
            } else {
                let noted: Noted =
                    serde_json::from_str(&line).with_context(|| format!("line {number}"))?;
                self.done = noted.line;
                count(report, noted.judged);
            }
            whole += read as u64;
        }
        Ok(whole)
    }

    pub(super) fn has(&self, line: u64) -> bool {
        line <= self.done
    }

    pub(super) fn note(&mut self, line: u64, judged: &Judged) -> anyhow::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut judged = serde_json::to_value(judged)?;
        // What is the same tells nothing later on.
        if let Some(rows) = judged.pointer_mut("/compared/comparison/rows")
            && let Some(rows) = rows.as_array_mut()
        {
            rows.retain(|row| row["verdict"] != Verdict::Same.as_str());
        }
        let mut text = serde_json::json!({ "line": line, "judged": judged }).to_string();
        text.push('\n');
        file.write_all(text.as_bytes())
            .context("--resume: the file cannot be written")
    }
}
