//! Replicas behind nginx: restarted under load, and killed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    redis_server::Server,
    servers::{
        nginx::{Nginx, free_port},
        program,
    },
    site::{SECRET, Site, call, client, on_redis, on_sqlite, send},
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

/// What one client did.
#[derive(Default)]
struct Report {
    /// Topics of meetings that were created, and of those that may have been.
    created: Vec<String>,
    unknown: Vec<String>,
    /// Addresses of users that exist now.
    users: Vec<String>,
    /// Requests that were not served, by what came instead.
    failed: BTreeMap<String, usize>,
    served: usize,
}

/// A client that creates, changes and reads, and knows what it must read.
struct Worker {
    number: usize,
    port: u16,
    client: Client,
    load: Arc<Load>,
    report: Report,
    /// Departments that its own user may have: the last one that was stored, and later ones whose update
    /// failed.
    departments: Vec<String>,
}

impl Worker {
    /// Works until it is over.
    async fn work(mut self) -> Report {
        let own = format!("worker{}@example.com", self.number);
        self.create_user(&own).await;
        for number in 0.. {
            if self.load.is_over.load(Ordering::SeqCst) {
                break;
            }
            match number % 4 {
                // v2 takes 100 creates a day of a host; all workers stay below.
                0 if number % 20 == 0 && number < 300 => self.create_meeting(number).await,
                0 if number % 20 == 8 => {
                    let address = format!("worker{}.{number}@example.com", self.number);
                    self.create_user(&address).await;
                }
                0 if number % 20 == 16 => {
                    let address = format!("guest{}.{number}@example.com", self.number);
                    self.create("user/create", &address, &[("dept", "New")])
                        .await;
                }
                1 => self.update(&own, number).await,
                _ => self.read(&own).await,
            }
        }
        self.report
    }

    async fn call(&mut self, operation: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        self.load.requests.fetch_add(1, Ordering::SeqCst);
        let why = match send(&self.client, self.port, operation, (SECRET, parameters)).await {
            None => "no answer".to_owned(),
            Some(answer) if answer.status() != 200 => answer.status().to_string(),
            Some(answer) => match answer.json::<Value>().await {
                Err(_) => "cut off".to_owned(),
                Ok(answer) if answer["error"].is_null() => {
                    self.report.served += 1;
                    return Some(answer);
                }
                Ok(answer) => format!("{operation}: {}", answer["error"]),
            },
        };
        *self.report.failed.entry(why).or_default() += 1;
        None
    }

    async fn create_meeting(&mut self, number: usize) {
        let topic = format!("w{}n{number}", self.number);
        let parameters = [
            ("host_id", HOST),
            ("topic", topic.as_str()),
            ("type", "2"),
            ("start_time", "2031-05-01T09:30:00Z"),
        ];
        if self.call("meeting/create", &parameters).await.is_some() {
            self.report.created.push(topic);
        } else {
            self.report.unknown.push(topic);
        }
    }

    /// Three calls of v2.
    async fn create_user(&mut self, address: &str) {
        let more = [("dept", "New"), ("disable_jbh_reminder", "true")];
        self.create("user/custcreate", address, &more).await;
    }

    /// As programs do, it repeats the request until the user exists.
    async fn create(&mut self, operation: &str, address: &str, more: &[(&str, &str)]) {
        let parameters = [&[("email", address), ("type", "1")], more].concat();
        if self.call(operation, &parameters).await.is_none() {
            let begun = Instant::now();
            while !self.is_whole(operation, &parameters).await {
                assert!(begun.elapsed() < WHOLE, "{address}");
                sleep(Duration::from_millis(100)).await;
            }
        }
        self.report.users.push(address.to_owned());
    }

    /// Repeats a create. One whose answer was lost with its replica is complete: then 1005 is right.
    async fn is_whole(&self, operation: &str, parameters: &[(&str, &str)]) -> bool {
        let created = call(&self.client, self.port, operation, parameters).await;
        if created.is_some_and(|created| created["error"].is_null()) {
            return true;
        }
        let user = call(&self.client, self.port, "user/getbyemail", &parameters[..1]).await;
        user.is_some_and(|user| {
            let mut all = parameters[2..].iter();
            all.all(|(name, value)| match user[name].as_bool() {
                Some(switch) => value.parse() == Ok(switch),
                None => user[name] == *value,
            })
        })
    }

    async fn update(&mut self, own: &str, number: usize) {
        let department = format!("d{number}");
        let parameters = [("id", own), ("dept", department.as_str())];
        if self.call("user/update", &parameters).await.is_some() {
            self.departments.clear();
        }
        self.departments.push(department);
    }

    /// Whichever replica answers, it shows what this client wrote last.
    async fn read(&mut self, own: &str) {
        if let Some(user) = self.call("user/get", &[("id", own)]).await
            && !self.departments.is_empty()
        {
            let department = user["dept"].as_str().unwrap();
            assert!(
                self.departments.iter().any(|known| known == department),
                "{department} of {:?}",
                self.departments
            );
        }
    }
}

