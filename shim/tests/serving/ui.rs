//! The operations pages.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use reqwest::{Client, Method};
use serde_json::json;
use shim::{
    Dependencies,
    state::{AnswerCache, State},
};

use crate::running::{Answer, Running, ScriptedV2, Setup};

const PAGES: [&str; 8] = [
    "/ui",
    "/ui/callers",
    "/ui/traffic",
    "/ui/losses",
    "/ui/exchanges",
    "/ui/unfinished",
    "/ui/differences",
    "/ui/deliveries",
];

/// The only script, and the only form, which it belongs to.
const OWN_SCRIPT: &str = "<script src=\"/ui/live.js\" defer></script>";
const OWN_FORM: &str = "<form class=\"search\" method=\"get\" action=\"/ui/exchanges\">";

#[tokio::test]
async fn empty_pages_explain_what_to_configure() {
    let (_v2, shim) = Running::with_users().await;
    for (path, hint) in [
        ("/ui", "Point a program at the v1 address"),
        ("/ui/traffic", "Point a program at the v1 address"),
        ("/ui/losses", "strict = true"),
        ("/ui/callers", "[ledger]"),
        ("/ui/exchanges", "recent = 100"),
        ("/ui/unfinished", "No write is unfinished"),
        ("/ui/differences", "[shadow]"),
        ("/ui/deliveries", "[webhooks]"),
    ] {
        let (status, text) = shim.ops(path).await;
        assert_eq!(status, 200);
        assert!(text.contains(hint), "{path}: {text}");
        assert_eq!(text.matches("aria-current=\"page\"").count(), 1, "{path}");
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
    }
    assert_eq!(shim.ops("/ui/nothing").await.0, 404);
    assert_eq!(shim.ops("/ui/operation/no/such").await.0, 404);
    assert_eq!(shim.ops("/ui/exchanges/no-such").await.0, 404);
    let (_, json) = shim.ops("/differences").await;
    assert_eq!(json, "{\"shadow\":null}");
}

#[tokio::test]
async fn pages_show_served_requests() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        recent: 2,
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    shim.call("user/get", &[]).await;
    shim.call("user/get", &[("id", "u1"), ("nobody", "x"), ("dept", "x")])
        .await;
    shim.call(
        "user/update",
        &[("id", "u1"), ("dept", "x"), ("track_id", "7")],
    )
    .await;
    shim.settle().await;

    let (_, overview) = shim.ops("/ui").await;
    assert!(overview.contains(&v2.base()) && overview.contains(">Ready<"));
    let (_, traffic) = shim.ops("/ui/traffic").await;
    assert!(
        traffic.contains("href=\"/ui/operation/user/get\""),
        "{traffic}"
    );
    assert!(traffic.contains("1 <small>50.0 %</small>"), "{traffic}");
    let (_, losses) = shim.ops("/ui/losses").await;
    assert!(
        losses.contains("href=\"/ui/operation/user/update#track_id\""),
        "{losses}"
    );
    assert!(losses.contains("(not a name of v1)") && losses.contains(">dept<"));
    let (_, operation) = shim.ops("/ui/operation/user/update").await;
    assert!(operation.contains("id=\"track_id\""), "{operation}");
    // Only as many exchanges as configured, newest first.
    let (_, list) = shim.ops("/ui/exchanges").await;
    let links: Vec<_> = list.split("href=\"/ui/exchanges/").skip(1).collect();
    assert_eq!(links.len(), 2);
    let id = links[0].split('"').next().unwrap();
    let (status, detail) = shim.ops(&format!("/ui/exchanges/{id}")).await;
    assert_eq!(status, 200);
    assert!(
        detail.contains("PATCH") && detail.contains("track_id"),
        "{detail}"
    );
}

#[tokio::test]
async fn root_redirects_to_the_pages() {
    let (_v2, shim) = Running::with_users().await;
    let response = shim.client.get(shim.ops_url("/")).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (303, &"/ui".parse().unwrap())
    );
}

