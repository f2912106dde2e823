//! Registrants.

use super::*;

#[test]
fn maps_registrant_answers_to_v2() {
    let names = [
        "address",
        "city",
        "country",
        "zip",
        "state",
        "phone",
        "industry",
        "org",
        "job_title",
        "comments",
    ];
    let texts = names.map(|name| (name, "x", "x"));
    let others = [
        ("purchasing_time_frame", "within a month", "Within a month"),
        ("role_in_purchase_process", "Not involved", "Not involved"),
        ("no_of_employees", "251-500", "101-500"),
        ("no_of_employees", "501-1,000", "500-1,000"),
        ("no_of_employees", "1,001-5,001", "1,001-5,000"),
        ("no_of_employees", "More than 10,000", "More than 10,000"),
        ("language", "en-ES", "es-ES"),
        ("language", "de-DE", "de-DE"),
    ];
    for (name, given, sent) in texts.into_iter().chain(others) {
        let run = run(
            "webinar/register",
            &with(&REGISTER[..4], &[(name, given)]),
            success,
        )
        .unwrap();
        let wanted = format!(
            r#"{{"email":"grace@example.com","first_name":"Grace","last_name":"Hopper","{name}":"{sent}"}}"#
        );
        assert!(run.requests()[0].ends_with(&wanted), "{:?}", run.requests());
    }
}

#[test]
fn drops_unknown_registrant_answers() {
    for name in [
        "purchasing_time_frame",
        "role_in_purchase_process",
        "no_of_employees",
    ] {
        let arguments = with(&REGISTER[..4], &[(name, "some")]);
        let run = run("webinar/register", &arguments, success).unwrap();
        assert_eq!(run.warned(), [name]);
        assert!(!run.requests()[0].contains(name));
    }
}

#[test]
fn does_not_send_empty_registrant_answers() {
    let empty: Vec<_> = REGISTER[4..].iter().map(|(name, _)| (*name, "")).collect();
    let run = run("webinar/register", &with(REGISTER, &empty), success).unwrap();
    let wanted = r#"{"email":"grace@example.com","first_name":"Grace","last_name":"Hopper"}"#;
    assert_eq!(
        run.requests(),
        [format!("POST /webinars/9876543210/registrants {wanted}")]
    );
}

#[test]
fn pending_registration_has_no_join_url() {
    let v2 = |_: &V2Request| {
        ok(json!({ "registrant_id": "r9", "id": 9_876_543_210_i64, "topic": "Autumn" }))
    };
    let answer = run("webinar/register", REGISTER, v2).unwrap().answer();
    assert_eq!(
        answer,
        json!({ "registrant_id": "r9", "id": 9_876_543_210_i64, "topic": "Autumn", "start_time": "", "join_url": "" })
    );
}

#[test]
fn merges_registrants_of_all_statuses() {
    let v2 = |request: &V2Request| {
        let Some((_, status)) = request.query.iter().find(|(name, _)| name == "status") else {
            return success(request);
        };
        let mut registrant = registrant(status, status);
        registrant["status"] = status.as_str().into();
        registrant["create_time"] = match status.as_str() {
            "approved" => "2020-09-03T00:00:00Z",
            "pending" => "2020-09-01T00:00:00Z",
            _ => "2020-09-02T00:00:00Z",
        }
        .into();
        ok(page("registrants", &[registrant]))
    };
    let all = [("registration_status", toml::Value::from("all"))];
    let arguments = [OWN[0], OWN[1], ("page_size", "2")];
    let answer = choosing(&all, "webinar/registration", &arguments, v2).answer();
    assert_eq!(
        (&answer["page_count"], &answer["total_records"]),
        (&json!(2), &json!(3))
    );
    let attendees = answer["attendees"].as_array().unwrap().iter();
    let approvals: Vec<_> = attendees
        .map(|attendee| attendee["approval"].clone())
        .collect();
    assert_eq!(json!(approvals), json!(["pending", "denied"]));
}

#[test]
fn automatic_approval_has_no_registrant_list() {
    for host_check in [true, false] {
        let site = [("host_check", toml::Value::from(host_check))];
        for id in [ID, OPEN] {
            let arguments = [("id", id), ("host_id", "kdc1")];
            let run = choosing(&site, "webinar/registrants/list", &arguments, success);
            assert_eq!(
                run.error(),
                "2008 This webinar does not need manual approval."
            );
        }
    }
}

#[test]
fn approves_registrants_in_order_and_retry_completes() {
    let ids: Vec<_> = (0..65).map(|n| format!("r{n}")).collect();
    let ids = ids.join(",");
    let arguments = [OWN[0], OWN[1], ("registrant_ids", ids.as_str())];
    let success_run = run("webinar/registrants/approve", &arguments, success).unwrap();
    let sizes: Vec<_> = success_run.requests()[1..]
        .iter()
        .map(|r| r.matches(r#""id""#).count())
        .collect();
    assert_eq!(sizes, [30, 30, 5]);
    assert!(success_run.requests()[1].contains(r#"[{"id":"r0"},{"id":"r1"}"#));

    let v2 = |request: &V2Request| match shown(request).contains("\"r60\"") {
        true => error(400, 3035, "Webinar has reached maximum attendee capacity."),
        false => success(request),
    };
    let failed = run("webinar/registrants/approve", &arguments, v2).unwrap();
    let told = failed.error();
    assert!(
        told.starts_with("3035 Webinar has reached maximum attendee capacity."),
        "{told}"
    );
    assert!(told.contains("60 of 65"), "{told}");
    let memory = Memory {
        unfinished: failed.finished.unfinished,
        ..Memory::default()
    };
    let catalog = catalog();
    let site = site(catalog);
    let again = run_with(
        catalog,
        &site,
        memory,
        "webinar/registrants/approve",
        &arguments,
        success,
    )
    .unwrap();
    assert_eq!(again.requests().len(), 1, "{:?}", again.requests());
    assert!(again.requests()[0].contains("\"r60\""));
}

#[test]
fn missing_registrants_send_nothing() {
    let none = |_: &V2Request| panic!("nothing is sent");
    for operation in ["webinar/registrants/approve", "webinar/registration/cancel"] {
        for ids in ["", ",", " , ", "[]"] {
            let refused = run(operation, &[OWN[0], OWN[1], ("registrant_ids", ids)], none);
            assert_eq!(refused.err().unwrap(), "300 Registrant_ids is required.");
        }
        for ids in ["[", "{}", r#"[["r1"]]"#, "[null]", r#"[".."]"#] {
            let refused = run(operation, &[OWN[0], OWN[1], ("registrant_ids", ids)], none);
            let refused = refused.err().unwrap();
            assert_eq!(refused, "300 Invalid parameter: registrant_ids", "{ids}");
        }
    }
}

#[test]
fn accepts_registrants_as_json_array() {
    let ids = r#" ["r1", 7, "r1"]"#;
    let arguments = [OWN[0], OWN[1], ("registrant_ids", ids)];
    let run = run("webinar/registrants/approve", &arguments, success).unwrap();
    let sent = &run.requests()[1];
    assert!(
        sent.ends_with(r#""registrants":[{"id":"r1"},{"id":"7"}]}"#),
        "{sent}"
    );
}
