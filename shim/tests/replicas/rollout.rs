//! The share of a rollout at replicas, and after a restart.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, response::IntoResponse as _};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    redis_server::Server,
    site::{SECRET, Site, client, on_redis, on_sqlite, send, soon},
    v2::V2,
};

const USER: [(&str, &str); 1] = [("id", "ada.lovelace@example.com")];

/// Far more than a replica needs to learn of a step, on a machine that is busy.
const SOON: Duration = Duration::from_secs(10);

/// A second v1, which can be made to fail.
struct Other {
    url: String,
    fails: Arc<AtomicBool>,
}

impl Other {
    async fn start() -> Self {
        let fails = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&fails);
        let router = Router::new().fallback(move || {
            let fails = told.load(Ordering::SeqCst);
            async move {
                if fails {
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                } else {
                    Json(json!({ "id": "u1" })).into_response()
                }
            }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, fails }
    }

    fn section(&self, more: &str) -> String {
        format!(
            "[[rollout]]\nname = \"next\"\nurl = \"{}\"\nforward_credentials = true\n\
             compare_percent = 0\nmax_errors = 1\npercent = 100\n{more}\n",
            self.url
        )
    }
}

/// True if the other side answers the next request at this replica.
async fn is_moved(client: &Client, site: &Site, replica: usize) -> bool {
    let port = site.ports()[replica];
    let response = send(client, port, "user/get", (SECRET, &USER)).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 200);
    response.headers().contains_key("x-shim-rollout")
}

async fn step(client: &Client, site: &Site, replica: usize, percent: u8) {
    let request = client.post(site.ops_url(replica, "/rollouts"));
    let request = request.json(&json!({ "name": "next", "percent": percent }));
    assert_eq!(request.send().await.unwrap().status(), 200);
}

async fn figures(client: &Client, site: &Site, replica: usize) -> Value {
    let response = client.get(site.ops_url(replica, "/rollouts")).send().await;
    let figures: Value = response.unwrap().json().await.unwrap();
    figures[0].clone()
}

/// Steps and leaving at one replica hold at the other one, and after a kill.
async fn one_share_holds_everywhere(settings: Vec<(&'static str, String)>) {
    let (v2, other, client) = (V2::start().await, Other::start().await, client());
    let mut site = Site::with_file(&v2, 2, settings, &other.section("")).await;
    assert!(is_moved(&client, &site, 0).await && is_moved(&client, &site, 1).await);

    // By hand: with the next request here, soon there.
    for (replica, percent) in [(0, 0), (1, 100), (1, 0)] {
        step(&client, &site, replica, percent).await;
        let since = Instant::now();
        assert_eq!(is_moved(&client, &site, replica).await, percent > 0);
        soon(async || is_moved(&client, &site, 1 - replica).await == (percent > 0)).await;
        let took = since.elapsed();
        eprintln!("the other replica followed after {took:?}");
        assert!(took < SOON, "{took:?}");
    }
    site.end_replica(0, "KILL").await;
    site.start_replica(0).await;
    assert!(!is_moved(&client, &site, 0).await, "after a kill");

    // By itself: a replica that saw no error follows.
    step(&client, &site, 0, 50).await;
    step(&client, &site, 1, 100).await;
    soon(async || figures(&client, &site, 0).await["percent"] == 100).await;
    other.fails.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(!is_moved(&client, &site, 0).await, "answered here");
    }
    assert_eq!(figures(&client, &site, 0).await["percent"], 0);
    soon(async || figures(&client, &site, 1).await["percent"] == 0).await;
    other.fails.store(false, Ordering::SeqCst);
    let left = &figures(&client, &site, 1).await["left"];
    assert_eq!(left["percent"], 100);
    assert_eq!(
        left["reason"],
        "2 of the last 2 answers failed, and 1 are allowed"
    );
    for replica in [0, 1] {
        site.end_replica(replica, "TERM").await;
        site.start_replica(replica).await;
        assert!(!is_moved(&client, &site, replica).await, "left before");
    }

    // Another section is another word of the operator, and holds.
    std::fs::write(
        site.folder.path().join("shim.toml"),
        other.section("max_p99_ms = 5000"),
    )
    .unwrap();
    site.signal(0, "HUP");
    soon(async || is_moved(&client, &site, 0).await).await;
    site.end_replica(1, "KILL").await;
    site.start_replica(1).await;
    assert!(is_moved(&client, &site, 1).await);
    // And holds also if it is as it once was.
    std::fs::write(site.folder.path().join("shim.toml"), other.section("")).unwrap();
    step(&client, &site, 0, 0).await;
    soon(async || !is_moved(&client, &site, 1).await).await;
    for replica in [0, 1] {
        site.signal(replica, "HUP");
        soon(async || is_moved(&client, &site, replica).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_share_holds_everywhere_with_sqlite() {
    one_share_holds_everywhere(on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_share_holds_everywhere_with_redis() {
    if let Some(redis) = Server::start() {
        one_share_holds_everywhere(on_redis(&redis)).await;
        let kept = redis.cli(&["KEYS", "shim:1:v:*"]);
        assert_eq!(kept.lines().count(), 1, "{kept}");
        let kept = redis.cli(&["GET", &kept]);
        assert!(
            !kept.contains("percent") && !kept.contains("next"),
            "{kept}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_during_an_outage_is_made_here_and_soon_after_it_everywhere() {
    let Some(mut redis) = Server::durable() else {
        return;
    };
    let (v2, other, client) = (V2::start().await, Other::start().await, client());
    let site = Site::with_file(&v2, 2, on_redis(&redis), &other.section("")).await;
    redis.kill();
    step(&client, &site, 0, 0).await;
    assert!(!is_moved(&client, &site, 0).await);
    assert!(is_moved(&client, &site, 1).await, "it cannot know");
    redis.start_again();
    soon(async || !is_moved(&client, &site, 1).await).await;
    assert!(!is_moved(&client, &site, 0).await);
}
