//! The sandbox over HTTP: settings.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::Client;
use serde_json::{Value, json};

const ADA: &str = "/users/ada.lovelace@example.com/settings";
const ALAN: &str = "/users/alan.turing@example.com/settings";

#[tokio::test]
async fn the_defaults_are_complete_and_typed() {
    let client = Client::start().await;
    let settings = client.get(ADA).await.body(200);
    for pointer in [
        "/in_meeting/chat",
        "/in_meeting/private_chat",
        "/recording/cloud_recording",
        "/email_notification/jbh_reminder",
    ] {
        assert_eq!(settings.pointer(pointer), Some(&json!(true)), "{pointer}");
    }
    for pointer in [
        "/in_meeting/attendee_on_hold",
        "/in_meeting/share_dual_camera",
        "/feature/webinar",
        "/feature/large_meeting",
    ] {
        assert_eq!(settings.pointer(pointer), Some(&json!(false)), "{pointer}");
    }
    assert_eq!(settings["recording"]["auto_recording"], "none");
    assert_eq!(settings["in_meeting"]["entry_exit_chime"], "none");
    assert_eq!(settings["feature"]["meeting_capacity"], 300);
    let basic = client.get(ALAN).await.body(200);
    assert_eq!(basic["feature"]["meeting_capacity"], 100);
    assert_eq!(basic["recording"]["cloud_recording"], false);
}

#[tokio::test]
async fn changes_are_merged() {
    let client = Client::start().await;
    let before = client.get(ADA).await.body(200);
    client.patch(ADA, &json!({"in_meeting": {"chat": false}, "recording": {"auto_recording": "cloud"}, "nonsense": 1})).await.empty(204);
    client
        .patch(
            ADA,
            &json!({"in_meeting": {"entry_exit_chime": "host", "nonsense": {}}}),
        )
        .await
        .empty(204);
    client.patch(ADA, &json!({})).await.empty(204);
    let mut expected = before;
    expected["in_meeting"]["chat"] = json!(false);
    expected["in_meeting"]["entry_exit_chime"] = json!("host");
    expected["recording"]["auto_recording"] = json!("cloud");
    assert_eq!(client.get(ADA).await.body(200), expected);
    assert_eq!(
        client
            .get("/users/grace.hopper@example.com/settings")
            .await
            .body(200)["in_meeting"]["chat"],
        true
    );
}

#[tokio::test]
async fn capacity_is_shown_only_with_its_feature() {
    let client = Client::start().await;
    let feature = async || client.get(ADA).await.body(200)["feature"].clone();
    client
        .patch(ADA, &json!({"feature": {"webinar": true}}))
        .await
        .empty(204);
    assert_eq!(feature().await["webinar_capacity"], 100);
    client.patch(ADA, &json!({"feature": {"webinar_capacity": 3000, "large_meeting": true, "large_meeting_capacity": 1000}})).await.empty(204);
    assert_eq!(
        (
            &feature().await["webinar_capacity"],
            &feature().await["large_meeting_capacity"]
        ),
        (&json!(3000), &json!(1000))
    );
    client
        .patch(ADA, &json!({"feature": {"webinar": false}}))
        .await
        .empty(204);
    assert_eq!(feature().await.get("webinar_capacity"), None);
}

#[tokio::test]
async fn selects_fields_by_name_at_any_depth() {
    let client = Client::start().await;
    let picked = client
        .get(&format!(
            "{ADA}?custom_query_fields=host_video,%20entry_exit_chime"
        ))
        .await
        .body(200);
    assert_eq!(
        picked,
        json!({"in_meeting": {"entry_exit_chime": "none"}, "schedule_meeting": {"host_video": true}})
    );
    let none = client
        .get(&format!("{ADA}?custom_query_fields=nothing"))
        .await
        .body(200);
    assert_eq!(none, json!({}));
}

#[tokio::test]
async fn security_is_a_separate_document() {
    let client = Client::start().await;
    let security = format!("{ADA}?option=meeting_security");
    let before = client.get(&security).await.body(200);
    assert_eq!(
        before["meeting_security"]["encryption_type"],
        "enhanced_encryption"
    );
    let change = json!({"meeting_security": {"encryption_type": "e2ee", "block_user_domain_list": ["example.org"]}});
    client.patch(&security, &change).await.empty(204);
    let after = client.get(&security).await.body(200);
    assert_eq!(after["meeting_security"]["encryption_type"], "e2ee");
    assert_eq!(
        after["meeting_security"]["waiting_room"],
        before["meeting_security"]["waiting_room"]
    );
    assert_eq!(
        client.get(ADA).await.body(200).get("meeting_security"),
        None
    );
}

#[tokio::test]
async fn changes_shows_and_hides_authentication_options() {
    let client = Client::start().await;
    for option in ["meeting_authentication", "recording_authentication"] {
        let path = format!("{ADA}?option={option}");
        let id = client.get(&path).await.body(200)["authentication_options"][1]["id"].clone();
        let rename = json!({"authentication_option": {"action": "update", "id": id, "name": "Known users"}, option: true});
        client.patch(&path, &rename).await.empty(204);
        client
            .patch(
                &path,
                &json!({"authentication_option": {"action": "hide", "id": id}}),
            )
            .await
            .empty(204);
        let after = client.get(&path).await.body(200);
        assert_eq!(after[option], true);
        let changed = &after["authentication_options"][1];
        assert_eq!(
            (&changed["name"], &changed["visible"]),
            (&json!("Known users"), &json!(false))
        );
        client
            .patch(
                &path,
                &json!({"authentication_option": {"action": "show", "id": id}}),
            )
            .await
            .empty(204);
        assert_eq!(
            client.get(&path).await.body(200)["authentication_options"][1]["visible"],
            true
        );
        let unknown = json!({"authentication_option": {"action": "show", "id": "nope"}});
        client
            .patch(&path, &unknown)
            .await
            .error(400, 300, "Validation Failed");
    }
}

#[tokio::test]
async fn rejected_change_changes_nothing() {
    let client = Client::start().await;
    let before = client.get(ALAN).await.body(200);
    let change = json!({"in_meeting": {"chat": false}, "feature": {"webinar": true}});
    client
        .patch(ALAN, &change)
        .await
        .error(400, 1122, "Licensed");
    let refused = client.patch(ALAN, &json!({"in_meeting": {"chat": false, "annotation": "yes", "allow_users_save_chats": 9}})).await;
    refused.error(400, 300, "Validation Failed");
    let fields: Vec<Value> = refused.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(
        fields,
        ["in_meeting.allow_users_save_chats", "in_meeting.annotation"]
    );
    assert_eq!(client.get(ALAN).await.body(200), before);
}
