//! Equal creates at the same instant at two replicas.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    redis_server::Server,
    site::{SECRET, Site, client, on_redis, on_sqlite, send},
    v2::V2,
};

/// A create at v2 takes longer than two requests are apart on a busy machine.
const CREATE_TIME: Duration = Duration::from_millis(400);

async fn pairs(settings: Vec<(&'static str, String)>, count: usize) {
    let v2 = V2::with(CREATE_TIME).await;
    let site = Site::alone(&v2, 2, settings).await;
    let ports = site.ports();
    let (client, places) = (client(), Arc::new(Semaphore::new(24)));
    let mut running = JoinSet::new();
    for number in 0..count {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let (client, ports) = (client.clone(), ports.clone());
        running.spawn(async move {
            let email = format!("twin{number}@example.com");
            let parameters = [("email", email.as_str()), ("type", "1")];
            let ask = async |port| {
                let given = (SECRET, parameters.as_slice());
                let answer = send(&client, port, "user/custcreate", given).await.unwrap();
                let is_joined = answer.headers().contains_key("x-shim-duplicate");
                (is_joined, answer.json::<serde_json::Value>().await.unwrap())
            };
            let ((one_joined, one), (other_joined, other)) =
                tokio::join!(ask(ports[0]), ask(ports[1]));
            assert_eq!(one["email"], email, "{one}");
            assert_eq!(one, other);
            assert!(one_joined != other_joined, "one of them made the calls");
            drop(place);
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    assert_eq!(v2.times("POST /users").len(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pairs_on_redis_are_a_thousand_creates() {
    if let Some(redis) = Server::start() {
        pairs(on_redis(&redis), 1000).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_on_one_file_are_created_once() {
    pairs(on_sqlite(), 100).await;
}
