//! Mapping of v2's errors to v1's.

use mappings::{
    Outcome, V2Request, WarningKind,
    catalog::{
        operation::{Operation, Service},
        protocol::{Rule, RuleAnswer},
    },
};
use serde_json::json;

use crate::{
    driver::{catalog, error, no_content, run, success},
    plans::REQUESTS,
};

/// First decisive call of an operation, with the parameters that cause it.
fn deciding(operation: &Operation) -> Option<(&'static [(&'static str, &'static str)], String)> {
    let plan = operation.plan()?;
    let call = plan
        .calls
        .iter()
        .find(|call| !call.may_fail() && call.each.is_none())?;
    let (_, arguments) = REQUESTS.iter().find(|(name, _)| *name == operation.name)?;
    Some((arguments, call.template.to_string()))
}

fn provoke(rule: &Rule) -> Outcome {
    let status = rule.v2.status.unwrap_or(400);
    let mut body = json!({
        "code": rule.v2.codes.first().copied().unwrap_or(9999),
        "message": rule.v2.message.as_deref().map_or("v2's words".to_owned(), |part| format!("… {part} …")),
    });
    if rule.v2.fields {
        body["errors"] = json!([{ "field": "user_info.first_name", "message": "too long" }]);
    }
    Outcome::Answered {
        status,
        body: Some(body.into()),
    }
}

