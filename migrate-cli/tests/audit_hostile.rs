//! Hostile trees do not stop the audit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::{fs, process::Command};

use project::*;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn reads_any_encoding() {
    let folder = TempDir::new().unwrap();
    let line = "url = 'https://api.zoom.us/v1/user/get'\n";
    let mut wide = vec![0xff, 0xfe];
    wide.extend(line.encode_utf16().flat_map(u16::to_le_bytes));
    put(folder.path(), "a.py", &wide);
    put(
        folder.path(),
        "b.py",
        [b"# caf\xe9\n".as_slice(), line.as_bytes()].concat(),
    );
    put(
        folder.path(),
        "c.bin",
        [b"\0\0".as_slice(), line.as_bytes()].concat(),
    );
    assert_eq!(
        places(&json(folder.path(), &["."])),
        ["a.py:1 url", "b.py:2 url"]
    );
}

#[test]
fn survives_deep_nesting() {
    let folder = TempDir::new().unwrap();
    let call = "'https://api.zoom.us/v1/user/get'";
    for (path, open, close) in [
        ("a.js", "(", ")"),
        ("b.json", "[", "]"),
        ("c.php", "[", "]"),
        ("d.py", "(", ")"),
        ("e.rb", "[", "]"),
    ] {
        let start = if path == "c.php" {
            "<?php $a = "
        } else {
            "x = "
        };
        let text = format!(
            "{start}{}{call}{};\n",
            open.repeat(50_000),
            close.repeat(50_000)
        );
        put(folder.path(), path, text.as_bytes());
    }
    let found = places(&json(folder.path(), &["."]));
    assert_eq!(
        found,
        [
            "a.js:1 url",
            "b.json:1 url",
            "c.php:1 url",
            "d.py:1 url",
            "e.rb:1 url"
        ]
    );
}

#[test]
fn survives_one_huge_line() {
    let folder = TempDir::new().unwrap();
    let mut line = "user/list/zoom.us".repeat(400_000);
    line.push_str(" \"https://api.zoom.us/v1/user/get\"");
    put(folder.path(), "a.min.js", line.as_bytes());
    put(folder.path(), "b.sql", line.as_bytes());
    let found = places(&json(folder.path(), &["."]));
    assert_eq!(found, ["a.min.js:1 url", "b.sql:1 url"]);
}

#[cfg(unix)]
#[test]
fn survives_pipes_loops_and_unreadable_files() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tree(&[
        ("a.sh", "curl https://api.zoom.us/v1/user/get\n"),
        ("b/closed.sh", "x"),
    ]);
    let status = Command::new("mkfifo")
        .arg(folder.path().join("pipe.sh"))
        .status()
        .unwrap();
    assert!(status.success());
    symlink(folder.path(), folder.path().join("b/loop")).unwrap();
    symlink("nowhere", folder.path().join("dangling.sh")).unwrap();
    let closed = folder.path().join("b/closed.sh");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(places(&report), ["a.sh:1 url"]);
    // Root can read this file.
    if fs::read(&closed).is_err() {
        assert_eq!(report["unreadable"][0]["path"], "b/closed.sh");
        assert_eq!(output.status.code(), Some(2));
    }
}

/// Ctrl-C while reading a huge file.
#[cfg(target_os = "linux")]
#[test]
fn reports_findings_before_an_interruption() {
    use std::{path::PathBuf, process::Stdio};

    let folder = tree(&[("a.sh", "curl https://api.zoom.us/v1/user/get\n")]);
    let endless = folder.path().join("endless.txt");
    fs::write(&endless, "x".repeat(10_000)).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&endless).unwrap();
    file.set_len(1 << 36).unwrap();
    fs::write(folder.path().join("list"), "a.sh\nendless.txt\n").unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["audit", "--format", "json", "--files-from", "list"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The first file is complete when the second one is open.
    let open = PathBuf::from(format!("/proc/{}/fd", child.id()));
    let endless = endless.canonicalize().unwrap();
    let is_open = || {
        fs::read_dir(&open)
            .unwrap()
            .filter_map(Result::ok)
            .any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == endless))
    };
    while !is_open() {
        std::thread::yield_now();
    }
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    // Unread files could have findings.
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["interrupted"], true);
    assert_eq!(places(&report), ["a.sh:1 url"]);
}
