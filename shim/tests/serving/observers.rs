//! Failing observers.

use std::sync::Arc;

use shim::{
    Dependencies,
    observe::{Observer, RequestRecord, ShadowRecord},
};
use shim_upstream::CallRecord;

use crate::running::{Running, ScriptedV2, Setup};

/// Panics on every event.
struct Panicking;

impl Observer for Panicking {
    fn served(&self, _: &RequestRecord<'_>) {
        panic!("of the observer of requests");
    }

    fn called(&self, _: &CallRecord<'_>) {
        panic!("of the observer of v2 calls");
    }

    fn shadowed(&self, _: &ShadowRecord<'_>) {
        panic!("of the observer of the shadow");
    }
}

#[tokio::test]
async fn panicking_observer_affects_neither_responses_nor_other_observers() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        dependencies: |limits| Dependencies {
            observer: Arc::new(Panicking),
            ..Dependencies::local(limits).unwrap()
        },
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    for _ in 0..10 {
        let user = shim.call("user/get", &[("id", "u1")]).await;
        assert_eq!(user["id"], "u1", "{user}");
        let updated = shim.call("user/update", &[("id", "u1"), ("dept", "x")]);
        let updated = updated.await;
        assert_eq!(updated["id"], "u1", "{updated}");
        let refused = shim.call("user/get", &[]).await;
        assert!(refused["error"]["code"].is_i64(), "{refused}");
    }
    shim.assert_metrics(&[
        "shim_requests_total{operation=\"user/get\",outcome=\"answered\"} 10",
        "shim_requests_total{operation=\"user/update\",outcome=\"answered\"} 10",
        "shim_requests_total{operation=\"user/get\",outcome=\"error\"} 10",
    ])
    .await;
}
