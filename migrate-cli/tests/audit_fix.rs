//! Fixes. Each folder in `tests/fixes` is a case: project `before` and `after`, and `arguments`
//! besides `audit --fix`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod project;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use mappings::Catalog;
use migrate_audit::{Audit, Moved, Options, fix::Wanted};
use project::{git, migrate, put};
use proptest::prelude::*;
use tempfile::TempDir;

type Tree = BTreeMap<PathBuf, Vec<u8>>;

fn tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|_| panic!("{}", next.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                tree.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    tree
}

fn plant(tree: &Tree) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, bytes) in tree {
        put(folder.path(), path.to_str().unwrap(), bytes);
    }
    folder
}

fn audit(folder: &Path, arguments: &[&str]) -> Output {
    migrate(folder, &[&["audit"], arguments].concat())
}

fn shown(tree: &Tree) -> BTreeMap<String, String> {
    tree.iter()
        .map(|(path, bytes)| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            (path.display().to_string(), text)
        })
        .collect()
}

#[test]
fn fixes_baseline_findings() {
    let line = "URL = 'https://api.zoom.us/v1/'\n";
    let before = Tree::from([(PathBuf::from("zoom.py"), line.into())]);
    let folder = plant(&before);
    audit(folder.path(), &["--write-baseline"]);
    audit(
        folder.path(),
        &["--fix", "--shim", "https://shim.example.com"],
    );
    let after = fs::read_to_string(folder.path().join("zoom.py")).unwrap();
    assert_eq!(after, line.replace("api.zoom.us", "shim.example.com"));
}

#[test]
fn library_clients_get_a_recipe() {
    let client = "require 'zoomus'\nZoomus.new.user_list\n";
    let before = Tree::from([
        (PathBuf::from("zoom.rb"), client.into()),
        (PathBuf::from("Gemfile"), "gem 'zoomus'\n".into()),
    ]);
    let folder = plant(&before);
    let output = audit(
        folder.path(),
        &["--fix", "--shim", "https://shim.example.com"],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("Zoomus::Client.base_uri 'https://shim.example.com/v1'"),
        "{text}"
    );
}

#[test]
fn fixes_each_case_once() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixes");
    let mut seen = 0;
    for case in fs::read_dir(cases).unwrap() {
        let case = case.unwrap().path();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let arguments = fs::read_to_string(case.join("arguments")).unwrap();
        let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
        let before = tree(&case.join("before"));
        let folder = plant(&before);

        arguments.push("--diff");
        let patch = audit(folder.path(), &arguments).stdout;
        assert_eq!(
            shown(&tree(folder.path())),
            shown(&before),
            "{name}: --diff changes nothing"
        );
        arguments.pop();

        if !arguments
            .iter()
            .any(|argument| argument.starts_with("--fix"))
        {
            arguments.push("--fix");
        }
        let output = audit(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let after = tree(folder.path());
        if std::env::var_os("UPDATE_FIXES").is_some() {
            let _ = fs::remove_dir_all(case.join("after"));
            for (path, bytes) in after
                .iter()
                .filter(|(path, bytes)| before.get(*path) != Some(bytes))
            {
                let file = case.join("after").join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
        }
        // `after` holds only changed files.
        let mut wanted = before.clone();
        if case.join("after").exists() {
            wanted.extend(tree(&case.join("after")));
        }
        assert_eq!(shown(&after), shown(&wanted), "{name}");

        let again = audit(folder.path(), &arguments);
        assert_eq!(again.status.code(), Some(0), "{name}");
        assert_eq!(
            shown(&tree(folder.path())),
            shown(&wanted),
            "{name}: a second run"
        );

        if !patch.is_empty() {
            let folder = plant(&before);
            fs::write(folder.path().join("x.patch"), &patch).unwrap();
            git(folder.path(), &["apply", "x.patch"]);
            fs::remove_file(folder.path().join("x.patch")).unwrap();
            assert_eq!(
                shown(&tree(folder.path())),
                shown(&wanted),
                "{name}: the patch"
            );
        }
        seen += 1;
    }
    assert!(seen > 5);
}

/// Applies all fixes in a folder; returns the number of changed files.
fn fix(folder: &Path, wanted: &Wanted) -> usize {
    let catalog = Catalog::embedded().unwrap();
    let options = Options {
        moved: wanted.moved.clone(),
        ..Options::default()
    };
    let audit = Audit::new(&catalog, options).unwrap();
    let outcome = audit.run(folder).unwrap();
    let fixes = audit.fixes(folder, &outcome, wanted);
    for change in &fixes.changes {
        change.apply(folder).unwrap();
    }
    fixes.changes.len()
}

fn at_shim(url: &str) -> Wanted {
    Wanted {
        moved: Moved {
            url: Some(url.parse().unwrap()),
            variable: None,
        },
        suggestions: None,
    }
}

#[test]
fn fixes_keep_encodings_and_line_ends() {
    let line = "BASE = 'https://api.zoom.us/v1' # ü\r\n";
    let wide: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = line
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap())
        .collect();
    let files = Tree::from([
        ("wide.rb".into(), [b"\xff\xfe".to_vec(), wide].concat()),
        (
            "mark.rb".into(),
            [b"\xef\xbb\xbf", line.as_bytes()].concat(),
        ),
        ("latin.rb".into(), latin),
    ]);
    let folder = plant(&files);
    assert_eq!(fix(folder.path(), &at_shim("https://shim.example.com")), 3);
    let after = tree(folder.path());
    for (name, before) in &files {
        let swap = |bytes: &[u8], from: &[u8], to: &[u8]| {
            let at = bytes
                .windows(from.len())
                .position(|window| window == from)
                .unwrap();
            [&bytes[..at], to, &bytes[at + from.len()..]].concat()
        };
        let wide = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        let (from, to) = ("api.zoom.us", "shim.example.com");
        let wanted = if name == Path::new("wide.rb") {
            swap(before, &wide(from), &wide(to))
        } else {
            swap(before, from.as_bytes(), to.as_bytes())
        };
        assert_eq!(after[name], wanted, "{}", name.display());
    }
}

