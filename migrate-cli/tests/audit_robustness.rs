//! The audit of hostile or broken trees: it terminates, uses bounded memory, and reports omissions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use project::{migrate, places, put};
use serde_json::Value;
use tempfile::TempDir;

const CALL: &str = "'https://api.zoom.us/v1/user/get'";
/// Size of nested code, in bytes: enough to detect superlinear growth, but fast to read.
const NESTED: usize = 100_000;

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `path:line` of each finding, and the exit code.
fn audit(folder: &Path) -> (Vec<String>, Option<i32>) {
    let output = migrate(folder, &["audit", "--format", "json"]);
    let report = parsed(&output);
    let places = places(&report).into_iter();
    let places = places.map(|place| place.split(' ').next().unwrap_or_default().to_owned());
    (places.collect(), output.status.code())
}

#[test]
fn survives_deeply_nested_code() {
    let folder = TempDir::new().unwrap();
    // Opening, closing, prefix. With line breaks, because long lines are treated as bundles.
    let kinds = [
        ("a.js", "{b: 'user', a:\n", "}\n", "x ="),
        ("b.js", "f(\n", ")\n", ""),
        ("c.json", "[\n", "]\n", ""),
        ("d.php", "['user',\n", "'list']\n", "<?php $a ="),
        ("e.py", "{'user':\n", "}\n", "x ="),
        ("f.rb", "{a:\n", "}\n", "x ="),
        ("g.rb", "module A;\n", "end;\n", ""),
        ("h.xml", "<a>\n", "</a>\n", ""),
        ("i.yaml", "{a:\n", "}\n", "a: "),
        ("j.ts", "!\n", "", ""),
        ("k.sh", "$(\n", ")\n", "x="),
        ("l.js", "-\n", "", "x ="),
    ];
    for (path, open, close, before) in kinds {
        let times = NESTED / (open.len() + close.len());
        let (open, close) = (open.repeat(times), close.repeat(times));
        put(
            folder.path(),
            path,
            format!("{before}{open}{CALL}{close}\n"),
        );
        put(
            folder.path(),
            &format!("flat/{path}"),
            format!("{before}{open}{CALL}{close}").replace('\n', ""),
        );
    }
    let (found, code) = audit(folder.path());
    assert_eq!(code, Some(1));
    for (path, ..) in kinds {
        for place in [format!("{path}:"), format!("flat/{path}:1")] {
            assert!(
                found.iter().any(|one| one.starts_with(&place)),
                "{place} {found:?}"
            );
        }
    }
}

/// Syntax trees that need recursion or superlinear time to look up nodes from the root.
#[test]
fn reads_deep_shell_code_without_recursion() {
    let folder = TempDir::new().unwrap();
    let call = format!("curl {CALL}\n");
    let deep = |open: &str, times| format!("{}{}", open.repeat(times), ")\n".repeat(times));
    put(
        folder.path(),
        "a.sh",
        format!("{call}{}", deep("(\n", 20_000)),
    );
    put(
        folder.path(),
        "b.sh",
        format!("{call}{}", deep("f(\n", 10_000)),
    );
    let (found, _) = audit(folder.path());
    assert_eq!(found, ["a.sh:1", "b.sh:1"]);
}

#[test]
fn reports_files_that_take_too_long_to_parse() {
    let folder = TempDir::new().unwrap();
    let slow = "a =>\n".repeat(150_000);
    put(folder.path(), "a.java", format!("{slow}f({CALL});\n"));
    put(folder.path(), "b.js", format!("f({CALL});\n"));
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    let report = parsed(&output);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 1);
    assert_eq!(report["unreadable"][0]["path"], "a.java");
    let reason = report["unreadable"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("takes too long to parse"), "{reason}");
    assert!(places(&report).contains(&"b.js:1 url".to_owned()));
}

