//! What v2 cannot take: its limits, and being down.

use futures_util::future::join_all;

use crate::running::{Answer, Running, ScriptedV2, Setup};

const LIMIT_ERROR: i64 = 403;

#[tokio::test]
async fn while_v2_is_down_it_is_left_alone() {
    let v2 = ScriptedV2::start(|_| async { Answer::status(502) }).await;
    let shim = Running::before(&v2).await;
    let get = || shim.call("user/get", &[("id", "u1")]);
    // A moment is no outage: it takes a second of it.
    while shim.ops("/readyz").await.0 != 503 {
        join_all((0..5).map(|_| get())).await;
    }
    let (_, metrics) = shim.ops("/metrics").await;
    assert!(metrics.contains("\nshim_v2_breaker_open 1\n"), "{metrics}");

    v2.forget();
    let answers = join_all((0..20).map(|_| get())).await;
    assert!(answers.iter().all(|answer| answer["error"]["code"] == 500));
    // No more than a probe now and then.
    let seen = v2.lines();
    assert!(seen.len() < 5, "{seen:?}");
}

#[tokio::test]
async fn the_budget_of_the_plan_is_kept() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        environment: vec![("SHIM_UPSTREAM_PLAN", "free".to_owned())],
        adjust: |limits| limits.request = std::time::Duration::from_millis(600),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let calls = (0..20).map(|_| shim.call("user/update", &[("id", "u1"), ("dept", "x")]));
    let answers = join_all(calls).await;
    let served = answers.iter().filter(|answer| answer["error"].is_null());
    let served = served.count();
    assert!((1..20).contains(&served), "{answers:?}");
    let refused = answers
        .iter()
        .filter(|answer| answer["error"]["code"] == LIMIT_ERROR);
    assert_eq!(refused.count(), 20 - served);
    assert_eq!(v2.lines().len(), served, "who is refused is not sent");
    let (_, metrics) = shim.ops("/metrics").await;
    assert!(
        metrics.contains("shim_v2_budget_calls{account=\"1\",label=\"medium\"} 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_daily_limit_is_not_asked_again_and_again() {
    let v2 = ScriptedV2::start(|seen| async move {
        if seen.method == "PATCH" {
            return seen.usual();
        }
        Answer::new(429, &[("retry-after", "2099-01-01T00:00:00Z")], "{}")
    })
    .await;
    let shim = Running::before(&v2).await;
    for expected in [1, 0, 0] {
        v2.forget();
        let answer = shim.call("user/get", &[("id", "u1")]).await;
        assert_eq!(answer["error"]["code"], LIMIT_ERROR, "{answer}");
        let lines = v2.lines();
        let asked = lines.iter().filter(|line| line.contains("/v2/users/u1"));
        let decisive = asked.filter(|line| !line.contains("u1/"));
        assert_eq!(decisive.count(), expected, "{lines:?}");
    }
    let update = shim.call("user/update", &[("id", "u1"), ("dept", "x")]);
    assert!(update.await["error"].is_null(), "other endpoints go on");
}
