//! Client addresses behind proxies, and request loops.

use tokio::net::TcpListener;

use crate::running::{Running, ScriptedV2, Setup, json};

/// Error codes for a wrong secret, before and beyond the login limit.
const WRONG: i64 = 200;
const THROTTLED: i64 = 403;

async fn behind(file: &str) -> Running {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        file: file.to_owned(),
        adjust: |limits| limits.failed_attempts = 3,
        ..Setup::default()
    };
    Running::with(&v2, setup).await
}

/// The error code for a wrong secret with this `X-Forwarded-For`.
async fn fail(shim: &Running, forwarded_for: &str) -> i64 {
    let form = [("api_key", "somebody"), ("api_secret", "wrong")];
    let request = shim.client.post(shim.url("/v1/user/get")).form(&form);
    let request = request.header("x-forwarded-for", forwarded_for);
    let answer = json(request.send().await.unwrap()).await;
    answer["error"]["code"].as_i64().unwrap()
}

#[tokio::test]
async fn ignores_forwarded_for_of_untrusted_peers() {
    for file in ["", "trusted_proxies = [\"192.0.2.1\"]"] {
        let shim = behind(file).await;
        for last in 1..=3 {
            assert_eq!(fail(&shim, &format!("198.51.100.{last}")).await, WRONG);
        }
        assert_eq!(fail(&shim, "198.51.100.4").await, THROTTLED);
    }
}

#[tokio::test]
async fn distinguishes_callers_behind_a_trusted_proxy() {
    let shim = behind("trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]").await;
    for made_up in 1..=3 {
        // The caller forges an entry; the outer proxy appends the real address.
        let forwarded = format!("203.0.113.{made_up}, 198.51.100.1, 10.0.0.7");
        assert_eq!(fail(&shim, &forwarded).await, WRONG);
    }
    assert_eq!(fail(&shim, "198.51.100.1").await, THROTTLED);
    assert_eq!(fail(&shim, "203.0.113.1, 198.51.100.1").await, THROTTLED);
    assert_eq!(fail(&shim, "198.51.100.2").await, WRONG);
}

/// Only the marker header identifies a shim, not the user agent.
#[tokio::test]
async fn serves_a_client_with_a_shim_user_agent() {
    let shim = behind("").await;
    let form = [("api_key", "key"), ("api_secret", "secret")];
    let request = shim.client.post(shim.url("/v1/user/list")).form(&form);
    let request = request.header("user-agent", "shim/2.0 (our old script)");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// With v2's host name in the hosts file, the shim would call itself.
#[tokio::test]
async fn detects_that_v2_is_the_shim_itself() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/v2", listener.local_addr().unwrap());
    let setup = Setup {
        listener: Some(listener),
        ..Setup::default()
    };
    let shim = Running::before_base(&base, setup).await;
    let answer = shim.call("user/get", &[("id", "u1")]).await;
    assert_eq!(answer["error"]["code"], 500, "{answer}");

    // The log of the inner request.
    let request = shim.client.get(shim.url("/v2/users/u1"));
    let told = request.header("x-shim-call", "1").send().await.unwrap();
    assert_eq!(told.status(), 508);
    assert_eq!(told.text().await.unwrap(), "508 This is the shim, not v2\n");
}
