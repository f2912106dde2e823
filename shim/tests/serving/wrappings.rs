//! All encodings of parameters, over HTTP, up to the v2 request.

use crate::running::{FORM, KEY, Running, SECRET, json};

/// An id of reserved characters.
const ID: &str = "a/b?c#d%e+f&g=h ë@example.com";
const ID_IN_FORM: &str = "a%2Fb%3Fc%23d%25e%2Bf%26g%3Dh+%C3%AB%40example.com";
const ID_IN_PATH: &str = "a%2Fb%3Fc%23d%25e%2Bf%26g%3Dh%20%C3%AB%40example.com";

fn credentials() -> String {
    format!("api_key={KEY}&api_secret={SECRET}")
}

/// Sends a `user/get` and asserts that v2 receives the user's id.
async fn check(path: &str, content_type: Option<&str>, body: String) {
    let (v2, shim) = Running::with_users().await;
    let mut request = shim.client.post(shim.url(path)).body(body.clone());
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let answer = json(request.send().await.unwrap()).await;
    assert_eq!(
        answer["id"], "u1",
        "{path} {content_type:?} {body}: {answer}"
    );
    assert_eq!(answer["pmi"], 2_035_134_243_u64);
    let mut lines = v2.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            format!("GET /v2/users/{ID_IN_PATH}"),
            format!("GET /v2/users/{ID_IN_PATH}/settings"),
            format!("GET /v2/users/{ID_IN_PATH}/token?type=zak"),
        ]
    );
}

#[tokio::test]
async fn accepts_a_form_body() {
    let form = format!("{}&id={ID_IN_FORM}", credentials());
    for content_type in [
        Some(FORM),
        Some("application/x-www-form-urlencoded; charset=utf-8"),
        Some("application/json"),
        Some("multipart/form-data"),
        Some("text/plain"),
        None,
    ] {
        check("/v1/user/get", content_type, form.clone()).await;
    }
}

#[tokio::test]
async fn accepts_everything_in_the_query() {
    let path = format!("/v1/user/get?{}&id={ID_IN_FORM}", credentials());
    for content_type in [None, Some(FORM), Some("application/json")] {
        check(&path, content_type, String::new()).await;
    }
    check(
        &path,
        Some("application/json"),
        "[\"means nothing\"]".to_owned(),
    )
    .await;
    // If both have a parameter, the query applies.
    check(&path, Some(FORM), "id=other&api_secret=wrong".to_owned()).await;
}

#[tokio::test]
async fn accepts_query_and_body() {
    let path = format!("/v1/user/get?{}", credentials());
    check(&path, Some(FORM), format!("id={ID_IN_FORM}")).await;
}

#[tokio::test]
async fn accepts_a_json_object() {
    let object = serde_json::json!({ "api_key": KEY, "api_secret": SECRET, "id": ID });
    for content_type in ["application/json", "application/json;charset=UTF-8"] {
        check("/v1/user/get", Some(content_type), object.to_string()).await;
    }
}

#[tokio::test]
async fn accepts_multipart_of_powershell() {
    let part = |name: &str, value: &str| {
        format!(
            "--an odd one\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Disposition: form-data; name={name}\r\n\r\n{value}\r\n"
        )
    };
    let body = [("api_key", KEY), ("api_secret", SECRET), ("id", ID)]
        .map(|(name, value)| part(name, value))
        .concat()
        + "--an odd one--\r\n";
    let content_type = "multipart/form-data; boundary=\"an odd one\"";
    check("/v1/user/get", Some(content_type), body).await;
}

#[tokio::test]
async fn accepts_spellings_of_the_path() {
    let form = format!("{}&id={ID_IN_FORM}", credentials());
    for path in ["/v1/user/get/", "/V1/User/GET", "/v1//user/get"] {
        check(path, Some(FORM), form.clone()).await;
    }
    let in_query = format!("/v1/user/get/?{form}");
    check(&in_query, None, String::new()).await;
}

#[tokio::test]
async fn accepts_a_picture_in_every_encoding() {
    let picture: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF+%&=\r\n--\xfe";
    let escaped = percent_encoding::percent_encode(picture, percent_encoding::NON_ALPHANUMERIC);
    let (v2, shim) = Running::with_users().await;

    let mut multipart = Vec::new();
    for (name, value) in [("api_key", KEY), ("api_secret", SECRET), ("id", "u1")] {
        let part =
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        multipart.extend(part.into_bytes());
    }
    multipart.extend(
        b"--B\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; \
          name=pic_file; filename=ada.jpg; filename*=utf-8''ada.jpg\r\n\r\n",
    );
    multipart.extend(picture);
    multipart.extend(b"\r\n--B--\r\n");
    let form = format!("{}&id=u1&pic_file={escaped}", credentials());

    for operation in [
        "user/uploadpicture",
        "user/updatepassword",
        "user/uploadPicture",
    ] {
        for (content_type, body) in [
            ("multipart/form-data; boundary=B", multipart.clone()),
            (FORM, form.clone().into_bytes()),
            ("multipart/form-data", form.clone().into_bytes()),
        ] {
            v2.forget();
            let request = shim
                .client
                .post(shim.url(&format!("/v1/{operation}")))
                .header("content-type", content_type)
                .body(body);
            let answer = json(request.send().await.unwrap()).await;
            assert_eq!(answer["id"], "u1", "{operation} {content_type}: {answer}");
            let seen = v2.seen();
            assert_eq!(v2.lines(), ["POST /v2/users/u1/picture"]);
            let sent = &seen[0].body;
            assert!(
                sent.windows(picture.len()).any(|bytes| bytes == picture),
                "{operation} {content_type}"
            );
        }
    }
}
