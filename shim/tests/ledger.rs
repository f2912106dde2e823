//! The usage ledger over the operations address.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code outside of test functions"
)]

#[expect(dead_code, reason = "the other test programs use the rest")]
mod running;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use mappings::Catalog;
use recording::usage::{Consumer, OTHERS, Usage};
use running::{Answer, FORM, Running, ScriptedV2, Setup, soon};
use serde_json::json;
use shim::{front::server::Stopped, observe::ledger::Ledger, settings::LedgerConfig};
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(20);
const SECRET: &str = "a-v1-hush-secret/+";

struct Kept {
    folder: TempDir,
    ledger: Arc<Ledger>,
}

impl Kept {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(adjust: fn(&mut LedgerConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = LedgerConfig::new(folder.path().join("ledger.sqlite"));
        adjust(&mut config);
        Self {
            ledger: start(config),
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    fn setup(&self) -> Setup {
        Setup {
            ledger: Some(Arc::clone(&self.ledger)),
            ..Setup::default()
        }
    }

    /// Contents of all files on disk.
    fn bytes(&self) -> Vec<u8> {
        assert!(self.ledger.flush(TIMEOUT));
        let files = fs::read_dir(self.folder.path()).unwrap();
        files
            .flat_map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }
}

fn start(config: LedgerConfig) -> Arc<Ledger> {
    let catalog = Catalog::embedded().unwrap();
    Arc::new(Ledger::start(config, &catalog).unwrap())
}

async fn usage(shim: &Running, query: &str) -> Usage {
    let (status, text) = shim.ops(&format!("/usage?{query}")).await;
    assert_eq!(status, 200, "{text}");
    Usage::read(text.as_bytes()).unwrap()
}

/// One line per consumer and operation: caller, operation, outcomes, parameters.
fn lines(usage: &Usage) -> Vec<String> {
    let mut lines = Vec::new();
    for consumer in &usage.consumers {
        let Consumer {
            key, user_agent, ..
        } = consumer;
        for used in &consumer.operations {
            let names = |uses: &[recording::usage::ParameterUse]| {
                let names = uses
                    .iter()
                    .map(|used| format!("{}×{}", used.name, used.requests));
                names.collect::<Vec<_>>().join(" ")
            };
            let outcomes = serde_json::to_value(used.outcomes).unwrap();
            let outcomes = outcomes.as_object().unwrap().iter();
            let outcomes: Vec<_> = outcomes
                .filter(|(_, count)| **count != 0)
                .map(|(outcome, count)| format!("{outcome}={count}"))
                .collect();
            lines.push(format!(
                "{} {user_agent:?} {}: {} given[{}] lossy[{}] unknown[{}]",
                key.as_deref().unwrap_or("-"),
                used.operation.as_deref().unwrap_or("-"),
                outcomes.join(" "),
                names(&used.parameters),
                names(&used.lossy),
                names(&used.unknown),
            ));
        }
    }
    lines
}

async fn call(shim: &Running, agent: &str, operation: &str, parameters: &[(&str, &str)]) {
    let request = shim.form(operation, parameters);
    let request = request.header("user-agent", agent);
    request.send().await.unwrap();
}

#[tokio::test]
async fn records_callers_operations_and_parameters() {
    let v2 = ScriptedV2::start(|seen| async move {
        match seen.path() {
            "/v2/users/nobody" => Answer::json(404, &json!({ "code": 1001, "message": "no" })),
            "/v2/users/odd" => Answer::new(200, &[], "<html>"),
            _ => seen.usual(),
        }
    })
    .await;
    let kept = Kept::new();
    let shim = Running::with(&v2, kept.setup()).await;
    for id in ["u1", "u2", "nobody", "odd"] {
        call(&shim, "ruby", "user/get", &[("id", id)]).await;
    }
    let parameters = [
        ("id", "u1"),
        ("track_id", "7"),
        ("sure", "not"),
        ("dept", "x"),
    ];
    call(&shim, "php", "user/update", &parameters).await;
    call(&shim, "php", "user/get", &[("id", "u1"), ("dept", "x")]).await;
    call(&shim, "php", "meeting/list", &[]).await;
    call(&shim, "php", "no/such", &[]).await;

    let shown = usage(&shim, "").await;
    insta::assert_snapshot!(lines(&shown).join("\n"));
    assert_eq!((shown.unwritten, shown.kept.spans.len()), (0, 1));
    assert!(shown.consumers.iter().all(|one| one.address == "127.0.0.1"));
    assert!(shown.consumers.iter().all(|one| one.first <= one.last));

    let some = usage(&shim, "operation=user/get&key=a-test-key&limit=1").await;
    assert_eq!(lines(&some).len(), 1);
    let rest = usage(
        &shim,
        &format!("operation=user/get&after={}", some.next.unwrap()),
    )
    .await;
    assert_eq!(lines(&rest).len(), 1);
    assert_eq!(lines(&usage(&shim, "since=9000-01-01").await), [""; 0]);

    shim.assert_metrics(&["shim_ledger_requests_total{outcome=\"written\"} 8"])
        .await;
}

#[tokio::test]
async fn rejects_invalid_usage_queries() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with(&v2, Kept::new().setup()).await;
    for (query, shown) in [
        ("operations=user/get", "unknown field `operations`"),
        ("since=yesterday", "write it as 2026-11-22"),
        ("since=2026-11-22T10:00:00Z", "write it as 2026-11-22"),
        ("limit=0", "limit must be from 1 to 1000"),
        (
            "limit=many",
            "known parameters are operation, key, since, limit, after",
        ),
        ("after=%ff", "known parameters"),
    ] {
        let (status, text) = shim.ops(&format!("/usage?{query}")).await;
        assert_eq!(status, 400, "{query}");
        assert!(text.contains(shown), "{query}: {text}");
    }
    let off = Running::before(&v2).await;
    let (status, text) = off.ops("/usage").await;
    assert_eq!(status, 404);
    assert!(text.contains("--ledger"), "{text}");
    let (_, metrics) = off.ops("/metrics").await;
    assert!(!metrics.contains("shim_ledger"), "{metrics}");
}

#[tokio::test]
async fn rejected_login_is_not_counted_under_the_claimed_key() {
    let v2 = ScriptedV2::with_users().await;
    let kept = Kept::new();
    let shim = Running::with(&v2, kept.setup()).await;
    for (number, body) in [
        format!("api_key={}&api_secret=wrong-hush&id=u1", running::KEY),
        "api_key=claimed-hush&api_secret=wrong-hush&id=u1".to_owned(),
        "id=u1".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let request = shim.client.post(shim.url("/v1/user/get"));
        let request = request.header("user-agent", format!("hush-{number}"));
        request
            .header("content-type", FORM)
            .body(body)
            .send()
            .await
            .unwrap();
    }
    let shown = usage(&shim, "").await;
    assert_eq!(
        lines(&shown),
        [r#"- "" user/get: refused=3 given[] lossy[] unknown[]"#]
    );
    assert_eq!(lines(&usage(&shim, "key=").await).len(), 1);
    assert!(!String::from_utf8_lossy(&kept.bytes()).contains("hush"));
}

#[tokio::test]
async fn folded_callers_are_still_live() {
    let v2 = ScriptedV2::with_users().await;
    let kept = Kept::with(|config| config.max_consumers = 1);
    let shim = Running::with(&v2, kept.setup()).await;
    for number in 0..4 {
        call(
            &shim,
            &format!("agent/{number}"),
            "user/get",
            &[("id", "u1")],
        )
        .await;
    }
    let shown = usage(&shim, "").await;
    let mut shown_lines = lines(&shown);
    shown_lines.sort();
    let expected = [
        r#"a-test-key "*" user/get: answered=3 given[id×3] lossy[] unknown[]"#,
        r#"a-test-key "agent/0" user/get: answered=1 given[id×1] lossy[] unknown[]"#,
    ];
    assert_eq!(shown_lines, expected);
    assert!(shown.consumers.iter().any(|one| one.address == OTHERS));
    shim.assert_metrics(&["shim_ledger_requests_total{outcome=\"folded\"} 3"])
        .await;
}

#[tokio::test]
async fn stores_no_secrets() {
    let v2 = ScriptedV2::with_users().await;
    let kept = Kept::new();
    let setup = Setup {
        environment: vec![("SHIM_API_SECRET", SECRET.to_owned())],
        ..kept.setup()
    };
    let shim = Running::with(&v2, setup).await;
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let credentials = format!("api_key={}&api_secret={encoded}", running::KEY);
    let mut served = 0;
    for operation in [
        "user/get",
        "user/update",
        "user/updatepassword",
        "meeting/list",
        "a-hush/b",
    ] {
        for agent in [
            SECRET.to_owned(),
            format!("x/1 (api_secret={encoded})"),
            format!("x/1 {encoded}"),
            "x/1 api_secret=another-hush".to_owned(),
            "x/1 Bearer a-hush-token".to_owned(),
            "x/1 https://example.com/?a=hush".to_owned(),
        ] {
            for body in [
                format!("{credentials}&id=u1&password=hush&a-hush-name=hush&dept=hush"),
                format!("{credentials}&id=hush"),
                format!("api_key={encoded}&api_secret={encoded}&id=u1"),
            ] {
                let request = shim
                    .client
                    .post(shim.url(&format!("/v1/{operation}?x-hush=1")));
                let request = request
                    .header("user-agent", &agent)
                    .header("cookie", SECRET);
                let request = request.header("content-type", FORM).body(body);
                served += usize::from(request.send().await.is_ok());
            }
        }
    }
    assert_eq!(served, 5 * 6 * 3);
    let (_, shown) = shim.ops("/usage?limit=1000").await;
    let shown = [shown.into_bytes(), kept.bytes()];
    for bytes in shown {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains("user/updatepassword") && text.contains("x/1"));
        let at = text
            .find("hush")
            .map(|at| text.get(at.saturating_sub(60)..at + 20));
        assert_eq!(at, None);
    }
}

#[tokio::test]
async fn restart_continues_the_counts() {
    let v2 = ScriptedV2::with_users().await;
    let folder = tempfile::tempdir().unwrap();
    let mut first = String::new();
    for round in 1..=3 {
        let config = LedgerConfig::new(folder.path().join("ledger.sqlite"));
        let ledger = start(config);
        let setup = Setup {
            ledger: Some(Arc::clone(&ledger)),
            ..Setup::default()
        };
        let shim = Running::with(&v2, setup).await;
        call(&shim, "php", "user/get", &[("id", "u1")]).await;
        let shown = usage(&shim, "").await;
        let expected = format!(
            "a-test-key \"php\" user/get: answered={round} given[id×{round}] lossy[] unknown[]"
        );
        assert_eq!(lines(&shown), [expected]);
        if first.is_empty() {
            first.clone_from(&shown.consumers[0].first);
        }
        assert_eq!(shown.consumers[0].first, first);
        assert_eq!(soon(shim.stop()).await.unwrap(), Stopped::Drained);
        assert!(ledger.stop(TIMEOUT));
    }
}

#[tokio::test]
async fn records_client_addresses_behind_a_trusted_proxy() {
    let v2 = ScriptedV2::with_users().await;
    for (trusted, expected) in [("127.0.0.1", "203.0.113.7"), ("192.0.2.1", "127.0.0.1")] {
        let kept = Kept::new();
        let setup = Setup {
            environment: vec![("SHIM_TRUSTED_PROXIES", trusted.to_owned())],
            ..kept.setup()
        };
        let shim = Running::with(&v2, setup).await;
        let request = shim.form("user/get", &[("id", "u1")]);
        let request = request.header("x-forwarded-for", "203.0.113.7");
        request.send().await.unwrap();
        assert_eq!(usage(&shim, "").await.consumers[0].address, expected);
    }
}

#[tokio::test]
async fn reload_keeps_the_ledger() {
    let v2 = ScriptedV2::with_users().await;
    let kept = Kept::new();
    let shim = Running::with(&v2, kept.setup()).await;
    call(&shim, "php", "user/get", &[("id", "u1")]).await;
    shim.reload(&v2.base(), &Setup::default()).unwrap();
    call(&shim, "php", "user/get", &[("id", "u1")]).await;
    let shown = usage(&shim, "").await;
    assert_eq!(
        lines(&shown),
        [r#"a-test-key "php" user/get: answered=2 given[id×2] lossy[] unknown[]"#]
    );
}

#[tokio::test]
async fn locked_ledger_does_not_block_requests() {
    let v2 = ScriptedV2::with_users().await;
    let kept = Kept::new();
    let shim = Running::with(&v2, kept.setup()).await;
    let other = rusqlite::Connection::open(kept.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for _ in 0..20 {
        soon(shim.call("user/get", &[("id", "u1")])).await;
    }
    let shown = usage(&shim, "").await;
    assert_eq!((shown.unwritten, shown.consumers.len()), (20, 0));
    other.execute_batch("COMMIT").unwrap();
    let shown = usage(&shim, "").await;
    assert_eq!((shown.unwritten, shown.consumers.len()), (0, 1));
}

#[tokio::test]
async fn records_brownout_windows_and_their_callers() {
    let v2 = ScriptedV2::with_users().await;
    let kept = Kept::new();
    let tomorrow = time::OffsetDateTime::now_utc().date().next_day().unwrap();
    let tomorrow = recording::usage::day_name(tomorrow);
    let setup = Setup {
        file: format!(
            "[deprecation]\nsunset = \"{tomorrow}\"\n\
             [[brownout]]\nfrom = \"2026-01-01\"\nto = \"{tomorrow}\"\n\
             operations = [\"user/get\"]\n"
        ),
        ..kept.setup()
    };
    let shim = Running::with(&v2, setup).await;
    call(&shim, "nightly/1", "user/get", &[("id", "u1")]).await;
    call(
        &shim,
        "nightly/1",
        "user/checkemail",
        &[("email", "a@example.com")],
    )
    .await;

    let usage = usage(&shim, "").await;
    let shown = lines(&usage);
    assert!(
        shown
            .iter()
            .any(|line| line.contains("user/get: brownout=1 ")),
        "{shown:?}"
    );
    assert!(
        shown
            .iter()
            .any(|line| line.contains("user/checkemail: trouble=1 ")),
        "{shown:?}"
    );
    let [window] = usage.brownouts.as_slice() else {
        panic!("{:?}", usage.brownouts);
    };
    assert_eq!(window.begins, "2026-01-01T00:00:00Z");
    assert_eq!(window.operations, ["user/get"]);
    assert!(window.first <= window.last && window.last <= window.ends);
    assert!(window.keys.is_empty());
}
