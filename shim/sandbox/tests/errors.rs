//! The sandbox over HTTP: every error of its tables can be provoked.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use std::collections::BTreeMap;
use std::time::Duration;

use client::{Answer, Client};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::{Value, json};
use shim_sandbox::{ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, LimitWording, MAX_USERS, SandboxConfig};

#[derive(Debug, Deserialize)]
struct ErrorRow {
    status: u16,
    code: u32,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Objects {
    errors: BTreeMap<String, ErrorRow>,
}

impl ErrorRow {
    /// True if the response is this error: all fixed parts of the message occur in order.
    fn is(&self, answer: &Answer) -> bool {
        let Ok(body) = serde_json::from_str::<Value>(&answer.text) else {
            return false;
        };
        let mut rest = body["message"].as_str().unwrap_or_default();
        let literals = self
            .message
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |(_, literal)| literal));
        let in_order = literals
            .into_iter()
            .all(|literal| match rest.split_once(literal) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            });
        answer.status == self.status
            && body["code"] == self.code
            && in_order
            && !body["message"].to_string().contains('{')
    }
}

#[tokio::test]
async fn every_error_can_be_provoked() {
    let mut rows: BTreeMap<String, ErrorRow> =
        toml::from_str(include_str!("../src/errors.toml")).expect("the table of errors");
    let groups: Objects =
        toml::from_str(include_str!("../api/groups/objects.toml")).expect("a table of errors");
    rows.extend(groups.errors);
    let mut answers = Vec::new();
    answers.extend(errors_of_requests().await);
    answers.extend(errors_of_users().await);
    answers.extend(errors_of_limits().await);
    answers.extend(errors_of_profiles().await);
    answers.extend(errors_of_credentials().await);
    answers.extend(errors_of_settings().await);
    answers.extend(errors_of_groups().await);
    answers.extend(errors_of_contact_groups().await);
    for answer in &answers {
        assert!(
            rows.values().any(|row| row.is(answer)),
            "not in the table: {} {}",
            answer.status,
            answer.text
        );
    }
    let missing: Vec<_> = rows
        .iter()
        .filter(|(_, row)| !answers.iter().any(|answer| row.is(answer)))
        .collect();
    let names: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.is_empty(), "not provoked: {missing:#?}");
}

/// Sends the requests in order.
async fn all(client: &Client, requests: Vec<(Method, &str, Value)>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (method, path, body) in requests {
        let request = client.request(method, path);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        answers.push(Answer::of(request).await);
    }
    answers
}

async fn errors_of_requests() -> Vec<Answer> {
    let hasty = SandboxConfig {
        access_token_lifetime: Duration::ZERO,
        ..SandboxConfig::default()
    };
    let client = Client::with(hasty).await;
    let grant = [
        ("grant_type", "account_credentials"),
        ("account_id", ACCOUNT_ID),
    ];
    let issued = Answer::of(
        client
            .token_request()
            .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
            .query(&grant),
    )
    .await;
    let expired = issued.body(200)["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let patch = |media_type: &'static str, body: Vec<u8>| {
        client
            .request(Method::PATCH, "/users/me")
            .header("content-type", media_type)
            .body(body)
    };
    vec![
        Answer::of(client.bare(Method::GET, "/users")).await,
        Answer::of(client.bare(Method::GET, "/users").bearer_auth(expired)).await,
        client.get("/nothing/here").await,
        client.delete("/users").await,
        Answer::of(patch("application/json", b"[1]".to_vec())).await,
        Answer::of(patch("text/plain", b"{}".to_vec())).await,
        Answer::of(patch("application/json", vec![b' '; 256 * 1024 + 1])).await,
        Answer::of(client.request(Method::POST, "/users/me/picture")).await,
        client.patch("/users/me", &json!({"type": 3})).await,
        client.get("/users/email").await,
        client.get("/users/vanity_name").await,
        client.get("/users?next_page_token=x").await,
    ]
}

