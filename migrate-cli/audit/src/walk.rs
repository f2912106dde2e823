//! Walks a tree in parallel, reads each file once and keeps those that may have a part in a client
//! of v1.

pub(crate) mod revision;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use encoding_rs::Encoding;
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;

use crate::{
    prefilter::{Prefilter, Trace, client_parts::LARGEST, is_binary},
    source,
};

/// How much of a large file is read at a time, in bytes.
const CHUNK: usize = 1 << 20;
const _: () = assert!(
    LARGEST < CHUNK,
    "what is looked at for parts of a client is read at once"
);
/// Largest ignore file that is read, in bytes.
const IGNORE_FILE: u64 = 256 << 10;
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

/// A file that may have a part in a client of v1.
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
    /// Files that may have a part in a client.
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
    prefilter: &Prefilter,
    files: &AtomicUsize,
    stop: &AtomicBool,
) -> Walked {
    if limits.ignore_files
        && let Some(reason) = ancestors(root).find_map(|folder| unusable_ignore_file(&folder))
    {
        return Walked {
            unreadable: vec![(root.to_owned(), reason)],
            ..Walked::default()
        };
    }
    let walked = Mutex::new(Walked::default());
    let skipped = Arc::new(Mutex::new(Vec::new()));
    let (skips, ignore_files) = (Arc::clone(&skipped), limits.ignore_files);
    let before = files.load(Ordering::Relaxed);
    let builder = WalkBuilder::new(root)
        .hidden(false)
        .ignore(limits.ignore_files)
        .git_ignore(limits.ignore_files)
        .git_exclude(limits.ignore_files)
        .git_global(false)
        .parents(limits.ignore_files)
        .follow_links(false)
        .filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if is_folder
                && ignore_files
                && let Some(reason) = unusable_ignore_file(entry.path())
            {
                let path = entry.path().to_owned();
                let mut skipped = skips.lock().unwrap_or_else(PoisonError::into_inner);
                skipped.push((path, reason));
                return false;
            }
            entry.file_name() != ".git"
        })
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
                    let name = entry.file_name();
                    if MANIFESTS.iter().any(|manifest| name == *manifest)
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
                    let path = entry.path();
                    let is_named = says_zoom(path.strip_prefix(root).unwrap_or(path));
                    match look(path, is_named, limits, prefilter, stop, &mut buffer) {
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
                // So is a folder.
                Err(error) if is_gone(&error) => {}
                Err(error) => keep(&mut |walked| {
                    walked.unreadable.push((root.to_owned(), error.to_string()));
                }),
            }
            WalkState::Continue
        })
    });
    let mut walked = walked.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner);
    walked.unreadable.append(&mut skipped);
    walked.files = files.load(Ordering::Relaxed) - before;
    walked.candidates.sort_by(|a, b| a.path.cmp(&b.path));
    walked.unreadable.sort();
    walked
}

/// A folder and those above it.
fn ancestors(root: &Path) -> impl Iterator<Item = PathBuf> {
    let whole = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let folders: Vec<_> = whole.ancestors().map(Path::to_owned).collect();
    folders.into_iter()
}

/// Why the ignore files of a folder cannot be read, if so: a pipe blocks, a device never ends, and
/// each pattern takes some hundred times as much memory as text.
pub(crate) fn unusable_ignore_file(folder: &Path) -> Option<String> {
    [
        ".gitignore",
        ".ignore",
        ".git/info/exclude",
        ".git/commondir",
    ]
    .iter()
    .find_map(|name| {
        let about = std::fs::metadata(folder.join(name)).ok()?;
        if about.is_file() && about.len() <= IGNORE_FILE || about.is_dir() {
            return None;
        }
        Some(format!(
            "not read, as its {name} is no regular file of at most {IGNORE_FILE} bytes; \
                 --no-ignore reads it"
        ))
    })
}

/// True if a path below the root of a walk has the word zoom in it.
pub(crate) fn says_zoom(below: &Path) -> bool {
    let bytes = below.as_os_str().as_encoded_bytes();
    memchr::memchr2_iter(b'z', b'Z', bytes).any(|at| {
        bytes
            .get(at..at + 4)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"zoom"))
    })
}

/// Looks at the files of a list. Paths below `root`, or those of the list, may name Zoom.
pub(crate) fn look_at(
    root: &Path,
    files: &[PathBuf],
    limits: &Limits,
    prefilter: &Prefilter,
    count: &AtomicUsize,
    stop: &AtomicBool,
) -> Walked {
    let before = count.load(Ordering::Relaxed);
    let looked: Vec<_> = files
        .par_iter()
        .filter(|_| !stop.load(Ordering::Relaxed))
        .map_init(Vec::new, |buffer, path| {
            let about = std::fs::metadata(path).map_err(|error| (path, error))?;
            if !about.is_file() {
                return Err((path, io::Error::other("is no file")));
            }
            count.fetch_add(1, Ordering::Relaxed);
            let is_named = says_zoom(path.strip_prefix(root).unwrap_or(path));
            look(path, is_named, limits, prefilter, stop, buffer).map_err(|error| (path, error))
        })
        .collect();
    let mut walked = Walked {
        files: count.load(Ordering::Relaxed) - before,
        ..Walked::default()
    };
    for result in looked {
        match result {
            Ok(candidate) => walked.candidates.extend(candidate),
            Err((path, error)) => walked.unreadable.push((path.clone(), error.to_string())),
        }
    }
    walked
}

