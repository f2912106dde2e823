//! `migrate diff` against a scripted v1 server.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod server;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};
use server::Server;

const SECRET: &str = "a-hush-secret";

/// A v1 server with scripted responses.
fn v1(script: impl Fn(usize, &str) -> Value + Send + 'static) -> Server {
    Server::start(move |number, request| (200, script(number, request).to_string()))
}

fn recorded(id: usize, operation: &str, parameters: &Value, answer: &Value, v2: &Value) -> String {
    let v1 = json!({ "operation": operation, "parameters": parameters, "answer": answer });
    let line = json!({ "format": 1, "id": id.to_string(), "micros": 1000, "v1": v1, "v2": v2 });
    format!("{line}\n")
}

fn read(id: usize, pmi: i64) -> String {
    let answer = json!({ "id": "u1", "pmi": pmi, "dept": "Sales" });
    recorded(id, "user/get", &json!({ "id": "u1" }), &answer, &json!([]))
}

fn migrate(recording: &Path, shim: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["diff", "--recorded"])
        .arg(recording)
        .args(["--shim", shim, "--rate", "10000"])
        .args(more)
        .env("MIGRATE_API_KEY", "a-key")
        .env("MIGRATE_API_SECRET", SECRET)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(both).unwrap();
    assert!(!text.contains(SECRET), "{text}");
    text
}

fn file(folder: &tempfile::TempDir, text: &str) -> std::path::PathBuf {
    let path = folder.path().join("r.jsonl");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn reads_are_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({ "id": "u1", "pmi": 7, "dept": "Sales" }));
    let path = file(&folder, &(read(1, 7) + &read(2, 8)));
    let output = migrate(&path, &v1.base, &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("! pmi  unexpected: another value"), "{text}");
    assert!(
        text.contains("1 of 2 answers differs unexpectedly · 50.00 % consistent · p99"),
        "{text}"
    );
    let first = v1.seen().remove(0);
    assert_eq!(
        first,
        format!("/v1/user/get api_key=a-key&api_secret={SECRET}&id=u1")
    );
    assert_eq!(v1.seen().len(), 3, "what differs is asked twice");

    let output = migrate(
        &file(&folder, &read(1, 7)),
        &format!("{}/v1/", v1.base),
        &[],
    );
    assert_eq!(output.status.code(), Some(0));
}

/// A key is locked after many failures, so the first rejection ends the run.
#[test]
fn rejected_credentials_end_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let error = json!({ "code": 200, "message": "Invalid api key or secret" });
    let v1 = v1(move |_, _| json!({ "error": error }));
    let path = file(&folder, &(read(1, 7) + &read(2, 7)));
    let output = migrate(&path, &v1.base, &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("MIGRATE_API_KEY"), "{text}");
    assert_eq!(v1.seen().len(), 1);

    let answer = json!({ "error": { "code": 1001, "message": "User not exist: u1" } });
    let line = |id| recorded(id, "user/get", &json!({ "id": "u1" }), &answer, &json!([]));
    let path = file(&folder, &(line(1) + &line(2)));
    let output = migrate(&path, &v1.base, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(v1.seen().len(), 2, "recorded errors prove no credentials");
}

