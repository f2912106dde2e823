//! The sandbox over HTTP: groups, IM groups, assistants and schedulers.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::Client;
use serde_json::{Value, json};
use shim_sandbox::{Sandbox, SandboxConfig};

const ADA: &str = "/users/ada.lovelace@example.com";
const CHARLES: &str = "/users/charles.babbage@example.com";

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[tokio::test]
async fn creates_renames_and_deletes_groups() {
    let client = Client::start().await;
    for base in ["/groups", "/im/groups"] {
        let group = client
            .post(base, &json!({"name": "Größen & Maße II"}))
            .await
            .body(201);
        assert_eq!(
            (&group["name"], &group["total_members"]),
            (&json!("Größen & Maße II"), &json!(0))
        );
        let path = format!("{base}/{}", text(&group["id"]));
        client
            .post(base, &json!({"name": "Größen & Maße II"}))
            .await
            .error(409, 4132, "Größen & Maße II");
        client
            .patch(&path, &json!({"name": "Measures"}))
            .await
            .empty(204);
        client
            .patch(&path, &json!({"name": "Measures"}))
            .await
            .empty(204);
        assert_eq!(client.get(&path).await.body(200)["name"], "Measures");
        let ada = client.id_of("ada.lovelace@example.com").await;
        let members = json!({"members": [{"id": ada}, {"email": "Grace.Hopper@example.com"}, {"email": "nobody@example.com"}, {}]});
        let added = client
            .post(&format!("{path}/members"), &members)
            .await
            .body(201);
        assert_eq!(text(&added["ids"]).split(',').count(), 2);
        let listed = client
            .get(&format!("{path}/members?page_size=1"))
            .await
            .body(200);
        assert_eq!(
            (&listed["total_records"], &listed["page_count"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(listed["members"][0]["email"], "ada.lovelace@example.com");
        let rest = format!(
            "{path}/members?next_page_token={}",
            text(&listed["next_page_token"])
        );
        assert_eq!(
            client.get(&rest).await.body(200)["members"][0]["email"],
            "grace.hopper@example.com"
        );
        client
            .delete(&format!("{path}/members/{ada}"))
            .await
            .empty(204);
        client
            .delete(&format!("{path}/members/{ada}"))
            .await
            .error(404, 4131, "does not exist");
        assert_eq!(client.get(&path).await.body(200)["total_members"], 1);
        let list = client.get(base).await.body(200);
        assert_eq!(
            list["total_records"].as_u64(),
            list["groups"].as_array().map(|groups| groups.len() as u64)
        );
        client.delete(&path).await.empty(204);
        client.get(&path).await.error(404, 4130, text(&group["id"]));
        client
            .delete(&path)
            .await
            .error(404, 4130, "does not exist");
    }
    assert_eq!(
        client
            .get("/users/grace.hopper@example.com")
            .await
            .body(200)["group_ids"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn an_im_group_has_a_type() {
    let client = Client::start().await;
    let group = json!({"name": "Notes", "type": "shared", "search_by_domain": true});
    let group = client.post("/im/groups", &group).await.body(201);
    let path = format!("/im/groups/{}", text(&group["id"]));
    client
        .patch(&path, &json!({"type": "restricted"}))
        .await
        .empty(204);
    let shown = client.get(&path).await.body(200);
    assert_eq!(
        (
            &shown["type"],
            &shown["search_by_domain"],
            &shown["search_by_account"]
        ),
        (&json!("restricted"), &json!(true), &json!(false))
    );
}

#[tokio::test]
async fn a_member_moves_between_groups() {
    let client = Client::start().await;
    let list = client.get("/groups?page_size=1").await.body(200);
    let from = text(&list["groups"][0]["id"]).to_owned();
    let next = client
        .get(&format!(
            "/groups?next_page_token={}",
            text(&list["next_page_token"])
        ))
        .await
        .body(200);
    let to = text(&next["groups"][0]["id"]).to_owned();
    let member = format!("/groups/{from}/members/ada.lovelace@example.com");
    client
        .patch(&member, &json!({"action": "set_primary"}))
        .await
        .empty(204);
    client
        .patch(&member, &json!({"action": "move"}))
        .await
        .error(400, 300, "target_group_id");
    client
        .patch(
            &member,
            &json!({"action": "move", "target_group_id": "nope"}),
        )
        .await
        .error(404, 4130, "nope");
    client
        .patch(&member, &json!({"action": "move", "target_group_id": to}))
        .await
        .empty(204);
    client
        .patch(&member, &json!({"action": "set_primary"}))
        .await
        .error(404, 4131, "does not exist");
    assert_eq!(client.get(ADA).await.body(200)["group_ids"], json!([to]));
}

#[tokio::test]
async fn im_groups_can_be_disabled() {
    let client = Client::with(SandboxConfig {
        im_groups: false,
        ..SandboxConfig::default()
    })
    .await;
    client
        .get("/im/groups")
        .await
        .error(410, 4137, "no longer available");
    client
        .post("/im/groups/x/members", &json!({}))
        .await
        .error(410, 4137, "no longer available");
    client.get("/groups").await.body(200);
}

#[tokio::test]
async fn assistants_and_schedulers_are_inverse() {
    let client = Client::start().await;
    let (ada, charles) = (
        client.id_of("ada.lovelace@example.com").await,
        client.id_of("charles.babbage@example.com").await,
    );
    let added = json!({"assistants": [{"email": "CHARLES.babbage@example.com", "can_manage_host_private_event": true}]});
    let answer = client
        .post(&format!("{ADA}/assistants"), &added)
        .await
        .body(201);
    assert_eq!(answer["ids"], json!(charles));
    let assistants = client.get(&format!("{ADA}/assistants")).await.body(200);
    let expected = json!({"id": charles, "email": "charles.babbage@example.com", "can_manage_host_private_event": true});
    assert_eq!(assistants["assistants"][1], expected);
    let schedulers = client.get(&format!("{CHARLES}/schedulers")).await.body(200);
    assert_eq!(schedulers["schedulers"][0]["id"], json!(ada));
    assert!(schedulers["schedulers"][0]["pmi"].is_i64());

    client
        .delete(&format!("{ADA}/assistants/{charles}"))
        .await
        .empty(204);
    client
        .delete(&format!("{ADA}/assistants/{charles}"))
        .await
        .empty(204);
    assert_eq!(
        client.get(&format!("{CHARLES}/schedulers")).await.body(200),
        json!({"schedulers": []})
    );
    client
        .post(&format!("{ADA}/assistants"), &added)
        .await
        .body(201);
    client
        .delete(&format!("{CHARLES}/schedulers/{ada}"))
        .await
        .empty(204);
    client
        .post(&format!("{ADA}/assistants"), &added)
        .await
        .body(201);
    client
        .delete(&format!("{CHARLES}/schedulers"))
        .await
        .empty(204);
    client
        .post(&format!("{ADA}/assistants"), &added)
        .await
        .body(201);
    client.delete(&format!("{ADA}/assistants")).await.empty(204);
    assert_eq!(
        client.get(&format!("{ADA}/assistants")).await.body(200),
        json!({"assistants": []})
    );
}

#[tokio::test]
async fn urls_use_the_request_host() {
    let addr = "127.0.0.1:8080".parse().expect("an address");
    assert_eq!(Sandbox::v2_base(addr), "http://127.0.0.1:8080/v2");
    assert_eq!(
        Sandbox::token_url(addr),
        "http://127.0.0.1:8080/oauth/token"
    );
}
