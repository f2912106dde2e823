//! The rate budget, refusals and failed logins of replicas on one Redis.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    redis_server::Server,
    site::{SECRET, Site, call, client, on_redis, on_sqlite, send, soon},
    v2::V2,
};

/// What v2 takes in any second, with two calls for what the network moves.
const MOST: usize = 82;

/// The light call of `user/checkemail`.
const LIGHT: &str = "GET /users/email";

fn on_business(mut settings: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    settings.push(("SHIM_UPSTREAM_PLAN", "business".to_owned()));
    settings
}

/// The most calls in any second.
fn worst_second(times: &[Instant]) -> usize {
    let from = |at: usize| {
        let start = times[at];
        let later = times[at..].iter();
        later
            .take_while(|time| time.duration_since(start) < Duration::from_secs(1))
            .count()
    };
    (0..times.len()).map(from).max().unwrap_or(0)
}

/// Calls a second since a moment.
fn mean(times: &[Instant], since: Instant) -> f64 {
    let count = times.iter().filter(|time| **time >= since).count();
    f64::from(u32::try_from(count).unwrap()) / since.elapsed().as_secs_f64()
}

const CHECK: [(&str, &str); 1] = [("email", "ada.lovelace@example.com")];

/// More requests than the rate allows, at all replicas, until it is over.
fn saturate(site: &Site, is_over: &Arc<AtomicBool>) -> JoinSet<()> {
    let mut load = JoinSet::new();
    for port in site.ports() {
        for _ in 0..12 {
            let is_over = Arc::clone(is_over);
            load.spawn(async move {
                let client = client();
                while !is_over.load(Ordering::SeqCst) {
                    call(&client, port, "user/checkemail", &CHECK).await;
                }
            });
        }
    }
    load
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_keep_to_the_rate_together_also_while_redis_is_stopped() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let site = Site::start(&v2, 4, on_business(on_redis(&redis))).await;
    // By the next sign of life, each replica knows the others.
    sleep(Duration::from_secs(2)).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let load = saturate(&site, &is_over);

    let since = Instant::now();
    sleep(Duration::from_secs(4)).await;
    let shared = mean(&v2.times(LIGHT), since);

    redis.signal("-STOP");
    sleep(Duration::from_secs(1)).await;
    let since = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let alone = mean(&v2.times(LIGHT), since);
    assert_eq!(site.state_status().await, ["degraded"; 4]);

    redis.signal("-CONT");
    let since = Instant::now();
    soon(async || site.state_status().await == ["ok"; 4]).await;
    assert!(since.elapsed() < Duration::from_secs(40));
    sleep(Duration::from_secs(3)).await;
    is_over.store(true, Ordering::SeqCst);
    load.join_all().await;

    let worst = worst_second(&v2.times(LIGHT));
    eprintln!("worst second {worst}, shared {shared:.1}/s, alone {alone:.1}/s");
    assert!(worst <= MOST, "{worst} calls in a second");
    assert!(shared >= 60.0, "{shared} a second at saturation");
    assert!(alone >= 20.0, "{alone} a second without Redis");
}

/// Requests at a rate for a time; how many were served.
async fn demand(site: &Site, a_second: u32, time: Duration) -> (u32, u32) {
    let (client, ports) = (client(), site.ports());
    let mut ticks = interval(Duration::from_secs(1) / a_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    let since = Instant::now();
    for port in ports.into_iter().cycle() {
        ticks.tick().await;
        if since.elapsed() >= time {
            break;
        }
        let client = client.clone();
        requests.spawn(async move {
            let answer = call(&client, port, "user/checkemail", &CHECK).await;
            answer.is_some_and(|answer| answer["error"].is_null())
        });
    }
    let answers = requests.join_all().await;
    let count = |served: &[bool]| u32::try_from(served.len()).unwrap();
    let served: Vec<_> = answers.iter().copied().filter(|served| *served).collect();
    (count(&served), count(&answers))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_below_the_rate_is_served() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let site = Site::start(&v2, 4, on_business(on_redis(&redis))).await;
    let (served, wanted) = demand(&site, 60, Duration::from_secs(5)).await;
    assert_eq!(served, wanted);
    assert!(worst_second(&v2.times(LIGHT)) <= MOST);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_file_keep_to_the_rate_together() {
    let v2 = V2::start().await;
    let site = Site::alone(&v2, 2, on_business(on_sqlite())).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let load = saturate(&site, &is_over);
    let since = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let shared = mean(&v2.times(LIGHT), since);
    is_over.store(true, Ordering::SeqCst);
    load.join_all().await;
    let worst = worst_second(&v2.times(LIGHT));
    assert!(worst <= MOST, "{worst} calls in a second");
    assert!(shared >= 60.0, "{shared} a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_v2_stops_all_replicas() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let site = Site::start(&v2, 2, on_redis(&redis)).await;
    v2.refuse("/users/email");
    let client = client();
    for port in [site.ports()[0], site.ports()[1], site.ports()[1]] {
        let answer = call(&client, port, "user/checkemail", &CHECK)
            .await
            .unwrap();
        assert_eq!(answer["error"]["code"], 403, "{answer}");
    }
    assert_eq!(v2.times(LIGHT).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_logins_count_at_all_replicas() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let mut settings = on_redis(&redis);
    settings.push(("SHIM_LIMITS_FAILED_ATTEMPTS", "3".to_owned()));
    let site = Site::start(&v2, 2, settings).await;
    let (client, ports) = (client(), site.ports());
    let attempt = async |port, secret| {
        let answer = send(&client, port, "user/checkemail", (secret, &CHECK)).await;
        let answer: serde_json::Value = answer.unwrap().json().await.unwrap();
        answer["error"]["code"].as_i64()
    };
    for port in [ports[0], ports[0], ports[0]] {
        assert_ne!(attempt(port, "wrong").await, Some(403));
    }
    assert_eq!(attempt(ports[1], "wrong").await, Some(403), "the fourth");
    // All replicas together look at one a second: of two, one at least is not looked at.
    let both = [
        attempt(ports[0], SECRET).await,
        attempt(ports[1], SECRET).await,
    ];
    assert!(both.contains(&Some(403)), "{both:?}");
    soon(async || attempt(ports[1], SECRET).await.is_none()).await;
}
