//! The sandbox over HTTP: users.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::{Answer, Client};
use serde_json::{Value, json};
use shim_sandbox::{Paging, SandboxConfig};

const ADA: &str = "/users/ada.lovelace@example.com";

fn emails(list: &Value) -> Vec<String> {
    let users = list["users"].as_array().expect("users");
    users
        .iter()
        .map(|user| user["email"].as_str().expect("an address").to_owned())
        .collect()
}

#[tokio::test]
async fn seeded_list_is_stable() {
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

#[tokio::test]
async fn seed_is_stable_and_repeats_names_with_numbers() {
    let (one, more) = (
        Client::start().await,
        Client::with(SandboxConfig {
            users: 90,
            ..SandboxConfig::default()
        })
        .await,
    );
    let again = Client::start().await;
    assert_eq!(
        one.get("/users?page_size=300").await.text,
        again.get("/users?page_size=300").await.text
    );
    let list = more.get("/users?page_size=2000").await.body(200);
    assert_eq!(list["total_records"], 90);
    assert!(emails(&list).contains(&"ada.lovelace2@example.com".to_owned()));
    for email in [
        "ada.lovelace@example.com",
        "owner@example.com",
        "evariste.galois@example.com",
    ] {
        assert_eq!(one.id_of(email).await, more.id_of(email).await);
    }
}

#[tokio::test]
async fn one_user_is_the_owner() {
    let client = Client::with(SandboxConfig {
        users: 0,
        ..SandboxConfig::default()
    })
    .await;
    assert_eq!(
        emails(&client.get("/users").await.body(200)),
        ["owner@example.com"]
    );
    assert_eq!(
        client.get("/users/me").await.body(200)["email"],
        "owner@example.com"
    );
}

#[tokio::test]
async fn lists_users_by_status_and_pending_ones_without_id() {
    let client = Client::start().await;
    let pending = client.get("/users?status=pending").await.body(200);
    assert_eq!(
        emails(&pending),
        ["emmy.noether@example.com", "sofja.kowalewskaja@example.com"]
    );
    assert_eq!(pending["users"][0].get("id"), None);
    assert_eq!(pending["users"][0]["status"], "pending");
    assert_eq!(pending["users"][0]["verified"], 0);
    let inactive = client.get("/users?status=inactive").await.body(200);
    assert_eq!(emails(&inactive), ["evariste.galois@example.com"]);
    let user = client
        .get("/users/emmy.noether@example.com")
        .await
        .body(200);
    assert_eq!(user.get("id"), None);
}

#[tokio::test]
async fn filters_users_by_role_and_licence() {
    let client = Client::start().await;
    assert_eq!(
        emails(&client.get("/users?role_id=1").await.body(200)),
        ["joan.clarke@example.com"]
    );
    assert_eq!(
        client
            .get("/users?license=zoom_compliance_management")
            .await
            .body(200)["total_records"],
        0
    );
    let settings = json!({"feature": {"zoom_compliance_management": true}});
    client
        .patch(&format!("{ADA}/settings"), &settings)
        .await
        .empty(204);
    let licensed = client
        .get("/users?license=zoom_compliance_management")
        .await
        .body(200);
    assert_eq!(emails(&licensed), ["ada.lovelace@example.com"]);
    let plain = client.get("/users?page_size=1").await.body(200);
    assert_eq!(plain["users"][0].get("host_key"), None);
    let with_key = client
        .get("/users?page_size=1&include_fields=host_key")
        .await
        .body(200);
    assert_eq!(
        with_key["users"][0]["host_key"].as_str().map(str::len),
        Some(6)
    );
    let attributes = json!({"custom_attributes": [{"key": "cbf_1", "name": "Desk", "value": "7"}]});
    client.patch(ADA, &attributes).await.empty(204);
    let with_attributes = client
        .get("/users?page_size=1&include_fields=custom_attributes")
        .await
        .body(200);
    assert_eq!(
        with_attributes["users"][0]["custom_attributes"],
        attributes["custom_attributes"]
    );
}

#[tokio::test]
async fn page_numbers_and_tokens_agree() {
    let client = Client::start().await;
    let all = emails(&client.get("/users?page_size=2000").await.body(200));
    let (mut by_number, mut by_token, mut token) = (Vec::new(), Vec::new(), String::new());
    for number in 1..=4 {
        let page = client
            .get(&format!("/users?page_size=12&page_number={number}"))
            .await
            .body(200);
        assert_eq!(
            (&page["page_number"], &page["page_count"]),
            (&json!(number), &json!(4))
        );
        by_number.extend(emails(&page));
        // The token takes precedence over the page number.
        let path = format!("/users?page_size=12&page_number=3&next_page_token={token}");
        let page = client
            .get(path.trim_end_matches("&page_number=3&next_page_token="))
            .await
            .body(200);
        assert_eq!(page["page_number"], number);
        by_token.extend(emails(&page));
        token = page["next_page_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        assert_eq!(token.is_empty(), number == 4);
    }
    assert_eq!(by_number, all);
    assert_eq!(by_token, all);
    let beyond = client
        .get("/users?page_size=12&page_number=5")
        .await
        .body(200);
    assert_eq!(
        (emails(&beyond).len(), &beyond["total_records"]),
        (0, &json!(40))
    );
}

#[tokio::test]
async fn a_page_token_survives_deletions_before_it() {
    let client = Client::start().await;
    let all = emails(&client.get("/users?page_size=2000").await.body(200));
    let first = client.get("/users?page_size=10").await.body(200);
    client
        .delete(&format!("{ADA}?action=delete"))
        .await
        .empty(204);
    let token = first["next_page_token"].as_str().expect("a token");
    let second = client
        .get(&format!("/users?page_size=10&next_page_token={token}"))
        .await
        .body(200);
    assert_eq!(emails(&second), all[10..20]);
}

#[tokio::test]
async fn page_tokens_are_bound_to_a_list_and_expire() {
    let client = Client::start().await;
    let first = client.get("/users?page_size=10").await.body(200);
    let token = first["next_page_token"].as_str().expect("a token");
    for path in [
        format!("/users?status=pending&next_page_token={token}"),
        format!("/users?next_page_token=x{token}"),
        "/users?next_page_token=AAAA".to_owned(),
        "/users?next_page_token=%00%ff".to_owned(),
    ] {
        client
            .get(&path)
            .await
            .error(400, 300, "next page token is invalid");
    }
    let hasty = SandboxConfig {
        page_token_lifetime: std::time::Duration::ZERO,
        ..SandboxConfig::default()
    };
    let client = Client::with(hasty).await;
    let first = client.get("/users?page_size=10").await.body(200);
    let token = first["next_page_token"].as_str().expect("a token");
    client
        .get(&format!("/users?next_page_token={token}"))
        .await
        .error(400, 300, "next page token");
}

#[tokio::test]
async fn token_only_paging_ignores_page_numbers() {
    let client = Client::with(SandboxConfig {
        paging: Paging::TokenOnly,
        ..SandboxConfig::default()
    })
    .await;
    let first = client.get("/users?page_size=25").await.body(200);
    assert_eq!(
        (first.get("page_number"), first.get("page_count")),
        (None, None)
    );
    let numbered = client
        .get("/users?page_size=25&page_number=2")
        .await
        .body(200);
    assert_eq!(emails(&numbered), emails(&first));
    let token = first["next_page_token"].as_str().expect("a token");
    let second = client
        .get(&format!("/users?page_size=25&next_page_token={token}"))
        .await
        .body(200);
    assert_eq!(
        (emails(&second).len(), &second["next_page_token"]),
        (15, &json!(""))
    );
}

#[tokio::test]
async fn finds_users_by_id_address_and_unique_id() {
    let client = Client::start().await;
    let ada = client.get(ADA).await.body(200);
    let id = ada["id"].as_str().expect("an id");
    assert_eq!(client.get(&format!("/users/{id}")).await.body(200), ada);
    assert_eq!(
        client
            .get("/users/ADA.Lovelace%40example.COM")
            .await
            .body(200),
        ada
    );
    let by_unique_id = client
        .get("/users/E-1918-0826?search_by_unique_id=true")
        .await
        .body(200);
    assert_eq!(by_unique_id["email"], "katherine.johnson@example.com");
    assert_eq!(by_unique_id["login_types"], json!([101]));
    insta::assert_json_snapshot!(ada);
}

#[tokio::test]
async fn wrong_login_type_is_unknown() {
    let client = Client::start().await;
    client.get(&format!("{ADA}?login_type=100")).await.body(200);
    client
        .get(&format!("{ADA}?login_type=101"))
        .await
        .error(404, 1001, "ada.lovelace@example.com");
    client
        .get(&format!("{ADA}/settings?login_type=1"))
        .await
        .error(404, 1001, "does not exist");
    let changes = json!({"dept": "x"});
    client
        .patch(&format!("{ADA}?login_type=1"), &changes)
        .await
        .error(404, 1001, "does not exist");
}

#[tokio::test]
async fn create_actions_differ() {
    let client = Client::start().await;
    for (action, status, login_types) in [
        ("create", "pending", None),
        ("autoCreate", "active", Some(json!([100]))),
        ("custCreate", "active", Some(json!([99]))),
        ("ssoCreate", "active", Some(json!([101]))),
    ] {
        let email = format!("{action}@example.com");
        let info = json!({
            "email": email, "type": 2, "first_name": "Élise", "last_name": "O'Hara", "password": "Xk7!ppQ2z",
        });
        let created = client
            .post("/users", &json!({"action": action, "user_info": info}))
            .await
            .body(201);
        assert_eq!(created["id"].as_str().map(str::len), Some(22));
        for member in ["email", "type", "first_name", "last_name"] {
            assert_eq!(created[member], info[member]);
        }
        assert_eq!(created.as_object().map(serde_json::Map::len), Some(5));
        let user = client.get(&format!("/users/{email}")).await.body(200);
        assert_eq!(
            (&user["status"], user.get("login_types")),
            (&json!(status), login_types.as_ref()),
            "{action}"
        );
        assert_eq!(user.get("password"), None);
        let again = client
            .post("/users", &json!({"action": action, "user_info": info}))
            .await;
        again.error(409, 1005, &email);
    }
    let sso = client.get("/users/ssoCreate@example.com").await.body(200);
    assert_eq!(sso["vanity_url"], "https://zoom.example.com/my/ssoCreate");
}

#[tokio::test]
async fn pending_users_are_found_by_email_only() {
    let client = Client::start().await;
    let info = json!({"action": "create", "user_info": {"email": "new@example.com", "type": 1}});
    let id = client.post("/users", &info).await.body(201)["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    client
        .get(&format!("/users/{id}"))
        .await
        .error(404, 1001, &id);
    let group = client.get("/groups").await.body(200)["groups"][0]["id"].clone();
    client
        .patch(
            "/users/new@example.com",
            &json!({"dept": "R&D", "group_id": group}),
        )
        .await
        .empty(204);
    let user = client.get("/users/new@example.com").await.body(200);
    assert_eq!(
        (&user["dept"], &user["group_ids"]),
        (&json!("R&D"), &json!([group]))
    );
    client
        .delete("/users/new@example.com?action=disassociate")
        .await
        .empty(204);
    client
        .get("/users/new@example.com")
        .await
        .error(404, 1001, "new@example.com");
}

#[tokio::test]
async fn update_changes_only_given_members() {
    let client = Client::start().await;
    let before = client.get(ADA).await.body(200);
    client.patch(ADA, &json!({})).await.empty(204);
    Answer::of(client.request(reqwest::Method::PATCH, ADA))
        .await
        .empty(204);
    assert_eq!(client.get(ADA).await.body(200), before);
    let changes = json!({
        "first_name": "Augusta", "dept": "数学", "pmi": 5_123_456_789_i64, "use_pmi": true, "timezone": "Asia/Tokyo",
        "vanity_name": "countess of/lovelace", "host_key": "123456", "cms_user_id": "kms1", "type": 2,
        "unknown_member": {"ignored": true}, "about_me": "Notes", "linkedin_url": "https://www.linkedin.com/in/ada",
        "phone_numbers": [{"code": "+44", "country": "GB", "label": "Office", "number": "5550100"}],
    });
    client.patch(ADA, &changes).await.empty(204);
    let after = client.get(ADA).await.body(200);
    for member in [
        "first_name",
        "dept",
        "pmi",
        "use_pmi",
        "timezone",
        "cms_user_id",
        "phone_numbers",
    ] {
        assert_eq!(after[member], changes[member], "{member}");
    }
    assert_eq!(after["display_name"], "Augusta Lovelace");
    assert_eq!(
        after["vanity_url"],
        "https://zoom.example.com/my/countess+of%2Flovelace"
    );
    for hidden in ["unknown_member", "about_me", "linkedin_url", "host_key"] {
        assert_eq!(after.get(hidden), None, "{hidden}");
    }
    for unchanged in [
        "id",
        "email",
        "last_name",
        "created_at",
        "job_title",
        "pic_url",
    ] {
        assert_eq!(after[unchanged], before[unchanged], "{unchanged}");
    }
    let listed = client
        .get("/users?page_size=1&include_fields=host_key")
        .await
        .body(200);
    assert_eq!(listed["users"][0]["host_key"], "123456");
    let taken = client
        .get("/users/vanity_name?vanity_name=Countess%20of%2FLovelace")
        .await
        .body(200);
    assert_eq!(taken, json!({"existed": true}));
    client
        .patch(ADA, &json!({"vanity_name": ""}))
        .await
        .empty(204);
    let free = client
        .get("/users/vanity_name?vanity_name=countess+of%2Flovelace")
        .await
        .body(200);
    assert_eq!(free, json!({"existed": false}));
}

#[tokio::test]
async fn deactivation_removes_licences_permanently() {
    let client = Client::start().await;
    let feature = json!({"feature": {"webinar": true, "webinar_capacity": 500}});
    client
        .patch(&format!("{ADA}/settings"), &feature)
        .await
        .empty(204);
    client
        .put(&format!("{ADA}/status"), &json!({"action": "deactivate"}))
        .await
        .empty(200);
    let user = client.get(ADA).await.body(200);
    assert_eq!(
        (&user["status"], &user["type"]),
        (&json!("inactive"), &json!(1))
    );
    client
        .put(&format!("{ADA}/status"), &json!({"action": "activate"}))
        .await
        .empty(200);
    let user = client.get(ADA).await.body(200);
    assert_eq!(
        (&user["status"], &user["type"]),
        (&json!("active"), &json!(1))
    );
    let settings = client.get(&format!("{ADA}/settings")).await.body(200);
    assert_eq!(
        (
            &settings["feature"]["webinar"],
            settings["feature"].get("webinar_capacity")
        ),
        (&json!(false), None)
    );
    client
        .put(&format!("{ADA}/status"), &json!({"action": "clock_in"}))
        .await
        .empty(200);
}

#[tokio::test]
async fn deletion_leaves_no_references() {
    let client = Client::start().await;
    let grace = client.id_of("grace.hopper@example.com").await;
    let members = |list: Value| list["groups"][0]["total_members"].clone();
    assert_eq!(members(client.get("/groups").await.body(200)), 3);
    client
        .delete(&format!(
            "/users/{grace}?action=delete&transfer_email=ada.lovelace@example.com"
        ))
        .await
        .empty(204);
    client
        .delete(&format!("/users/{grace}?action=delete"))
        .await
        .error(404, 1001, &grace);
    assert_eq!(members(client.get("/groups").await.body(200)), 2);
    assert_eq!(
        client.get(&format!("{ADA}/assistants")).await.body(200),
        json!({"assistants": []})
    );
    let info =
        json!({"action": "create", "user_info": {"email": "grace.hopper@example.com", "type": 1}});
    client.post("/users", &info).await.body(201);
}

#[tokio::test]
async fn changes_an_email_address() {
    let client = Client::start().await;
    let id = client.id_of("ada.lovelace@example.com").await;
    client
        .put(
            &format!("{ADA}/email"),
            &json!({"email": "ada.king@example.com"}),
        )
        .await
        .empty(204);
    client.get(ADA).await.error(404, 1001, "ada.lovelace");
    assert_eq!(client.id_of("ada.king@example.com").await, id);
}

#[tokio::test]
async fn email_check_finds_password_logins_only() {
    let client = Client::start().await;
    for (address, existed) in [
        ("Ada.Lovelace@example.com", true),
        ("katherine.johnson@example.com", false),
        ("emmy.noether@example.com", false),
        ("nobody@example.com", false),
    ] {
        let answer = client
            .get(&format!("/users/email?email={address}"))
            .await
            .body(200);
        assert_eq!(answer, json!({"existed_email": existed}), "{address}");
    }
}

#[tokio::test]
async fn permissions_follow_the_role() {
    let client = Client::start().await;
    let of = async |user: &str| {
        client
            .get(&format!("/users/{user}/permissions"))
            .await
            .body(200)["permissions"]
            .clone()
    };
    assert!(
        of("me")
            .await
            .as_array()
            .is_some_and(|list| list.contains(&json!("Account:Edit")))
    );
    assert!(
        of("ada.lovelace@example.com")
            .await
            .as_array()
            .is_some_and(|list| !list.contains(&json!("User:Edit")))
    );
}
