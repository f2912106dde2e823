//! Walks a tree in parallel, reads each file once and keeps the files with evidence of v1.

pub(crate) mod revision;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use encoding_rs::Encoding;
use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;

use crate::{
    prefilter::{Prefilter, Trace, client_parts::LARGEST, is_binary},
    source,
};

/// Size of the pieces in which a large file is read, in bytes.
const CHUNK: usize = 1 << 20;
const _: () = assert!(
    LARGEST < CHUNK,
    "a file that is searched for client parts is read at once"
);
/// Largest ignore file that is read, in bytes.
const IGNORE_FILE: u64 = 256 << 10;
/// Bytes of a chunk that are repeated in the next one, so that no match is cut in two.
const OVERLAP: usize = 4096;
/// Names of files and folders that mark the root of a project.
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

/// Reads files and keeps the candidates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walker<'a> {
    /// Apply ignore files such as `.gitignore`.
    pub(crate) ignore_files: bool,
    /// Size above which a file is searched but not parsed, in bytes.
    pub(crate) large: u64,
    pub(crate) prefilter: &'a Prefilter<'a>,
    /// Number of files read, for a progress display.
    pub(crate) files: &'a AtomicUsize,
    /// Ends the walk early when set.
    pub(crate) stop: &'a AtomicBool,
}

/// A file with evidence of v1.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Its path.
    pub(crate) path: PathBuf,
    /// The evidence.
    pub(crate) trace: Trace,
    /// True if it is too large to parse.
    pub(crate) large: bool,
}

/// Result of a walk.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Files with evidence of v1.
    pub(crate) candidates: Vec<Candidate>,
    /// Folders with a manifest, and repositories.
    pub(crate) roots: BTreeSet<PathBuf>,
    /// Folders that are git repositories.
    pub(crate) repositories: BTreeSet<PathBuf>,
    /// Paths that could not be read, with the reason.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
    /// Number of files read.
    pub(crate) files: usize,
}

