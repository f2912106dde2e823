//! Reads the files of a git revision through git itself, without a checkout.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Larger files are left out, as they are no source code; in bytes.
const LARGE: usize = 16 << 20;

/// Why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// git cannot be run, or what it says cannot be read.
    #[error("git cannot be run: {0}")]
    Run(#[from] io::Error),
    /// git knows no such revision or repository.
    #[error("git cannot read the revision {revision}: {message}")]
    Unknown {
        /// The revision.
        revision: String,
        /// What git says.
        message: String,
    },
}

/// Hands over each file of a revision below a folder with its path, until `take` returns false.
pub(crate) fn read(
    folder: &Path,
    revision: &str,
    take: &mut dyn FnMut(&str, &[u8]) -> bool,
) -> Result<(), RevisionError> {
    let files = list(folder, revision)?;
    let mut objects = Objects::open(folder)?;
    let mut bytes = Vec::new();
    for (object, path) in files {
        if objects.read(&object, &mut bytes)? && !take(&path, &bytes) {
            break;
        }
    }
    Ok(())
}

/// The plain files of a revision: object and path.
fn list(folder: &Path, revision: &str) -> Result<Vec<(String, String)>, RevisionError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["ls-tree", "-r", "-z", "--end-of-options", revision])
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(RevisionError::Unknown {
            revision: revision.to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let files = text.split('\0').filter_map(|entry| {
        let (about, path) = entry.split_once('\t')?;
        let mut words = about.split(' ');
        let (mode, kind, object) = (words.next()?, words.next()?, words.next()?);
        // 120000 is a symbolic link, whose content is a path.
        (kind == "blob" && mode != "120000").then(|| (object.to_owned(), path.to_owned()))
    });
    Ok(files.collect())
}

/// A git process that hands out objects.
struct Objects {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn open(folder: &Path) -> io::Result<Self> {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let ask = child.stdin.take();
        let answers = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("git has no output"))?;
        Ok(Self {
            child,
            ask,
            answers: BufReader::new(answers),
        })
    }

    /// Reads an object; false if it is missing or too large.
    fn read(&mut self, object: &str, bytes: &mut Vec<u8>) -> io::Result<bool> {
        if let Some(ask) = &mut self.ask {
            writeln!(ask, "{object}")?;
            ask.flush()?;
        }
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let size = head
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<usize>().ok());
        let Some(size) = size else {
            return Ok(false);
        };
        bytes.clear();
        let kept = u64::try_from(size.min(LARGE)).unwrap_or(u64::MAX);
        let all = u64::try_from(size).unwrap_or(u64::MAX);
        (&mut self.answers).take(kept).read_to_end(bytes)?;
        // The rest of a large object, and the line end after each.
        io::copy(
            &mut (&mut self.answers).take(all - kept + 1),
            &mut io::sink(),
        )?;
        Ok(size <= LARGE)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // git ends when its standard input is closed.
        self.ask = None;
        let _ = self.child.wait();
    }
}
