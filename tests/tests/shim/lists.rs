//! v1's pages over both kinds of v2 pagination, and the detail of their entries.

use end_to_end::Stage;
use serde_json::Value;
use shim_sandbox::{Paging, SandboxConfig};

use crate::requests::{ask, success};

const TOKEN_ONLY: SandboxConfigOf = |users| SandboxConfig {
    users,
    paging: Paging::TokenOnly,
    ..SandboxConfig::default()
};
const BOTH: SandboxConfigOf = |users| SandboxConfig {
    users,
    ..SandboxConfig::default()
};
type SandboxConfigOf = fn(usize) -> SandboxConfig;

/// Otherwise each entry needs its own calls.
const PROFILE: &str = "[list]\ndetail = \"profile\"";

async fn page(stage: &Stage, operation: &str, size: usize, number: usize) -> Value {
    let (size, number) = (size.to_string(), number.to_string());
    let given = [
        ("page_size", size.as_str()),
        ("page_number", number.as_str()),
    ];
    stage.ask(operation, &given).await.success()
}

fn emails(page: &Value) -> Vec<String> {
    let users = page["users"].as_array().unwrap();
    users
        .iter()
        .map(|user| user["email"].as_str().unwrap().to_owned())
        .collect()
}

/// `[page_count, page_number, page_size, total_records, entries]`
fn numbers(page: &Value) -> [u64; 5] {
    let number = |name: &str| page[name].as_u64().unwrap();
    [
        number("page_count"),
        number("page_number"),
        number("page_size"),
        number("total_records"),
        page["users"].as_array().unwrap().len() as u64,
    ]
}

#[tokio::test]
async fn pages_are_the_same_over_both_kinds() {
    let by_number = Stage::with(BOTH(40), PROFILE).await;
    let by_token = Stage::with(TOKEN_ONLY(40), PROFILE).await;
    for size in [1, 7, 20, 39, 40, 41, 300] {
        let count = 40_usize.div_ceil(size);
        let mut all = Vec::new();
        for number in 1..=count {
            let one = page(&by_number, "user/list", size, number).await;
            let other = page(&by_token, "user/list", size, number).await;
            let entries = size.min(40 - (number - 1) * size);
            let expected = [count, number, size, 40, entries].map(|number| number as u64);
            assert_eq!(numbers(&one), expected);
            assert_eq!(numbers(&other), expected, "by token");
            assert_eq!(emails(&one), emails(&other), "{size} {number}");
            all.extend(emails(&other));
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40, "each user once, {size} a page");
    }
}

#[tokio::test]
async fn a_jump_goes_straight_to_its_page() {
    let by_number = Stage::with(BOTH(40), PROFILE).await;
    let by_token = Stage::with(TOKEN_ONLY(40), PROFILE).await;
    for number in [4, 2, 5, 1, 3, 6] {
        let one = page(&by_number, "user/list", 7, number).await;
        let other = page(&by_token, "user/list", 7, number).await;
        assert_eq!(emails(&one), emails(&other), "page {number}");
    }
}

