//! `serve --replay`: recorded v2 answers in place of v2.

use std::{fs, path::Path, process::Stdio, time::Duration};

use serde_json::Value;

use crate::{Program, client, command, run};

async fn call(shim: &Program, operation: &str, parameters: &[(&str, &str)]) -> Value {
    let mut form = vec![("api_key", "sandbox-key"), ("api_secret", "sandbox-secret")];
    form.extend(parameters);
    let request = client().post(format!("{}/{operation}", shim.base()));
    let answer = request.form(&form).send().await.unwrap();
    let mut answer: Value = answer.json().await.unwrap();
    // A secret, which is not recorded.
    if let Some(token) = answer.get_mut("zak") {
        assert_ne!(token.as_str(), Some(""));
        *token = Value::Null;
    }
    answer
}

/// What a program does: reads, a write, and the same read again.
async fn conversation(shim: &Program) -> Vec<Value> {
    let id = ("id", "ada.lovelace@example.com");
    let mut answers = Vec::new();
    answers.push(call(shim, "user/get", &[id]).await);
    answers.push(call(shim, "user/list", &[("page_size", "3")]).await);
    let mut updated = call(shim, "user/update", &[id, ("dept", "Engines")]).await;
    // The time of the answer.
    assert!(
        updated
            .as_object_mut()
            .unwrap()
            .remove("updated_at")
            .is_some()
    );
    answers.push(updated);
    answers.push(call(shim, "user/get", &[id]).await);
    answers.push(call(shim, "user/get", &[("id", "nobody")]).await);
    answers
}

fn start(more: &[&str]) -> Program {
    start_with(more, &[])
}

fn start_with(more: &[&str], variables: &[(&str, &str)]) -> Program {
    let arguments = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
    Program::start(&arguments, variables)
}

/// Waits until so many exchanges are written: the recorder has the lowest priority.
async fn written(file: &Path, exchanges: usize) {
    let count = || fs::read_to_string(file).unwrap().lines().count();
    for _ in 0..1200 {
        if count() >= exchanges {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(), exchanges);
}

async fn recorded(file: &Path) -> Vec<Value> {
    recorded_with(file, &[]).await
}

async fn recorded_with(file: &Path, variables: &[(&str, &str)]) -> Vec<Value> {
    let more = ["--sandbox", "--record", file.to_str().unwrap()];
    let shim = start_with(&more, variables);
    let answers = conversation(&shim).await;
    written(file, answers.len()).await;
    assert_eq!(shim.stop("TERM"), 0);
    answers
}

#[tokio::test]
async fn a_recording_plays_v2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("monday.jsonl");
    let before = recorded(&file).await;
    assert_eq!(before[3]["dept"], "Engines");
    let shim = start(&["--replay", file.to_str().unwrap()]);
    assert!(shim.banner.contains("calls from"), "{}", shim.banner);
    assert_eq!(conversation(&shim).await, before);
    // From then on what was recorded last.
    let ada = call(&shim, "user/get", &[("id", "ada.lovelace@example.com")]).await;
    assert_eq!(ada["dept"], "Engines");
}

#[tokio::test]
async fn a_request_that_was_not_recorded_is_loud() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("monday.jsonl");
    recorded(&file).await;
    let log = folder.path().join("log");
    let mut command = command(
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--replay",
            file.to_str().unwrap(),
        ],
        &[],
    );
    command.stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let shim = Program::spawn(command);
    let answer = call(&shim, "user/get", &[("id", "somebody@example.com")]).await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("Not in the recording: GET /users/somebody"),
        "{message}"
    );
    assert_eq!(shim.stop("TERM"), 0);
    let log = fs::read_to_string(&log).unwrap();
    assert!(
        log.contains("ERROR") && log.contains("Not in the recording"),
        "{log}"
    );
}

