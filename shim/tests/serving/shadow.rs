//! A second v1, or other mappings, as the shadow.

mod secrets;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mappings::Catalog;
use serde_json::{Value, json};

use crate::running::{Answer, KEY, Running, SECRET, ScriptedV2, Setup, listener};

pub(super) const FIELDS_FILE: &str = "user/fields.toml";

/// The fields of users with a mistake: private chat is not negated.
pub(super) fn changed_fields() -> String {
    let (_, text) = Catalog::embedded_files()
        .find(|(name, _)| *name == FIELDS_FILE)
        .unwrap();
    let (before, after) = text.split_once("v1 = \"disable_private_chat\"").unwrap();
    let after = after.replacen("convert = \"negate\"\n", "", 1);
    format!("{before}v1 = \"disable_private_chat\"{after}")
}

fn changed() -> Arc<Catalog> {
    Arc::new(Catalog::with_overrides([(FIELDS_FILE.to_owned(), changed_fields())]).unwrap())
}

/// Settings for a shadow with forwarded credentials.
fn beside(url: &str, more: &str) -> Setup {
    Setup {
        file: format!("[shadow]\nurl = \"{url}\"\nforward_credentials = true\n{more}"),
        ..Setup::default()
    }
}

/// A v1 with one answer to everything.
async fn v1(answer: Value) -> ScriptedV2 {
    ScriptedV2::start(move |_| {
        let answer = Answer::json(200, &answer);
        async { answer }
    })
    .await
}

async fn found(shim: &Running) -> Value {
    let (status, text) = shim.ops("/differences").await;
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

/// Verdicts of differing fields.
async fn fields(shim: &Running) -> BTreeMap<String, Vec<String>> {
    let found = found(shim).await;
    let fields = found["fields"].as_array().unwrap().iter();
    fields
        .map(|field| {
            let name = format!("{} {}", field["operation"], field["field"]).replace('"', "");
            let verdicts = field["verdicts"].as_object().unwrap().keys();
            (name, verdicts.cloned().collect())
        })
        .collect()
}

fn expected(fields: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let owned = |(name, verdict): &(&str, &str)| ((*name).to_owned(), vec![(*verdict).to_owned()]);
    fields.iter().map(owned).collect()
}

pub(super) async fn users() -> ScriptedV2 {
    ScriptedV2::start(|seen| async move {
        match seen.path().rsplit('/').next() {
            Some("settings") if seen.method == "GET" => {
                Answer::json(200, &json!({ "in_meeting": { "private_chat": true }, "schedule_meeting": {}, "recording": {}, "email_notification": {}, "feature": {} }))
            }
            _ => seen.usual(),
        }
    })
    .await
}

#[tokio::test]
async fn reports_only_the_changed_mapping() {
    let v2 = users().await;
    let other = Setup {
        mappings: Some(changed()),
        ..Setup::default()
    };
    let other = Running::with(&v2, other).await;
    let shim = Running::with(&v2, beside(&other.url("/v1"), "")).await;
    for _ in 0..5 {
        let answer = shim.call("user/get", &[("id", "u1")]).await;
        assert_eq!(answer["disable_private_chat"], false);
    }
    shim.call("user/get", &[("id", "..")]).await;
    shim.call("user/checkemail", &[("email", "ada@example.com")])
        .await;
    shim.shadowed(7).await;

    let only = [("user/get disable_private_chat", "unexpected")];
    assert_eq!(fields(&shim).await, expected(&only));
    let found = found(&shim).await;
    assert_eq!(
        found["operations"]["user/get"]["verdicts"],
        json!({ "same": 1, "unexpected": 5 })
    );
    let example = &found["fields"][0]["examples"][0];
    assert_eq!(
        (&example["shadow"], &example["shim"]),
        (&json!("true"), &json!("false"))
    );
    shim.assert_metrics(&[
        "shim_shadow_compared_total{operation=\"user/get\",verdict=\"unexpected\"} 5",
        "shim_shadow_compared_total{operation=\"user/get\",verdict=\"same\"} 1",
        "shim_shadow_differences_total{operation=\"user/get\",verdict=\"unexpected\"} 5",
    ])
    .await;
    // The other shim received the request as from a client.
    assert_eq!(other.records().len(), 7);
}

#[tokio::test]
async fn volatile_fields_are_noise() {
    let asked = AtomicUsize::new(0);
    let v2 = ScriptedV2::start(move |seen| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        async move {
            match seen.path() {
                "/v2/users/u1" => {
                    let dept = format!("dept {number}");
                    Answer::json(
                        200,
                        &json!({ "id": "u1", "email": "ada@example.com", "type": 2, "dept": dept }),
                    )
                }
                _ => seen.usual(),
            }
        }
    })
    .await;
    let other = Running::before(&v2).await;
    let shim = Running::with(&v2, beside(&other.url("/v1"), "")).await;
    for count in 1..=3 {
        shim.call("user/get", &[("id", "u1")]).await;
        shim.shadowed(count).await;
    }
    let noise = [("user/get dept", "volatile")];
    assert_eq!(fields(&shim).await, expected(&noise));
    let noise = &found(&shim).await["noise"];
    assert_eq!(
        *noise,
        json!([{ "operation": "user/get", "field": "dept" }])
    );
    // The shim served one request again, and then knew the volatile fields.
    let users = v2.lines();
    let users = users.iter().filter(|line| *line == "GET /v2/users/u1");
    assert_eq!(users.count(), 3 + 3 + 1);
}

