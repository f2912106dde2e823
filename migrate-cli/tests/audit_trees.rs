//! Hostile trees: encodings, special files, links, names and settings do not stop the audit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

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

/// A folder of checkouts: what one repository says is no evidence for another one, with or without
/// a manifest. A submodule is a part of the repository around it.
#[test]
fn keeps_repositories_apart() {
    let files = [
        (
            "alone/config.php",
            "<?php $zoom = 'https://api.zoom.us/v1/';\n",
        ),
        ("alone/lib/users.php", "<?php $zoom->call('user/list');\n"),
        (
            "other/zoom.js",
            "// Zoom\nsend('/metrics/im'); send('user/list');\n",
        ),
        ("other/package.json", "{}"),
        (
            "other/keys.js",
            "const zoom_api_secret = 'aR7xWq93LmZt8KcVb2Ny';\n",
        ),
    ];
    let folder = tree(&files);
    let own = [
        "alone/config.php:1 base_url",
        "alone/lib/users.php:1 endpoint",
    ];
    let mixed = places(&json(folder.path(), &["."]));
    assert!(mixed.len() > own.len(), "{mixed:?}");
    for repository in ["alone", "other"] {
        fs::create_dir(folder.path().join(repository).join(".git")).unwrap();
    }
    assert_eq!(places(&json(folder.path(), &["."])), own);
    put(
        folder.path(),
        "alone/lib/.git",
        b"gitdir: ../.git/modules/lib",
    );
    assert_eq!(places(&json(folder.path(), &["."])), own);
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
        thread::yield_now();
    }
    let output = interrupt(child);
    // Unread files could have findings.
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["interrupted"], true);
    assert_eq!(places(&report), ["a.sh:1 url"]);
}

#[test]
fn reads_utf16_with_and_without_bom() {
    let folder = TempDir::new().unwrap();
    let line = format!("x = {CALL}\n");
    let text = format!("{}{line}", "-- nothing to see\n".repeat(40_000));
    for (name, mark, big) in [
        ("le", &b"\xff\xfe"[..], false),
        ("be", &b"\xfe\xff"[..], true),
        ("le-bare", b"", false),
        ("be-bare", b"", true),
    ] {
        for (path, text) in [("a.py", &line), ("b.sql", &text)] {
            let units = text.encode_utf16();
            let bytes: Vec<u8> = units
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            put(
                folder.path(),
                &format!("{name}/{path}"),
                [mark, &bytes].concat(),
            );
        }
    }
    let (found, _) = lines_and_code(folder.path());
    let wanted: Vec<String> = ["be", "be-bare", "le", "le-bare"]
        .iter()
        .flat_map(|name| [format!("{name}/a.py:1"), format!("{name}/b.sql:40001")])
        .collect();
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    assert!(
        wanted.iter().all(|place| found.contains(place)),
        "{found:?}"
    );
    let whole = migrate(
        folder.path(),
        &["audit", "--max-parse", "1000", "--format", "json"],
    );
    assert_eq!(
        parsed(&whole)["findings"].as_array().unwrap().len(),
        wanted.len()
    );
}

#[test]
fn reads_binary_files() {
    let folder = TempDir::new().unwrap();
    let junk: Vec<u8> = (1..=255).cycle().take(5000).collect();
    for path in ["a.php", "b.py", "c.json", "d.txt", "e.vue"] {
        let line = format!("\n{CALL}\n");
        put(
            folder.path(),
            path,
            [&junk, line.as_bytes(), &junk].concat(),
        );
    }
    let (_, code) = lines_and_code(folder.path());
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
}

