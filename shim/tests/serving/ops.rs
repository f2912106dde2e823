//! Health, status and metrics.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::running::{Answer, FORM, Running, ScriptedV2};

/// Parses Prometheus' text format into samples by name and labels, and checks its rules.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut types = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(text.contains(&format!("# HELP {name} ")), "{line}");
            assert!(types.insert(name, kind).is_none(), "{line}");
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let ends = ["_bucket", "_sum", "_count"];
        let of_histogram = ends.iter().find_map(|end| name.strip_suffix(end));
        let declared = types.get(name).copied();
        match of_histogram.and_then(|family| types.get(family).copied()) {
            Some(kind) => assert_eq!(kind, "histogram", "{line}"),
            None => assert!(matches!(declared, Some("counter" | "gauge")), "{line}"),
        }
        assert_eq!(name.ends_with("_total"), declared == Some("counter"));
        let value = value.parse().unwrap();
        assert!(samples.insert(series.to_owned(), value).is_none(), "{line}");
    }
    samples
}

/// Samples that do not depend on time.
fn counts(text: &str) -> String {
    let varying = ["_bucket", "_sum", "process_", "shim_connections_open"];
    let steady = |series: &&String| !varying.iter().any(|part| series.contains(part));
    let samples = parse(text);
    let lines = samples.keys().filter(steady).map(|series| {
        let value = samples[series];
        // The version may include a commit.
        let series = series.replace(env!("BUILD_VERSION"), "VERSION");
        format!("{series} {value}\n")
    });
    lines.collect()
}

async fn v2() -> ScriptedV2 {
    let failed = AtomicBool::new(false);
    ScriptedV2::start(move |seen| {
        // Calls beside a failed one may be cancelled; these are always answered.
        let beside = ["/v2/users/nobody/", "/v2/users/odd/"];
        let is_silent = beside.iter().any(|path| seen.path().starts_with(path));
        let answer = match seen.path() {
            "/v2/users/nobody" => Answer::json(404, &json!({ "code": 1001, "message": "no" })),
            "/v2/users/odd" => Answer::new(200, &[], "<html>"),
            "/v2/users/shaky" if !failed.swap(true, Ordering::SeqCst) => Answer::status(502),
            _ => seen.usual(),
        };
        async move {
            if is_silent {
                std::future::pending::<()>().await;
            }
            answer
        }
    })
    .await
}

#[tokio::test]
async fn metrics_use_names_of_the_catalog() {
    let v2 = v2().await;
    let shim = Running::before(&v2).await;
    for (operation, parameters) in [
        (
            "user/get",
            &[("id", "u1"), ("hush-1", "x"), ("dept", "x")][..],
        ),
        ("user/get", &[("id", "nobody")]),
        ("user/get", &[("id", "odd")]),
        ("user/get", &[("id", "shaky")]),
        ("user/get", &[]),
        (
            "user/update",
            &[("id", "u1"), ("track_id", "7"), ("dept", "x")],
        ),
        ("meeting/list", &[]),
        ("hush-2/hush-3", &[]),
    ] {
        shim.form(operation, parameters).send().await.unwrap();
    }
    let wrong = "api_key=hush-4&api_secret=hush-5&id=u1";
    let request = shim.client.post(shim.url("/v1/user/get"));
    let request = request.header("content-type", FORM).body(wrong);
    request.send().await.unwrap();

    let (status, text) = shim.ops("/metrics").await;
    assert_eq!(status, 200);
    insta::assert_snapshot!(counts(&text));
    #[cfg(target_os = "linux")]
    for series in [
        "cpu_seconds_total",
        "resident_memory_bytes",
        "open_fds",
        "max_fds",
    ] {
        assert!(parse(&text)[&format!("process_{series}")] > 0.0, "{series}");
    }
    assert!(!text.contains("hush"), "{text}");
}

#[tokio::test]
async fn reports_liveness_and_readiness() {
    let (v2, shim) = Running::with_users().await;
    assert_eq!(shim.ops("/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(shim.ops("/readyz").await, (200, "ready\n".to_owned()));
    let status = json!({
        "ready": true,
        "v2": { "status": "up" },
        "tokens": [{ "tenant": 1, "status": "ok", "missing_scopes": null }],
        "state": { "status": "ok" },
        "brownout": null,
    });
    assert_eq!(shim.status().await, status);
    assert_eq!(shim.ops("/v1/user/get").await.0, 404);
    assert_eq!(v2.lines(), [""; 0]);
}

#[tokio::test]
async fn rejected_tokens_are_reported_and_the_shim_stays_ready() {
    let v2 = ScriptedV2::start(|_| async { Answer::status(400) }).await;
    let file = format!(
        r#"
        [upstream]
        oauth_url = "{}"
        [[tenant]]
        api_key = "one"
        api_secret = "s"
        oauth = {{ account_id = "hush", client_id = "hush", client_secret = "hush" }}
        [[tenant]]
        api_key = "two"
        api_secret = "s"
        token = "t"
        "#,
        v2.oauth()
    );
    let shim = Running::with_tenants(&v2, file).await;
    let tokens = json!([
        { "tenant": 1, "status": "failed", "error": "no token is given for these credentials: HTTP 400" },
        { "tenant": 2, "status": "ok", "missing_scopes": null },
    ]);
    assert_eq!(shim.status().await["tokens"], tokens);
    let (_, metrics) = shim.ops("/metrics").await;
    let ok = [
        r#"shim_token_ok{tenant="1"} 0"#,
        r#"shim_token_ok{tenant="2"} 1"#,
    ];
    assert!(metrics.contains(&ok.join("\n")), "{metrics}");
    assert_eq!(shim.ops("/readyz").await.0, 200);
    assert_eq!(shim.ops("/healthz").await.0, 200);
}
