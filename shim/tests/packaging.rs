//! Files installed beside the program: completions, man pages, systemd unit.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{fs, process::Command};

fn shim(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_shim"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Long flags in the output of `shim COMMAND --help`.
fn flags(command: &str) -> Vec<String> {
    let help = shim(&[command, "--help"]);
    let lines = help.lines().map(str::trim_start);
    let options = lines.filter(|line| line.starts_with('-'));
    let flags = options.filter_map(|line| {
        let flag = line.split(' ').find(|word| word.starts_with("--"))?;
        // `--strict[=<BOOL>]` without its value.
        let flag = flag.split('[').next().unwrap_or(flag);
        Some(flag.trim_end_matches(',').to_owned())
    });
    flags.collect()
}

#[test]
fn version_includes_the_commit_if_known() {
    let version = shim(&["--version"]);
    let rest = version
        .trim_end()
        .strip_prefix(concat!("shim ", env!("CARGO_PKG_VERSION")))
        .unwrap();
    if rest.is_empty() {
        return; // built without git, or from an archive
    }
    let commit = rest.trim_start_matches(" (").trim_end_matches(')');
    let commit = commit.trim_end_matches('+');
    assert!(commit.len() >= 7, "{version}");
    assert!(
        commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{version}"
    );
}

#[test]
fn completions_have_every_flag() {
    let script = shim(&["completions", "bash"]);
    let flags = flags("serve");
    assert!(flags.len() > 5, "{flags:?}");
    for flag in flags {
        assert!(script.contains(&flag), "{flag}");
    }
}

#[test]
fn every_command_has_a_manual_page_with_its_flags() {
    let folder = tempfile::tempdir().unwrap();
    shim(&["man", folder.path().to_str().unwrap()]);
    let main = fs::read_to_string(folder.path().join("shim.1")).unwrap();
    let commands = main.lines().filter_map(|line| {
        let name = line.strip_prefix(r"shim\-")?.strip_suffix("(1)")?;
        Some(name.replace('\\', ""))
    });
    let commands: Vec<_> = commands.collect();
    assert!(commands.contains(&"serve".to_owned()), "{commands:?}");
    for command in commands {
        let page = folder.path().join(format!("shim-{command}.1"));
        let page = fs::read_to_string(page).unwrap().replace('\\', "");
        for flag in flags(&command) {
            assert!(page.contains(&flag), "{command} {flag}");
        }
    }
}

#[test]
fn unit_uses_existing_flags() {
    let start = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/shim "))
        .unwrap();
    let mut words = start.split(' ');
    let command = words.next().unwrap();
    let known = flags(command);
    for flag in words.filter(|word| word.starts_with("--")) {
        assert!(known.contains(&flag.to_owned()), "{flag}");
    }
}

const UNIT: &str = include_str!("../packaging/shim.service");
const COMPOSE: &str = include_str!("../packaging/compose.yaml");
const DEPLOYMENT: &str = include_str!("../packaging/kubernetes/deployment.yaml");

#[test]
fn packaged_files_set_existing_variables() {
    let settings = include_str!("../docs/settings.md");
    let dockerfile = include_str!("../packaging/Dockerfile");
    for file in [UNIT, COMPOSE, DEPLOYMENT, dockerfile] {
        let words = file.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        let mut found = 0;
        for word in words.filter(|word| word.starts_with("SHIM_") && *word != "SHIM_PORT") {
            // For secrets, the settings list the variable without its suffix.
            let name = word.strip_suffix("_FILE").unwrap_or(word);
            assert!(settings.contains(word) || settings.contains(name), "{word}");
            found += 1;
        }
        assert!(found > 0);
    }
}

/// Supervisors must not kill the shim before the end of its shutdown.
#[test]
fn supervisor_timeouts_exceed_the_shutdown() {
    for (file, key) in [
        (UNIT, "TimeoutStopSec="),
        (COMPOSE, "stop_grace_period: "),
        (DEPLOYMENT, "terminationGracePeriodSeconds: "),
    ] {
        let mut lines = file.lines().map(str::trim);
        let value = lines.find_map(|line| line.strip_prefix(key)).unwrap();
        let seconds: u64 = value.trim_end_matches('s').parse().unwrap();
        let limits = shim::settings::Limits::default();
        assert!(seconds > 5 + limits.shutdown.as_secs() + 3, "{key}");
    }
}

#[test]
fn packaged_settings_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["v1", "v2"] {
        fs::write(path(name), "a-secret").unwrap();
    }
    for (settings, secrets) in [
        (
            include_str!("../packaging/compose/shim.toml"),
            "/run/secrets/",
        ),
        (
            include_str!("../packaging/kubernetes/shim.toml"),
            "/etc/shim/secrets/",
        ),
    ] {
        assert_eq!(settings.matches(secrets).count(), 2);
        fs::write(path("shim.toml"), settings.replace(secrets, &path(""))).unwrap();
        let checked = shim(&["check-config", "--config", &path("shim.toml")]);
        assert!(checked.contains("oauth"), "{checked}");
    }
}
