//! A failure in one of several calls of a write: the error lists what was done, and a retry
//! completes the rest.

use axum::http::Method;
use end_to_end::{Fault, Stage};
use serde_json::json;

use crate::requests::{ask, success};

const EMAIL: &str = "new@example.com";

fn down() -> Fault {
    Fault::Refused(503, json!({ "message": "Service Unavailable" }))
}

/// A create that needs all calls, with the ids of Ada's groups.
async fn request(stage: &Stage) -> Vec<(&'static str, String)> {
    let ada = stage.v2_user("ada.lovelace@example.com").await;
    let first = |list: &str| ada[list][0].as_str().unwrap().to_owned();
    vec![
        ("email", EMAIL.to_owned()),
        ("type", "2".to_owned()),
        ("password", "Analytical4Engine".to_owned()),
        ("first_name", "Nova".to_owned()),
        ("dept", "R&D".to_owned()),
        ("disable_chat", "true".to_owned()),
        ("group_id", first("group_ids")),
        ("imgroup_id", first("im_group_ids")),
    ]
}

/// Calls after `POST /users`, with a check that their effect is missing.
const LATER: [(
    Method,
    &str,
    fn(&serde_json::Value, &serde_json::Value) -> bool,
); 4] = [
    (Method::PATCH, "/users/{id}", |_, v2| v2["dept"] == ""),
    (Method::PATCH, "/settings", |v1, _| {
        v1["disable_chat"] == false
    }),
    (Method::POST, "/members", |_, v2| {
        v2.get("group_ids").is_none()
    }),
    (Method::POST, "/im/", |_, v2| {
        v2.get("im_group_ids").is_none()
    }),
];

#[tokio::test]
async fn failed_create_reports_progress_and_completes_on_retry() {
    for create in ["user/autocreate", "user/autocreate2", "user/custcreate"] {
        for (method, ending, is_undone) in &LATER {
            let stage = Stage::start().await;
            let given = request(&stage).await;
            let given: Vec<_> = given
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let ending = match *ending {
                "/im/" => format!("/im/groups/{}/members", given[7].1),
                "/members" => format!("/v2/groups/{}/members", given[6].1),
                "/users/{id}" => String::new(),
                other => other.to_owned(),
            };
            stage.wire().fail_once(method.clone(), &ending, down());

            let error = stage.ask(create, &given).await.error();
            let made = stage.v2_user(EMAIL).await;
            let id = made["id"].as_str().unwrap();
            assert!(error.contains(id), "{create} {ending}: {error}");
            assert!(
                error.contains(" stored, ") && error.contains(" unknown"),
                "{error}"
            );
            assert!(
                is_undone(&stage.user(id).await, &made),
                "{create} {ending}: {made}"
            );

            let finished = stage.ask(create, &given).await.success();
            assert_eq!(finished["id"], id, "{create} {ending}");
            let (v1, v2) = (stage.user(id).await, stage.v2_user(EMAIL).await);
            assert_eq!(v1["disable_chat"], true, "{create} {ending}");
            assert_eq!(
                (&v2["first_name"], &v2["dept"]),
                (&json!("Nova"), &json!("R&D"))
            );
            assert_eq!(v2["group_ids"], json!([given[6].1]), "{create} {ending}");
            assert_eq!(v2["im_group_ids"], json!([given[7].1]), "{create} {ending}");

            // After completion, a retry is a duplicate.
            let again = stage.ask(create, &given).await.error();
            assert_eq!(again, format!("1005 User already in the account: {EMAIL}"));
        }
    }
}

#[tokio::test]
async fn another_create_of_the_same_address_does_not_finish_it() {
    let stage = Stage::start().await;
    let given = [("email", EMAIL), ("type", "2"), ("disable_chat", "1")];
    stage.wire().fail_once(Method::PATCH, "/settings", down());
    stage.ask("user/custcreate", &given).await.error();
    let other = [("email", EMAIL), ("type", "2"), ("disable_chat", "0")];
    let error = stage.ask("user/custcreate", &other).await.error();
    assert_eq!(error, format!("1005 User already in the account: {EMAIL}"));
    stage.ask("user/custcreate", &given).await.success();
}

#[tokio::test]
async fn create_with_failed_first_call_does_nothing() {
    let stage = Stage::start().await;
    let given = [("email", EMAIL), ("type", "2"), ("dept", "x")];
    stage.wire().fail_once(Method::POST, "/users", down());
    let error = stage.ask("user/custcreate", &given).await.error();
    assert_eq!(
        error,
        "500 Zoom could not be reached; nothing is known about the outcome."
    );
    stage.ask("user/custcreate", &given).await.success();
}

/// The address may belong to another user: settings are not changed on a guess.
#[tokio::test]
async fn create_without_response_is_not_completed() {
    let stage = Stage::start().await;
    let given = [("email", EMAIL), ("type", "2"), ("disable_chat", "1")];
    let lost = Fault::Garbled(502, json!({ "message": "Bad Gateway" }));
    stage.wire().fail_once(Method::POST, "/users", lost);
    let error = stage.ask("user/custcreate", &given).await.error();
    assert!(error.starts_with("500 "), "{error}");
    let again = stage.ask("user/custcreate", &given).await.error();
    assert_eq!(again, format!("1005 User already in the account: {EMAIL}"));
    let user = success(&stage, &format!("user/getbyemail email={EMAIL}")).await;
    assert_eq!(user["disable_chat"], json!(false));
}

