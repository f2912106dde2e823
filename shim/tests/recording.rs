//! Recordings: content, redaction, and isolation from requests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "test code outside of test functions"
)]

#[expect(dead_code, reason = "the other test programs use the rest")]
mod running;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use mappings::Catalog;
use recording::{Exchange, OutcomeKind, PseudonymKey, REDACTED, V2Exchange, Wrapping};
use running::{Answer, FORM, Running, ScriptedV2, Setup};
use serde_json::json;
use shim::{
    observe::{
        Recent,
        recorder::{Recorder, Sink},
    },
    settings::RecordConfig,
};

const SECRET: &str = "a-v1-hush-secret/+";
const PASSWORD: &str = "Pass hush&word1";

/// Collects lines, once the gate is open.
struct Lines {
    lines: Arc<Mutex<Vec<u8>>>,
    gate: Option<mpsc::Receiver<()>>,
}

impl Sink for Lines {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if let Some(gate) = &self.gate {
            // A dropped gate is open.
            let _ = gate.recv();
        }
        self.lines.lock().unwrap().extend_from_slice(lines);
        Ok(())
    }
}

struct Full;

impl Sink for Full {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

fn config() -> RecordConfig {
    RecordConfig::new(PathBuf::from("unused.jsonl"))
}

fn recorder(config: RecordConfig, sink: impl Sink) -> Arc<Recorder> {
    let catalog = Arc::new(Catalog::embedded().unwrap());
    Arc::new(Recorder::with_sink(config, catalog, sink).unwrap())
}

/// A recorder, and its exchanges once it is stopped.
fn to_memory(config: RecordConfig) -> (Arc<Recorder>, impl Fn() -> Vec<Exchange>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Lines {
        lines: Arc::clone(&lines),
        gate: None,
    };
    let recorder = recorder(config, sink);
    let stopped = Arc::clone(&recorder);
    let read = move || {
        assert!(stopped.stop(Duration::from_secs(20)));
        let text = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| Exchange::read(line).unwrap())
            .collect()
    };
    (recorder, read)
}

