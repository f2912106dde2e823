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
use globset::{Glob, GlobSet, GlobSetBuilder};
use mappings::Catalog;
use migrate_audit::{
    Audit, Moved, Options, Outcome, ShimUrl, Unreadable, Variable,
    owners::Owners,
    plain_file,
    rules::{Library, RULES},
};

use crate::explain::{nearest, suggestion};

/// Larger files are not parsed by default; in bytes.
const MAX_PARSE: u64 = 4 << 20;

/// What to look through.
#[derive(Clone, Debug, clap::Args)]
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

    #[command(flatten)]
    rules: UserRules,

    /// Report only these rules: v1-endpoint, or the start of ids, v1-library.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule)]
    select: Vec<String>,

    /// Report all rules but these.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule)]
    ignore: Vec<String>,

    /// Report only files that match a glob: `app/**`. The other files still tell what they mean.
    #[arg(long, value_name = "GLOB")]
    include: Vec<Glob>,

    /// Report all files but those that match a glob.
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,

    /// How many threads read files [default: one for each processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,

    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// The client libraries of a user.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct UserRules {
    /// A folder with client libraries of your own, each a file as `migrate-cli/audit/rules/libraries`
    /// has them.
    #[arg(long, value_name = "DIR")]
    rules_dir: Option<PathBuf>,
}

impl UserRules {
    /// Reads the folder.
    pub(crate) fn libraries(&self) -> anyhow::Result<Vec<Library>> {
        let Some(folder) = &self.rules_dir else {
            return Ok(Vec::new());
        };
        let context = || format!("--rules-dir: {} cannot be read", folder.display());
        let mut libraries = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.extension().is_some_and(|kind| kind == "toml") {
                let name = path.display().to_string();
                let text = plain_file::read_text(&path).with_context(|| name.clone())?;
                libraries.push(Library::parse(&name, &text)?);
            }
        }
        libraries.sort_by(|a, b| a.package.cmp(&b.package));
        Ok(libraries)
    }
}

/// The id of a rule, or its start.
fn rule(text: &str) -> Result<String, String> {
    if RULES.iter().any(|(id, _)| id.starts_with(text)) {
        return Ok(text.to_owned());
    }
    let nearest = nearest(text, RULES.iter().map(|(id, _)| *id));
    Err(format!(
        "there is no such rule{}",
        suggestion(&nearest, "migrate rules")
    ))
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
            rules: UserRules::default(),
            select: Vec::new(),
            ignore: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            jobs: None,
            quiet: false,
            shim,
            shim_env: None,
        }
    }

    /// Runs the audit.
    pub(crate) fn run(&self, catalog: &Catalog) -> anyhow::Result<Found> {
        let stop = super::interruption();
        if let Some(jobs) = self.jobs {
            // A second run in one process keeps the threads of the first.
            let _ = rayon::ThreadPoolBuilder::new()
                .num_threads(jobs)
                .build_global();
        }
        let options = Options {
            ignore_files: !self.no_ignore,
            large: self.max_parse,
            stop: Arc::clone(&stop),
            moved: self.moved(),
            parser: std::env::current_exe().ok(),
            libraries: self.rules.libraries()?,
            ..Options::default()
        };
        let progress = Progress::start(&options, self.quiet);
        let audit = Audit::new(catalog, options)?;
        let mut outcome = self.look(&audit)?;
        progress.end();
        let (is_included, is_excluded) = (files(&self.include)?, files(&self.exclude)?);
        let is_wanted = |path: &str| {
            (self.include.is_empty() || is_included.is_match(path)) && !is_excluded.is_match(path)
        };
        let names = |rules: &[String], id: &str| rules.iter().any(|rule| id.starts_with(rule));
        outcome.findings.retain(|found| {
            is_wanted(&found.path)
                && (self.select.is_empty() || names(&self.select, found.rule))
                && !names(&self.ignore, found.rule)
        });
        outcome.unreadable.retain(|unread| is_wanted(&unread.path));
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

    /// The same for each of the paths.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> {
        { self.paths().into_iter() }.map(|path| Self {
            paths: vec![path],
            ..self.clone()
        })
    }

    /// The path, if it is a single file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self.paths.as_slice() {
            [path] if path.is_file() => Some(path),
            _ => None,
        }
    }

    /// The name of what is looked through: that of the folder.
    pub(crate) fn subject(&self) -> String {
        let paths = self.paths();
        let named = paths.iter().map(|path| {
            let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
            let name = whole.file_name().unwrap_or(whole.as_os_str());
            name.to_string_lossy().into_owned()
        });
        named.collect::<Vec<_>>().join(", ")
    }

    /// True if only a part of the project is reported: then a baseline cannot be written.
    pub(crate) fn is_partial(&self) -> bool {
        let filters =
            self.select.len() + self.ignore.len() + self.include.len() + self.exclude.len();
        self.files_from.is_some() || filters > 0 || self.paths.iter().any(|path| path.is_file())
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

/// What matches any of some globs.
fn files(globs: &[Glob]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().context("the globs are too many")
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

/// A progress line on the terminal.
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
