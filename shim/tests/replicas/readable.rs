//! Nothing that went into the state can be read without its key.

use std::{fs, path::Path};

use sha2::{Digest as _, Sha256};

use crate::{
    redis_server::Server,
    site::{SECRET, Site, call, client, on_redis, on_sqlite, send},
    v2::V2,
};

const ADDRESS: &str = "readable.person@example.com";
const UNFINISHED: &str = "unfinished.person@example.com";
const PASSWORD: &str = "Analytical4Engine";
const NAME: &str = "Readablefirstname";

/// All bytes of the files in a folder, except for the key's.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else if !path.ends_with("state.key") {
            all.extend(fs::read(path).unwrap());
        }
    }
    all
}

/// Serves what leaves traces: unfinished and finished writes, pages, generations, refusals, failed
/// logins. Returns what must not be found.
async fn traces(v2: &V2, site: &Site) -> Vec<String> {
    let (client, port) = (client(), site.ports()[0]);
    let get = [("id", "ada.lovelace@example.com")];
    let ada = call(&client, port, "user/get", &get).await.unwrap();
    let groups = call(&client, port, "group/list", &[]).await.unwrap();
    let create = [
        ("email", ADDRESS),
        ("type", "2"),
        ("first_name", NAME),
        ("password", PASSWORD),
    ];
    let created = call(&client, port, "user/autocreate", &create)
        .await
        .unwrap();
    for page in ["1", "2", "3"] {
        let parameters = [("page_size", "10"), ("page_number", page)];
        call(&client, port, "user/list", &parameters).await.unwrap();
    }
    send(&client, port, "user/get", ("a-wrong-hush", &get)).await;
    v2.refuse("/settings");
    let unfinished = [
        ("email", UNFINISHED),
        ("type", "1"),
        ("disable_chat", "true"),
    ];
    let answer = call(&client, port, "user/custcreate", &unfinished)
        .await
        .unwrap();
    assert!(!answer["error"].is_null(), "{answer}");
    let url = format!("{}/users/{UNFINISHED}", v2.base);
    let user = client
        .get(url)
        .bearer_auth(shim_sandbox::TOKEN)
        .send()
        .await
        .unwrap();
    let user: serde_json::Value = user.json().await.unwrap();
    let ids = [
        &user["id"],
        &ada["id"],
        &created["id"],
        &groups["groups"][0]["group_id"],
    ];
    let ids = ids.map(|id| id.as_str().unwrap().to_owned());
    let words = [
        ADDRESS,
        UNFINISHED,
        PASSWORD,
        NAME,
        SECRET,
        "a-wrong-hush",
        shim_sandbox::TOKEN,
        "ada.lovelace@example.com",
        "127.0.0.1",
        "next_page",
        "/users",
        "user/list",
    ];
    words.map(str::to_owned).into_iter().chain(ids).collect()
}

fn assert_unreadable(stored: &[u8], words: &[String]) {
    assert!(stored.len() > 500, "{} bytes", stored.len());
    let is_there = |part: &[u8]| stored.windows(part.len()).any(|found| found == part);
    for word in words {
        assert!(!is_there(word.as_bytes()), "{word}");
        let digest = Sha256::digest(word);
        let shown = digest
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert!(
            !is_there(&digest) && !is_there(shown.as_bytes()),
            "a digest of {word}"
        );
    }
    assert!(!is_there(&[7; 32]), "the key");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_read_in_redis() {
    let Some(redis) = Server::start() else {
        return;
    };
    let v2 = V2::start().await;
    let site = Site::start(&v2, 2, on_redis(&redis)).await;
    let words = traces(&v2, &site).await;
    for kind in ["w", "c", "g", "r", "f", "n"] {
        let keys = redis.cli(&["KEYS", &format!("shim:1:{kind}*")]);
        assert!(!keys.is_empty(), "{kind} left no trace");
    }
    assert_eq!(redis.cli(&["SAVE"]), "OK");
    assert_unreadable(&bytes(redis.folder.path()), &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_read_in_the_file() {
    let v2 = V2::start().await;
    let site = Site::start(&v2, 2, on_sqlite()).await;
    let words = traces(&v2, &site).await;
    assert_unreadable(&bytes(site.folder.path()), &words);
}
