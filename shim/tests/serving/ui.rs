//! The pages for the operator.

use reqwest::{Client, Method};
use serde_json::json;

use crate::running::{Answer, Running, ScriptedV2, Setup};

const PAGES: [&str; 5] = [
    "/ui",
    "/ui/traffic",
    "/ui/losses",
    "/ui/exchanges",
    "/ui/differences",
];

#[tokio::test]
async fn empty_pages_say_what_to_switch_on() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::before(&v2).await;
    for (path, hint) in [
        ("/ui", "Point a program at the v1 address"),
        ("/ui/traffic", "Point a program at the v1 address"),
        ("/ui/losses", "strict = true"),
        ("/ui/exchanges", "recent = 100"),
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
async fn pages_show_what_was_served() {
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
    assert!(overview.contains(&v2.base()) && overview.contains("not known to be down"));
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
    assert!(losses.contains("(a name that v1 never had)") && losses.contains(">dept<"));
    let (_, operation) = shim.ops("/ui/operation/user/update").await;
    assert!(operation.contains("id=\"track_id\""), "{operation}");
    // Only as many exchanges as asked for, the newest first.
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
async fn pages_reload_only_if_asked() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::before(&v2).await;
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
async fn what_clients_and_v2_say_stays_text() {
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
async fn a_page_of_another_site_reads_and_does_nothing() {
    let v2 = ScriptedV2::with_users().await;
    let setup = Setup {
        file: "[ui]\nhosts = [\"Shim.example.com\"]\n".to_owned(),
        ..Setup::default()
    };
    let shim = Running::with(&v2, setup).await;
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
    // Who calls is nobody else's business either, also where no ledger is kept.
    assert_eq!(status("/usage", "evil.example.com").await, 421);
    assert_eq!(status("/usage", "localhost:9090").await, 404);
    // Two names, or another one in the URI.
    let url = shim.ops_url("/ui");
    let twice = shim.client.get(&url).header("host", "localhost");
    let twice = twice.header("host", "evil.example.com").send().await;
    assert_eq!(twice.unwrap().status(), 400);
    let http2 = Client::builder().no_proxy().tls_certs_only([]);
    let http2 = http2.http2_prior_knowledge().build().unwrap();
    assert_eq!(http2.get(&url).send().await.unwrap().status(), 200);
    // What probes and Prometheus read is reached by any name, as before.
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
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
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
async fn pages_load_nothing_from_elsewhere() {
    let v2 = ScriptedV2::with_users().await;
    let shim = Running::before(&v2).await;
    shim.call("user/get", &[("id", "u1")]).await;
    for path in PAGES {
        let (_, page) = shim.ops(path).await;
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