#[tokio::test]
async fn concurrent_change_is_not_noise() {
    let asked = AtomicUsize::new(0);
    let v2 = ScriptedV2::start(move |seen| {
        let is_user = seen.path() == "/v2/users/u1";
        let before = is_user && asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if !is_user {
                return seen.usual();
            }
            let dept = if before { "Sales" } else { "Research" };
            Answer::json(
                200,
                &json!({ "id": "u1", "email": "ada@example.com", "type": 2, "dept": dept }),
            )
        }
    })
    .await;
    let other = Running::before(&v2).await;
    let shim = Running::with(&v2, beside(&other.url("/v1"), "")).await;
    shim.call("user/get", &[("id", "u1")]).await;
    shim.shadowed(1).await;
    let found = found(&shim).await;
    assert_eq!(found["fields"][0]["verdicts"], json!({ "volatile": 1 }));
    assert_eq!(found["noise"], json!([]));
}

#[tokio::test]
async fn writes_are_never_sent_to_the_shadow() {
    let v2 = ScriptedV2::with_users().await;
    let shadow = v1(json!({ "id": "u1" })).await;
    let shim = Running::with(&v2, beside(&shadow.base(), "")).await;
    let catalog = Catalog::embedded().unwrap();
    let served = catalog
        .operations()
        .iter()
        .filter(|known| known.is_served());
    let (reads, writes): (Vec<_>, Vec<_>) = served.partition(|known| known.read);
    assert!(reads.len() > 4 && writes.len() > 10);
    for operation in reads.iter().chain(&writes) {
        let all = [
            ("id", "u1"),
            ("email", "ada@example.com"),
            ("type", "1"),
            ("login_type", "100"),
            ("password", "Abcdef-1"),
            ("first_name", "Ada"),
        ];
        shim.form(&operation.name, &all).send().await.unwrap();
    }
    shim.shadowed(reads.len() + writes.len()).await;
    let asked = shadow.lines();
    assert_eq!(asked.len(), reads.len());
    for line in asked {
        let name = line.strip_prefix("POST /v2/").unwrap();
        assert!(reads.iter().any(|read| read.name == name), "{line}");
    }
    let found = found(&shim).await;
    for write in writes {
        assert_eq!(
            found["operations"][&write.name]["not_compared"],
            json!({ "write": 1 }),
            "{}",
            write.name
        );
    }
}

