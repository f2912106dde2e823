//! Meetings: documented fields, effects in following reads, and values that must not get lost.

use end_to_end::Stage;
use reqwest::Method;
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;

use crate::requests::{ask, error, errors, is_shaped, success};

const MEETING: &str = "uuid:text id:number host_id:text topic:text password:text \
    h323_password:text status:number option_jbh:switch option_start_type:text \
    option_host_video:switch option_participants_video:switch option_cn_meeting:switch \
    option_enforce_login:switch option_enforce_login_domains:text option_in_meeting:switch \
    option_audio:text option_alternative_hosts:text option_use_pmi:switch type:number \
    start_time:time duration:number timezone:text start_url:text join_url:text created_at:time";
const LISTED: &str = "uuid:text id:number host_id:text topic:text password:text \
    h323_password:text status:number option_jbh:switch option_start_type:text \
    option_host_video:switch option_participants_video:switch option_audio:text \
    option_enforce_login:switch option_enforce_login_domains:text option_alternative_hosts:text \
    type:number start_time:time duration:number timezone:text start_url:text join_url:text \
    created_at:time";

pub(crate) const ADA: &str = "ada.lovelace@example.com";
const GRACE: &str = "grace.hopper@example.com";

/// Creates a meeting of Ada's and returns its id.
async fn meeting(stage: &Stage, given: &str) -> u64 {
    let request = format!("meeting/create host_id={ADA} {given}");
    let made = success(stage, &request).await;
    made["id"].as_u64().unwrap()
}

pub(crate) async fn planned(stage: &Stage) -> u64 {
    let given = "type=2 topic=Note~G start_time=2031-05-01T09:30:00Z duration=45";
    meeting(stage, given).await
}

async fn series(stage: &Stage) -> u64 {
    let daily = r#"{"type":1,"repeat_interval":1,"end_times":3}"#;
    let given = "type=8 topic=Series start_time=2031-05-01T09:30:00Z duration=30";
    meeting(stage, &format!("{given} recurrence={daily}")).await
}

async fn get(stage: &Stage, id: u64) -> Value {
    success(stage, &format!("meeting/get id={id} host_id={ADA}")).await
}

fn occurrences(meeting: &Value) -> Vec<&str> {
    let occurrences = meeting["occurrences"].as_array().unwrap();
    let ids = occurrences.iter().map(|one| &one["occurrence_id"]);
    ids.map(|id| id.as_str().unwrap()).collect()
}

#[tokio::test]
async fn created_meetings_appear_in_get_and_list() {
    let stage = Stage::start().await;
    let host = stage.id_of(ADA).await;
    let made = success(
        &stage,
        &format!(
            "meeting/create host_id={host} type=2 topic=Größen~&~Maße \
             start_time=2031-05-01T09:30:00Z duration=45 timezone=Europe/Berlin password=e2718 \
             option_jbh=True option_host_video=1 option_participants_video=true \
             option_audio=VoIP option_enforce_login=true \
             option_enforce_login_domains=example.com,example.net \
             option_alternative_hosts={GRACE}"
        ),
    )
    .await;
    is_shaped(&made, MEETING);
    for (name, expected) in [
        ("host_id", json!(host)),
        ("topic", json!("Größen & Maße")),
        ("password", json!("e2718")),
        ("status", json!(0)),
        ("option_jbh", json!(true)),
        ("option_start_type", json!("video")),
        ("option_host_video", json!(true)),
        ("option_participants_video", json!(true)),
        ("option_cn_meeting", json!(false)),
        ("option_enforce_login", json!(true)),
        (
            "option_enforce_login_domains",
            json!("example.com,example.net"),
        ),
        ("option_audio", json!("voip")),
        ("option_alternative_hosts", json!(GRACE)),
        ("option_use_pmi", json!(false)),
        ("type", json!(2)),
        ("start_time", json!("2031-05-01T09:30:00Z")),
        ("duration", json!(45)),
        ("timezone", json!("Europe/Berlin")),
    ] {
        assert_eq!(made[name], expected, "{name}");
    }

    let id = made["id"].as_u64().unwrap();
    let seen = get(&stage, id).await;
    is_shaped(&seen, MEETING);
    assert_eq!(seen, made);

    let page = success(&stage, &format!("meeting/list host_id={host}")).await;
    is_shaped(
        &page,
        "page_count:number page_number:number page_size:number total_records:number meetings:list",
    );
    let meetings = page["meetings"].as_array().unwrap();
    let listed = meetings.iter().find(|one| one["id"] == id).unwrap();
    is_shaped(listed, LISTED);
    for (name, value) in listed.as_object().unwrap() {
        assert_eq!(value, &made[name], "{name}");
    }
}

