//! Errors of meeting operations, and ids that must not change the v2 path.

use end_to_end::{Fault, Stage};
use reqwest::Method;
use serde_json::json;

use crate::{
    meetings::{ADA, planned},
    requests::{error, errors, success},
};

#[tokio::test]
async fn meeting_ids_never_change_the_path() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    stage.wire().take();
    for host in ["me", "..", ".", "email"] {
        let unknown = format!("1001 User not exist: {host}");
        errors(
            &stage,
            &format!(
                "
                meeting/create host_id={host} type=2 topic=T => {unknown}
                meeting/list host_id={host} => {unknown}
                "
            ),
        )
        .await;
    }
    let person = "email=x@example.net first_name=X last_name=Y";
    for word in ["me", "..", ".", "summary", "1/registrants", "1?a=b"] {
        for operation in ["get", "update", "delete", "end", "register"] {
            let request = format!("meeting/{operation} id={word} host_id={ADA} {person}");
            error(&stage, &request, "300 Invalid parameter: id").await;
        }
    }
    assert_eq!(stage.wire().lines(), [""; 0]);
    // Spaces and hyphens, as people write them.
    let (digits, rest) = (
        id.to_string()[..3].to_owned(),
        id.to_string()[3..].to_owned(),
    );
    let seen = success(
        &stage,
        &format!("meeting/get id={digits}-{rest} host_id={ADA}"),
    )
    .await;
    assert_eq!(seen["id"], id);
}

#[tokio::test]
async fn returns_v1_errors() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    let pmi = stage.user(&stage.id_of(ADA).await).await["pmi"].clone();
    let webinars = success(&stage, "webinar/list host_id=mary.jackson@example.com").await;
    let webinar = &webinars["webinars"][0]["id"];
    let missing = "3001 Meeting 99999999999 is not found or has expired.";
    let person = "email=x@example.net first_name=X last_name=Y";
    errors(
        &stage,
        &format!(
            "
            meeting/create type=2 topic=T => 300 Host_id is required.
            meeting/create host_id={ADA} topic=T => 300 Type is required.
            meeting/create host_id={ADA} type=2 => 300 Topic is required.
            meeting/create host_id={ADA} type=7 topic=T => 300 Invalid parameter: type
            meeting/create host_id={ADA} type=2 topic=T password=12345678901 => 300 Invalid parameter: password
            meeting/create host_id={ADA} type=2 topic=T duration=long => 300 Invalid parameter: duration
            meeting/create host_id=nobody type=2 topic=T => 1001 User not exist: nobody
            meeting/list host_id=nobody => 1001 User not exist: nobody
            meeting/list => 300 Host_id is required.
            meeting/get id=99999999999 host_id={ADA} => {missing}
            meeting/update id=99999999999 host_id={ADA} topic=T => {missing}
            meeting/delete id=99999999999 host_id={ADA} => {missing}
            meeting/end id=99999999999 host_id={ADA} => {missing}
            meeting/register id=99999999999 {person} => {missing}
            meeting/get id={id} => 300 Host_id is required.
            meeting/register id={id} {person} => 3000 Cannot access meeting info.
            meeting/register id={id} first_name=X last_name=Y => 300 Email is required.
            meeting/delete id={pmi} host_id={ADA} => 3018 Not allow to delete PMI.
            meeting/get id={webinar} host_id={ADA} => 3000 Cannot access webinar info.
            meeting/update id={webinar} host_id={ADA} topic=T => 3000 Cannot access webinar info.
            meeting/delete id={webinar} host_id={ADA} => 3000 Cannot access webinar info.
            meeting/end id={webinar} host_id={ADA} => 3000 Cannot access webinar info.
            "
        ),
    )
    .await;
}

/// Errors that the sandbox does not return for its meetings.
#[tokio::test]
async fn maps_further_v2_errors() {
    let stage = Stage::start().await;
    let id = planned(&stage).await;
    let host = format!("id={id} host_id={ADA}");
    let person = format!("id={id} email=x@example.net first_name=X last_name=Y");
    let premise = format!("3063 Can not end on-premise user's meeting: {id}");
    let no_registration = format!("3000 This meeting has not registration required: {id}.");
    for (operation, given, method, ending, code, expected) in [
        ("end", &host, Method::PUT, "/status", 3063, premise.as_str()),
        (
            "delete",
            &host,
            Method::DELETE,
            "",
            3037,
            "3037 Not allow to delete PAC.",
        ),
        (
            "register",
            &person,
            Method::POST,
            "/registrants",
            404,
            &no_registration,
        ),
        (
            "register",
            &person,
            Method::POST,
            "/registrants",
            3043,
            "3043 v2's words",
        ),
        ("get", &host, Method::GET, "", 3161, "3161 v2's words"),
    ] {
        let refused = Fault::Refused(400, json!({ "code": code, "message": "v2's words" }));
        stage.wire().fail_once(method, ending, refused);
        error(&stage, &format!("meeting/{operation} {given}"), expected).await;
    }
}