/// In this time, repetitions have made a killed write whole.
const WHOLE: Duration = Duration::from_secs(45);

/// What all workers share.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    requests: AtomicUsize,
}

fn begin_load(nginx: &Nginx, load: &Arc<Load>) -> JoinSet<Report> {
    let worker = |number| Worker {
        number,
        port: nginx.port,
        client: client(),
        load: Arc::clone(load),
        report: Report::default(),
        departments: Vec::new(),
    };
    (0..WORKERS).map(|number| worker(number).work()).collect()
}

const WORKERS: usize = 6;

/// A member of all entries of a list of several pages.
async fn listed(
    nginx: &Nginx,
    operation: &str,
    filter: Option<(&str, &str)>,
    (list, member): (&str, &str),
) -> Vec<String> {
    let client = client();
    let mut all = Vec::new();
    for page in 1.. {
        let page = page.to_string();
        let mut parameters = vec![("page_size", "300"), ("page_number", page.as_str())];
        parameters.extend(filter);
        let answer = call(&client, nginx.port, operation, &parameters).await;
        let answer = answer.unwrap();
        let entries = answer[list].as_array().unwrap();
        let found = entries.iter().map(|entry| entry[member].as_str());
        all.extend(found.map(|found| found.unwrap().to_owned()));
        if entries.len() < 300 {
            break;
        }
    }
    all
}

async fn assert_each_once(nginx: &Nginx, reports: &[Report]) {
    let topics = listed(
        nginx,
        "meeting/list",
        Some(("host_id", HOST)),
        ("meetings", "topic"),
    )
    .await;
    let mut users = listed(nginx, "user/list", None, ("users", "email")).await;
    // Who was invited waits there.
    users.extend(listed(nginx, "user/pending", None, ("users", "email")).await);
    let count = |known: &[String], wanted| known.iter().filter(|known| *known == wanted).count();
    for report in reports {
        for topic in &report.created {
            assert_eq!(count(&topics, topic), 1, "{topic}");
        }
        for topic in &report.unknown {
            assert!(count(&topics, topic) <= 1, "{topic}");
        }
        for user in &report.users {
            assert_eq!(count(&users, user), 1, "{user}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_on_one_file_fails_no_request() {
    restarted(on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_on_redis_fails_no_request() {
    if let Some(redis) = Server::start() {
        restarted(on_redis(&redis)).await;
    }
}

/// Restarts one replica after the other, under load: an upgrade, if there is a previous release.
async fn restarted(settings: Vec<(&'static str, String)>) {
    let Some((mut site, nginx)) = balanced(settings).await else {
        return;
    };
    let load = Arc::new(Load::default());
    let workers = begin_load(&nginx, &load);
    site.upgrade();
    for replica in 0..REPLICAS {
        assert_eq!(site.end_replica(replica, "TERM").await, Some(0));
        site.start_replica(replica).await;
    }
    load.is_over.store(true, Ordering::SeqCst);
    let reports = workers.join_all().await;
    for report in &reports {
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        assert!(report.served > 20, "{}", report.served);
    }
    assert_each_once(&nginx, &reports).await;
}

/// Kills one replica and restarts the next one, again and again, until so many requests were made.
async fn killed(settings: Vec<(&'static str, String)>, requests: usize) {
    let Some((mut site, nginx)) = balanced(settings).await else {
        return;
    };
    let load = Arc::new(Load::default());
    let workers = begin_load(&nginx, &load);
    let mut kills = 0;
    while load.requests.load(Ordering::SeqCst) < requests {
        let killed = kills % REPLICAS;
        site.end_replica(killed, "KILL").await;
        kills += 1;
        site.start_replica(killed).await;
        let restarted = kills % REPLICAS;
        // It drains for a second.
        assert_eq!(site.end_replica(restarted, "TERM").await, Some(0));
        site.start_replica(restarted).await;
    }
    load.is_over.store(true, Ordering::SeqCst);
    let reports = workers.join_all().await;
    let failed: usize = reports
        .iter()
        .flat_map(|report| report.failed.values())
        .sum();
    let why = || {
        reports
            .iter()
            .map(|report| &report.failed)
            .collect::<Vec<_>>()
    };
    let served: usize = reports.iter().map(|report| report.served).sum();
    eprintln!("{kills} kills and as many restarts: {served} served, {failed} failed");
    assert!(kills > 2 && served + failed >= requests / 2);
    assert!(
        failed <= kills * WORKERS,
        "{failed} after {kills} kills: {:?}",
        why()
    );
    assert_each_once(&nginx, &reports).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_replicas_on_one_file_fail_only_what_they_had_in_work() {
    killed(on_sqlite(), 5_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_on_redis_survive_kills_and_restarts() {
    if let Some(redis) = Server::start() {
        killed(on_redis(&redis), 10_000).await;
    }
}