/// A v2 that quotes requests, including tokens.
async fn quoting_v2() -> ScriptedV2 {
    ScriptedV2::start(|seen| async move {
        if seen.path() == "/oauth/token" {
            let grant = json!({ "access_token": "a-v2-hush-token", "expires_in": 3600 });
            return Answer::json(200, &grant);
        }
        match seen.path().rsplit('/').next() {
            Some("token") => Answer::json(200, &json!({ "token": "a-hush-zak" })),
            Some("settings" | "users" | "password" | "picture") => {
                let bare = seen.authorization.trim_start_matches("Bearer ");
                let message = format!(
                    "{} {bare} {PASSWORD} {SECRET} https://x.example.com/?{} {}",
                    seen.authorization, seen.uri, seen.uri
                );
                let body = json!({ "code": 300, "message": message, "token": bare });
                if seen.path().ends_with("/picture") {
                    // A truncated answer.
                    let cut = body.to_string().replace(r#""}"#, "");
                    return Answer::new(400, &[("content-type", "application/json")], cut);
                }
                Answer::json(400, &body)
            }
            _ => seen.usual(),
        }
    })
    .await
}

fn oauth(v2: &ScriptedV2) -> Vec<(&'static str, String)> {
    vec![
        ("SHIM_API_SECRET", SECRET.to_owned()),
        ("SHIM_OAUTH_URL", v2.oauth()),
        ("SHIM_OAUTH_ACCOUNT_ID", "an-account".to_owned()),
        ("SHIM_OAUTH_CLIENT_ID", "a-client".to_owned()),
        (
            "SHIM_OAUTH_CLIENT_SECRET",
            "a-client-hush-secret".to_owned(),
        ),
    ]
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn recordings_contain_no_secrets() {
    no_secret_is_recorded(config()).await;
}

#[tokio::test]
async fn recordings_with_pseudonyms_contain_no_secrets() {
    let key = PseudonymKey::new("a key of enough characters").unwrap();
    let exchanges = no_secret_is_recorded(RecordConfig {
        pseudonym_key: Some(key),
        ..config()
    })
    .await;
    for exchange in exchanges {
        let line = exchange.write().unwrap();
        assert!(!line.contains("a@example.com"), "{line}");
    }
}

/// Records requests with secrets in every place; asserts that none is recorded.
async fn no_secret_is_recorded(config: RecordConfig) -> Vec<Exchange> {
    let v2 = quoting_v2().await;
    let (recorder, read) = to_memory(config);
    let setup = Setup {
        environment: oauth(&v2),
        recorder: Some(recorder),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let credentials = format!("api_key={}&api_secret={}", running::KEY, encoded(SECRET));
    let quoted = encoded(&format!("{SECRET} and {PASSWORD}"));
    let all = format!(
        "{credentials}&id=u1&email=a%40example.com&type=1&password={}&dept={quoted}&{quoted}=1\
         &access_token=a-stray-hush-token",
        encoded(PASSWORD)
    );
    let object = json!({
        "api_key": running::KEY, "api_secret": SECRET, "id": "u1", "email": "a@example.com",
        "type": 1, "password": PASSWORD, "dept": format!("{SECRET} and {PASSWORD}"),
        SECRET: PASSWORD, "stray": "hush",
    });
    let mut multipart = String::new();
    for (name, value) in object.as_object().unwrap() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        multipart.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    multipart += "--b\r\nContent-Disposition: form-data; name=\"pic_file\"; filename=\"hush.png\"\
                  \r\n\r\nhush\r\n--b--";
    let operations = [
        "user/get",
        "user/autocreate",
        "user/update",
        "user/updatepassword",
        "user/uploadpicture",
    ];
    for operation in operations {
        for (query, content_type, body) in [
            (all.as_str(), "", String::new()),
            ("", FORM, all.clone()),
            ("", "application/json", object.to_string()),
            ("", "multipart/form-data; boundary=b", multipart.clone()),
        ] {
            let url = shim.url(&format!("/v1/{operation}?{query}"));
            let request = shim
                .client
                .post(url)
                .header("authorization", SECRET)
                .header("cookie", SECRET)
                .header("content-type", content_type)
                .body(body);
            assert_eq!(request.send().await.unwrap().status(), 200);
        }
    }

    let exchanges = read();
    assert_eq!(exchanges.len(), operations.len() * 4);
    for exchange in &exchanges {
        let line = exchange.write().unwrap();
        assert!(!line.contains("hush"), "{line}");
        assert!(
            !line.contains(&encoded(PASSWORD)) && !line.contains("aHVzaC"),
            "{line}"
        );
    }
    let wrappings: Vec<_> = exchanges
        .iter()
        .take(4)
        .map(|one| one.v1.wrapping)
        .collect();
    let expected = [
        Wrapping::Query,
        Wrapping::Form,
        Wrapping::Json,
        Wrapping::Multipart,
    ];
    assert_eq!(wrappings, expected);
    let create = exchanges
        .iter()
        .find(|one| one.v1.operation == "user/autocreate")
        .unwrap();
    assert_eq!(create.v1.parameters.get("password"), Some(&json!(REDACTED)));
    assert_eq!(create.v1.parameters.get("type"), Some(&json!("1")));
    let cut = exchanges.iter().flat_map(|one| &one.v2);
    let cut: Vec<_> = cut.filter(|call| call.path.ends_with("/picture")).collect();
    assert!(!cut.is_empty());
    let is_cut =
        |call: &&V2Exchange| call.outcome == OutcomeKind::Unreadable && call.answer.is_none();
    assert!(cut.iter().all(is_cut), "{cut:?}");
    exchanges
}

#[tokio::test]
async fn exchanges_are_complete() {
    let v2 = ScriptedV2::with_users().await;
    let (recorder, read) = to_memory(config());
    let setup = Setup {
        recorder: Some(recorder),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let answer = shim.call("user/get", &[("id", "u1")]).await;
    shim.call("user/get", &[]).await;
    // Rejected requests are not recorded.
    let wrong = shim
        .client
        .post(shim.url("/v1/user/get?api_key=x&api_secret=y&id=u1"));
    wrong.send().await.unwrap();

    let exchanges = read();
    assert_eq!(exchanges.len(), 2);
    let first = &exchanges[0];
    assert_eq!(first.v1.operation, "user/get");
    assert_eq!(first.v1.parameters["id"], "u1");
    let members = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(members(&first.v1.answer), members(&answer));
    let calls: Vec<_> = first.v2.iter().map(|call| call.path.as_str()).collect();
    assert!(
        calls.contains(&"/users/u1") && calls.contains(&"/users/u1/settings"),
        "{calls:?}"
    );
    assert!(first.micros > 0 && first.v2.iter().all(|call| call.status.is_some()));
    assert_eq!(exchanges[1].v1.answer["error"]["code"], 300);
    assert!(exchanges[1].v2.is_empty() && exchanges[0].id != exchanges[1].id);
}

#[tokio::test]
async fn pseudonymizes_people_with_a_key() {
    let v2 = ScriptedV2::with_users().await;
    let (recorder, read) = to_memory(RecordConfig {
        pseudonym_key: Some(PseudonymKey::new("a key of enough characters").unwrap()),
        ..config()
    });
    let setup = Setup {
        recorder: Some(recorder),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let parameters = [("email", "ada.lovelace@example.com"), ("login_type", "100")];
    shim.call("user/getbyemail", &parameters).await;
    let line = read()[0].write().unwrap();
    assert!(
        line.contains("@pseudonym.invalid") && !line.contains("lovelace"),
        "{line}"
    );
}

#[tokio::test]
async fn full_disk_does_not_fail_responses() {
    let v2 = ScriptedV2::with_users().await;
    let recorder = recorder(config(), Full);
    let setup = Setup {
        recorder: Some(Arc::clone(&recorder)),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    for _ in 0..3 {
        assert!(
            shim.call("user/get", &[("id", "u1")])
                .await
                .get("id")
                .is_some()
        );
    }
    assert!(recorder.stop(Duration::from_secs(20)));
    assert_eq!((recorder.written(), recorder.dropped()), (0, 3));
    shim.assert_metrics(&["shim_recorded_exchanges_total{outcome=\"dropped\"} 3"])
        .await;
}

#[tokio::test]
async fn slow_disk_does_not_delay_responses() {
    let v2 = ScriptedV2::with_users().await;
    let (open, gate) = mpsc::channel();
    let lines = Arc::default();
    let recorder = recorder(
        RecordConfig {
            queue: 2,
            max_bytes: 1, // so that each is written by itself
            ..config()
        },
        Lines {
            lines,
            gate: Some(gate),
        },
    );
    let setup = Setup {
        recorder: Some(Arc::clone(&recorder)),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    for _ in 0..10 {
        assert!(
            shim.call("user/get", &[("id", "u1")])
                .await
                .get("id")
                .is_some()
        );
    }
    // The writer holds at most one, and two wait.
    assert!(recorder.dropped() >= 7, "{}", recorder.dropped());
    assert!(!recorder.stop(Duration::ZERO), "it is still held up");
    drop(open);
}

#[tokio::test]
async fn writes_queued_exchanges_before_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.jsonl");
    let catalog = Arc::new(Catalog::embedded().unwrap());
    let recorder = Recorder::start(RecordConfig::new(file.clone()), catalog, None).unwrap();
    let recorder = Arc::new(recorder);
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        recorder: Some(Arc::clone(&recorder)),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    for _ in 0..20 {
        shim.call("user/get", &[("id", "u1")]).await;
    }
    assert!(recorder.stop(Duration::from_secs(20)));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 20);
}

#[tokio::test]
async fn pages_show_recorded_exchanges() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.jsonl");
    let catalog = Arc::new(Catalog::embedded().unwrap());
    let (recent, memory) = Recent::with_sink(3);
    let config = RecordConfig {
        queue: 4,
        ..RecordConfig::new(file.clone())
    };
    let recorder = Recorder::start(config, catalog, Some(Box::new(memory))).unwrap();
    let recorder = Arc::new(recorder);
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        recorder: Some(Arc::clone(&recorder)),
        fed: Some(recent),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let (_, page) = shim.ops("/ui/exchanges").await;
    assert!(
        page.contains("The content of the last 3 exchanges is kept"),
        "{page}"
    );
    for id in ["u1", "u2", "u1", "u1"] {
        shim.call("user/get", &[("id", id)]).await;
    }
    assert!(recorder.stop(Duration::from_secs(20)));
    let text = fs::read_to_string(&file).unwrap();
    let exchanges: Vec<_> = text
        .lines()
        .map(|line| Exchange::read(line).unwrap())
        .collect();
    assert_eq!(exchanges.len(), 4);

    let (_, page) = shim.ops("/ui/exchanges").await;
    assert!(page.contains("4 of the last 4 requests"), "{page}");
    for (at, exchange) in exchanges.iter().enumerate() {
        let path = format!("/ui/exchanges/{}", exchange.id);
        assert_eq!(page.contains(&format!("\"{path}\"")), at > 0, "{page}");
        let (status, page) = shim.ops(&path).await;
        assert_eq!(status, if at > 0 { 200 } else { 404 }, "{page}");
    }
}

#[test]
fn rejects_an_unwritable_file_at_the_start() {
    let catalog = Arc::new(Catalog::embedded().unwrap());
    let nowhere = Path::new("/no/such/folder/r.jsonl").to_owned();
    Recorder::start(RecordConfig::new(nowhere), catalog, None)
        .expect_err("there is no such folder");
}
