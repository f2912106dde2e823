//! What `audit`, `plan` and `status` look through, and how.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use mappings::Catalog;

use migrate_audit::{
    Audit, Moved, Options, Outcome, ShimUrl, Unreadable, Variable, owners::Owners, plain_file,
};

/// Larger files are not parsed by default; in bytes.
const MAX_PARSE: u64 = 4 << 20;

/// What to look through.
#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// Folders and files to look through; by default this folder.
    paths: Vec<PathBuf>,

    /// Look through a git revision of PATH instead of its files; nothing is checked out.
    #[arg(long, value_name = "REVISION", conflicts_with = "files_from")]
    rev: Option<String>,

    /// Report only the files named in a list, one a line; - is the standard input. The rest of the
    /// project tells what they mean.
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,

    /// Where the shim answers, as `https://shim.example.com`: base URLs that point there are known
    /// and do not fail.
    #[arg(long, value_name = "URL")]
    shim: Option<ShimUrl>,

    /// The environment variable that holds the shim's address: base URLs that are only its default
    /// do not fail.
    #[arg(long, value_name = "NAME")]
    shim_env: Option<Variable>,

    /// Look also at what .gitignore and the like leave out.
    #[arg(long)]
    no_ignore: bool,

    /// Files larger than this many bytes are searched for URLs, but not parsed.
    #[arg(long, value_name = "BYTES", default_value_t = MAX_PARSE)]
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
    /// A folder or file, looked through as usual, whose program may call the shim already.
    pub(crate) fn of_path(path: PathBuf, shim: Option<ShimUrl>) -> Self {
        Self {
            paths: vec![path],
            rev: None,
            files_from: None,
            no_ignore: false,
            max_parse: MAX_PARSE,
            quiet: false,
            shim,
            shim_env: None,
        }
    }

    /// Runs the audit.
    pub(crate) fn run(&self, catalog: &Catalog) -> anyhow::Result<Found> {
        let stop = super::interruption();
        let options = Options {
            ignore_files: !self.no_ignore,
            large: self.max_parse,
            stop: Arc::clone(&stop),
            moved: self.moved(),
            parser: std::env::current_exe().ok(),
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
            return self.look_at(audit, &files);
        }
        let paths = self.paths();
        for path in &paths {
            let about = std::fs::metadata(path)
                .with_context(|| format!("cannot look through {}", path.display()))?;
            // Reading a pipe or a device could go on for ever.
            if !about.is_file() && !about.is_dir() {
                anyhow::bail!(
                    "cannot look through {}: it is neither a folder nor a plain file",
                    path.display()
                );
            }
        }
        let (files, folders): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.into_iter().partition(|path| path.is_file());
        let mut all = Outcome::default();
        if !files.is_empty() && self.rev.is_none() {
            all = self.look_at(audit, &files)?;
        }
        for path in &folders {
            let mut outcome = match &self.rev {
                Some(rev) => audit.run_revision(path, rev)?,
                None => audit.run(path)?,
            };
            name_owners(&mut outcome, &Owners::of(path));
            if folders.len() + files.len() > 1 {
                outcome.put_below(&path.to_string_lossy());
            }
            all.add(outcome);
        }
        Ok(all)
    }

    /// Looks at single files, with the project around them as evidence.
    fn look_at(&self, audit: &Audit, files: &[PathBuf]) -> anyhow::Result<Outcome> {
        let root = match (&self.files_from, self.paths.as_slice()) {
            (Some(_), [root]) => Some(root.clone()),
            _ => project_here(files),
        };
        let mut outcome = audit.run_files(root.as_deref(), files)?;
        name_owners(
            &mut outcome,
            &Owners::of(root.as_deref().unwrap_or(Path::new("."))),
        );
        Ok(outcome)
    }

    fn paths(&self) -> Vec<PathBuf> {
        if self.paths.is_empty() {
            vec![PathBuf::from(".")]
        } else {
            self.paths.clone()
        }
    }

    /// The folder below which files are changed.
    pub(crate) fn root_of_fixes(&self) -> anyhow::Result<PathBuf> {
        if self.rev.is_some() {
            anyhow::bail!("a revision cannot be changed; leave --rev out");
        }
        Ok(match (self.paths().as_slice(), &self.files_from) {
            ([path], _) if path.is_dir() => path.clone(),
            // The paths of the findings start with what was given.
            _ => PathBuf::from("."),
        })
    }

    /// What stands before the paths of the findings, seen from this folder; nothing if that is not
    /// known.
    pub(crate) fn prefix(&self) -> String {
        let paths = self.paths();
        let [path] = paths.as_slice() else {
            return String::new();
        };
        if !path.is_dir() {
            return String::new();
        }
        let here = std::env::current_dir().unwrap_or_default();
        let below = path.strip_prefix(&here).unwrap_or(path);
        let mut prefix = String::new();
        for part in below.components() {
            match part {
                Component::CurDir => {}
                Component::Normal(name) => {
                    prefix.push_str(&name.to_string_lossy());
                    prefix.push('/');
                }
                _ => return String::new(),
            }
        }
        prefix
    }

    /// True if only a part of the project is reported: then a baseline cannot be written.
    pub(crate) fn is_partial(&self) -> bool {
        self.files_from.is_some() || self.paths.iter().any(|path| path.is_file())
    }

    /// How the program was pointed at the shim.
    pub(crate) fn moved(&self) -> Moved {
        Moved {
            url: self.shim.clone(),
            variable: self.shim_env.clone(),
        }
    }

    /// The folder in which the baseline lies by default.
    pub(crate) fn first(&self) -> &Path {
        match self.paths.as_slice() {
            [path] if path.is_dir() => path,
            _ => Path::new("."),
        }
    }
}

fn name_owners(outcome: &mut Outcome, owners: &Owners) {
    for finding in &mut outcome.findings {
        finding.owners = owners.of_file(&finding.path);
    }
    if let Some((path, reason)) = &owners.left_out {
        outcome.unreadable.push(Unreadable {
            path: path.display().to_string(),
            reason: reason.clone(),
        });
    }
}

/// The project that single files belong to, if this folder is its root: then all of it is read as
/// evidence. Elsewhere it could be a whole home folder.
fn project_here(files: &[PathBuf]) -> Option<PathBuf> {
    let here = Path::new(".");
    let is_root = Audit::is_project(here);
    let below = files.iter().any(|path| path.is_relative());
    (is_root && below).then(|| here.to_owned())
}

fn read_list(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let lines: io::Result<Vec<String>> = if list == Path::new("-") {
        io::stdin().lock().lines().collect()
    } else {
        let file = plain_file::open(list)
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
