//! The sandbox over HTTP: odd paths, queries and bodies.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use std::sync::LazyLock;

use client::{Answer, Client};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn ids_are_single_segments() {
    let client = Client::start().await;
    for (segment, decoded) in [
        ("a%2Fb", "a/b"),
        ("..%2F..%2Foauth%2Ftoken", "../../oauth/token"),
        ("a%3Fb%23c", "a?b#c"),
        ("a%25b", "a%b"),
        ("a+b", "a+b"),
        ("a%20b%26c%3Dd", "a b&c=d"),
        ("%C3%A9%E7%A0%94", "é研"),
        ("a%0D%0Ab%00c", "a\r\nb\0c"),
        ("%7Buser%7D", "{user}"),
    ] {
        for below in ["", "/settings", "/assistants", "/permissions", "/token"] {
            let answer = client.get(&format!("/users/{segment}{below}")).await;
            answer.error(404, 1001, decoded);
        }
    }
    let created = json!({"action": "autoCreate", "user_info": {"email": "o'hara+x%y@example.com", "type": 2, "password": "Xk7!ppQ2z"}});
    client.post("/users", &created).await.body(201);
    assert_eq!(
        client
            .get("/users/o'hara%2Bx%25y%40example.com")
            .await
            .body(200)["type"],
        2
    );
}

#[tokio::test]
async fn rejects_unknown_routes() {
    let client = Client::start().await;
    for path in [
        "",
        "/",
        "/users/",
        "/user/list",
        "/users/%FF",
        "/users//settings",
        "/users/x/y/z",
        "/groups/a/b",
        "/USERS",
    ] {
        client.get(path).await.error(404, 2300, "not recognized");
    }
    for (method, path) in [
        (Method::PUT, "/users"),
        (Method::POST, "/users/x/settings"),
        (Method::PATCH, "/users/email"),
    ] {
        Answer::of(client.request(method, path))
            .await
            .error(405, 2300, "not recognized");
    }
}

#[tokio::test]
async fn reports_each_rejected_field() {
    let client = Client::start().await;
    let fields = async |request: reqwest::RequestBuilder| {
        let answer = Answer::of(request).await;
        answer.error(400, 300, "Validation Failed.");
        let errors = answer.json()["errors"].as_array().expect("errors").clone();
        errors
            .iter()
            .map(|error| error["field"].as_str().expect("a field").to_owned())
            .collect::<Vec<_>>()
    };
    let post = |body: Value| client.request(Method::POST, "/users").json(&body);
    let patch = |body: Value| client.request(Method::PATCH, "/users/me").json(&body);
    assert_eq!(
        fields(client.request(Method::POST, "/users")).await,
        ["action", "user_info"]
    );
    assert_eq!(
        fields(post(json!({"action": "Create", "user_info": {}}))).await,
        ["action", "user_info.email", "user_info.type"]
    );
    let info = json!({"email": "no address", "type": "1", "first_name": "x".repeat(65), "last_name": null});
    let refused = [
        "user_info.email",
        "user_info.first_name",
        "user_info.last_name",
        "user_info.type",
    ];
    assert_eq!(
        fields(post(json!({"action": "create", "user_info": info}))).await,
        refused
    );
    assert_eq!(
        fields(post(json!({"action": "create", "user_info": []}))).await,
        ["user_info"]
    );
    assert_eq!(
        fields(patch(
            json!({"first_name": "研究開発研究", "display_name": 1})
        ))
        .await,
        ["display_name", "first_name"]
    );
    assert_eq!(
        fields(patch(
            json!({"pmi": 123, "use_pmi": 1, "host_key": "12345"})
        ))
        .await,
        ["host_key", "pmi", "use_pmi"]
    );
    assert_eq!(fields(patch(json!({"pmi": "1234567890"}))).await, ["pmi"]);
    assert_eq!(
        fields(patch(json!({"pmi": 1_234_567_890.5}))).await,
        ["pmi"]
    );
    let numbers = json!([{"label": "Office"}, {"label": "Desk", "number": 5}]);
    assert_eq!(
        fields(patch(json!({"phone_numbers": numbers}))).await,
        ["phone_numbers[1].label", "phone_numbers[1].number"]
    );
    assert_eq!(
        fields(patch(json!({"phone_numbers": [{}, {}, {}, {}]}))).await,
        ["phone_numbers"]
    );
    let get = |path: &str| client.request(Method::GET, path);
    assert_eq!(
        fields(get("/users?status=deleted&page_size=2001&page_number=one")).await,
        ["page_size", "status"]
    );
    assert_eq!(fields(get("/users?page_number=one")).await, ["page_number"]);
    assert_eq!(fields(get("/users?page_size=ten")).await, ["page_size"]);
    assert_eq!(
        fields(get("/users?page_size=&status=")).await,
        ["page_size", "status"]
    );
    assert_eq!(
        fields(get("/users/me?login_type=2&encrypted_email=maybe")).await,
        ["encrypted_email", "login_type"]
    );
    assert_eq!(
        fields(get("/users/me/settings?option=all")).await,
        ["option"]
    );
}

