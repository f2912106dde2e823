//! Parses files in processes of their own, whose memory and time the system limits.
//!
//! Some texts make a parser take minutes and gigabytes in a step that nothing interrupts, and no sign in
//! a text tells all of them. A process can be ended at any time; another one takes the next file.

use std::{
    collections::HashSet,
    io::{self, BufRead as _, BufReader, Write as _},
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

/// The argument that makes the program parse the files on its standard input; see [`serve`].
pub const ARGUMENT: &str = "parse-files";

/// Address space of a process, in bytes. The stack that the parser may need is reserved in it.
#[cfg(unix)]
const MEMORY: u64 = 1 << 30;
/// CPU time of a process for one file, in whole seconds; the parser's own clock ends it earlier if it can.
#[cfg(unix)]
const SECONDS: u64 = if cfg!(debug_assertions) { 8 } else { 2 };
/// How often a process that is at work is looked at.
const STEP: Duration = Duration::from_millis(20);

/// What is to be parsed: a line of JSON.
#[derive(Debug, Deserialize, Serialize)]
struct Task<T, C> {
    language: Language,
    source: T,
    calls: C,
    is_brief: bool,
}

/// What came of it: a line of JSON.
#[derive(Debug, Deserialize, Serialize)]
struct Answer {
    /// Nothing if it took too long.
    found: Option<Extract>,
    /// What it took of the time for slow files, in milliseconds.
    slow: u64,
}

/// No process can be started.
#[derive(Debug)]
pub(super) struct NoProcess;

/// Processes that parse. As many are kept as were at work at a time.
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

    /// Parses a text within the budget; nothing if that takes too much of the machine.
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
            None => Parser::start(&self.program).map_err(|_| NoProcess)?,
        };
        let task = Task {
            language,
            source,
            calls,
            is_brief: budget.is_brief(),
        };
        let start = Instant::now();
        let answer = parser.answer(&task, || start.elapsed() > budget.patience());
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

/// A process that parses; it ends with this value.
#[derive(Debug)]
struct Parser {
    process: Child,
    tasks: ChildStdin,
    answers: Receiver<Vec<u8>>,
}

impl Parser {
    fn start(program: &Path) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl-C is for the program that decides what it means.
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
        Ok(Self {
            process,
            tasks,
            answers,
        })
    }

    /// Gives a task and waits for the answer; nothing if the process ends, or has to be ended.
    fn answer(&mut self, task: &impl Serialize, is_over: impl Fn() -> bool) -> Option<Answer> {
        let mut line = serde_json::to_vec(task).ok()?;
        line.push(b'\n');
        self.tasks.write_all(&line).ok()?;
        loop {
            match self.answers.recv_timeout(STEP) {
                Ok(line) => return serde_json::from_slice(&line).ok(),
                Err(RecvTimeoutError::Timeout) if !is_over() => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Parses the files on standard input and writes what they say to standard output.
///
/// # Errors
///
/// The input cannot be read, or the output is closed.
pub fn serve() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let task: Task<String, HashSet<String>> = serde_json::from_slice(&line?)?;
        limit()?;
        let budget = ParseBudget::new(Arc::new(AtomicBool::new(task.is_brief)));
        let found = parsed(task.language, &task.source, &task.calls, &budget);
        let slow = budget.slow();
        let mut line = serde_json::to_vec(&Answer { found, slow })?;
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(())
}

/// Limits what this process may take for its next file.
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
    // The system counts in whole seconds; the one that has begun is partly used up.
    limit(Resource::Cpu, used.saturating_add(1 + SECONDS))?;
    Ok(())
}

#[cfg(not(unix))]
fn limit() -> io::Result<()> {
    Ok(())
}
