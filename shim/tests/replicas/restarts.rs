//! Replicas behind nginx: restarted under load, and killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::sleep};

use crate::{
    redis_server::Server,
    servers::{
        nginx::{Nginx, free_port},
        program,
    },
    site::{Site, call, client, on_redis, on_sqlite},
    v2::V2,
};

const REPLICAS: usize = 3;

/// Three shims, and nginx before them; `None` where there is no nginx.
async fn balanced(settings: Vec<(&'static str, String)>) -> Option<(Site, Nginx)> {
    let nginx = program("nginx")?;
    let v2 = V2::start().await;
    let site = Site::start(&v2, REPLICAS, settings).await;
    let nginx = Nginx::start(&nginx, free_port().unwrap(), &site.ports()).unwrap();
    Some((site, nginx))
}

const HOST: &str = "ada.lovelace@example.com";

/// What one client did: topics of meetings, and whether their creation succeeded.
#[derive(Default)]
struct Report {
    created: Vec<String>,
    unknown: Vec<String>,
    failed: usize,
    served: usize,
}

/// Creates, changes and reads until it is over.
async fn work(port: u16, worker: usize, load: Arc<Load>) -> Report {
    let client = client();
    let mut report = Report::default();
    for number in 0.. {
        if load.is_over.load(Ordering::SeqCst) {
            break;
        }
        load.requests.fetch_add(1, Ordering::SeqCst);
        let topic = format!("w{worker}n{number}");
        let (operation, parameters) = match number % 4 {
            // v2 takes 100 creates a day of a host; all workers stay below.
            0 if number % 20 == 0 && number < 300 => (
                "meeting/create",
                vec![
                    ("host_id", HOST),
                    ("topic", topic.as_str()),
                    ("type", "2"),
                    ("start_time", "2031-05-01T09:30:00Z"),
                ],
            ),
            1 => ("user/update", vec![("id", HOST), ("dept", topic.as_str())]),
            _ => ("user/get", vec![("id", HOST)]),
        };
        let answer = call(&client, port, operation, &parameters).await;
        let is_served = answer.is_some_and(|answer| answer["error"].is_null());
        report.served += usize::from(is_served);
        report.failed += usize::from(!is_served);
        if operation == "meeting/create" {
            let kept = if is_served {
                &mut report.created
            } else {
                &mut report.unknown
            };
            kept.push(topic);
        }
    }
    report
}

/// What all workers share.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    requests: AtomicUsize,
}

fn begin_load(nginx: &Nginx, load: &Arc<Load>) -> JoinSet<Report> {
    let workers = (0..WORKERS).map(|worker| work(nginx.port, worker, Arc::clone(load)));
    workers.collect()
}

const WORKERS: usize = 6;

/// All topics of the host's meetings.
async fn topics(nginx: &Nginx) -> Vec<String> {
    let client = client();
    let mut topics = Vec::new();
    for page in 1.. {
        let page = page.to_string();
        let parameters = [
            ("host_id", HOST),
            ("page_size", "300"),
            ("page_number", page.as_str()),
        ];
        let list = call(&client, nginx.port, "meeting/list", &parameters).await;
        let list = list.unwrap();
        let meetings = list["meetings"].as_array().unwrap();
        let found = meetings
            .iter()
            .map(|meeting| meeting["topic"].as_str().unwrap().to_owned());
        topics.extend(found);
        if meetings.len() < 300 {
            break;
        }
    }
    topics
}

async fn assert_each_once(nginx: &Nginx, reports: &[Report]) {
    let topics = topics(nginx).await;
    let count = |topic: &String| topics.iter().filter(|known| *known == topic).count();
    for report in reports {
        for topic in &report.created {
            assert_eq!(count(topic), 1, "{topic}");
        }
        for topic in &report.unknown {
            assert!(count(topic) <= 1, "{topic}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_request() {
    let Some((mut site, nginx)) = balanced(on_sqlite()).await else {
        return;
    };
    let load = Arc::new(Load::default());
    let workers = begin_load(&nginx, &load);
    for replica in 0..REPLICAS {
        assert_eq!(site.end_replica(replica, "TERM").await, Some(0));
        site.start_replica(replica).await;
    }
    load.is_over.store(true, Ordering::SeqCst);
    let reports = workers.join_all().await;
    for report in &reports {
        assert_eq!(report.failed, 0);
        assert!(report.served > 20, "{}", report.served);
    }
    assert_each_once(&nginx, &reports).await;
}

/// Kills one replica after the other until so many requests were made.
async fn killed(settings: Vec<(&'static str, String)>, requests: usize) {
    let Some((mut site, nginx)) = balanced(settings).await else {
        return;
    };
    let load = Arc::new(Load::default());
    let workers = begin_load(&nginx, &load);
    let mut kills = 0;
    while load.requests.load(Ordering::SeqCst) < requests {
        sleep(Duration::from_millis(500)).await;
        let replica = kills % REPLICAS;
        site.end_replica(replica, "KILL").await;
        kills += 1;
        site.start_replica(replica).await;
    }
    load.is_over.store(true, Ordering::SeqCst);
    let reports = workers.join_all().await;
    let failed: usize = reports.iter().map(|report| report.failed).sum();
    assert!(failed <= kills * WORKERS, "{failed} after {kills} kills");
    assert_each_once(&nginx, &reports).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_replicas_on_one_file_fail_only_what_they_had_in_work() {
    killed(on_sqlite(), 800).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_replicas_on_redis_fail_only_what_they_had_in_work() {
    if let Some(redis) = Server::start() {
        killed(on_redis(&redis), 800).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: `.ci/run long`"]
async fn ten_thousand_requests_survive_kills() {
    if let Some(redis) = Server::start() {
        killed(on_redis(&redis), 10_000).await;
    }
}