#[tokio::test]
async fn ignores_undocumented_members() {
    let client = Client::start().await;
    client
        .get("/users?unknown=%00&next_page_token=&role_id=")
        .await
        .body(200);
    client
        .patch(
            "/users/me",
            &json!({"email": 5, "role_id": [], "type": 2.0}),
        )
        .await
        .empty(204);
    assert_eq!(
        client.get("/users/me").await.body(200)["type"].to_string(),
        "2"
    );
}

#[tokio::test]
async fn bodies_must_be_json_objects() {
    let client = Client::start().await;
    let patch = |media_type: &str| {
        client
            .request(Method::PATCH, "/users/me")
            .header("content-type", media_type)
    };
    for body in ["", "{}"] {
        Answer::of(patch("application/json; charset=utf-8").body(body))
            .await
            .empty(204);
    }
    for body in [
        "[]",
        "null",
        "\"x\"",
        "{",
        "{}{}",
        "\u{feff}{}",
        "{\"dept\":\"\\ud800\"}",
    ] {
        Answer::of(patch("application/json").body(body))
            .await
            .error(400, 300, "valid JSON object");
    }
    for media_type in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/jsonx",
        "",
    ] {
        Answer::of(patch(media_type).body("{}"))
            .await
            .error(400, 300, "Unsupported Content Type");
    }
    let deep = format!(
        "{}{}",
        "{\"feature\":".repeat(500),
        "1".to_owned() + &"}".repeat(500)
    );
    Answer::of(patch("application/json").body(deep))
        .await
        .error(400, 300, "valid JSON object");
}

/// One sandbox for all generated requests, which run on their own runtime.
static RUNTIME: LazyLock<(tokio::runtime::Runtime, Client)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = runtime.block_on(Client::start());
    (runtime, client)
});

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("users".to_owned()),
        Just("groups".to_owned()),
        Just("im".to_owned()),
        Just("members".to_owned()),
        Just("me".to_owned()),
        Just("settings".to_owned()),
        Just("token".to_owned()),
        Just("status".to_owned()),
        Just("picture".to_owned()),
        Just("alan.turing@example.com".to_owned()),
        prop::collection::vec(any::<u8>(), 1..12).prop_map(|bytes| bytes
            .iter()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<Vec<_>>()
            .concat()),
    ];
    let query = prop::collection::vec((0..5_usize, "[ -~]{0,8}"), 0..3);
    (prop::collection::vec(segment, 1..5), query).prop_map(|(segments, query)| {
        let names = [
            "page_size",
            "next_page_token",
            "login_type",
            "custom_query_fields",
            "option",
        ];
        let query: Vec<_> = query
            .into_iter()
            .map(|(name, value)| (names[name], value))
            .collect();
        let query: String = serde_urlencoded::to_string(query).expect("a query");
        format!("/{}?{query}", segments.join("/"))
    })
}

fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("action".to_owned()),
        Just("user_info".to_owned()),
        Just("email".to_owned()),
        Just("type".to_owned()),
        Just("feature".to_owned()),
        Just("webinar".to_owned()),
        Just("members".to_owned()),
        Just("name".to_owned()),
        Just("authentication_option".to_owned()),
        Just("phone_numbers".to_owned()),
        ".{0,6}",
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_requests_do_not_crash(method in 0..5_usize, path in path(), body in body()) {
        let method = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE][method].clone();
        let (runtime, client) = &*RUNTIME;
        let answer = runtime.block_on(Answer::of(client.request(method, &path).json(&body)));
        prop_assert!(answer.status < 500, "{}", answer.text);
        if answer.status >= 400 {
            let error = answer.json();
            prop_assert!(error["code"].is_u64() && error["message"].is_string(), "{error}");
        }
        let still_there = runtime.block_on(client.get("/users/ada.lovelace@example.com"));
        prop_assert_eq!(still_there.status, 200);
    }
}