#[cfg(unix)]
#[test]
fn rejects_pipes_and_devices_and_ignores_links() {
    use std::os::unix::{fs::symlink, net::UnixListener};

    let folder = TempDir::new().unwrap();
    let outside = TempDir::new().unwrap();
    put(outside.path(), "a.sh", format!("curl {CALL}\n"));
    put(folder.path(), "in/a.sh", format!("curl {CALL}\n"));
    symlink(outside.path(), folder.path().join("in/outside")).unwrap();
    symlink(outside.path().join("a.sh"), folder.path().join("in/b.sh")).unwrap();
    symlink("/dev/zero", folder.path().join("in/c.sh")).unwrap();
    let _socket = UnixListener::bind(folder.path().join("in/socket.sh")).unwrap();
    let pipe = folder.path().join("in/pipe.sh");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        lines_and_code(folder.path()),
        (vec!["in/a.sh:1".to_owned()], Some(1))
    );
    for path in ["in/pipe.sh", "in/socket.sh", "in/c.sh", "/dev/zero"] {
        let output = migrate(folder.path(), &["audit", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
    }
    put(
        folder.path(),
        "list",
        "in/pipe.sh\nin/c.sh\nin/a.sh\nin\ngone\n",
    );
    let output = migrate(
        folder.path(),
        &["audit", "--files-from", "list", "--format", "json"],
    );
    let report = parsed(&output);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 4);
    assert_eq!(output.status.code(), Some(2));
}

/// Files read implicitly or by name are only opened if they are regular files, because others could
/// block or be endless.
#[cfg(unix)]
#[test]
fn rejects_special_files_by_name() {
    use std::os::unix::fs::symlink;

    let pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let device = |path: &Path| symlink("/dev/zero", path).unwrap();
    let makers: [&dyn Fn(&Path); 2] = [&pipe, &device];
    for make in makers {
        for name in [
            ".migrate-baseline",
            "CODEOWNERS",
            ".gitignore",
            ".ignore",
            "sub/.gitignore",
        ] {
            let folder = TempDir::new().unwrap();
            put(folder.path(), "a.sh", format!("curl {CALL}\n"));
            put(folder.path(), "sub/b.sh", format!("curl {CALL}\n"));
            make(&folder.path().join(name));
            let output = migrate(folder.path(), &["audit", "--format", "json"]);
            assert_eq!(output.status.code(), Some(2), "{name}");
        }
        let folder = TempDir::new().unwrap();
        put(folder.path(), "a.sh", format!("curl {CALL}\n"));
        make(&folder.path().join("x"));
        for arguments in [
            &["audit", "--access-log", "x"][..],
            &["audit", "--files-from", "x"],
            &["audit", "--baseline", "x"],
            &["audit", "--mappings", "x"],
            &["usage", "x"],
            &["diff", "--recorded", "x", "--exchange", "1"],
            &["diff", "x", "a.sh"],
            &["diff", "a.sh", "a.sh", "--rules", "x"],
        ] {
            let output = migrate(folder.path(), arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        }
    }
}

#[test]
fn reports_patterns_with_too_many_wildcards() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "a.sh", format!("curl {CALL}\n"));
    let patterns = format!("/{}a.sh @a\n", "*{*".repeat(100));
    put(folder.path(), "CODEOWNERS", patterns.repeat(5000));
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let report = parsed(&output);
    assert_eq!(places(&report), ["a.sh:1 url"]);
    let reason = report["unreadable"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("too many wildcards"), "{reason}");

    put(folder.path(), "sub/.gitignore", "*a*b*c*\n".repeat(100_000));
    put(folder.path(), "sub/b.sh", format!("curl {CALL}\n"));
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    let report = parsed(&output);
    assert_eq!(report["unreadable"][0]["path"], "sub");
    let output = migrate(folder.path(), &["audit", "--format", "json", "--no-ignore"]);
    assert_eq!(places(&parsed(&output)), ["a.sh:1 url", "sub/b.sh:1 url"]);
}