/// True if a project starts in the folder of that file.
pub(crate) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MANIFESTS.contains(&name)
}

fn is_gone(error: &ignore::Error) -> bool {
    error
        .io_error()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Opening a pipe or a device could block for ever.
fn is_plain_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// Reads a file and looks whether it may have a part; a large one only until `stop` is set.
/// `is_named` is true if its path speaks of Zoom.
pub(crate) fn look(
    path: &Path,
    is_named: bool,
    limits: &Limits,
    prefilter: &Prefilter,
    stop: &AtomicBool,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Candidate>> {
    let mut file = File::open(path)?;
    // What is written while the file is read is left for the next run.
    let size = file.metadata()?.len();
    let trace = trace(&mut file, size, is_named, prefilter, stop, buffer)?;
    Ok(trace.map(|trace| Candidate {
        path: path.to_owned(),
        trace,
        large: size > limits.large,
    }))
}

/// Looks whether a file of `size` bytes may have a part; a large one only until `stop` is set.
pub(crate) fn trace(
    file: &mut dyn Read,
    size: u64,
    is_named: bool,
    prefilter: &Prefilter,
    stop: &AtomicBool,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Trace>> {
    let mut file = file.take(size);
    buffer.resize(CHUNK, 0);
    let mut length = fill(&mut file, buffer)?;
    let head = buffer.get(..length).unwrap_or_default();
    if is_binary(head) {
        return Ok(None);
    }
    let wide = source::wide(head);
    let mut found = Trace::of_path(is_named);
    let is_relevant = if length < CHUNK {
        let text = searchable(wide, head);
        prefilter.add(&text, &mut found);
        prefilter.is_relevant(&mut found, &text)
    } else {
        prefilter.add(&searchable(wide, head), &mut found);
        while file.limit() > 0
            && length == CHUNK
            && !found.is_full()
            && !stop.load(Ordering::Relaxed)
        {
            buffer.copy_within(CHUNK - OVERLAP.., 0);
            let read = fill(&mut file, buffer.get_mut(OVERLAP..).unwrap_or_default())?;
            length = OVERLAP + read;
            let piece = buffer.get(..length).unwrap_or_default();
            prefilter.add(&searchable(wide, piece), &mut found);
        }
        // What else makes a file relevant is not looked for in long ones.
        found.is_telling() || found.word && file.limit() > 0
    };
    Ok(is_relevant.then_some(found))
}

/// Bytes as a search for ASCII can look at them: it sees nothing in UTF-16.
fn searchable<'b>(wide: Option<&'static Encoding>, bytes: &'b [u8]) -> Cow<'b, [u8]> {
    match wide {
        None => Cow::Borrowed(bytes),
        wide => Cow::Owned(source::decode_as(wide, bytes).into_owned().into_bytes()),
    }
}

/// Reads until a buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Reads a file that is to be parsed, at most as much as that allows: it may have grown.
pub(crate) fn read(candidate: &Candidate, large: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(&candidate.path)?
        .take(large)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where a piece of a file starts, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// The line.
    pub(crate) line: usize,
    /// The column, in bytes.
    pub(crate) column: usize,
}

/// Reads a large file of `size` bytes piece by piece and hands over each, until `take` returns
/// false.
pub(crate) fn pieces(
    mut file: &mut dyn Read,
    size: u64,
    take: &mut dyn FnMut(&str, Start) -> bool,
) -> io::Result<()> {
    let mut left = size;
    let mut buffer = Vec::new();
    let mut start = Start::default();
    let mut wide = None;
    let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    loop {
        let read = (&mut file).take(chunk.min(left)).read_to_end(&mut buffer)?;
        left = left.saturating_sub(read as u64);
        if start == Start::default() {
            wide = source::wide(&buffer);
        }
        // UTF-16 is decoded as a whole, or lines could not be counted.
        let text = wide.map(|_| source::decode_as(wide, &buffer));
        let goes_on = match &text {
            Some(text) => take(text, start),
            None => take(&source::decode_as(None, &buffer), start),
        };
        if read == 0 || left == 0 || !goes_on {
            return Ok(());
        }
        let done = buffer.len().saturating_sub(OVERLAP);
        let head = buffer.get(..done).unwrap_or_default();
        let head = searchable(wide, head);
        start.line += memchr::memchr_iter(b'\n', &head).count();
        start.column = match memchr::memrchr(b'\n', &head) {
            Some(at) => head.len() - at - 1,
            None => start.column + head.len(),
        };
        buffer.drain(..done);
    }
}