fn create(action: &str, email: &str, plan: i64) -> (Method, &'static str, Value) {
    let info = json!({"email": email, "type": plan, "password": "Xk7!ppQ2z"});
    (
        Method::POST,
        "/users",
        json!({"action": action, "user_info": info}),
    )
}

async fn errors_of_users() -> Vec<Answer> {
    let client = Client::start().await;
    let (delete, put) = (Method::DELETE, Method::PUT);
    let email = json!({"email": "grace.hopper@example.com"});
    let mut answers = all(&client, vec![
        (Method::GET, "/users/nobody@example.com", Value::Null),
        (Method::GET, "/users/expired@example.com", Value::Null),
        create("create", "ada.lovelace@example.com", 1),
        create("create", "elsewhere@example.net", 1),
        create("create", "x@blocked.example.com", 1),
        create("create", "x@example.com", 99),
        (Method::POST, "/users", json!({"action": "autoCreate", "user_info": {"email": "x@example.com", "type": 1}})),
        (Method::POST, "/users", json!({"action": "create", "user_info": {"email": "x@example.com", "type": 1,
            "license_info_list": [{"license_type": "MEETING", "license_option": 2, "subscription_id": "S1"}]}})),
        (delete.clone(), "/users/ada.lovelace@example.com?transfer_email=ADA.lovelace@example.com", Value::Null),
        (delete.clone(), "/users/ada.lovelace@example.com?transfer_email=nobody@example.com", Value::Null),
        (delete.clone(), "/users/john.vonneumann@example.com", Value::Null),
        (delete.clone(), "/users/konrad.zuse@managed.example.com", Value::Null),
        (delete.clone(), "/users/joan.clarke@example.com", Value::Null),
        (delete.clone(), "/users/me?action=delete", Value::Null),
        (delete, "/users/emmy.noether@example.com?action=delete", Value::Null),
        (put.clone(), "/users/me/status", json!({"action": "deactivate"})),
        (put.clone(), "/users/emmy.noether@example.com/email", email.clone()),
        (put.clone(), "/users/me/email", email.clone()),
        (put.clone(), "/users/joan.clarke@example.com/email", email.clone()),
        (put.clone(), "/users/evariste.galois@example.com/email", email.clone()),
        (put.clone(), "/users/ada.lovelace@example.com/email", email),
        (put.clone(), "/users/ada.lovelace@example.com/email", json!({"email": "x@blocked.example.com"})),
    ]).await;
    let client = Client::with(SandboxConfig {
        sso: false,
        limited_domains: vec!["example.com".to_owned(), "example.org".to_owned()],
        ..SandboxConfig::default()
    })
    .await;
    answers.extend(
        all(
            &client,
            vec![
                create("ssoCreate", "x@example.com", 1),
                create("create", "x@example.net", 1),
                (
                    put,
                    "/users/ada.lovelace@example.com/email",
                    json!({"email": "x@example.net"}),
                ),
            ],
        )
        .await,
    );
    answers
}

async fn errors_of_limits() -> Vec<Answer> {
    let full = Client::with(SandboxConfig {
        users: MAX_USERS,
        ..SandboxConfig::default()
    })
    .await;
    let (method, path, body) = create("create", "x@example.com", 1);
    let mut answers = all(&full, vec![(method, path, body)]).await;
    for limit_wording in [LimitWording::Plain, LimitWording::WithMaximum] {
        let client = Client::with(SandboxConfig {
            max_paid_users: Some(1),
            max_basic_users: Some(1),
            limit_wording,
            ..SandboxConfig::default()
        })
        .await;
        let provoked = all(
            &client,
            vec![
                create("create", "x@example.com", 1),
                create("create", "x@example.com", 2),
                (
                    Method::PATCH,
                    "/users/ada.lovelace@example.com",
                    json!({"type": 1}),
                ),
                (
                    Method::PATCH,
                    "/users/alan.turing@example.com",
                    json!({"type": 2}),
                ),
                (
                    Method::PUT,
                    "/users/evariste.galois@example.com/status",
                    json!({"action": "activate"}),
                ),
            ],
        );
        answers.extend(provoked.await);
        // Existing licences stay, and unlimited ones are free.
        client
            .patch("/users/ada.lovelace@example.com", &json!({"type": 2}))
            .await
            .empty(204);
        client
            .patch("/users/ada.lovelace@example.com", &json!({"type": 4}))
            .await
            .empty(204);
    }
    answers
}

