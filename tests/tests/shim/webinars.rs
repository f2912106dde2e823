//! Webinars: documented fields, effects in following reads, and values that must not get lost.

use end_to_end::{Fault, Stage};
use reqwest::Method;
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;

use crate::requests::{ask, error, errors, is_shaped, success};

const WEBINAR: &str = "uuid:text id:number host_id:text topic:text agenda:text status:number \
    option_start_type:text option_audio:text option_enforce_login:switch \
    option_enforce_login_domains:text option_alternative_hosts:text type:number start_time:time \
    duration:number timezone:text start_url:text join_url:text registration_url:text \
    created_at:time";
const PAGE: &str = "page_count:number page_number:number page_size:number total_records:number";

pub(crate) const MARY: &str = "mary.jackson@example.com";
pub(crate) const ADA: &str = "ada.lovelace@example.com";
pub(crate) const PERSON: &str = "email=x@example.net first_name=X last_name=Y";

/// Creates a webinar of Mary's.
pub(crate) async fn webinar(stage: &Stage, given: &str) -> Value {
    let given = format!("topic=Lift start_time=2031-05-01T09:30:00Z duration=45 {given}");
    success(stage, &format!("webinar/create host_id={MARY} {given}")).await
}

pub(crate) async fn of_mary(stage: &Stage, operation: &str, id: &Value) -> Value {
    success(
        stage,
        &format!("webinar/{operation} id={id} host_id={MARY}"),
    )
    .await
}

/// Id of a seeded webinar.
pub(crate) async fn seeded(stage: &Stage, topic: &str) -> Value {
    let path = format!("/users/{MARY}/webinars?page_size=300");
    let listed = stage.v2(&path).await;
    let webinars = listed["webinars"].as_array().unwrap();
    let found = webinars.iter().find(|one| one["topic"] == topic);
    found.unwrap_or_else(|| panic!("{listed:#}"))["id"].clone()
}

