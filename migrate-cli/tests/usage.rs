//! `migrate usage`: sources, formats and exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod project;
mod server;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use project::migrate_with_input;
use serde_json::{Value, json};
use server::Server;
use tempfile::TempDir;

fn migrate(folder: &Path, arguments: &[&str], input: &str) -> Output {
    migrate_with_input(folder, &[&["usage"], arguments].concat(), input)
}

fn printed(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .concat()
}

fn consumer(key: &str, operation: &str, last: &str) -> Value {
    json!({
        "key": key, "address": "203.0.113.7", "user_agent": "php",
        "first": "2026-06-02T10:00:00Z", "last": last,
        "operations": [{
            "operation": operation, "outcomes": { "answered": 3 },
            "first": "2026-06-02T10:00:00Z", "last": last,
        }],
    })
}

fn document(next: Option<i64>, consumers: &[Value]) -> String {
    let document = json!({
        "format": 1, "at": "2026-11-22T10:00:00Z", "next": next, "consumers": consumers,
        "kept": { "spans": [["2026-06-01", "2026-11-22"]] },
    });
    document.to_string()
}

fn live() -> String {
    document(None, &[consumer("crm", "user/get", "2026-11-21T10:00:00Z")])
}

fn gone() -> String {
    document(None, &[consumer("crm", "user/get", "2026-07-01T10:00:00Z")])
}

#[test]
fn exit_codes_show_whether_v1_can_be_switched_off() {
    let folder = TempDir::new().unwrap();
    let code =
        |arguments: &[&str], input: &str| migrate(folder.path(), arguments, input).status.code();
    assert_eq!(code(&["-"], &gone()), Some(0));
    assert_eq!(code(&["-"], &live()), Some(1));
    assert_eq!(
        code(&["-", "--live-days", "0", "--safe-days", "1"], &live()),
        Some(1)
    );
    assert_eq!(code(&["-", "--safe-days", "200"], &gone()), Some(1));
    assert_eq!(code(&["-"], "{}"), Some(2));
    assert_eq!(code(&["no-such-file"], ""), Some(2));
    assert_eq!(code(&["-", "--safe-days", "0"], &gone()), Some(2));
}

#[test]
fn reports_unreadable_sources() {
    let folder = TempDir::new().unwrap();
    let printed_by =
        |arguments: &[&str], input: &str| printed(&migrate(folder.path(), arguments, input));
    fs::write(folder.path().join("ledger.sqlite"), b"SQLite format 3\0...").unwrap();
    for (arguments, input, expected) in [
        (
            &["ledger.sqlite"][..],
            String::new(),
            "shim usage ledger.sqlite | migrate usage -",
        ),
        (
            &["-"],
            document(Some(7), &[]),
            "only the first page of a ledger",
        ),
        (
            &["-"],
            live().replace("\"format\":1", "\"format\":2"),
            "of format 2",
        ),
        (
            &["-"],
            live().replace("2026-11-21T", "yesterday "),
            "is no day",
        ),
        (&["http://127.0.0.1:1"], String::new(), "does not respond"),
        (
            &["http://k:s@127.0.0.1:1"],
            String::new(),
            "credentials come from the environment",
        ),
        (
            &["-", "--audit", "ledger.sqlite"],
            live(),
            "not a report of `migrate audit --format json`",
        ),
    ] {
        let printed = printed_by(arguments, &input);
        assert!(
            printed.starts_with("error: ") && printed.contains(expected),
            "{printed}"
        );
    }
}

#[test]
fn escapes_control_characters_in_ledgers() {
    let folder = TempDir::new().unwrap();
    let text = live().replace("\"php\"", "\"a\\u001b[2Jb\"");
    for format in ["text", "csv"] {
        let printed = printed(&migrate(folder.path(), &["-", "--format", format], &text));
        assert!(
            printed.contains("[2Jb") && !printed.contains('\x1b'),
            "{printed}"
        );
    }
}

/// Serves these responses in order.
fn shim(responses: Vec<(u16, String)>) -> Server {
    Server::start(move |number, _| responses[number - 1].clone())
}

