//! Responses to v1 clients while v2 fails, one row per fault.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use serde_json::Value;
use shim::settings::Limits;
use shim_sandbox::{Faults, Sandbox, SandboxConfig};
use tokio::net::TcpListener;

use crate::running::{Running, Setup};

const ADA: &str = "ada.lovelace@example.com";

type Call<'a> = (&'a str, &'a [(&'a str, &'a str)]);

const LIST: Call<'_> = ("user/list", &[]);
const UPDATE: Call<'_> = ("user/update", &[("id", ADA), ("dept", "Engines")]);
const CREATE: Call<'_> = (
    "user/custcreate",
    &[
        ("email", "a.new.user@example.com"),
        ("type", "1"),
        ("disable_chat", "true"),
    ],
);

/// A shim in front of a sandbox with faults.
struct Faulty {
    shim: Running,
    /// Requests that reached the sandbox behind its faults.
    done: Arc<Mutex<Vec<String>>>,
}

impl Faulty {
    async fn start(spec: &str, adjust: fn(&mut Limits)) -> Self {
        let done = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&done);
        let note = from_fn(move |request: Request, next: Next| {
            let log = Arc::clone(&log);
            async move {
                let line = format!("{} {}", request.method(), request.uri().path());
                let answer = next.run(request).await;
                if !line.contains("/oauth/") {
                    let line = format!("{line} {}", answer.status().as_u16());
                    log.lock().unwrap().push(line);
                }
                answer
            }
        });
        let router = Sandbox::new(SandboxConfig::default()).router().layer(note);
        let faults = Faults::read(spec).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            shim_sandbox::serve_faulty(listener, router, &faults, std::future::pending()).await
        });
        let text = str::to_owned;
        let setup = Setup {
            file: "[list]\ndetail = \"profile\"".to_owned(),
            environment: vec![
                ("SHIM_OAUTH_URL", Sandbox::token_url(address)),
                ("SHIM_OAUTH_ACCOUNT_ID", text(shim_sandbox::ACCOUNT_ID)),
                ("SHIM_OAUTH_CLIENT_ID", text(shim_sandbox::CLIENT_ID)),
                (
                    "SHIM_OAUTH_CLIENT_SECRET",
                    text(shim_sandbox::CLIENT_SECRET),
                ),
            ],
            adjust,
            ..Setup::default()
        };
        let shim = Running::before_base(&Sandbox::v2_base(address), setup).await;
        Self { shim, done }
    }

    /// The client's response, and the requests that reached v2.
    async fn call(&self, (operation, parameters): Call<'_>) -> String {
        self.done.lock().unwrap().clear();
        let answer = self.shim.call(operation, parameters).await;
        // Parallel calls end in any order.
        let mut done = self.done.lock().unwrap().clone();
        done.sort_unstable();
        let done = done.join(", ");
        format!("{operation}: {}\n    v2 did: {done}", outcome(&answer))
    }
}

fn outcome(answer: &Value) -> String {
    let error = &answer["error"];
    match error["code"].as_i64() {
        Some(code) => format!("{code} {}", error["message"].as_str().unwrap()),
        None => "served".to_owned(),
    }
}

/// Makes calls in order against a sandbox with one fault.
async fn row(spec: &str, adjust: fn(&mut Limits), calls: &[Call<'_>]) -> String {
    let faulty = Faulty::start(spec, adjust).await;
    let mut lines = vec![spec.to_owned()];
    for call in calls {
        lines.push(format!("  {}", faulty.call(*call).await));
    }
    lines.join("\n")
}

#[tokio::test]
async fn reads_are_retried_once_then_fail() {
    let rows = [
        row("path=/users,status=503,times=1", |_| {}, &[LIST]).await,
        row("path=/users,status=503", |_| {}, &[LIST]).await,
        row("path=/users,status=500", |_| {}, &[LIST]).await,
        row("path=/users,answer=drop,times=1", |_| {}, &[LIST]).await,
        row("path=/users,answer=drop,when=after", |_| {}, &[LIST]).await,
        row("path=/users,answer=truncate", |_| {}, &[LIST]).await,
        row("path=/users,answer=html", |_| {}, &[LIST]).await,
        row("path=/users,answer=expired-token,times=1", |_| {}, &[LIST]).await,
        row("path=/users,answer=expired-token", |_| {}, &[LIST]).await,
        row(
            "path=/users,status=429,retry_after=0,times=3",
            |_| {},
            &[LIST],
        )
        .await,
        row(
            "path=/users,status=429,retry_after=3600",
            |_| {},
            &[LIST, LIST],
        )
        .await,
        row("path=/oauth/token,status=503", |_| {}, &[LIST]).await,
        row(
            "path=/users,delay_ms=60000",
            |limits| limits.request = Duration::from_millis(300),
            &[LIST],
        )
        .await,
    ];
    insta::assert_snapshot!(rows.join("\n"));
}

#[tokio::test]
async fn writes_happen_at_most_once_with_an_error() {
    let rows = [
        row("method=PATCH,status=503,times=1", |_| {}, &[UPDATE, UPDATE]).await,
        row("method=PATCH,status=502,when=after", |_| {}, &[UPDATE]).await,
        row("method=PATCH,answer=drop", |_| {}, &[UPDATE]).await,
        row("method=PATCH,answer=drop,when=after", |_| {}, &[UPDATE]).await,
        row("method=PATCH,answer=html,when=after", |_| {}, &[UPDATE]).await,
        row(
            "method=PATCH,answer=expired-token,times=1",
            |_| {},
            &[UPDATE],
        )
        .await,
        row(
            "method=PATCH,status=429,retry_after=0,times=3",
            |_| {},
            &[UPDATE],
        )
        .await,
        row(
            "method=PATCH,status=429,retry_after=3600",
            |_| {},
            &[UPDATE],
        )
        .await,
        row("path=/oauth/token,answer=drop", |_| {}, &[UPDATE]).await,
    ];
    insta::assert_snapshot!(rows.join("\n"));
}

/// A create consists of two calls. If the second fails, repeating the request completes it; if the
/// reply to the first was lost, it does not, because the address may belong to another user.
#[tokio::test]
async fn repeated_create_resumes_after_the_last_completed_call() {
    let again = [CREATE, CREATE, CREATE];
    let rows = [
        row("path=/users/*/settings,status=503,times=1", |_| {}, &again).await,
        row(
            "path=/users/*/settings,answer=drop,when=after,times=1",
            |_| {},
            &again,
        )
        .await,
        row("method=POST,path=/users,status=503,times=1", |_| {}, &again).await,
        row(
            "method=POST,path=/users,answer=drop,when=after,times=1",
            |_| {},
            &again,
        )
        .await,
        row(
            "method=POST,path=/users,answer=truncate,times=1",
            |_| {},
            &again,
        )
        .await,
    ];
    insta::assert_snapshot!(rows.join("\n"));
}

#[tokio::test]
async fn every_failure_of_a_share_is_reported() {
    let faulty = Faulty::start("path=/users,status=503,share=0.3", |_| {}).await;
    let mut failed = 0;
    for _ in 0..40 {
        let answer = faulty.shim.call("user/list", &[]).await;
        if let Some(users) = answer["users"].as_array() {
            assert_eq!(users.len(), 30);
        } else {
            assert_eq!(answer["error"]["code"], 500, "{answer}");
            failed += 1;
        }
    }
    // Retries save most requests.
    assert!((1..12).contains(&failed), "{failed} of 40");
}
