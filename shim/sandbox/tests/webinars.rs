//! The sandbox over HTTP: webinars.

#![cfg(test)] // what is test code to the lints, helpers included

mod client;

use client::Client;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const MARY: &str = "/users/mary.jackson@example.com/webinars";

/// Path of Mary's webinar with this topic.
async fn listed(client: &Client, topic: &str) -> String {
    let webinars = client.walk(MARY, "webinars").await;
    let webinar = webinars
        .iter()
        .find(|one| one["topic"] == topic)
        .expect("the webinar");
    format!("/webinars/{}", webinar["id"])
}

fn past(path: &str) -> String {
    path.replace("/webinars/", "/past_webinars/")
}

#[tokio::test]
async fn creates_shows_changes_and_deletes_a_webinar() {
    let client = Client::start().await;
    let members = json!({
        "topic": "Lift", "type": 5, "start_time": "2031-05-01T09:30:00Z", "password": "e2718",
        "settings": {"approval_type": 0, "panelists_video": true},
    });
    let webinar = client.post(MARY, &members).await.body(201);
    let path = format!("/webinars/{}", webinar["id"]);
    assert!(webinar["registration_url"].is_string());
    assert_eq!(client.get(&path).await.body(200), webinar);
    client
        .patch(&path, &json!({"agenda": "Drag"}))
        .await
        .empty(204);
    let changed = client.get(&path).await.body(200);
    assert_eq!(
        (&changed["agenda"], &changed["settings"]["panelists_video"]),
        (&json!("Drag"), &json!(true))
    );
    client.delete(&path).await.empty(204);
    client
        .get(&path)
        .await
        .error(404, 3001, "Webinar does not exist");
    client
        .get("/webinars/abc")
        .await
        .error(400, 300, "Invalid webinar ID");
}

#[tokio::test]
async fn hosting_requires_the_webinar_feature() {
    let client = Client::start().await;
    let ada = "/users/ada.lovelace@example.com/webinars";
    client
        .post(ada, &json!({}))
        .await
        .error(400, 200, "Webinar plan is missing");
    client
        .get(ada)
        .await
        .error(400, 200, "Webinar plan is missing");
    let path = listed(&client, "Supersonic flows").await;
    let settings = "/users/mary.jackson@example.com/settings";
    client
        .patch(settings, &json!({"feature": {"webinar": false}}))
        .await
        .empty(204);
    client
        .get(&path)
        .await
        .error(400, 200, "Webinar plan is missing");
}

#[tokio::test]
async fn lists_by_number_and_by_time() {
    let client = Client::start().await;
    let all = client.get(MARY).await.body(200);
    let second = client
        .get(&format!("{MARY}?page_size=1&page_number=2"))
        .await
        .body(200);
    assert_eq!(second["webinars"][0], all["webinars"][1]);
    assert_eq!(second["page_count"], all["total_records"]);
    let upcoming = client
        .walk(&format!("{MARY}?type=upcoming"), "webinars")
        .await;
    assert!(
        upcoming
            .iter()
            .all(|one| one["topic"] != "Numbers that fly")
    );
    let weekly = client
        .get(&listed(&client, "Every week").await)
        .await
        .body(200);
    assert_eq!(weekly["occurrences"].as_array().map(Vec::len), Some(5));
    let id = weekly["occurrences"][0]["occurrence_id"]
        .as_str()
        .expect("an id");
    let one = format!("/webinars/{}?occurrence_id={id}", weekly["id"]);
    client.delete(&one).await.empty(204);
    client
        .delete(&one)
        .await
        .error(400, 3000, "occurrence does not exist");
}

#[tokio::test]
async fn approves_denies_and_cancels_registrants() {
    let client = Client::start().await;
    let path = listed(&client, "Supersonic flows").await;
    let list = format!("{path}/registrants");
    let person = json!({"email": "new@example.net", "first_name": "New", "org": "Example"});
    let registered = client.post(&list, &person).await.body(201);
    let pending = client
        .walk(&format!("{list}?status=pending&page_size=3"), "registrants")
        .await;
    assert_eq!(pending.len(), 7);
    let id = &registered["registrant_id"];
    let new = pending
        .iter()
        .find(|one| one["id"] == *id)
        .expect("the registrant");
    assert_eq!(
        (&new["email"], &new["org"]),
        (&json!("new@example.net"), &json!("Example"))
    );
    let decide = async |action: &str| {
        let body = json!({"action": action, "registrants": [{"id": id}, {"id": "nobody"}]});
        client
            .put(&format!("{list}/status"), &body)
            .await
            .empty(204);
    };
    let count = async |status: &str| {
        let page = client
            .get(&format!("{list}?status={status}"))
            .await
            .body(200);
        page["total_records"].as_u64().expect("a total")
    };
    assert_eq!((count("approved").await, count("denied").await), (40, 0));
    decide("approve").await;
    assert_eq!((count("approved").await, count("pending").await), (41, 6));
    decide("deny").await;
    assert_eq!((count("approved").await, count("denied").await), (40, 1));
    decide("cancel").await;
    assert_eq!(count("denied").await, 0);

    client
        .post(
            &list,
            &json!({"email": "mary.jackson@example.com", "first_name": "Mary"}),
        )
        .await
        .error(400, 3027, "Host cannot register");
    let over = listed(&client, "Numbers that fly").await;
    client
        .post(&format!("{over}/registrants"), &person)
        .await
        .error(400, 3038, "is over");
    let open = listed(&client, "Wind tunnels without registration").await;
    client
        .post(&format!("{open}/registrants"), &person)
        .await
        .error(400, 3000, "registration as required");
    client
        .put(
            &format!("{open}/registrants/status"),
            &json!({"action": "approve"}),
        )
        .await
        .error(400, 300, "Registration has not been enabled");
}

