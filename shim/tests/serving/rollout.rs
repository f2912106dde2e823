//! Rollouts to a second v1.

mod other_mappings;
mod writes;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use crate::running::{Answer, Running, ScriptedV2, Setup, listener};

const CALLERS: usize = 1000;

/// A second v1 with the users of [`ScriptedV2::with_users`], as a shim before it would answer;
/// `answers` may override.
async fn second_v1(answers: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> SecondV1 {
    let (_v2, shim) = Running::with_users().await;
    let user = shim.call("user/get", &[("id", "u1")]).await;
    let answers = Arc::new(answers);
    let v1 = ScriptedV2::start(move |seen| {
        let user = user.clone();
        let answers = Arc::clone(&answers);
        async move {
            let operation = seen.path().trim_start_matches("/v2/").to_owned();
            answers(&operation).unwrap_or_else(|| Answer::json(200, &user))
        }
    })
    .await;
    SecondV1(v1)
}

struct SecondV1(ScriptedV2);

impl SecondV1 {
    /// Operations that it received.
    fn operations(&self) -> Vec<String> {
        let lines = self.0.lines();
        let operation = |line: &String| line.trim_start_matches("POST /v2/").to_owned();
        lines.iter().map(operation).collect()
    }
}

fn settings(url: &str, more: &str) -> Setup {
    Setup {
        file: format!(
            "trusted_proxies = [\"127.0.0.1\"]\n\
             [[rollout]]\nname = \"next\"\nurl = \"{url}\"\nforward_credentials = true\n\
             by = \"address\"\n{more}\n"
        ),
        ..Setup::default()
    }
}

fn address(caller: usize) -> String {
    format!("10.0.{}.{}", caller / 250, caller % 250)
}

/// The answer to a caller, whether the other side gave it, and the verdict.
async fn ask(shim: &Running, caller: usize, operation: &str) -> (Value, bool, Option<String>) {
    let request = shim.form(operation, &[("id", "u1"), ("dept", "x")]);
    let request = request.header("x-forwarded-for", address(caller));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let is_moved = header("x-shim-rollout");
    assert!(is_moved.as_deref().is_none_or(|name| name == "next"));
    let verdict = header("x-shim-compared");
    (response.json().await.unwrap(), is_moved.is_some(), verdict)
}

/// Callers that are served by the other side.
async fn moved(shim: &Running) -> BTreeSet<usize> {
    let asked = stream::iter(0..CALLERS).map(async |caller| {
        let (answer, is_moved, _) = ask(shim, caller, "user/get").await;
        assert_eq!(answer["email"], "ada@example.com");
        is_moved.then_some(caller)
    });
    let moved: Vec<_> = asked.buffer_unordered(16).collect().await;
    moved.into_iter().flatten().collect()
}

async fn step(shim: &Running, percent: u8) -> Value {
    let request = shim.client.post(shim.ops_url("/rollouts"));
    let request = request.json(&json!({ "name": "next", "percent": percent }));
    // An idle connection may be closed just before the next request.
    let request = request.header("connection", "close");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn figures(shim: &Running) -> Value {
    let (status, text) = shim.ops("/rollouts").await;
    assert_eq!(status, 200);
    let figures: Value = serde_json::from_str(&text).unwrap();
    figures[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_move_callers_monotonically() {
    let v2 = ScriptedV2::with_users().await;
    let other = second_v1(|_| None).await;
    let setup = || settings(&other.0.base(), "percent = 1\ncompare_percent = 0");
    let shim = Running::with(&v2, setup()).await;
    let mut before = BTreeSet::new();
    for percent in [1, 5, 25, 100] {
        step(&shim, percent).await;
        let here = moved(&shim).await;
        if percent == 5 {
            assert_eq!(here, moved(&shim).await, "each stays on its side");
        }
        assert!(before.is_subset(&here), "moved callers stay moved");
        let wanted = usize::from(percent) * CALLERS / 100;
        assert!(
            here.len().abs_diff(wanted) <= CALLERS / 100,
            "{percent}: {}",
            here.len()
        );
        let share = figures(&shim).await["share"].as_f64().unwrap();
        assert!(
            (share * 100.0 - f64::from(percent)).abs() <= 1.0,
            "{percent}: {share}"
        );
        before = here;
    }
    step(&shim, 25).await;
    let here = moved(&shim).await;
    // A replica, or the same shim after a restart.
    let replica = Running::with(&v2, setup()).await;
    step(&replica, 25).await;
    assert_eq!(moved(&replica).await, here);
}

#[tokio::test]
async fn rollback_applies_to_the_next_request() {
    let v2 = ScriptedV2::with_users().await;
    let other = second_v1(|_| None).await;
    let setup = |percent| settings(&other.0.base(), &format!("percent = {percent}"));
    let shim = Running::with(&v2, setup(100)).await;
    assert!(ask(&shim, 1, "user/get").await.1);
    step(&shim, 0).await;
    assert!(!ask(&shim, 1, "user/get").await.1, "by hand");
    // Reloading the same settings keeps the operator's step.
    shim.reload(&v2.base(), &setup(100)).unwrap();
    assert!(!ask(&shim, 1, "user/get").await.1);
    step(&shim, 100).await;
    assert!(ask(&shim, 1, "user/get").await.1);
    shim.reload(&v2.base(), &setup(0)).unwrap();
    assert!(!ask(&shim, 1, "user/get").await.1, "by SIGHUP");
    shim.reload(&v2.base(), &setup(100)).unwrap();
    assert!(ask(&shim, 1, "user/get").await.1);
    shim.reload(&v2.base(), &Setup::default()).unwrap();
    assert!(!ask(&shim, 1, "user/get").await.1, "without the section");
}

#[tokio::test]
async fn leaves_a_side_that_exceeds_the_allowed_differences() {
    let v2 = ScriptedV2::with_users().await;
    let differs = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&differs);
    let other = second_v1(move |_| {
        let differs = flag.load(Ordering::SeqCst);
        differs.then(|| Answer::json(200, &json!({ "id": "u1", "email": "other@example.com" })))
    })
    .await;
    let more = "percent = 100\nwindow = 50\nmax_unexpected = 2";
    let shim = Running::with(&v2, settings(&other.0.base(), more)).await;
    for caller in 0..20 {
        let (_, is_moved, verdict) = ask(&shim, caller, "user/get").await;
        assert!(is_moved);
        assert_eq!(verdict.as_deref(), Some("same"));
    }
    differs.store(true, Ordering::SeqCst);
    let mut answers = 0;
    for caller in 0..20 {
        let (answer, is_moved, verdict) = ask(&shim, caller, "user/get").await;
        if is_moved {
            answers += 1;
            let verdict = verdict.unwrap();
            assert!(verdict.starts_with("unexpected; fields="), "{verdict}");
            assert!(verdict.contains("email"), "{verdict}");
        } else {
            assert_eq!(answer["email"], "ada@example.com");
        }
    }
    assert_eq!(answers, 3, "two are allowed");
    let figures = figures(&shim).await;
    assert_eq!(figures["percent"], 0);
    assert_eq!(figures["configured_percent"], 100);
    assert_eq!(figures["left"]["percent"], 100);
    assert_eq!(
        figures["left"]["reason"],
        "3 of the last 23 answers with unexpected differences, and 2 are allowed"
    );
    let consistency = figures["consistency"].as_f64().unwrap();
    assert!((consistency - 20.0 / 23.0).abs() < 0.001, "{consistency}");
    shim.assert_metrics(&[
        "shim_rollout_left_total{excess=\"unexpected\",rollout=\"next\"} 1",
        "shim_rollout_percent{rollout=\"next\"} 0",
        "shim_rollout_compared_total{rollout=\"next\",verdict=\"same\"} 20",
        "shim_rollout_answers_total{outcome=\"answered\",rollout=\"next\",side=\"other\"} 23",
    ])
    .await;
    let (_, page) = shim.ops("/ui/rollouts").await;
    assert!(page.contains("3 of the last 23 answers"), "{page}");
}

#[tokio::test]
async fn unanswered_read_falls_back_to_this_side() {
    let v2 = ScriptedV2::with_users().await;
    let other = second_v1(|_| Some(Answer::status(503))).await;
    for compare in [0, 100] {
        let more = format!("percent = 100\nmax_errors = 2\ncompare_percent = {compare}");
        let shim = Running::with(&v2, settings(&other.0.base(), &more)).await;
        for caller in 0..10 {
            let (answer, is_moved, _) = ask(&shim, caller, "user/get").await;
            assert_eq!(answer["email"], "ada@example.com");
            assert!(!is_moved);
        }
        let figures = figures(&shim).await;
        assert_eq!(figures["sides"]["other"]["errors"], 3, "then it was left");
        assert_eq!(
            figures["left"]["reason"],
            "3 of the last 3 answers failed, and 2 are allowed"
        );
    }
}

#[tokio::test]
async fn leaves_a_slow_side() {
    let v2 = ScriptedV2::with_users().await;
    let slow = ScriptedV2::start(|_| async {
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        Answer::json(200, &json!({ "id": "u1" }))
    })
    .await;
    let more = "percent = 100\ncompare_percent = 0\nwindow = 100\nmax_p99_ms = 50";
    let shim = Running::with(&v2, settings(&slow.base(), more)).await;
    for _ in 0..2 {
        assert!(ask(&shim, 1, "user/get").await.1);
    }
    assert!(!ask(&shim, 1, "user/get").await.1);
    let reason = &figures(&shim).await["left"]["reason"];
    assert_eq!(
        *reason,
        "2 of the last 2 answers took more than 50 ms, and 1 are allowed"
    );
}

#[tokio::test]
async fn moves_only_selected_keys_and_operations() {
    let v2 = ScriptedV2::with_users().await;
    let other = second_v1(|_| None).await;
    let more =
        "percent = 100\noperations = [\"user/get\", \"user/update\"]\nkeys = [\"a-test-key\"]";
    let shim = Running::with(&v2, settings(&other.0.base(), more)).await;
    for (operation, is_moved) in [
        ("user/get", true),
        // The operation is a write, which this rollout does not move.
        ("user/update", false),
        ("user/checkemail", false),
    ] {
        assert_eq!(ask(&shim, 1, operation).await.1, is_moved, "{operation}");
    }
    assert_eq!(other.operations(), ["user/get"]);
    // The other side receives the key and the client address.
    let seen = &other.0.seen()[0];
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    assert!(body.contains("api_key=a-test-key"), "{body}");
    assert!(body.contains("id=u1") && !body.contains("dept"), "{body}");
}

#[tokio::test]
async fn mutual_rollouts_do_not_loop() {
    let v2 = ScriptedV2::with_users().await;
    let (listener, url) = listener().await;
    let one = Running::with(&v2, settings(&url, "percent = 100\ncompare_percent = 0")).await;
    let back = Setup {
        listener: Some(listener),
        ..settings(&one.url("/v1"), "percent = 100\ncompare_percent = 0")
    };
    let other = Running::with(&v2, back).await;
    let (answer, is_moved, _) = ask(&one, 1, "user/get").await;
    assert_eq!(answer["email"], "ada@example.com");
    assert!(is_moved);
    assert_eq!((one.records().len(), other.records().len()), (1, 1));
}

#[tokio::test]
async fn step_requires_json_and_a_known_rollout() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with(&v2, settings("http://127.0.0.1:1/v1", "")).await;
    let post = async |content_type: &str, body: &'static str| {
        let request = shim.client.post(shim.ops_url("/rollouts"));
        let request = request.header("content-type", content_type).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let good = r#"{"name":"next","percent":5}"#;
    assert_eq!(post("application/json", good).await, 200);
    // As a page of another site can make a browser send it.
    assert_eq!(post("text/plain", good).await, 415);
    assert_eq!(
        post("application/json", r#"{"name":"other","percent":5}"#).await,
        404
    );
    for wrong in [
        "",
        "{}",
        r#"{"name":"next","percent":101}"#,
        r#"{"name":"next"}"#,
    ] {
        assert_eq!(post("application/json", wrong).await, 400, "{wrong}");
    }
    assert_eq!(figures(&shim).await["percent"], 5);
}

#[tokio::test]
async fn without_rollouts_the_list_is_empty() {
    let (_v2, shim) = Running::with_users().await;
    let (_, text) = shim.ops("/rollouts").await;
    assert_eq!(text, "[]");
    let (_, page) = shim.ops("/ui/rollouts").await;
    assert!(page.contains("No callers are moved."), "{page}");
}

#[tokio::test]
async fn invalid_answer_falls_back_to_this_side() {
    let v2 = ScriptedV2::with_users().await;
    let elsewhere = ScriptedV2::with_users().await;
    for how in ["html", "empty", "redirect", "huge", "cut", "array", "slow"] {
        let target = elsewhere.base();
        let other = ScriptedV2::start(move |_| {
            let target = target.clone();
            async move {
                match how {
                    "html" => Answer::new(200, &[("content-type", "text/html")], "<html>"),
                    "empty" => Answer::new(200, &[], ""),
                    "redirect" => Answer::new(307, &[("location", target.as_str())], ""),
                    "huge" => Answer::json(200, &json!({ "id": "x".repeat(20_000) })),
                    "cut" => Answer::new(200, &[], "{\"id\":\"u1\""),
                    "array" => Answer::json(200, &json!([{ "id": "u1" }])),
                    _ => std::future::pending().await,
                }
            }
        })
        .await;
        let more = "percent = 100\nmax_errors = 1\ntimeout_seconds = 1";
        let setup = Setup {
            adjust: |limits| limits.answer_bytes = 10_000,
            ..settings(&other.base(), more)
        };
        let shim = Running::with(&v2, setup).await;
        for caller in 0..3 {
            let (answer, is_moved, _) = ask(&shim, caller, "user/get").await;
            assert_eq!(answer["email"], "ada@example.com", "{how}");
            assert!(!is_moved, "{how}");
        }
        let figures = figures(&shim).await;
        assert_eq!(
            figures["sides"]["other"]["errors"], 2,
            "{how}: then it was left"
        );
        assert_eq!(figures["percent"], 0, "{how}");
    }
    assert_eq!(elsewhere.lines(), [""; 0], "credentials follow no redirect");
}

#[tokio::test]
async fn supports_shares_of_0_and_100_percent() {
    let v2 = ScriptedV2::with_users().await;
    let other = second_v1(|_| None).await;
    for (percent, is_moved) in [(0, false), (100, true)] {
        let more = format!("percent = {percent}");
        let shim = Running::with(&v2, settings(&other.0.base(), &more)).await;
        for caller in 0..50 {
            assert_eq!(
                ask(&shim, caller, "user/get").await.1,
                is_moved,
                "{percent}"
            );
        }
    }
}

#[tokio::test]
async fn first_matching_rollout_applies() {
    let v2 = ScriptedV2::with_users().await;
    let (first, second) = (second_v1(|_| None).await, second_v1(|_| None).await);
    let sections = |first_percent: u8| {
        let more = format!(
            "percent = {first_percent}\noperations = [\"user/get\"]\n\
             [[rollout]]\nname = \"all\"\nurl = \"{}\"\nforward_credentials = true\npercent = 100",
            second.0.base()
        );
        settings(&first.0.base(), &more)
    };
    let shim = Running::with(&v2, sections(100)).await;
    let header = async |shim: &Running, operation: &str| {
        let request = shim.form(operation, &[("id", "u1"), ("email", "ada@example.com")]);
        let response = request.send().await.unwrap();
        let name = response.headers().get("x-shim-rollout");
        name.map(|name| name.to_str().unwrap().to_owned())
    };
    assert_eq!(header(&shim, "user/get").await.as_deref(), Some("next"));
    assert_eq!(
        header(&shim, "user/checkemail").await.as_deref(),
        Some("all")
    );
    // Callers that the first rollout keeps are not moved by the second.
    shim.reload(&v2.base(), &sections(0)).unwrap();
    assert_eq!(header(&shim, "user/get").await, None);
}
