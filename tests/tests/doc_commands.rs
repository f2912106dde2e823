//! Commands in the documentation. A code block without a language has commands.
//!
//! - After `<!-- runs -->`, it is run by bash in an empty folder, with a sandbox at the addresses
//!   in the block (`127.0.0.1:8080` and `127.0.0.1:9090`). `<!-- runs: NAME -->` runs it in a copy
//!   of `tests/docs/NAME`.
//! - Without a mark, it cannot be run here. Its syntax is checked, and that the programs have its
//!   commands and flags.
//!
//! In a block with `$ ` prompts, the other lines are output. Each must occur in the output of the
//! commands; `…` matches anything.
#![cfg(unix)]
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use end_to_end::{program, programs};

/// Pages whose commands are checked.
const PAGES: [&str; 6] = [
    "README.md",
    ".github",
    "shim/docs",
    "shim/SECURITY.md",
    "migrate-cli/docs",
    "mappings/README.md",
];

/// Minimum number of blocks that are run, to detect typos in marks.
const FEWEST_RUN: usize = 12;

/// Optional programs. Blocks that need a missing one are not run.
const OTHERS: [&str; 4] = ["curl", "php", "python3", "jq"];

/// A block of commands.
struct Block {
    /// Page and line of the first command.
    place: String,
    /// Project to run it in; empty for an empty folder; `None` if it is not run.
    runs: Option<String>,
    /// Commands, with continuation lines.
    commands: Vec<String>,
    /// Lines of output.
    output: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for path in PAGES.map(|page| root().join(page)) {
        match fs::read_dir(&path) {
            Ok(folder) => pages.extend(folder.map(|file| file.unwrap().path())),
            Err(_) => pages.push(path),
        }
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let shown = page.strip_prefix(root()).unwrap().display().to_string();
    let mut blocks = Vec::new();
    let (mut mark, mut language, mut lines) = (None, None, Vec::new());
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        match (&language, trimmed.strip_prefix("```")) {
            (None, Some(name)) => language = Some(name.to_owned()),
            (Some(name), Some(_)) => {
                if name.is_empty() {
                    let place = format!("{shown}:{}", number + 1 - lines.len());
                    blocks.push(block(place, mark.take(), &lines));
                }
                (mark, language) = (None, None);
                lines.clear();
            }
            (Some(_), None) => lines.push(trimmed.to_owned()),
            (None, None) => {
                let inner = trimmed
                    .strip_prefix("<!-- ")
                    .and_then(|rest| rest.strip_suffix(" -->"));
                let runs = inner.filter(|inner| inner.starts_with("runs"));
                if !trimmed.is_empty() {
                    mark =
                        runs.map(|runs| runs["runs".len()..].trim_matches([':', ' ']).to_owned());
                }
            }
        }
    }
    blocks
}

fn block(place: String, runs: Option<String>, lines: &[String]) -> Block {
    let has_prompts = lines.iter().any(|line| line.starts_with("$ "));
    let (mut commands, mut output) = (Vec::new(), Vec::new());
    let mut goes_on = false;
    for line in lines {
        let command = line.strip_prefix("$ ");
        if command.is_some() || goes_on || !has_prompts {
            let command = command.unwrap_or(line);
            goes_on = command.ends_with('\\');
            commands.push(command.to_owned());
        } else {
            output.push(line.clone());
        }
    }
    Block {
        place,
        runs,
        commands,
        output,
    }
}

fn bash(folder: &Path, arguments: &[&str], script: &str) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    // The settings of the environment must not affect the commands.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SHIM_") {
            command.env_remove(name);
        }
    }
    let mut child = command
        .args(arguments)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs().display()))
        .env("SHIM_OPS_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait_with_output().unwrap()
}

/// A running shim with its sandbox.
struct Sandbox {
    child: Child,
    v1: String,
    operations: String,
}

impl Sandbox {
    fn start() -> Self {
        let mut child = program("shim")
            .args(["serve", "--sandbox", "--listen", "127.0.0.1:0"])
            .args(["--ops-listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addresses = lines.take(2).map(|line| {
            let line = line.unwrap();
            let (_, rest) = line.split_once("http://").unwrap();
            rest.split(['/', ' ']).next().unwrap().to_owned()
        });
        let [v1, operations] = addresses.collect::<Vec<_>>().try_into().unwrap();
        Self {
            child,
            v1,
            operations,
        }
    }

