//! Input options shared by `audit`, `plan` and `status`.

use std::{
    io::{self, BufRead as _},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use globset::{Glob, GlobSet, GlobSetBuilder};
use mappings::Catalog;
use migrate_audit::{
    Audit, Moved, Options, Outcome, ShimUrl, Unreadable, Variable,
    owners::Owners,
    plain_file,
    rules::{Library, RULES, Rules},
};

use crate::{
    explain::{nearest, suggestion},
    progress::ProgressLine,
};

/// Default of --max-parse, in bytes.
const MAX_PARSE: u64 = 4 << 20;

/// Interval at which the progress line checks the end of the audit.
const STEP: Duration = Duration::from_millis(100);

/// Files to audit and filters on the findings.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Sources {
    /// Folders and files to audit [default: .]
    paths: Vec<PathBuf>,

    /// Audit a git revision of PATH instead of the working tree; nothing is checked out.
    #[arg(long, value_name = "REVISION", conflicts_with = "files_from")]
    rev: Option<String>,

    /// Report only the files in this list, one path per line; - is standard input. The rest of the
    /// project is still read as evidence.
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,

    /// The shim's address, as `https://shim.example.com`. Base URLs that point there do not fail.
    #[arg(long, value_name = "URL")]
    shim: Option<ShimUrl>,

    /// Environment variable with the shim's address. Base URLs that are only its default value do
    /// not fail.
    #[arg(long, value_name = "NAME")]
    shim_env: Option<Variable>,

    /// Also audit files that .gitignore and similar files exclude.
    #[arg(long)]
    no_ignore: bool,

    /// Files larger than this are searched for URLs but not parsed.
    #[arg(long, value_name = "BYTES", default_value_t = MAX_PARSE)]
    max_parse: u64,

    #[command(flatten)]
    rules: UserRules,

    /// Report only these rules: an id (v1-endpoint) or a prefix (v1-library).
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule)]
    select: Vec<String>,

    /// Do not report these rules.
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule)]
    ignore: Vec<String>,

    /// Report only files that match a glob: `app/**`. Other files are still read as evidence.
    #[arg(long, value_name = "GLOB")]
    include: Vec<Glob>,

    /// Do not report files that match a glob.
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,

    /// Number of threads [default: one per processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,

    /// Do not show progress.
    #[arg(long, short)]
    quiet: bool,
}

/// User-defined client libraries.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct UserRules {
    /// Folder with your own client libraries, in the format of `migrate-cli/audit/rules/libraries`.
    #[arg(long, value_name = "DIR")]
    rules_dir: Option<PathBuf>,
}

impl UserRules {
    /// Reads the libraries in the folder.
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

/// Parses a rule id or a prefix of one.
fn rule(text: &str) -> Result<String, String> {
    if RULES.iter().any(|(id, _)| id.starts_with(text)) {
        return Ok(text.to_owned());
    }
    let nearest = nearest(text, RULES.iter().map(|(id, _)| *id));
    Err(format!(
        "unknown rule{}",
        suggestion(&nearest, "migrate rules")
    ))
}

/// Outcome of an audit run.
pub(crate) struct AuditRun {
    pub(crate) outcome: Outcome,
    /// True if Ctrl-C ended the run early.
    pub(crate) interrupted: bool,
}

impl Sources {
    /// Default options for one path; `shim` is the address the program may already call.
    pub(crate) fn of_path(path: PathBuf, shim: Option<ShimUrl>) -> Self {
        Self {
            paths: vec![path],
            max_parse: MAX_PARSE,
            shim,
            ..Self::default()
        }
    }

    /// The audit's rules and the user's libraries.
    pub(crate) fn audit_rules(&self) -> anyhow::Result<Rules> {
        let mut rules = Rules::embedded()?;
        rules.add(self.rules.libraries()?);
        Ok(rules)
    }