async fn errors_of_profiles() -> Vec<Answer> {
    let client = Client::start().await;
    let patch = |user: &'static str, body| (Method::PATCH, user, body);
    all(
        &client,
        vec![
            patch(
                "/users/alan.turing@example.com",
                json!({"host_key": "123456"}),
            ),
            patch(
                "/users/alan.turing@example.com",
                json!({"vanity_name": "ADA"}),
            ),
            patch(
                "/users/hedy.lamarr@example.com",
                json!({"pmi": 1_234_567_890}),
            ),
            patch(
                "/users/alan.turing@example.com",
                json!({"type": 2, "plan_united_type": "1"}),
            ),
            patch(
                "/users/alan.turing@example.com",
                json!({"about_me": "see https://example.com"}),
            ),
            patch(
                "/users/alan.turing@example.com",
                json!({"linkedin_url": "https://example.com"}),
            ),
            patch(
                "/users/emmy.noether@example.com",
                json!({"group_id": "nope"}),
            ),
        ],
    )
    .await
}

async fn errors_of_credentials() -> Vec<Answer> {
    let client = Client::with(SandboxConfig {
        special_character_required: true,
        ..SandboxConfig::default()
    })
    .await;
    let ada = "/users/ada.lovelace@example.com/password";
    let password = |text: &str| json!({"password": text});
    client.put(ada, &password("Xk7!ppQ2z")).await.empty(204);
    let mut answers = Vec::new();
    for text in [
        "Xk7!ppQ2z",
        "x",
        "1357!135",
        "Qwrtpsdf!",
        "Xk7ppQ2zz",
        "xk7!ppq2z",
        "aaaaaaaa",
        "Xabcdef!1",
    ] {
        answers.push(client.put(ada, &password(text)).await);
    }
    answers.push(
        client
            .put("/users/me/password", &password("Xk7!ppQ2z"))
            .await,
    );
    answers.push(
        client
            .put(
                "/users/katherine.johnson@example.com/password",
                &password("Xk7!ppQ2z"),
            )
            .await,
    );
    let lenient = Client::start().await;
    answers.push(lenient.put(ada, &password("Passw0rd")).await);
    for bytes in [Vec::new(), b"GIF89a".to_vec(), vec![0; 2 * 1024 * 1024 + 1]] {
        let form = Form::new().part("pic_file", Part::bytes(bytes).file_name("x.png"));
        answers.push(
            Answer::of(
                client
                    .request(Method::POST, "/users/me/picture")
                    .multipart(form),
            )
            .await,
        );
    }
    answers
}