    /// Replaces the documented addresses with those of this sandbox.
    fn here(&self, text: &str) -> String {
        text.replace("127.0.0.1:8080", &self.v1)
            .replace("127.0.0.1:9090", &self.operations)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// True if a line of output matches the page; `…` matches anything.
fn is_shown(shown: &str, line: &str) -> bool {
    let mut rest = line.trim();
    let mut parts = shown.trim().split('…').map(str::trim);
    let Some(first) = parts.next().and_then(|first| rest.strip_prefix(first)) else {
        return false;
    };
    rest = first;
    let is_open = shown.contains('…');
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    is_open || rest.is_empty()
}

fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

#[test]
fn marked_commands_print_the_documented_output() {
    let sandbox = Sandbox::start();
    let mut count = 0;
    let mut wrong = Vec::new();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        let Some(project) = &block.runs else { continue };
        count += 1;
        let script = block.commands.join("\n");
        let is_used = |name: &&&str| script.split_whitespace().any(|word| word == **name);
        if let Some(missing) = OTHERS
            .iter()
            .filter(is_used)
            .find(|name| !is_installed(name))
        {
            eprintln!("NOT TESTED: {}: {missing} is not installed", block.place);
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        if !project.is_empty() {
            copy(&root().join("tests/docs").join(project), folder.path());
        }
        // An audit with findings exits with 1.
        let output = bash(folder.path(), &["-uo", "pipefail"], &sandbox.here(&script));
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        if !(code == Some(0) || (code == Some(1) && script.contains("migrate"))) {
            wrong.push(format!(
                "{}: ended with {code:?}: {printed}{said}",
                block.place
            ));
        }
        for shown in block
            .output
            .iter()
            .filter(|line| line.trim() != "…" && !line.trim().is_empty())
        {
            let shown = sandbox.here(shown);
            if !printed.lines().any(|line| is_shown(&shown, line)) {
                wrong.push(format!(
                    "{}: {shown:?} is not in what it prints:\n{printed}{said}",
                    block.place
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= FEWEST_RUN, "only {count} blocks are run");
}

#[test]
fn other_commands_have_valid_syntax() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        // Placeholders.
        let script = block.commands.join("\n").replace(['…', '[', ']'], "x");
        let output = bash(folder.path(), &["-n"], &script);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{}: {said}", block.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Help of a command, with caching: `shim notifications`.
fn help(words: &[&str], known: &mut HashMap<String, String>) -> Option<String> {
    let (program, rest) = words.split_first()?;
    let name = words.join(" ");
    if !known.contains_key(&name) {
        let output = end_to_end::program(program)
            .args(rest)
            .arg("--help")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        known.insert(
            name.clone(),
            if output.status.success() {
                text
            } else {
                String::new()
            },
        );
    }
    known.get(&name).filter(|text| !text.is_empty()).cloned()
}

#[test]
fn commands_and_flags_in_the_pages_exist() {
    let mut known = HashMap::new();
    let mut used = BTreeMap::<&str, usize>::new();
    let mut wrong = Vec::new();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        let whole = block.commands.join("\n").replace("\\\n", " ");
        for part in whole.split(['\n', '|', ';', '&']) {
            let code = part.split(" #").next().unwrap_or_default();
            let words: Vec<_> = code.split_whitespace().collect();
            // `cargo run -p shim -- serve` is `shim serve`.
            let begin = words
                .iter()
                .position(|word| *word == "shim" || *word == "migrate");
            let Some(begin) = begin.filter(|at| words[..*at].iter().all(|word| word.contains('=')))
            else {
                continue;
            };
            let words = &words[begin..];
            let program = if words[0] == "shim" {
                "shim"
            } else {
                "migrate"
            };
            let Some(command) = words.get(1).filter(|word| !word.starts_with('-')) else {
                continue;
            };
            let mut path = vec![program, *command];
            let Some(mut text) = help(&path, &mut known) else {
                wrong.push(format!("{}: there is no `{}`", block.place, path.join(" ")));
                continue;
            };
            *used.entry(program).or_default() += 1;
            if let Some(word) = words
                .get(2)
                .filter(|word| text.contains(&format!("\n  {word} ")))
            {
                path.push(*word);
                text = help(&path, &mut known).unwrap_or(text);
            }
            let flags = words
                .iter()
                .filter(|word| word.starts_with("--") && word.len() > 2);
            for flag in flags.map(|flag| flag.split('=').next().unwrap_or(flag)) {
                if !text.contains(flag) {
                    wrong.push(format!(
                        "{}: `{}` has no {flag}",
                        block.place,
                        path.join(" ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        used.len() == 2 && used.values().all(|count| *count > 5),
        "{used:?}"
    );
}

#[test]
fn ellipsis_matches_any_output() {
    assert!(is_shown("a … c", "a b c") && is_shown("{\"id\":\"…\"}", "  {\"id\":\"x\"}"));
    assert!(!is_shown("a b", "a b c") && !is_shown("a … d", "a b c"));
}
