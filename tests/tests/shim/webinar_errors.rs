//! Errors of webinar operations, and ids that must not change the v2 path.

use end_to_end::{Fault, Stage};
use reqwest::Method;
use serde_json::json;

use crate::{
    requests::{ask, error, errors, success},
    webinars::{ADA, MARY, PERSON, of_mary, seeded, webinar},
};

#[tokio::test]
async fn wrong_host_changes_no_webinar() {
    let stage = Stage::start().await;
    let id = webinar(&stage, "approval_type=1").await["id"].clone();
    let registered = success(&stage, &format!("webinar/register id={id} {PERSON}")).await;
    let registrant = &registered["registrant_id"].as_str().unwrap();
    let before = of_mary(&stage, "get", &id).await;
    for host in [ADA, "me", "nobody", ".."] {
        stage.wire().take();
        let not_found = format!("3001 Webinar {id} not found or expired.");
        for operation in [
            "update",
            "delete",
            "end",
            "registrants/approve",
            "registration/cancel",
        ] {
            let request = format!(
                "webinar/{operation} id={id} host_id={host} topic=Mine registrant_ids={registrant}"
            );
            error(&stage, &request, "3003 Not meeting host.").await;
        }
        for operation in [
            "get",
            "registration",
            "registrants/list",
            "panelists",
            "uuid/list",
            "attendees/list",
            "polls",
            "questions",
        ] {
            let request = format!("webinar/{operation} id={id} host_id={host}");
            error(&stage, &request, &not_found).await;
        }
        let lines = stage.wire().lines();
        let reads = format!("GET /v2/webinars/{id}");
        assert!(lines.iter().all(|line| *line == reads), "{lines:?}");
    }
    assert_eq!(of_mary(&stage, "get", &id).await, before);
    assert_eq!(
        of_mary(&stage, "registrants/list", &id).await["total_records"],
        1
    );
}

#[tokio::test]
async fn returns_v1_errors() {
    let stage = Stage::start().await;
    let id = webinar(&stage, "").await["id"].clone();
    let manual = webinar(&stage, "approval_type=1").await["id"].clone();
    let over = seeded(&stage, "Numbers that fly").await;
    let missing = "3001 Webinar 99999999999 not found or expired.";
    let no_plan = format!(
        "200 Cannot use webinar API, You need to subscribe webinar plan and then enable webinar \
         for this user:{ADA}."
    );
    errors(
        &stage,
        &format!(
            "
            webinar/create topic=T => 300 Host_id is required.
            webinar/create host_id={MARY} => 300 Topic is required.
            webinar/create host_id={MARY} topic=T type=2 => 300 Invalid parameter: type
            webinar/create host_id={ADA} topic=T => {no_plan}
            webinar/list host_id={ADA} => {no_plan}
            webinar/list/registration host_id={ADA} => {no_plan}
            webinar/create host_id=nobody topic=T => 1001 User not exist: nobody
            webinar/create host_id=me topic=T => 1001 User not exist: me
            webinar/list host_id=nobody => 1001 User not exist: nobody
            webinar/list host_id=me => 1001 User not exist: me
            webinar/register id=99999999999 {PERSON} => {missing}
            webinar/register id={id} {PERSON} => 3000 This Webinar has not registration required:{id}.
            webinar/register id={manual} email={MARY} first_name=M last_name=J => 3027 Host can not register
            webinar/register id={over} {PERSON} => 3038 Webinar is over, you can not register now. If you have any questions, please contact Webinar host.
            webinar/registrants/list id={id} host_id={MARY} => 2008 This webinar does not need manual approval.
            webinar/registrants/list id={manual} host_id={MARY} type=2 => 300 Invalid parameter: type
            webinar/registrants/approve id={manual} host_id={MARY} => 300 Registrant_ids is required.
            webinar/registrants/approve id={manual} host_id={MARY} registrant_ids=.. => 300 Invalid parameter: registrant_ids
            "
        ),
    )
    .await;
    for operation in [
        "get",
        "update",
        "delete",
        "end",
        "registration",
        "registrants/list",
        "panelists",
        "registrants/approve",
        "registration/cancel",
    ] {
        let with =
            |id: &str| format!("webinar/{operation} id={id} host_id={MARY} registrant_ids=r");
        error(&stage, &with("99999999999"), missing).await;
        stage.wire().take();
        for word in ["me", "..", ".", "1/panelists", "abc"] {
            let answer = ask(&stage, &with(word)).await;
            assert!(
                answer.body.get("error").is_some(),
                "{operation} {word}: {answer:?}"
            );
        }
    }
}

/// Errors that the sandbox does not return for its webinars.
#[tokio::test]
async fn maps_further_v2_errors() {
    let stage = Stage::start().await;
    let id = webinar(&stage, "approval_type=1").await["id"].clone();
    let host = format!("id={id} host_id={MARY} registrant_ids=r");
    let person = format!("id={id} {PERSON}");
    let premise = format!("3063 Can not end on-premise user's meeting:{id}");
    let full = "3035 v2's words";
    for (operation, given, method, ending, code, expected) in [
        ("end", &host, Method::PUT, "/status", 3063, premise.as_str()),
        (
            "delete",
            &host,
            Method::DELETE,
            "",
            3002,
            "3002 Sorry, you cannot delete this meeting since it's in progress.",
        ),
        (
            "registrants/approve",
            &host,
            Method::PUT,
            "/status",
            3035,
            full,
        ),
        (
            "registration/cancel",
            &host,
            Method::PUT,
            "/status",
            3035,
            full,
        ),
        (
            "register",
            &person,
            Method::POST,
            "/registrants",
            3034,
            "3034 If you have been invited, please input your work email address",
        ),
        ("update", &host, Method::PATCH, "", 3000, "3000 v2's words"),
    ] {
        let refused = Fault::Refused(400, json!({ "code": code, "message": "v2's words" }));
        stage.wire().fail_once(method, ending, refused);
        let request = format!("webinar/{operation} {given} topic=T");
        error(&stage, &request, expected).await;
    }
}
