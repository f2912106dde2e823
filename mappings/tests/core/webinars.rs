//! Webinars: plans, responses, and protection of other hosts' webinars.

use mappings::{Memory, Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{
        Run, catalog, created, error, no_content, ok, run, run_at, run_with, shown, site,
        site_with_options,
    },
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("webinar/create", EVERYTHING),
    (
        "webinar/create",
        &[("host_id", "kdc1"), ("topic", "Autumn"), ("password", "")],
    ),
    ("webinar/update", UPDATE),
    (
        "webinar/update",
        &[("id", ID), ("host_id", "kdc1"), ("agenda", "")],
    ),
    (
        "webinar/update",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            (
                "panelists",
                r#"[{"name":"Alan","email":"alan@example.com"}]"#,
            ),
        ],
    ),
    ("webinar/update", OWN),
    ("webinar/get", OWN),
    (
        "webinar/get",
        &[("id", "987-654-3210"), ("host_id", "ADA@example.com")],
    ),
    ("webinar/list", &[("host_id", "kdc1")]),
    ("webinar/list/registration", &[("host_id", "kdc1")]),
    ("webinar/delete", OWN),
    (
        "webinar/delete",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("occurrence_id", "1600430400000"),
        ],
    ),
    ("webinar/end", OWN),
    ("webinar/register", REGISTER),
    (
        "webinar/registration",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("page_size", ""),
            ("page_number", ""),
        ],
    ),
    (
        "webinar/registrants/list",
        &[("id", MANUAL), ("host_id", "kdc1"), ("page_size", "50")],
    ),
    (
        "webinar/registrants/list",
        &[("id", MANUAL), ("host_id", "kdc1"), ("type", "1")],
    ),
    (
        "webinar/registrants/approve",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("registrant_ids", "r1, r2,"),
        ],
    ),
    (
        "webinar/registration/cancel",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("registrants_ids", "r1"),
            ("occurrence_id", "1600430400000"),
        ],
    ),
    ("webinar/panelists", OWN),
    ("webinar/uuid/list", OWN),
    ("webinar/attendees/list", OWN),
    (
        "webinar/attendees/list",
        &[("id", ID), ("host_id", "kdc1"), ("uuid", "/ab//c==")],
    ),
    ("webinar/polls", OWN),
    (
        "webinar/questions",
        &[
            ("id", ID),
            ("host_id", "kdc1"),
            ("uuid", "aDYlohsHRtCd4ii1uC2+hA=="),
        ],
    ),
];

/// Webinar with automatic approval.
const ID: &str = "9876543210";
/// Webinar with approval by the host.
const MANUAL: &str = "9876543211";
/// Webinar without registration.
const OPEN: &str = "9876543212";
const OWN: &[(&str, &str)] = &[("id", ID), ("host_id", "kdc1")];

const EVERYTHING: &[(&str, &str)] = &[
    ("host_id", "kdc1"),
    ("topic", "Autumn"),
    ("type", "9"),
    ("start_time", "2020-9-15T9:5:0Z"),
    ("duration", "60"),
    ("timezone", "Europe/Berlin"),
    ("password", "a1"),
    (
        "recurrence",
        r#"{"type":"1","repeat_interval":2,"end_date_time":"2020-10-1T3:00:00Z"}"#,
    ),
    ("approval_type", "0"),
    ("registration_type", "1"),
    ("agenda", "What is new"),
    ("option_audio", "VoIP"),
    ("option_host_video", "True"),
    ("option_panelist_video", "0"),
    ("option_practice_session", "1"),
    ("option_enforce_login", "true"),
    ("option_enforce_login_domains", "example.com;example.org"),
    (
        "option_alternative_hosts",
        "grace@example.com,alan@example.com",
    ),
    ("option_alternative_host_ids", "kdc2"),
    ("option_auto_record_type", "cloud"),
    ("option_panelists_reminder", "true"),
    ("option_close_registration", "false"),
    ("option_show_share_button", "true"),
    ("option_allow_multiple_devices", "false"),
    (
        "panelists",
        r#"[{"name":"Alan","email":"alan@example.com"}]"#,
    ),
    ("language", "fr"),
];