#[test]
fn an_error_instead_of_an_answer_is_one_difference() {
    let folder = tempfile::tempdir().unwrap();
    let error = json!({ "code": 1001, "message": "User not exist: u1" });
    let v1 = v1(move |_, _| json!({ "error": error }));
    let lines: String = (1..=9).map(|id| read(id, 7)).collect();
    let output = migrate(&file(&folder, &lines), &v1.base, &["--format", "json"]);
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    let cause = "error instead of an answer: 1001 User not exist: u1";
    assert_eq!(report["causes"], json!({ cause: 9 }));
    assert_eq!(report["shown"].as_array().unwrap().len(), 3);
    assert_eq!(report["shown"][0]["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn thresholds_set_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({ "id": "u1", "pmi": 7, "dept": "Sales" }));
    let path = file(&folder, &(read(1, 7) + &read(2, 7) + &read(3, 8)));
    let code = |more: &[&str]| migrate(&path, &v1.base, more).status.code();
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--min-consistency", "60"]), Some(0));
    assert_eq!(code(&["--min-consistency", "99.9"]), Some(1));
    assert_eq!(
        code(&["--min-consistency", "60", "--max-p99", "0"]),
        Some(1)
    );
    assert_eq!(
        code(&["--min-consistency", "60", "--max-p99", "600000"]),
        Some(0)
    );
    assert_eq!(code(&["--min-consistency", "101"]), Some(2));

    let printed = text(&migrate(
        &path,
        &v1.base,
        &["--min-consistency", "99.9", "--max-p99", "0"],
    ));
    assert!(
        printed.contains("66.66 % consistent, less than 99.9 %\np99 of the shim is "),
        "{printed}"
    );
    let printed = text(&migrate(&path, &v1.base, &["--min-consistency", "60"]));
    assert!(!printed.contains("less than"), "{printed}");
}

/// The same user is missing, whether a program asks by id or by address.
#[test]
fn a_missing_user_is_one_cause() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, request| {
        let subject = if request.contains("getbyemail") {
            "u1@example.com"
        } else {
            "u1"
        };
        let message = format!("User not exist: {subject}");
        json!({ "error": { "code": 1001, "message": message } })
    });
    let answer = json!({ "id": "u1", "email": "u1@example.com" });
    let by_id = json!({ "id": "u1" });
    let by_address = json!({ "email": "u1@example.com", "login_type": "100" });
    let lines = recorded(1, "user/get", &by_id, &answer, &json!([]))
        + &recorded(2, "user/getbyemail", &by_address, &answer, &json!([]))
        + &recorded(
            3,
            "meeting/list",
            &json!({ "host_id": "u1" }),
            &json!({ "meetings": [] }),
            &json!([]),
        );
    let output = migrate(&file(&folder, &lines), &v1.base, &["--format", "json"]);
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    let cause = "error instead of an answer: 1001 User not exist: u1@example.com";
    assert_eq!(report["causes"], json!({ cause: 3 }));
}

#[test]
fn empty_recording_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({}));
    let output = migrate(&file(&folder, ""), &v1.base, &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("r.jsonl has no exchanges; record some"),
        "{text}"
    );
}

/// The shim may be recording to the same file.
#[test]
fn reads_a_growing_recording_to_its_initial_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &(read(1, 7) + &read(2, 7)));
    let growing = path.clone();
    let v1 = v1(move |number, _| {
        let mut file = fs::OpenOptions::new().append(true).open(&growing).unwrap();
        // Bounded, so that the test fails instead of hanging.
        if number < 100 {
            file.write_all(read(number + 2, 7).as_bytes()).unwrap();
        }
        json!({ "id": "u1", "pmi": 7, "dept": "Sales" })
    });
    let output = migrate(&path, &v1.base, &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(v1.seen().len(), 2);
}

#[cfg(unix)]
#[test]
fn interrupted_run_reports_comparisons_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (1..100).map(|id| read(id, 7)).collect();
    let path = file(&folder, &lines);
    let child = Arc::new(Mutex::new(None));
    let interrupted = Arc::clone(&child);
    let v1 = v1(move |number, _| {
        if number == 1 {
            let id = loop {
                if let Some(id) = *interrupted.lock().unwrap() {
                    break id;
                }
                thread::yield_now();
            };
            let id: u32 = id;
            let signal = Command::new("kill")
                .args(["-INT", &id.to_string()])
                .status();
            assert!(signal.unwrap().success());
        }
        json!({ "id": "u1", "pmi": 7, "dept": "Sales" })
    });
    let started = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["diff", "--shim", &v1.base, "--rate", "2", "--recorded"])
        .arg(&path)
        .env("MIGRATE_API_KEY", "a-key")
        .env("MIGRATE_API_SECRET", SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    *child.lock().unwrap() = Some(started.id());
    let output = started.wait_with_output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("interrupted"), "{text}");
    assert!(text.contains("unexpectedly"), "{text}");
    assert!(v1.seen().len() < 10);
}

#[test]
fn learns_volatile_fields() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|number, _| json!({ "id": "u1", "pmi": 100 + number, "dept": "Sales" }));
    let path = file(&folder, &(read(1, 7) + &read(2, 8)));
    let output = migrate(&path, &v1.base, &["--format", "json"]);
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(report["fields"]["user/get pmi"]["volatile"], 2);
    assert_eq!(v1.seen().len(), 3, "what is learnt is not asked again");
}