#[cfg(unix)]
#[test]
fn fixes_keep_permissions_and_skip_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let text = b"#!/usr/bin/env ruby\nBASE = 'https://api.zoom.us/v1'\n".to_vec();
    let outside = plant(&Tree::from([("real.rb".into(), text.clone())]));
    let folder = plant(&Tree::from([
        ("run.rb".into(), text.clone()),
        ("closed.rb".into(), text.clone()),
    ]));
    let mode = |name: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("run.rb", 0o755);
    mode("closed.rb", 0o444);
    symlink(
        outside.path().join("real.rb"),
        folder.path().join("link.rb"),
    )
    .unwrap();
    symlink(outside.path(), folder.path().join("linked")).unwrap();
    let arguments = ["--fix", "--shim", "https://shim.example.com", "."];
    let said = audit(folder.path(), &arguments);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("closed.rb is read-only"), "{said}");
    // Links are not followed even if named on the command line.
    audit(
        folder.path(),
        &[
            "--fix",
            "--shim",
            "https://shim.example.com",
            "link.rb",
            "linked/real.rb",
        ],
    );
    assert_eq!(fs::read(outside.path().join("real.rb")).unwrap(), text);
    assert!(folder.path().join("link.rb").is_symlink());
    assert_eq!(fs::read(folder.path().join("closed.rb")).unwrap(), text);
    let run = fs::metadata(folder.path().join("run.rb")).unwrap();
    assert_eq!(run.permissions().mode() & 0o777, 0o755);
    assert!(
        fs::read_to_string(folder.path().join("run.rb"))
            .unwrap()
            .contains("shim.example.com")
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        4,
        "nothing is left behind"
    );
}

#[test]
fn rejects_files_changed_since_the_audit() {
    let folder = plant(&Tree::from([(
        "a.rb".into(),
        b"BASE = 'https://api.zoom.us/v1'\n".to_vec(),
    )]));
    let wanted = at_shim("https://shim.example.com");
    let catalog = Catalog::embedded().unwrap();
    let auditor = Audit::new(&catalog, Options::default()).unwrap();
    let outcome = auditor.run(folder.path()).unwrap();
    let fixes = auditor.fixes(folder.path(), &outcome, &wanted);

    // Changed after the audit, then after computing the fix.
    let changed = b"BASE = 'https://api.zoom.us/v1' # mine\n".to_vec();
    fs::write(folder.path().join("a.rb"), &changed).unwrap();
    let late = auditor.fixes(folder.path(), &outcome, &wanted);
    assert!(late.changes.is_empty());
    let why = late.left[0].1.as_str();
    assert!(why.contains("has changed"), "{why}");
    assert!(fixes.changes[0].apply(folder.path()).is_err());
    assert_eq!(fs::read(folder.path().join("a.rb")).unwrap(), changed);
}

