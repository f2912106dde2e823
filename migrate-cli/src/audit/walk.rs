//! Walks a tree in parallel, reads each file once and keeps those with a trace of v1.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::trace::{Trace, Tracer, is_binary};

/// How much of a large file is read at a time, in bytes.
const CHUNK: usize = 1 << 20;
/// How much of a chunk is read again with the next one, so that nothing is cut in two.
const OVERLAP: usize = 4096;
/// Files in whose folder a project starts.
const MANIFESTS: [&str; 14] = [
    "package.json",
    "composer.json",
    "Gemfile",
    "go.mod",
    "setup.py",
    "pyproject.toml",
    "pom.xml",
    "build.gradle",
    "Package.swift",
    "Podfile",
    "Cargo.toml",
    "requirements.txt",
    ".git",
    "mix.exs",
];

/// What the walk may look at.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Ignore files such as `.gitignore` count.
    pub(crate) ignore_files: bool,
    /// Files larger than this are not parsed, only searched; in bytes.
    pub(crate) large: u64,
}

/// A file with a trace of v1.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it has a trace of.
    pub(crate) trace: Trace,
    /// It is too large to be parsed.
    pub(crate) large: bool,
}

/// What a walk brought.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Files with a trace.
    pub(crate) candidates: Vec<Candidate>,
    /// Folders with a manifest.
    pub(crate) roots: BTreeSet<PathBuf>,
    /// What could not be read, and why.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
    /// How many files were read.
    pub(crate) files: usize,
}

/// Walks a tree until it ends or `stop` is set.
pub(crate) fn walk(
    root: &Path,
    limits: &Limits,
    tracer: &Tracer,
    files: &AtomicUsize,
    stop: &AtomicBool,
) -> Walked {
    let walked = Mutex::new(Walked::default());
    let before = files.load(Ordering::Relaxed);
    let builder = WalkBuilder::new(root)
        .hidden(false)
        .ignore(limits.ignore_files)
        .git_ignore(limits.ignore_files)
        .git_exclude(limits.ignore_files)
        .git_global(false)
        .parents(limits.ignore_files)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .threads(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
        .build_parallel();
    builder.run(|| {
        let mut buffer = Vec::new();
        let walked = &walked;
        Box::new(move |entry| {
            if stop.load(Ordering::Relaxed) {
                return WalkState::Quit;
            }
            let keep = |add: &mut dyn FnMut(&mut Walked)| {
                add(&mut walked.lock().unwrap_or_else(PoisonError::into_inner));
            };
            match entry {
                Ok(entry) => {
                    if MANIFESTS.iter().any(|name| entry.file_name() == *name)
                        && let Some(folder) = entry.path().parent()
                    {
                        keep(&mut |walked| {
                            walked.roots.insert(folder.to_owned());
                        });
                    }
                    if !is_plain_file(&entry) {
                        return WalkState::Continue;
                    }
                    files.fetch_add(1, Ordering::Relaxed);
                    match look(entry.path(), limits, tracer, stop, &mut buffer) {
                        Ok(Some(candidate)) => {
                            let mut candidate = Some(candidate);
                            keep(&mut |walked| walked.candidates.extend(candidate.take()));
                        }
                        Ok(None) => {}
                        // A file that vanished meanwhile is no longer part of the tree.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => keep(&mut |walked| {
                            let path = entry.path().to_owned();
                            walked.unreadable.push((path, error.to_string()));
                        }),
                    }
                }
                Err(error) => keep(&mut |walked| {
                    walked.unreadable.push((root.to_owned(), error.to_string()));
                }),
            }
            WalkState::Continue
        })
    });
    let mut walked = walked.into_inner().unwrap_or_else(PoisonError::into_inner);
    walked.files = files.load(Ordering::Relaxed) - before;
    walked.candidates.sort_by(|a, b| a.path.cmp(&b.path));
    walked.unreadable.sort();
    walked
}

/// Looks at the files of a list.
pub(crate) fn look_at(
    files: &[PathBuf],
    limits: &Limits,
    tracer: &Tracer,
    count: &AtomicUsize,
    stop: &AtomicBool,
) -> Walked {
    let mut walked = Walked::default();
    let mut buffer = Vec::new();
    for path in files {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let looked = std::fs::metadata(path).and_then(|about| {
            if about.is_file() {
                count.fetch_add(1, Ordering::Relaxed);
                walked.files += 1;
                look(path, limits, tracer, stop, &mut buffer)
            } else {
                Err(io::Error::other("is no file"))
            }
        });
        match looked {
            Ok(candidate) => walked.candidates.extend(candidate),
            Err(error) => walked.unreadable.push((path.clone(), error.to_string())),
        }
    }
    walked
}

/// True if a project starts in the folder of that file.
pub(crate) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MANIFESTS.contains(&name)
}

/// Opening a pipe or a device could block for ever.
fn is_plain_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// Reads a file and looks for traces; a large one only until `stop` is set.
pub(crate) fn look(
    path: &Path,
    limits: &Limits,
    tracer: &Tracer,
    stop: &AtomicBool,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Candidate>> {
    let mut file = File::open(path)?;
    buffer.clear();
    let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    (&mut file).take(chunk).read_to_end(buffer)?;
    if is_binary(buffer) {
        return Ok(None);
    }
    let mut trace = if super::source::is_utf16(buffer) {
        tracer.trace(super::source::decode(buffer).as_bytes())
    } else {
        tracer.trace(buffer)
    };
    let mut size = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
    if buffer.len() == CHUNK {
        size = file.metadata()?.len();
        let mut read = CHUNK;
        while read > 0
            && !(trace.zoom && trace.path && trace.distinctive)
            && !stop.load(Ordering::Relaxed)
        {
            buffer.drain(..buffer.len().saturating_sub(OVERLAP));
            read = (&mut file).take(chunk).read_to_end(buffer)?;
            trace = trace.and(tracer.trace(buffer));
        }
    }
    Ok(trace.any().then(|| Candidate {
        path: path.to_owned(),
        trace,
        large: size > limits.large,
    }))
}

/// Where a piece of a file starts, from 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    /// The line.
    pub(crate) line: usize,
    /// The column, in bytes.
    pub(crate) column: usize,
}

/// Reads a large file piece by piece and hands over each piece that has a trace of Zoom's domain.
pub(crate) fn pieces(
    path: &Path,
    tracer: &Tracer,
    mut take: impl FnMut(&str, Start),
) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = Vec::new();
    let mut start = Start::default();
    let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    loop {
        let read = (&mut file).take(chunk).read_to_end(&mut buffer)?;
        if tracer.trace(&buffer).zoom {
            take(&super::source::decode(&buffer), start);
        }
        if read == 0 {
            return Ok(());
        }
        let done = buffer.len().saturating_sub(OVERLAP);
        let head = buffer.get(..done).unwrap_or_default();
        start.line += memchr::memchr_iter(b'\n', head).count();
        start.column = match memchr::memrchr(b'\n', head) {
            Some(at) => done - at - 1,
            None => start.column + done,
        };
        buffer.drain(..done);
    }
}