#[tokio::test]
async fn a_recording_with_pseudonyms_plays_v2_with_their_key_only() {
    const KEY: [(&str, &str); 1] = [("SHIM_RECORD_PSEUDONYM_KEY", "a-key-of-pseudonyms")];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("monday.jsonl");
    let name = file.to_str().unwrap();
    let before = recorded_with(&file, &KEY).await;
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("ada.lovelace"), "{text}");

    let (code, told) = run(&["serve", "--replay", name], &[]);
    let what = "set record.pseudonym_key_file to the key of the recording";
    assert!(
        code == 2 && told.contains("line 1: ") && told.contains(what),
        "{told}"
    );

    let shim = start_with(&["--replay", name], &KEY);
    let after = conversation(&shim).await;
    // Whom the program asks for has the address that it knows; all others have pseudonyms.
    assert_eq!(after[0]["email"], "ada.lovelace@example.com");
    for (before, after) in before.iter().zip(&after) {
        for (member, value) in before.as_object().unwrap() {
            let has_pseudonym = after[member].to_string().contains("name-") || member == "users";
            assert!(
                has_pseudonym || after[member] == *value,
                "{member}: {after} {before}"
            );
        }
    }
    let users = |answer: &Value| answer["users"].as_array().unwrap().len();
    assert_eq!(users(&after[1]), users(&before[1]));
    let other = after[1]["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["email"]);
    let mut other = other.filter(|email| **email != "ada.lovelace@example.com");
    let other = other.next().unwrap().as_str().unwrap();
    assert!(other.ends_with("@pseudonym.invalid"), "{other}");
    // With another key, nothing fits.
    let wrong = [("SHIM_RECORD_PSEUDONYM_KEY", "another-key-of-pseudonyms")];
    let shim = start_with(&["--replay", name], &wrong);
    let answer = call(&shim, "user/get", &[("id", "ada.lovelace@example.com")]).await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("Not in the recording"), "{message}");
}

#[tokio::test]
async fn a_recording_that_leaves_exchanges_out_is_refused() {
    for (variable, value, setting) in [
        ("SHIM_RECORD_ALIKE", "2", "record.alike = 2"),
        (
            "SHIM_RECORD_SAMPLE_PERCENT",
            "99",
            "record.sample_percent = 99",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("monday.jsonl");
        let name = file.to_str().unwrap();
        let more = ["--sandbox", "--record", name];
        let shim = start_with(&more, &[(variable, value)]);
        for _ in 0..20 {
            call(&shim, "user/get", &[("id", "ada.lovelace@example.com")]).await;
        }
        written(&file, 2).await;
        assert_eq!(shim.stop("TERM"), 0);
        let (code, told) = run(&["serve", "--replay", name], &[]);
        assert!(code == 2 && told.contains(setting), "{told}");
        assert!(told.contains("record again without"), "{told}");
    }
}

#[test]
fn invalid_recordings_are_reported_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("monday.jsonl");
    let name = file.to_str().unwrap();
    let (code, told) = run(&["serve", "--replay", name], &[]);
    assert!(
        code == 2 && told.contains("monday.jsonl cannot be read"),
        "{told}"
    );
    fs::write(&file, "{}\n[]\n").unwrap();
    let (code, told) = run(&["serve", "--replay", name], &[]);
    assert!(
        code == 2 && told.contains("line 1: ") && told.contains("line 2: "),
        "{told}"
    );
    let (code, told) = run(&["serve", "--sandbox", "--replay", name], &[]);
    assert!(code == 2 && told.contains("cannot be used with"), "{told}");
}

#[tokio::test]
async fn near_equal_exchanges_are_thinned() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("monday.jsonl");
    let shim = Program::start(
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--sandbox",
            "--record",
            file.to_str().unwrap(),
        ],
        &[("SHIM_RECORD_ALIKE", "2")],
    );
    for _ in 0..5 {
        call(&shim, "user/get", &[("id", "ada.lovelace@example.com")]).await;
        call(&shim, "user/get", &[("id", "nobody")]).await;
    }
    call(&shim, "user/list", &[]).await;
    written(&file, 5).await;
    assert_eq!(shim.stop("TERM"), 0);
    let text = fs::read_to_string(&file).unwrap();
    let operations = text.lines().map(|line| {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let is_error = exchange["v1"]["answer"]["error"].is_object();
        (
            exchange["v1"]["operation"].as_str().unwrap().to_owned(),
            is_error,
        )
    });
    let operations: Vec<_> = operations.collect();
    let count = |name: &str, is_error| {
        let wanted = (name.to_owned(), is_error);
        operations.iter().filter(|known| **known == wanted).count()
    };
    assert_eq!(count("user/get", false), 2);
    assert_eq!(count("user/get", true), 2, "an error is another kind");
    assert_eq!(count("user/list", false), 1);
}
