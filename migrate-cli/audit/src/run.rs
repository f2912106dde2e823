//! One run of the audit, from paths to findings.

mod order;
mod outcome;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Component, Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mappings::Catalog;
use rayon::prelude::*;

use crate::{
    evidence::{Projects, root_of},
    facts::{FileFacts, scanner::Scanner, syntax::Parsing},
    findings::{Finding, write_up::WriteUp},
    judge::Judge,
    kind::Kind,
    knowledge::Knowledge,
    prefilter::{Prefilter, Trace, is_binary},
    rules::{Library, RuleError, Rules},
    run::order::{outermost, parse_order},
    shim_address::Moved,
    source,
    traffic::Traffic,
    walk::{
        self, Candidate, Walked, Walker,
        revision::{self, Item, RevisionError},
    },
};

pub use outcome::{Outcome, Unreadable};

/// Time for which listed files are still read after the run was stopped.
const GRACE: Duration = Duration::from_secs(2);
/// Upper bound of the text kept from files with weak evidence of a revision, in bytes.
const KEPT: usize = 64 << 20;

/// Options of an audit.
#[derive(Clone, Debug)]
pub struct Options {
    /// Skip the files that `.gitignore` and other ignore files list.
    pub ignore_files: bool,
    /// Size above which a file is searched for URLs but not parsed, in bytes.
    pub large: u64,
    /// Number of files read, for a progress display.
    pub files: Arc<AtomicUsize>,
    /// Where the program calls v1 after its move to the shim, if it was moved.
    pub moved: Moved,
    /// Client libraries besides the embedded ones.
    pub libraries: Vec<Library>,
    /// Stops the run early when set; the outcome has the findings up to then.
    pub stop: Arc<AtomicBool>,
    /// Executable that runs [`crate::isolated::serve`] for the argument
    /// [`crate::isolated::ARGUMENT`]. It parses files in child processes, which a timeout can kill.
    /// Without it, files are parsed in this process, where some texts take minutes.
    pub parser: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ignore_files: true,
            large: 4 << 20,
            files: Arc::default(),
            moved: Moved::default(),
            libraries: Vec::new(),
            stop: Arc::default(),
            parser: None,
        }
    }
}

/// Error that prevents a run.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A rule file is invalid.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A git revision cannot be read.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// The multi-pattern search cannot be built.
    #[error("the search for traces cannot be built: {0}")]
    Search(#[from] aho_corasick::BuildError),
}

/// An audit that is ready to run.
#[derive(Debug)]
pub struct Audit<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) knowledge: Knowledge,
    pub(super) rules: Rules,
    pub(super) parsing: Parsing,
    pub(super) options: Options,
    /// When a stopped run reads no more files.
    end: OnceLock<Instant>,
}

impl<'c> Audit<'c> {
    /// Prepares an audit with the embedded rules.
    pub fn new(catalog: &'c Catalog, options: Options) -> Result<Self, AuditError> {
        let mut rules = Rules::embedded()?;
        rules.add(options.libraries.clone());
        rules.hosts.shim = options
            .moved
            .url
            .as_ref()
            .map(|url| url.host_and_prefix().to_ascii_lowercase());
        let mut knowledge = Knowledge::from_catalog(catalog, &rules.hosts.strays);
        knowledge
            .also_of_v2
            .extend(rules.hosts.also_of_v2.iter().cloned());
        rules
            .calls
            .extend(knowledge.last_words().map(str::to_owned));
        rules.calls.extend(knowledge.joined_names("_"));
        Ok(Self {
            catalog,
            knowledge,
            rules,
            parsing: Parsing::new(Arc::clone(&options.stop), options.parser.clone()),
            options,
            end: OnceLock::new(),
        })
    }

    /// Counts the v1 calls in an access log.
    pub fn traffic(&self, log: impl std::io::BufRead) -> std::io::Result<Traffic> {
        Traffic::read(log, &self.knowledge)
    }

