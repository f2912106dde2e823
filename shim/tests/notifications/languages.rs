//! Receivers in other languages, with the parsers of public programs.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::stage::Stage;

/// A receiver of another language: its lines, and its address.
struct Foreign {
    child: Child,
    output: BufReader<Box<dyn std::io::Read + Send>>,
    url: String,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Foreign {
    /// `None`, with a loud line, if there is no interpreter.
    fn start(interpreter: &str, file: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/receivers");
        let file = folder.join(file);
        let is_php = interpreter == "php";
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let compiled = tempfile::tempdir().unwrap();
        let mut command = Command::new(interpreter);
        if interpreter == "go" {
            let program = compiled.path().join("receiver");
            let mut build = Command::new("go");
            build.arg("build").arg("-o").arg(&program).arg(&file);
            // A missing compiler is as a missing program.
            assert!(build.status().map_or(true, |status| status.success()));
            command = Command::new(program);
            command.arg("0");
        } else if is_php {
            command
                .args(["-S", &format!("127.0.0.1:{port}")])
                .arg(&file)
                .stderr(Stdio::null());
        } else {
            command.arg(&file).arg("0");
        }
        let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else {
            let is_required = std::env::var("TEST_SERVERS").is_ok_and(|value| value == "required");
            assert!(
                !is_required,
                "{interpreter} is not installed, and TEST_SERVERS=required"
            );
            #[expect(clippy::print_stderr, reason = "a missing interpreter is named")]
            {
                eprintln!("NOT CHECKED: {interpreter} is not installed");
            }
            return None;
        };
        let stdout: Box<dyn std::io::Read + Send> = Box::new(child.stdout.take().unwrap());
        let mut output = BufReader::new(stdout);
        let mut line = port.to_string();
        if is_php {
            // It does not say when it listens.
            while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(child.try_wait().unwrap().is_none(), "php has ended");
                std::thread::yield_now();
            }
        } else {
            line.clear();
            output.read_line(&mut line).unwrap();
        }
        let url = format!("http://127.0.0.1:{}/zoom?secret=s3cret", line.trim());
        Some(Self { child, output, url })
    }

    fn event(&mut self) -> Value {
        let mut line = String::new();
        while !line.starts_with('{') {
            line.clear();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "the receiver has ended"
            );
        }
        serde_json::from_str(&line).unwrap()
    }
}

async fn through(interpreter: &str, file: &str, settings: &str) -> Option<(Vec<Value>, Value)> {
    let mut foreign = Foreign::start(interpreter, file)?;
    let stage = Stage::start().await;
    let receiver = format!("[[receiver]]\nurl = {:?}\n{settings}", foreign.url);
    let (shim, _) = stage.with_file(&receiver);
    stage.subscribe(&shim, &[]);
    let (_, recording) = stage.meeting().await;
    let events = tokio::task::spawn_blocking(move || (0..3).map(|_| foreign.event()).collect());
    Some((events.await.unwrap(), recording))
}

#[tokio::test]
async fn a_python_receiver_with_a_strict_parser_reads_them() {
    let Some((events, recording)) = through("python3", "strict.py", "").await else {
        return;
    };
    for event in &events {
        assert_eq!(event.get("error"), None, "{event}");
        assert_eq!(event["authorization"], "Basic QWRhOnBhc3M6d29yZA==");
    }
    let recorded = events
        .iter()
        .find(|event| event.get("type").is_some())
        .unwrap();
    assert_eq!(recorded["uuid"], recording["uuid"]);
}

#[tokio::test]
async fn a_go_receiver_that_refuses_unknown_names_reads_them() {
    let Some((events, _)) = through("go", "strict.go", "").await else {
        return;
    };
    let (decoded, refused): (Vec<_>, Vec<_>) =
        { events.iter() }.partition(|event| event.get("decoded").is_some());
    let mut statuses: Vec<_> = decoded
        .iter()
        .map(|event| event["decoded"]["status"].as_str().unwrap())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["ENDED", "STARTED"], "{refused:?}");
    for event in decoded {
        let read = &event["decoded"];
        assert!(read["id"].as_i64().unwrap() > 0, "{event}");
        assert_ne!((&read["uuid"], &read["host_id"]), (&"".into(), &"".into()));
        assert_eq!(event["content_type"], "application/x-www-form-urlencoded");
    }
    // Recordings are what such a receiver never took.
    assert_eq!(refused.len(), 1);
    assert!(
        refused[0]["body"]
            .as_str()
            .unwrap()
            .starts_with("type=RECORDING")
    );
}

#[tokio::test]
async fn a_node_receiver_reads_forms_and_json() {
    for settings in ["", "body_style = \"json\"\n"] {
        let Some((events, _)) = through("node", "parser.js", settings).await else {
            return;
        };
        let recorded = events
            .iter()
            .find(|event| event.get("type").is_some())
            .unwrap();
        assert!(recorded["file"].as_str().unwrap().contains("access_token="));
        let statuses = events.iter().filter(|event| event.get("status").is_some());
        assert_eq!(statuses.count(), 2);
    }
}

#[tokio::test]
async fn a_php_receiver_reads_them() {
    let Some((events, recording)) = through("php", "form.php", "").await else {
        return;
    };
    let recorded = events
        .iter()
        .find(|event| event.get("content").is_some())
        .unwrap();
    assert_eq!(recorded["content"]["uuid"], recording["uuid"]);
    let mut statuses: Vec<_> = events
        .iter()
        .filter_map(|event| event["post"]["status"].as_str())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["ENDED", "STARTED"]);
}