#[tokio::test]
async fn a_meeting_without_a_time_shows_none() {
    let stage = Stage::start().await;
    for (given, kind) in [("type=1", 1), ("type=3", 3), ("type=1 duration=30", 1)] {
        let request = format!("meeting/create host_id={ADA} topic=Now {given}");
        let made = success(&stage, &request).await;
        is_shaped(
            &made,
            &MEETING.replace("start_time:time", "start_time:text"),
        );
        assert_eq!(
            (&made["type"], &made["start_time"]),
            (&json!(kind), &json!(""))
        );
        if kind == 1 {
            assert_eq!(made["duration"], 0);
        }
    }
}

#[tokio::test]
async fn real_id_is_shown_with_the_personal_id() {
    let stage = Stage::start().await;
    let request = format!("meeting/create host_id={ADA} type=2 topic=Mine option_use_pmi=true");
    let made = success(&stage, &request).await;
    assert_eq!(made["option_use_pmi"], true);
    assert_eq!(made["real_id"], made["id"]);
}

#[tokio::test]
async fn update_changes_only_given_fields() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    let before = get(&stage, id).await;
    let request = format!(
        "meeting/update id={id} host_id={ADA} topic=Other start_time=2031-06-01T10:00:00Z \
         option_no_video_host=false password= duration=20 option_auto_record_type=true"
    );
    let answer = ask(&stage, &request).await;
    assert!(answer.warns_of("option_auto_record_type"), "{answer:?}");
    let answer = answer.success();
    is_shaped(&answer, "id:text updated_at:time");
    assert_eq!(answer["id"], id.to_string());
    let after = get(&stage, id).await;
    for (name, value) in after.as_object().unwrap() {
        let expected = match name.as_str() {
            "topic" => &json!("Other"),
            "start_time" => &json!("2031-06-01T10:00:00Z"),
            "duration" => &json!(20),
            "option_host_video" => &json!(true),
            _ => &before[name],
        };
        assert_eq!(value, expected, "{name}");
    }

    // A widely used PHP class sends only this, by mistake.
    stage.wire().take();
    success(&stage, &format!("meeting/update id={id} host_id={ADA}")).await;
    assert_eq!(stage.wire().lines(), [format!("GET /v2/meetings/{id}")]);
}

#[tokio::test]
async fn delete_and_end_show_in_reads() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    stage.steer(&format!("/sandbox/meetings/{id}/start")).await;
    assert_eq!(get(&stage, id).await["status"], 1);
    let request = format!("meeting/delete id={id} host_id={ADA}");
    error(
        &stage,
        &request,
        "3002 Sorry, you cannot delete this meeting since it's in progress.",
    )
    .await;
    let ended = success(&stage, &format!("meeting/end id={id} host_id={ADA}")).await;
    is_shaped(&ended, "id:text ended_at:time");
    assert_eq!(get(&stage, id).await["status"], 0);
    let deleted = success(&stage, &request).await;
    is_shaped(&deleted, "id:text deleted_at:time");
    let gone = format!("3001 Meeting {id} is not found or has expired.");
    for operation in ["get", "update", "delete", "end"] {
        let request = format!("meeting/{operation} id={id} host_id={ADA}");
        error(&stage, &request, &gone).await;
    }
}

#[tokio::test]
async fn running_meetings_are_live() {
    let stage = Stage::start().await;
    let page = success(&stage, "meeting/live").await;
    is_shaped(
        &page,
        "page_count:number page_number:number page_size:number total_records:number meetings:list",
    );
    let [running] = page["meetings"].as_array().unwrap().as_slice() else {
        panic!("{page:#}");
    };
    is_shaped(running, LISTED);
    assert_eq!(running["topic"], "All hands");
    assert_eq!(running["status"], 1);
    assert_eq!(running["host_id"], stage.id_of(GRACE).await.as_str());
    let beyond = success(&stage, "meeting/live page_size=1 page_number=2").await;
    assert_eq!(beyond["meetings"], json!([]));

    let id = &running["id"];
    success(&stage, &format!("meeting/end id={id} host_id={GRACE}")).await;
    assert_eq!(success(&stage, "meeting/live").await["total_records"], 0);
}