impl Walker<'_> {
    /// Walks a tree.
    pub(crate) fn walk(&self, root: &Path) -> Walked {
        let whole = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        if self.ignore_files
            && let Some(reason) = whole.ancestors().find_map(unusable_ignore_file)
        {
            return Walked {
                unreadable: vec![(root.to_owned(), reason)],
                ..Walked::default()
            };
        }
        let walked = Arc::new(Mutex::new(Walked::default()));
        let (filtered, ignore_files) = (Arc::clone(&walked), self.ignore_files);
        let before = self.files.load(Ordering::Relaxed);
        let builder = WalkBuilder::new(root)
            .hidden(false)
            .ignore(ignore_files)
            .git_ignore(ignore_files)
            .git_exclude(ignore_files)
            .git_global(false)
            .parents(ignore_files)
            .follow_links(false)
            .filter_entry(move |entry| {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                if is_folder
                    && ignore_files
                    && let Some(reason) = unusable_ignore_file(entry.path())
                {
                    let path = entry.path().to_owned();
                    lock(&filtered).unreadable.push((path, reason));
                    return false;
                }
                if entry.file_name() != ".git" {
                    return true;
                }
                if let Some(folder) = entry.path().parent() {
                    let mut walked = lock(&filtered);
                    walked.roots.insert(folder.to_owned());
                    walked.repositories.insert(folder.to_owned());
                }
                false
            })
            .threads(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
            .build_parallel();
        builder.run(|| {
            let mut buffer = Vec::new();
            let walked = &walked;
            Box::new(move |entry| {
                if self.stop.load(Ordering::Relaxed) {
                    return WalkState::Quit;
                }
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        // A folder that vanished during the walk is no longer part of the tree.
                        let kind = error.io_error().map(io::Error::kind);
                        if kind != Some(io::ErrorKind::NotFound) {
                            let failed = (root.to_owned(), error.to_string());
                            lock(walked).unreadable.push(failed);
                        }
                        return WalkState::Continue;
                    }
                };
                let (path, name) = (entry.path(), entry.file_name());
                if MANIFESTS.iter().any(|manifest| name == *manifest)
                    && let Some(folder) = path.parent()
                {
                    lock(walked).roots.insert(folder.to_owned());
                }
                // Opening a pipe or a device could block forever.
                if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                    return WalkState::Continue;
                }
                self.files.fetch_add(1, Ordering::Relaxed);
                match self.candidate(root, path, &mut buffer) {
                    Ok(Some(candidate)) => lock(walked).candidates.push(candidate),
                    Ok(None) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => {
                        let failed = (path.to_owned(), error.to_string());
                        lock(walked).unreadable.push(failed);
                    }
                }
                WalkState::Continue
            })
        });
        let mut walked = std::mem::take(&mut *lock(&walked));
        walked.files = self.files.load(Ordering::Relaxed) - before;
        walked.candidates.sort_by(|a, b| a.path.cmp(&b.path));
        walked.unreadable.sort();
        walked
    }

    /// Reads the files of a list.
    pub(crate) fn list(&self, root: &Path, files: &[PathBuf]) -> Walked {
        let before = self.files.load(Ordering::Relaxed);
        let results: Vec<_> = files
            .par_iter()
            .filter(|_| !self.stop.load(Ordering::Relaxed))
            .map_init(Vec::new, |buffer, path| {
                let about = std::fs::metadata(path).map_err(|error| (path, error))?;
                if !about.is_file() {
                    return Err((path, io::Error::other("is no file")));
                }
                self.files.fetch_add(1, Ordering::Relaxed);
                self.candidate(root, path, buffer)
                    .map_err(|error| (path, error))
            })
            .collect();
        let mut walked = Walked {
            files: self.files.load(Ordering::Relaxed) - before,
            ..Walked::default()
        };
        for result in results {
            match result {
                Ok(candidate) => walked.candidates.extend(candidate),
                Err((path, error)) => walked.unreadable.push((path.clone(), error.to_string())),
            }
        }
        walked
    }

    /// Reads a file and returns it if it has evidence of v1. The word zoom counts in the path below
    /// `root`, too.
    fn candidate(
        &self,
        root: &Path,
        path: &Path,
        buffer: &mut Vec<u8>,
    ) -> io::Result<Option<Candidate>> {
        let mut file = File::open(path)?;
        // A growing file is read up to the length that it has now.
        let size = file.metadata()?.len();
        let has_zoom = contains_zoom(path.strip_prefix(root).unwrap_or(path));
        let trace = self.trace(&mut file, size, has_zoom, buffer)?;
        Ok(trace.map(|trace| Candidate {
            path: path.to_owned(),
            trace,
            large: size > self.large,
        }))
    }

    /// The evidence in a file of `size` bytes, if any. A large file is read until `stop` is set.
    pub(crate) fn trace(
        &self,
        file: &mut dyn Read,
        size: u64,
        path_has_zoom: bool,
        buffer: &mut Vec<u8>,
    ) -> io::Result<Option<Trace>> {
        let prefilter = self.prefilter;
        let mut file = file.take(size);
        buffer.resize(CHUNK, 0);
        let mut length = fill(&mut file, buffer)?;
        let head = buffer.get(..length).unwrap_or_default();
        if is_binary(head) {
            return Ok(None);
        }
        let wide = source::wide(head);
        let mut found = Trace::of_path(path_has_zoom);
        let text = searchable(wide, head);
        prefilter.add(&text, &mut found);
        if length < CHUNK {
            return Ok(prefilter.is_relevant(&mut found, &text).then_some(found));
        }
        drop(text);
        while file.limit() > 0
            && length == CHUNK
            && !found.is_full()
            && !self.stop.load(Ordering::Relaxed)
        {
            buffer.copy_within(CHUNK - OVERLAP.., 0);
            let read = fill(&mut file, buffer.get_mut(OVERLAP..).unwrap_or_default())?;
            length = OVERLAP + read;
            let piece = buffer.get(..length).unwrap_or_default();
            prefilter.add(&searchable(wide, piece), &mut found);
        }
        // Large files are not searched for client parts.
        let is_relevant = found.has_evidence() || found.word && file.limit() > 0;
        Ok(is_relevant.then_some(found))
    }
}

fn lock(walked: &Mutex<Walked>) -> MutexGuard<'_, Walked> {
    walked.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reason why an ignore file of a folder cannot be read, if any. Reading a pipe blocks, a
/// device never ends, and a pattern needs some hundred times the memory of its text.
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

/// True if a path contains the word zoom, in any letter case.
pub(crate) fn contains_zoom(below: &Path) -> bool {
    let bytes = below.as_os_str().as_encoded_bytes();
    memchr::memchr2_iter(b'z', b'Z', bytes).any(|at| {
        bytes
            .get(at..at + 4)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"zoom"))
    })
}

/// True if that file marks the root of a project.
pub(crate) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    MANIFESTS.contains(&name)
}

/// Decodes UTF-16, in which a search for ASCII finds nothing.
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

/// Reads a file that is to be parsed: at most `large` bytes, because it may have grown.
pub(crate) fn read(candidate: &Candidate, large: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(&candidate.path)?
        .take(large)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Position at which a piece of a file starts, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// The line.
    pub(crate) line: usize,
    /// The column, in bytes.
    pub(crate) column: usize,
}

/// Reads a large file of `size` bytes and passes each piece to `take`, until `take` returns false.
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
        // The whole piece is decoded, because lines cannot be counted in UTF-16.
        let goes_on = take(&source::decode_as(wide, &buffer), start);
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
