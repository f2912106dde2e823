//! Build script of both programs: tells them, as `BUILD_VERSION`, what `--version` says.
//!
//! The commit comes from `SOURCE_COMMIT` (for builds without a checkout), else from git; `+` behind
//! it means that files were changed since. Without either, the version stands alone.

#![expect(clippy::print_stdout, reason = "how a build script talks to cargo")]

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=SOURCE_COMMIT");
    for path in [
        "src",
        "audit",
        "report",
        "sandbox/src",
        "upstream/src",
        "Cargo.toml",
        "../mappings/src",
        "../mappings/recording/src",
        "../mappings/api",
    ] {
        watch(path);
    }
    // Debug builds stand alone: each commit would compile both programs again.
    let is_debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    // Written at each commit and checkout.
    if !is_debug && let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        watch(&log);
    }
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let commit = env::var("SOURCE_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty());
    // A copy of the sources inside another project's checkout is not that project's commit.
    let is_ours = || !is_debug && git(&["ls-files", "--error-unmatch", "Cargo.toml"]).is_some();
    let commit = commit.or_else(|| {
        is_ours().then(|| {
            git(&[
                "describe",
                "--always",
                "--abbrev=9",
                "--exclude=*",
                "--dirty=+",
            ])
        })?
    });
    let version = match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo:rustc-env=BUILD_VERSION={version}");
}

/// Runs this again when the path changes. One that is not there would run it every time.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo:rerun-if-changed={path}");
    }
}

/// What git says, if there is a git and this is its checkout.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
