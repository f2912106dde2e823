//! The audit as people and builds use it: exit codes, reports, baseline, and trees that are hostile.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua";

fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        put(folder.path(), path, text.as_bytes());
    }
    folder
}

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn migrate(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = migrate(
        folder,
        &[&["audit", "--format", "json"], arguments].concat(),
    );
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// `path:line kind` of each finding.
fn places(report: &Value) -> Vec<String> {
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

fn client() -> TempDir {
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

#[test]
fn exit_codes_tell_nothing_findings_and_errors_apart() {
    let client = client();
    let code = |arguments: &[&str]| migrate(client.path(), arguments).status.code();
    assert_eq!(code(&["audit"]), Some(1));
    assert_eq!(code(&["audit", "--fail-on", "never"]), Some(0));
    assert_eq!(code(&["audit", "README.md"]), Some(0));
    assert_eq!(code(&["audit", "no-such-folder"]), Some(2));
}

#[test]
fn the_json_keeps_its_promise() {
    let client = client();
    let report = json(client.path(), &["."]);
    assert_eq!(report["schema"], 1);
    let found = &report["findings"][3];
    assert_eq!(found["path"], "app/Zoom.php");
    assert_eq!(found["line"], 4);
    assert_eq!(found["column"], 15);
    assert_eq!(found["kind"], "endpoint");
    assert_eq!(found["operation"], "user/list");
    assert_eq!(found["confidence"], "high");
    assert_eq!(found["parameters"], serde_json::json!(["page_size"]));
    assert_eq!(found["owners"], serde_json::json!(["@web"]));
    assert_eq!(found["advice"]["shim"], "yes");
    assert_eq!(report["summary"]["uses"], 3);
    assert_eq!(report["summary"]["by_kind"]["doc"], 1);
}

#[test]
fn no_report_shows_a_secret() {
    let client = client();
    for format in [
        "text", "json", "sarif", "markdown", "html", "junit", "github", "csv",
    ] {
        let report = text(&migrate(client.path(), &["audit", "--format", format]));
        assert!(report.contains("user/list"), "{format}");
        assert!(!report.contains(SECRET), "{format}");
    }
    let baseline = client.path().join(".migrate-baseline");
    migrate(client.path(), &["audit", "--write-baseline"]);
    assert!(!fs::read_to_string(baseline).unwrap().contains(SECRET));
}

#[test]
fn sarif_is_valid_and_keeps_what_is_suppressed() {
    let client = client();
    put(
        client.path(),
        "app/old one.php",
        b"<?php\npost('https://api.zoom.us/v1/user/get'); // migrate-ignore: replaced next week\n",
    );
    let mut schema: Value =
        serde_json::from_str(include_str!("data/sarif-schema-2.1.0.json")).unwrap();
    // The pattern in the published schema is no regular expression: a bracket closes nothing.
    for part in ["run", "toolComponent"] {
        schema["definitions"][part]["properties"]["language"]
            .as_object_mut()
            .unwrap()
            .remove("pattern");
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output = migrate(client.path(), &["audit", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&sarif)
        .map(|problem| format!("{}: {problem}", problem.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<_> = results
        .iter()
        .filter(|result| result["suppressions"].is_array())
        .collect();
    assert_eq!(suppressed.len(), 1);
    let location = &suppressed[0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "app/old%20one.php");
    assert_eq!(suppressed[0]["suppressions"][0]["kind"], "inSource");
}

#[test]
fn the_report_for_people_fits_a_small_terminal() {
    let client = client();
    let output = migrate(client.path(), &["audit"]);
    let report = text(&output);
    assert!(
        report.lines().all(|line| line.chars().count() <= 80),
        "{report}"
    );
    let steady: Vec<&str> = report
        .lines()
        .filter(|line| !line.contains(" read · "))
        .collect();
    insta::assert_snapshot!(steady.join("\n"));
}

#[test]
fn a_baseline_lets_old_findings_pass_and_no_new_one() {
    let client = client();
    let code = |arguments: &[&str]| migrate(client.path(), arguments).status.code();
    assert_eq!(code(&["audit", "--write-baseline"]), Some(0));
    assert_eq!(code(&["audit"]), Some(0));
    assert_eq!(code(&["audit", "--fail-on", "any"]), Some(1));
    // Lines may move.
    let path = client.path().join("app/Zoom.php");
    let old = fs::read_to_string(&path).unwrap();
    fs::write(&path, old.replacen("<?php\n", "<?php\n\n\n", 1)).unwrap();
    assert_eq!(code(&["audit"]), Some(0));
    // A copy of a known line is a new finding.
    fs::write(
        &path,
        format!("{old}post($base . 'user/list', ['page_size' => 300]);\n"),
    )
    .unwrap();
    assert_eq!(code(&["audit"]), Some(1));
    // Pruning does not take it in.
    assert_eq!(code(&["audit", "--prune-baseline"]), Some(1));
    fs::write(&path, "<?php\n").unwrap();
    let status = text(&migrate(client.path(), &["status", "--json"]));
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        status["total"],
        serde_json::json!({"new": 0, "fixed": 5, "unchanged": 0})
    );
    assert_eq!(status["owners"]["@web"]["fixed"], 5);
    assert_eq!(code(&["audit", "--prune-baseline"]), Some(0));
    let left = fs::read_to_string(client.path().join(".migrate-baseline")).unwrap();
    assert_eq!(left.lines().count(), 1, "{left}");
}

#[test]
fn several_reports_come_from_one_run() {
    let client = client();
    let output = migrate(
        client.path(),
        &[
            "audit", "--format", "csv", "--output", "a.csv", "--format", "html", "--output",
            "b.html",
        ],
    );
    assert!(output.stdout.is_empty());
    let table = fs::read_to_string(client.path().join("a.csv")).unwrap();
    assert!(table.starts_with("path,line,"), "{table}");
    let page = fs::read_to_string(client.path().join("b.html")).unwrap();
    assert!(page.contains("<mark>user/list</mark>"));
    assert!(
        !page.contains("http-equiv") && !page.contains("src="),
        "the page loads nothing"
    );
}

#[test]
fn a_page_shows_hostile_source_as_text() {
    let folder = tree(&[(
        "a.js",
        "post('https://api.zoom.us/v1/user/list?<script>alert(1)</script>{{rows}}');\n",
    )]);
    let page = text(&migrate(folder.path(), &["audit", "--format", "html"]));
    assert!(!page.contains("<script>alert"));
    assert_eq!(page.matches("<article").count(), 1);
}

#[test]
fn a_revision_is_read_without_a_checkout() {
    let client = client();
    let git = |arguments: &[&str]| {
        let identity = [
            "-c",
            "user.name=ada",
            "-c",
            "user.email=ada.lovelace@example.com",
        ];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(client.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "v1"]);
    let before = places(&json(client.path(), &["."]));
    fs::remove_file(client.path().join("app/Zoom.php")).unwrap();
    assert_eq!(
        places(&json(client.path(), &[".", "--rev", "HEAD"])),
        before
    );
    assert_eq!(places(&json(client.path(), &["."])), ["README.md:1 doc"]);
    let output = migrate(client.path(), &["audit", ".", "--rev", "--output=x"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn several_paths_and_lists_of_files_are_looked_through() {
    let client = client();
    put(
        client.path(),
        "other/a.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    assert_eq!(
        places(&json(client.path(), &["other", "README.md"])).len(),
        2
    );
    fs::write(client.path().join("list"), "other/a.sh\n").unwrap();
    let report = json(client.path(), &["--files-from", "list"]);
    assert_eq!(places(&report), ["other/a.sh:1 url"]);
}

#[test]
fn ignored_files_count_only_when_asked_for() {
    let folder = tree(&[
        (".ignore", "skipped\n"),
        ("skipped/a.sh", "curl https://api.zoom.us/v1/user/get\n"),
        (".env", "URL=https://api.zoom.us/v1/\n"),
    ]);
    assert_eq!(places(&json(folder.path(), &["."])), [".env:1 base_url"]);
    assert_eq!(places(&json(folder.path(), &[".", "--no-ignore"])).len(), 2);
}

#[test]
fn any_encoding_is_read() {
    let folder = TempDir::new().unwrap();
    let line = "url = 'https://api.zoom.us/v1/user/get'\n";
    let mut wide = vec![0xff, 0xfe];
    wide.extend(line.encode_utf16().flat_map(u16::to_le_bytes));
    put(folder.path(), "a.py", &wide);
    put(
        folder.path(),
        "b.py",
        &[b"# caf\xe9\n".as_slice(), line.as_bytes()].concat(),
    );
    put(
        folder.path(),
        "c.bin",
        &[b"\0\0".as_slice(), line.as_bytes()].concat(),
    );
    assert_eq!(
        places(&json(folder.path(), &["."])),
        ["a.py:1 url", "b.py:2 url"]
    );
}

#[test]
fn deep_nesting_ends() {
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
fn one_endless_line_ends() {
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
fn pipes_loops_and_closed_files_stop_nothing() {
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
    // Whoever may read everything reads this file, too.
    if fs::read(&closed).is_err() {
        assert_eq!(report["unreadable"][0]["path"], "b/closed.sh");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_fix_points_urls_at_the_shim_and_touches_nothing_else() {
    let client = client();
    let path = client.path().join("app/Zoom.php");
    let before = fs::read_to_string(&path).unwrap();
    let shim = ["--shim", "https://shim.example.com"];
    let diff = text(&migrate(
        client.path(),
        &[&["audit", "--diff"], &shim[..]].concat(),
    ));
    assert!(
        diff.contains("-$base = 'https://api.zoom.us/v1/';"),
        "{diff}"
    );
    assert!(
        diff.contains("+$base = 'https://shim.example.com/v1/';"),
        "{diff}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    migrate(client.path(), &[&["audit", "--fix"], &shim[..]].concat());
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(
        after,
        before.replace("https://api.zoom.us/v1", "https://shim.example.com/v1")
    );
    assert_eq!(
        migrate(client.path(), &["audit", "--fix"]).status.code(),
        Some(2)
    );
}

#[test]
fn traffic_tells_live_code_from_dormant_code() {
    let client = client();
    fs::write(
        client.path().join("access.txt"),
        format!(
            "10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] \"POST /v1/user/list?api_secret={SECRET} HTTP/1.1\" 200 9 \"-\" \"-\"\n\
             10.0.0.2 - - [22/Nov/2026:10:00:01 +0000] \"POST /v1/user/pending HTTP/1.1\" 200 9 \"-\" \"-\"\n"
        ),
    )
    .unwrap();
    let report = json(client.path(), &["app", "--access-log", "access.txt"]);
    let traffic = &report["traffic"];
    assert_eq!(traffic["live"], serde_json::json!(["user/list"]));
    assert_eq!(traffic["dormant"], serde_json::json!(["user/custcreate"]));
    assert_eq!(
        traffic["unknown_callers"],
        serde_json::json!(["user/pending"])
    );
    assert!(!report.to_string().contains(SECRET));
}