/// Every rule of every operation returns the error in the catalog.
#[test]
fn exercises_every_error_rule() {
    let catalog = catalog();
    let mut text = String::new();
    let operations = catalog.operations().iter();
    for operation in operations.filter(|operation| operation.name.starts_with("user/")) {
        let Some((arguments, template)) = deciding(operation) else {
            continue;
        };
        for rule in operation.rules.iter().chain(catalog.rules()) {
            let v2 = |request: &V2Request| match *request.template == *template {
                true => provoke(rule),
                false => success(request),
            };
            let got = run(&operation.name, arguments, v2).unwrap().error();
            match &rule.answer {
                RuleAnswer::Said {
                    code: Some(code), ..
                } => {
                    assert!(
                        got.starts_with(&format!("{code} ")),
                        "{}: {got}",
                        operation.name
                    );
                }
                RuleAnswer::Said { code: None, .. } => assert!(
                    rule.v2
                        .codes
                        .iter()
                        .any(|code| got.starts_with(&format!("{code} "))),
                    "{}: {got}",
                    operation.name
                ),
                RuleAnswer::Named(_) => {}
            }
            let own = operation.rules.iter().any(|own| std::ptr::eq(own, rule));
            if own || operation.name == "user/get" {
                text += &format!(
                    "{} {:?} {:?} {:?} → {got}\n",
                    operation.name, rule.v2.status, rule.v2.codes, rule.v2.message
                );
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn unmapped_errors_pass_through() {
    let run = run("user/get", &[("id", "x")], |_| {
        error(400, 4_711_000, "Something new.")
    })
    .unwrap();
    assert_eq!(run.error(), "4711000 Something new.");
}

#[test]
fn unknown_user_error_quotes_the_clients_id() {
    let gone = |_: &V2Request| error(404, 1001, "User does not exist: a%40b.");
    assert_eq!(
        run("user/get", &[("id", "a@b")], gone).unwrap().error(),
        "1001 User not exist: a@b"
    );
    let run = run("user/assistant/delete", &[("host_email", "a@b")], gone).unwrap();
    assert_eq!(run.error(), "1001 User not exist: a@b");
}

#[test]
fn only_the_decisive_call_fails_the_operation() {
    let catalog = catalog();
    let get = catalog.find("user/get").unwrap();
    let Service::Plan { plan, .. } = &get.service else {
        panic!("user/get has a plan")
    };
    for call in plan.calls.iter().filter(|call| call.may_fail()) {
        let v2 = |request: &V2Request| {
            let query = request.query.iter().any(|(_, value)| value == "zak");
            match *request.template == *call.template && (query || call.name == "settings") {
                true => error(400, 1000, "Can not access pending user settings."),
                false => success(request),
            }
        };
        let run = run("user/get", &[("id", "x")], v2).unwrap();
        let of_settings = usize::from(call.name == "settings");
        let surprising = run.finished.answer.warnings.iter();
        let surprising = surprising.filter(|warning| warning.kind == WarningKind::Unreadable);
        assert_eq!(
            surprising.count(),
            0,
            "{}: a pending user is no surprise",
            call.name
        );
        assert_eq!(run.warned().len(), 2 + of_settings, "{:?}", run.warned());
        let answer = run.answer();
        assert_eq!(answer["email"], "ada@example.com");
        assert_eq!(
            answer["zak"],
            if call.name == "settings" {
                "zak.of.ada"
            } else {
                ""
            }
        );
        assert_eq!(
            answer.get("disable_chat").is_none(),
            call.name == "settings"
        );
    }
}

#[test]
fn unexpected_partial_failure_is_a_warning() {
    let v2 = |request: &V2Request| match &*request.template {
        "/users/{userId}/settings" => error(500, 1, "oops"),
        _ => success(request),
    };
    let run = run("user/get", &[("id", "x")], v2).unwrap();
    assert!(
        run.warned()[1].starts_with("disable_chat, disable_private_chat"),
        "{:?}",
        run.warned()
    );
    assert!(run.answer().get("disable_chat").is_none());
}

#[test]
fn rejected_fields_have_their_v1_names() {
    let refuse = |field: &'static str, template: &'static str| {
        move |request: &V2Request| match *request.template == *template {
            true => Outcome::Answered {
                status: 400,
                body: Some(
                    json!({
                        "code": 300, "message": "Validation Failed.",
                        "errors": [{ "field": field, "message": "Invalid field." }],
                    })
                    .into(),
                ),
            },
            false => success(request),
        }
    };
    let create = &[
        ("email", "a@b"),
        ("type", "1"),
        ("last_name", "x"),
        ("disable_chat", "1"),
    ];
    let named = |run: crate::driver::Run| run.error();
    assert_eq!(
        named(
            run(
                "user/custcreate",
                create,
                refuse("user_info.last_name", "/users")
            )
            .unwrap()
        ),
        "300 Invalid parameter: last_name"
    );
    let update = &[("id", "x"), ("enable_cloud_auto_recording", "1")];
    let settings = "/users/{userId}/settings";
    assert_eq!(
        named(
            run(
                "user/update",
                update,
                refuse("recording.auto_recording", settings)
            )
            .unwrap()
        ),
        "300 Invalid parameter: enable_cloud_auto_recording"
    );
    assert_eq!(
        named(run("user/update", update, refuse("some.thing", settings)).unwrap()),
        "300 Invalid parameter: some.thing"
    );
}

#[test]
fn distinguishes_transport_failures() {
    let with = |operation: &str, outcome: Outcome| {
        run(operation, &[("id", "x")], |_| outcome.clone())
            .unwrap()
            .error()
    };
    let limit =
        "403 Sorry, the maximum number of api requests are already reached. Please try later.";
    assert_eq!(with("user/get", Outcome::Refused), "200 No permission.");
    assert_eq!(with("user/get", Outcome::Limited), limit);
    assert_eq!(
        with(
            "user/get",
            Outcome::Answered {
                status: 429,
                body: None
            }
        ),
        limit
    );
    assert_eq!(
        with("user/get", Outcome::NoAnswer { maybe_done: true }),
        "500 Zoom could not be reached."
    );
    let unknown = "500 Zoom could not be reached; nothing is known about the outcome.";
    assert_eq!(
        with("user/delete", Outcome::NoAnswer { maybe_done: true }),
        unknown
    );
    assert_eq!(
        with(
            "user/delete",
            Outcome::Answered {
                status: 502,
                body: None
            }
        ),
        unknown
    );
    assert_eq!(
        with("user/delete", Outcome::NoAnswer { maybe_done: false }),
        "500 Zoom could not be reached."
    );
    assert_eq!(
        with("user/get", Outcome::Unreadable { status: 200 }),
        "500 Zoom answered with something that is not its API."
    );
    assert_eq!(
        with(
            "user/get",
            Outcome::Answered {
                status: 404,
                body: None
            }
        ),
        "500 Zoom answered with something that is not its API."
    );
}

#[test]
fn trouble_is_never_a_caller_error() {
    let trouble = |outcome: Outcome| {
        run("user/delete", &[("id", "x")], |_| outcome.clone())
            .unwrap()
            .finished
            .is_trouble
    };
    assert!(trouble(Outcome::Refused));
    assert!(trouble(Outcome::NoAnswer { maybe_done: false }));
    assert!(trouble(Outcome::Unreadable { status: 200 }));
    assert!(trouble(Outcome::Answered {
        status: 503,
        body: None
    }));
    assert!(trouble(Outcome::Answered {
        status: 404,
        body: None
    }));
    assert!(trouble(error(401, 124, "Invalid access token.")));
    assert!(!trouble(Outcome::Limited));
    assert!(!trouble(error(404, 1001, "User does not exist: x.")));
    assert!(!trouble(error(400, 300, "No.")));
    assert!(!trouble(no_content()));
}

#[test]
fn user_with_another_login_type_is_unknown() {
    let run = |login_type| {
        run(
            "user/getbyemail",
            &[("email", "ada@example.com"), ("login_type", login_type)],
            success,
        )
    };
    assert!(run("100").unwrap().finished.answer.result.is_ok());
    assert_eq!(
        run("101").unwrap().error(),
        "1001 User not exist: ada@example.com"
    );
    assert_eq!(run("7").err().unwrap(), "300 Invalid parameter: login_type");
}

#[test]
fn response_without_a_user_is_a_failure() {
    let nothing = [
        json!({}),
        json!(null),
        json!([]),
        json!("x"),
        json!({ "id": null, "email": "" }),
    ];
    for body in nothing {
        let v2 = |request: &V2Request| match &*request.template {
            "/users/{userId}" | "/users/email" => crate::driver::ok(body.clone()),
            _ => success(request),
        };
        for (operation, name) in [
            ("user/get", "id"),
            ("user/getbyemail", "email"),
            ("user/update", "id"),
            ("user/checkemail", "email"),
        ] {
            let run = run(operation, &[(name, "x@example.com")], v2).unwrap();
            assert_eq!(
                run.error(),
                "500 Zoom answered with something that is not its API.",
                "{operation} {body}"
            );
        }
    }
}

#[test]
fn missing_settings_sections_are_omitted() {
    let sections = [
        "in_meeting",
        "schedule_meeting",
        "recording",
        "email_notification",
        "feature",
    ];
    let whole = crate::driver::settings();
    let mut bodies = vec![json!({}), json!(null)];
    bodies.extend(sections.map(|section| {
        let mut body = whole.clone();
        body[section] = json!(null);
        body
    }));
    for body in bodies {
        let v2 = |request: &V2Request| match &*request.template {
            "/users/{userId}/settings" => crate::driver::ok(body.clone()),
            _ => success(request),
        };
        let run = run("user/get", &[("id", "x")], v2).unwrap();
        assert!(
            run.warned()
                .iter()
                .any(|fields| fields.starts_with("disable_chat, ")),
            "{body}"
        );
        let user = run.answer();
        for name in ["disable_chat", "disable_recording", "meeting_capacity"] {
            assert_eq!(user.get(name), None, "{name} {body}");
        }
    }
}

#[test]
fn empty_errors_are_explained_and_long_ones_truncated() {
    let said = |message: serde_json::Value| {
        let v2 = |_: &V2Request| Outcome::Answered {
            status: 400,
            body: Some(json!({ "code": 98_765, "message": message }).into()),
        };
        run("user/get", &[("id", "x")], v2).unwrap()
    };
    for nothing in [json!(null), json!("")] {
        assert_eq!(
            said(nothing).error(),
            "98765 Zoom refused this with code 98765, without saying why."
        );
    }
    let long = said(json!("ä".repeat(5_000_000)));
    assert!(long.error().len() < 1100, "{}", long.error().len());
    assert!(long.finished.failures[0].message.len() < 1100);
    let fields: Vec<_> = (0..10_000)
        .map(|n| json!({ "field": format!("f{n}") }))
        .collect();
    let v2 = |_: &V2Request| Outcome::Answered {
        status: 400,
        body: Some(json!({ "code": 300, "message": "No.", "errors": fields }).into()),
    };
    let many = run("user/update", &[("id", "x"), ("dept", "y")], v2).unwrap();
    assert!(many.error().len() < 1100, "{}", many.error().len());
    let gone = |_: &V2Request| error(404, 1001, "User does not exist.");
    let check = run("user/checkemail", &[("email", "a@b")], gone).unwrap();
    assert_eq!(check.error(), "1001 User not exist: a@b");
}

#[test]
fn response_repeats_the_subject_used() {
    let other = "somebody.else@example.com";
    let unread = |request: &V2Request| match (request.method.as_str(), &*request.template) {
        ("GET", "/users/{userId}") => error(500, 1, "oops"),
        _ => success(request),
    };
    for (operation, name) in [
        ("user/permanentdelete", "email"),
        ("user/revoketoken", "email"),
        ("user/assistant/set", "host_email"),
        ("user/assistant/delete", "host_email"),
    ] {
        let assistant = ("assistant_email", "a@b");
        let both = [("id", "x"), (name, other), assistant];
        let told = run(operation, &both, success).unwrap().answer();
        assert_eq!(told[name], "ada@example.com", "{operation}");
        assert_eq!(told["id"], "x", "{operation}");
        let unknown = run(operation, &both, unread).unwrap();
        assert_eq!(unknown.warned().last(), Some(&name), "{operation}");
        assert_eq!(unknown.answer().get(name), None, "{operation}");

        let capitals = [(name, "ADA@Example.COM"), assistant];
        let told = run(operation, &capitals, success).unwrap().answer();
        assert_eq!(told[name], "ada@example.com", "v2's spelling: {operation}");
        let unknown = run(operation, &capitals, unread).unwrap();
        assert_eq!(unknown.warned().last(), Some(&"id"), "{operation}");
        assert_eq!(unknown.answer()[name], "ADA@Example.COM", "{operation}");
    }
    let pending = |request: &V2Request| match request.method.is_read() {
        true => crate::driver::ok(json!({ "email": "a@b", "status": "pending" })),
        false => success(request),
    };
    let deleted = run("user/permanentdelete", &[("email", "a@b")], pending).unwrap();
    assert_eq!(deleted.answer()["id"], "a@b", "a pending user's id");
}

#[test]
fn warns_of_members_that_v2_dropped() {
    for operation in ["user/get", "user/getbyemail"] {
        let given = [("id", "x"), ("email", "a@b")];
        let run = run(operation, &given, success).unwrap();
        for field in ["token", "zpk"] {
            assert!(
                run.warned().contains(&field),
                "{operation}: {:?}",
                run.warned()
            );
        }
        assert_eq!(run.answer()["zpk"], "");
    }
    let list = run("user/list", &[], success).unwrap();
    assert!(!list.warned().contains(&"zpk"), "v1's lists never had one");
}

#[test]
fn response_about_another_object_is_a_failure() {
    let other = |request: &V2Request| match (request.method.is_read(), &*request.template) {
        (true, "/users/{userId}") => crate::driver::ok(crate::driver::user()),
        (true, "/meetings/{meetingId}") => {
            crate::driver::ok(json!({ "id": 91_234_567_891_i64, "uuid": "u==", "host_id": "h" }))
        }
        _ => success(request),
    };
    let foreign = "500 Zoom answered with something that is not its API.";
    let meeting = [("id", "91234567890"), ("host_id", "h")];
    let topic = [("id", "91234567890"), ("host_id", "h"), ("topic", "T")];
    let requests: [(&str, &[(&str, &str)]); 5] = [
        ("user/get", &[("id", "x")]),
        ("user/getbyemail", &[("email", "x@example.com")]),
        ("user/update", &[("id", "x"), ("pmi", "4085551234")]),
        ("meeting/get", &meeting),
        ("meeting/update", &topic),
    ];
    for (operation, given) in requests {
        let run = run(operation, given, other).unwrap();
        let failures = run.finished.failures.iter();
        let reasons: Vec<_> = failures.map(|failure| failure.reason).collect();
        assert_eq!(reasons, [Some("about another object than requested")]);
        let writes = run.requests().into_iter();
        let writes: Vec<_> = writes.filter(|line| !line.starts_with("GET ")).collect();
        assert_eq!(writes, [""; 0], "{operation}");
        assert_eq!(run.error(), foreign, "{operation}");
    }
    // A create that returns another user may have been executed.
    let new = [
        ("email", "other@example.com"),
        ("type", "1"),
        ("disable_chat", "1"),
    ];
    let run = run("user/custcreate", &new, success).unwrap();
    assert_eq!(
        run.error(),
        "500 Zoom answered with something that is not its API; nothing is known about the outcome."
    );
    assert_eq!(run.requests().len(), 1);
    // By address or id, ignoring case.
    for given in ["ADA@example.com", "KDC1"] {
        let run = crate::driver::run("user/get", &[("id", given)], other).unwrap();
        assert_eq!(run.answer()["email"], "ada@example.com");
    }
}

#[test]
fn warns_of_missing_settings_of_pending_users() {
    let pending = |request: &V2Request| match &*request.template {
        "/users/{userId}/settings" => error(400, 1120, "Invite does not exist."),
        "/users" => crate::driver::ok(json!({ "total_records": 1, "users": [
            { "email": "new@example.com", "status": "pending" },
        ] })),
        _ => success(request),
    };
    for (operation, given, members) in [
        ("user/get", ("id", "new@example.com"), 36),
        ("user/getbyemail", ("email", "new@example.com"), 36),
        ("user/pending", ("page_size", "30"), 16),
    ] {
        let run = run(operation, &[given], pending).unwrap();
        let warned = run.warned().into_iter();
        let settings: Vec<_> = warned
            .filter(|fields| fields.starts_with("disable_chat, "))
            .collect();
        assert_eq!(settings.len(), 1, "{operation}: {settings:?}");
        assert_eq!(
            settings[0].split(", ").count(),
            members,
            "{operation}: {settings:?}"
        );
    }
    let empty = run("user/pending", &[], |_| {
        crate::driver::ok(json!({ "total_records": 0, "users": [] }))
    });
    assert_eq!(
        empty.unwrap().warned(),
        [""; 0],
        "an empty list lacks no member"
    );
}
