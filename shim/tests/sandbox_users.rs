//! The sandbox over real HTTP: users, from list to deletion.

#[path = "sandbox_client/mod.rs"]
mod sandbox_client;
use sandbox_client::Client;

#[tokio::test]
async fn the_list_starts_with_ada_and_ends_with_the_owner() {
    let client = Client::start().await;
    let list = client.get("/users?page_size=300").await.body(200);
    assert_eq!(list["total_records"], 40);
    assert_eq!(list["page_count"], 1);
    assert_eq!(list["page_number"], 1);
    assert_eq!(list["page_size"], 300);
    assert_eq!(list["next_page_token"], "");
    let users = list["users"].as_array().expect("users");
    assert_eq!(users[0]["email"], "ada.lovelace@example.com");
    assert_eq!(users[0]["id"].as_str().map(str::len), Some(22));
    assert_eq!(users[39]["role_id"], "0");
    assert!(
        users
            .iter()
            .any(|user| user["pmi"].as_i64() > Some(1 << 32))
    );
    assert!(
        users
            .iter()
            .all(|user| user.get("pic_url").is_none() && user.get("login_types").is_none())
    );
    insta::assert_json_snapshot!(users[0]);
}
