//! Responses while v2, or the way to it, fails.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use serde_json::json;

use crate::running::{Answer, Running, ScriptedV2, Setup, json, show};

async fn answer(v2: &ScriptedV2, operation: &str) -> String {
    let shim = Running::before(v2).await;
    let request = shim.form(operation, &[("id", "u1"), ("dept", "x")]);
    show(request.send().await.unwrap()).await
}

async fn always(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> ScriptedV2 {
    ScriptedV2::start(move |_| async move { Answer::new(status, headers, body) }).await
}

#[tokio::test]
async fn maps_v2_errors_without_quoting_them() {
    let no = r#"{"code":1001,"message":"User does not exist: u1."}"#;
    let expired = r#"{"code":124,"message":"Invalid access token."}"#;
    let huge = ScriptedV2::start(|_| async {
        Answer::new(200, &[], format!("\"{}\"", "x".repeat(9 << 20)))
    });
    let down = always(500, &[], "{}").await;
    let answers = [
        answer(&always(404, &[], no).await, "user/get").await,
        answer(&always(400, &[], no).await, "user/get").await,
        answer(&always(200, &[], "<html>Sign in").await, "user/get").await,
        answer(
            &always(302, &[("location", "https://example.com/")], "").await,
            "user/update",
        )
        .await,
        answer(&huge.await, "user/get").await,
        answer(&down, "user/get").await,
        answer(&down, "user/update").await,
        answer(&always(401, &[], expired).await, "user/get").await,
        answer(
            &always(429, &[("retry-after", "3600")], "{}").await,
            "user/get",
        )
        .await,
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

#[tokio::test]
async fn reports_an_unreachable_v2() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let base = format!("http://{}/v2", listener.local_addr().unwrap());
    drop(listener);
    let shim = Running::before_base(&base, Setup::default()).await;
    let mut answers = Vec::new();
    for operation in ["user/get", "user/update"] {
        let request = shim.form(operation, &[("id", "u1"), ("dept", "x")]);
        answers.push(show(request.send().await.unwrap()).await);
    }
    insta::assert_snapshot!(answers.join("\n"));
}

#[tokio::test]
async fn reports_a_timeout_of_v2() {
    let silent = ScriptedV2::start(|_| std::future::pending()).await;
    let setup = Setup {
        adjust: |limits| limits.request = std::time::Duration::from_millis(200),
        ..Setup::default()
    };
    let shim = Running::with(&silent, setup).await;
    for operation in ["user/get", "user/update"] {
        let answer = shim.call(operation, &[("id", "u1"), ("dept", "x")]).await;
        assert_eq!(answer["error"]["code"], 500, "{answer}");
    }
}

#[tokio::test]
async fn waits_for_a_short_rate_limit() {
    let count = Arc::new(AtomicUsize::new(0));
    let v2 = ScriptedV2::start(move |seen| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                0..3 => Answer::new(429, &[("retry-after", "0")], ""),
                _ => seen.usual(),
            }
        }
    })
    .await;
    let shim = Running::before(&v2).await;
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await["id"], "u1");
}

#[tokio::test]
async fn status_of_upstream_errors_is_configurable() {
    let setup = || Setup {
        file: "[errors]\nupstream_status = 503".to_owned(),
        ..Setup::default()
    };
    let v2 = ScriptedV2::start(|seen| async move {
        match seen.path() {
            "/v2/users/nobody" => Answer::json(404, &json!({ "code": 1001, "message": "no" })),
            _ => Answer::new(500, &[], ""),
        }
    })
    .await;
    let shim = Running::with(&v2, setup()).await;
    for (id, status) in [("u1", 503), ("nobody", 200)] {
        let response = shim.form("user/get", &[("id", id)]).send().await.unwrap();
        assert_eq!(response.status(), status, "{id}");
        assert!(json(response).await["error"]["code"].is_i64());
    }
}

/// A v2 whose token endpoint numbers its tokens and whose API accepts only one of them.
async fn with_oauth(wanted: usize) -> (ScriptedV2, Running) {
    let grants = AtomicUsize::new(0);
    let v2 = ScriptedV2::start(move |seen| {
        let answer = match (seen.path(), seen.authorization.as_str()) {
            ("/oauth/token", _) => {
                let number = grants.fetch_add(1, Ordering::SeqCst);
                let token = format!("granted-{number}");
                Answer::json(200, &json!({ "access_token": token, "expires_in": 3599 }))
            }
            (_, bearer) if bearer == format!("Bearer granted-{wanted}") => seen.usual(),
            _ => Answer::json(
                401,
                &json!({ "code": 124, "message": "Invalid access token." }),
            ),
        };
        async { answer }
    })
    .await;
    let setup = Setup {
        environment: vec![
            ("SHIM_OAUTH_URL", v2.oauth()),
            ("SHIM_OAUTH_ACCOUNT_ID", "an-account".to_owned()),
            ("SHIM_OAUTH_CLIENT_ID", "a-client".to_owned()),
            ("SHIM_OAUTH_CLIENT_SECRET", "a-client-secret".to_owned()),
        ],
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    (v2, shim)
}

fn token_requests(v2: &ScriptedV2) -> usize {
    let lines = v2.lines();
    lines
        .iter()
        .filter(|line| line.contains("/oauth/token?"))
        .count()
}

#[tokio::test]
async fn concurrent_requests_share_one_token_request() {
    let (v2, shim) = with_oauth(0).await;
    let calls = (0..30).map(|_| shim.call("user/get", &[("id", "u1")]));
    for answer in join_all(calls).await {
        assert_eq!(answer["id"], "u1", "{answer}");
    }
    assert_eq!(token_requests(&v2), 1);
    // Errors name the account id of the credentials.
    let deleted = shim.call("user/delete", &[("id", "u1")]).await;
    assert_eq!(deleted["account_id"], "an-account", "{deleted}");
}

#[tokio::test]
async fn revoked_token_is_renewed_once() {
    let (v2, shim) = with_oauth(1).await;
    let calls = (0..30).map(|_| shim.call("user/get", &[("id", "u1")]));
    for answer in join_all(calls).await {
        assert_eq!(answer["id"], "u1", "{answer}");
    }
    assert_eq!(token_requests(&v2), 2);
}
