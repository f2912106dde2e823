//! Git revisions of hostile, damaged or incomplete repositories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod project;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use project::{git, json, migrate, places, put, tree};
use serde_json::Value;
use tempfile::TempDir;

const CALL: &str = "curl https://api.zoom.us/v1/user/get\n";

fn commit(folder: &Path) {
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "x"]);
}

/// File of the object of a path.
fn object(folder: &Path, path: &str) -> PathBuf {
    let name = git(folder, &["rev-parse", &format!("HEAD:{path}")]);
    let (start, rest) = name.split_at(2);
    folder.join(".git/objects").join(start).join(rest)
}

fn audit(folder: &Path) -> Output {
    migrate(folder, &["audit", "--format", "json", "--rev", "HEAD"])
}

/// `path reason` of each unreadable file.
fn left_out(output: &Output) -> Vec<String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let unreadable = report["unreadable"].as_array().unwrap();
    unreadable
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            format!("{} {}", text("path"), text("reason"))
        })
        .collect()
}

/// A repository without the object of `a.sh`.
fn incomplete() -> TempDir {
    let folder = tree(&[("a.sh", CALL), ("b.sh", CALL)]);
    put(folder.path(), "a.sh", format!("{CALL}# another one\n"));
    commit(folder.path());
    fs::remove_file(object(folder.path(), "a.sh")).unwrap();
    folder
}

#[test]
fn revision_runs_no_configured_commands() {
    let mark = TempDir::new().unwrap();
    let mark = mark.path().join("ran");
    let command = format!("touch {}; false", mark.display());
    let remote = format!("ext::sh -c 'touch {}'", mark.display());
    let fetches: [&[(&str, &str)]; 3] = [
        &[
            ("remote.origin.url", "."),
            ("remote.origin.uploadpack", &command),
        ],
        &[
            ("remote.origin.url", &remote),
            ("protocol.ext.allow", "always"),
            ("protocol.allow", "always"),
        ],
        &[
            ("remote.origin.url", "ssh://example.com/x"),
            ("core.sshCommand", &command),
            ("core.gitProxy", &command),
            ("core.askPass", &command),
            ("credential.helper", &command),
        ],
    ];
    let anywhere = [
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("core.fsmonitor", &command),
        ("core.pager", &command),
        ("core.editor", &command),
        ("core.alternateRefsCommand", &command),
        ("core.hooksPath", "."),
        ("pager.ls-tree", &command),
        ("alias.ls-tree", &format!("!{command}")),
        ("alias.cat-file", &format!("!{command}")),
        ("diff.external", &command),
        ("diff.x.textconv", &command),
        ("filter.x.smudge", &command),
        ("filter.x.clean", &command),
        ("filter.x.process", &command),
        ("gpg.program", &command),
        ("log.showSignature", "true"),
        ("uploadpack.packObjectsHook", &command),
        ("trace2.eventTarget", "af_unix:x"),
    ];
    for fetch in fetches {
        let folder = incomplete();
        put(folder.path(), ".git/info/attributes", "* filter=x diff=x\n");
        for (key, value) in fetch.iter().chain(&anywhere) {
            git(folder.path(), &["config", key, value]);
        }
        let output = audit(folder.path());
        assert!(!mark.exists(), "{fetch:?}");
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(left_out(&output), ["a.sh is missing in the repository"]);
        for command in ["plan", "status"] {
            migrate(folder.path(), &[command, "--rev", "HEAD"]);
            assert!(!mark.exists(), "{command} {fetch:?}");
        }
    }
}

#[test]
fn ignores_git_environment_variables() {
    let other = tree(&[("other.sh", CALL)]);
    commit(other.path());
    let folder = tree(&[("a.sh", CALL)]);
    commit(folder.path());
    let output = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["audit", "--format", "json", "--rev", "HEAD"])
        .current_dir(folder.path())
        .env("GIT_DIR", other.path().join(".git"))
        .env("GIT_OBJECT_DIRECTORY", other.path().join(".git/objects"))
        .env("GIT_CONFIG_COUNT", "x")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(places(&report), ["a.sh:1 url"]);
}

#[test]
fn rejects_embedded_bare_repository() {
    let inner = tree(&[("a.sh", CALL)]);
    commit(inner.path());
    let folder = tree(&[("b.sh", CALL)]);
    let lib = folder.path().join("vendor/lib");
    fs::create_dir_all(lib.parent().unwrap()).unwrap();
    fs::rename(inner.path().join(".git"), &lib).unwrap();
    git(&lib, &["config", "core.bare", "true"]);
    commit(folder.path());
    let output = migrate(folder.path(), &["audit", "--rev", "HEAD", "vendor/lib"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("bare repository"), "{message}");
}

#[test]
fn reports_omissions_of_a_revision() {
    let folder = tree(&[("a.sh", "x\n"), ("b.sh", CALL)]);
    commit(folder.path());
    let other = git(folder.path(), &["rev-parse", "HEAD"]);
    let submodule = format!("160000,{other},lib");
    git(
        folder.path(),
        &["update-index", "--add", "--cacheinfo", &submodule],
    );
    for (path, target) in [
        ("within", "b.sh"),
        ("dangling", "nowhere"),
        ("absolute", "/etc/hosts"),
        ("above", "../b.sh"),
    ] {
        let file = folder.path().join("target");
        fs::write(&file, target).unwrap();
        let object = git(folder.path(), &["hash-object", "-w", "target"]);
        let link = format!("120000,{object},{path}");
        git(
            folder.path(),
            &["update-index", "--add", "--cacheinfo", &link],
        );
    }
    git(folder.path(), &["commit", "--quiet", "--message", "y"]);
    fs::remove_file(object(folder.path(), "a.sh")).unwrap();
    let output = audit(folder.path());
    assert_eq!(output.status.code(), Some(2));
    let mut left_out = left_out(&output);
    left_out.sort();
    assert_eq!(
        left_out,
        [
            "a.sh is missing in the repository",
            "above is a link out of the revision",
            "absolute is a link out of the revision",
            "lib is a submodule; audit its repository",
        ]
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(places(&report), ["b.sh:1 url"]);
}

#[test]
fn damaged_object_affects_only_its_file() {
    let folder = tree(&[("a.sh", "x\n"), ("b.sh", CALL), ("c.sh", "y\n")]);
    commit(folder.path());
    for path in ["a.sh", "c.sh"] {
        let object = object(folder.path(), path);
        fs::remove_file(&object).unwrap();
        fs::write(&object, "no object").unwrap();
    }
    let output = audit(folder.path());
    assert_eq!(output.status.code(), Some(2));
    let left_out = left_out(&output);
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(places(&report), ["b.sh:1 url"]);
}

#[test]
fn searches_large_files_of_a_revision() {
    let folder = TempDir::new().unwrap();
    let lines = "SELECT 1 FROM a WHERE b = 'c';\n".repeat(600_000);
    put(folder.path(), "a.sql", format!("{lines}{CALL}{lines}"));
    put(folder.path(), "b.sql", &lines);
    commit(folder.path());
    let tree = json(folder.path(), &["."]);
    let revision = json(folder.path(), &["--rev", "HEAD", "."]);
    assert_eq!(places(&tree), ["a.sql:600001 url"]);
    assert_eq!(places(&revision), places(&tree));
    assert_eq!(revision["unreadable"], tree["unreadable"]);
}
