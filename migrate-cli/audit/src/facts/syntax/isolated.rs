//! Parses files in child processes with limits on memory and CPU time.
//!
//! Some texts make a parser use minutes and gigabytes in a step that cannot be interrupted, and
//! such texts cannot be detected before. A child process can be killed at any time; a new one
//! parses the next file.

use std::{
    collections::HashSet,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::AtomicBool,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    facts::syntax::{Extract, budget::ParseBudget, parsed},
    language::Language,
};

/// Argument with which the program must call [`serve`].
pub const ARGUMENT: &str = "parse-files";

/// Address space of a process, in bytes. It includes the reserved stack of the parser.
#[cfg(unix)]
const MEMORY: u64 = 1 << 30;
/// CPU time of a process per file, in whole seconds. Backup for the parser's own clock.
#[cfg(unix)]
const SECONDS: u64 = if cfg!(debug_assertions) { 8 } else { 2 };
/// Interval at which the timeout is checked.
const STEP: Duration = Duration::from_millis(20);

/// A file to parse: a line of JSON. Before the first one, a process reads a line with the last
/// identifiers of the calls to keep, which are the same for all files.
#[derive(Debug, Deserialize, Serialize)]
struct Task<T> {
    language: Language,
    source: T,
    is_brief: bool,
}

/// The result: a line of JSON.
#[derive(Debug, Deserialize, Serialize)]
struct Answer {
    /// `None` after a timeout.
    found: Option<Extract>,
    /// Time beyond that of a fast file, in milliseconds.
    slow: u64,
}

/// No child process can be started.
#[derive(Debug)]
pub(super) struct NoProcess;

/// A pool of child processes.
#[derive(Debug)]
pub(super) struct Parsers {
    program: PathBuf,
    idle: Mutex<Vec<Parser>>,
}

impl Parsers {
    pub(super) fn new(program: PathBuf) -> Self {
        Self {
            program,
            idle: Mutex::default(),
        }
    }

    /// Parses a text within the budget; `None` after a timeout.
    pub(super) fn extract(
        &self,
        language: Language,
        source: &str,
        calls: &HashSet<String>,
        budget: &ParseBudget,
    ) -> Result<Option<Extract>, NoProcess> {
        let idle = self.lock().pop();
        let mut parser = match idle {
            Some(parser) => parser,
            None => Parser::start(&self.program, calls).map_err(|_| NoProcess)?,
        };
        let task = Task {
            language,
            source,
            is_brief: budget.is_brief(),
        };
        let start = Instant::now();
        let answer = parser.answer(&task, || start.elapsed() > budget.timeout());
        let Some(Answer { found, slow }) = answer else {
            budget.spend(start.elapsed());
            return Ok(None);
        };
        budget.add_slow(slow);
        self.lock().push(parser);
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Parser>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A child process. It is killed on drop.
#[derive(Debug)]
struct Parser {
    process: Child,
    tasks: ChildStdin,
    answers: Receiver<Vec<u8>>,
}

impl Parser {
    fn start(program: &Path, calls: &HashSet<String>) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl-C must only reach the parent, which decides what to do.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (tasks, output) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, answers) = mpsc::channel();
        thread::Builder::new().spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        })?;
        let mut parser = Self {
            process,
            tasks,
            answers,
        };
        parser.send(calls)?;
        Ok(parser)
    }

    /// Sends a task and waits for the result; `None` after a timeout, and if the process ends.
    fn answer(&mut self, task: &impl Serialize, is_over: impl Fn() -> bool) -> Option<Answer> {
        self.send(task).ok()?;
        loop {
            match self.answers.recv_timeout(STEP) {
                Ok(line) => return serde_json::from_slice(&line).ok(),
                Err(RecvTimeoutError::Timeout) if !is_over() => {}
                Err(_) => return None,
            }
        }
    }

    fn send(&mut self, what: &impl Serialize) -> io::Result<()> {
        write_line(&mut self.tasks, what)
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write_line(mut to: impl io::Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Parses the files on standard input and prints the extracts on standard output.
///
/// # Errors
///
/// Fails if the input cannot be read, or the output is closed.
pub fn serve() -> io::Result<()> {
    let mut lines = io::stdin().lock().split(b'\n');
    let Some(calls) = lines.next() else {
        return Ok(());
    };
    let calls: HashSet<String> = serde_json::from_slice(&calls?)?;
    for line in lines {
        let task: Task<String> = serde_json::from_slice(&line?)?;
        limit()?;
        let budget = ParseBudget::new(Arc::new(AtomicBool::new(task.is_brief)));
        let found = parsed(task.language, &task.source, &calls, &budget);
        let slow = budget.slow();
        write_line(io::stdout().lock(), &Answer { found, slow })?;
    }
    Ok(())
}

/// Limits memory and CPU time of this process until the next file.
#[cfg(unix)]
fn limit() -> io::Result<()> {
    use rustix::{
        process::{Resource, Rlimit, getrlimit, setrlimit},
        time::{ClockId, clock_gettime},
    };
    let limit = |resource, most| {
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(most, |maximum| maximum.min(most)));
        setrlimit(resource, Rlimit { current, maximum })
    };
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    let used = u64::try_from(used).unwrap_or_default();
    limit(Resource::As, MEMORY)?;
    limit(Resource::Core, 0)?;
    // The limit is in whole seconds, and the current second is partly used.
    limit(Resource::Cpu, used.saturating_add(1 + SECONDS))?;
    Ok(())
}

#[cfg(not(unix))]
fn limit() -> io::Result<()> {
    Ok(())
}
