//! The sandbox over HTTP: access tokens, passwords, meeting tokens, pictures.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use std::time::Duration;

use client::{Answer, Client};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use shim_sandbox::{ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, SandboxConfig};

const ADA: &str = "/users/ada.lovelace@example.com";
const GRANT: [(&str, &str); 2] = [
    ("grant_type", "account_credentials"),
    ("account_id", ACCOUNT_ID),
];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and more";

async fn fresh_token(client: &Client) -> String {
    let request = client
        .token_request()
        .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
        .query(&GRANT);
    let answer = Answer::of(request).await.body(200);
    assert_eq!(
        (&answer["token_type"], answer["scope"].is_string()),
        (&json!("bearer"), true)
    );
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn issued_token_grants_access() {
    let client = Client::start().await;
    let (one, two) = (fresh_token(&client).await, fresh_token(&client).await);
    assert_ne!(one, two);
    for token in [&one, &two] {
        Answer::of(client.bare(Method::GET, "/users").bearer_auth(token))
            .await
            .body(200);
    }
}

#[tokio::test]
async fn accepts_token_request_as_form() {
    let client = Client::start().await;
    let basic = client
        .token_request()
        .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
        .form(&GRANT);
    assert_eq!(Answer::of(basic).await.body(200)["expires_in"], 3600);
    let form = [
        GRANT[0],
        GRANT[1],
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
    ];
    Answer::of(client.token_request().form(&form))
        .await
        .body(200);
}

#[tokio::test]
async fn rejects_wrong_credentials() {
    let client = Client::start().await;
    let refused = async |request: reqwest::RequestBuilder| {
        Answer::of(request).await.body(400)["error"].clone()
    };
    let request = || client.token_request().query(&GRANT);
    assert_eq!(refused(request()).await, "invalid_client");
    assert_eq!(
        refused(request().basic_auth(CLIENT_ID, Some("wrong"))).await,
        "invalid_client"
    );
    assert_eq!(
        refused(request().header("authorization", "Basic %%%")).await,
        "invalid_client"
    );
    let request = || {
        client
            .token_request()
            .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
    };
    assert_eq!(
        refused(request().query(&[("grant_type", "password")])).await,
        "unsupported_grant_type"
    );
    assert_eq!(
        refused(request().query(&[GRANT[0], ("account_id", "other")])).await,
        "invalid_request"
    );
}

#[tokio::test]
async fn requires_a_valid_token() {
    let client = Client::with(SandboxConfig {
        access_token_lifetime: Duration::ZERO,
        ..SandboxConfig::default()
    })
    .await;
    let users = || client.bare(Method::GET, "/users");
    Answer::of(users())
        .await
        .error(401, 124, "Invalid access token.");
    Answer::of(users().bearer_auth("nonsense"))
        .await
        .error(401, 124, "Invalid access token.");
    Answer::of(users().basic_auth("sandbox-token", Some("")))
        .await
        .error(401, 124, "Invalid access token.");
    let expired = fresh_token(&client).await;
    Answer::of(users().bearer_auth(expired))
        .await
        .error(401, 124, "Access token is expired.");
    Answer::of(users().header("authorization", "bEaReR sandbox-token"))
        .await
        .body(200);
}

#[tokio::test]
async fn enforces_password_rules() {
    let client = Client::start().await;
    let put = async |password: &str| {
        client
            .put(&format!("{ADA}/password"), &json!({"password": password}))
            .await
    };
    put("Xk7!ppQ2z").await.empty(204);
    for (password, code, words) in [
        ("Xk7!ppQ2z", 300, "can not match the old"),
        ("Xk7pp", 1124, "at least 8"),
        ("", 1124, "at least 8"),
        ("1357913579", 1125, "1 letter"),
        ("Qwrtpsdfg", 1126, "1 number"),
        ("xk7ppq2zz", 1128, "Upper case and Lower case"),
        ("aaaaaaaaaa", 1130, "same character"),
        ("Xaabcdef1", 1131, "continuation"),
        ("X1234567x", 1131, "continuation"),
        ("Password1", 1136, "too easy"),
        (
            "Xk7!ppQ2zXk7!ppQ2zXk7!ppQ2zXk7!ppQ2z",
            300,
            "Invalid parameter: password",
        ),
    ] {
        put(password).await.error(400, code, words);
    }
    put("Ünïcødé 7 is fine").await.empty(204);
    let strict = Client::with(SandboxConfig {
        special_character_required: true,
        ..SandboxConfig::default()
    })
    .await;
    let plain = json!({"password": "Xk7ppQ2zz"});
    strict
        .put(&format!("{ADA}/password"), &plain)
        .await
        .error(400, 1127, "special character");
}

#[tokio::test]
async fn zak_is_a_jwt_and_legacy_token_is_gone() {
    let client = Client::start().await;
    let token = async |path: &str| {
        client.get(path).await.body(200)["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    assert!(
        token(&format!("{ADA}/token"))
            .await
            .contains("no longer supported")
    );
    assert!(
        token(&format!("{ADA}/token?type=token"))
            .await
            .contains("no longer supported")
    );
    for path in [
        format!("{ADA}/token?type=zak"),
        format!("{ADA}/token?type=onbehalf&ttl=60"),
        "/users/me/zak".to_owned(),
    ] {
        let zak = token(&path).await;
        let parts: Vec<_> = zak.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert!(parts[0].starts_with("eyJ") && parts[1].starts_with("eyJ") && zak.len() <= 512);
    }
    client
        .get(&format!("{ADA}/token?type=zak&ttl=31536001"))
        .await
        .error(400, 300, "Validation Failed");
    client
        .get(&format!("{ADA}/token?type=zpk"))
        .await
        .error(400, 300, "Validation Failed");
    client.delete(&format!("{ADA}/token")).await.empty(204);
}

#[tokio::test]
async fn checks_pictures_by_signature() {
    let client = Client::start().await;
    let upload = async |bytes: Vec<u8>| {
        let form = Form::new().part("pic_file", Part::bytes(bytes).file_name("ada.png"));
        Answer::of(
            client
                .request(Method::POST, &format!("{ADA}/picture"))
                .multipart(form),
        )
        .await
    };
    let pic_url = async || client.get(ADA).await.body(200).get("pic_url").cloned();
    let before = pic_url().await;
    assert_eq!(upload(PNG.to_vec()).await.body(201), json!({}));
    assert_ne!(pic_url().await, before);
    upload(b"\xff\xd8\xff\xe0 JFIF".to_vec()).await.body(201);
    upload(Vec::new()).await.error(400, 120, "File is empty");
    upload(b"GIF89a".to_vec())
        .await
        .error(400, 120, "Only jpg/jpeg or png");
    let large = |size: usize| PNG.iter().copied().cycle().take(size).collect();
    upload(large(2 * 1024 * 1024)).await.body(201);
    upload(large(2 * 1024 * 1024 + 1))
        .await
        .error(400, 120, "cannot exceed 2M");
    upload(large(4 * 1024 * 1024))
        .await
        .error(400, 120, "cannot exceed 2M");
    client.delete(&format!("{ADA}/picture")).await.empty(204);
    assert_eq!(pic_url().await, None);
}

#[tokio::test]
async fn rejects_upload_without_a_picture() {
    let client = Client::start().await;
    let post = || client.request(Method::POST, &format!("{ADA}/picture"));
    let other = Form::new().text("other", "x");
    Answer::of(post().multipart(other))
        .await
        .error(400, 300, "Validation Failed");
    Answer::of(post())
        .await
        .error(400, 300, "could not be read");
    let broken = post()
        .header("content-type", "multipart/form-data")
        .body("pic_file=x");
    Answer::of(broken)
        .await
        .error(400, 300, "could not be read");
    let cut = post()
        .header("content-type", "multipart/form-data; boundary=x")
        .body("--x\r\nContent-Disp");
    Answer::of(cut).await.error(400, 300, "could not be read");
}
