//! Rate limits and outages of v2.

use futures_util::future::join_all;

use crate::running::{Answer, Running, ScriptedV2, Setup};

const LIMIT_ERROR: i64 = 403;

#[tokio::test]
async fn circuit_breaker_opens_while_v2_is_down_and_the_shim_stays_ready() {
    let v2 = ScriptedV2::start(|_| async { Answer::status(502) }).await;
    let shim = &Running::before(&v2).await;
    let ids = ["u1", "u2", "u3", "u4", "u5"];
    let get = |id| async move { shim.call("user/get", &[("id", id)]).await };
    // The breaker needs five failures over at least one second.
    while shim.status().await["v2"]["status"] != "down" {
        join_all(ids.map(get)).await;
    }
    assert_eq!(shim.ops("/readyz").await, (200, "ready\n".to_owned()));
    shim.assert_metrics(&["\nshim_v2_breaker_open 1\n"]).await;

    v2.forget();
    let answers = join_all(ids.iter().cycle().take(20).map(|id| get(id))).await;
    assert!(answers.iter().all(|answer| answer["error"]["code"] == 500));
    // At most an occasional probe.
    let seen = v2.lines();
    assert!(seen.len() < 5, "{seen:?}");
}

#[tokio::test]
async fn counts_requests_and_connections_in_progress() {
    let v2 = ScriptedV2::start(|_| std::future::pending()).await;
    let shim = Running::before(&v2).await;
    let has = async |samples: &[&str]| {
        let (_, metrics) = shim.ops("/metrics").await;
        samples
            .iter()
            .all(|sample| metrics.contains(&format!("\n{sample}\n")))
    };
    assert!(has(&["shim_requests_in_flight 0", "shim_requests_max 256"]).await);
    let get = async |id| shim.call("user/get", &[("id", id)]).await;
    let requests = join_all(["u1", "u2"].map(get));
    let seen =
        async { while !has(&["shim_requests_in_flight 2", "shim_connections_open 2"]).await {} };
    tokio::select! {
        answers = requests => panic!("{answers:?}"),
        () = seen => {}
    }
    // The clients are gone.
    while !has(&["shim_requests_in_flight 0"]).await {}
}

#[tokio::test]
async fn keeps_the_rate_limit_of_the_price_plan() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        environment: vec![("SHIM_UPSTREAM_PLAN", "free".to_owned())],
        adjust: |limits| limits.request = std::time::Duration::from_millis(600),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    // Equal requests would be joined.
    let depts: Vec<_> = (0..20).map(|at| at.to_string()).collect();
    let calls = depts.iter().map(async |dept| {
        shim.call("user/update", &[("id", "u1"), ("dept", dept.as_str())])
            .await
    });
    let answers = join_all(calls).await;
    let served = answers.iter().filter(|answer| answer["error"].is_null());
    let served = served.count();
    assert!((1..20).contains(&served), "{answers:?}");
    let refused = answers
        .iter()
        .filter(|answer| answer["error"]["code"] == LIMIT_ERROR);
    assert_eq!(refused.count(), 20 - served);
    assert_eq!(v2.lines().len(), served, "refused requests are not sent");
    shim.assert_metrics(&["shim_v2_budget_calls{account=\"1\",label=\"medium\"} 1\n"])
        .await;
}

#[tokio::test]
async fn stops_calling_after_a_daily_limit() {
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

#[tokio::test]
async fn create_does_not_start_while_its_settings_call_is_rate_limited() {
    let v2 = ScriptedV2::start(|seen| async move {
        match seen.line().as_str() {
            line if line.starts_with("PATCH") && line.ends_with("/settings") => {
                Answer::new(429, &[("retry-after", "2099-01-01T00:00:00Z")], "{}")
            }
            _ => seen.usual(),
        }
    })
    .await;
    let shim = Running::before(&v2).await;
    for id in ["u1", "u2"] {
        let parameters = [("id", id), ("disable_chat", "true")];
        let update = shim.call("user/update", &parameters).await;
        assert_eq!(update["error"]["code"], LIMIT_ERROR);
    }
    v2.forget();
    let new = [("email", "new@example.com"), ("type", "1")];
    let with_settings = [new.as_slice(), &[("disable_chat", "true")]].concat();
    let create = shim.call("user/custcreate", &with_settings).await;
    assert_eq!(create["error"]["code"], LIMIT_ERROR, "{create}");
    assert_eq!(v2.lines(), [""; 0], "nothing is written");
    let create = shim.call("user/custcreate", &new).await;
    assert!(create["error"].is_null(), "it needs no settings: {create}");
}

#[tokio::test]
async fn daily_limit_of_one_user_does_not_affect_others() {
    let v2 = ScriptedV2::start(|seen| async move {
        if seen.method == "PATCH" && seen.path().contains("/grace") {
            return Answer::new(429, &[("retry-after", "2099-01-01T00:00:00Z")], "{}");
        }
        seen.usual()
    })
    .await;
    let shim = Running::before(&v2).await;
    let update = async |id| {
        let parameters = [("id", id), ("dept", "x")];
        shim.call("user/update", &parameters).await["error"]["code"].clone()
    };
    assert_eq!(update("grace").await, LIMIT_ERROR);
    assert!(update("ada").await.is_null());
    v2.forget();
    assert_eq!(update("grace").await, LIMIT_ERROR);
    assert_eq!(v2.lines(), [""; 0], "not asked again");
}

#[tokio::test]
async fn create_reserves_the_rate_limits_of_all_its_calls() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        environment: vec![("SHIM_UPSTREAM_PLAN", "free".to_owned())],
        adjust: |limits| limits.request = std::time::Duration::from_millis(1200),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    // Equal requests would be joined.
    let emails: Vec<_> = (0..20).map(|at| format!("new{at}@example.com")).collect();
    let calls = emails.iter().map(async |email| {
        let new = [
            ("email", email.as_str()),
            ("type", "1"),
            ("disable_chat", "true"),
        ];
        shim.call("user/custcreate", &new).await
    });
    let answers = join_all(calls).await;
    let served = answers.iter().filter(|answer| answer["error"].is_null());
    let served = served.count();
    assert!((1..20).contains(&served), "{answers:?}");
    for (start, end) in [("POST", "/users"), ("PATCH", "/settings")] {
        let lines = v2.lines();
        let made = lines
            .iter()
            .filter(|line| line.starts_with(start) && line.ends_with(end));
        assert_eq!(made.count(), served, "{lines:?}");
    }
}

#[tokio::test]
async fn huge_retry_after_leaves_the_create_resumable() {
    let v2 = ScriptedV2::start(|seen| async move {
        if seen.line().ends_with("/settings") {
            return Answer::new(429, &[("retry-after", "9999999999999999999")], "{}");
        }
        seen.usual()
    })
    .await;
    let shim = Running::before(&v2).await;
    let new = [
        ("email", "new@example.com"),
        ("type", "1"),
        ("disable_chat", "true"),
    ];
    let create = shim.call("user/custcreate", &new).await;
    assert_eq!(create["error"]["code"], LIMIT_ERROR, "{create}");
    let message = create["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("create"),
        "the error names what was done: {message}"
    );
}
