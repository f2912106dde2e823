//! Protection of other hosts' webinars, and occurrences.

use super::*;

#[test]
fn wrong_host_id_does_not_change_the_webinar() {
    let mut tested = 0;
    for (operation, arguments) in REQUESTS {
        let is_of_webinar = arguments.iter().any(|(name, _)| *name == "id");
        if !is_of_webinar || *operation == "webinar/register" {
            continue;
        }
        for other in ["kdc2", "grace@example.com", "me"] {
            let run = run(operation, &with(arguments, &[("host_id", other)]), success).unwrap();
            let is_write = !catalog().find(operation).unwrap().read;
            let wanted = if is_write {
                "3003 Not meeting host.".to_owned()
            } else {
                let id = arguments.iter().find(|(name, _)| *name == "id").unwrap().1;
                let digits: String = id.chars().filter(char::is_ascii_digit).collect();
                format!("3001 Webinar {digits} not found or expired.")
            };
            assert_eq!(run.error(), wanted, "{operation} of {other}");
            assert_eq!(run.requests().len(), 1, "{operation}: {:?}", run.requests());
            tested += 1;
        }
    }
    assert!(tested > 40, "only {tested} were tested");
}

#[test]
fn disabled_host_check_needs_no_read() {
    let off = [("host_check", toml::Value::from(false))];
    for operation in ["webinar/end", "webinar/polls", "webinar/update"] {
        let arguments = [("id", ID), ("host_id", "kdc2"), ("topic", "Winter")];
        let run = choosing(&off, operation, &arguments, success);
        assert_eq!(run.requests().len(), 1, "{:?}", run.requests());
    }
}

#[test]
fn rejects_invalid_ids_before_any_call() {
    let none = |_: &V2Request| panic!("nothing is sent");
    for id in [
        "me",
        "../users/me",
        "12",
        "123456789012",
        "-9876543210",
        "%39876543210",
    ] {
        let refused = run("webinar/delete", &[("id", id), ("host_id", "kdc1")], none);
        assert_eq!(refused.err().unwrap(), "300 Invalid parameter: id", "{id}");
    }
    for operation in [
        "webinar/create",
        "webinar/list",
        "webinar/list/registration",
    ] {
        for host in ["me", "ME", ".."] {
            let refused = run(operation, &[("host_id", host), ("topic", "x")], none);
            assert_eq!(
                refused.err().unwrap(),
                format!("1001 User not exist: {host}")
            );
        }
    }
}

#[test]
fn deleted_webinar_is_not_found() {
    let gone = |request: &V2Request| match &*request.template {
        "/webinars/{webinarId}" => error(404, 3001, "Webinar does not exist: 9876543210."),
        _ => success(request),
    };
    for (operation, arguments) in [
        ("webinar/update", UPDATE),
        ("webinar/get", OWN),
        ("webinar/delete", OWN),
        ("webinar/end", OWN),
        ("webinar/registration", OWN),
        ("webinar/registrants/list", OWN),
        (
            "webinar/registrants/approve",
            &[OWN[0], OWN[1], ("registrant_ids", "r1")],
        ),
        ("webinar/panelists", OWN),
    ] {
        let run = run(operation, arguments, gone).unwrap();
        assert_eq!(
            run.error(),
            "3001 Webinar 9876543210 not found or expired.",
            "{operation}"
        );
        assert_eq!(run.requests().len(), 1, "{operation}: {:?}", run.requests());
    }
    // Past data remains available.
    for operation in [
        "webinar/uuid/list",
        "webinar/attendees/list",
        "webinar/polls",
        "webinar/questions",
    ] {
        let run = run(operation, OWN, gone).unwrap();
        assert!(run.warned().is_empty(), "{operation}: {:?}", run.warned());
        run.answer();
    }
}

#[test]
fn empty_occurrence_id_does_not_mean_the_series() {
    let none = |_: &V2Request| panic!("nothing is sent");
    for operation in ["webinar/delete", "webinar/registration/cancel"] {
        for empty in ["", " ", "null", "0x1"] {
            let arguments = [
                OWN[0],
                OWN[1],
                ("registrant_ids", "r1"),
                ("occurrence_id", empty),
            ];
            let refused = run(operation, &arguments, none).err().unwrap();
            assert_eq!(
                refused, "300 Invalid parameter: occurrence_id",
                "{operation} {empty:?}"
            );
        }
    }
}

#[test]
fn unknown_occurrence_error_comes_from_v2() {
    let v2 = |request: &V2Request| match request.method.as_str() {
        "DELETE" => error(400, 3000, "Webinar occurrence does not exist."),
        _ => success(request),
    };
    let arguments = [OWN[0], OWN[1], ("occurrence_id", "7")];
    let run = run("webinar/delete", &arguments, v2).unwrap();
    assert_eq!(run.error(), "3000 Webinar occurrence does not exist.");
}

#[test]
fn lists_registrants_of_an_occurrence() {
    let arguments = [OWN[0], OWN[1], ("occurrence_id", "7")];
    let run_of = |arguments: &[_]| run("webinar/registration", arguments, success).unwrap();
    assert!(run_of(&arguments).requests()[1].contains("occurrence_id=7"));
    // Harmless in a read.
    let run = run_of(&with(&arguments, &[("occurrence_id", "")]));
    assert!(!run.requests()[1].contains("occurrence_id"));
}

#[test]
fn recurring_webinar_has_occurrences_without_start_time() {
    let of_type = |kind: i64, occurrences: Value| {
        let v2 = move |_: &V2Request| {
            let mut webinar = webinar(ID);
            webinar["type"] = kind.into();
            webinar["occurrences"] = occurrences.clone();
            ok(webinar)
        };
        run("webinar/get", OWN, v2).unwrap().answer()
    };
    let occurrences = json!([{
        "occurrence_id": "1600160700000", "start_time": "2020-09-15T09:05:00Z", "duration": 45,
        "status": "available",
    }]);
    let recurring = of_type(9, occurrences.clone());
    assert_eq!(recurring["start_time"], "");
    assert_eq!(recurring["occurrences"], occurrences);
    let without_fixed_time = of_type(6, Value::Null);
    assert_eq!(without_fixed_time["start_time"], "");
    assert!(without_fixed_time.get("occurrences").is_none());
    assert_eq!(
        of_type(5, Value::Null)["start_time"],
        "2020-09-15T09:05:00Z"
    );
}