fn update(dept: &str) -> String {
    let v2 = json!([{
        "call": "profile", "method": "PATCH", "path": "/users/u1", "body": { "dept": "Sales" },
        "outcome": "answered", "status": 204,
    }]);
    let parameters = json!({ "id": "u1", "dept": dept });
    let answer = json!({ "id": "u1", "updated_at": "2026-01-01T00:00:00Z" });
    recorded(1, "user/update", &parameters, &answer, &v2)
}

#[test]
fn compares_requests_of_writes_without_sending() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({ "id": "u1", "updated_at": "2026-02-02T00:00:00Z" }));
    let output = migrate(&file(&folder, &update("Sales")), &v1.base, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let output = migrate(&file(&folder, &update("HR")), &v1.base, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("profile.body.dept"),
        "{}",
        text(&output)
    );
    assert!(v1.seen().is_empty(), "a write was sent");

    let output = migrate(&file(&folder, &update("HR")), &v1.base, &["--allow-writes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(v1.seen().len(), 1);
}

#[test]
fn translates_writes_with_recorded_options() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({}));
    let mut line: Value = serde_json::from_str(&update("Sales")).unwrap();
    line["v1"]["parameters"]["first_name"] = "".into();
    let compared = |line: &Value| migrate(&file(&folder, &format!("{line}\n")), &v1.base, &[]);
    let output = compared(&line);
    assert_eq!(
        output.status.code(),
        Some(1),
        "by default it clears the name"
    );

    // Removed options, and options of later versions, are ignored.
    let options = json!({ "empty_text": "keep", "gone": true, "zak": "a choice" });
    line["site"] = json!({ "strict": false, "options": options });
    let output = compared(&line);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn reports_skipped_exchanges() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({}));
    let of = |id, operation, parameters: Value| {
        recorded(id, operation, &parameters, &json!({}), &json!([]))
    };
    let lines = [
        of(1, "user/checkzpk", json!({ "zpk": "[redacted]" })),
        of(
            2,
            "user/getbyemail",
            json!({ "email": "0a149676f898@pseudonym.invalid" }),
        ),
        of(3, "no/such", json!({})),
        of(4, "user/update", json!({ "id": "u1", "dept": "HR" })),
    ];
    let output = migrate(&file(&folder, &lines.concat()), &v1.base, &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    insta::assert_snapshot!("not_compared", text);
    assert!(v1.seen().is_empty());
}

#[test]
fn resumes_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (1..=20).map(|id| read(id, 7)).collect();
    let path = file(&folder, &lines);
    let journal = folder.path().join("progress");
    let resume = ["--resume", journal.to_str().unwrap()];
    // One response is null: it is requested twice, and the run continues.
    let v1 = v1(|number, _| match number {
        11 => json!(null),
        _ => json!({ "id": "u1", "pmi": 7, "dept": "Sales" }),
    });
    let output = migrate(&path, &v1.base, &resume);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(v1.seen().len(), 21);

    // Killed while writing the 8th entry.
    let noted = fs::read_to_string(&journal).unwrap();
    let kept: Vec<_> = noted.lines().take(8).collect();
    fs::write(&journal, format!("{}\n{{\"line\":8,\"jud", kept.join("\n"))).unwrap();
    let output = migrate(&path, &v1.base, &resume);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("0 of 20 answers differ"), "{text}");
    assert_eq!(v1.seen().len(), 21 + 13);

    let other = migrate(&path, "http://127.0.0.1:9", &resume);
    assert_eq!(
        other.status.code(),
        Some(2),
        "the journal is about another shim"
    );
}

