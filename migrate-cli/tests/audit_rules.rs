//! Every rule is documented and has fixtures: code that it must find, and similar code that it must
//! not find.
//!
//! Each folder in `rules/RULE/hit` or `rules/RULE/near-miss` is a project.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use mappings::Catalog;
use migrate_audit::{Audit, Finding, Kind, Options};
use project::{migrate, text};

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("audit/rules")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn rule_folders() -> Vec<PathBuf> {
    let mut folders = folders(&rules());
    folders.retain(|folder| folder.join("rule.toml").exists());
    folders
}

fn library_folders() -> Vec<PathBuf> {
    folders(&rules().join("libraries"))
}

fn findings(project: &Path) -> Vec<Finding> {
    let catalog = Catalog::embedded().unwrap();
    let options = Options {
        ignore_files: false,
        ..Options::default()
    };
    let audit = Audit::new(&catalog, options).unwrap();
    let outcome = audit.run(project).unwrap();
    assert!(outcome.unreadable.is_empty(), "{:?}", outcome.unreadable);
    outcome.findings
}

#[test]
fn rules_find_their_hits() {
    for rule in rule_folders() {
        let mut seen = String::new();
        let mut fired = false;
        for project in folders(&rule.join("hit")) {
            writeln!(seen, "{}", name(&project)).unwrap();
            for found in findings(&project) {
                fired |= found.rule == name(&rule);
                write!(
                    seen,
                    "  {}:{}:{}-{} {} {}",
                    found.path,
                    found.line,
                    found.column,
                    found.end_column,
                    found.kind.name(),
                    found.operation.as_deref().unwrap_or("-"),
                )
                .unwrap();
                if !found.parameters.is_empty() {
                    write!(seen, " ({})", found.parameters.join(", ")).unwrap();
                }
                writeln!(seen, ": {}", found.reason).unwrap();
            }
        }
        assert!(fired, "Missing: {} finds nothing in its hits", name(&rule));
        insta::assert_snapshot!(format!("hits_of_{}", name(&rule)), seen);
    }
}

#[test]
fn libraries_find_their_hits() {
    let mut seen = String::new();
    for library in library_folders() {
        for project in folders(&library.join("hit")) {
            writeln!(seen, "{}/{}", name(&library), name(&project)).unwrap();
            let found = findings(&project);
            for found in &found {
                writeln!(
                    seen,
                    "  {}:{} {} {}",
                    found.path,
                    found.line,
                    found.kind.name(),
                    found.operation.as_deref().unwrap_or("-"),
                )
                .unwrap();
            }
            assert!(
                found
                    .iter()
                    .any(|found| matches!(found.kind, Kind::SdkCall | Kind::Endpoint)),
                "Missing: no call in {}",
                project.display()
            );
        }
    }
    insta::assert_snapshot!("hits_of_libraries", seen);
}

#[test]
fn near_misses_are_not_reported() {
    for rule in rule_folders().into_iter().chain(library_folders()) {
        let id = name(&rule);
        for project in folders(&rule.join("near-miss")) {
            let noise: Vec<String> = findings(&project)
                .into_iter()
                .filter(|found| found.kind != Kind::Doc || id == "v1-mention")
                .map(|found| {
                    format!(
                        "{}:{} {} {:?}",
                        found.path, found.line, found.rule, found.operation
                    )
                })
                .collect();
            assert!(
                noise.is_empty(),
                "Noisy: {id}/near-miss/{}: {noise:#?}",
                name(&project)
            );
        }
    }
}

#[test]
fn rules_have_descriptions_and_fixtures() {
    for rule in rule_folders().into_iter().chain(library_folders()) {
        let text = fs::read_to_string(rule.join("rule.toml")).unwrap();
        let outline: toml::Table = toml::from_str(&text).unwrap();
        for key in ["example", "instead", "summary", "what", "why"] {
            let value = outline.get(key).and_then(toml::Value::as_str);
            assert!(
                value.is_some_and(|value| !value.trim().is_empty()),
                "{}: {key}",
                rule.display()
            );
        }
        assert!(!folders(&rule.join("hit")).is_empty(), "{}", rule.display());
        assert!(
            !folders(&rule.join("near-miss")).is_empty(),
            "{}",
            rule.display()
        );
    }
}

#[test]
fn rules_command_lists_all_rules() {
    let migrate = |arguments: &[&str]| {
        let output = migrate(&rules(), arguments);
        assert!(output.status.success(), "{arguments:?}");
        text(&output)
    };
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(&migrate(&["rules", "--format", "json"])).unwrap();
    let ids = |kind: &str| -> Vec<&str> {
        let of_kind = listed.iter().filter(|entry| entry["kind"] == kind);
        of_kind.filter_map(|entry| entry["id"].as_str()).collect()
    };
    let existing: Vec<String> = rule_folders().iter().map(|rule| name(rule)).collect();
    assert_eq!(ids("rule"), existing);
    for id in existing {
        assert!(migrate(&["rules", &id]).contains("What it finds"), "{id}");
    }
    for folder in library_folders() {
        let text = fs::read_to_string(folder.join("rule.toml")).unwrap();
        let library: toml::Table = toml::from_str(&text).unwrap();
        let package = library["package"].as_str().unwrap();
        assert!(
            listed.iter().any(|entry| entry["id"] == package),
            "{package}"
        );
        let explained = migrate(&["rules", package]);
        assert!(explained.contains("What it finds"), "{package}");
    }
}

#[test]
fn library_methods_name_known_operations() {
    let catalog = Catalog::embedded().unwrap();
    for folder in library_folders() {
        let path = folder.join("rule.toml");
        let library: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for (method, operation) in library["methods"].as_table().unwrap() {
            let operation = operation.as_str().unwrap();
            assert!(
                operation.is_empty() || catalog.find(operation).is_some(),
                "{}: {method} stands for {operation}",
                path.display()
            );
        }
    }
}
