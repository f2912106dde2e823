//! Generated reference pages: commands with their flags, and a page per audit rule.
//!
//! `UPDATE_REFERENCE=1 cargo test -p end-to-end --test reference` writes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use end_to_end::program as command;
use serde_json::Value;

const GENERATED: &str = "Generated from the program; do not edit. \
    `UPDATE_REFERENCE=1 cargo test -p end-to-end --test reference` writes this file.";

/// Folder of the rule pages.
const RULES: &str = "migrate-cli/docs/rules";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Output of a program.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = command(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Compares a page with the expected text, or writes it.
fn check(path: &str, expected: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date: UPDATE_REFERENCE=1 cargo test -p end-to-end --test reference",
        path.display()
    );
}

/// Names of the subcommands in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        return Vec::new();
    };
    let list = list.lines().take_while(|line| !line.is_empty());
    // Descriptions are indented further.
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn commands_page(program: &str, path: &[&str], page: &mut String) {
    let help = run(program, &[path, &["--help"]].concat());
    let name = [&[program], path].concat().join(" ");
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.trim_end());
    for command in subcommands(&help) {
        commands_page(program, &[path, &[command.as_str()]].concat(), page);
    }
}

#[test]
fn command_pages_match_the_help() {
    for (program, folder) in [("shim", "shim"), ("migrate", "migrate-cli")] {
        let mut page = format!("# Commands of {program}\n\n{GENERATED}\n");
        commands_page(program, &[], &mut page);
        check(&format!("{folder}/docs/commands.md"), &page);
    }
}

/// Rules and libraries, as printed by `migrate rules --format json`.
fn rules() -> Vec<Value> {
    let list = run("migrate", &["rules", "--format", "json"]);
    serde_json::from_str(&list).unwrap()
}

fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry[name].as_str().unwrap_or_default().trim()
}

fn rule_page(entry: &Value) -> String {
    let mut page = format!(
        "# {}\n\n{GENERATED}\n\n{}.\n",
        text(entry, "id"),
        text(entry, "summary").trim_end_matches('.')
    );
    let _ = write!(page, "\n## What it finds\n\n{}\n", text(entry, "what"));
    let _ = write!(page, "\n```text\n{}\n```\n", text(entry, "example"));
    let _ = write!(page, "\n## Why it matters\n\n{}\n", text(entry, "why"));
    let _ = write!(page, "\n## What to do\n\n{}\n", text(entry, "instead"));
    for fix in entry["fixes"].as_array().into_iter().flatten() {
        let _ = write!(page, "\n{}\n", fix.as_str().unwrap());
    }
    let _ = write!(
        page,
        "\nLevel in reports: {}. To keep a use for now, add the comment `migrate-ignore: reason` to \
         its line, or write a [baseline](../audit.md#fail-on-new-uses-only).\n",
        text(entry, "level")
    );
    page
}

fn libraries_page(libraries: &[&Value]) -> String {
    let mut page = format!(
        "# Client libraries\n\n{GENERATED}\n\nLibraries that call v1, what replaces them, and the operations \
         that their methods call.\n"
    );
    for library in libraries {
        let _ = write!(
            page,
            "\n## {}\n\n{}: {}.\n\n{}\n\n{}\n",
            text(library, "id"),
            text(library, "kind"),
            text(library, "summary").trim_end_matches('.'),
            text(library, "what"),
            text(library, "instead"),
        );
        let methods = library["methods"].as_array().unwrap();
        if !methods.is_empty() {
            page.push_str("\n| method | operation |\n|---|---|\n");
        }
        for method in methods {
            let operation = match method[1].as_str().unwrap() {
                "" => "none of v1".to_owned(),
                name => format!("`{name}`"),
            };
            let _ = writeln!(page, "| `{}` | {operation} |", method[0].as_str().unwrap());
        }
    }
    page
}

#[test]
fn every_rule_has_a_page() {
    let all = rules();
    let (rules, libraries): (Vec<_>, Vec<_>) =
        all.iter().partition(|entry| entry["kind"] == "rule");
    assert!(
        rules.len() >= 10 && libraries.len() >= 12,
        "{} {}",
        rules.len(),
        libraries.len()
    );
    let mut index = format!(
        "# Rules of the audit\n\n{GENERATED}\n\n`migrate rules` lists them, `migrate rules NAME` explains one.\n\n\
         | rule | finds |\n|---|---|\n"
    );
    let mut pages = BTreeSet::from(["README.md".to_owned(), "libraries.md".to_owned()]);
    for rule in &rules {
        let id = text(rule, "id");
        let summary = text(rule, "summary").trim_end_matches('.');
        let _ = writeln!(index, "| [`{id}`]({id}.md) | {summary} |");
        check(&format!("{RULES}/{id}.md"), &rule_page(rule));
        pages.insert(format!("{id}.md"));
    }
    let _ = write!(
        index,
        "\n[Client libraries](libraries.md) has the {} that it knows.\n",
        libraries.len()
    );
    check(&format!("{RULES}/README.md"), &index);
    check(
        &format!("{RULES}/libraries.md"),
        &libraries_page(&libraries),
    );
    let files = fs::read_dir(root().join(RULES)).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), pages);
}
