//! Completions and manual pages.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod project;

use std::{fs, path::Path};

fn migrate(arguments: &[&str]) -> String {
    let output = project::migrate(Path::new("."), arguments);
    assert!(output.status.success(), "{arguments:?}");
    project::text(&output)
}

/// Commands listed by `migrate --help`.
fn commands() -> Vec<String> {
    let help = migrate(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_manual_page_and_completion() {
    let folder = tempfile::tempdir().unwrap();
    migrate(&["man", folder.path().to_str().unwrap()]);
    let script = migrate(&["completions", "zsh"]);
    let commands = commands();
    assert!(commands.contains(&"audit".to_owned()), "{commands:?}");
    for command in commands {
        let page = folder.path().join(format!("migrate-{command}.1"));
        let page = fs::read_to_string(page).unwrap();
        assert!(page.contains(".SH OPTIONS"), "{command}");
        assert!(script.contains(&command), "{command}");
    }
    assert!(migrate(&["man"]).contains(r"migrate\-audit(1)"));
}

#[test]
fn prints_version() {
    let version = migrate(&["--version"]);
    assert!(
        version.starts_with(concat!("migrate ", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );
}
