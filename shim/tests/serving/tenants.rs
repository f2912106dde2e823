//! Tenants: separate accounts, permissions and limits.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::running::{Answer, FORM, Running, ScriptedV2, Setup, json, v2::Seen};

/// `printf %s secret-of-two | sha256sum`
const DIGEST_OF_TWO: &str = "3a529ad7bc2ce6b72c889111c763e545e2b3bac591c0c00c9ccbdc2df5591141";

fn setup(options: &str) -> Setup {
    let file = format!(
        r#"
        [list]
        detail = "full"
        [[tenant]]
        api_key = "one"
        api_secret = "secret-of-one"
        token = "token-one"
        {options}
        [[tenant]]
        api_key = "two"
        api_secret_sha256 = "{DIGEST_OF_TWO}"
        token = "token-two"
        "#
    );
    Setup {
        file,
        single: false,
        ..Setup::default()
    }
}

/// Calls an operation as tenant `one` or `two`.
async fn call(shim: &Running, tenant: &str, operation: &str, parameters: &str) -> Value {
    let body = format!("api_key={tenant}&api_secret=secret-of-{tenant}&{parameters}");
    let request = shim.client.post(shim.url(&format!("/v1/{operation}")));
    let request = request.header("content-type", FORM).body(body);
    json(request.send().await.unwrap()).await
}

/// Two accounts of 90 users; ids, page tokens and departments contain the account.
fn accounts(seen: &Seen) -> Answer {
    let account = seen.authorization.trim_start_matches("Bearer token-");
    let query = seen.uri.split_once('?').map_or("", |(_, query)| query);
    let query: BTreeMap<String, String> = serde_urlencoded::from_str(query).unwrap();
    if seen.method != "GET" {
        return seen.usual();
    }
    if seen.path() != "/v2/users" {
        // The path is the same for both, so a shared cache would mix them up.
        return Answer::json(
            200,
            &json!({
                "id": "u",
                "email": "u@example.com",
                "dept": account,
                "token": "a-zak",
                "in_meeting": { "chat": account == "one" },
                "schedule_meeting": {},
                "recording": {},
                "email_notification": {},
                "feature": {},
            }),
        );
    }
    let from = match query.get("next_page_token") {
        None => 0,
        Some(token) => {
            let (owner, from) = token.split_once('-').unwrap();
            assert_eq!(owner, account, "a cursor of another tenant");
            from.parse().unwrap()
        }
    };
    let user =
        |at| json!({ "id": format!("u{at}"), "email": format!("u{at}@example.com"), "type": 1 });
    let users: Vec<_> = (from..from + 30).map(user).collect();
    let next = if from < 60 {
        format!("{account}-{}", from + 30)
    } else {
        String::new()
    };
    Answer::json(
        200,
        &json!({ "page_size": 30, "total_records": 90, "next_page_token": next, "users": users }),
    )
}

#[tokio::test]
async fn tenants_are_isolated_under_load() {
    let v2 = ScriptedV2::start(|seen| async move { accounts(&seen) }).await;
    let shim = Running::with(&v2, setup("")).await;
    let pages = (0..3)
        .flat_map(|_| ["1", "2", "3"])
        .flat_map(|page| [("one", page), ("two", page)]);
    let calls = pages.map(async |(tenant, page)| {
        let parameters = format!("page_size=30&page_number={page}");
        let list = call(&shim, tenant, "user/list", &parameters).await;
        let user = call(&shim, tenant, "user/get", "id=u").await;
        (tenant, list, user)
    });
    for (tenant, list, user) in join_all(calls).await {
        assert_eq!(user["dept"], tenant, "{user}");
        let users = list["users"].as_array().unwrap();
        assert_eq!(users.len(), 30, "{list}");
        // Cached entries belong to the tenant.
        let disabled = json!(tenant == "two");
        assert!(
            users.iter().all(|user| user["disable_chat"] == disabled),
            "{list}"
        );
    }
    let seen = v2.seen();
    let tokens: BTreeSet<_> = seen
        .iter()
        .map(|call| call.authorization.as_str())
        .collect();
    assert_eq!(
        tokens,
        BTreeSet::from(["Bearer token-one", "Bearer token-two"])
    );
    // Entries are cached for each tenant separately.
    for token in tokens {
        let of_tenant = seen.iter().filter(|call| call.authorization == token);
        let settings = of_tenant.filter(|call| call.path().ends_with("/u7/settings"));
        assert!(settings.count() > 0, "{token}");
    }
}

