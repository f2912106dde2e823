//! Runs `migrate` on small test projects.

#![allow(
    dead_code,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test file uses a part, and tests fail by panicking"
)]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const SECRET: &str = "h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua";

/// A v1 URL in single quotes.
pub(crate) const CALL: &str = "'https://api.zoom.us/v1/user/get'";

pub(crate) fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        put(folder.path(), path, text.as_bytes());
    }
    folder
}

pub(crate) fn put(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub(crate) fn migrate(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Sends SIGINT and waits for the end.
pub(crate) fn interrupt(child: Child) -> Output {
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(signal.success());
    child.wait_with_output().unwrap()
}

/// Runs `migrate` with a text on standard input.
pub(crate) fn migrate_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may exit without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs git in a folder and returns its output.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?} {output:?}");
    text(&output).trim().to_owned()
}

/// A folder for `--mappings` with an operation that is not served.
pub(crate) fn unserved() -> TempDir {
    tree(&[(
        "user/unserved.toml",
        "[operation.\"user/unserved\"]\nsummary = \"Is not served.\"\neffect = \"read\"\n\
         parameters = [\"id\"]\nrequires = [\"id\"]\ncomposite = true\n\
         instead = [\"GET /users\", \"GET /users/{userId}\"]\n\
         instead_source = \"users\"\nnote = \"one call a user\"\n",
    )])
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = migrate(
        folder,
        &[&["audit", "--format", "json"], arguments].concat(),
    );
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The JSON report of a run.
pub(crate) fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `path:line` of each finding, and the exit code.
pub(crate) fn lines_and_code(folder: &Path) -> (Vec<String>, Option<i32>) {
    let output = migrate(folder, &["audit", "--format", "json"]);
    let places = places(&parsed(&output)).into_iter();
    let lines = places.map(|place| place.split(' ').next().unwrap_or_default().to_owned());
    (lines.collect(), output.status.code())
}

/// `path:line kind` of each finding.
pub(crate) fn places(report: &Value) -> Vec<String> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            format!(
                "{}:{} {}",
                found["path"].as_str().unwrap(),
                found["line"],
                found["kind"].as_str().unwrap()
            )
        })
        .collect()
}

pub(crate) fn client() -> TempDir {
    tree(&[
        (
            "app/Zoom.php",
            "<?php\n$base = 'https://api.zoom.us/v1/';\n\
             $api_secret = 'h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua';\n\
             post($base . 'user/list', ['page_size' => 300]);\n\
             post($base . 'user/custcreate?api_secret=h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua');\n",
        ),
        ("README.md", "Calls https://api.zoom.us/v1/user/list\n"),
        (".github/CODEOWNERS", "* @all\n/app/ @web\n"),
    ])
}
