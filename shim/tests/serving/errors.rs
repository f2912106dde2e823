//! Errors returned without a call to v2.

use crate::running::{FORM, KEY, Running, SECRET, ScriptedV2, show};

/// With a declared charset, invalid bytes are an error.
const UTF_8_FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// Returns the response to a body; asserts that v2 is not called.
async fn answer(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> String {
    let (v2, shim) = Running::with_users().await;
    let request = shim
        .client
        .post(shim.url(path))
        .header("content-type", content_type)
        .body(body.into());
    let shown = show(request.send().await.unwrap()).await;
    assert_eq!(v2.lines(), [""; 0]);
    shown
}

fn form(parameters: &str) -> String {
    format!("api_key={KEY}&api_secret={SECRET}&{parameters}")
}

const MISSING: &str = r#"200 application/json;charset=UTF-8
{"error":{"code":300,"message":"Api key and secret are required."}}"#;
const WRONG: &str = r#"200 application/json;charset=UTF-8
{"error":{"code":200,"message":"Invalid api key or secret"}}"#;

#[tokio::test]
async fn rejects_missing_and_wrong_credentials() {
    for (body, expected) in [
        (String::new(), MISSING),
        (format!("api_key={KEY}&id=u1"), MISSING),
        (format!("api_secret={SECRET}&id=u1"), MISSING),
        (format!("api_key={KEY}&api_secret=&id=u1"), MISSING),
        (format!("api_key={KEY}&api_secret=wrong&id=u1"), WRONG),
        (format!("api_key=wrong&api_secret={SECRET}&id=u1"), WRONG),
        (format!("api_key={SECRET}&api_secret={KEY}&id=u1"), WRONG),
    ] {
        assert_eq!(
            answer("/v1/user/get", FORM, body.clone()).await,
            expected,
            "{body}"
        );
    }
}

#[tokio::test]
async fn rejects_unknown_and_unserved_operations() {
    let answers = [
        answer("/v1/user/me", FORM, form("")).await,
        answer("/v1/", FORM, form("data_type=xml")).await,
        answer("/v2/users", FORM, form("")).await,
        answer("/v1/meeting/create", FORM, form("host_id=u1")).await,
    ];
    insta::assert_snapshot!(answers.join("\n"));
    let long = format!("/v1/{}", "x".repeat(5000));
    assert!(answer(&long, FORM, form("")).await.len() < 300);
}

#[tokio::test]
async fn rejects_other_methods() {
    let (_v2, shim) = Running::with_users().await;
    for path in ["/v1/user/get?data_type=json", "/v1/user/me", "/v1/nothing"] {
        for method in ["GET", "PUT", "DELETE", "BREW"] {
            let request = shim.client.request(method.parse().unwrap(), shim.url(path));
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["allow"], "POST");
            assert_eq!(
                show(response).await,
                "405 application/json;charset=UTF-8\n\
                 {\"error\":{\"code\":405,\"message\":\"Use POST.\"}}"
            );
        }
    }
    let xml = shim.client.get(shim.url("/v1/user/get?data_type=XML"));
    let xml = show(xml.send().await.unwrap()).await;
    assert!(xml.contains("<error><code>405</code>"), "{xml}");
    assert!(
        shim.records().contains(
            &"None served=false error=Some(405) calls=0 unknown=0 {} losses=[]".to_owned()
        )
    );
}

#[tokio::test]
async fn rejects_invalid_parameters_and_bodies() {
    let get = "/v1/user/get";
    let update = "/v1/user/update";
    let no_parts = "--b\r\nContent-Disposition: form-data\r\n\r\n";
    let answers = [
        answer(get, FORM, form("")).await,
        answer(update, FORM, form("id=u1&disable_chat=perhaps")).await,
        answer(
            update,
            UTF_8_FORM,
            form("id=u1&dept=M%FCnchen&data_type=xml"),
        )
        .await,
        answer(get, "multipart/form-data; boundary=b", "--b\r\nContent-").await,
        answer(get, "multipart/form-data", no_parts).await,
        answer(get, "application/json", "{\"api_key\":").await,
        answer("/v1/user/get?data_type=XML", "application/json", "[]").await,
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

#[tokio::test]
async fn rejects_a_large_body() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_limits(&v2, |limits| limits.body_bytes = 2000).await;
    for size in [2001, 7000, 100_000] {
        let request = shim
            .client
            .post(shim.url("/v1/user/get"))
            .body(vec![b'x'; size]);
        assert_eq!(
            show(request.send().await.unwrap()).await,
            "200 application/json;charset=UTF-8\n\
             {\"error\":{\"code\":300,\"message\":\"The request is too large.\"}}"
        );
    }
}

#[tokio::test]
async fn records_outcome_calls_and_losses() {
    let (_v2, shim) = Running::with_users().await;
    for (operation, parameters) in [
        (
            "user/get",
            &[("id", "u1"), ("dept", "x"), ("no_such", "y")][..],
        ),
        (
            "user/update",
            &[("id", "u1"), ("track_id", "7"), ("dept", "x")],
        ),
        ("meeting/create", &[]),
        ("user/get", &[]),
    ] {
        shim.call(operation, parameters).await;
    }
    insta::assert_snapshot!(shim.records().join("\n"));
}
