//! Failures of v2 and of the connection to it, as v1 errors.

use axum::http::Method;
use end_to_end::{Answer, Fault, Stage};
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;

use crate::requests::ask;

const LIMITED: &str =
    "403 Sorry, the maximum number of api requests are already reached. Please try later.";

/// All operations that call v2: a valid request, and the method and path ending of the decisive
/// call.
fn all(id: &str) -> Vec<(&'static str, Vec<(&'static str, String)>, Method, String)> {
    let user = format!("/users/{id}");
    let whom = || vec![("id", id.to_owned())];
    let also = |name, value: &str| [whom(), vec![(name, value.to_owned())]].concat();
    let new = || {
        vec![
            ("email", "new@example.com".to_owned()),
            ("type", "2".to_owned()),
            ("password", "Analytical4Engine".to_owned()),
        ]
    };
    let users = || "/users".to_owned();
    let below = |part: &str| format!("{user}/{part}");
    vec![
        ("user/create", new(), Method::POST, users()),
        ("user/autocreate", new(), Method::POST, users()),
        ("user/autocreate2", new(), Method::POST, users()),
        ("user/custcreate", new(), Method::POST, users()),
        ("user/ssocreate", new(), Method::POST, users()),
        (
            "user/update",
            also("dept", "x"),
            Method::PATCH,
            user.clone(),
        ),
        ("user/get", whom(), Method::GET, user.clone()),
        (
            "user/getbyemail",
            vec![("email", id.to_owned())],
            Method::GET,
            user.clone(),
        ),
        ("user/list", vec![], Method::GET, users()),
        ("user/pending", vec![], Method::GET, users()),
        ("user/activate", whom(), Method::PUT, below("status")),
        ("user/deactivate", whom(), Method::PUT, below("status")),
        ("user/delete", whom(), Method::DELETE, user.clone()),
        ("user/permanentdelete", whom(), Method::DELETE, user.clone()),
        (
            "user/updatepassword",
            also("password", "Difference5Engine"),
            Method::PUT,
            below("password"),
        ),
        (
            "user/uploadpicture",
            also("pic_file", "\u{ff}"),
            Method::POST,
            below("picture"),
        ),
        (
            "user/checkemail",
            vec![("email", "x@example.com".to_owned())],
            Method::GET,
            "/users/email".to_owned(),
        ),
        ("user/revoketoken", whom(), Method::DELETE, below("token")),
        (
            "user/assistant/set",
            also("assistant_email", "grace.hopper@example.com"),
            Method::POST,
            below("assistants"),
        ),
        (
            "user/assistant/delete",
            whom(),
            Method::DELETE,
            below("assistants"),
        ),
        (
            "user/scheduleforhost/list",
            whom(),
            Method::GET,
            below("assistants"),
        ),
    ]
}

/// Calls every operation while its decisive call has this fault.
async fn under(settings: &str, fault: &Fault) -> Vec<(&'static str, Answer)> {
    let stage = Stage::with(SandboxConfig::default(), settings).await;
    let id = stage.id_of("george.boole@example.com").await;
    let requests = all(&id);
    for (_, _, method, ending) in &requests {
        stage
            .wire()
            .fail_always(method.clone(), ending, fault.clone());
    }
    // In parallel, because the shim waits before retries.
    let mut answers = Vec::new();
    for (operation, given, ..) in requests {
        let stage = stage.clone();
        answers.push(tokio::spawn(async move {
            let given: Vec<_> = given
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            (operation, stage.ask(operation, &given).await)
        }));
    }
    let mut told = Vec::new();
    for answer in answers {
        told.push(answer.await.unwrap());
    }
    told
}

fn is_read(operation: &str) -> bool {
    [
        "user/get",
        "user/getbyemail",
        "user/list",
        "user/pending",
        "user/checkemail",
        "user/scheduleforhost/list",
    ]
    .contains(&operation)
}

#[tokio::test]
async fn maps_rate_limit() {
    let fault = Fault::Refused(
        429,
        json!({ "code": 429, "message": "You have reached the limit" }),
    );
    for (operation, answer) in under("", &fault).await {
        assert_eq!(answer.error(), LIMITED, "{operation}");
    }
}

#[tokio::test]
async fn maps_invalid_token() {
    let faults = [
        Fault::Refused(
            401,
            json!({ "code": 124, "message": "Invalid access token." }),
        ),
        Fault::Refused(
            400,
            json!({ "code": 4711, "message": "does not contain scopes" }),
        ),
        Fault::Refused(
            403,
            json!({ "code": 4700, "message": "Token cannot be empty." }),
        ),
    ];
    for fault in &faults {
        for (operation, answer) in under("", fault).await {
            assert_eq!(
                answer.error(),
                "200 No permission.",
                "{operation} {fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn maps_unavailable_v2() {
    let fault = Fault::Refused(503, json!({ "message": "Service Unavailable" }));
    for (operation, answer) in under("", &fault).await {
        let expected = if is_read(operation) {
            "500 Zoom could not be reached."
        } else {
            "500 Zoom could not be reached; nothing is known about the outcome."
        };
        assert_eq!(answer.error(), expected, "{operation}");
    }
}

#[tokio::test]
async fn returns_configured_status_for_retries() {
    let settings = "[errors]\nupstream_status = 503";
    let down = Fault::Refused(500, Value::Null);
    for (operation, answer) in under(settings, &down).await {
        assert_eq!(answer.status, 503, "{operation}");
        assert_eq!(answer.body["error"]["code"], 500, "{operation}");
    }
    let stage = Stage::with(SandboxConfig::default(), settings).await;
    let caller = ask(&stage, "user/get id=nobody").await;
    assert_eq!(caller.error(), "1001 User not exist: nobody");
}

#[tokio::test]
async fn passes_on_a_v2_error_that_no_rule_covers() {
    let fault = Fault::Refused(400, json!({ "code": 98765, "message": "A new rule: x." }));
    for (operation, answer) in under("", &fault).await {
        assert_eq!(answer.error(), "98765 A new rule: x.", "{operation}");
    }
}

#[tokio::test]
async fn retries_reads_but_not_writes() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let down = || Fault::Refused(503, Value::Null);
    let user = format!("/users/{id}");
    stage.wire().fail_once(Method::GET, &user, down());
    assert_eq!(stage.user(&id).await["id"], id.as_str());

    stage.wire().take();
    stage.wire().fail_once(Method::PATCH, &user, down());
    let given = [("id", id.as_str()), ("dept", "Logic")];
    let error = stage.ask("user/update", &given).await.error();
    assert!(error.starts_with("500 "), "{error}");
    let lines = stage.wire().lines();
    let patches = lines.iter().filter(|line| line.starts_with("PATCH"));
    assert_eq!(patches.count(), 1, "{lines:?}");
}

#[tokio::test]
async fn omits_optional_parts() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let refused = || Fault::Refused(400, json!({ "code": 200, "message": "No permission." }));
    stage
        .wire()
        .fail_always(Method::GET, "/settings", refused());
    stage.wire().fail_always(Method::GET, "/token", refused());
    let answer = ask(&stage, &format!("user/get id={id}")).await;
    assert!(answer.warns_of("zak"));
    assert!(answer.warns_of("disable_chat"));
    let user = answer.success();
    assert_eq!(user["zak"], "");
    assert_eq!(user.get("disable_chat"), None, "nothing is invented");
    assert_eq!(user["email"], "george.boole@example.com");
}
