//! Reads the files of a git revision through git itself, without a checkout.
//!
//! The repository is not trusted. git runs only commands that read objects, with every setting
//! overridden that could name a command, without access to other repositories, and without
//! variables that redirect it.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// Values for all settings of a repository that name a command, a path or another repository.
/// Defense in depth: commands that read objects use none of them today.
const SETTINGS: [&str; 22] = [
    // A bare repository can lie in a tree as ordinary files.
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "protocol.file.allow=never",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.gitProxy=",
    "core.askPass=",
    "core.pager=cat",
    "core.editor=false",
    "core.attributesFile=/dev/null",
    "core.alternateRefsCommand=",
    "credential.helper=",
    "diff.external=",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "log.showSignature=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
];
/// Maximum number of restarts of git, which exits at a damaged object.
const RESTARTS: usize = 100;
/// Bytes of git's error output that are kept.
const MESSAGE: u64 = 4096;

/// Error of reading a revision.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// git cannot be run, or its output cannot be read.
    #[error("git cannot be run: {0}")]
    Run(#[from] io::Error),
    /// git has no such revision or repository.
    #[error("git cannot read the revision {revision}: {message}")]
    Unknown {
        /// The revision.
        revision: String,
        /// git's message.
        message: String,
    },
}

/// An entry of a revision.
pub(crate) enum Item<'r> {
    /// The content of a file.
    File(&'r [u8]),
    /// A file that is too large to be held in memory.
    Large(LargeFile<'r>),
    /// An entry that is not read, with the reason.
    LeftOut(&'static str),
}

/// A large file of a revision.
pub(crate) struct LargeFile<'r> {
    objects: &'r mut Objects,
    object: &'r str,
    /// Its size, in bytes.
    pub(crate) size: u64,
}

impl LargeFile<'_> {
    /// Reads the file from its start; `read` may stop early.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        self.objects.size(self.object)?;
        self.objects.content(self.size, read)
    }
}

/// Passes each path of a revision below a folder to `take`, until `take` fails or `stop` is set.
/// A file of more than `large` bytes is passed as a reader.
pub(crate) fn read(
    folder: &Path,
    revision: &str,
    large: u64,
    stop: &AtomicBool,
    take: &mut dyn FnMut(&str, Item) -> io::Result<()>,
) -> Result<(), RevisionError> {
    let mut list = List::open(folder, revision)?;
    let mut objects = Objects::open(folder)?;
    let mut links = Vec::new();
    let mut restarts = 0;
    let mut bytes = Vec::new();
    while !stop.load(Ordering::Relaxed)
        && let Some(entry) = list.entry()?
    {
        let Entry { kind, object, path } = &entry;
        match kind {
            EntryKind::Submodule => {
                take(path, Item::LeftOut("is a submodule; audit its repository"))?;
                continue;
            }
            EntryKind::Link => {
                links.push(entry);
                continue;
            }
            EntryKind::File => {}
        }
        let read = match objects.size(object) {
            Ok(None) => {
                take(path, Item::LeftOut("is missing in the repository"))?;
                continue;
            }
            Ok(Some(size)) if size > large => {
                // The content is skipped here and requested again by each read of the large file.
                objects.content(size, |_| Ok(())).and_then(|()| {
                    let objects = &mut objects;
                    take(
                        path,
                        Item::Large(LargeFile {
                            objects,
                            object,
                            size,
                        }),
                    )
                })
            }
            Ok(Some(size)) => objects
                .content(size, |content| {
                    bytes.clear();
                    content.read_to_end(&mut bytes)
                })
                .and_then(|_| take(path, Item::File(&bytes))),
            Err(error) => Err(error),
        };
        let Err(error) = read else { continue };
        // Ctrl-C also reaches git, because both are in the foreground process group.
        if was_interrupted(objects.end()?) {
            stop.store(true, Ordering::Relaxed);
            return Ok(());
        }
        restarts += 1;
        if restarts > RESTARTS {
            return Err(error.into());
        }
        take(path, Item::LeftOut("is damaged in the repository"))?;
        objects = Objects::open(folder)?;
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    let (status, message) = list.end()?;
    if was_interrupted(status) {
        stop.store(true, Ordering::Relaxed);
        return Ok(());
    }
    if !status.success() {
        return Err(RevisionError::Unknown {
            revision: revision.to_owned(),
            message,
        });
    }
    if !links.is_empty() {
        let mut targets = Targets::open(folder, revision)?;
        for link in links {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if targets.is_outside(&link)? {
                take(&link.path, Item::LeftOut("is a link out of the revision"))?;
            }
        }
    }
    Ok(())
}

/// A git command that uses no setting of the repository and no variable of the environment.
fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    for (name, _) in env::vars_os() {
        if name
            .to_string_lossy()
            .to_ascii_uppercase()
            .starts_with("GIT_")
        {
            git.env_remove(name);
        }
    }
    git.env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .args(["--no-pager", "--no-optional-locks"]);
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git.arg("-C").arg(folder).stdin(Stdio::null());
    git
}

#[cfg(unix)]
fn was_interrupted(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGINT: i32 = 2;
    status.signal() == Some(SIGINT)
}

#[cfg(not(unix))]
fn was_interrupted(_: ExitStatus) -> bool {
    false
}

