//! The README's coverage table is what the catalog says.
//!
//! `UPDATE_README=1 cargo test -p migrate-cli --test coverage` writes it anew.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::{env, fs, path::Path, process::Command};

const BEGIN: &str = "<!-- coverage -->\n";
const END: &str = "<!-- /coverage -->";

#[test]
fn the_readme_has_the_table_of_the_catalog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).expect("README.md is there");
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("README.md has <!-- coverage -->");
    let (table, after) = rest
        .split_once(END)
        .expect("README.md has <!-- /coverage -->");

    let program = env!("CARGO_BIN_EXE_migrate");
    let output = Command::new(program)
        .args(["explain", "--format", "markdown"])
        .output();
    let expected = String::from_utf8(output.expect("the program runs").stdout).expect("text");

    if env::var_os("UPDATE_README").is_some() {
        let text = format!("{before}{BEGIN}{expected}{END}{after}");
        fs::write(&path, text).expect("README.md is writable");
        return;
    }
    assert!(
        table == expected,
        "README.md's coverage table is not what the catalog says; \
         `UPDATE_README=1 cargo test -p migrate-cli --test coverage` writes it anew"
    );
}