#[tokio::test]
async fn other_mappings_are_compared_offline() {
    let v2 = users().await;
    let setup = Setup {
        file: "[shadow]\nmappings = \"unused: replaced by the test\"".to_owned(),
        shadow_mappings: Some(changed()),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let alone = Running::before(&v2).await;
    let chat = [
        ("id", "u1"),
        ("disable_private_chat", "true"),
        ("dept", "Sales"),
    ];
    for running in [&alone, &shim] {
        v2.forget();
        running.call("user/update", &chat).await;
        running.call("user/get", &[("id", "u1")]).await;
        running
            .call(
                "user/updatepassword",
                &[("id", "u1"), ("password", "Hush-hush-1")],
            )
            .await;
        let mut lines = v2.lines();
        lines.sort();
        assert_eq!(lines.len(), 6, "{lines:?}");
    }
    shim.shadowed(3).await;
    let two = [
        ("user/get disable_private_chat", "unexpected"),
        (
            "user/update v2 request: settings.body.in_meeting.private_chat",
            "unexpected",
        ),
    ];
    assert_eq!(fields(&shim).await, expected(&two));
    let compared = &found(&shim).await["operations"]["user/updatepassword"]["verdicts"];
    assert_eq!(*compared, json!({ "same": 1 }));
}

#[tokio::test]
async fn unreachable_shadow_does_not_affect_responses() {
    let v2 = ScriptedV2::with_users().await;
    let alone = Running::before(&v2).await;
    let expected = alone.call("user/get", &[("id", "u1")]).await;
    let html = ScriptedV2::start(|_| async { Answer::new(200, &[], "<html>") }).await;
    let failing = ScriptedV2::start(|_| async { Answer::status(503) }).await;
    let (_, unused_url) = listener().await;
    for (url, why) in [
        (unused_url, "unreachable"),
        (html.base(), "unreadable"),
        (failing.base(), "unreadable"),
    ] {
        let shim = Running::with(&v2, beside(&url, "")).await;
        assert_eq!(shim.call("user/get", &[("id", "u1")]).await, expected);
        shim.shadowed(1).await;
        let found = found(&shim).await;
        let counted = &found["operations"]["user/get"]["not_compared"];
        assert_eq!(*counted, json!({ why: 1 }));
    }
}

#[tokio::test]
async fn slow_shadow_does_not_delay_responses() {
    let v2 = ScriptedV2::with_users().await;
    let never = ScriptedV2::start(|_| std::future::pending()).await;
    let shim = Running::with(&v2, beside(&never.base(), "concurrency = 1\n")).await;
    for _ in 0..40 {
        let answer = shim.call("user/get", &[("id", "u1")]).await;
        assert_eq!(answer["id"], "u1");
    }
    // One is sent, some wait, all others are dropped.
    shim.shadowed(24).await;
    shim.assert_metrics(&[
        "shim_shadow_not_compared_total{operation=\"user/get\",reason=\"dropped\"} 24",
    ])
    .await;
}

#[tokio::test]
async fn shadow_request_times_out() {
    let v2 = ScriptedV2::with_users().await;
    let never = ScriptedV2::start(|_| std::future::pending()).await;
    let setup = beside(&never.base(), "timeout_seconds = 1\n");
    let shim = Running::with(&v2, setup).await;
    shim.call("user/get", &[("id", "u1")]).await;
    shim.shadowed(1).await;
    let found = found(&shim).await;
    let counted = &found["operations"]["user/get"]["not_compared"];
    assert_eq!(*counted, json!({ "timeout": 1 }));
}

#[tokio::test]
async fn clients_can_be_served_from_the_shadow() {
    let v2 = ScriptedV2::with_users().await;
    let shadow = v1(json!({ "id": "u1", "dept": "of the shadow" })).await;
    let more = "answer = \"shadow\"\n";
    let shim = Running::with(&v2, beside(&shadow.base(), more)).await;
    let answer = shim.call("user/get", &[("id", "u1")]).await;
    assert_eq!(answer, json!({ "id": "u1", "dept": "of the shadow" }));
    let xml = [("id", "u1"), ("data_type", "XML")];
    let answer = shim.form("user/get", &xml).send().await.unwrap();
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("<dept>of the shadow</dept>"), "{answer}");
    // Writes are always served by the shim.
    let answer = shim
        .call("user/update", &[("id", "u1"), ("dept", "x")])
        .await;
    assert_eq!(answer["id"], "u1");
    shim.shadowed(3).await;
    let fields = fields(&shim).await;
    assert!(fields.contains_key("user/get dept"), "{fields:?}");

    let error = json!({ "error": { "code": 1001, "message": "User not exist: u1" } });
    let shadow = v1(error.clone()).await;
    let shim = Running::with(&v2, beside(&shadow.base(), more)).await;
    assert_eq!(shim.call("user/get", &[("id", "u1")]).await, error);
}