#[tokio::test]
async fn inviting_panelists_is_idempotent() {
    let client = Client::start().await;
    let path = format!("{}/panelists", listed(&client, "Supersonic flows").await);
    let invited = json!({"panelists": [{"name": "New", "email": "new@example.net"}, {"name": "Again", "email": "panelist0@example.net"}]});
    client.post(&path, &invited).await.body(201);
    let list = client.get(&path).await.body(200);
    assert_eq!(
        (&list["total_records"], &list["panelists"][2]["name"]),
        (&json!(3), &json!("New"))
    );
    let many: Vec<Value> = (0..30)
        .map(|n| json!({"name": "Many", "email": format!("many{n}@example.net")}))
        .collect();
    client
        .post(&path, &json!({"panelists": many}))
        .await
        .body(201);
    client
        .post(&path, &json!({"panelists": vec![json!({}); 31]}))
        .await
        .error(400, 300, "Validation");
}

#[tokio::test]
async fn a_past_webinar_has_attendees_absentees_polls_and_questions() {
    let client = Client::start().await;
    let path = past(&listed(&client, "Numbers that fly").await);
    let instances = client.get(&format!("{path}/instances")).await.body(200);
    let instances = instances["webinars"].as_array().expect("instances");
    assert_eq!(instances.len(), 2);
    assert!(instances[0]["start_time"].as_str() > instances[1]["start_time"].as_str());
    let uuid = instances[0]["uuid"]
        .as_str()
        .expect("an id")
        .replace('/', "%2F")
        .replace('+', "%2B");
    for path in [path, format!("/past_webinars/{uuid}")] {
        let came = client
            .walk(&format!("{path}/participants?page_size=2"), "participants")
            .await;
        let stayed_away = client
            .walk(&format!("{path}/absentees"), "registrants")
            .await;
        assert_eq!((came.len(), stayed_away.len()), (7, 3));
        assert!(came.iter().all(|one| {
            stayed_away
                .iter()
                .all(|other| one["registrant_id"] != other["id"])
        }));
        let polls = client.get(&format!("{path}/polls")).await.body(200);
        assert_eq!(
            polls["questions"][0]["question_details"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
        let questions = client.get(&format!("{path}/qa")).await.body(200);
        assert_eq!(
            questions["questions"][2]["question_details"][0]["answer"],
            "Linearly."
        );
        let report = format!(
            "{}/participants?include_fields=registrant_id",
            path.replace("/past_", "/report/")
        );
        assert_eq!(client.walk(&report, "participants").await.len(), 7);
    }
    let ahead = past(&listed(&client, "Supersonic flows").await);
    client
        .get(&format!("{ahead}/polls"))
        .await
        .error(404, 3001, "not end");
    client
        .get(&format!("{ahead}/participants"))
        .await
        .error(404, 3001, "does not exist");
    client
        .get(&format!("{ahead}/absentees"))
        .await
        .error(404, 3001, "not found or expired");
    assert_eq!(
        client.get(&format!("{ahead}/instances")).await.body(200),
        json!({"webinars": []})
    );
}

#[tokio::test]
async fn absentees_need_registration() {
    let client = Client::start().await;
    let day = |ago| (OffsetDateTime::now_utc() - Duration::days(ago)).date();
    let list = format!(
        "/report/users/mary.jackson@example.com/meetings?from={}&to={}",
        day(28),
        day(0)
    );
    let held = client.walk(&list, "meetings").await;
    let open = held
        .iter()
        .find(|one| one["topic"] == "Open house")
        .expect("the webinar");
    assert_eq!(open["type"], 5);
    client
        .get(&format!("/past_webinars/{}/absentees", open["id"]))
        .await
        .error(400, 3000, "registration required");
}

#[tokio::test]
async fn a_running_webinar_ends() {
    let client = Client::start().await;
    let path = listed(&client, "Live from the tunnel").await;
    client
        .get(&format!("{}/polls", past(&path)))
        .await
        .error(404, 3001, "not end");
    client
        .put(&format!("{path}/status"), &json!({"action": "end"}))
        .await
        .empty(200);
    let instances = client
        .get(&format!("{}/instances", past(&path)))
        .await
        .body(200);
    assert_eq!(instances["webinars"].as_array().map(Vec::len), Some(1));
}