#[tokio::test]
async fn walk_needs_one_call_per_page() {
    let stage = Stage::with(TOKEN_ONLY(40), PROFILE).await;
    for number in 1..=4 {
        page(&stage, "user/list", 10, number).await;
        let lines = stage.wire().lines();
        assert_eq!(lines.len(), 1, "page {number}: {lines:?}");
        assert_eq!(
            lines[0].contains("next_page_token="),
            number > 1,
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn a_page_beyond_the_last_is_empty() {
    for account in [BOTH(40), TOKEN_ONLY(40)] {
        let stage = Stage::with(account, PROFILE).await;
        for number in [5, 6, 900_000] {
            let beyond = page(&stage, "user/list", 10, number).await;
            assert_eq!(numbers(&beyond), [4, number as u64, 10, 40, 0]);
        }
    }
}

#[tokio::test]
async fn sizes_have_a_default_and_a_maximum() {
    for account in [BOTH(320), TOKEN_ONLY(320)] {
        let stage = Stage::with(account, PROFILE).await;
        let default = success(&stage, "user/list").await;
        assert_eq!(numbers(&default), [11, 1, 30, 320, 30]);
        let clamped = page(&stage, "user/list", 1000, 2).await;
        assert_eq!(numbers(&clamped), [2, 2, 300, 320, 20]);
    }
}

#[tokio::test]
async fn pending_users_are_paged_too() {
    for account in [BOTH(40), TOKEN_ONLY(40)] {
        let stage = Stage::with(account, "").await;
        let mut found = Vec::new();
        for number in 1..=2 {
            let one = page(&stage, "user/pending", 1, number).await;
            assert_eq!(numbers(&one), [2, number as u64, 1, 2, 1]);
            found.extend(emails(&one));
        }
        assert_eq!(
            found,
            ["emmy.noether@example.com", "sofja.kowalewskaja@example.com"]
        );
        assert_eq!(
            numbers(&page(&stage, "user/pending", 1, 3).await),
            [2, 3, 1, 2, 0]
        );
    }
}

#[tokio::test]
async fn survives_deletion_between_pages() {
    let stage = Stage::with(TOKEN_ONLY(40), PROFILE).await;
    let first = page(&stage, "user/list", 10, 1).await;
    let leaver = first["users"][3]["id"].as_str().unwrap();
    success(&stage, &format!("user/delete id={leaver}")).await;
    let second = page(&stage, "user/list", 10, 2).await;
    assert_eq!(second["total_records"], 39);
    assert_eq!(emails(&second).len(), 10);
}

/// Number of entries with settings, and whether missing settings cause a warning.
async fn detail(settings: &str, size: usize) -> (usize, bool) {
    let stage = Stage::with(BOTH(40), settings).await;
    let size = size.to_string();
    let answer = ask(&stage, &format!("user/list page_size={size}")).await;
    let is_warned = answer.warns_of("disable_chat");
    let page = answer.success();
    let users = page["users"].as_array().unwrap();
    let detailed = users
        .iter()
        .filter(|user| user.get("disable_chat").is_some());
    (detailed.count(), is_warned)
}

#[tokio::test]
async fn small_pages_have_settings_and_large_ones_do_not() {
    for (settings, size, expected) in [
        ("", 30, 30),
        ("", 31, 0),
        ("[list]\ndetail = \"auto\"", 30, 30),
        ("[list]\ndetail = \"auto\"", 40, 0),
        ("[list]\ndetail = \"full\"", 30, 30),
        ("[list]\ndetail = \"full\"", 40, 40),
        ("[list]\ndetail = \"profile\"", 5, 0),
    ] {
        let shown = detail(settings, size).await;
        assert_eq!(shown, (expected, expected == 0), "{settings} {size}");
    }
}

#[tokio::test]
async fn caches_settings_until_the_next_write() {
    if Stage::is_replicated() {
        return;
    }
    let stage = Stage::start().await;
    let settings_read = async || {
        let page = page(&stage, "user/list", 10, 1).await;
        let lines = stage.wire().lines();
        let settings = lines.iter().filter(|line| line.ends_with("/settings"));
        (settings.count(), page["users"][0]["disable_chat"].clone())
    };
    assert_eq!(settings_read().await, (10, false.into()));
    assert_eq!(settings_read().await, (0, false.into()));
    let given = [("id", "ada.lovelace@example.com"), ("disable_chat", "1")];
    stage.ask("user/update", &given).await.success();
    stage.wire().take();
    let (calls, disabled) = settings_read().await;
    assert_eq!(disabled, true, "an entry shows what was just written");
    assert!(calls > 0);
}

#[tokio::test]
async fn separates_webinars_by_registration_unless_paged() {
    let host = ("host_id", "mary.jackson@example.com");
    let all = Stage::with(
        SandboxConfig::default(),
        "[options]\nwebinar_lists = \"all\"",
    )
    .await;
    let exact = Stage::start().await;
    let size = |stage: &Stage, operation: &'static str, size: &'static str| {
        let stage = stage.clone();
        async move {
            let page = stage.ask(operation, &[host, ("page_size", size)]).await;
            let page = page.success();
            let entries = page["webinars"].as_array().unwrap().len();
            (page["total_records"].as_u64().unwrap(), entries)
        }
    };
    let (every, _) = size(&all, "webinar/list", "300").await;
    let (without, shown) = size(&exact, "webinar/list", "300").await;
    assert!(0 < without && without < every, "{without} of {every}");
    assert_eq!(without, shown as u64);
    all.wire().take();
    assert_eq!(size(&all, "webinar/list", "2").await, (every, 2));
    let lines = all.wire().lines();
    assert!(lines[0].contains("page_size=2"), "{lines:?}");
}