#[test]
fn moved_base_urls_no_longer_fail() {
    let folder = plant(&Tree::from([(
        "app/zoom.php".into(),
        b"<?php\n$base = 'https://api.zoom.us/v1/';\npost($base . 'user/list');\n".to_vec(),
    )]));
    let shim = ["--shim", "http://127.0.0.1:8080"];
    audit(folder.path(), &["--fix", shim[0], shim[1]]);
    let report = audit(folder.path(), &["--format", "json", shim[0], shim[1]]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let kinds: Vec<_> = findings
        .iter()
        .map(|found| {
            (
                found["kind"].as_str().unwrap(),
                found["suppressed"]["by"].as_str(),
            )
        })
        .collect();
    assert_eq!(kinds, [("base_url", Some("shim")), ("endpoint", None)]);

    // Host and version in separate constants.
    let folder = plant(&Tree::from([(
        "zoom.js".into(),
        b"Zoom.DEFAULT_HOST = 'api.zoom.us';\nZoom.DEFAULT_BASE_PATH = '/v1/';\n".to_vec(),
    )]));
    let host = ["--shim", "https://shim.example.com"];
    assert_eq!(audit(folder.path(), &host).status.code(), Some(1));
    audit(folder.path(), &["--fix", host[0], host[1]]);
    assert_eq!(audit(folder.path(), &host).status.code(), Some(0));

    let folder = plant(&Tree::from([(
        "zoom.rb".into(),
        b"BASE = 'https://api.zoom.us/v1/'\n".to_vec(),
    )]));
    let switch = ["--shim-env", "ZOOM_API_BASE"];
    audit(folder.path(), &["--fix", switch[0], switch[1]]);
    let code = |arguments: &[&str]| audit(folder.path(), arguments).status.code();
    assert_eq!(code(&switch), Some(0));
    assert_eq!(code(&["--shim-env", "ANOTHER"]), Some(1));
}

#[test]
fn unfixable_findings_get_a_recipe() {
    let folder = plant(&Tree::from([(
        "app/zoom.php".into(),
        b"<?php\n$base = 'https://api.zoom.us/v1/';\n\
          post($base . 'user/custcreate', ['email' => $e, 'type' => 1, 'track_id' => 7]);\n\
          post($base . 'user/pending', []);\n"
            .to_vec(),
    )]));
    let output = audit(
        folder.path(),
        &["--fix", "--shim", "https://shim.example.com"],
    );
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

/// Runs after which a fix of random code changes nothing more.
const RUNS: usize = 4;

const NAMES: [&str; 12] = [
    "a.php", "a.py", "a.rb", "a.js", "a.go", "A.java", "a.cs", "a.sh", "a.json", "a.yml", ".env",
    "Gemfile",
];

fn scrap() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("https://api.zoom.us/v1/".to_owned()),
        Just("'https://api.zoom.us/v1'".to_owned()),
        Just("\"http://www.zoom.us/api/v1/user/list\"".to_owned()),
        Just("https:\\/\\/api.zoom.us\\/v1".to_owned()),
        Just("HOST = 'api.zoom.us'\n".to_owned()),
        Just("X = HOST + '/v1/'\n".to_owned()),
        Just("'/v1'".to_owned()),
        Just("gem 'zoomus', '~> 0.7.0'\n".to_owned()),
        Just("import os\n".to_owned()),
        Just("<?php ".to_owned()),
        Just("process.env.Y || ".to_owned()),
        "[\\[\\]{}()'\"=+,;: \n\r-]{1,4}",
        "[a-z_é]{1,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Fixes converge, whatever the context. In code with syntax errors, strings of another length are
    /// parsed differently, which can reveal another base URL to the next run.
    #[test]
    fn fixes_converge(
        name in prop::sample::select(&NAMES[..]),
        scraps in prop::collection::vec(scrap(), 0..24),
        variable in any::<bool>(),
        url in prop::sample::select(&["https://shim.example.com", "http://127.0.0.1:8080/zoom"][..]),
    ) {
        let folder = plant(&Tree::from([(name.into(), scraps.concat().into_bytes())]));
        let mut wanted = at_shim(url);
        wanted.moved.variable = variable.then(|| "ZOOM_API_BASE".parse().unwrap());
        let ran = (0..RUNS).position(|_| fix(folder.path(), &wanted) == 0);
        let fixed = tree(folder.path());
        prop_assert!(ran.is_some(), "{:?}", shown(&fixed));
        fix(folder.path(), &wanted);
        prop_assert_eq!(tree(folder.path()), fixed);
    }
}