#[tokio::test]
async fn falls_back_to_the_shim_without_a_shadow_answer() {
    let v2 = ScriptedV2::with_users().await;
    let more = "answer = \"shadow\"\ntimeout_seconds = 1\n";
    let never = ScriptedV2::start(|_| std::future::pending()).await;
    let (_, unused_url) = listener().await;
    for url in [unused_url, never.base()] {
        let shim = Running::with(&v2, beside(&url, more)).await;
        let answer = shim.call("user/get", &[("id", "u1")]).await;
        assert_eq!(answer["email"], "ada@example.com");
        shim.assert_metrics(&["shim_shadow_answers_total{side=\"shim\"} 1"])
            .await;
    }
}

#[tokio::test]
async fn shadow_receives_configured_credentials() {
    let v2 = ScriptedV2::with_users().await;
    let shadow = v1(json!({ "id": "u1" })).await;
    let own = format!(
        "[shadow]\nurl = \"{}\"\napi_key = \"own-key\"\napi_secret = \"own-secret\"\n",
        shadow.base()
    );
    let own = Setup {
        file: own,
        ..Setup::default()
    };
    for (setup, [key, secret]) in [
        (beside(&shadow.base(), ""), [KEY, SECRET]),
        (own, ["own-key", "own-secret"]),
    ] {
        shadow.forget();
        let shim = Running::with(&v2, setup).await;
        let parameters = [("id", "u1"), ("nobody_knows", "x"), ("data_type", "XML")];
        shim.form("user/get", &parameters).send().await.unwrap();
        shim.shadowed(1).await;
        let asked = shadow.seen();
        let body = String::from_utf8(asked[0].body.to_vec()).unwrap();
        assert_eq!(body, format!("api_key={key}&api_secret={secret}&id=u1"));
        assert_eq!(asked[0].uri, "/v2/user/get");
    }
}

#[tokio::test]
async fn compares_only_the_configured_share() {
    let v2 = ScriptedV2::with_users().await;
    let shadow = v1(json!({ "id": "u1" })).await;
    let shim = Running::with(&v2, beside(&shadow.base(), "sample_percent = 20\n")).await;
    for _ in 0..100 {
        shim.call("user/get", &[("id", "u1")]).await;
    }
    shim.shadowed(1).await;
    let asked = shadow.lines().len();
    assert!((1..=60).contains(&asked), "{asked}");
}

#[tokio::test]
async fn shim_as_its_own_shadow_does_not_loop() {
    let v2 = ScriptedV2::with_users().await;
    let (listener, url) = listener().await;
    let setup = Setup {
        listener: Some(listener),
        ..beside(&url, "")
    };
    let shim = Running::with(&v2, setup).await;
    shim.call("user/get", &[("id", "u1")]).await;
    shim.shadowed(1).await;
    assert_eq!(shim.records().len(), 2);
    let found = found(&shim).await;
    assert_eq!(found["operations"]["user/get"]["compared"], 1);
}

#[tokio::test]
async fn rate_limit_applies_besides_the_share() {
    let v2 = ScriptedV2::with_users().await;
    let shadow = v1(json!({ "id": "u1" })).await;
    let shim = Running::with(&v2, beside(&shadow.base(), "per_second = 1\n")).await;
    for _ in 0..20 {
        shim.call("user/get", &[("id", "u1")]).await;
    }
    shim.shadowed(20).await;
    let tally = &found(&shim).await["operations"]["user/get"];
    let capped = tally["not_compared"]["capped"].as_u64().unwrap();
    let compared = tally["compared"].as_u64().unwrap();
    assert_eq!(compared + capped, 20);
    // It took a few seconds at most.
    assert!((1..=10).contains(&compared), "{tally}");
    assert_eq!(shadow.lines().len() as u64, compared);
}
