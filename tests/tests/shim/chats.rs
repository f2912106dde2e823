//! Archived chats, which need the chat token of the key.

use end_to_end::{CHAT_TOKEN, Stage};
use serde_json::{Value, json};

use crate::requests::{at, errors, has, month, one, success};

const PAGE: &str = "from:d to:d page_size:n page_count:n next_page_token:s";

async fn asked(stage: &Stage, operation: &str, more: &str) -> Value {
    let opened = format!("chat/{operation} access_token={CHAT_TOKEN} {}", month());
    success(stage, &format!("{opened} {more}")).await
}

#[tokio::test]
async fn list_shows_sessions() {
    let stage = Stage::start().await;
    let sessions = asked(&stage, "list", "").await;
    has(&sessions, "", &format!("{PAGE} chat_list:a"));
    let session = "session_id:s type:s participants:s group_name:s last_message_send_time:t";
    has(&sessions, "chat_list[]", session);
    assert_eq!(at(&sessions, "chat_list[]").len(), 2);
    let pair = one(&sessions, "chat_list[]", "type", "1:1");
    assert_eq!(
        pair["participants"],
        "ada.lovelace@example.com, grace.hopper@example.com"
    );

    let first = asked(&stage, "list", "page_size=1").await;
    let token = first["next_page_token"].as_str().unwrap();
    let second = asked(
        &stage,
        "list",
        &format!("page_size=1 next_page_token={token}"),
    )
    .await;
    assert_eq!(first["chat_list"], json!([sessions["chat_list"][0]]));
    assert_eq!(second["chat_list"], json!([sessions["chat_list"][1]]));
    assert_eq!(second["next_page_token"], "");
}

#[tokio::test]
async fn list_filters_by_member() {
    let stage = Stage::start().await;
    let found = asked(&stage, "list", "email=grace.hopper@example.com").await;
    assert_eq!(at(&found, "chat_list[]").len(), 1);
    let none = asked(&stage, "list", "email=nobody@example.com").await;
    assert_eq!(none["chat_list"], json!([]));
}

#[tokio::test]
async fn get_shows_messages() {
    let stage = Stage::start().await;
    let sessions = asked(&stage, "list", "").await;
    let group = one(&sessions, "chat_list[]", "group_name", "Analytical Engines");
    let id = format!("session_id={}", group["session_id"].as_str().unwrap());
    let page = asked(&stage, "get", &id).await;
    has(
        &page,
        "",
        &format!("{PAGE} session_id:s group_name:s chat_messages:a"),
    );
    has(&page, "chat_messages[]", "message:s sender:s date_time:t");
    assert_eq!(page["session_id"], group["session_id"]);
    assert_eq!(at(&page, "chat_messages[]").len(), 30);
    let token = page["next_page_token"].as_str().unwrap();
    let rest = asked(&stage, "get", &format!("{id} next_page_token={token}")).await;
    assert_eq!(at(&rest, "chat_messages[]").len(), 15);
    assert_eq!(rest["next_page_token"], "");
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let stage = Stage::start().await;
    let month = month();
    let opened = format!("access_token={CHAT_TOKEN} {month}");
    errors(
        &stage,
        &format!(
            "
            chat/list {month} => 300 Access_token is required.
            chat/list access_token=wrong {month} => 200 No permission: chat/list is not allowed for this api key.
            chat/get access_token=wrong session_id=x {month} => 200 No permission: chat/get is not allowed for this api key.
            chat/get {opened} => 300 Session_id is required.
            chat/get {opened} session_id=x => 300 The session does not exist: x.
            chat/list {opened} next_page_token=wrong => 300 Invalid parameter: next_page_token
            chat/list access_token={CHAT_TOKEN} from=2026-01-01 => 300 To is required.
            "
        ),
    )
    .await;
    assert!(
        stage
            .wire()
            .lines()
            .iter()
            .all(|line| !line.contains("access_token"))
    );
}