#[tokio::test]
async fn overview_shows_problems_first() {
    let v2 = ScriptedV2::start(|seen| async move {
        if seen.path().ends_with("/token") && seen.method == "POST" {
            let said = json!({ "reason": "Invalid client_id or client_secret", "error": "invalid_client" });
            return Answer::json(400, &said);
        }
        Answer::json(503, &json!({}))
    })
    .await;
    let file = format!(
        r#"
        [upstream]
        oauth_url = "{}"
        [[tenant]]
        api_key = "without"
        api_secret = "s"
        oauth = {{ account_id = "a", client_id = "c", client_secret = "hush" }}
        [[tenant]]
        api_key = "with"
        api_secret = "s"
        token = "t"
        "#,
        v2.oauth()
    );
    let shim = Running::with_tenants(&v2, file).await;
    let request = [("api_key", "with"), ("api_secret", "s"), ("id", "u1")];
    let url = format!("http://{}/v1/user/get", shim.address);
    let response = shim.client.post(url).form(&request).send().await.unwrap();
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let (_, page) = shim.ops("/ui").await;
    let (first, _) = page.split_once("class=\"facts\"").unwrap();
    for said in [
        "Ready, with trouble",
        "Tenant without has no v2 token",
        "HTTP 400: invalid_client: Invalid client_id or client_secret",
        "Last trouble: <a href=\"/ui/operation/user/get\"",
        "GET /users/{userId}: HTTP 503",
        &id,
    ] {
        assert!(first.contains(said), "{said}: {first}");
    }
    assert!(!page.contains("hush"), "{page}");
}

