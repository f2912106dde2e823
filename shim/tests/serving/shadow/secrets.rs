//! Secrets in compared answers.

use super::*;

#[tokio::test]
async fn differences_contain_no_secrets() {
    const PASSWORD: &str = "Pass hush&word1";
    let quote = |seen: &crate::running::v2::Seen| {
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        format!(
            "{} {body} {PASSWORD} https://x.example.com/?hush",
            seen.authorization
        )
    };
    let v2 = ScriptedV2::start(move |seen| {
        let quoted = quote(&seen);
        async move {
            match seen.path().rsplit('/').next() {
                Some("token") => Answer::json(200, &json!({ "token": "a-hush-zak" })),
                Some("settings") => seen.usual(),
                _ if seen.method == "GET" => Answer::json(
                    200,
                    &json!({ "id": "u1", "email": "ada@example.com", "type": 1, "dept": quoted }),
                ),
                _ => Answer::json(400, &json!({ "code": 300, "message": quoted })),
            }
        }
    })
    .await;
    let shadow = ScriptedV2::start(move |seen| {
        let quoted = quote(&seen);
        async move {
            Answer::json(
                200,
                &json!({ "id": "u1", "email": "ada@example.com", "type": 1, "dept": quoted, "zak": "another-hush-zak",
                    "password": "hush", "last_name": "hush-own-secret hush-v1-secret",
                    "more": { "access_token": "hush" } }),
            )
        }
    })
    .await;
    let own = "api_key = \"own-key\"\napi_secret = \"hush-own-secret\"\nmappings = \"unused\"\n";
    let setup = Setup {
        file: format!("[shadow]\nurl = \"{}\"\n{own}", shadow.base()),
        environment: vec![
            ("SHIM_API_SECRET", "hush-v1-secret".to_owned()),
            ("SHIM_UPSTREAM_TOKEN", "a-hush-token".to_owned()),
        ],
        shadow_mappings: Some(changed()),
        recent: 10,
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    for operation in [
        "user/get",
        "user/updatepassword",
        "user/update",
        "user/autocreate",
    ] {
        let form = [
            ("api_key", KEY),
            ("api_secret", "hush-v1-secret"),
            ("id", "u1"),
            ("email", "a@example.com"),
            ("type", "1"),
            ("password", PASSWORD),
            ("dept", "hush-v1-secret and Pass hush&word1"),
            ("disable_private_chat", "true"),
            ("hush-name", "hush"),
        ];
        let url = shim.url(&format!("/v1/{operation}"));
        shim.client.post(url).form(&form).send().await.unwrap();
    }
    shim.shadowed(4).await;
    shim.settle().await;
    let mut pages = vec!["/differences".to_owned(), "/ui/differences".to_owned()];
    let (_, list) = shim.ops("/ui/exchanges").await;
    for link in list.split("href=\"").skip(1) {
        let path = link.split('"').next().unwrap();
        pages.extend(path.starts_with("/ui/exchanges/").then(|| path.to_owned()));
    }
    assert_eq!(pages.len(), 6, "{pages:?}");
    pages.extend(["/ui", "/ui/traffic", "/ui/losses", "/metrics"].map(str::to_owned));
    for path in pages {
        let (status, text) = shim.ops(&path).await;
        assert_eq!(status, 200, "{path}");
        assert!(!text.contains("hush"), "{path}: {text}");
        // The overview lists tenants by key.
        let names_key = path != "/ui" && text.contains(KEY);
        assert!(!names_key && !text.contains("own-key"), "{path}: {text}");
    }
    assert!(
        fields(&shim).await.contains_key("user/get more"),
        "{:?}",
        fields(&shim).await
    );
}