#[test]
fn audits_a_changing_tree() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "steady.sh", format!("curl {CALL}\n"));
    let done = AtomicBool::new(false);
    let outcomes: Vec<_> = thread::scope(|scope| {
        for part in 0..2 {
            let (folder, done) = (folder.path(), &done);
            scope.spawn(move || {
                let mut round = 0;
                while !done.load(Ordering::Relaxed) {
                    round += 1;
                    let name = format!("{part}-{}", round % 40);
                    // Folders appear and disappear, and one file grows.
                    put(folder, &format!("{name}/a.sh"), format!("curl {CALL}\n"));
                    let growing = fs::OpenOptions::new()
                        .append(true)
                        .create(true)
                        .open(folder.join("growing.log"));
                    std::io::Write::write_all(&mut growing.unwrap(), b"user/get zoom\n").unwrap();
                    if round > 20 {
                        let old = folder.join(format!("{part}-{}", (round - 20) % 40));
                        fs::remove_dir_all(old).ok();
                    }
                }
            });
        }
        let outcomes = (0..8).map(|_| lines_and_code(folder.path())).collect();
        done.store(true, Ordering::Relaxed);
        outcomes
    });
    for (found, code) in outcomes {
        assert_eq!(code, Some(1));
        assert!(found.iter().any(|place| place == "steady.sh:1"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn reports_escape_control_characters_in_names() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let folder = TempDir::new().unwrap();
    for name in [
        &b"a\nb\x1b[31m.sh"[..],
        b"c\xff.sh",
        "d\u{202e}e\x07\u{9b}.sh".as_bytes(),
    ] {
        fs::write(
            folder.path().join(OsStr::from_bytes(name)),
            format!("curl {CALL}\n"),
        )
        .unwrap();
    }
    let report = migrate(folder.path(), &["audit"]).stdout;
    let report = String::from_utf8(report).unwrap();
    assert!(!report.contains(['\x1b', '\u{202e}']), "{report:?}");
    assert!(report.contains("[31m.sh"), "{report}");
    for format in [
        "json", "sarif", "github", "junit", "csv", "html", "markdown",
    ] {
        let output = migrate(folder.path(), &["audit", "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        let report = String::from_utf8(output.stdout).unwrap();
        let raw = ['\x1b', '\x07', '\u{202e}', '\u{9b}'];
        assert!(!report.contains(raw), "{format}: {report:?}");
    }
    let annotations = migrate(folder.path(), &["audit", "--format", "github"]).stdout;
    let annotations = String::from_utf8(annotations).unwrap();
    // One line each: a file name cannot start a new line.
    let of_files = annotations.lines().filter(|line| line.contains(".sh"));
    assert!(
        of_files
            .clone()
            .all(|line| line.starts_with("::error file="))
    );
    assert_eq!(of_files.count(), 3, "{annotations}");
}

#[test]
fn walks_deep_trees() {
    let folder = TempDir::new().unwrap();
    let deep = "d/".repeat(300);
    put(
        folder.path(),
        &format!("{deep}a.sh"),
        format!("curl {CALL}\n"),
    );
    assert_eq!(lines_and_code(folder.path()).0, [format!("{deep}a.sh:1")]);
}

#[test]
fn survives_hostile_settings_files() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "a.sh", format!("curl {CALL}\n"));
    let stars = "*".repeat(2000);
    put(
        folder.path(),
        ".gitignore",
        format!("[\n{stars}\n!{stars}x\n\\\n[z-a]\n**/**/**/{stars}/y\n{{a,{{b,\n!a.sh\n"),
    );
    let mut owners = String::from("* @all\n[x\n^y\n!\n/[ @no\n");
    for line in 0..20_000 {
        writeln!(owners, "/src/*/part{line}/**/x*.js @team{line}").unwrap();
    }
    put(folder.path(), "CODEOWNERS", owners);
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    let report = parsed(&output);
    assert_eq!(report["findings"][0]["owners"], serde_json::json!(["@all"]));
    let long = "x".repeat(1 << 20);
    for baseline in [
        "\0\0",
        "<<<<<<< ours\n",
        "v1-url",
        &long,
        "\u{fffd}\t\t\t\n",
    ] {
        put(folder.path(), ".migrate-baseline", baseline);
        let output = migrate(folder.path(), &["audit"]);
        // An invalid baseline is an error; an empty one suppresses nothing.
        assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    }
}