fn column<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    let entries = list.as_array().unwrap();
    entries
        .iter()
        .map(|one| one[name].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn created_webinars_appear_in_get() {
    let stage = Stage::start().await;
    let made = webinar(
        &stage,
        &format!(
            "agenda=From~theory timezone=Europe/Berlin approval_type=0 option_audio=Telephony \
             option_enforce_login=1 option_enforce_login_domains=example.com \
             option_alternative_hosts={ADA} option_panelist_video=True option_show_share_button=0 \
             option_auto_record_type=cloud language=es"
        ),
    )
    .await;
    is_shaped(&made, WEBINAR);
    for (name, expected) in [
        ("host_id", json!(stage.id_of(MARY).await)),
        ("topic", json!("Lift")),
        ("agenda", json!("From theory")),
        ("status", json!(0)),
        ("option_start_type", json!("video")),
        ("option_audio", json!("telephony")),
        ("option_enforce_login", json!(true)),
        ("option_enforce_login_domains", json!("example.com")),
        ("option_alternative_hosts", json!(ADA)),
        ("type", json!(5)),
        ("start_time", json!("2031-05-01T09:30:00Z")),
        ("duration", json!(45)),
        ("timezone", json!("Europe/Berlin")),
    ] {
        assert_eq!(made[name], expected, "{name}");
    }
    let id = &made["id"];
    assert_eq!(of_mary(&stage, "get", id).await, made);
    let settings = &stage.v2(&format!("/webinars/{id}")).await["settings"];
    for (name, expected) in [
        ("panelists_video", json!(true)),
        ("show_share_button", json!(false)),
        ("auto_recording", json!("cloud")),
        ("email_language", json!("es-ES")),
    ] {
        assert_eq!(settings[name], expected, "{name}");
    }
    let without_time = format!("webinar/create host_id={MARY} topic=Any~time type=6");
    let made = success(&stage, &without_time).await;
    is_shaped(
        &made,
        &WEBINAR.replace("start_time:time", "start_time:text"),
    );
    assert_eq!(
        (&made["start_time"], &made["registration_url"]),
        (&json!(""), &json!(""))
    );
}

#[tokio::test]
async fn lists_separate_webinars_by_registration() {
    let stage = Stage::start().await;
    webinar(&stage, "").await;
    webinar(&stage, "approval_type=1").await;
    let login = "option_enforce_login:switch option_enforce_login_domains:text \
                 option_alternative_hosts:text ";
    for (operation, expected, lacking) in [
        (
            "webinar/list",
            [
                "Wind tunnels without registration",
                "Live from the tunnel",
                "Lift",
            ],
            "",
        ),
        (
            "webinar/list/registration",
            ["Supersonic flows", "Every week", "Lift"],
            login,
        ),
    ] {
        let all = success(&stage, &format!("{operation} host_id={MARY}")).await;
        is_shaped(&all, &format!("{PAGE} webinars:list"));
        assert_eq!(column(&all["webinars"], "topic"), expected, "{operation}");
        assert_eq!(all["total_records"], 3);
        let shape = WEBINAR.replace("registration_url:text ", "");
        is_shaped(&all["webinars"][0], &shape.replace(lacking, ""));
        let mut found = Vec::new();
        for number in 1..=4 {
            let request = format!("{operation} host_id={MARY} page_size=1 page_number={number}");
            let page = success(&stage, &request).await;
            assert_eq!(page["page_count"], 3);
            found.extend(page["webinars"].as_array().unwrap().clone());
        }
        assert_eq!(json!(found), all["webinars"]);
    }
}

#[tokio::test]
async fn update_changes_only_given_fields() {
    let stage = Stage::start().await;
    let before = webinar(&stage, "approval_type=1 agenda=Old").await;
    let id = &before["id"];
    let request = format!(
        "webinar/update id={id} host_id={MARY} topic=Drag start_time=2031-1-5T9:5:0Z \
         option_audio=smoke duration=60"
    );
    let answer = ask(&stage, &request).await;
    assert!(answer.warns_of("option_audio"), "{answer:?}");
    let answer = answer.success();
    is_shaped(&answer, "id:text updated_at:time");
    let after = of_mary(&stage, "get", id).await;
    for (name, value) in after.as_object().unwrap() {
        let expected = match name.as_str() {
            "topic" => &json!("Drag"),
            "start_time" => &json!("2031-01-05T09:05:00Z"),
            "duration" => &json!(60),
            _ => &before[name],
        };
        assert_eq!(value, expected, "{name}");
    }
}

#[tokio::test]
async fn delete_and_end_return_id_and_time() {
    let stage = Stage::start().await;
    let id = webinar(&stage, "").await["id"].clone();
    stage.steer(&format!("/sandbox/webinars/{id}/start")).await;
    is_shaped(&of_mary(&stage, "end", &id).await, "id:text ended_at:time");
    let sessions = of_mary(&stage, "uuid/list", &id).await;
    is_shaped(&sessions["webinars"][0], "uuid:text start_time:time");
    is_shaped(
        &of_mary(&stage, "delete", &id).await,
        "id:text deleted_at:time",
    );
    let gone = format!("3001 Webinar {id} not found or expired.");
    for operation in [
        "get",
        "update",
        "delete",
        "end",
        "panelists",
        "registration",
    ] {
        let request = format!("webinar/{operation} id={id} host_id={MARY}");
        error(&stage, &request, &gone).await;
    }
}

#[tokio::test]
async fn panelists_are_read_in_every_form() {
    let stage = Stage::start().await;
    let sent = json!([
        { "name": "Ann", "email": "ann@example.net" },
        { "name": "Bob", "email": "bob@example.net" },
    ]);
    let text = sent.to_string();
    let brackets = "panelists[0][name]=Ann panelists[0][email]=ann@example.net \
                    panelists[1][name]=Bob panelists[1][email]=bob@example.net";
    let mut ids = vec![
        webinar(&stage, &format!("panelists={text}")).await["id"].clone(),
        webinar(&stage, brackets).await["id"].clone(),
    ];
    for panelists in [sent.clone(), Value::from(text.clone())] {
        let body = json!({ "host_id": MARY, "topic": "Lift", "panelists": panelists });
        let made = stage.ask_with_json("webinar/create", &body).await;
        ids.push(made.success()["id"].clone());
    }
    let updated = webinar(&stage, "").await["id"].clone();
    let request = format!("webinar/update id={updated} host_id={MARY} panelists={text}");
    success(&stage, &request).await;
    ids.push(updated);
    for id in ids {
        let panelists = of_mary(&stage, "panelists", &id).await;
        is_shaped(&panelists, "total_records:number panelists:list");
        assert_eq!(panelists["total_records"], 2);
        for (shown, given) in panelists["panelists"]
            .as_array()
            .unwrap()
            .iter()
            .zip([0, 1])
        {
            is_shaped(shown, "name:text email:text join_url:text");
            assert_eq!(shown["name"], sent[given]["name"]);
            assert_eq!(shown["email"], sent[given]["email"]);
        }
    }
    let request = format!("webinar/create host_id={MARY} topic=T panelists=Ann");
    error(&stage, &request, "300 Invalid parameter: panelists").await;
}

#[tokio::test]
async fn registrants_wait_are_approved_and_cancel() {
    let stage = Stage::start().await;
    let id = webinar(&stage, "approval_type=1").await["id"].clone();
    let mut registrants = Vec::new();
    for number in 0..4 {
        let person = format!("email=x{number}@example.net first_name=X last_name=No~{number}");
        let request = format!("webinar/register id={id} {person} city= org=Example");
        let registered = success(&stage, &request).await;
        is_shaped(
            &registered,
            "registrant_id:text id:number topic:text start_time:time join_url:text",
        );
        assert_eq!(registered["id"], id);
        registrants.push(registered["registrant_id"].as_str().unwrap().to_owned());
    }
    let [first, second, third, fourth] = registrants.as_slice() else {
        panic!("{registrants:?}");
    };

    let waiting = of_mary(&stage, "registrants/list", &id).await;
    is_shaped(&waiting, &format!("{PAGE} type:number users:list"));
    is_shaped(
        &waiting["users"][0],
        "id:text first_name:text last_name:text email:text registration_time:time",
    );
    assert_eq!(waiting["type"], 0);
    assert_eq!(column(&waiting["users"], "id"), registrants);

    // Comma, brackets, another name, JSON.
    for given in [
        format!("registrant_ids={first},"),
        format!("registrants_ids[]={second}"),
    ] {
        let request = format!("webinar/registrants/approve id={id} host_id={MARY} {given}");
        let approved = success(&stage, &request).await;
        is_shaped(&approved, "id:text updated_at:time");
    }
    let body = json!({ "id": id, "host_id": MARY, "registrant_ids": [third, fourth] });
    let approved = stage
        .ask_with_json("webinar/registrants/approve", &body)
        .await;
    approved.success();
    assert_eq!(
        of_mary(&stage, "registrants/list", &id).await["total_records"],
        0
    );
    let request =
        format!("webinar/registrants/list id={id} host_id={MARY} type=1 page_size=3 page_number=2");
    let page = success(&stage, &request).await;
    assert_eq!((&page["type"], &page["page_count"]), (&json!(1), &json!(2)));
    assert_eq!(column(&page["users"], "id"), [fourth]);

    let registered = of_mary(&stage, "registration", &id).await;
    is_shaped(&registered, &format!("{PAGE} attendees:list"));
    is_shaped(
        &registered["attendees"][0],
        "id:text first_name:text last_name:text create_time:time approval:text email:text \
         registration_url:text",
    );
    assert_eq!(column(&registered["attendees"], "id"), registrants);

    let cancel = format!(
        "webinar/registration/cancel id={id} host_id={MARY} registrant_ids={first};{second}"
    );
    let refused = "300 Invalid parameter: occurrence_id";
    errors(
        &stage,
        &format!(
            "
            {cancel} occurrence_id= => {refused}
            {cancel} occurrence_id=~ => {refused}
            "
        ),
    )
    .await;
    assert_eq!(
        of_mary(&stage, "registration", &id).await["total_records"],
        4
    );
    is_shaped(&success(&stage, &cancel).await, "id:text updated_at:time");
    let left = of_mary(&stage, "registration", &id).await;
    assert_eq!(column(&left["attendees"], "id"), [third, fourth]);
}

#[tokio::test]
async fn lists_all_registrants_if_configured() {
    let all = "[options]\nregistration_status = \"all\"";
    let stage = Stage::with(SandboxConfig::default(), all).await;
    let id = seeded(&stage, "Supersonic flows").await;
    let mut found = Vec::new();
    for number in 1..=3 {
        let request = format!(
            "webinar/registration id={id} host_id={MARY} page_size=20 page_number={number}"
        );
        let page = success(&stage, &request).await;
        assert_eq!(
            (&page["total_records"], &page["page_count"]),
            (&json!(46), &json!(3))
        );
        found.extend(page["attendees"].as_array().unwrap().clone());
    }
    let found = json!(found);
    let approval = column(&found, "approval");
    assert_eq!(approval.len(), 46);
    assert_eq!(approval.iter().filter(|one| **one == "pending").count(), 6);
}

#[tokio::test]
async fn deletes_only_the_named_occurrence() {
    let stage = Stage::start().await;
    let given = r#"type=9 recurrence={"type":1,"repeat_interval":1,"end_times":3}"#;
    let id = webinar(&stage, given).await["id"].clone();
    let before = of_mary(&stage, "get", &id).await;
    let shape = WEBINAR.replace("start_time:time", "start_time:text");
    is_shaped(&before, &format!("{shape} occurrences:list"));
    is_shaped(
        &before["occurrences"][0],
        "occurrence_id:text start_time:time duration:number status:text",
    );
    let delete = format!("webinar/delete id={id} host_id={MARY}");
    for nothing in ["", "+", ",", "x"] {
        stage.wire().take();
        let request = format!("{delete} occurrence_id={nothing}");
        error(&stage, &request, "300 Invalid parameter: occurrence_id").await;
        assert_eq!(stage.wire().lines(), [""; 0], "{nothing:?}");
    }
    let unknown = ask(&stage, &format!("{delete} occurrence_id=12345")).await;
    assert!(unknown.body.get("error").is_some(), "{unknown:?}");
    assert_eq!(of_mary(&stage, "get", &id).await, before);

    let ids = column(&before["occurrences"], "occurrence_id");
    success(&stage, &format!("{delete} occurrence_id={}", ids[0])).await;
    let after = of_mary(&stage, "get", &id).await;
    let left = after["occurrences"].as_array().unwrap().iter();
    let left: Vec<_> = left
        .filter(|one| one["status"] != "deleted")
        .map(|one| one["occurrence_id"].as_str().unwrap())
        .collect();
    assert_eq!(left, ids[1..]);
}

#[tokio::test]
async fn past_webinars_are_reported_by_session() {
    let stage = Stage::start().await;
    let id = seeded(&stage, "Numbers that fly").await;
    let sessions = of_mary(&stage, "uuid/list", &id).await;
    is_shaped(&sessions, "webinars:list");
    let uuids = column(&sessions["webinars"], "uuid");
    assert_eq!(uuids.len(), 2);

    let attendees = of_mary(&stage, "attendees/list", &id).await;
    is_shaped(&attendees, "attendees:list");
    let came = attendees["attendees"].as_array().unwrap();
    let attended = column(&attendees["attendees"], "attended");
    assert_eq!(attended.iter().filter(|one| **one == "Yes").count(), 7);
    assert_eq!(attended.iter().filter(|one| **one == "No").count(), 3);
    let shape = "first_name:text last_name:text email:text join_time:time leave_time:time \
                 time_in_session:text attended:text custom_questions:object questions:object";
    is_shaped(&came[0], shape);
    is_shaped(
        came.last().unwrap(),
        &shape.replace("time:time", "time:text"),
    );
    assert_eq!(came[0]["time_in_session"], "75");

    for (operation, asked) in [
        ("polls", "How are you?"),
        ("questions", "Will this be recorded?"),
    ] {
        let last = of_mary(&stage, operation, &id).await;
        is_shaped(&last, "id:number uuid:text start_time:time questions:list");
        is_shaped(
            &last["questions"][0],
            "name:text email:text question_details:list",
        );
        let details = &last["questions"][0]["question_details"][0];
        is_shaped(details, "question:text answer:text");
        let questions = column(&last["questions"][0]["question_details"], "question");
        assert!(
            operation == "questions" || questions.contains(&asked),
            "{last:#}"
        );

        // As returned, and percent-encoded again.
        for uuid in &uuids {
            let encoded = uuid
                .replace('/', "%2F")
                .replace('+', "%2B")
                .replace('=', "%3D");
            for uuid in [*uuid, &encoded] {
                let given = [("id", &*id.to_string()), ("host_id", MARY), ("uuid", uuid)];
                let session = stage.ask(&format!("webinar/{operation}"), &given).await;
                assert_eq!(session.success()["id"], id);
            }
        }
        let rehearsal = [
            ("id", &*id.to_string()),
            ("host_id", MARY),
            ("uuid", uuids[1]),
        ];
        let session = stage.ask(&format!("webinar/{operation}"), &rehearsal).await;
        assert_eq!(session.success()["questions"], json!([]));
    }
    let coming = seeded(&stage, "Supersonic flows").await;
    for operation in ["polls", "questions"] {
        let request = format!("webinar/{operation} id={coming} host_id={MARY}");
        error(&stage, &request, "3001 Webinar ID is invalid or not end.").await;
    }
    assert_eq!(
        of_mary(&stage, "uuid/list", &coming).await,
        json!({ "webinars": [] })
    );
}

#[tokio::test]
async fn incomplete_list_is_an_error() {
    let stage = Stage::start().await;
    let id = seeded(&stage, "Numbers that fly").await;
    let broken = Fault::Refused(500, json!({ "code": 500, "message": "broken" }));
    stage
        .wire()
        .fail_always(Method::GET, "/participants", broken);
    let request = format!("webinar/attendees/list id={id} host_id={MARY}");
    let answer = ask(&stage, &request).await;
    assert!(answer.body.get("error").is_some(), "{answer:?}");
}