#[tokio::test]
async fn failed_update_reports_progress_and_can_be_retried() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let given = [
        ("id", id.as_str()),
        ("dept", "Logic"),
        ("disable_chat", "1"),
    ];
    stage.wire().fail_once(Method::PATCH, "/settings", down());
    let error = stage.ask("user/update", &given).await.error();
    assert!(error.contains(&id), "{error}");
    // After a 503, the outcome is unknown.
    assert!(error.contains("settings unknown"), "{error}");
    let user = stage.user(&id).await;
    assert_eq!(
        (&user["dept"], &user["disable_chat"]),
        (&json!("Logic"), &json!(false))
    );
    stage.ask("user/update", &given).await.success();
    assert_eq!(stage.user(&id).await["disable_chat"], true);
}

#[tokio::test]
async fn a_refused_later_call_keeps_v2s_code() {
    let stage = Stage::start().await;
    let basic = [("email", EMAIL), ("type", "1"), ("enable_webinar", "1")];
    let error = stage.ask("user/custcreate", &basic).await.error();
    assert!(error.starts_with("1122 "), "{error}");
    assert!(
        error.contains("create stored, settings not stored"),
        "{error}"
    );
    let user = success(&stage, &format!("user/getbyemail email={EMAIL}")).await;
    assert_eq!(
        (&user["email"], &user["enable_webinar"]),
        (&json!(EMAIL), &json!(false))
    );
}

#[tokio::test]
async fn an_invited_user_in_no_group_can_be_finished_too() {
    let stage = Stage::start().await;
    let given = request(&stage).await;
    let given = [
        ("email", EMAIL),
        ("type", "1"),
        ("group_id", given[6].1.as_str()),
    ];
    stage.wire().fail_once(Method::PATCH, "", down());
    let error = stage.ask("user/create", &given).await.error();
    assert!(error.contains("profile unknown"), "{error}");
    stage.ask("user/create", &given).await.success();
    assert_eq!(stage.v2_user(EMAIL).await["group_ids"], json!([given[2].1]));
}

#[tokio::test]
async fn a_webinar_without_its_panelists_is_named_and_can_be_given_them() {
    let stage = Stage::start().await;
    let host = ("host_id", "mary.jackson@example.com");
    let panelists = ("panelists", r#"[{"name":"P","email":"p@example.net"}]"#);
    let given = [host, ("topic", "Lift"), ("type", "5"), panelists];
    stage.wire().fail_once(Method::POST, "/panelists", down());
    let error = stage.ask("webinar/create", &given).await.error();
    let made = stage.wire().take();
    let id = made.iter().find_map(|call| {
        call.path
            .strip_prefix("/v2/webinars/")?
            .strip_suffix("/panelists")
    });
    let id = id.unwrap();
    let expected = format!(
        "(webinar {id} was created without its panelists; the same request again adds them)"
    );
    assert!(error.contains(&expected), "{error}");

    let shown = async || {
        stage
            .ask("webinar/panelists", &[("id", id), host])
            .await
            .success()
    };
    assert_eq!(shown().await["total_records"], 0);
    stage.ask("webinar/create", &given).await.success();
    assert_eq!(shown().await["panelists"][0]["email"], "p@example.net");
}

#[tokio::test]
async fn unknown_outcome_is_not_reported_as_undone() {
    let stage = Stage::start().await;
    let given = [
        ("email", EMAIL),
        ("type", "2"),
        ("dept", "R&D"),
        ("disable_chat", "1"),
    ];
    let lost = Fault::Garbled(504, json!({ "message": "Gateway Timeout" }));
    stage.wire().fail_once(Method::PATCH, "", lost);
    let error = stage.ask("user/custcreate", &given).await.error();
    assert!(
        error.contains("profile unknown, settings not stored"),
        "{error}"
    );
    assert_eq!(stage.v2_user(EMAIL).await["dept"], "R&D", "it was done");
    stage.ask("user/custcreate", &given).await.success();
}

/// The incomplete user is deleted and another one is created with the same address.
#[tokio::test]
async fn create_is_not_completed_on_another_user() {
    let stage = Stage::start().await;
    let given = [("email", EMAIL), ("type", "2"), ("disable_chat", "1")];
    stage.wire().fail_once(Method::PATCH, "/settings", down());
    stage.ask("user/custcreate", &given).await.error();
    let half = stage.v2_user(EMAIL).await;
    let id = half["id"].as_str().unwrap();
    success(&stage, &format!("user/permanentdelete id={id}")).await;
    let other = [("email", EMAIL), ("type", "2"), ("first_name", "Other")];
    stage.ask("user/custcreate", &other).await.success();

    for _ in 0..2 {
        let error = stage.ask("user/custcreate", &given).await.error();
        assert_eq!(error, format!("1005 User already in the account: {EMAIL}"));
    }
    let user = ask(&stage, &format!("user/getbyemail email={EMAIL}")).await;
    assert_eq!(user.success()["disable_chat"], json!(false));
}
