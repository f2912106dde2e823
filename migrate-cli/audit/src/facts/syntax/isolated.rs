//! Parses a file in a process of its own, whose memory and time the system limits.
//!
//! Some texts make a parser take minutes and gigabytes in a step that nothing interrupts. Files that
//! start to behave like that are parsed again here: a process can be ended at any time.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    facts::syntax::{Extract, budget::ParseBudget, parsed},
    language::Language,
};

/// The argument that makes the program parse one file from its standard input; see [`serve`].
pub const ARGUMENT: &str = "parse-one-file";

/// Address space of the process, in bytes. The stack that the parser may need is reserved in it.
const MEMORY: u64 = 1 << 30;
/// CPU time of the process, in seconds; the parser's own clock ends it earlier if it can.
const SECONDS: u64 = if cfg!(debug_assertions) { 8 } else { 2 };
/// How long the process may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10 * SECONDS);
/// How often it is looked at.
const STEP: Duration = Duration::from_millis(2);

/// What is to be parsed.
#[derive(Debug, Deserialize, Serialize)]
struct Task {
    language: Language,
    calls: HashSet<String>,
    source: String,
}

/// Parses a text by another process of this program; nothing if that takes too much of the machine, or
/// `is_over` says so.
pub(super) fn extract(
    program: &Path,
    language: Language,
    source: &str,
    calls: &HashSet<String>,
    is_over: impl Fn() -> bool,
) -> Option<Extract> {
    let task = Task {
        language,
        calls: calls.clone(),
        source: source.to_owned(),
    };
    let mut answer = tempfile::tempfile().ok()?;
    let mut process = Command::new(program)
        .arg(ARGUMENT)
        .stdin(hand_over(&task).ok()?)
        .stdout(answer.try_clone().ok()?)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    if !succeeds(&mut process, is_over) {
        return None;
    }
    answer.rewind().ok()?;
    serde_json::from_reader(io::BufReader::new(answer)).ok()
}

/// A file that holds a task, ready to be read.
fn hand_over(task: &Task) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut out = io::BufWriter::new(&mut file);
    serde_json::to_writer(&mut out, task)?;
    out.flush()?;
    drop(out);
    file.rewind()?;
    Ok(file)
}

/// Waits for a process, and ends it if that takes too long.
fn succeeds(process: &mut Child, is_over: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        match process.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < end && !is_over() => thread::sleep(STEP),
            Ok(None) | Err(_) => {
                let _ = process.kill();
                let _ = process.wait();
                return false;
            }
        }
    }
}

/// Parses the file on standard input and writes what it says to standard output.
///
/// # Errors
///
/// The input cannot be read, or the file takes too long to parse.
pub fn serve() -> io::Result<()> {
    limit()?;
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let task: Task = serde_json::from_slice(&input)?;
    drop(input);
    let budget = ParseBudget::new(Arc::new(AtomicBool::new(false)), None);
    let found = parsed(
        task.language,
        &task.source,
        &task.calls,
        &budget.start_alone(),
    );
    let found = found.map_err(|cut| io::Error::other(format!("{cut:?}")))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut out, &found)?;
    out.flush()
}

/// Limits what this process may take.
#[cfg(unix)]
fn limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::As, most(MEMORY))?;
    setrlimit(Resource::Cpu, most(SECONDS))?;
    setrlimit(Resource::Core, most(0))?;
    Ok(())
}

#[cfg(not(unix))]
fn limit() -> io::Result<()> {
    Ok(())
}
