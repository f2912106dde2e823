//! Brownouts at times that the test sets.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::running::{FORM, Running, ScriptedV2, Setup, json};

const GROWING: &str = r#"
[deprecation]
sunset = "2027-06-30"
link = "https://example.com/moving"
[[brownout]]
from = "2027-03-01 10:00"
to = "2027-03-31"
every_hours = 168
minutes = [5, 15, 60]
keys = ["crm"]
operations = ["user/get", "user/update"]
[[tenant]]
api_key = "crm"
api_secret = "s"
token = "t"
[[tenant]]
api_key = "backup"
api_secret = "s"
token = "t"
"#;

/// A clock that a test sets.
#[derive(Clone, Default)]
struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn set(&self, moment: &str) {
        let moment = OffsetDateTime::parse(&format!("{moment}Z"), &Rfc3339).unwrap();
        self.0
            .store(moment.unix_timestamp() * 1000, Ordering::SeqCst);
    }

    async fn start(&self, v2: &ScriptedV2, file: &str) -> Running {
        let clock = self.clone();
        let setup = Setup {
            file: file.to_owned(),
            single: false,
            clock: Some(Arc::new(move || clock.0.load(Ordering::SeqCst))),
            ..Setup::default()
        };
        Running::with(v2, setup).await
    }
}

async fn call(shim: &Running, key: &str, secret: &str, operation: &str) -> Value {
    let body = format!("api_key={key}&api_secret={secret}&id=u1&dept=x");
    let request = shim.client.post(shim.url(&format!("/v1/{operation}")));
    let request = request.header("content-type", FORM).body(body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    json(response).await
}

#[tokio::test]
async fn brownout_affects_only_selected_callers_at_every_replica_and_after_a_restart() {
    let v2 = ScriptedV2::with_users().await;
    let clock = TestClock::default();
    let replicas = [
        clock.start(&v2, GROWING).await,
        clock.start(&v2, GROWING).await,
    ];
    for (moment, is_hit) in [
        ("2027-02-22T10:00:00", false),
        ("2027-03-01T09:59:59", false),
        ("2027-03-01T10:00:00", true),
        ("2027-03-01T10:04:59", true),
        ("2027-03-01T10:05:00", false),
        ("2027-03-08T10:14:59", true),
        ("2027-03-08T10:15:00", false),
        ("2027-03-22T10:59:59", true),
        ("2027-03-22T11:00:00", false),
        ("2027-04-05T10:00:00", false),
    ] {
        clock.set(moment);
        let restarted = clock.start(&v2, GROWING).await;
        for shim in replicas.iter().chain([&restarted]) {
            for operation in ["user/get", "user/update"] {
                let answer = call(shim, "crm", "s", operation).await;
                let code = &answer["error"]["code"];
                assert_eq!(*code == 410, is_hit, "{moment} {answer}");
            }
            for (key, operation) in [("backup", "user/get"), ("crm", "user/checkemail")] {
                let answer = call(shim, key, "s", operation).await;
                assert_ne!(answer["error"]["code"], 410, "{moment} {key} {operation}");
            }
            // Unauthenticated requests are not affected.
            let answer = call(shim, "crm", "wrong", "user/get").await;
            assert_eq!(answer["error"]["code"], 200, "{moment}");
        }
    }
}

#[tokio::test]
async fn brownout_error_names_day_and_replacement_without_a_v2_call() {
    let v2 = ScriptedV2::with_users().await;
    let clock = TestClock::default();
    let shim = clock.start(&v2, GROWING).await;
    clock.set("2027-03-08T10:01:00");
    let answer = call(&shim, "crm", "s", "user/get").await;
    assert_eq!(
        answer["error"]["message"],
        "user/get is off until 2027-03-08T10:15:00Z, to show what stops on 2027-06-30, when v1 ends. \
         In v2: GET /users/{userId}, GET /users/{userId}/settings, \
         GET /users/{userId}/token. https://example.com/moving"
    );
    assert_eq!(v2.lines(), [""; 0]);
    shim.assert_metrics(&["shim_requests_total{operation=\"user/get\",outcome=\"brownout\"} 1"])
        .await;
}

#[tokio::test]
async fn status_and_overview_show_the_active_or_next_window() {
    let v2 = ScriptedV2::with_users().await;
    let clock = TestClock::default();
    let shim = clock.start(&v2, GROWING).await;
    for (moment, begins, is_in_force, shown) in [
        (
            "2027-03-08T10:01:00",
            "2027-03-08T10:00:00Z",
            true,
            "in force",
        ),
        (
            "2027-03-08T10:20:00",
            "2027-03-15T10:00:00Z",
            false,
            "announced",
        ),
    ] {
        clock.set(moment);
        let status = shim.status().await;
        assert_eq!(status["brownout"]["begins"], begins);
        assert_eq!(status["brownout"]["in_force"], is_in_force);
        let (_, page) = shim.ops("/ui").await;
        assert!(page.contains(shown), "{page}");
    }
    clock.set("2028-01-01T00:00:00");
    assert!(shim.status().await["brownout"].is_null());
}

#[tokio::test]
async fn reload_cancels_a_window() {
    let v2 = ScriptedV2::with_users().await;
    let clock = TestClock::default();
    let shim = clock.start(&v2, GROWING).await;
    clock.set("2027-03-08T10:01:00");
    assert_eq!(
        call(&shim, "crm", "s", "user/get").await["error"]["code"],
        410
    );
    let setup = Setup {
        file: GROWING.replace("2027-03-31", "2027-03-02"),
        single: false,
        ..Setup::default()
    };
    shim.reload(&v2.base(), &setup).unwrap();
    assert!(call(&shim, "crm", "s", "user/get").await["error"].is_null());
}
