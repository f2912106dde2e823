//! Attendees, polls and questions of past sessions.

use super::*;

#[test]
fn uuids_stay_one_segment_in_any_encoding() {
    for (given, segment) in [
        ("aDYlohsHRtCd4ii1uC2+hA==", "aDYlohsHRtCd4ii1uC2%2BhA%3D%3D"),
        (
            "aDYlohsHRtCd4ii1uC2%2BhA%3D%3D",
            "aDYlohsHRtCd4ii1uC2%2BhA%3D%3D",
        ),
        ("/ab//c==", "%252Fab%252F%252Fc%253D%253D"),
        ("ab/c==", "ab%2Fc%3D%3D"),
    ] {
        for (operation, last) in [
            ("webinar/polls", "polls"),
            ("webinar/questions", "qa"),
            ("webinar/attendees/list", "participants"),
        ] {
            let run = run(operation, &[OWN[0], OWN[1], ("uuid", given)], success).unwrap();
            let wanted = format!("GET /past_webinars/{segment}/{last}");
            assert!(
                run.requests()[1].starts_with(&wanted),
                "{:?}",
                run.requests()
            );
        }
    }
}

#[test]
fn missing_participants_fail_the_attendees() {
    for outcome in [
        || error(404, 3001, "Webinar does not exist."),
        || error(400, 200, "Only available for Paid or ZMP account: 1."),
        || Outcome::Limited,
        || Outcome::NoAnswer { maybe_done: false },
        || ok(json!({})),
    ] {
        let v2 = move |request: &V2Request| match request.path.ends_with("/participants") {
            true => outcome(),
            false => success(request),
        };
        run("webinar/attendees/list", OWN, v2).unwrap().error();
    }
}

#[test]
fn missing_registrants_or_absentees_are_a_warning() {
    for part in ["/registrants", "/absentees"] {
        let v2 = move |request: &V2Request| match request.path.ends_with(part) {
            true => error(429, 429, "You have reached the maximum daily rate limit."),
            false => success(request),
        };
        let run = run("webinar/attendees/list", OWN, v2).unwrap();
        assert_eq!(run.warned().len(), 1, "{part}");
        let attendees = run.answer()["attendees"].as_array().unwrap().len();
        assert_eq!(attendees, if part == "/absentees" { 2 } else { 3 });
    }
}

#[test]
fn webinar_without_registration_has_no_absentees() {
    let run = run(
        "webinar/attendees/list",
        &[("id", OPEN), ("host_id", "kdc1")],
        success,
    )
    .unwrap();
    assert_eq!(run.requests().len(), 2, "{:?}", run.requests());
    let answer = run.answer();
    let attended: Vec<_> = answer["attendees"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["attended"])
        .collect();
    assert_eq!(attended, ["Yes", "Yes"]);
}

#[test]
fn joins_registrants_by_id_or_address() {
    let people = [
        // The id takes precedence over the address.
        json!({ "name": "x", "registrant_id": "r1", "user_email": "edith@example.com" }),
        json!({ "name": "x", "user_email": "EDITH@example.com" }),
        json!({ "name": " Mary Ann  Smith ", "user_email": "mary@example.com" }),
        json!({ "name": "Prince", "user_email": "" }),
    ];
    let v2 = |request: &V2Request| match request.path.rsplit('/').next() {
        Some("participants") => {
            let mut people = people.clone();
            for person in &mut people {
                person["join_time"] = "2020-09-08T09:01:00Z".into();
            }
            ok(page("participants", &people))
        }
        Some("absentees") => ok(page("registrants", &[])),
        _ => success(request),
    };
    let answer = run("webinar/attendees/list", OWN, v2).unwrap().answer();
    let attendees = answer["attendees"].as_array().unwrap().iter();
    let names: Vec<_> = attendees
        .map(|one| json!([one["first_name"], one["last_name"], one["email"]]))
        .collect();
    assert_eq!(
        json!(names),
        json!([
            ["Grace", "Hopper", "grace@example.com"],
            ["Edith", "Hopper", "edith@example.com"],
            ["Mary Ann", "Smith", "mary@example.com"],
            ["Prince", "", ""],
        ])
    );
}

#[test]
fn session_times_are_minutes_rounded_up() {
    for (seconds, minutes) in [(0, "0"), (1, "1"), (60, "1"), (61, "2"), (3600, "60")] {
        let v2 = |request: &V2Request| match request.path.ends_with("/participants") {
            true => ok(page(
                "participants",
                &[json!({ "name": "x", "join_time": "2020-09-08T09:01:00Z", "duration": seconds })],
            )),
            false => success(request),
        };
        let open = [("id", OPEN), ("host_id", "kdc1")];
        let answer = run("webinar/attendees/list", &open, v2).unwrap().answer();
        assert_eq!(answer["attendees"][0]["time_in_session"], minutes);
    }
}

#[test]
fn merges_pages_of_attendees() {
    let v2 = |request: &V2Request| {
        if !request.path.ends_with("/participants") {
            return success(request);
        }
        let is_second = request
            .query
            .iter()
            .any(|(name, value)| name == "next_page_token" && value == "two");
        let name = if is_second { "Grace" } else { "Ada" };
        ok(json!({
            "participants": [{ "name": name, "join_time": "2020-09-08T09:01:00Z", "duration": 61 }],
            "next_page_token": if is_second { "" } else { "two" },
        }))
    };
    let answer = run(
        "webinar/attendees/list",
        &[("id", OPEN), ("host_id", "kdc1")],
        v2,
    )
    .unwrap()
    .answer();
    let names: Vec<_> = answer["attendees"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["first_name"])
        .collect();
    assert_eq!(names, ["Ada", "Grace"]);
}