async fn errors_of_settings() -> Vec<Answer> {
    let client = Client::with(SandboxConfig {
        max_webinar_users: Some(0),
        max_large_meeting_users: Some(0),
        ..SandboxConfig::default()
    })
    .await;
    let patch = |user: &'static str, feature| (Method::PATCH, user, json!({"feature": feature}));
    let (ada, alan) = (
        "/users/ada.lovelace@example.com/settings",
        "/users/alan.turing@example.com/settings",
    );
    let mut answers = all(
        &client,
        vec![
            (
                Method::GET,
                "/users/emmy.noether@example.com/settings",
                Value::Null,
            ),
            patch(alan, json!({"webinar": true})),
            patch(alan, json!({"large_meeting": true})),
            patch(alan, json!({"zoom_events": true})),
            patch(alan, json!({"concurrent_meeting": "Plus"})),
            patch(ada, json!({"webinar": true, "webinar_capacity": 500})),
            patch(ada, json!({"large_meeting": true})),
            patch(
                ada,
                json!({"zoom_whiteboard": true, "zoom_whiteboard_plus": true}),
            ),
            patch(ada, json!({"zoom_customer_managed_key": true})),
        ],
    )
    .await;
    let client = Client::start().await;
    client
        .patch(ada, &json!({"feature": {"webinar": true}}))
        .await
        .empty(204);
    answers.extend(all(&client, vec![patch(ada, json!({"zoom_events": true}))]).await);
    client
        .patch(
            ada,
            &json!({"feature": {"webinar": false, "zoom_events": true}}),
        )
        .await
        .empty(204);
    answers.extend(all(&client, vec![patch(ada, json!({"webinar": true}))]).await);
    answers
}

async fn errors_of_contact_groups() -> Vec<Answer> {
    let client = Client::start().await;
    let groups = client.get("/contacts/groups").await.body(200);
    let group = groups["groups"][0]["group_id"].as_str().expect("an id");
    let members = format!("/contacts/groups/{group}/members");
    let listed = client.get(&members).await.body(200);
    let of = |at: usize| listed["group_members"][at]["id"].as_str().expect("an id");
    let remove = |ids: &str| format!("{members}?member_ids={ids}");
    let (get, post) = (Method::GET, Method::POST);
    all(
        &client,
        vec![
            (get, "/contacts/groups/nope", Value::Null),
            (post, "/contacts/groups", json!({"group_name": ""})),
            (Method::DELETE, &remove("nobody"), Value::Null),
            (Method::DELETE, &remove(&["x"; 21].join(",")), Value::Null),
            (
                Method::DELETE,
                &remove(&format!("{},{}", of(0), of(1))),
                Value::Null,
            ),
        ],
    )
    .await
}

async fn errors_of_groups() -> Vec<Answer> {
    let client = Client::start().await;
    let group = client.get("/groups").await.body(200)["groups"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (get, post) = (Method::GET, Method::POST);
    let ada = "/users/ada.lovelace@example.com/assistants";
    let assistant = |email: &str| json!({"assistants": [{"email": email}]});
    let mut answers = all(
        &client,
        vec![
            (get.clone(), "/groups/nope", Value::Null),
            (get.clone(), "/im/groups/nope", Value::Null),
            (
                Method::DELETE,
                &format!("/groups/{group}/members/nobody"),
                Value::Null,
            ),
            (post.clone(), "/groups", json!({"name": "Engineering"})),
            (post.clone(), "/groups", json!({"name": " "})),
            (
                Method::PATCH,
                &format!("/groups/{group}/members/ada.lovelace@example.com"),
                json!({"action": "move"}),
            ),
            (
                post.clone(),
                "/users/alan.turing@example.com/assistants",
                assistant("ada.lovelace@example.com"),
            ),
            (post.clone(), ada, assistant("alan.turing@example.com")),
            (post.clone(), ada, assistant("ada.lovelace@example.com")),
            (post.clone(), ada, assistant("nobody@example.com")),
            (post.clone(), ada, assistant("grace.hopper@example.com")),
        ],
    )
    .await;
    for number in 2..1_000 {
        client
            .post("/groups", &json!({"name": format!("Group {number}")}))
            .await
            .body(201);
    }
    answers.extend(
        all(
            &client,
            vec![(post, "/groups", json!({"name": "One too many"}))],
        )
        .await,
    );
    let client = Client::with(SandboxConfig {
        im_groups: false,
        ..SandboxConfig::default()
    })
    .await;
    answers.extend(all(&client, vec![(get, "/im/groups", Value::Null)]).await);
    answers
}
