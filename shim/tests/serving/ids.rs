//! Ids are data: they reach v2 as one path segment, or not at all.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::running::{FORM, KEY, Running, SECRET, json};

async fn ask(shim: &Running, operation: &str, parameter: &str, id: &str) -> serde_json::Value {
    let id = percent_encode(id.as_bytes(), NON_ALPHANUMERIC);
    let request = shim
        .client
        .post(shim.url(&format!("/v1/{operation}")))
        .header("content-type", FORM)
        .body(format!(
            "api_key={KEY}&api_secret={SECRET}&{parameter}={id}"
        ));
    json(request.send().await.unwrap()).await
}

#[tokio::test]
async fn ids_stay_one_path_segment() {
    let (v2, shim) = Running::with_users().await;
    let long = "x".repeat(10 * 1024);
    for id in [
        "a/b",
        "/",
        "//",
        "../..",
        "../users",
        "..%2f..",
        "%2e%2e",
        "%2E",
        "a?b=c",
        "a#b",
        "a%b",
        "a+b",
        "a&b",
        "a b",
        " ",
        "Zoë@example.com",
        "研究@example.com",
        "a\r\nX-Header: y",
        "a\0b",
        "\u{feff}",
        "...",
        "\\",
        "a;b",
        "http://example.net/",
        "me2",
        &long,
    ] {
        for (operation, parameter) in [
            ("user/get", "id"),
            ("user/getbyemail", "email"),
            ("user/revoketoken", "email"),
            ("user/permanentdelete", "id"),
            ("user/scheduleforhost/list", "host_email"),
        ] {
            v2.forget();
            ask(&shim, operation, parameter, id).await;
            for seen in v2.seen() {
                let mut segments = seen.path().split('/').skip(1);
                assert_eq!(segments.next(), Some("v2"));
                assert_eq!(segments.next(), Some("users"), "{operation} {id:?}");
                let user = segments.next().unwrap();
                let decoded = percent_decode_str(user).decode_utf8().unwrap();
                assert!(
                    decoded == id || decoded == id.trim(),
                    "{operation} {id:?}: {user}"
                );
                assert!(segments.count() <= 2, "{operation} {id:?}: {}", seen.uri);
            }
        }
    }
}

#[tokio::test]
async fn accepts_a_long_query() {
    let (_v2, shim) = Running::with_users().await;
    let long = "%C3%A9".repeat(10 * 1024);
    let query = format!("api_key={KEY}&api_secret={SECRET}");
    for (parameters, code) in [
        (format!("id=u1&memo={long}"), None),
        (format!("id={long}"), Some(300)),
    ] {
        let url = shim.url(&format!("/v1/user/get?{query}&{parameters}"));
        let answer = json(shim.client.post(url).send().await.unwrap()).await;
        assert_eq!(answer["error"]["code"].as_i64(), code, "{answer}");
    }
}

#[tokio::test]
async fn rejects_invalid_ids_without_a_v2_call() {
    let (v2, shim) = Running::with_users().await;
    for id in [".", "..", "me", "ME"] {
        for operation in ["user/get", "user/update", "user/delete", "user/revoketoken"] {
            let answer = ask(&shim, operation, "id", id).await;
            assert_eq!(answer["error"]["code"], 1001, "{operation} {id}: {answer}");
        }
    }
    let answer = ask(&shim, "user/get", "id", "").await;
    assert_eq!(answer["error"]["code"], 300, "{answer}");
    assert_eq!(v2.lines(), [""; 0]);
}