#[tokio::test]
async fn tenants_have_separate_rate_budgets() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        adjust: |limits| limits.request = std::time::Duration::from_millis(600),
        ..setup("plan = \"free\"")
    };
    let shim = Running::with(&v2, setup).await;
    // Equal requests would be joined.
    let updates: Vec<_> = (0..20).map(|at| format!("id=u1&dept={at}")).collect();
    let all_of = async |tenant| {
        let calls = updates.iter();
        join_all(calls.map(|update| call(&shim, tenant, "user/update", update))).await
    };
    let (busy, other) = tokio::join!(all_of("one"), all_of("two"));
    assert!(busy.iter().any(|answer| answer["error"]["code"] == 403));
    assert!(
        other.iter().all(|answer| answer["error"].is_null()),
        "{other:?}"
    );
}

#[tokio::test]
async fn enforces_tenant_permissions() {
    let v2 = ScriptedV2::with_users().await;
    let options = "read_only = true\noperations = [\"user/get\", \"user/update\"]\nstrict = true";
    let shim = Running::with(&v2, setup(options)).await;
    let mut answers = Vec::new();
    for (tenant, operation) in [
        ("one", "user/get"),
        ("one", "user/update"),
        ("one", "user/list"),
        ("two", "user/update"),
    ] {
        v2.forget();
        let parameters = "id=u1&dept=x&track_id=7";
        let answer = call(&shim, tenant, operation, parameters).await;
        let error = &answer["error"];
        answers.push(format!(
            "{tenant} {operation}: {error}, {} v2 calls",
            v2.lines().len()
        ));
    }
    insta::assert_snapshot!(answers.join("\n"));
    let setup = setup("strict = true");
    let shim = Running::with(&v2, setup).await;
    let lossy = "id=u1&track_id=7";
    let strict = call(&shim, "one", "user/update", lossy).await;
    assert_eq!(strict["error"]["code"], 300, "{strict}");
    assert!(call(&shim, "two", "user/update", lossy).await["error"].is_null());
}

#[tokio::test]
async fn unknown_key_and_wrong_secret_are_indistinguishable() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with(&v2, setup("")).await;
    let mut answers = BTreeSet::new();
    for (key, secret) in [
        ("one", "wrong"),
        ("nobody", "secret-of-one"),
        ("two", "secret-of-one"),
        ("two", DIGEST_OF_TWO),
    ] {
        let body = format!("api_key={key}&api_secret={secret}&id=u1");
        let request = shim.client.post(shim.url("/v1/user/get"));
        let request = request.header("content-type", FORM).body(body);
        let response = request.send().await.unwrap();
        let mut headers = response.headers().clone();
        headers.remove("x-request-id");
        headers.remove("date");
        answers.insert(format!("{headers:?} {}", response.text().await.unwrap()));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(v2.lines(), [""; 0]);
}

#[tokio::test]
async fn throttles_repeated_failed_logins() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        adjust: |limits| limits.failed_attempts = 3,
        ..setup("")
    };
    let shim = Running::with(&v2, setup).await;
    let mut codes = Vec::new();
    for secret in ["a", "b", "c", "d", "secret-of-one"] {
        let body = format!("api_key=one&api_secret={secret}&id=u1");
        let request = shim.client.post(shim.url("/v1/user/get"));
        let request = request.header("content-type", FORM).body(body);
        let answer = json(request.send().await.unwrap()).await;
        codes.push(answer["error"]["code"].clone());
    }
    // "d" was the one attempt that is checked in this second.
    assert_eq!(codes, [200, 200, 200, 403, 403]);
    assert_eq!(call(&shim, "two", "user/get", "id=u1").await["id"], "u1");
}

#[tokio::test]
async fn failed_logins_do_not_lock_out_the_right_secret() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        adjust: |limits| limits.failed_attempts = 3,
        ..setup("")
    };
    let shim = Running::with(&v2, setup).await;
    for secret in ["a", "b", "c"] {
        let form = [("api_key", "one"), ("api_secret", secret)];
        let request = shim.client.post(shim.url("/v1/user/list")).form(&form);
        let answer = json(request.send().await.unwrap()).await;
        assert_eq!(answer["error"]["code"], 200);
    }
    assert_eq!(call(&shim, "one", "user/get", "id=u1").await["id"], "u1");
}

#[tokio::test]
async fn tenant_cannot_use_up_all_request_permits() {
    let v2 = ScriptedV2::start(|seen| async move {
        if seen.authorization.ends_with("token-one") {
            std::future::pending::<()>().await;
        }
        seen.usual()
    })
    .await;
    let shim = Running::with(
        &v2,
        Setup {
            adjust: |limits| limits.requests = 8,
            ..setup("")
        },
    )
    .await;
    let get = |tenant| call(&shim, tenant, "user/get", "id=u1");
    let many = join_all((0..8).map(|_| get("one")));
    let served = async {
        // Once the excess requests are refused, the others wait for v2.
        while v2.lines().len() < 4 {
            tokio::task::yield_now().await;
        }
        get("two").await
    };
    tokio::select! {
        answers = many => panic!("{answers:?}"),
        answer = served => assert!(answer["error"].is_null(), "{answer}"),
    }
}
