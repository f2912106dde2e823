//! Reload of tenants and mappings.

use std::sync::Arc;

use serde_json::Value;
use shim::ReloadError;
use tokio::sync::Notify;

use crate::running::{FORM, Running, ScriptedV2, Setup, json, soon};

fn tenants(keys: &[&str]) -> Setup {
    let tenant = |key: &&str| {
        format!("[[tenant]]\napi_key = \"{key}\"\napi_secret = \"s\"\ntoken = \"of-{key}\"\n")
    };
    Setup {
        file: keys.iter().map(tenant).collect(),
        single: false,
        ..Setup::default()
    }
}

async fn call(shim: &Running, key: &str) -> Value {
    let body = format!("api_key={key}&api_secret=s&id=u1&dept=x");
    let request = shim.client.post(shim.url("/v1/user/update"));
    let request = request.header("content-type", FORM).body(body);
    json(request.send().await.unwrap()).await
}

#[tokio::test]
async fn request_in_progress_keeps_its_settings() {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_asked, on_answer) = (Arc::clone(&asked), Arc::clone(&answer));
    let v2 = ScriptedV2::start(move |seen| {
        let (asked, answer) = (Arc::clone(&on_asked), Arc::clone(&on_answer));
        async move {
            if seen.authorization == "Bearer of-old" {
                asked.notify_one();
                answer.notified().await;
            }
            seen.usual()
        }
    })
    .await;
    let shim = Running::with(&v2, tenants(&["old", "both"])).await;
    let (old, ()) = tokio::join!(call(&shim, "old"), async {
        soon(asked.notified()).await;
        shim.reload(&v2.base(), &tenants(&["both", "new"])).unwrap();
        assert_eq!(call(&shim, "old").await["error"]["code"], 200);
        for key in ["both", "new"] {
            assert!(call(&shim, key).await["error"].is_null(), "{key}");
        }
        answer.notify_one();
    });
    assert!(old["error"].is_null(), "{old}");
}

#[tokio::test]
async fn rejects_another_upstream_url() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with(&v2, tenants(&["old"])).await;
    let elsewhere = shim.reload("http://127.0.0.1:1/v2", &tenants(&["new"]));
    assert_eq!(elsewhere, Err(ReloadError::OtherUpstream));
    assert!(call(&shim, "old").await["error"].is_null());
    assert_eq!(call(&shim, "new").await["error"]["code"], 200);
}

#[tokio::test]
async fn tenant_moved_to_another_account_shares_no_state() {
    let v2 = ScriptedV2::start(|seen| async move {
        match seen.path() {
            "/v2/users" => crate::running::Answer::json(
                200,
                &serde_json::json!({
                    "page_size": 30, "total_records": 1, "next_page_token": "",
                    "users": [{ "id": "u1", "email": "a@example.com", "type": 1 }],
                }),
            ),
            _ => seen.usual(),
        }
    })
    .await;
    let shim = Running::with(&v2, Setup::default()).await;
    let settings = || {
        let lines = v2.lines();
        lines
            .iter()
            .filter(|line| line.ends_with("u1/settings"))
            .count()
    };
    for _ in 0..2 {
        shim.call("user/list", &[]).await;
        assert_eq!(settings(), 1, "remembered");
    }
    let other = Setup {
        environment: vec![("SHIM_UPSTREAM_TOKEN", "of-another-account".to_owned())],
        ..Setup::default()
    };
    shim.reload(&v2.base(), &other).unwrap();
    shim.call("user/list", &[]).await;
    assert_eq!(settings(), 2);
}
