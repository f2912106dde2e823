//! `mappings/COVERAGE.md` and the README's summary by area are generated from the catalog.
//!
//! `UPDATE_COVERAGE=1 cargo test -p migrate-cli --test coverage` writes both.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const BEGIN: &str = "<!-- coverage -->\n";
const END: &str = "<!-- /coverage -->";

const HEAD: &str = "\
# Coverage

Generated from the catalog; do not edit. `UPDATE_COVERAGE=1 cargo test -p migrate-cli --test coverage`
writes this file.

`migrate explain OPERATION` lists each field with the reason.

";

#[test]
fn coverage_page_matches_the_catalog() {
    let overview = explain("markdown");
    let (_title, tables) = overview.split_once("\n\n").expect("a title");
    let expected = format!("{HEAD}{tables}");
    check(&in_repository("mappings/COVERAGE.md"), &expected);
}

#[test]
fn readme_summary_matches_the_catalog() {
    let path = in_repository("README.md");
    let readme = fs::read_to_string(&path).expect("README.md is readable");
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("README.md has a begin mark");
    let (_, after) = rest.split_once(END).expect("README.md has an end mark");
    let overview = serde_json::from_str(&explain("json")).expect("the overview is JSON");
    check(
        &path,
        &format!("{before}{BEGIN}{}{END}{after}", summary(&overview)),
    );
}

/// Table with the number of operations and of served operations per area.
fn summary(overview: &Value) -> String {
    let resources = overview["resources"].as_array().expect("a list");
    let rows = resources.iter().map(|resource| {
        let name = resource["name"].as_str().expect("a name");
        let known = resource["operations"].as_array().expect("a list").len();
        format!("| `{name}/…` | {known} | {} |\n", resource["served"])
    });
    format!(
        "| area | operations | served |\n|---|---:|---:|\n{}| all | {} | {} |\n",
        rows.collect::<String>(),
        overview["known"],
        overview["served"]
    )
}

fn explain(format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["explain", "--format", format])
        .output()
        .expect("migrate runs");
    assert!(output.status.success(), "migrate explain --format {format}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Compares the file with the expected text, or writes it if `UPDATE_COVERAGE` is set.
fn check(path: &Path, expected: &str) {
    if env::var_os("UPDATE_COVERAGE").is_some() {
        fs::write(path, expected).expect("the file is writable");
        return;
    }
    assert!(
        fs::read_to_string(path).expect("the file is readable") == expected,
        "{} is out of date; `UPDATE_COVERAGE=1 cargo test -p migrate-cli --test coverage` writes it",
        path.display()
    );
}
