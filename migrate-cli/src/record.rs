//! Recordings: files with one exchange per line.

pub(crate) mod import;

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Take},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use migrate_audit::plain_file;
use recording::Exchange;

/// Maximum length of a line, in bytes; a page of 300 users with all settings is far smaller.
const MAX_LINE: u64 = 64 << 20;

/// Iterator over the exchanges of a recording.
pub(crate) struct Recording {
    path: PathBuf,
    reader: BufReader<Take<File>>,
    /// Number of the last line read.
    line: u64,
}

impl Recording {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file =
            plain_file::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            reader: BufReader::new(file),
            line: 0,
        })
    }

    /// Reads the next exchange and its line number.
    fn read(&mut self) -> anyhow::Result<Option<(u64, Exchange)>> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.reader)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line);
            let read = read.with_context(|| format!("{} cannot be read", self.path.display()))?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            let place = format!("{}, line {}", self.path.display(), self.line);
            let is_complete = line.ends_with(b"\n");
            if !is_complete && line.len() as u64 == MAX_LINE {
                bail!("{place} is longer than {} MiB", MAX_LINE >> 20);
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let text = String::from_utf8(line).with_context(|| format!("{place} is not text"))?;
            match Exchange::read(&text) {
                Ok(exchange) => return Ok(Some((self.line, exchange))),
                // The writer was interrupted within this line.
                Err(_) if !is_complete => return Ok(None),
                Err(error) => return Err(error).context(place),
            }
        }
    }
}

impl Iterator for Recording {
    type Item = anyhow::Result<(u64, Exchange)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
