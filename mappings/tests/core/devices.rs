//! H.323/SIP devices: plans, responses, and assumptions of v1 programs.

use mappings::{Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{error, no_content, ok, run},
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    (
        "h323/device/create",
        &[("name", "Room"), ("ip", "10.0.0.7")],
    ),
    (
        "h323/device/create",
        &[
            ("name", "Room"),
            ("ip", "10.0.0.7"),
            ("protocol_type", "2"),
            ("encryption_type", "0"),
        ],
    ),
    ("h323/device/list", &[("page_size", "500")]),
    ("h323/device/update", &[("id", "d2"), ("ip", "4711")]),
    ("h323/device/update", ALL),
    ("h323/device/update", &[("id", "d1")]),
    ("h323/device/delete", &[("id", "d1")]),
];

const ALL: &[(&str, &str)] = &[
    ("id", "d1"),
    ("name", "Hall"),
    ("ip", "10.0.0.8"),
    ("protocol_type", "1"),
    ("encryption_type", "2"),
];

fn device(id: &str, name: &str, protocol: &str, encryption: &str) -> Value {
    json!({ "id": id, "name": name, "ip": "10.0.0.7", "protocol": protocol, "encryption": encryption })
}

fn success(request: &V2Request) -> Outcome {
    let second = request.query.iter().any(|(_, value)| value == "two");
    match request.method.as_str() {
        "GET" if second => ok(json!({ "devices": [device("d2", "Lobby", "SIP", "auto")] })),
        "GET" => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 300, "total_records": 2,
            "devices": [device("d1", "Room", "H.323", "yes")],
            "next_page_token": if request.query.len() == 1 { "two" } else { "" },
        })),
        "POST" => ok(device("d3", "Room", "SIP", "no")),
        _ => no_content(),
    }
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn accepts_both_names_of_device_add() {
    let arguments = [("name", "Room"), ("ip", "10.0.0.7")];
    let run = run("h323/device/add", &arguments, success).unwrap();
    assert_eq!(run.answer()["id"], "d3");
}

#[test]
fn converts_protocol_and_encryption() {
    for (number, word) in [("1", "H.323"), ("2", "SIP")] {
        values("protocol_type", number, "protocol", word);
    }
    for (number, word) in [("0", "no"), ("1", "yes"), ("2", "auto")] {
        values("encryption_type", number, "encryption", word);
    }
    for (name, unknown) in [
        ("protocol_type", "3"),
        ("encryption_type", "3"),
        ("encryption_type", "x"),
    ] {
        let arguments = [("name", "Room"), ("ip", "10.0.0.7"), (name, unknown)];
        let refused = run("h323/device/create", &arguments, success)
            .err()
            .unwrap();
        assert_eq!(refused, format!("300 Invalid parameter: {name}"));
    }
}

fn values(v1: &str, number: &str, v2: &str, word: &str) {
    let arguments = [("name", "Room"), ("ip", "10.0.0.7"), (v1, number)];
    let mut stored = device("d3", "Room", "SIP", "no");
    stored[v2] = word.into();
    let run = run("h323/device/create", &arguments, |_| ok(stored.clone())).unwrap();
    assert!(
        run.requests()[0].contains(&format!("\"{v2}\":\"{word}\"")),
        "{:?}",
        run.requests()
    );
    assert_eq!(run.answer()[v1], number.parse::<i64>().unwrap());
}

#[test]
fn unknown_device_sends_nothing() {
    for arguments in [&[("id", "d9"), ("ip", "4711")][..], &[("id", "d9")]] {
        let run = run("h323/device/update", arguments, success).unwrap();
        assert_eq!(run.error(), "300 H.323 Device not exist: d9");
        assert_eq!(run.requests().len(), 2, "{:?}", run.requests());
    }
}

#[test]
fn v2_error_code_takes_precedence_over_status() {
    let unknown = |_: &V2Request| Outcome::Answered {
        status: 404,
        body: None,
    };
    let used = |_: &V2Request| {
        error(
            404,
            2020,
            "H.323 device's display name Hall is already in use.",
        )
    };
    let refused = |_: &V2Request| {
        error(
            200,
            200,
            "You do not have the permission to delete this device.",
        )
    };
    for (operation, arguments) in [
        ("h323/device/update", ALL),
        ("h323/device/delete", &ALL[..1]),
    ] {
        let answered =
            |v2: &dyn Fn(&V2Request) -> Outcome| run(operation, arguments, v2).unwrap().error();
        assert_eq!(
            answered(&unknown),
            "300 H.323 Device not exist: d1",
            "{operation}"
        );
        assert_eq!(answered(&refused), "200 No permission.", "{operation}");
    }
    for (operation, arguments) in [
        ("h323/device/create", &ALL[1..]),
        ("h323/device/update", ALL),
    ] {
        assert_eq!(
            run(operation, arguments, used).unwrap().error(),
            "2020 H.323 device display name:Hall is already in use.",
            "{operation}"
        );
    }
}

#[test]
fn rejected_field_has_its_v1_name() {
    let refused = |_: &V2Request| {
        Outcome::Answered {
        status: 400,
        body: Some(
            json!({ "code": 300, "message": "Validation Failed.", "errors": [{ "field": "encryption" }] })
                .into(),
        ),
    }
    };
    let run = run("h323/device/create", &ALL[1..], refused).unwrap();
    assert_eq!(run.error(), "300 Invalid parameter: encryption_type");
}

#[test]
fn rejects_names_that_v2_does_not_accept() {
    let name = "x".repeat(65);
    let arguments = [("name", name.as_str()), ("ip", "10.0.0.7")];
    let refused = run("h323/device/create", &arguments, success)
        .err()
        .unwrap();
    assert_eq!(refused, "300 Invalid parameter: name");
}
