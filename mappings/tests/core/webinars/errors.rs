//! v1 errors of webinars.

use super::*;

/// Operation, method of the failing call, v2's status, code and message, and v1's error.
const ERRORS: &[[&str; 4]] = &[
    [
        "webinar/create",
        "POST",
        "404 1001 User kdc1 does not exist.",
        "1001 User not exist: kdc1",
    ],
    [
        "webinar/create",
        "POST",
        "400 200 Webinar plan is missing. You must subscribe to the webinar plan.",
        "200 Cannot use webinar API, You need to subscribe webinar plan and then enable webinar for this user:kdc1.",
    ],
    [
        "webinar/create",
        "POST",
        "400 3000 You cannot schedule a meeting for kdc1.",
        "3000 You cannot schedule a meeting for kdc1.",
    ],
    [
        "webinar/list",
        "GET",
        "404 1001 User does not exist: kdc1.",
        "1001 User not exist: kdc1",
    ],
    [
        "webinar/list/registration",
        "GET",
        "400 200 Webinar plan is missing. You must subscribe to the webinar plan.",
        "200 Cannot use webinar API, You need to subscribe webinar plan and then enable webinar for this user:kdc1.",
    ],
    [
        "webinar/get",
        "GET",
        "400 200 Webinar plan is missing. You must subscribe to the webinar plan.",
        "200 Cannot use webinar API, You need to subscribe webinar plan and then enable webinar for this user:kdc1.",
    ],
    [
        "webinar/get",
        "GET",
        "400 200 No permission.",
        "200 No permission.",
    ],
    [
        "webinar/get",
        "GET",
        "400 300 Invalid webinar ID.",
        "300 Invalid webinarId.",
    ],
    [
        "webinar/get",
        "GET",
        "429 429 Too many requests.",
        "403 Sorry, the maximum number of api requests are already reached. Please try later.",
    ],
    [
        "webinar/get",
        "GET",
        "401 124 Invalid access token.",
        "200 No permission.",
    ],
    [
        "webinar/delete",
        "DELETE",
        "404 3001 Webinar does not exist: 1.",
        "3001 Webinar 9876543210 not found or expired.",
    ],
    [
        "webinar/delete",
        "DELETE",
        "400 3002 Meeting is in progress.",
        "3002 Sorry, you cannot delete this meeting since it's in progress.",
    ],
    [
        "webinar/end",
        "PUT",
        "400 3063 You can not end an on-premise user's meeting: 1 using this API.",
        "3063 Can not end on-premise user's meeting:9876543210",
    ],
    [
        "webinar/register",
        "POST",
        "404 3001 Webinar does not exist: 1.",
        "3001 Webinar 9876543210 not found or expired.",
    ],
    [
        "webinar/register",
        "POST",
        "400 200 Webinar plan is missing. You must subscribe to the webinar plan.",
        "200 Cannot use webinar API, You need to subscribe webinar plan and then enable webinar for this user.",
    ],
    [
        "webinar/register",
        "POST",
        "400 3000 This webinar does not have registration as required: 1.",
        "3000 This Webinar has not registration required:9876543210.",
    ],
    [
        "webinar/register",
        "POST",
        "400 3000 The Zoom REST API does not support paid registration.",
        "3000 The Zoom REST API does not support paid registration.",
    ],
    [
        "webinar/register",
        "POST",
        "400 3027 Host cannot register.",
        "3027 Host can not register",
    ],
    [
        "webinar/register",
        "POST",
        "400 3034 If you have been invited, please input your work email address.",
        "3034 If you have been invited, please input your work email address",
    ],
    [
        "webinar/register",
        "POST",
        "400 3038 Webinar is over, you cannot register now.",
        "3038 Webinar is over, you can not register now. If you have any questions, please contact Webinar host.",
    ],
    [
        "webinar/registrants/approve",
        "PUT",
        "400 3035 Webinar has reached maximum attendee capacity.",
        "3035 Webinar has reached maximum attendee capacity.",
    ],
    [
        "webinar/registration/cancel",
        "PUT",
        "400 300 Invalid webinar ID.",
        "300 Invalid webinarId.",
    ],
];

#[test]
fn maps_v2_errors_to_v1() {
    for [operation, method, said, wanted] in ERRORS {
        let parts: Vec<_> = said.splitn(3, ' ').collect();
        let v2 = |request: &V2Request| match request.method.as_str() == *method {
            true => error(
                parts[0].parse().unwrap(),
                parts[1].parse().unwrap(),
                parts[2],
            ),
            false => success(request),
        };
        let (_, arguments) = REQUESTS.iter().find(|(name, _)| name == operation).unwrap();
        assert_eq!(
            run(operation, arguments, v2).unwrap().error(),
            *wanted,
            "{operation}"
        );
    }
}

#[test]
fn running_session_has_no_polls_and_questions() {
    for operation in ["webinar/polls", "webinar/questions"] {
        let v2 = |request: &V2Request| match request.path.starts_with("/past_webinars") {
            true => error(404, 3001, "Webinar ID is invalid or not end."),
            false => success(request),
        };
        let run = run(operation, OWN, v2).unwrap();
        assert_eq!(run.error(), "3001 Webinar ID is invalid or not end.");
    }
}

#[test]
fn rejected_members_have_their_v1_names() {
    let v2 = |request: &V2Request| match request.method.as_str() {
        "PATCH" => Outcome::Answered {
            status: 400,
            body: Some(
                json!({
                    "code": 300, "message": "Validation Failed.",
                    "errors": [{ "field": "settings.auto_recording", "message": "Invalid field." }],
                })
                .into(),
            ),
        },
        _ => success(request),
    };
    let arguments = [OWN[0], OWN[1], ("option_auto_record_type", "cloud")];
    let run = run("webinar/update", &arguments, v2).unwrap();
    assert_eq!(
        run.error(),
        "300 Invalid parameter: option_auto_record_type"
    );
}

#[test]
fn serves_and_tests_every_webinar_operation() {
    let operations = catalog().operations().iter();
    let of_webinars: Vec<_> = operations
        .filter(|operation| operation.name.starts_with("webinar/"))
        .collect();
    assert_eq!(of_webinars.len(), 17);
    for operation in of_webinars {
        assert!(operation.plan().is_some(), "{}", operation.name);
        assert!(
            REQUESTS.iter().any(|(name, _)| *name == operation.name),
            "{}",
            operation.name
        );
    }
}