enum EntryKind {
    File,
    Link,
    Submodule,
}

struct Entry {
    kind: EntryKind,
    object: String,
    path: String,
}

/// A git process that lists the paths of a revision. It runs beside [`Objects`], so that the list
/// is never in memory: a small repository can name any number of paths.
struct List {
    child: Child,
    entries: BufReader<ChildStdout>,
    messages: Option<thread::JoinHandle<String>>,
}

impl List {
    fn open(folder: &Path, revision: &str) -> io::Result<Self> {
        let mut child = git(folder)
            .args(["ls-tree", "-r", "-z", "--end-of-options", revision])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let entries = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        let mut messages = child.stderr.take().ok_or_else(no_pipe)?;
        let messages = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = (&mut messages).take(MESSAGE).read_to_end(&mut text);
            let _ = io::copy(&mut messages, &mut io::sink());
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        Ok(Self {
            child,
            entries,
            messages: Some(messages),
        })
    }

    fn entry(&mut self) -> io::Result<Option<Entry>> {
        loop {
            let mut entry = Vec::new();
            if self.entries.read_until(0, &mut entry)? == 0 {
                return Ok(None);
            }
            if let Some(entry) = parse(&String::from_utf8_lossy(&entry)) {
                return Ok(Some(entry));
            }
        }
    }

    fn end(mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.child.wait()?;
        let message = self.messages.take().map(thread::JoinHandle::join);
        Ok((status, message.and_then(Result::ok).unwrap_or_default()))
    }
}

impl Drop for List {
    fn drop(&mut self) {
        end(&mut self.child).ok();
    }
}

/// Reads `100644 blob OBJECT<tab>PATH<null>`.
fn parse(entry: &str) -> Option<Entry> {
    let (about, path) = entry.trim_end_matches('\0').split_once('\t')?;
    let mut words = about.split(' ');
    let (mode, kind, object) = (words.next()?, words.next()?, words.next()?);
    let kind = match (mode, kind) {
        ("120000", _) => EntryKind::Link,
        (_, "blob") => EntryKind::File,
        _ => EntryKind::Submodule,
    };
    Some(Entry {
        kind,
        object: object.to_owned(),
        path: path.to_owned(),
    })
}

/// A git process that returns the content of objects.
struct Objects {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn open(folder: &Path) -> io::Result<Self> {
        Self::start(folder, &["--batch"])
    }

    fn start(folder: &Path, options: &[&str]) -> io::Result<Self> {
        let mut child = git(folder)
            .arg("cat-file")
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            requests: child.stdin.take().ok_or_else(no_pipe)?,
            answers: BufReader::new(child.stdout.take().ok_or_else(no_pipe)?),
            child,
        })
    }

    /// Requests an object and returns the first line of the reply.
    fn head(&mut self, object: &str) -> io::Result<String> {
        writeln!(self.requests, "{object}")?;
        self.requests.flush()?;
        let mut head = String::new();
        if self.answers.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(head.trim_end().to_owned())
    }

    /// Requests an object and returns its size; `None` if it is missing.
    fn size(&mut self, object: &str) -> io::Result<Option<u64>> {
        let head = self.head(object)?;
        Ok(head.rsplit(' ').next().and_then(|size| size.parse().ok()))
    }

    /// Reads the content of the requested object and discards the bytes that `read` leaves.
    fn content<T>(
        &mut self,
        size: u64,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut content = (&mut self.answers).take(size);
        let result = read(&mut content);
        io::copy(&mut content, &mut io::sink())?;
        let is_cut = content.limit() > 0;
        // git writes a newline after each object.
        let mut end = [0];
        self.answers.read_exact(&mut end)?;
        if is_cut {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        result
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        end(&mut self.child)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        self.end().ok();
    }
}

/// A git process that resolves symbolic links within a revision.
struct Targets {
    objects: Objects,
    tree: String,
}

impl Targets {
    fn open(folder: &Path, revision: &str) -> io::Result<Self> {
        let tree = git(folder)
            .args(["rev-parse", "--verify", "--end-of-options"])
            .arg(format!("{revision}^{{tree}}"))
            .output()?;
        Ok(Self {
            objects: Objects::start(folder, &["--batch-check", "--follow-symlinks"])?,
            tree: String::from_utf8_lossy(&tree.stdout).trim().to_owned(),
        })
    }

    /// True if a link leads out of the revision, or its target is missing.
    fn is_outside(&mut self, link: &Entry) -> io::Result<bool> {
        if link.path.contains('\n') {
            return Ok(true);
        }
        let head = self
            .objects
            .head(&format!("{}:./{}", self.tree, link.path))?;
        let mut words = head.split(' ');
        let (first, second) = (words.next(), words.next());
        if let (Some("symlink" | "dangling" | "loop" | "notdir"), Some(size)) = (first, second) {
            // The path follows as content.
            let size = size.parse().map_err(io::Error::other)?;
            self.objects.content(size, |_| Ok(()))?;
        }
        Ok(first == Some("symlink") || head.ends_with(" missing"))
    }
}

/// Kills a git process.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    child.kill().ok();
    child.wait()
}

fn no_pipe() -> io::Error {
    io::Error::other("git has no pipe")
}