/// Ambiguous code: the last step of the parser takes quadratic time and memory and cannot be
/// interrupted.
#[cfg(unix)]
#[test]
fn ambiguous_code_uses_bounded_memory() {
    let folder = TempDir::new().unwrap();
    let kinds = [
        ("a.java", "a =>\n"),
        ("b.ts", "f<a,\n"),
        ("c.cs", "f<a<\n"),
        ("d.java", "longer.names() =>          \n"),
    ];
    let call = CALL.replace('\'', "\"");
    for (path, line) in kinds {
        let text = format!("f({call});\n{}", line.repeat(16_000));
        put(folder.path(), path, text);
    }
    // Each line has a different comment.
    let lines = (0..4_000).map(|at| format!("a => {}// {at:x} {}\n", " ".repeat(at % 4), at % 7));
    let padded = lines.collect::<String>();
    put(folder.path(), "e.java", format!("f({call});\n{padded}"));
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 4000000; exec \"$0\" audit --format json"])
        .arg(env!("CARGO_BIN_EXE_migrate"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = parsed(&output);
    assert_eq!(output.status.code(), Some(2));
    let named: Vec<&str> = report["unreadable"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|unread| unread["path"].as_str())
        .collect();
    assert!(named.contains(&"a.java"), "{named:?}");
    for path in kinds.map(|(path, _)| path).into_iter().chain(["e.java"]) {
        assert!(places(&report).contains(&format!("{path}:1 url")), "{path}");
    }
}

/// Short texts that take parsers seconds. The parser process is killed and replaced, and reads the
/// next file normally.
#[test]
fn padding_does_not_delay_the_audit() {
    let folder = TempDir::new().unwrap();
    let kinds = [
        ("a.php", "<?php\n", "@{ ", 700),
        ("b.swift", "", "?> ", 700),
        ("c.java", "", "a =>\n", 16_000),
    ];
    for (path, start, padding, times) in kinds {
        let padding = padding.repeat(times);
        let call = CALL.replace('\'', "\"");
        put(folder.path(), path, format!("{start}f({call});\n{padding}"));
    }
    // Only found by parsing.
    put(
        folder.path(),
        "z.php",
        "<?php\n$base = 'https://api.zoom.us/v1/';\nask($base . 'user/get');\n",
    );
    let output = migrate(folder.path(), &["audit", "--format", "json", "--jobs", "1"]);
    let report = parsed(&output);
    let found = places(&report);
    for (path, start, ..) in kinds {
        let line = 1 + start.lines().count();
        assert!(found.contains(&format!("{path}:{line} url")), "{path}");
    }
    assert!(
        found.iter().any(|place| place.starts_with("z.php:3")),
        "{found:?}"
    );
    let unread = report["unreadable"].as_array().unwrap();
    assert!(
        unread.iter().all(|one| one["path"] != "z.php"),
        "{unread:?}"
    );
}

/// The parser process is killed with the run.
#[cfg(target_os = "linux")]
#[test]
fn interruption_kills_the_parser_process() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "a.java", "a =>\n".repeat(16_000) + CALL);
    let child = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["audit", "--format", "json"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let tasks = format!("/proc/{}/task", child.id());
    let children = || {
        let tasks = fs::read_dir(&tasks).into_iter().flatten().flatten();
        let lists = tasks.map(|task| fs::read_to_string(task.path().join("children")));
        lists.flatten().collect::<String>()
    };
    let parser = loop {
        if let Some(parser) = children().split_whitespace().next() {
            break parser.to_owned();
        }
        thread::yield_now();
    };
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(parsed(&output)["summary"]["interrupted"], true);
    assert_eq!(output.status.code(), Some(2));
    assert!(!Path::new(&format!("/proc/{parser}")).exists());
}

#[test]
fn survives_endless_expressions_and_constants() {
    let folder = TempDir::new().unwrap();
    put(
        folder.path(),
        "concat.js",
        format!("x = a{} + {CALL}", "\n+ 'a'".repeat(20_000)),
    );
    let mut doubling = format!("a0 = {CALL}\n");
    for level in 0..64 {
        writeln!(doubling, "a{} = a{level} + a{level} + 'x'", level + 1).unwrap();
    }
    put(folder.path(), "doubling.py", doubling);
    put(
        folder.path(),
        "cycle.py",
        format!("a = b + '/user'\nb = a + '/list'\nc = {CALL}\n"),
    );
    let long = "x".repeat(4000);
    let uses = "f(A + 'user/list')\n".repeat(2000);
    put(
        folder.path(),
        "long.py",
        format!("A = 'https://api.zoom.us/v1/user/{long}'\n{uses}"),
    );
    let (found, _) = audit(folder.path());
    for place in [
        "concat.js:20001",
        "doubling.py:1",
        "cycle.py:3",
        "long.py:1",
    ] {
        assert!(found.iter().any(|one| one == place), "{place}");
    }
}

#[test]
fn reads_long_files_to_the_end() {
    let folder = TempDir::new().unwrap();
    // More than is parsed, more than one read buffer, and a match across two buffers.
    for (path, length) in [
        ("a.js", 5 << 20),
        ("b.sql", (1 << 20) - 9),
        ("c.min.js", 2 << 20),
    ] {
        put(
            folder.path(),
            path,
            format!("{}{CALL}", "f(a,b);".repeat(length / 7)),
        );
    }
    let file = fs::File::create(folder.path().join("sparse.js")).unwrap();
    file.set_len(1 << 30).unwrap();
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    let report = parsed(&output);
    let found = report["findings"].as_array().unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    for one in found {
        let length = fs::metadata(folder.path().join(one["path"].as_str().unwrap()))
            .unwrap()
            .len();
        let column = length - CALL.len() as u64 + 2;
        assert_eq!(one["column"], column, "{}", one["path"]);
    }
}

#[test]
fn reports_findings_beyond_the_limit() {
    let folder = TempDir::new().unwrap();
    put(
        folder.path(),
        "many.sh",
        format!("curl {CALL}\n").repeat(6000),
    );
    let output = migrate(folder.path(), &["audit", "--format", "json"]);
    let report = parsed(&output);
    assert_eq!(report["findings"].as_array().unwrap().len(), 5000);
    assert_eq!(report["unreadable"][0]["path"], "many.sh");
    assert_eq!(output.status.code(), Some(2));
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
    let (found, _) = audit(folder.path());
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
    let (_, code) = audit(folder.path());
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
        audit(folder.path()),
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
        let outcomes = (0..8).map(|_| audit(folder.path())).collect();
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
    assert_eq!(audit(folder.path()).0, [format!("{deep}a.sh:1")]);
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