#[tokio::test]
async fn running_meetings_are_found_without_dashboard() {
    let by_users = "[options]\nlive_source = \"users\"";
    let stage = Stage::with(SandboxConfig::default(), by_users).await;
    let page = success(&stage, "meeting/live").await;
    let [running] = page["meetings"].as_array().unwrap().as_slice() else {
        panic!("{page:#}");
    };
    assert_eq!(
        (&running["topic"], &running["status"]),
        (&json!("All hands"), &json!(1))
    );
    assert_eq!(
        (&page["page_count"], &page["total_records"]),
        (&json!(1), &json!(1))
    );
    let lines = stage.wire().lines();
    assert!(
        lines.iter().all(|line| !line.contains("/metrics/")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn pages_of_the_list_hold_each_meeting_once() {
    let stage = Stage::start().await;
    for _ in 0..4 {
        planned(&stage).await;
    }
    let all = success(&stage, &format!("meeting/list host_id={ADA} page_size=300")).await;
    let total = all["total_records"].as_u64().unwrap();
    let mut found = Vec::new();
    for number in 1..=total.div_ceil(3) + 1 {
        let request = format!("meeting/list host_id={ADA} page_size=3 page_number={number}");
        let page = success(&stage, &request).await;
        assert_eq!(page["page_count"], total.div_ceil(3));
        assert_eq!(page["page_number"], number);
        found.extend(page["meetings"].as_array().unwrap().clone());
    }
    assert_eq!(json!(found), all["meetings"]);
    assert_eq!(found.len() as u64, total);
}

#[tokio::test]
async fn registration_response_has_person_and_meeting() {
    let stage = Stage::start().await;
    let given = "type=2 topic=Open start_time=2031-05-01T09:30:00Z option_registration=true";
    let id = meeting(&stage, given).await;
    let person = "email=x@example.net first_name=X last_name=Y";
    let registered = success(
        &stage,
        &format!("meeting/register id={id} {person} city= org=Example"),
    )
    .await;
    is_shaped(
        &registered,
        "registrant_id:text id:number topic:text start_time:time join_url:text",
    );
    assert_eq!(
        (&registered["id"], &registered["topic"]),
        (&json!(id), &json!("Open"))
    );
    let again = success(&stage, &format!("meeting/register id={id} {person}")).await;
    assert_eq!(again["registrant_id"], registered["registrant_id"]);
}

#[tokio::test]
async fn deletes_only_the_named_occurrence() {
    let stage = Stage::start().await;
    let id = series(&stage).await;
    let before = get(&stage, id).await;
    let [first, second, third] = occurrences(&before)[..] else {
        panic!("{before:#}");
    };
    is_shaped(
        &before["occurrences"][0],
        "occurrence_id:text start_time:time duration:number status:text",
    );
    assert_eq!(
        (&before["start_time"], &before["duration"]),
        (&json!(""), &json!(0))
    );

    // An invalid occurrence must never select the whole series.
    for nothing in ["", "+", ",", "x", "0x1"] {
        stage.wire().take();
        let request = format!("meeting/delete id={id} host_id={ADA} occurrence_id={nothing}");
        let refused = "300 Invalid parameter: occurrence_id";
        error(&stage, &request, refused).await;
        assert_eq!(stage.wire().lines(), [""; 0], "{nothing:?}");
    }
    let request = format!("meeting/delete id={id} host_id={ADA} occurrence_id=12345");
    assert!(ask(&stage, &request).await.body.get("error").is_some());
    assert_eq!(get(&stage, id).await, before);

    let request = format!("meeting/delete id={id} host_id={ADA} occurrence_id={second}");
    success(&stage, &request).await;
    let after = get(&stage, id).await;
    let left: Vec<_> = after["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["status"] != "deleted")
        .map(|one| one["occurrence_id"].as_str().unwrap())
        .collect();
    assert_eq!(left, [first, third]);
}

#[tokio::test]
async fn wrong_host_changes_no_meeting() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    stage.steer(&format!("/sandbox/meetings/{id}/start")).await;
    let before = get(&stage, id).await;
    for host in [GRACE, "me", "nobody", "..", &stage.id_of(GRACE).await] {
        stage.wire().take();
        let not_host = "3003 Not meeting host.";
        let not_found = format!("3001 Meeting {id} is not found or has expired.");
        errors(
            &stage,
            &format!(
                "
                meeting/update id={id} host_id={host} topic=Mine => {not_host}
                meeting/end id={id} host_id={host} => {not_host}
                meeting/delete id={id} host_id={host} => {not_host}
                meeting/get id={id} host_id={host} => {not_found}
                "
            ),
        )
        .await;
        let lines = stage.wire().lines();
        assert!(
            lines.iter().all(|line| line.starts_with("GET ")),
            "{lines:?}"
        );
    }
    assert_eq!(get(&stage, id).await, before);
    // Addresses ignore case.
    let request = format!("meeting/get id={id} host_id={}", ADA.to_uppercase());
    assert_eq!(success(&stage, &request).await, before);
}

#[tokio::test]
async fn start_times_keep_their_z() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    for (spelling, moment) in [
        ("2031-11-20T12:00:00Z", "2031-11-20T12:00:00Z"),
        ("2031-05-09T10:00:00.123Z", "2031-05-09T10:00:00Z"),
        ("2031-1-5T9:5:0Z", "2031-01-05T09:05:00Z"),
        ("2031-03-01T14:30:00", "2031-03-01T14:30:00Z"),
        ("2031-08-19T01:03:21-07:00Z", "2031-08-19T01:03:21Z"),
        ("2031-11-20", "2031-11-20T00:00:00Z"),
    ] {
        stage.wire().take();
        let given = format!("start_time={spelling} timezone=Asia/Tokyo");
        let create = format!("meeting/create host_id={ADA} type=2 topic=T {given}");
        assert_eq!(
            success(&stage, &create).await["start_time"],
            moment,
            "{spelling}"
        );
        success(
            &stage,
            &format!("meeting/update id={id} host_id={ADA} {given}"),
        )
        .await;
        assert_eq!(get(&stage, id).await["start_time"], moment, "{spelling}");
        for call in stage.wire().take() {
            if call.method != Method::GET {
                let body: Value = serde_json::from_slice(&call.body).unwrap();
                assert_eq!(body["start_time"], moment, "{spelling}");
            }
        }
    }
    for nothing in ["11/29/2031~3:05:00~PM", "soon", "2031-13-01T00:00:00Z"] {
        let request = format!("meeting/update id={id} host_id={ADA} start_time={nothing}");
        error(&stage, &request, "300 Invalid parameter: start_time").await;
    }
}

#[tokio::test]
async fn recurrence_is_read_in_every_form() {
    let stage = Stage::start().await;
    let sent = json!({ "type": 2, "repeat_interval": 1, "weekly_days": "3", "end_times": 2 });
    let text = sent.to_string();
    let given = "type=8 topic=Series start_time=2031-05-01T09:30:00Z";
    let by_form = format!("meeting/create host_id={ADA} {given} recurrence={text}");
    let by_brackets = format!(
        "meeting/create host_id={ADA} {given} recurrence[type]=2 recurrence[repeat_interval]=1 \
         recurrence[weekly_days]=3 recurrence[end_times]=2"
    );
    let mut ids = Vec::new();
    for request in [by_form, by_brackets] {
        ids.push(success(&stage, &request).await["id"].clone());
    }
    for recurrence in [sent.clone(), Value::from(text)] {
        let body = json!({
            "host_id": ADA, "type": 8, "topic": "Series", "start_time": "2031-05-01T09:30:00Z",
            "recurrence": recurrence,
        });
        let made = stage.ask_with_json("meeting/create", &body).await;
        ids.push(made.success()["id"].clone());
    }
    for id in ids {
        let stored = stage.v2(&format!("/meetings/{id}")).await;
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&stored["recurrence"][name], value, "{name}");
        }
        assert_eq!(stored["occurrences"].as_array().unwrap().len(), 2);
    }
    let request = format!("meeting/create host_id={ADA} {given} recurrence=weekly");
    error(&stage, &request, "300 Invalid parameter: recurrence").await;
}

#[tokio::test]
async fn each_create_makes_a_meeting() {
    let stage = Stage::start().await;
    assert_ne!(planned(&stage).await, planned(&stage).await);
}

#[tokio::test]
async fn a_host_has_a_hundred_creates_a_day() {
    let stage = Stage::start().await;
    let request = format!("meeting/create host_id={ADA} type=3 topic=T");
    for _ in 0..100 {
        success(&stage, &request).await;
    }
    let most =
        "403 Sorry, the maximum number of api requests are already reached. Please try later.";
    error(&stage, &request, most).await;
}

#[tokio::test]
async fn serves_api_v1_prefix() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    let below = stage.below("/api/v1");
    assert_eq!(get(&below, id).await, get(&stage, id).await);
    let elsewhere = stage.below("/api/v3");
    let answer = reqwest::Client::new()
        .post(format!("{}/meeting/get", elsewhere.base()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
}
