//! Archived chats: access, plans and responses.

use mappings::{Outcome, Site, Tokens, V2Request};
use serde_json::json;

use crate::driver::{Run, catalog, error, ok, run_at, site};

const DAYS: [(&str, &str); 2] = [("from", "2020-08-01"), ("to", "2020-08-31")];
const TOKEN: (&str, &str) = ("access_token", "site-token");
const SESSION: (&str, &str) = ("session_id", "s/1");

fn success(request: &V2Request) -> Outcome {
    let mut query = request.query.iter();
    let size = query.find(|(name, _)| name == "page_size").unwrap();
    let mut body = json!({
        "from": "2020-08-01", "to": "2020-08-31", "page_size": size.1.parse::<i64>().unwrap(),
        "next_page_token": "v2.token",
    });
    match &*request.template {
        "/report/chat/sessions" => {
            body["sessions"] = json!([
                {
                    "id": "s1", "type": "1:1", "name": "", "status": "active",
                    "member_emails": ["ada@example.com", "grace@example.com"],
                    "last_message_sent_time": "2020-08-18T10:16:13Z",
                },
                {
                    "id": "s2", "type": "Group", "name": "Channel One", "channel_id": "c1",
                    "last_message_sent_time": "2020-08-19T10:16:13.5Z",
                },
                { "id": "s3", "type": "1:1", "member_emails": ["alan@example.com"] },
            ]);
        }
        "/report/chat/sessions/{sessionId}" => {
            body["messages"] = json!([
                {
                    "id": "m1", "message": "How are you", "sender": "ada@example.com",
                    "date_time": "2020-08-18T10:16:13Z", "timestamp": 1_597_745_773_000_i64,
                },
                { "id": "m2", "date_time": "2020-08-18T10:17:00Z" },
            ]);
            body["deleted_messages"] = json!([{ "id": "m0", "message": "gone" }]);
        }
        other => panic!("{other}"),
    }
    ok(body)
}

/// A request to a site with a chat token.
fn try_run(
    operation: &str,
    arguments: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    run_at(&open_site(), operation, arguments, v2)
}

fn open_site() -> Site {
    let tokens = [("chat_token".to_owned(), "site-token".to_owned())];
    Site {
        tokens: Tokens(tokens.into()),
        ..site(catalog())
    }
}

fn run(operation: &str, arguments: &[(&str, &str)]) -> Run {
    try_run(operation, arguments, success).unwrap()
}

/// Members that v2 dropped, shown empty.
fn empty_members(operation: &str) -> &'static [&'static str] {
    match operation {
        "chat/get" => &["group_name"],
        _ => &[],
    }
}

#[test]
fn plans_and_answers() {
    let list = [TOKEN, DAYS[0], DAYS[1]];
    let get = [TOKEN, DAYS[0], DAYS[1], SESSION];
    let mut text = String::new();
    for (operation, arguments) in [("chat/list", &list[..]), ("chat/get", &get[..])] {
        let run = run(operation, arguments);
        text += &format!("{operation}\n  {}\n", run.requests().join("\n  "));
        assert_eq!(run.warned(), empty_members(operation));
        text += &format!("  = {}\n", run.answer());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn chats_require_the_site_token() {
    let closed = |site: &Site, token| {
        let arguments = [("access_token", token), DAYS[0], DAYS[1], SESSION];
        for operation in ["chat/list", "chat/get"] {
            let v2 = |_: &V2Request| panic!("v2 is not asked");
            let refused = run_at(site, operation, &arguments, v2).err();
            let refused = refused.unwrap();
            assert!(refused.starts_with("200 No permission"), "{refused}");
        }
    };
    let without = site(catalog());
    closed(&without, "site-token");
    closed(&open_site(), "another");
    closed(&open_site(), "Site-token");
    let missing = try_run("chat/list", &DAYS, success).err();
    assert_eq!(missing.as_deref(), Some("300 Access_token is required."));
}

#[test]
fn site_token_is_not_sent_to_v2() {
    for request in run("chat/list", &[TOKEN, DAYS[0], DAYS[1]]).requests() {
        assert!(!request.contains("site-token"), "{request}");
    }
}

#[test]
fn v2_page_token_round_trips() {
    let arguments = [
        TOKEN,
        DAYS[0],
        DAYS[1],
        SESSION,
        ("next_page_token", "v2.token"),
    ];
    for operation in ["chat/list", "chat/get"] {
        let run = run(operation, &arguments);
        assert!(run.requests()[0].contains("next_page_token=v2.token"));
        assert_eq!(run.warned(), empty_members(operation));
        assert_eq!(run.answer()["next_page_token"], "v2.token");
        let expired = |_: &V2Request| {
            error(
                400,
                300,
                "The next page token is either invalid or has expired.",
            )
        };
        let run = try_run(operation, &arguments, expired).unwrap();
        assert_eq!(run.requests().len(), 1);
        assert_eq!(run.error(), "300 Invalid parameter: next_page_token");
    }
}

#[test]
fn pages_have_at_most_thirty_entries() {
    let run = run(
        "chat/list",
        &[TOKEN, DAYS[0], DAYS[1], ("page_size", "300")],
    );
    assert!(run.requests()[0].contains("page_size=30&"));
    assert_eq!(run.answer()["page_size"], 30);
}

#[test]
fn filters_sessions_by_address() {
    let arguments = [TOKEN, DAYS[0], DAYS[1], ("email", "Grace@Example.com")];
    let run = run("chat/list", &arguments);
    assert_eq!(run.warned(), ["email"]);
    let answer = run.answer();
    let sessions = answer["chat_list"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["session_id"], "s1");
}

#[test]
fn cuts_long_ranges_to_the_last_month() {
    let run = run(
        "chat/list",
        &[TOKEN, ("from", "2019-1-1"), ("to", "2020/08/31")],
    );
    assert!(run.requests()[0].contains("from=2020-07-31&"));
    assert!(run.requests()[0].contains("to=2020-08-31"));
}

#[test]
fn maps_v2_errors_to_v1() {
    for (status, code, message, v1) in [
        (404, 1234, "No such session.", "1234 No such session."),
        (
            400,
            4711,
            "Invalid access token, scopes.",
            "200 No permission.",
        ),
        (401, 124, "Requires an access token.", "200 No permission."),
    ] {
        let v2 = |_: &V2Request| error(status, code, message);
        let run = try_run("chat/get", &[TOKEN, DAYS[0], DAYS[1], SESSION], v2).unwrap();
        assert_eq!(run.error(), v1);
    }
}

#[test]
fn error_body_with_status_200_is_an_error() {
    let refusal = |_: &V2Request| ok(json!({ "code": 200, "message": "no report permission" }));
    for operation in ["chat/list", "chat/get"] {
        let run = try_run(operation, &[TOKEN, DAYS[0], DAYS[1], SESSION], refusal).unwrap();
        assert_eq!(run.error(), "200 no report permission", "{operation}");
    }
}
