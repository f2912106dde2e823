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

use aho_corasick::AhoCorasick;
use mappings::Catalog;
use rayon::prelude::*;

use crate::{
    evidence::{Projects, root_of},
    facts::{FileFacts, scanner::Scanner, syntax::Parsing},
    findings::{Finding, write_up::WriteUp},
    judge::Judge,
    kind::Kind,
    knowledge::Knowledge,
    prefilter::{Prefilter, is_binary},
    rules::{Library, RuleError, Rules},
    run::order::{outermost, worth_reading},
    shim_address::Moved,
    source,
    traffic::Traffic,
    walk::{
        self, Candidate, Limits, Walked,
        revision::{self, Item, RevisionError},
    },
};

pub use outcome::{Outcome, Unreadable};

/// How long files that were found are still read after the run was ended early.
const GRACE: Duration = Duration::from_secs(2);
/// How much text of a revision that only has the word zoom is kept for a second look, in bytes.
const KEPT: usize = 64 << 20;

/// What a run may look at.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files that `.gitignore` and the like name are left out.
    pub ignore_files: bool,
    /// Files larger than this are searched for URLs, but not parsed; in bytes.
    pub large: u64,
    /// Counts the files that were read, for a progress display.
    pub files: Arc<AtomicUsize>,
    /// How the program was pointed at the shim, if it was.
    pub moved: Moved,
    /// Client libraries besides the embedded ones.
    pub libraries: Vec<Library>,
    /// Set from outside to end the run early with what was found so far.
    pub stop: Arc<AtomicBool>,
    /// The program that calls [`crate::isolated::serve`] when it is given [`crate::isolated::ARGUMENT`]:
    /// it parses files in processes that can be ended. Without it they are parsed in this one, which some
    /// texts can stop for minutes.
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

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A rule does not say what it should.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A git revision cannot be read.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// The search cannot be built.
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
        let knowledge = Knowledge::from_catalog(catalog, &rules.strays);
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
        })
    }

    /// Reads an access log.
    pub fn traffic(&self, log: impl std::io::BufRead) -> std::io::Result<Traffic> {
        Traffic::read(log, &self.knowledge)
    }

    /// Looks through a folder or a file. Paths in the outcome start below it.
    pub fn run(&self, root: &Path) -> Result<Outcome, AuditError> {
        let start = Instant::now();
        let prefilter = Prefilter::new(&self.knowledge, &self.rules)?;
        let limits = Limits {
            ignore_files: self.options.ignore_files,
            large: self.options.large,
        };
        let walked = walk::walk(
            root,
            &limits,
            &prefilter,
            &self.options.files,
            &self.options.stop,
        );
        let base = if root.is_file() {
            root.parent().unwrap_or(root)
        } else {
            root
        };
        let mut outcome = self.judge(walked, base);
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

    /// Looks at one text as if it were all of a project.
    pub fn run_text(&self, path: &str, text: &str) -> Vec<Finding> {
        let scanner = Scanner {
            knowledge: &self.knowledge,
            rules: &self.rules,
            parsing: &self.parsing,
        };
        self.decide(vec![scanner.scan(path, text)], &BTreeSet::new())
    }

    /// Looks through the files of a list. What else lies below `root`, if there is one, tells what
    /// they mean, but is not reported. Paths in the outcome start below `root`, or are those of the
    /// list for files that lie elsewhere.
    pub fn run_files(&self, root: Option<&Path>, files: &[PathBuf]) -> Result<Outcome, AuditError> {
        let start = Instant::now();
        let prefilter = Prefilter::new(&self.knowledge, &self.rules)?;
        let limits = Limits {
            ignore_files: false,
            large: self.options.large,
        };
        let base = root.unwrap_or(Path::new(""));
        let mut walked = walk::look_at(
            base,
            files,
            &limits,
            &prefilter,
            &self.options.files,
            &self.options.stop,
        );
        let listed: BTreeSet<String> = files.iter().map(|path| relative(path, base)).collect();
        if let Some(root) = root {
            let limits = Limits {
                ignore_files: self.options.ignore_files,
                ..limits
            };
            let around = walk::walk(
                root,
                &limits,
                &prefilter,
                &AtomicUsize::new(0),
                &self.options.stop,
            );
            walked.roots = around.roots;
            walked.candidates.extend(
                around
                    .candidates
                    .into_iter()
                    .filter(|candidate| !listed.contains(&relative(&candidate.path, base))),
            );
        }
        let mut outcome = self.judge(walked, base);
        outcome
            .findings
            .retain(|finding| listed.contains(&finding.path));
        outcome
            .unreadable
            .retain(|unreadable| listed.contains(&unreadable.path));
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    /// Looks through a revision of a git repository without checking it out.
    pub fn run_revision(&self, repository: &Path, revision: &str) -> Result<Outcome, AuditError> {
        let start = Instant::now();
        let prefilter = Prefilter::new(&self.knowledge, &self.rules)?;
        let scanner = Scanner {
            knowledge: &self.knowledge,
            rules: &self.rules,
            parsing: &self.parsing,
        };
        let mut outcome = Outcome::default();
        let mut files = Vec::new();
        let (mut weak, mut kept) = (Vec::new(), 0);
        let mut roots = BTreeSet::new();
        let stop = &self.options.stop;
        let mut buffer = Vec::new();
        revision::read(
            repository,
            revision,
            self.options.large,
            stop,
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
                            trace.word |= walk::says_zoom(Path::new(path));
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
                            let is_named = walk::says_zoom(Path::new(path));
                            walk::trace(&mut file, size, is_named, &prefilter, stop, &mut buffer)
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
        files.extend(
            weak.iter()
                .filter(|(path, _)| projects.is_proven(path, &roots))
                .map(|(path, text)| scanner.scan(path, text)),
        );
        self.finish(files, &roots, &mut outcome);
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    fn judge(&self, walked: Walked, base: &Path) -> Outcome {
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
        let mut roots: BTreeSet<String> = walked
            .roots
            .iter()
            .map(|path| relative(path, base))
            .collect();
        let is_one = roots.remove(".");
        let outer = if is_one {
            BTreeSet::new()
        } else {
            outermost(&roots)
        };
        // Files that speak of Zoom first: what they name decides about those that do not. Where they
        // prove v1, those with only the word follow, as they may hold the request function that the
        // silent ones call.
        let (speaking, silent) = worth_reading(&walked.candidates, |candidate| {
            root_of(&relative(&candidate.path, base), &outer)
        });
        let mut files = self.read_all(&speaking, base, None, &mut outcome);
        let mut projects = Projects::gather(&mut files, &roots, &self.knowledge, &self.rules);
        let (weak, silent): (Vec<_>, Vec<_>) = silent
            .into_iter()
            .partition(|candidate| candidate.trace.weak);
        let weak: Vec<_> = weak
            .into_iter()
            .filter(|candidate| projects.is_proven(&relative(&candidate.path, base), &roots))
            .collect();
        if !weak.is_empty() {
            files.extend(self.read_all(&weak, base, None, &mut outcome));
            projects = Projects::gather(&mut files, &roots, &self.knowledge, &self.rules);
        }
        if let Some(names) = projects.names() {
            files.extend(self.read_all(&silent, base, Some(&names), &mut outcome));
        }
        self.finish(files, &roots, &mut outcome);
        outcome
    }

    /// Decides what the files use, and names those of which something was left out.
    fn finish(&self, files: Vec<FileFacts>, roots: &BTreeSet<String>, outcome: &mut Outcome) {
        outcome.stamps = files
            .iter()
            .filter_map(|file| Some((file.path.clone(), file.stamp?)))
            .collect();
        let unparsed: Vec<_> = files
            .iter()
            .filter(|file| file.is_unparsed)
            .map(|file| Unreadable {
                path: file.path.clone(),
                reason: "takes too long to parse; only its strings and comments were read"
                    .to_owned(),
            })
            .collect();
        outcome.unreadable.extend(unparsed);
        let cut: Vec<String> = files
            .iter()
            .filter(|file| file.is_cut)
            .map(|file| file.path.clone())
            .collect();
        outcome.findings = self.decide(files, roots);
        // A log or a table full of paths that mean nothing here misses nothing.
        for path in cut {
            let uses = |found: &Finding| found.path == path && found.kind != Kind::Doc;
            if outcome.findings.iter().any(uses) {
                outcome.unreadable.push(Unreadable {
                    path,
                    reason: "too much in it looks like v1; the rest is left out".to_owned(),
                });
            }
        }
    }

    fn read_all(
        &self,
        candidates: &[&Candidate],
        base: &Path,
        names: Option<&AhoCorasick>,
        outcome: &mut Outcome,
    ) -> Vec<FileFacts> {
        // Whoever ends the run early still sees what was found so far, and soon.
        let end = OnceLock::new();
        let goes_on = || {
            !self.options.stop.load(Ordering::Relaxed)
                || Instant::now() < *end.get_or_init(|| Instant::now() + GRACE)
        };
        let read: Vec<_> = candidates
            .par_iter()
            .filter(|_| goes_on())
            .filter_map(|candidate| {
                let path = relative(&candidate.path, base);
                self.read(candidate, &path, names)
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
        names: Option<&AhoCorasick>,
    ) -> std::io::Result<Option<FileFacts>> {
        let scanner = Scanner {
            knowledge: &self.knowledge,
            rules: &self.rules,
            parsing: &self.parsing,
        };
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
        let trace = candidate.trace;
        let text = source::decode(&bytes);
        let tells = trace.distinctive || trace.word && trace.member;
        let unnamed = names.is_some_and(|names| !tells && !names.is_match(text.as_bytes()));
        if unnamed {
            return Ok(None);
        }
        let mut facts = scanner.scan(path, &text);
        facts.stamp = Some(stamp(&bytes));
        Ok(Some(facts))
    }

    /// Decides what the files of a tree use, and writes it up.
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

/// Tells two contents of a file apart.
pub(super) fn stamp(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

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