#[test]
fn accepts_differences() {
    let folder = tempfile::tempdir().unwrap();
    let v1 = v1(|_, _| json!({ "id": "u1", "pmi": "7", "dept": "Sales" }));
    let path = file(&folder, &read(1, 7));
    let rules = folder.path().join("rules.toml");
    let rules = ["--rules", rules.to_str().unwrap()];
    let accept = ["--accept", "our clients take both", "--until", "2999-12-31"];
    let output = migrate(
        &path,
        &v1.base,
        &[rules, [accept[0], accept[1]], [accept[2], accept[3]]].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let output = migrate(&path, &v1.base, &rules);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

/// `migrate diff OLD NEW`, with the old response on standard input if it is `-`.
fn diff(old: &str, new: &str, input: &Value, key: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(["diff", old, new]);
    for (variable, value) in [("MIGRATE_API_KEY", key), ("MIGRATE_API_SECRET", key)] {
        match value {
            Some(_) => command.env(variable, SECRET),
            None => command.env_remove(variable),
        };
    }
    let pipes = [Stdio::piped(), Stdio::piped(), Stdio::piped()];
    let [input_end, out, error] = pipes;
    let mut child = command
        .stdin(input_end)
        .stdout(out)
        .stderr(error)
        .spawn()
        .unwrap();
    // The program may exit without reading.
    let _ = write!(child.stdin.take().unwrap(), "{input}");
    child.wait_with_output().unwrap()
}

#[test]
fn compares_urls() {
    let v1 = v1(|_, request| match request {
        quoting if quoting.contains("id=refused") => {
            json!({ "error": { "code": 200, "message": format!("Wrong: {request}") } })
        }
        _ => json!({ "id": "u1", "pmi": 7, "api_secret": SECRET }),
    });
    let url = format!("{}/below/v1/user/get?id=u1&api_secret={SECRET}", v1.base);
    let answer = json!({ "id": "u1", "pmi": 7, "api_secret": "x" });
    let output = diff("-", &url, &answer, Some("set"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(
        v1.seen(),
        [format!(
            "/below/v1/user/get api_key={SECRET}&api_secret={SECRET}&id=u1"
        )],
        "nothing is left in the address"
    );

    // Other URLs get no credentials.
    let other = format!("{}/users/u1?x=1", v1.base);
    let output = diff("-", &other, &json!({ "id": "u2", "pmi": 7 }), Some("set"));
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains("/users/u1") && !shown.contains("x=1"),
        "{shown}"
    );
    assert_eq!(v1.seen()[1], "/users/u1?x=1 ");

    let refused = format!("{}/v1/user/get?id=refused", v1.base);
    let output = diff("-", &refused, &answer, Some("set"));
    assert!(text(&output).contains("Wrong"), "{}", text(&output));
}

#[test]
fn rejects_invalid_sources() {
    let v1 = v1(|_, _| json!("moved"));
    let base = &v1.base;
    for (old, new, key) in [
        ("-", "-", Some("set")),
        ("-", &format!("{base}/v1/user/get?id=u1"), None),
        ("-", &format!("{base}/v1/user/delete?id=u1"), Some("set")),
        (
            "-",
            "http://127.0.0.1:9/v1/user/get?api_secret=a-hush-secret",
            Some("set"),
        ),
        ("-", "http://user:a-hush-secret@127.0.0.1:9/", Some("set")),
        ("-", "http://127.0.0.1:a-hush-secret/", Some("set")),
        ("-", "/no/such/file", Some("set")),
    ] {
        let output = diff(old, new, &json!({}), key);
        let told = text(&output);
        assert_eq!(output.status.code(), Some(2), "{new}: {told}");
    }
    assert!(v1.seen().is_empty(), "{:?}", v1.seen());
}

#[test]
fn redirects_are_not_followed() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let elsewhere = v1(|_, _| json!({}));
    let target = elsewhere.base.clone();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let head = "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nConnection: close";
        write!(stream, "{head}\r\nLocation: {target}/v1/user/get\r\n\r\n").unwrap();
    });
    let output = diff(
        "-",
        &format!("{base}/v1/user/get?id=u1"),
        &json!({}),
        Some("set"),
    );
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("redirects (") && elsewhere.seen().is_empty());
}

#[test]
fn errors_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &read(1, 7));
    let nobody = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = format!("http://{nobody}");
    for (path, shim) in [
        (path.as_path(), nobody.as_str()),
        (path.as_path(), "http://user:pw@127.0.0.1:1"),
        (path.as_path(), "127.0.0.1:8080"),
        (Path::new("/no/such/file"), nobody.as_str()),
        (file(&folder, "{\"format\":9}\n").as_path(), nobody.as_str()),
    ] {
        let output = migrate(path, shim, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}