#[tokio::test]
async fn missing_scopes_list_affected_operations() {
    let v2 = ScriptedV2::start(|seen| async move {
        let granted =
            json!({ "access_token": "t", "expires_in": 3600, "scope": "user:read:admin" });
        if seen.path().ends_with("/token") {
            return Answer::json(200, &granted);
        }
        seen.usual()
    })
    .await;
    let environment = vec![
        ("SHIM_OAUTH_URL", v2.oauth()),
        ("SHIM_OAUTH_ACCOUNT_ID", "a".to_owned()),
        ("SHIM_OAUTH_CLIENT_ID", "c".to_owned()),
        ("SHIM_OAUTH_CLIENT_SECRET", "s".to_owned()),
        ("SHIM_TENANT_OPERATIONS", "user/get,user/delete".to_owned()),
    ];
    let setup = Setup {
        environment,
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let (_, page) = shim.ops("/ui").await;
    assert!(
        page.contains("<code>user:delete:user:admin</code>: user/delete"),
        "{page}"
    );
    let scopes = &shim.status().await["tokens"][0]["missing_scopes"];
    assert!(
        scopes
            .as_array()
            .unwrap()
            .contains(&json!("user:delete:user:admin")),
        "{scopes}"
    );
}

#[tokio::test]
async fn exchanges_show_callers_and_can_be_searched() {
    let (_v2, shim) = Running::with_users().await;
    let response = shim.form("user/get", &[("id", "u1")]).send().await.unwrap();
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    shim.call("user/get", &[]).await;
    let wrong = [("api_key", "nobody"), ("api_secret", "s")];
    let url = format!("http://{}/v1/user/list", shim.address);
    shim.client.post(url).form(&wrong).send().await.unwrap();

    let rows = async |query: &str| {
        let (status, list) = shim.ops(&format!("/ui/exchanges/list{query}")).await;
        assert_eq!(status, 200);
        assert!(
            !list.contains("<html") && !list.contains("nobody"),
            "{list}"
        );
        (list.matches("scope=\"row\"").count(), list)
    };
    let (all, list) = rows("").await;
    assert_eq!(all, 3);
    assert!(
        list.contains(&id) && list.contains("a-test-key <small>127.0.0.1</small>"),
        "{list}"
    );
    assert_eq!(rows(&format!("?find={id}")).await.0, 1);
    assert_eq!(rows("?find=A-TEST-KEY").await.0, 2);
    assert_eq!(rows("?find=user%2Fget+300").await.0, 1);
    assert_eq!(rows("?outcome=refused").await.0, 1);
    assert_eq!(rows("?find=no-such-text").await.0, 0);
    // The page contains the same list, for browsers without scripts.
    let (_, page) = shim.ops("/ui/exchanges?outcome=refused").await;
    assert_eq!(page.matches("scope=\"row\"").count(), 1, "{page}");
    assert!(
        page.contains("<option value=\"refused\" selected>"),
        "{page}"
    );
}

#[tokio::test]
async fn unfinished_writes_are_listed_until_completed() {
    /// One state for both shims, as replicas share it.
    static STATE: OnceLock<State> = OnceLock::new();
    let works = Arc::new(AtomicBool::new(false));
    let is_fixed = Arc::clone(&works);
    let v2 = ScriptedV2::start(move |seen| {
        let is_fixed = is_fixed.load(Ordering::SeqCst);
        async move {
            match (seen.method.as_str(), seen.path().rsplit('/').next()) {
                ("PATCH", Some("settings")) if !is_fixed => Answer::json(500, &json!({})),
                _ => seen.usual(),
            }
        }
    })
    .await;
    let setup = || Setup {
        dependencies: |limits| {
            let new = || State::in_memory(AnswerCache::from(limits)).unwrap();
            Dependencies::with(STATE.get_or_init(new).clone())
        },
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup()).await;
    let replica = Running::with(&v2, setup()).await;
    let update = async |shim: &Running, id: &str| {
        let parameters = [("id", id), ("dept", "x"), ("disable_chat", "true")];
        shim.call("user/update", &parameters).await
    };
    update(&shim, "u1").await;
    update(&shim, "u1").await;
    update(&shim, "u2").await;
    let rows = async || {
        let (_, page) = shim.ops("/ui/unfinished").await;
        (page.matches("scope=\"row\"").count(), page)
    };
    let (count, page) = rows().await;
    assert_eq!(count, 2, "a repeated write is one: {page}");
    for text in [
        "PATCH /users/{userId}/settings: HTTP 500",
        "a-test-key",
        "completes it",
    ] {
        assert!(page.contains(text), "{page}");
    }
    works.store(true, Ordering::SeqCst);
    update(&shim, "u1").await;
    assert_eq!(rows().await.0, 1);
    update(&replica, "u2").await;
    let (count, page) = rows().await;
    assert_eq!(count, 0, "{page}");
    assert!(page.contains("No write is unfinished"), "{page}");
}

#[tokio::test]
async fn pages_reload_only_on_request() {
    let (_v2, shim) = Running::with_users().await;
    let (_, page) = shim.ops("/ui").await;
    assert!(!page.contains("http-equiv"));
    let (_, page) = shim.ops("/ui?refresh").await;
    assert!(
        page.contains("http-equiv=\"refresh\" content=\"10\""),
        "{page}"
    );
    assert!(page.contains("href=\"/ui\">Stop reloading"), "{page}");
}

#[tokio::test]
async fn escapes_text_of_clients_and_v2() {
    let long = "x".repeat(10_000);
    let hostile = format!(
        "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;\u{202e}\u{200b}\u{7}\u{1b}[2J{long}"
    );
    let said = hostile.clone();
    let v2 = ScriptedV2::start(move |seen| {
        let said = said.clone();
        async move {
            match seen.path().rsplit('/').next() {
                Some("settings" | "token") => seen.usual(),
                _ => Answer::json(200, &json!({ "id": "u1", "dept": &said, &said: &said })),
            }
        }
    })
    .await;
    let said = hostile.clone();
    let shadow = ScriptedV2::start(move |_| {
        let answer = Answer::json(
            200,
            &json!({ "id": &said, &said: [{ "id": &said, "x": &said }] }),
        );
        async { answer }
    })
    .await;
    let setup = Setup {
        file: format!(
            "[shadow]\nurl = \"{}\"\nforward_credentials = true\n",
            shadow.base()
        ),
        recent: 20,
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
    let send = |operation: &str| {
        shim.form(
            operation,
            &[("id", "u1"), ("dept", &hostile), (&hostile, &hostile)],
        )
        .header("user-agent", "<script>alert(1)</script>")
        .send()
    };
    send("user/get").await.unwrap();
    send("user/update").await.unwrap();
    send("%3Cscript%3Ealert(1)%3C/script%3E").await.unwrap();
    shim.shadowed(2).await;
    shim.differs().await;
    shim.settle().await;

    let mut pages: Vec<_> = PAGES.map(str::to_owned).into();
    let (_, list) = shim.ops("/ui/exchanges").await;
    for link in list.split("href=\"").skip(1) {
        let path = link.split('"').next().unwrap();
        pages.extend(path.starts_with("/ui/exchanges/").then(|| path.to_owned()));
    }
    assert_eq!(pages.len(), PAGES.len() + 2);
    pages.push("/ui/operation/<script>alert(1)<%2Fscript>".to_owned());
    pages.push("/ui/exchanges/<script>".to_owned());
    pages.push("/ui?refresh=\"><script>alert(1)</script>".to_owned());
    let mut is_shown = false;
    for path in pages {
        let (_, page) = shim.ops(&path).await;
        let page = page.replace(OWN_SCRIPT, "");
        is_shown |= page.contains("&lt;script&gt;alert(1)");
        for bad in ["<script", "<img", "\u{202e}", "\u{200b}", "\u{7}", "\u{1b}"] {
            assert!(!page.contains(bad), "{path}: {bad:?} in {page}");
        }
        assert!(!page.contains(&"x".repeat(3000)), "{path} shows all of it");
        assert!(page.len() < 200_000, "{path}: {}", page.len());
    }
    assert!(is_shown, "the values are on no page");
}

#[tokio::test]
async fn rejects_requests_of_other_sites() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::with_file(&v2, "[ui]\nhosts = [\"Shim.example.com\"]\n").await;
    let status = async |path: &str, host: &str| {
        let url = shim.ops_url(path);
        let request = shim.client.get(url).header("host", host);
        request.send().await.unwrap().status().as_u16()
    };
    for path in PAGES.into_iter().chain(["/differences", "/ui/style.css"]) {
        assert_eq!(status(path, "evil.example.com").await, 421, "{path}");
        assert_eq!(status(path, "127.0.0.1.evil.example.com:9090").await, 421);
        assert_eq!(status(path, "localhost:9090").await, 200);
        assert_eq!(status(path, "[::1]:9090").await, 200);
        assert_eq!(status(path, "shim.example.com").await, 200);
    }
    // `/usage` and `/rollouts` are protected, too, even without a ledger.
    assert_eq!(status("/usage", "evil.example.com").await, 421);
    assert_eq!(status("/usage", "localhost:9090").await, 404);
    // Two host names, or another one in the URI.
    let url = shim.ops_url("/ui");
    let twice = shim.client.get(&url).header("host", "localhost");
    let twice = twice.header("host", "evil.example.com").send().await;
    assert_eq!(twice.unwrap().status(), 400);
    let http2 = Client::builder().no_proxy().tls_certs_only([]);
    let http2 = http2.http2_prior_knowledge().build().unwrap();
    assert_eq!(http2.get(&url).send().await.unwrap().status(), 200);
    // Health checks and metrics accept any host name.
    assert_eq!(status("/healthz", "shim.internal").await, 200);

    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let request = shim.client.request(method, shim.ops_url("/ui"));
        assert_eq!(request.send().await.unwrap().status(), 405);
    }
    for path in ["/ui", "/ui/nothing", "/differences", "/ui/style.css"] {
        let response = shim.client.get(shim.ops_url(path)).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(
            response
                .headers()
                .get("access-control-allow-origin")
                .is_none()
        );
        assert!(response.headers().get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn pages_load_no_external_resources() {
    let (_v2, shim) = Running::with_users().await;
    shim.call("user/get", &[("id", "u1")]).await;
    for path in PAGES {
        let (_, page) = shim.ops(path).await;
        let page = page.replace(OWN_SCRIPT, "").replace(OWN_FORM, "");
        for attribute in ["href=\"", "src=\""] {
            for address in page.split(attribute).skip(1) {
                let is_own = address.starts_with('/') && !address.starts_with("//");
                assert!(is_own || address.starts_with('#'), "{path}: {address}");
            }
        }
        for active in [
            "<script",
            " style=",
            " onload=",
            " onclick=",
            "<form",
            "<iframe",
        ] {
            assert!(!page.contains(active), "{path}: {active}");
        }
    }
}
