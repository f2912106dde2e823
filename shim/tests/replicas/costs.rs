//! What requests cost at Redis: the commands that it is sent.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use crate::{
    redis_server::Server,
    site::{Site, call, client, on_redis},
    v2::V2,
};

/// What Redis is sent, one line a command; those within scripts are left out.
struct Monitor {
    process: Child,
    lines: Receiver<String>,
}

impl Monitor {
    fn start(redis: &Server) -> Self {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &redis.port.to_string(), "MONITOR"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let (heard, lines) = mpsc::channel();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(output.next().unwrap().unwrap(), "OK");
        thread::spawn(move || {
            for line in output.map_while(Result::ok) {
                let _ = heard.send(line);
            }
        });
        Self { process, lines }
    }

    /// The commands since the last time, without the signs of life: those of the budget, and the rest.
    fn commands(&self, redis: &Server) -> (usize, Vec<String>) {
        redis.cli(&["ECHO", "the-end"]);
        let mut budget = 0;
        let mut others = Vec::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(20)).unwrap();
            if line.contains("\"the-end\"") {
                return (budget, others);
            }
            if line.contains(" lua]") || line.contains("\"shim:1:n\"") {
                continue;
            }
            if line.contains("\"shim:1:r:") {
                budget += 1;
            } else {
                others.push(line);
            }
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_cost_few_round_trips() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let site = Site::start(&v2, 1, on_redis(&redis)).await;
    let (client, port) = (client(), site.ports()[0]);
    let ask = async |operation, parameters: &[(&str, &str)]| {
        let answer = call(&client, port, operation, parameters).await.unwrap();
        assert!(answer["error"].is_null(), "{answer}");
    };
    let user = ("id", "ada.lovelace@example.com");
    // Loads the scripts.
    ask("user/update", &[user, ("dept", "Looms")]).await;
    ask(
        "meeting/create",
        &[("host_id", user.1), ("topic", "One"), ("type", "1")],
    )
    .await;
    ask(
        "user/custcreate",
        &[("email", "one@example.com"), ("type", "1")],
    )
    .await;
    let monitor = Monitor::start(&redis);
    let cost = async |operation, parameters: &[(&str, &str)]| {
        v2.forget();
        monitor.commands(&redis);
        ask(operation, parameters).await;
        let (budget, others) = monitor.commands(&redis);
        assert_eq!(budget, v2.times("").len(), "one script for each v2 call");
        others
    };
    let read = cost("user/get", &[user]).await;
    assert_eq!(read.len(), 0, "{read:#?}");
    let list = cost("group/list", &[]).await;
    assert!(list.len() <= 1, "{list:#?}");
    // The token of the next page is saved.
    let list = cost("user/list", &[("page_size", "10")]).await;
    assert!(list.len() <= 2, "{list:#?}");
    let write = cost("user/update", &[user, ("dept", "Engines")]).await;
    assert!(write.len() <= 2, "{write:#?}");
    let meeting = [("host_id", user.1), ("topic", "Looms"), ("type", "1")];
    let create = cost("meeting/create", &meeting).await;
    assert!(create.len() <= 2, "{create:#?}");
    // Each further call is noted.
    let create = [("email", "two@example.com"), ("type", "1")];
    let create = cost("user/custcreate", &create).await;
    assert!(create.len() <= 4, "{create:#?}");
}
