//! Parsing of huge, nested and ambiguous code: it terminates and uses bounded memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, process::Command, thread};

use project::{CALL, interrupt, lines_and_code, migrate, parsed, places, put};
use tempfile::TempDir;

const NESTED: usize = 100_000;

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
    let (found, code) = lines_and_code(folder.path());
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
    let (found, _) = lines_and_code(folder.path());
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
    let output = interrupt(child);
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
    let (found, _) = lines_and_code(folder.path());
    for place in [
        "concat.js:20001",
        "doubling.py:1",
        "cycle.py:3",
        "long.py:1",
    ] {
        assert!(found.iter().any(|one| one == place), "{place}");
    }
}

/// Quadratic time would take minutes of CPU time.
#[test]
fn openings_without_an_end_take_linear_time() {
    let folder = TempDir::new().unwrap();
    let kinds = [
        ("heredocs.pl", "x <<a;\n"),
        ("line.pl", "x <<a;"),
        ("quotes.pl", "q{"),
        ("words.tcl", "a/b "),
        ("braces.tcl", "a/b{ "),
        ("templates.kt", "format(\"%s/%d\", "),
        ("methods.kt", "\"/%s\".x "),
        ("choices.kt", "a ? \"b/c\" "),
        ("fields.kt", "a.zpk\n"),
        (
            "secrets.js",
            "x='h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua',api_key=x,",
        ),
        ("variables.js", "a='b/c';f(a);\n"),
        ("tuples.sql", "values ('key','zoom',"),
        ("parentheses.sql", "values ((zoom"),
        ("values.sql", "values (zoom) values "),
        ("rows.csv", "key,zoom,"),
    ];
    for (path, opening) in kinds {
        let text = format!("f({CALL})\n{}", opening.repeat((1 << 19) / opening.len()));
        put(folder.path(), path, text);
    }
    let output = Command::new("sh")
        .args(["-c", "ulimit -t 60; exec \"$0\" audit --format json"])
        .arg(env!("CARGO_BIN_EXE_migrate"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let paths: BTreeSet<String> = parsed(&output)["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(paths.len(), kinds.len(), "{paths:?}");
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
