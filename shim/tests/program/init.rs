//! `shim init`: what it writes, and what it never does.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use super::{command, run};
use crate::servers::program;

const ANSWERS: &str = "crm\na-secret-of-v1\nan-account\na-client\na-client-secret\n";

/// The exit code and all that is printed.
fn init(arguments: &[&str], answers: &str) -> (i32, String) {
    let mut command = command(arguments, &[]);
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    for secret in ["a-secret-of-v1", "a-client-secret"] {
        assert!(!said.contains(secret), "{said}");
    }
    (status.code().unwrap(), said)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn writes_a_valid_file_and_private_secrets_from_five_answers() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    let (code, said) = init(&["init", dir], ANSWERS);
    assert_eq!(code, 0, "{said}");
    let file = folder.path().join("shim.toml");
    assert!(
        said.contains(&format!("shim doctor --config {}", file.display())),
        "{said}"
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        !text.contains("a-secret-of-v1") && !text.contains("a-client-secret"),
        "{text}"
    );
    let secrets = folder.path().join("secrets");
    for (name, content) in [("v1", "a-secret-of-v1"), ("v2", "a-client-secret")] {
        assert_eq!(fs::read_to_string(secrets.join(name)).unwrap(), content);
        assert_eq!(mode(&secrets.join(name)), 0o600);
    }
    assert_eq!(mode(&secrets), 0o700);
    let (code, said) = run(&["check-config", "--config", file.to_str().unwrap()], &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn never_overwrites() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    let file = folder.path().join("shim.toml");
    fs::write(&file, "mine").unwrap();
    let (code, said) = init(&["init", dir], ANSWERS);
    assert!(code == 2 && said.contains("shim.toml exists"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    fs::remove_file(&file).unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    fs::write(folder.path().join("secrets/v2"), "mine").unwrap();
    let (code, said) = init(&["init", dir], ANSWERS);
    assert!(code == 2 && said.contains("secrets/v2 exists"), "{said}");
    assert!(!file.exists() && !folder.path().join("secrets/v1").exists());
}

#[test]
fn flags_answer_questions_and_files_with_secrets_stay_where_they_are() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    let secret = folder.path().join("given");
    fs::write(&secret, "a-client-secret").unwrap();
    let flags = [
        "--client-id",
        "a-client",
        "--client-secret-file",
        secret.to_str().unwrap(),
    ];
    let arguments = [&["init", dir, "--plan", "business"], &flags[..]].concat();
    let (code, said) = init(&arguments, "a \"key\"\na-secret-of-v1\nan-account\n");
    assert_eq!(code, 0, "{said}");
    let text = fs::read_to_string(folder.path().join("shim.toml")).unwrap();
    assert!(text.contains("plan = \"business\""), "{text}");
    assert!(
        text.contains(&format!(
            "client_secret_file = {:?}",
            secret.to_str().unwrap()
        )),
        "{text}"
    );
    assert!(!folder.path().join("secrets/v2").exists());
}

#[test]
fn a_missing_answer_or_a_wrong_one_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    let (code, said) = init(&["init", dir], "crm\na-secret-of-v1\n");
    assert!(
        code == 2 && said.contains("an answer is missing: Account ID"),
        "{said}"
    );
    let (code, said) = init(&["init", dir, "--plan", "gold"], ANSWERS);
    assert!(code == 2 && said.contains("\"gold\" is none of"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn secrets_in_a_folder_with_the_setgid_bit_are_for_its_group() {
    let folder = TempDir::new().unwrap();
    let secrets = folder.path().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o2750)).unwrap();
    let (code, said) = init(&["init", folder.path().to_str().unwrap()], ANSWERS);
    assert_eq!(code, 0, "{said}");
    assert_eq!(mode(&secrets.join("v1")), 0o640);
    assert_eq!(mode(&secrets), 0o750);
}

#[test]
fn after_ctrl_c_the_terminal_shows_what_is_typed() {
    let Some(script) = program("script") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    // The shell gets the signal, too.
    let shim = env!("CARGO_BIN_EXE_shim");
    let line = format!("trap : INT; {shim} init --api-key crm {dir}; stty -a");
    let mut terminal = Command::new(script)
        .args(["--quiet", "--command", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    let mut screen = terminal.stdout.take().unwrap();
    let mut shown = String::new();
    let mut byte = [0];
    while screen.read(&mut byte).unwrap() > 0 {
        shown.extend(byte.map(char::from));
        if shown.ends_with("(not shown): ") {
            keyboard.write_all(b"\x03").unwrap();
        }
    }
    terminal.wait().unwrap();
    assert!(
        shown.contains("interrupted; nothing was written"),
        "{shown}"
    );
    assert!(
        shown.contains(" echo ") && !shown.contains("-echo "),
        "{shown}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn secrets_do_not_appear_on_a_terminal() {
    let Some(script) = program("script") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    let line = format!("{} init {dir}", env!("CARGO_BIN_EXE_shim"));
    let mut terminal = Command::new(script)
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = terminal.stdin.take().unwrap();
    let mut screen = terminal.stdout.take().unwrap();
    let mut shown = String::new();
    let mut answers = ANSWERS.lines();
    let mut byte = [0];
    while screen.read(&mut byte).unwrap() > 0 {
        shown.extend(byte.map(char::from));
        if shown.ends_with(": ")
            && let Some(answer) = answers.next()
        {
            writeln!(keyboard, "{answer}").unwrap();
        }
    }
    assert!(terminal.wait().unwrap().success(), "{shown}");
    assert_eq!(answers.next(), None, "{shown}");
    for text in ["crm", "an-account", "a-client"] {
        assert!(shown.contains(&format!(": {text}\r\n")), "{text}: {shown}");
    }
    for secret in ["a-secret-of-v1", "a-client-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let secrets = folder.path().join("secrets");
    let stored = |name| fs::read_to_string(secrets.join(name)).unwrap();
    assert_eq!(
        (stored("v1").as_str(), stored("v2").as_str()),
        ("a-secret-of-v1", "a-client-secret")
    );
}
