//! Lists: v1 pages over v2 pages, and calls for entries.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::running::{Answer, Running, ScriptedV2, v2::Seen};

/// An account of 65 users; `by_token` selects pages by token.
fn account(seen: &Seen, by_token: bool) -> Answer {
    if seen.path() != "/v2/users" || seen.method != "GET" {
        return seen.usual();
    }
    let query: std::collections::BTreeMap<String, String> =
        serde_urlencoded::from_str(seen.uri.split_once('?').unwrap().1).unwrap();
    let number = |name: &str| {
        query
            .get(name)
            .and_then(|value| value.parse::<usize>().ok())
    };
    let size = number("page_size").unwrap();
    let page = if by_token {
        number("next_page_token").unwrap_or(1)
    } else {
        number("page_number").unwrap_or(1)
    };
    let users: Vec<_> = (0..65)
        .skip((page - 1) * size)
        .take(size)
        .map(|index| json!({ "id": format!("u{index}"), "email": format!("u{index}@example.com"), "type": 1 }))
        .collect();
    let next = if page * size < 65 {
        (page + 1).to_string()
    } else {
        String::new()
    };
    let mut body =
        json!({ "page_size": size, "total_records": 65, "next_page_token": next, "users": users });
    if !by_token {
        body["page_number"] = page.into();
        body["page_count"] = 65_usize.div_ceil(size).into();
    }
    Answer::json(200, &body)
}

fn ids(answer: &Value) -> Vec<&str> {
    let users = answer["users"].as_array().unwrap();
    users
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect()
}

fn count(v2: &ScriptedV2, part: &str) -> usize {
    v2.lines().iter().filter(|line| line.contains(part)).count()
}

#[tokio::test]
async fn reads_entries_in_parallel_up_to_the_limit() {
    let at_once = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&at_once), Arc::clone(&most));
    let v2 = ScriptedV2::start(move |seen| {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(running, Ordering::SeqCst);
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            account(&seen, false)
        }
    })
    .await;
    let shim = Running::with_file(&v2, "[list]\nparallel = 4").await;
    let answer = shim.call("user/list", &[]).await;
    assert_eq!(ids(&answer).len(), 30);
    assert_eq!(answer["page_count"], 3);
    assert_eq!(count(&v2, "/settings"), 30);
    assert!((2..=4).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[tokio::test]
async fn caches_entries_until_a_write() {
    let v2 = ScriptedV2::start(|seen| async move { account(&seen, false) }).await;
    let shim = Running::before(&v2).await;
    let first = shim.call("user/list", &[]).await;
    assert_eq!((count(&v2, "/v2/users?"), count(&v2, "/settings")), (1, 30));
    let second = shim.call("user/list", &[]).await;
    assert_eq!(first, second);
    assert_eq!((count(&v2, "/v2/users?"), count(&v2, "/settings")), (2, 30));

    shim.call("user/update", &[("id", "u1"), ("disable_chat", "true")])
        .await;
    v2.forget();
    shim.call("user/list", &[]).await;
    assert_eq!(count(&v2, "/settings"), 30);
}

#[tokio::test]
async fn cache_can_be_disabled() {
    let v2 = ScriptedV2::start(|seen| async move { account(&seen, false) }).await;
    let shim = Running::with_file(&v2, "[cache]\nseconds = 0").await;
    for _ in 0..2 {
        shim.call("user/list", &[("page_size", "5")]).await;
    }
    assert_eq!(count(&v2, "/settings"), 10);
}

#[tokio::test]
async fn finds_pages_by_token_and_saves_cursors() {
    let v2 = ScriptedV2::start(|seen| async move { account(&seen, true) }).await;
    let shim = Running::with_file(&v2, "[list]\ndetail = \"profile\"").await;
    let page = async |number: &str| {
        let parameters = [("page_size", "10"), ("page_number", number)];
        shim.call("user/list", &parameters).await
    };
    let fifth = page("5").await;
    assert_eq!(ids(&fifth)[0], "u40");
    assert_eq!(
        (&fifth["page_count"], &fifth["page_number"]),
        (&json!(7), &json!(5))
    );

    v2.forget();
    assert_eq!(ids(&page("6").await)[0], "u50");
    assert_eq!(v2.lines().len(), 1);
    assert_eq!(ids(&page("4").await)[0], "u30");
    assert_eq!(v2.lines().len(), 2);
    // Another page size has other tokens.
    let other = shim
        .call("user/list", &[("page_size", "20"), ("page_number", "2")])
        .await;
    assert_eq!(ids(&other)[0], "u20");
}
