//! Completions and manual pages, as a package would install them.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{fs, process::Command};

fn migrate(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `migrate --help` lists.
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
fn every_command_has_a_manual_page_and_is_completed() {
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
fn the_version_is_told() {
    let version = migrate(&["--version"]);
    assert!(
        version.starts_with(concat!("migrate ", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );
}
