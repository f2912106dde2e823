//! What `audit`, `plan` and `status` look through, and how.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use mappings::Catalog;

use crate::audit::{Audit, Options, Outcome, owners::Owners};

/// What to look through.
#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// Folders and files to look through.
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,

    /// Look through a git revision of PATH instead of its files; nothing is checked out.
    #[arg(long, value_name = "REVISION", conflicts_with = "files_from")]
    rev: Option<String>,

    /// Look only through the files named in a list, one a line; - is the standard input.
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,

    /// Look also at what .gitignore and the like leave out.
    #[arg(long)]
    no_ignore: bool,

    /// Files larger than this many bytes are searched for URLs, but not parsed.
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20)]
    max_parse: u64,

    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// What was found, and whether the run was ended early.
pub(crate) struct Found {
    /// The findings and the rest.
    pub(crate) outcome: Outcome,
    /// True if the run was interrupted.
    pub(crate) interrupted: bool,
}

impl Sources {
    /// Runs the audit.
    pub(crate) fn run(&self, catalog: &Catalog) -> anyhow::Result<Found> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        // The second Ctrl-C ends the program at once: the handler sees the flag set.
        ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                std::process::abort();
            }
        })
        .ok();
        let options = Options {
            ignore_files: !self.no_ignore,
            large: self.max_parse,
            stop: Arc::clone(&stop),
            ..Options::default()
        };
        let progress = Progress::start(&options, self.quiet);
        let audit = Audit::new(catalog, options)?;
        let mut outcome = self.look(&audit)?;
        progress.end();
        outcome.findings.sort_by(|a, b| {
            (&a.path, a.line, a.column, a.kind).cmp(&(&b.path, b.line, b.column, b.kind))
        });
        Ok(Found {
            outcome,
            interrupted: stop.load(Ordering::Relaxed),
        })
    }

    fn look(&self, audit: &Audit) -> anyhow::Result<Outcome> {
        if let Some(list) = &self.files_from {
            let files = read_list(list)?;
            return Ok(audit.run_files(Path::new(""), &files)?);
        }
        let mut all = Outcome::default();
        for path in &self.paths {
            std::fs::symlink_metadata(path)
                .with_context(|| format!("cannot look through {}", path.display()))?;
            let mut outcome = match &self.rev {
                Some(rev) => audit.run_revision(path, rev)?,
                None => audit.run(path)?,
            };
            let owners = Owners::of(path);
            for finding in &mut outcome.findings {
                finding.owners = owners.of_file(&finding.path);
            }
            if self.paths.len() > 1 {
                outcome.put_below(&path.to_string_lossy());
            }
            all.add(outcome);
        }
        Ok(all)
    }

    /// The folder below which files are changed.
    pub(crate) fn root_of_fixes(&self) -> anyhow::Result<PathBuf> {
        if self.rev.is_some() {
            anyhow::bail!("a revision cannot be changed; leave --rev out");
        }
        match (self.paths.as_slice(), &self.files_from) {
            ([path], None) if path.is_file() => {
                Ok(path.parent().map_or_else(PathBuf::new, Path::to_owned))
            }
            ([path], None) => Ok(path.clone()),
            // The paths of the findings start with what was given.
            _ => Ok(PathBuf::new()),
        }
    }

    /// The folder in which the baseline lies by default.
    pub(crate) fn first(&self) -> &Path {
        self.paths.first().map_or(Path::new("."), PathBuf::as_path)
    }
}

fn read_list(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let lines: io::Result<Vec<String>> = if list == Path::new("-") {
        io::stdin().lock().lines().collect()
    } else {
        let file = std::fs::File::open(list)
            .with_context(|| format!("cannot read the list {}", list.display()))?;
        io::BufReader::new(file).lines().collect()
    };
    let lines = lines.with_context(|| format!("cannot read the list {}", list.display()))?;
    Ok(lines
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(PathBuf::from)
        .collect())
}

/// A line on the terminal that tells how far the run is.
struct Progress {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Progress {
    /// Runs that end before this show nothing.
    const PATIENCE: Duration = Duration::from_millis(400);
    const STEP: Duration = Duration::from_millis(100);

    fn start(options: &Options, quiet: bool) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if quiet || !io::stderr().is_terminal() {
            return Self { done, thread: None };
        }
        let (ended, files) = (Arc::clone(&done), Arc::clone(&options.files));
        let thread = std::thread::spawn(move || {
            let mut waited = Duration::ZERO;
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Self::STEP);
                waited += Self::STEP;
                if waited >= Self::PATIENCE {
                    let files = files.load(Ordering::Relaxed);
                    let _ = write!(io::stderr(), "\r{files} files read");
                }
            }
            if waited >= Self::PATIENCE {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        });
        Self {
            done,
            thread: Some(thread),
        }
    }

    fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}
