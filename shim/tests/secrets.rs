//! No secret in any log line, of any crate, at any level, in any encoding.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code outside of test functions"
)]

#[expect(dead_code, reason = "the other test program uses the rest")]
mod running;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use running::{Answer, FORM, Running, ScriptedV2, Setup, read_to_end, soon};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Part of every secret in this test.
const MARK: &str = "hush";
const SECRET: &str = "a-v1-hush-secret";
const PASSWORD: &str = "Pass-hush-word1";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Issues tokens, rejects the first one, and quotes credentials in its answers.
async fn v2() -> ScriptedV2 {
    ScriptedV2::start(|seen| async move {
        if seen.path() == "/oauth/token" {
            let again = seen.uri.contains("again");
            let token = if again {
                "second-hush-token"
            } else {
                "a-hush-token"
            };
            return Answer::json(200, &json!({ "access_token": token, "expires_in": 0 }));
        }
        match seen.path().rsplit('/').next() {
            Some("token") => Answer::json(200, &json!({ "token": "a-hush-zak" })),
            Some("refused") => {
                Answer::json(400, &json!({ "code": 300, "message": seen.authorization }))
            }
            Some("unauthorized") => Answer::json(401, &json!({ "message": seen.authorization })),
            // A host other than v2's.
            Some("recordings") => {
                let file = json!({ "download_url": "http://127.0.0.1:1/rec/hush-file" });
                Answer::json(200, &json!({ "uuid": "m1", "recording_files": [file] }))
            }
            Some("unreadable") => Answer::new(200, &[], seen.authorization),
            _ => seen.usual(),
        }
    })
    .await
}

#[tokio::test]
async fn log_contains_no_secrets() {
    let captured = Captured::default();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(captured.clone())
        .with_ansi(false)
        .init();

    let v2 = v2().await;
    // Quotes requests, and returns names that are secrets.
    let shadow = ScriptedV2::start(|seen| async move {
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        Answer::json(
            200,
            &json!({ "id": body, SECRET: body, "zak": "a-hush-zak" }),
        )
    })
    .await;
    let setup = Setup {
        file: format!(
            "[options]\nrecording_downloads = \"relay\"\n[relay]\nurl = \"http://shim.example.com\"\n\
             [shadow]\nurl = \"{}\"\nforward_credentials = true\n",
            shadow.base()
        ),
        recent: 10,
        environment: vec![
            ("SHIM_API_SECRET", SECRET.to_owned()),
            ("SHIM_OAUTH_URL", v2.oauth()),
            ("SHIM_OAUTH_ACCOUNT_ID", "an-account".to_owned()),
            ("SHIM_OAUTH_CLIENT_ID", "a-client".to_owned()),
            (
                "SHIM_OAUTH_CLIENT_SECRET",
                "a-client-hush-secret".to_owned(),
            ),
        ],
        adjust: |limits| limits.body_bytes = 4000,
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    send_well(&shim).await;
    send_badly(&shim).await;
    follow_link(&shim).await;
    shim.shadowed(30).await;
    shim.differs().await;

    let captured = captured.0.lock().unwrap();
    let log = String::from_utf8_lossy(&captured);
    // All crates and levels are captured.
    for expected in [
        "TRACE",
        "hyper",
        "reqwest",
        "POST /v1/user/get",
        "Unknown parameters",
        "The shadow differs",
        "(a relayed file)",
    ] {
        assert!(log.contains(expected), "{expected} is not in the log");
    }
    // The test's own clients log as well.
    let told: Vec<_> = log.lines().filter(|line| line.contains(MARK)).collect();
    assert_eq!(told, [""; 0]);
    let encoded = ["YS1jbGllbnQ6", "aHVzaC", "h1c2gt", "odXNoL"];
    for part in encoded {
        assert!(!log.contains(part), "{part}: base64 of a credential");
    }
}

/// Parameters of every operation.
fn parameters() -> String {
    let credentials = credentials();
    format!("{credentials}&id=u1&email=a@example.com&type=1&password={PASSWORD}")
}

fn credentials() -> String {
    format!("api_key={}&api_secret={SECRET}", running::KEY)
}

/// Every encoding, for operations of every kind.
async fn send_well(shim: &Running) {
    let (all, credentials) = (parameters(), credentials());
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=api_secret\r\n\r\n{SECRET}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"{SECRET}\"; filename=\"{SECRET}\"\r\n\r\n\
         {SECRET}\r\n--b--"
    );
    let object = json!({
        "api_key": running::KEY, "api_secret": SECRET, "id": "u1", "password": PASSWORD,
    });

    let mut served = 0;
    for operation in [
        "user/get",
        "user/list",
        "user/updatepassword",
        "user/autocreate",
        "user/uploadpicture",
        "meeting/list",
        "no/such",
        SECRET,
    ] {
        for (query, content_type, body) in [
            (all.as_str(), "", String::new()),
            (&all, "application/json", "[]".to_owned()),
            ("", FORM, all.clone()),
            ("", "application/json", object.to_string()),
            (
                "",
                "application/json",
                format!("{{\"api_secret\":\"{SECRET}"),
            ),
            ("", "multipart/form-data; boundary=b", multipart.clone()),
            ("", "multipart/form-data", multipart.clone()),
            ("", SECRET, SECRET.to_owned()),
            ("", FORM, SECRET.to_owned()),
            ("", FORM, format!("{SECRET}=1&{credentials}&id=u1")),
            (
                "",
                FORM,
                format!("api_key={SECRET}&api_secret={SECRET}&id=u1"),
            ),
            ("", FORM, format!("{credentials}&id=refused")),
            ("", FORM, format!("{credentials}&id=unauthorized")),
            ("", FORM, format!("{credentials}&id=unreadable")),
            ("", FORM, format!("{credentials}&id={}", "x".repeat(5000))),
        ] {
            let request = shim
                .client
                .post(shim.url(&format!("/v1/{operation}?{query}")))
                .basic_auth("a-client", Some(SECRET))
                .header("content-type", content_type)
                .header("cookie", SECRET)
                .body(body);
            served += usize::from(request.send().await.is_ok());
        }
    }
    assert_eq!(served, 8 * 15);
}

/// Requests a link to a file of v2.
async fn follow_link(shim: &Running) {
    let form = format!("{}&meeting_id=m1", credentials());
    let request = shim.client.post(shim.url("/v1/recording/get"));
    let answer = request.header("content-type", FORM).body(form).send().await;
    let answer = running::json(answer.unwrap()).await;
    let link = answer.pointer("/recording_files/0/download_url");
    let link = link.and_then(|link| link.as_str());
    let path = link.unwrap().strip_prefix("http://shim.example.com");
    let answer = shim.client.get(shim.url(path.unwrap())).send().await;
    assert_eq!(answer.unwrap().status(), 502);
}

/// Sends invalid HTTP.
async fn send_badly(shim: &Running) {
    let all = parameters();
    for broken in [
        format!("POST /v1/user/get?api_secret={SECRET} HTTP/9\r\n\r\n"),
        format!("POST /v1/user/get HTTP/1.1\r\n{SECRET}\r\n\r\n"),
        format!("{SECRET} /v1/user/get?{SECRET} HTTP/1.1\r\n\r\n"),
        format!("GET /v1/user/get?{all} HTTP/1.1\r\nHost: shim\r\nConnection: close\r\n\r\n"),
        format!("POST /v1/user/get?{all} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{SECRET}"),
    ] {
        let mut connection = shim.raw(broken.as_bytes()).await;
        connection.shutdown().await.unwrap();
        soon(read_to_end(connection)).await;
    }
}