#[test]
fn reads_all_pages_of_a_shim() {
    let folder = TempDir::new().unwrap();
    let one = document(
        Some(5),
        &[consumer("one", "user/get", "2026-11-21T10:00:00Z")],
    );
    let two = document(
        None,
        &[consumer("two", "user/list", "2026-07-01T10:00:00Z")],
    );
    let server = shim(vec![(200, one), (200, two)]);
    let output = migrate(folder.path(), &[&server.base, "--format", "json"], "");
    let story: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts = story["consumers"].as_array().unwrap().iter();
    let verdicts: Vec<_> = verdicts
        .map(|consumer| (consumer["key"].clone(), consumer["verdict"].clone()))
        .collect();
    assert_eq!(
        verdicts,
        [(json!("one"), json!("live")), (json!("two"), json!("safe"))]
    );
    let paths = ["/usage?limit=1000 ", "/usage?limit=1000&after=5 "];
    assert_eq!(server.seen(), paths);

    let server = shim(vec![(404, "the ledger is off: name a file\n".to_owned())]);
    let output = migrate(folder.path(), &[&server.base], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        printed(&output).contains("returned 404: the ledger is off"),
        "{}",
        printed(&output)
    );
}

#[test]
fn compares_code_and_traffic() {
    let folder = TempDir::new().unwrap();
    let code = "<?php\n$base = 'https://api.zoom.us/v1/';\n\
                post($base . 'user/get', ['id' => 1]);\n\
                post($base . 'user/create', ['type' => 1]);\n";
    fs::create_dir(folder.path().join("app")).unwrap();
    fs::write(folder.path().join("app/Zoom.php"), code).unwrap();
    let document = document(
        None,
        &[
            consumer("crm", "user/get", "2026-11-21T10:00:00Z"),
            consumer("crm", "user/list", "2026-11-21T10:00:00Z"),
        ],
    );
    let audit = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["audit", "app", "--format", "json", "--output", "audit.json"])
        .current_dir(folder.path())
        .status();
    assert_eq!(audit.unwrap().code(), Some(1));

    let story = |arguments: &[&str]| {
        let arguments = [&["-", "--format", "json"], arguments].concat();
        let output = migrate(folder.path(), &arguments, &document);
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| printed(&output).into())
    };
    let (saved, fresh) = (story(&["--audit", "audit.json"]), story(&["--code", "app"]));
    assert_eq!(saved, fresh);
    assert_eq!(
        saved["code"],
        json!({
            "live": ["user/get"], "dormant": ["user/create"], "unknown_callers": ["user/list"],
            "nameless": 1,
        })
    );
    let operations = saved["operations"].as_array().unwrap().iter();
    let operations: Vec<_> = operations
        .map(|operation| {
            (
                operation["operation"].as_str().unwrap(),
                operation["code"].clone(),
            )
        })
        .collect();
    assert_eq!(
        operations,
        [
            ("user/create", json!("no_traffic")),
            ("user/get", json!("called")),
            ("user/list", json!("unknown_caller")),
        ]
    );
    assert_eq!(
        saved["operations"][1]["places"],
        json!([{ "path": "Zoom.php", "line": 3 }])
    );
    assert!(story(&[])["code"].is_null());
}

#[test]
fn writes_the_report_to_a_file() {
    let folder = TempDir::new().unwrap();
    let output = migrate(folder.path(), &["-", "--output", "report.txt"], &live());
    assert_eq!(
        (output.status.code(), printed(&output).as_str()),
        (Some(1), "")
    );
    let report = fs::read_to_string(folder.path().join("report.txt")).unwrap();
    assert!(
        report.contains("1 live: v1 cannot be switched off yet"),
        "{report}"
    );
    assert!(!report.contains('\x1b'));
}

#[test]
fn help_text() {
    let folder = TempDir::new().unwrap();
    insta::assert_snapshot!(printed(&migrate(folder.path(), &["--help"], "")));
}