const UPDATE: &[(&str, &str)] = &[
    ("id", "987 654 3210"),
    ("host_id", "ada@example.com"),
    ("topic", "Winter"),
    ("start_time", "2020-12-01"),
    ("duration", "0"),
    ("option_auto_record_type", "true"),
    ("timezone", "EST"),
];

const REGISTER: &[(&str, &str)] = &[
    ("id", ID),
    ("email", "grace@example.com"),
    ("first_name", "Grace"),
    ("last_name", "Hopper"),
    ("address", "1 Main Street"),
    ("city", "Arlington"),
    ("country", "US"),
    ("zip", "22201"),
    ("state", "VA"),
    ("phone", "1"),
    ("industry", "Navy"),
    ("org", "Example"),
    ("job_title", "Admiral"),
    ("purchasing_time_frame", "1-3 months"),
    ("role_in_purchase_process", "Influencer"),
    ("no_of_employees", "101-250"),
    ("comments", "Hello"),
    ("custom_questions", r#"[{"title":"Why","value":"COBOL"}]"#),
    ("language", "en"),
    ("occurrence_ids", "1600430400000,1600516800000"),
];

/// A webinar whose `approval_type` follows from its id.
fn webinar(id: &str) -> Value {
    let id: i64 = id.parse().unwrap();
    json!({
        "uuid": "aDYlohsHRtCd4ii1uC2+hA==", "id": id, "host_id": "kdc1",
        "host_email": "ada@example.com", "topic": "Autumn", "type": 5,
        "start_time": "2020-09-15T09:05:00Z", "duration": 60, "timezone": "Europe/Berlin",
        "created_at": "2020-09-01T10:00:00Z", "start_url": "https://example.com/s/1?zak=z",
        "join_url": "https://example.com/j/1", "registration_url": "https://example.com/w/1",
        "settings": {
            "approval_type": match id % 10 { 0 => 0, 1 => 1, _ => 2 },
            "audio": "thirdParty", "meeting_authentication": true,
            "authentication_domains": "example.com,example.org",
            "alternative_hosts": "grace@example.com;kdc2",
        },
    })
}

/// The webinar in v2's list.
fn listed(id: &str) -> Value {
    let mut listed = webinar(id);
    for only_there in ["host_email", "settings", "start_url", "registration_url"] {
        listed.as_object_mut().unwrap().remove(only_there);
    }
    listed["agenda"] = "What is new".into();
    listed
}

fn registrant(id: &str, first_name: &str) -> Value {
    json!({
        "id": id, "email": format!("{}@example.com", first_name.to_lowercase()),
        "first_name": first_name, "last_name": "Hopper", "status": "approved",
        "create_time": "2020-09-02T08:00:00Z", "join_url": "https://example.com/w/1?tk=t",
        "address": "", "city": "Arlington", "country": "US", "zip": "", "state": "", "phone": "",
        "industry": "", "org": "", "job_title": "", "purchasing_time_frame": "",
        "role_in_purchase_process": "", "no_of_employees": "101-250", "comments": "",
        "custom_questions": [{ "title": "Why", "value": "COBOL" }],
    })
}

fn page(items: &str, entries: &[Value]) -> Value {
    json!({
        "page_count": 1, "page_number": 1, "page_size": 300, "total_records": entries.len(),
        "next_page_token": "", items: entries,
    })
}

fn session(answer: &str) -> Value {
    json!({
        "id": 9_876_543_210_i64, "uuid": "aDYlohsHRtCd4ii1uC2+hA==",
        "start_time": "2020-09-08T09:00:00Z",
        "questions": [{
            "name": "Grace Hopper", "email": "grace@example.com",
            "question_details": [{ "question": "Tea?", "answer": answer, "polling_id": "p1" }],
        }],
    })
}

/// A v2 on which all requests succeed.
fn success(request: &V2Request) -> Outcome {
    let id = request.path.rsplit('/').next().unwrap_or_default();
    match (request.method.as_str(), &*request.template) {
        ("GET", "/webinars/{webinarId}") => ok(webinar(id)),
        ("GET", "/users/{userId}/webinars") => ok(page(
            "webinars",
            &[listed(ID), listed(MANUAL), listed(OPEN)],
        )),
        ("POST", "/users/{userId}/webinars") => created(webinar(ID)),
        ("POST", "/webinars/{webinarId}/panelists") => {
            created(json!({ "id": ID, "updated_at": "2020-09-13T00:00:00Z" }))
        }
        ("GET", "/webinars/{webinarId}/panelists") => ok(json!({
            "total_records": 1,
            "panelists": [{
                "id": "p1", "name": "Alan", "email": "alan@example.com",
                "join_url": "https://example.com/w/1?tk=p",
            }],
        })),
        ("POST", "/webinars/{webinarId}/registrants") => created(json!({
            "registrant_id": "r9", "id": 9_876_543_210_i64, "topic": "Autumn",
            "start_time": "2020-09-15T09:05:00Z",
            "join_url": "https://example.com/w/1?tk=r9",
        })),
        ("GET", "/webinars/{webinarId}/registrants") => ok(page(
            "registrants",
            &[registrant("r1", "Grace"), registrant("r2", "Edith")],
        )),
        ("GET", "/past_webinars/{webinarId}/instances") => ok(json!({ "webinars": [
            { "uuid": "/ab//c==", "start_time": "2020-09-08T09:00:00.000Z" },
        ] })),
        ("GET", "/past_webinars/{webinarId}/participants") => ok(page(
            "participants",
            &[
                json!({
                    "id": "u1", "name": "grace", "registrant_id": "r1", "user_email": "",
                    "join_time": "2020-09-08T09:01:00Z", "leave_time": "2020-09-08T09:31:30Z",
                    "duration": 1830,
                }),
                json!({
                    "id": "", "name": "Alan Turing", "user_email": "alan@example.com",
                    "join_time": "2020-09-08T09:02:00Z", "leave_time": "2020-09-08T09:03:00Z",
                    "duration": 60,
                }),
            ],
        )),
        ("GET", "/past_webinars/{webinarId}/absentees") => {
            ok(page("registrants", &[registrant("r2", "Edith")]))
        }
        ("GET", "/past_webinars/{webinarId}/polls") => ok(session("Yes")),
        ("GET", "/past_webinars/{webinarId}/qa") => ok(session("No")),
        _ => no_content(),
    }
}

/// A request to a site with options set.
fn choosing(
    choices: &[(&str, toml::Value)],
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Run {
    run_at(&site_with_options(choices), operation, arguments, v2).unwrap()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

/// The arguments with some replaced.
fn with<'a>(
    arguments: &[(&'a str, &'a str)],
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = arguments
        .iter()
        .filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    kept.chain(others).copied().collect()
}

fn is_read(run: &Run) -> bool {
    run.requests()
        .iter()
        .all(|request| request.starts_with("GET "))
}

// ---- host check ------------------------------------------------------------------------------

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

// ---- occurrences -----------------------------------------------------------------------------

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

// ---- create, update --------------------------------------------------------------------------

/// Parameter, sent value, pointer in v2's body, expected value.
const PLACES: &[[&str; 4]] = &[
    ["topic", "Winter", "/topic", r#""Winter""#],
    ["type", "6", "/type", "6"],
    [
        "start_time",
        "2020-09-15T09:05:00Z",
        "/start_time",
        r#""2020-09-15T09:05:00Z""#,
    ],
    ["duration", "61", "/duration", "61"],
    ["timezone", "asia/kolkata", "/timezone", r#""Asia/Kolkata""#],
    ["password", "a1", "/password", r#""a1""#],
    ["agenda", "News", "/agenda", r#""News""#],
    ["approval_type", "1", "/settings/approval_type", "1"],
    ["registration_type", "3", "/settings/registration_type", "3"],
    [
        "option_audio",
        "telephony",
        "/settings/audio",
        r#""telephony""#,
    ],
    ["option_host_video", "1", "/settings/host_video", "true"],
    [
        "option_panelist_video",
        "1",
        "/settings/panelists_video",
        "true",
    ],
    [
        "option_practice_session",
        "1",
        "/settings/practice_session",
        "true",
    ],
    [
        "option_enforce_login",
        "1",
        "/settings/meeting_authentication",
        "true",
    ],
    [
        "option_enforce_login_domains",
        "a; b",
        "/settings/authentication_domains",
        r#""a,b""#,
    ],
    [
        "option_alternative_hosts",
        "a,b",
        "/settings/alternative_hosts",
        r#""a;b""#,
    ],
    [
        "option_alternative_host_ids",
        "c, d",
        "/settings/alternative_hosts",
        r#""c;d""#,
    ],
    [
        "option_auto_record_type",
        "LOCAL",
        "/settings/auto_recording",
        r#""local""#,
    ],
    [
        "option_panelists_reminder",
        "1",
        "/settings/panelists_invitation_email_notification",
        "true",
    ],
    [
        "option_close_registration",
        "1",
        "/settings/close_registration",
        "true",
    ],
    [
        "option_show_share_button",
        "1",
        "/settings/show_share_button",
        "true",
    ],
    [
        "option_allow_multiple_devices",
        "1",
        "/settings/allow_multiple_devices",
        "true",
    ],
    [
        "language",
        "en-ES",
        "/settings/email_language",
        r#""es-ES""#,
    ],
    ["language", "zh", "/settings/email_language", r#""zh-CN""#],
    [
        "language",
        "de-DE",
        "/settings/email_language",
        r#""de-DE""#,
    ],
];

#[test]
fn maps_each_parameter_to_v2() {
    for [name, sent, place, wanted] in PLACES {
        let run = run("webinar/update", &with(OWN, &[(name, sent)]), success).unwrap();
        let body = run.requests()[1]
            .strip_prefix("PATCH /webinars/9876543210 ")
            .unwrap();
        let expected = match place.strip_prefix("/settings/") {
            Some(member) => format!(r#"{{"settings":{{"{member}":{wanted}}}}}"#),
            None => format!(r#"{{"{}":{wanted}}}"#, &place[1..]),
        };
        assert_eq!(body, expected, "{name}");
    }
}

#[test]
fn drops_or_rejects_unknown_values() {
    let requests = |arguments: &[(&str, &str)]| run("webinar/create", arguments, success);
    let create = [("host_id", "kdc1"), ("topic", "Autumn")];
    for (name, dropped) in [
        ("option_audio", "none"),
        ("option_auto_record_type", "true"),
        ("timezone", "GMT 5:30"),
        ("timezone", "EST"),
    ] {
        let run = requests(&with(&create, &[(name, dropped)])).unwrap();
        assert_eq!(run.warned(), [name]);
        assert_eq!(
            run.requests(),
            [r#"POST /users/kdc1/webinars {"topic":"Autumn"}"#]
        );
    }
    for (name, refused) in [
        ("type", "2"),
        ("approval_type", "true"),
        ("registration_type", "4"),
        ("start_time", "11/29/2016 3:05:00 PM"),
        ("password", "longer than ten"),
        ("option_host_video", "maybe"),
        ("recurrence", "{'type':1}"),
        ("recurrence", "[1]"),
        ("recurrence", r#"{"type":"often"}"#),
        ("panelists", "Alan"),
        ("panelists", "{}"),
    ] {
        let error = requests(&with(&create, &[(name, refused)])).err().unwrap();
        assert_eq!(error, format!("300 Invalid parameter: {name}"), "{refused}");
    }
}

#[test]
fn sends_start_times_in_utc() {
    for (given, sent) in [
        ("2016-11-20T12:00:00Z", "2016-11-20T12:00:00Z"),
        ("2018-05-09T10:00:00.123Z", "2018-05-09T10:00:00Z"),
        ("2016-1-5T9:5:0Z", "2016-01-05T09:05:00Z"),
        ("2016-11-20T12:00:00", "2016-11-20T12:00:00Z"),
        ("2016-11-20", "2016-11-20T00:00:00Z"),
    ] {
        let arguments = [("host_id", "kdc1"), ("topic", "x"), ("start_time", given)];
        let run = run("webinar/create", &arguments, success).unwrap();
        let wanted = format!(r#""start_time":"{sent}""#);
        assert!(
            run.requests()[0].contains(&wanted),
            "{given}: {:?}",
            run.requests()
        );
    }
}

#[test]
fn parses_recurrence_and_panelists_in_all_encodings() {
    let recurrence =
        r#""recurrence":{"type":2,"repeat_interval":1,"weekly_days":"2,4","end_times":7}"#;
    let panelists = r#"{"panelists":[{"name":"Alan","email":"alan@example.com"},{"name":"Grace","email":"grace@example.com"}]}"#;
    let create = [("host_id", "kdc1"), ("topic", "Autumn"), ("type", "9")];
    let wrappings: [&[(&str, &str)]; 3] = [
        &[
            (
                "recurrence",
                r#"{"type":2,"repeat_interval":1,"weekly_days":"2,4","end_times":7}"#,
            ),
            (
                "panelists",
                r#"[{"name":"Alan","email":"alan@example.com"},{"name":"Grace","email":"grace@example.com"}]"#,
            ),
        ],
        &[
            ("recurrence[type]", "2"),
            ("recurrence[repeat_interval]", "1"),
            ("recurrence[weekly_days]", "2,4"),
            ("recurrence[end_times]", "7"),
            ("panelists[0][name]", "Alan"),
            ("panelists[0][email]", "alan@example.com"),
            ("panelists[1][name]", "Grace"),
            ("panelists[1][email]", "grace@example.com"),
        ],
        &[
            (
                "recurrence",
                r#"{"type":"2","repeat_interval":"1","weekly_days":"2,4","end_times":"7"}"#,
            ),
            ("panelists[][name]", "Alan"),
            ("panelists[][email]", "alan@example.com"),
            ("panelists[][name]", "Grace"),
            ("panelists[][email]", "grace@example.com"),
        ],
    ];
    for wrapping in wrappings {
        let arguments: Vec<_> = create.iter().chain(wrapping).copied().collect();
        let run = run("webinar/create", &arguments, success).unwrap();
        assert!(
            run.requests()[0].contains(recurrence),
            "{:?}",
            run.requests()
        );
        assert!(
            run.requests()[1].ends_with(panelists),
            "{:?}",
            run.requests()
        );
    }
    let monthly = r#"{"type":3,"monthly_day":1,"monthly_week":-1,"monthly_week_day":7}"#;
    let run_of =
        |name, value| run("webinar/create", &with(&create, &[(name, value)]), success).unwrap();
    assert!(run_of("recurrence", monthly).requests()[0].contains(monthly));
    // An empty list of panelists adds none.
    assert_eq!(run_of("panelists", "[]").requests().len(), 1);
}

#[test]
fn truncates_topics_to_v2s_limit() {
    let topic = "ä".repeat(300);
    let arguments = [("host_id", "kdc1"), ("topic", topic.as_str())];
    let run = run("webinar/create", &arguments, success).unwrap();
    assert_eq!(run.warned(), ["topic"]);
    let wanted = format!(r#"{{"topic":"{}"}}"#, "ä".repeat(200));
    assert!(run.requests()[0].ends_with(&wanted));
}

#[test]
fn failed_panelists_error_names_the_created_webinar() {
    let v2 = |request: &V2Request| match &*request.template {
        "/webinars/{webinarId}/panelists" => error(400, 3000, "You have reached the limit."),
        _ => success(request),
    };
    let run = run("webinar/create", EVERYTHING, v2).unwrap();
    assert_eq!(
        run.error(),
        "3000 You have reached the limit. (webinar 9876543210 was created without its panelists; \
         the same request again adds them)"
    );
}

#[test]
fn empty_agenda_clears_on_update_unless_disabled() {
    let arguments = [OWN[0], OWN[1], ("agenda", "")];
    let run = run("webinar/update", &arguments, success).unwrap();
    assert!(run.requests()[1].ends_with(r#"{"agenda":""}"#));
    let keep = [("empty_text", toml::Value::from("keep"))];
    let run = choosing(&keep, "webinar/update", &arguments, success);
    assert!(is_read(&run), "{:?}", run.requests());
}

// ---- responses -------------------------------------------------------------------------------

/// Pointer in v2's webinar, value, member of the response, expected value.
const MEMBERS: &[[&str; 4]] = &[
    ["/uuid", r#""u==""#, "uuid", r#""u==""#],
    ["/id", "9876543210", "id", "9876543210"],
    ["/topic", r#""Winter""#, "topic", r#""Winter""#],
    ["/agenda", r#""News""#, "agenda", r#""News""#],
    ["/type", "6", "type", "6"],
    [
        "/start_time",
        r#""2020-09-15T11:05:00+02:00""#,
        "start_time",
        r#""2020-09-15T09:05:00Z""#,
    ],
    ["/duration", "7", "duration", "7"],
    ["/timezone", r#""UTC""#, "timezone", r#""UTC""#],
    ["/start_url", r#""s""#, "start_url", r#""s""#],
    ["/join_url", r#""j""#, "join_url", r#""j""#],
    ["/registration_url", r#""r""#, "registration_url", r#""r""#],
    [
        "/created_at",
        r#""2020-01-02T03:04:05.678Z""#,
        "created_at",
        r#""2020-01-02T03:04:05Z""#,
    ],
    ["/settings/audio", r#""voip""#, "option_audio", r#""voip""#],
    [
        "/settings/audio",
        r#""telephony""#,
        "option_audio",
        r#""telephony""#,
    ],
    [
        "/settings/meeting_authentication",
        "false",
        "option_enforce_login",
        "false",
    ],
    [
        "/settings/authentication_domains",
        r#""a;b""#,
        "option_enforce_login_domains",
        r#""a,b""#,
    ],
    [
        "/settings/alternative_hosts",
        r#""a,b""#,
        "option_alternative_hosts",
        r#""a;b""#,
    ],
];

#[test]
fn maps_each_v2_member_to_the_response() {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for [pointer, v2, member, v1] in MEMBERS {
        let mut stored = webinar(ID);
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        stored.pointer_mut(parent).unwrap()[last] = json(v2);
        let answer = run("webinar/get", OWN, |_| ok(stored.clone()))
            .unwrap()
            .answer();
        assert_eq!(answer[*member], json(v1), "{pointer}");
    }
}

#[test]
fn missing_v2_members_have_v1s_empty_value() {
    let bare = json!({ "id": 9_876_543_210_i64, "host_id": "kdc1", "settings": {
        "enforce_login": true, "enforce_login_domains": "example.com",
    } });
    let answer = run("webinar/get", OWN, |_| ok(bare.clone()))
        .unwrap()
        .answer();
    assert_eq!(
        answer,
        json!({
            "id": 9_876_543_210_i64, "host_id": "kdc1", "agenda": "", "status": 0,
            "option_start_type": "video", "option_enforce_login": true,
            "option_enforce_login_domains": "example.com", "option_alternative_hosts": "",
            "start_time": "", "duration": 0, "timezone": "", "registration_url": "",
        })
    );
}

#[test]
fn response_without_a_webinar_is_a_failure() {
    for nothing in [json!({}), json!(null), json!([])] {
        for operation in ["webinar/get", "webinar/create"] {
            let arguments = [OWN[0], OWN[1], ("topic", "x")];
            let run = run(operation, &arguments, |_| ok(nothing.clone())).unwrap();
            assert!(
                run.error().starts_with("500 "),
                "{operation}: {}",
                run.error()
            );
        }
    }
}

#[test]
fn option_selects_plain_join_urls() {
    let plain = [("join_url", toml::Value::from("plain"))];
    let url = |operation, arguments, at: &str| {
        let answer = choosing(&plain, operation, arguments, success).answer();
        answer.pointer(at).unwrap().as_str().unwrap().to_owned()
    };
    let wanted = "https://zoom.us/j/9876543210";
    assert_eq!(url("webinar/get", OWN, "/join_url"), wanted);
    assert_eq!(url("webinar/create", EVERYTHING, "/join_url"), wanted);
    let list = [("host_id", "kdc1")];
    let listed = "/webinars/0/join_url";
    assert_eq!(url("webinar/list/registration", &list, listed), wanted);
}

// ---- lists -----------------------------------------------------------------------------------

#[test]
fn paginates_the_filtered_list() {
    let page = |number: &str| {
        let arguments = [
            ("host_id", "kdc1"),
            ("page_size", "1"),
            ("page_number", number),
        ];
        run("webinar/list/registration", &arguments, success)
            .unwrap()
            .answer()
    };
    for (number, ids) in [
        ("1", json!([9_876_543_210_i64])),
        ("2", json!([9_876_543_211_i64])),
        ("3", json!([])),
    ] {
        let page = page(number);
        assert_eq!(page["page_count"], 2);
        assert_eq!(page["total_records"], 2);
        assert_eq!(page["page_number"].to_string(), number);
        let shown: Vec<_> = page["webinars"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w["id"].clone())
            .collect();
        assert_eq!(json!(shown), ids);
    }
}

#[test]
fn omits_deleted_webinars_but_trouble_fails_the_list() {
    let v2 = |outcome: fn() -> Outcome| {
        move |request: &V2Request| match request.path.ends_with(ID) {
            true => outcome(),
            false => success(request),
        }
    };
    let list = |outcome| {
        run(
            "webinar/list/registration",
            &[("host_id", "kdc1")],
            v2(outcome),
        )
        .unwrap()
    };
    // Deleted since v2 listed it.
    let gone = list(|| error(404, 3001, "Webinar does not exist."));
    assert!(gone.warned().is_empty());
    assert_eq!(gone.answer()["total_records"], 1);
    let refused = list(|| error(400, 200, "No permission."));
    assert_eq!(refused.warned().len(), 1, "{:?}", refused.warned());
    assert_eq!(refused.answer()["total_records"], 1);
    // A truncated list would be mistaken for a complete one.
    for trouble in [
        || Outcome::Limited,
        || Outcome::NoAnswer { maybe_done: false },
        || error(500, 1, "oops"),
        || Outcome::Unreadable { status: 200 },
    ] {
        list(trouble).error();
    }
}

#[test]
fn reports_more_than_300_webinars() {
    let v2 = |request: &V2Request| match &*request.template {
        "/users/{userId}/webinars" => ok(json!({
            "total_records": 301, "next_page_token": "more", "webinars": [listed(OPEN)],
        })),
        _ => success(request),
    };
    let run = run("webinar/list", &[("host_id", "kdc1")], v2).unwrap();
    assert!(
        run.error().starts_with("500 The list is longer than"),
        "{}",
        run.error()
    );
    let all = [("webinar_lists", toml::Value::from("all"))];
    assert_eq!(
        choosing(&all, "webinar/list", &[("host_id", "kdc1")], v2).answer()["total_records"],
        301
    );
}

#[test]
fn option_lists_all_webinars_in_both_lists() {
    let all = |detail: &str| {
        [
            ("webinar_lists", toml::Value::from("all")),
            ("list_detail", toml::Value::from(detail)),
        ]
    };
    let arguments = [
        ("host_id", "kdc1"),
        ("page_size", "2"),
        ("page_number", "1"),
    ];
    for operation in ["webinar/list", "webinar/list/registration"] {
        let run = choosing(&all("auto"), operation, &arguments, success);
        assert!(run.requests()[0].contains("page_number=1&page_size=2"));
        assert_eq!(run.requests().len(), 4);
        let answer = run.answer();
        assert_eq!(answer["webinars"].as_array().unwrap().len(), 3);
        assert_eq!(
            answer["webinars"][0]["start_url"],
            "https://example.com/s/1?zak=z"
        );
        let run = choosing(&all("profile"), operation, &arguments, success);
        assert_eq!(run.requests().len(), 1);
        assert!(run.warned()[0].contains("start_url"), "{:?}", run.warned());
        let answer = run.answer();
        assert_eq!(answer["webinars"][0]["topic"], "Autumn");
        assert!(answer["webinars"][0].get("start_url").is_none());
    }
}

// ---- registration ----------------------------------------------------------------------------

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

// ---- past sessions ---------------------------------------------------------------------------

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

// ---- errors ----------------------------------------------------------------------------------

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