    /// Runs the audit.
    pub(crate) fn run(&self, catalog: &Catalog) -> anyhow::Result<AuditRun> {
        let stop = super::interruption();
        if let Some(jobs) = self.jobs {
            // Fails on a second run in one process, which keeps the threads of the first.
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
        let read = Arc::clone(&options.files);
        let audit = Audit::new(catalog, options)?;
        let mut outcome = thread::scope(|scope| {
            let (_running, ended) = mpsc::channel();
            if !self.quiet {
                scope.spawn(move || show_progress(&read, &ended));
            }
            self.audit(&audit)
        })?;
        let (is_included, is_excluded) = (glob_set(&self.include)?, glob_set(&self.exclude)?);
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
        Ok(AuditRun {
            outcome,
            interrupted: stop.load(Ordering::Relaxed),
        })
    }

    fn audit(&self, audit: &Audit) -> anyhow::Result<Outcome> {
        if let Some(list) = &self.files_from {
            let files = read_list(list)?;
            return self.audit_files(audit, &files);
        }
        let paths = self.paths();
        for path in &paths {
            let about = std::fs::metadata(path)
                .with_context(|| format!("cannot look through {}", path.display()))?;
            // Reading a pipe or a device could block forever.
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
            all = self.audit_files(audit, &files)?;
        }
        for path in &folders {
            let mut outcome = match &self.rev {
                Some(rev) => audit.run_revision(path, rev)?,
                None => audit.run(path)?,
            };
            add_owners(&mut outcome, &Owners::of(path));
            if folders.len() + files.len() > 1 {
                outcome.put_below(&path.to_string_lossy());
            }
            all.add(outcome);
        }
        Ok(all)
    }

    /// Audits single files, with the surrounding project as evidence.
    fn audit_files(&self, audit: &Audit, files: &[PathBuf]) -> anyhow::Result<Outcome> {
        let root = match (&self.files_from, self.paths.as_slice()) {
            (Some(_), [root]) => Some(root.clone()),
            _ => project_here(files),
        };
        let mut outcome = audit.run_files(root.as_deref(), files)?;
        add_owners(
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

    /// Root folder of the files that fixes change.
    pub(crate) fn root_of_fixes(&self) -> anyhow::Result<PathBuf> {
        if self.rev.is_some() {
            anyhow::bail!("a revision cannot be changed; leave --rev out");
        }
        Ok(match (self.paths().as_slice(), &self.files_from) {
            ([path], _) if path.is_dir() => path.clone(),
            // Paths of findings are relative to the working directory.
            _ => PathBuf::from("."),
        })
    }

    /// Path prefix from the working directory to the findings; empty if unknown.
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

    /// The same options for each path separately.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> {
        { self.paths().into_iter() }.map(|path| Self {
            paths: vec![path],
            ..self.clone()
        })
    }

    /// The path, if it is the only one and a file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self.paths.as_slice() {
            [path] if path.is_file() => Some(path),
            _ => None,
        }
    }

    /// Names of the audited folders, for titles.
    pub(crate) fn subject(&self) -> String {
        let paths = self.paths();
        let named = paths.iter().map(|path| {
            let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
            let name = whole.file_name().unwrap_or(whole.as_os_str());
            name.to_string_lossy().into_owned()
        });
        named.collect::<Vec<_>>().join(", ")
    }

    /// True if only part of the project is reported, so that no baseline can be written.
    pub(crate) fn is_partial(&self) -> bool {
        let filters =
            self.select.len() + self.ignore.len() + self.include.len() + self.exclude.len();
        self.files_from.is_some() || filters > 0 || self.paths.iter().any(|path| path.is_file())
    }

    /// Shim address and variable from the flags.
    pub(crate) fn moved(&self) -> Moved {
        Moved {
            url: self.shim.clone(),
            variable: self.shim_env.clone(),
        }
    }

    /// Folder of the default baseline.
    pub(crate) fn first(&self) -> &Path {
        match self.paths.as_slice() {
            [path] if path.is_dir() => path,
            _ => Path::new("."),
        }
    }
}

/// Compiles globs to one set.
fn glob_set(globs: &[Glob]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().context("too many globs")
}

fn add_owners(outcome: &mut Outcome, owners: &Owners) {
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

/// The project of single files: the working directory, if it is a project root. Any other folder
/// could be a whole home folder.
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

/// Shows the number of files read until the sender is dropped.
fn show_progress(files: &AtomicUsize, ended: &mpsc::Receiver<()>) {
    let mut line = ProgressLine::new();
    while ended.recv_timeout(STEP) == Err(mpsc::RecvTimeoutError::Timeout) {
        line.show(|| format!("{} files read", files.load(Ordering::Relaxed)));
    }
}
