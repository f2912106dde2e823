//! User groups: plans, responses, and assumptions of v1 programs.

use mappings::{Outcome, V2Request};
use serde_json::json;

use crate::{
    driver::{catalog, created, error, no_content, ok, run, run_at, site},
    plans::transcript,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("group/list", &[]),
    ("group/get", &[("id", "g 1")]),
    ("group/create", &[("name", "Sales"), ("type", "Normal")]),
    ("group/edit", &[("id", "g1"), ("name", "Support")]),
    ("group/edit", &[("id", "g1"), ("name", "")]),
    ("group/delete", &[("id", "g1")]),
];

fn success(request: &V2Request) -> Outcome {
    let group = json!({ "id": "g1", "name": "Sales", "total_members": 3 });
    match (request.method.as_str(), &*request.template) {
        ("GET", "/groups") => page(
            request,
            &[
                json!([group]),
                json!([{ "id": "g2", "name": "Empty", "total_members": 0 }]),
            ],
        ),
        ("GET", "/groups/{groupId}") => {
            let id = request.path.trim_start_matches("/groups/");
            ok(json!({ "id": id.replace("%20", " "), "name": "Sales", "total_members": 3 }))
        }
        ("POST", "/groups") => created(json!({ "id": "g3", "name": "Sales" })),
        _ => no_content(),
    }
}

/// A page of the list, selected by the previous page's token.
fn page(request: &V2Request, pages: &[serde_json::Value]) -> Outcome {
    let mut query = request.query.iter();
    let token = query.find(|(name, _)| name == "next_page_token");
    let number: usize = token.map_or(0, |(_, token)| token.parse().unwrap());
    let next = (number + 1 < pages.len()).then(|| (number + 1).to_string());
    ok(json!({
        "groups": pages[number], "total_records": 9, "next_page_token": next.unwrap_or_default(),
    }))
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn failing_page_fails_the_list() {
    let v2 = |request: &V2Request| match request.query.len() {
        1 => success(request),
        _ => error(400, 200, "Only available for Paid account."),
    };
    let run = run("group/list", &[], v2).unwrap();
    assert_eq!(run.error(), "200 Only available for Paid account.");
}

#[test]
fn expired_token_restarts_the_list_once() {
    let v2 = |request: &V2Request| match request.query.len() {
        1 => success(request),
        _ => error(
            400,
            300,
            "The next page token is either invalid or has expired.",
        ),
    };
    let run = run("group/list", &[], v2).unwrap();
    assert_eq!(run.requests().len(), 4, "{:?}", run.requests());
    assert!(run.error().starts_with("300 "), "{}", run.error());
}

#[test]
fn endless_list_is_an_error() {
    let endless = |request: &V2Request| {
        let token = request
            .query
            .iter()
            .map(|(_, value)| value.len())
            .sum::<usize>();
        ok(json!({ "groups": [], "next_page_token": "x".repeat(token) }))
    };
    let run = run("group/list", &[], endless).unwrap();
    assert_eq!(run.requests().len(), 20);
    assert!(run.finished.answer.result.is_err());
}

#[test]
fn groups_have_no_member_id() {
    for operation in ["group/get", "group/edit", "group/create"] {
        let arguments = [("id", "g1"), ("name", "Sales")];
        let answer = run(operation, &arguments, success).unwrap().answer();
        assert!(answer.get("id").is_none(), "{operation}: {answer}");
        assert!(answer["group_id"].is_string(), "{operation}: {answer}");
    }
}

#[test]
fn unreadable_group_after_a_change_is_answered_from_the_request() {
    let v2 = |request: &V2Request| match request.method.is_read() {
        true => error(429, 429, "Too many requests."),
        false => success(request),
    };
    let run = run("group/edit", &[("id", "g1"), ("name", "Support")], v2).unwrap();
    assert!(!run.finished.answer.warnings.is_empty());
    assert_eq!(
        run.answer(),
        json!({ "group_id": "g1", "account_id": "account-1", "name": "Support" })
    );
}

#[test]
fn errors_quote_the_clients_group_id() {
    let answered = |operation: &str, code: i64, message: &'static str| {
        let arguments = [("id", "g1"), ("name", "Sales")];
        run(operation, &arguments, move |_| error(404, code, message))
            .unwrap()
            .error()
    };
    let gone = "A group with this g1 does not exist.";
    for operation in ["group/get", "group/edit", "group/delete"] {
        assert_eq!(
            answered(operation, 4130, gone),
            "4130 Group not exist: g1",
            "{operation}"
        );
        assert_eq!(
            answered(operation, 1010, "Group does not belong to your account."),
            "1010 Group not belong to the account",
            "{operation}"
        );
    }
    assert_eq!(answered("group/create", 4130, gone), format!("4130 {gone}"));
    for operation in ["group/create", "group/edit"] {
        assert_eq!(
            answered(
                operation,
                4132,
                "The group name \"Sales\" is already in use."
            ),
            "4132 Group name Sales is already in use.",
            "{operation}"
        );
    }
}

#[test]
fn rejected_name_is_reported() {
    let refused = |_: &V2Request| {
        Outcome::Answered {
        status: 400,
        body: Some(
            json!({ "code": 300, "message": "Validation Failed.", "errors": [{ "field": "name" }] })
                .into(),
        ),
    }
    };
    for operation in ["group/create", "group/edit"] {
        let run = run(operation, &[("id", "g1"), ("name", "x")], refused).unwrap();
        assert_eq!(run.error(), "300 Invalid parameter: name", "{operation}");
    }
}

#[test]
fn group_without_id_is_a_failure() {
    let empty = |_: &V2Request| ok(json!({}));
    let foreign = "500 Zoom answered with something that is not its API";
    for (operation, arguments) in [
        ("group/get", [("id", "g1")]),
        ("group/create", [("name", "Sales")]),
    ] {
        let error = run(operation, &arguments, empty).unwrap().error();
        assert!(error.starts_with(foreign), "{operation}: {error}");
    }
    let run = run("group/list", &[], empty).unwrap();
    assert!(run.error().starts_with(foreign));
}

#[test]
fn omits_unconfigured_account() {
    let site = mappings::Site {
        account_id: None,
        ..site(catalog())
    };
    let arguments = [("id", "g1")];
    let run = run_at(&site, "group/get", &arguments, success).unwrap();
    assert!(run.answer().get("account_id").is_none());
}
