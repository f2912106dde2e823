//! Report formats of `migrate audit`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::fs;

use project::*;
use serde_json::Value;

#[test]
fn json_has_documented_members() {
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
    // Settings for more than 30 entries are only read if the site enables it.
    assert_eq!(found["advice"]["shim"], "lossy");
    assert_eq!(report["summary"]["uses"], 3);
    assert_eq!(report["summary"]["by_kind"]["doc"], 1);
}

#[test]
fn no_format_shows_secrets() {
    let client = client();
    for format in [
        "text", "concise", "json", "sarif", "markdown", "html", "junit", "github", "csv",
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
fn hides_values_of_credentials_under_any_name() {
    let source = format!(
        "const s = '{SECRET}'; const url = 'https://api.zoom.us/v1/user/list'\n\
         post(url, {{ api_key: k, api_secret: s }})\n"
    );
    let project = tree(&[("list.js", &source)]);
    let report = text(&migrate(project.path(), &["audit", "--format", "json"]));
    assert!(report.contains("const s = '…'"), "{report}");
    assert!(!report.contains(SECRET), "{report}");
}

#[test]
fn sarif_is_valid_and_keeps_suppressed_findings() {
    let client = client();
    put(
        client.path(),
        "app/old one.php",
        b"<?php\npost('https://api.zoom.us/v1/user/get'); // migrate-ignore: replaced next week\n",
    );
    let mut schema: Value =
        serde_json::from_str(include_str!("data/sarif-schema-2.1.0.json")).unwrap();
    // The pattern in the published schema is not a valid regular expression.
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
fn text_fits_80_columns() {
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
fn a_long_rule_has_its_title_below() {
    let fixtures = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/audit/rules/v1-push-notification/hit"
    );
    let report = text(&migrate(
        std::path::Path::new(fixtures),
        &["audit", "--no-ignore", "--select", "v1-push-notification"],
    ));
    assert!(
        report.contains("  v1-push-notification\n         the push notification"),
        "{report}"
    );
}

#[test]
fn concise_lines_start_with_their_location() {
    let client = client();
    let arguments = [
        "audit",
        "app",
        "--select",
        "v1-endpoint",
        "--format",
        "concise",
    ];
    let report = text(&migrate(client.path(), &arguments));
    let first = report.lines().next().unwrap();
    let start = "app/Zoom.php:4:15: error: Zoom API v1: v1-endpoint user/list: ";
    assert!(first.starts_with(start), "{report}");
    let end = "(exit code 1) · 2 uses of 2 operations in 1 file · 1 file read\n";
    assert!(report.ends_with(end), "{report}");
}

#[test]
fn filters_rules_and_files() {
    let client = client();
    put(
        client.path(),
        "old/a.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    let found = |more: &[&str]| places(&json(client.path(), &[&["."], more].concat()));
    assert_eq!(found(&["--include", "old/**"]), ["old/a.sh:1 url"]);
    assert!(!found(&["--exclude", "old/**"]).contains(&"old/a.sh:1 url".to_owned()));
    let kinds = |found: Vec<String>| found.iter().all(|place| place.ends_with(" endpoint"));
    assert!(kinds(found(&["--select", "v1-endpoint"])));
    assert!(
        !found(&["--ignore", "v1-url,v1-mention"])
            .iter()
            .any(|place| place.ends_with("url") && !place.ends_with("base_url"))
    );
    let output = migrate(client.path(), &["audit", "--select", "v1-endpont"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `v1-endpoint`"));
    // Filtered findings are not a baseline.
    let output = migrate(
        client.path(),
        &["audit", "--ignore", "v1-url", "--write-baseline"],
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn finds_user_defined_libraries() {
    let folder = tree(&[
        (
            "app.py",
            "import acme_zoom\n\nc = acme_zoom.AcmeClient()\nc.people()\n",
        ),
        (
            "rules/acme.toml",
            "summary = \"Our wrapper\"\nwhat = \"calls\"\nwhy = \"v1\"\nexample = \"c.people()\"\n\
             instead = \"our new wrapper\"\necosystem = \"pypi\"\npackage = \"acme-zoom\"\n\
             languages = [\"python\"]\nimports = [\"acme_zoom\"]\nconstructors = [\"AcmeClient\"]\n\
             names = [\"zoom\"]\nstyle = \"receiver.method\"\n[methods]\npeople = \"user/list\"\n",
        ),
    ]);
    assert!(places(&json(folder.path(), &["."])).is_empty());
    let found = places(&json(folder.path(), &[".", "--rules-dir", "rules"]));
    assert!(found.contains(&"app.py:4 sdk_call".to_owned()), "{found:?}");
    let page = migrate(
        folder.path(),
        &["rules", "acme-zoom", "--rules-dir", "rules"],
    );
    assert!(text(&page).contains("our new wrapper"));
}

#[test]
fn reads_flags_from_the_settings_file() {
    let client = client();
    put(
        client.path(),
        "migrate.toml",
        b"select = [\"v1-endpoint\"]\n[audit]\nformat = \"concise\"\n",
    );
    let report = |more: &[&str]| text(&migrate(client.path(), &[&["audit"], more].concat()));
    assert!(
        report(&[]).starts_with("app/Zoom.php:4:15: error: "),
        "{}",
        report(&[])
    );
    assert!(!report(&["--format", "text"]).contains("app/Zoom.php:4:15"));
    put(client.path(), "migrate.toml", b"slect = 1\n");
    let output = migrate(client.path(), &["audit"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = "migrate.toml: `slect` is no flag; did you mean `select`?";
    assert!(message.contains(expected), "{message}");

    put(
        client.path(),
        "migrate.toml",
        b"[audit]\nformat = \"consise\"\n",
    );
    let output = migrate(client.path(), &["audit"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.starts_with("in "), "{message}");
    assert!(
        message.contains("migrate.toml:\nerror: invalid value 'consise'"),
        "{message}"
    );
}

#[test]
fn html_has_headings_tables_and_version() {
    let client = client();
    let page = text(&migrate(client.path(), &["audit", "--format", "html"]));
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(
        page.matches("<article").count(),
        page.matches("<h3>").count()
    );
    for part in [
        "<h2>Operations</h2>",
        "<h2>Findings</h2>",
        "migrate 0.1.0",
        "scope=\"row\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn writes_several_reports_per_run() {
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
        page.contains("default-src 'none'") && !page.contains("refresh") && !page.contains("src="),
        "the page loads nothing"
    );
}

#[test]
fn html_escapes_source() {
    let folder = tree(&[(
        "a.js",
        "post('https://api.zoom.us/v1/user/list?<script>alert(1)</script>{{rows}}');\n",
    )]);
    let page = text(&migrate(folder.path(), &["audit", "--format", "html"]));
    assert!(!page.contains("<script>alert"));
    assert_eq!(page.matches("<article").count(), 1);
}

#[test]
fn sarif_columns_are_utf16_and_paths_start_at_the_root() {
    let folder = tree(&[(
        "app/a b.js",
        "const 😀 = '😀'; post('https://api.zoom.us/v1/user/list');\n",
    )]);
    let output = migrate(folder.path(), &["audit", "app", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "app/a%20b.js");
    let line = "const 😀 = '😀'; post('https://api.zoom.us/v1/user/list');";
    let before = line.split("https").next().unwrap();
    let start = before.encode_utf16().count() + 1;
    assert_eq!(place["region"]["startColumn"], start);
    assert_eq!(
        place["region"]["endColumn"],
        start + "https://api.zoom.us/v1/user/list".len()
    );
    assert!(run["results"][0].get("baselineState").is_none());
    // JSON counts characters; paths are relative to the audited folder.
    let found = &json(folder.path(), &["app"])["findings"][0];
    assert_eq!(found["column"], before.chars().count() + 1);
    assert_eq!(found["path"], "a b.js");
}

#[test]
fn sarif_marks_new_and_known_findings() {
    let client = client();
    migrate(client.path(), &["audit", "--write-baseline"]);
    put(
        client.path(),
        "new.sh",
        b"curl https://api.zoom.us/v1/user/get\n",
    );
    let output = migrate(client.path(), &["audit", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        let known = place == "app/Zoom.php";
        let state = if known { "unchanged" } else { "new" };
        assert_eq!(result["baselineState"], state, "{result}");
        assert_eq!(result["suppressions"].is_array(), known);
        assert!(result["partialFingerprints"]["migrateFinding/v1"].is_string());
    }
}

#[test]
fn annotation_paths_start_at_the_workspace() {
    let client = client();
    let report = text(&migrate(
        client.path(),
        &["audit", "app", "--format", "github"],
    ));
    let first = report.lines().next().unwrap();
    assert_eq!(
        first,
        "::error file=app/Zoom.php,line=2,col=10,endColumn=33,title=Zoom API v1%3A v1-base-url the v1 base URL\
         ::point it at the shim (see --fix)"
    );
    assert_eq!(
        report.lines().last(),
        Some(
            "5 findings (exit code 1) · 3 uses of 2 operations in 1 file · 2 credentials · 1 file read"
        )
    );
}

#[test]
fn junit_is_never_empty_and_valid() {
    let clean = tree(&[("a.txt", "nothing")]);
    let report = text(&migrate(clean.path(), &["audit", "--format", "junit"]));
    assert!(report.contains("tests=\"1\"") && report.contains("name=\"no use of v1\""));
    let folder = tree(&[("a\u{1}<&\".sh", "curl https://api.zoom.us/v1/user/get\n")]);
    let report = text(&migrate(folder.path(), &["audit", "--format", "junit"]));
    assert!(report.contains("a\u{fffd}&lt;&amp;&quot;.sh"), "{report}");
    assert!(report.contains("failures=\"1\"") && report.contains("line=\"1\""));
}

#[test]
fn csv_and_markdown_escape_file_names() {
    let folder = tree(&[
        ("=cmd.sh", "curl https://api.zoom.us/v1/user/get\n"),
        (
            "x\n# y [z](javascript:0).sh",
            "curl https://api.zoom.us/v1/user/get\n",
        ),
        ("CODEOWNERS", "* @team\n"),
    ]);
    let table = text(&migrate(folder.path(), &["audit", "--format", "csv"]));
    assert!(table.contains("\n'=cmd.sh,1,"), "{table}");
    assert!(table.contains(",'@team,"), "{table}");
    let ticket = text(&migrate(folder.path(), &["audit", "--format", "markdown"]));
    assert!(
        ticket.contains("## x\u{fffd}\\# y \\[z\\](javascript:0).sh"),
        "{ticket}"
    );
    assert!(ticket.contains("(`@team`)"), "{ticket}");
}