    /// Audits a folder or a file. Paths in the outcome are relative to it.
    pub fn run(&self, root: &Path) -> Result<Outcome, AuditError> {
        let start = Instant::now();
        let prefilter = Prefilter::new(&self.knowledge, &self.rules)?;
        let walked = self.walker(&prefilter).walk(root);
        let is_file = root.is_file();
        let base = root.parent().filter(|_| is_file).unwrap_or(root);
        let mut outcome = self.audit(walked, base)?;
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    /// True if a project starts in a folder: it has a manifest or is a repository.
    pub fn is_project(folder: &Path) -> bool {
        std::fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .filter_map(Result::ok)
                .any(|entry| walk::is_manifest(&entry.file_name().to_string_lossy()))
        })
    }

    /// Audits one text as a project of one file.
    pub fn run_text(&self, path: &str, text: &str) -> Vec<Finding> {
        self.decide(vec![self.scanner().scan(path, text)], &BTreeSet::new())
    }

    /// Audits the files of a list. Other files below `root` serve as evidence, but have no findings
    /// in the outcome. Paths in the outcome are relative to `root`; files outside of it keep the
    /// path of the list.
    pub fn run_files(&self, root: Option<&Path>, files: &[PathBuf]) -> Result<Outcome, AuditError> {
        let start = Instant::now();
        let prefilter = Prefilter::new(&self.knowledge, &self.rules)?;
        let base = root.unwrap_or(Path::new(""));
        let mut walked = self.walker(&prefilter).list(base, files);
        let listed: BTreeSet<String> = files.iter().map(|path| relative(path, base)).collect();
        if let Some(root) = root {
            let uncounted = AtomicUsize::new(0);
            let around = Walker {
                files: &uncounted,
                ..self.walker(&prefilter)
            }
            .walk(root);
            walked.roots = around.roots;
            walked.candidates.extend(
                around
                    .candidates
                    .into_iter()
                    .filter(|candidate| !listed.contains(&relative(&candidate.path, base))),
            );
        }
        let mut outcome = self.audit(walked, base)?;
        outcome
            .findings
            .retain(|finding| listed.contains(&finding.path));
        outcome
            .unreadable
            .retain(|unreadable| listed.contains(&unreadable.path));
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    /// Audits a revision of a git repository without checking it out.
    pub fn run_revision(&self, repository: &Path, revision: &str) -> Result<Outcome, AuditError> {
        let start = Instant::now();
        let prefilter = Prefilter::new(&self.knowledge, &self.rules)?;
        let scanner = self.scanner();
        let walker = self.walker(&prefilter);
        let mut outcome = Outcome::default();
        let mut files = Vec::new();
        let (mut weak, mut kept) = (Vec::new(), 0);
        let mut roots = BTreeSet::new();
        let mut buffer = Vec::new();
        revision::read(
            repository,
            revision,
            self.options.large,
            &self.options.stop,
            &mut |path, item| {
                if walk::is_manifest(path)
                    && let Some((folder, _)) = path.rsplit_once('/')
                {
                    roots.insert(folder.to_owned());
                }
                match item {
                    Item::LeftOut(reason) => {
                        outcome.unreadable.push(Unreadable {
                            path: path.to_owned(),
                            reason: reason.to_owned(),
                        });
                        return Ok(());
                    }
                    Item::File(bytes) => {
                        if !is_binary(bytes) {
                            let text = source::decode(bytes);
                            let mut trace = prefilter.trace(text.as_bytes());
                            trace.word |= walk::contains_zoom(Path::new(path));
                            if prefilter.is_relevant(&mut trace, text.as_bytes()) {
                                if trace.weak && kept < KEPT {
                                    kept += text.len();
                                    weak.push((path.to_owned(), text.into_owned()));
                                } else if !trace.weak {
                                    files.push(scanner.scan(path, &text));
                                }
                            }
                        }
                    }
                    Item::Large(mut file) => {
                        let size = file.size;
                        let trace = file.read(|mut file| {
                            let has_zoom = walk::contains_zoom(Path::new(path));
                            walker.trace(&mut file, size, has_zoom, &mut buffer)
                        })?;
                        if trace.is_some() {
                            files.push(scanner.scan_large(path, |take| {
                                file.read(|mut file| walk::pieces(&mut file, size, take))
                            })?);
                        }
                    }
                }
                outcome.files += 1;
                self.options.files.fetch_add(1, Ordering::Relaxed);
                Ok(())
            },
        )?;
        let projects = Projects::gather(&mut files, &roots, &self.knowledge, &self.rules);
        if let Some(names) = projects.shared_names(&self.knowledge, &self.rules)? {
            files.extend(
                weak.iter()
                    .filter(|(path, _)| projects.is_proven(path, &roots))
                    .filter(|(_, text)| names.has_part_in(text.as_bytes()))
                    .map(|(path, text)| scanner.scan(path, text)),
            );
        }
        self.finish(files, &roots, &mut outcome);
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    fn scanner(&self) -> Scanner<'_> {
        Scanner {
            knowledge: &self.knowledge,
            rules: &self.rules,
            parsing: &self.parsing,
        }
    }

    fn walker<'a>(&'a self, prefilter: &'a Prefilter<'a>) -> Walker<'a> {
        Walker {
            ignore_files: self.options.ignore_files,
            large: self.options.large,
            prefilter,
            files: &self.options.files,
            stop: &self.options.stop,
        }
    }

    /// Audits the files of a walk, each repository for itself: its files say nothing about another
    /// one beside it.
    fn audit(&self, walked: Walked, base: &Path) -> Result<Outcome, AuditError> {
        let relative_to_base = |paths: &BTreeSet<PathBuf>| -> BTreeSet<String> {
            paths.iter().map(|path| relative(path, base)).collect()
        };
        let roots = relative_to_base(&walked.roots);
        let repositories = relative_to_base(&walked.repositories);
        // Submodules belong to the repository around them.
        let repositories = if repositories.contains(".") {
            BTreeSet::new()
        } else {
            outermost(&repositories)
        };
        let mut outcome = Outcome {
            files: walked.files,
            ..Outcome::default()
        };
        for (path, reason) in walked.unreadable {
            outcome.unreadable.push(Unreadable {
                path: relative(&path, base),
                reason,
            });
        }
        let mut by_repository: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        for candidate in walked.candidates {
            let repository = root_of(&relative(&candidate.path, base), &repositories);
            by_repository.entry(repository).or_default().push(candidate);
        }
        for (repository, candidates) in by_repository {
            let is_inside = |root: &&String| {
                let is_repository = repositories.contains(*root);
                *root == &repository || !is_repository && root_of(root, &repositories) == repository
            };
            let roots = roots.iter().filter(is_inside).cloned().collect();
            self.audit_repository(&candidates, roots, base, &mut outcome)?;
        }
        let by_path = |finding: &Finding| PathBuf::from(&finding.path);
        outcome.findings.sort_by_cached_key(by_path);
        Ok(outcome)
    }

    /// Audits candidates in up to three passes, so that most files are never parsed.
    fn audit_repository(
        &self,
        candidates: &[Candidate],
        mut roots: BTreeSet<String>,
        base: &Path,
        outcome: &mut Outcome,
    ) -> Result<(), AuditError> {
        let is_one = roots.remove(".");
        let outer = if is_one {
            BTreeSet::new()
        } else {
            outermost(&roots)
        };
        // First pass: files with evidence of Zoom. Second: files with only the word zoom, in projects
        // that the first pass proved to use v1, if they may define a request helper. Third: files that
        // contain a name from the first two passes.
        let (primary, secondary) = parse_order(candidates, |candidate| {
            root_of(&relative(&candidate.path, base), &outer)
        });
        let mut files = self.read_all(&primary, base, |_, _| true, outcome);
        let mut projects = Projects::gather(&mut files, &roots, &self.knowledge, &self.rules);
        let (weak, secondary): (Vec<_>, Vec<_>) = secondary
            .into_iter()
            .partition(|candidate| candidate.trace.weak);
        let weak: Vec<_> = weak
            .into_iter()
            .filter(|candidate| projects.is_proven(&relative(&candidate.path, base), &roots))
            .collect();
        if let Some(names) = projects.shared_names(&self.knowledge, &self.rules)? {
            let has_part = |_: Trace, bytes: &[u8]| names.has_part_in(bytes);
            let read = self.read_all(&weak, base, has_part, outcome);
            if !read.is_empty() {
                files.extend(read);
                projects = Projects::gather(&mut files, &roots, &self.knowledge, &self.rules);
            }
        }
        if let Some(names) = projects.shared_names(&self.knowledge, &self.rules)? {
            let is_named = |trace: Trace, bytes: &[u8]| {
                trace.distinctive || trace.word && trace.member || names.is_named_in(bytes)
            };
            files.extend(self.read_all(&secondary, base, is_named, outcome));
        }
        self.finish(files, &roots, outcome);
        Ok(())
    }

    /// Adds the findings and the files that were read only in part.
    fn finish(&self, files: Vec<FileFacts>, roots: &BTreeSet<String>, outcome: &mut Outcome) {
        let stamps = files.iter().map(|file| (file.path.clone(), file.stamp));
        let known = stamps.filter_map(|(path, stamp)| Some((path, stamp?)));
        outcome.stamps.extend(known);
        outcome
            .unreadable
            .extend(
                files
                    .iter()
                    .filter(|file| file.is_unparsed)
                    .map(|file| Unreadable {
                        path: file.path.clone(),
                        reason: "takes too long to parse; only its strings and comments were read"
                            .to_owned(),
                    }),
            );
        let cut: Vec<String> = files
            .iter()
            .filter(|file| file.is_cut)
            .map(|file| file.path.clone())
            .collect();
        let findings = self.decide(files, roots);
        // A cut file without a finding is a log or a table of unrelated paths: nothing is missing.
        for path in cut {
            let uses = |found: &Finding| found.path == path && found.kind != Kind::Doc;
            if findings.iter().any(uses) {
                outcome.unreadable.push(Unreadable {
                    path,
                    reason: "too much in it looks like v1; the rest is left out".to_owned(),
                });
            }
        }
        outcome.findings.extend(findings);
    }

    /// Reads and parses the candidates whose text is wanted.
    fn read_all(
        &self,
        candidates: &[&Candidate],
        base: &Path,
        is_wanted: impl Fn(Trace, &[u8]) -> bool + Sync,
        outcome: &mut Outcome,
    ) -> Vec<FileFacts> {
        // An interrupted run still reports the findings so far, after a short grace period.
        let goes_on = || {
            !self.options.stop.load(Ordering::Relaxed)
                || Instant::now() < *self.end.get_or_init(|| Instant::now() + GRACE)
        };
        let read: Vec<_> = candidates
            .par_iter()
            .filter(|_| goes_on())
            .filter_map(|candidate| {
                let path = relative(&candidate.path, base);
                self.read(candidate, &path, &is_wanted)
                    .map_err(|error| (path, error))
                    .transpose()
            })
            .collect();
        let mut files = Vec::new();
        for result in read {
            match result {
                Ok(facts) => files.push(facts),
                Err((_, error)) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err((path, error)) => outcome.unreadable.push(Unreadable {
                    path,
                    reason: error.to_string(),
                }),
            }
        }
        files
    }

    fn read(
        &self,
        candidate: &Candidate,
        path: &str,
        is_wanted: impl Fn(Trace, &[u8]) -> bool,
    ) -> std::io::Result<Option<FileFacts>> {
        let scanner = self.scanner();
        if candidate.large {
            return scanner
                .scan_large(path, |take| {
                    let mut file = File::open(&candidate.path)?;
                    let size = file.metadata()?.len();
                    walk::pieces(&mut file, size, take)
                })
                .map(Some);
        }
        let bytes = walk::read(candidate, self.options.large)?;
        let text = source::decode(&bytes);
        if !is_wanted(candidate.trace, text.as_bytes()) {
            return Ok(None);
        }
        let mut facts = scanner.scan(path, &text);
        facts.stamp = Some(stamp(&bytes));
        Ok(Some(facts))
    }

    /// The findings in the files of a tree.
    pub(crate) fn decide(
        &self,
        mut files: Vec<FileFacts>,
        roots: &BTreeSet<String>,
    ) -> Vec<Finding> {
        let projects = Projects::gather(&mut files, roots, &self.knowledge, &self.rules);
        files
            .par_iter()
            .flat_map_iter(|file| {
                let judge = Judge {
                    knowledge: &self.knowledge,
                    rules: &self.rules,
                    evidence: projects.of(&file.path, roots),
                };
                let write_up = WriteUp {
                    catalog: self.catalog,
                    moved: &self.options.moved,
                };
                let mut seen = BTreeMap::new();
                let uses = judge.uses(file);
                uses.into_iter()
                    .map(|found| write_up.finding(file, found, &mut seen))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// Content hash of a file.
pub(super) fn stamp(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// A path below `base` with slashes; `.` for `base` itself.
fn relative(path: &Path, base: &Path) -> String {
    let path = path.strip_prefix(base).unwrap_or(path);
    let parts: Vec<_> = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}
