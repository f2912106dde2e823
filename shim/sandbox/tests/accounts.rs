//! The sandbox over HTTP: sub accounts, devices and chats.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::Client;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// Path of the sub account with this name.
async fn account(client: &Client, name: &str) -> String {
    let accounts = client.walk("/accounts", "accounts").await;
    let account = accounts
        .iter()
        .find(|one| one["account_name"] == name)
        .expect("the account");
    format!("/accounts/{}", account["id"].as_str().expect("an id"))
}

fn contact() -> Value {
    json!({
        "first_name": "Maria", "last_name": "Mitchell", "email": "m@sub.example.com", "phone_number": "5550100",
        "address": "4 Vestal Street", "city": "Nantucket", "state": "MA", "zip": "02554", "country": "US",
    })
}

#[tokio::test]
async fn creates_changes_and_releases_a_sub_account() {
    let client = Client::start().await;
    let new = json!({"first_name": "N", "last_name": "E", "email": "new@sub.example.com", "password": "Tm3-kQ9x", "options": {"share_rc": true}});
    let created = client.post("/accounts", &new).await.body(201);
    client
        .post("/accounts", &new)
        .await
        .error(409, 1005, "new@sub.example.com");
    let path = format!("/accounts/{}", created["id"].as_str().expect("an id"));
    client
        .patch(&format!("{path}/options"), &json!({"pay_mode": "sub"}))
        .await
        .empty(200);
    let shown = client.get(&path).await.body(200);
    assert_eq!(
        (&shown["owner_id"], &shown["account_type"]),
        (&created["owner_id"], &json!("Free"))
    );
    assert_eq!(
        (&shown["options"]["share_rc"], &shown["options"]["pay_mode"]),
        (&json!(true), &json!("sub"))
    );
    client
        .patch(
            &format!("{path}/settings"),
            &json!({"schedule_meeting": {"enforce_login": true}}),
        )
        .await
        .error(400, 200, "paid accounts");
    client.delete(&path).await.empty(204);
    client.get(&path).await.error(404, 2001, "does not exist");
    client
        .get("/accounts/me")
        .await
        .error(404, 2001, "does not exist");
}

#[tokio::test]
async fn subscribes_and_changes_plans() {
    let client = Client::start().await;
    let path = account(&client, "Small office").await;
    let plans = format!("{path}/plans");
    assert_eq!(client.get(&plans).await.body(200), json!({}));
    client
        .get(&format!("{path}/billing"))
        .await
        .error(400, 200, "subscribe a plan");
    let webinar = json!({"type": "webinar100_monthly", "hosts": 2});
    client
        .post(&format!("{plans}/addons"), &webinar)
        .await
        .error(400, 2100, "free plan");
    client
        .put(&format!("{plans}/addons"), &webinar)
        .await
        .error(400, 3261, "major plan first");
    client
        .post(
            &plans,
            &json!({"plan_base": {"type": "monthly", "hosts": 5}}),
        )
        .await
        .error(400, 300, "Validation");
    let subscribed = json!({"contact": contact(), "plan_base": {"type": "monthly", "hosts": 5}});
    assert_eq!(
        client.post(&plans, &subscribed).await.body(201)["plan_base"]["hosts"],
        5
    );
    client
        .post(&plans, &subscribed)
        .await
        .error(400, 2100, "not free plan");
    client
        .post(&format!("{plans}/addons"), &webinar)
        .await
        .body(201);
    client
        .post(&format!("{plans}/addons"), &webinar)
        .await
        .error(400, 2100, "already has");
    client
        .put(
            &format!("{plans}/addons"),
            &json!({"type": "webinar100_monthly", "hosts": 3}),
        )
        .await
        .empty(200);
    client
        .put(
            &format!("{plans}/addons"),
            &json!({"type": "nonsense", "hosts": 3}),
        )
        .await
        .error(400, 2100, "nonsense");
    client
        .put(
            &format!("{plans}/base"),
            &json!({"type": "yearly", "hosts": 7}),
        )
        .await
        .empty(204);
    let shown = client.get(&plans).await.body(200);
    assert_eq!(
        (&shown["plan_base"]["type"], &shown["plan_base"]["status"]),
        (&json!("yearly"), &json!("active"))
    );
    assert_eq!(shown["plan_webinar"][0]["hosts"], 3);
    client
        .patch(&format!("{path}/billing"), &json!({"city": "Boston"}))
        .await
        .empty(200);
    let billing = client.get(&format!("{path}/billing")).await.body(200);
    assert_eq!(
        (&billing["city"], &billing["first_name"]),
        (&json!("Boston"), &json!("Maria"))
    );
    client.delete(&path).await.error(404, 2000, "paid account");
    client
        .patch(
            &format!("{path}/settings"),
            &json!({"feature": {"meeting_capacity": 200}}),
        )
        .await
        .empty(204);
    let itself = account(&client, "Self payer").await;
    client
        .get(&format!("{itself}/billing"))
        .await
        .error(400, 2100, "self pay");
    client
        .post(&format!("{itself}/plans"), &subscribed)
        .await
        .error(400, 2100, "self pay");
}

/// v2 returns this rejection with a success status.
#[tokio::test]
async fn rejected_pay_mode_has_success_status() {
    let client = Client::start().await;
    let path = format!("{}/options", account(&client, "Observatory").await);
    let request = client
        .request(reqwest::Method::PATCH, &path)
        .json(&json!({"pay_mode": "sub"}));
    client::Answer::of(request)
        .await
        .error(200, 200, "pay mode cannot be updated");
}

#[tokio::test]
async fn adds_changes_and_removes_devices() {
    let client = Client::start().await;
    let device = json!({"name": "New", "ip": "192.0.2.1", "protocol": "SIP", "encryption": "yes"});
    let added = client.post("/h323/devices", &device).await.body(201);
    client
        .post("/h323/devices", &device)
        .await
        .error(404, 2020, "New");
    let path = format!("/h323/devices/{}", added["id"].as_str().expect("an id"));
    client
        .patch(&path, &json!({"name": "New"}))
        .await
        .error(400, 300, "Validation");
    let changed = json!({"name": "New", "ip": "192.0.2.2", "protocol": "SIP", "encryption": "yes"});
    client.patch(&path, &changed).await.empty(204);
    let devices = client.walk("/h323/devices?page_size=1", "devices").await;
    assert_eq!((devices.len(), &devices[2]["ip"]), (3, &json!("192.0.2.2")));
    client.delete(&path).await.empty(200);
    client.delete(&path).await.error(404, 300, "not exist");
}

#[tokio::test]
async fn chats_have_sessions_and_messages() {
    let client = Client::start().await;
    let day = |ago| (OffsetDateTime::now_utc() - Duration::days(ago)).date();
    let month = format!("from={}&to={}", day(28), day(0));
    let sessions = client
        .walk(&format!("/report/chat/sessions?{month}"), "sessions")
        .await;
    assert_eq!(sessions.len(), 2);
    let path = format!(
        "/report/chat/sessions/{}?page_size=20&{month}",
        sessions[0]["id"].as_str().expect("an id")
    );
    let messages = client.walk(&path, "messages").await;
    assert_eq!(messages.len(), 45);
    client
        .get(&format!("/report/chat/sessions/nope?{month}"))
        .await
        .error(404, 300, "nope");
    client
        .get(&format!("{path}&next_page_token=x"))
        .await
        .error(400, 300, "next page token");
}
