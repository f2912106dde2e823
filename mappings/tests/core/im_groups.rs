//! IM groups: plans, responses, and assumptions of v1 programs.

use mappings::{Memory, Outcome, V2Request};
use serde_json::{Value, json};

use crate::{
    driver::{catalog, error, no_content, ok, run, run_with, site, site_with_option},
    plans::{transcript, transcript_at},
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("im/group/list", &[]),
    ("im/group/get", &[("id", "g1")]),
    ("im/group/create", &[("name", "Sales"), ("ip", "10.0.0.7")]),
    (
        "im/group/create",
        &[
            ("name", "Sales"),
            ("type", "shared"),
            ("option_search_by_domain", "true"),
            ("option_search_by_account", "false"),
            ("option_search_by_ma", "1"),
        ],
    ),
    (
        "im/group/edit",
        &[
            ("id", "g1"),
            ("name", "Support"),
            ("type", "RESTRICTED"),
            ("option_search_by_domain", "false"),
            ("option_search_by_account", "true"),
            ("option_search_by_ma", "0"),
        ],
    ),
    ("im/group/edit", &[("id", "g1")]),
    ("im/group/delete", &[("id", "g1")]),
    ("im/group/member/list", &[("id", "g1"), ("page_size", "")]),
    (
        "im/group/member/add",
        &[("id", "g1"), ("member_ids", "u1,ada@example.com,")],
    ),
    (
        "im/group/member/delete",
        &[("id", "g1"), ("member_ids", "u1,u2")],
    ),
];

fn group() -> Value {
    json!({
        "id": "g1", "name": "Sales", "total_members": 3, "type": "restricted",
        "search_by_domain": true, "search_by_account": false, "search_by_ma_account": true,
    })
}

fn success(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("GET", "/im/groups") => ok(json!({ "total_records": 1, "groups": [group()] })),
        ("GET", "/im/groups/{groupId}") => ok(group()),
        ("POST", "/im/groups") => ok(json!({
            "id": "g2", "name": "Sales", "total_members": 0,
            "search_by_domain": true, "search_by_account": false, "search_by_ma_account": true,
        })),
        ("GET", "/im/groups/{groupId}/members") => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
            "members": [
                { "id": "u1", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "type": 1 },
                { "email": "new@example.com" },
            ],
        })),
        ("GET", "/users/{userId}") => ok(
            json!({ "id": "u1", "email": "ada@example.com", "pic_url": "https://example.com/ada.jpg" }),
        ),
        ("POST", _) => ok(json!({ "ids": "u1,u2", "added_at": "2026-02-03T04:05:06.789Z" })),
        _ => no_content(),
    }
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn option_controls_member_pictures() {
    let site = site_with_option("list_pictures", true);
    insta::assert_snapshot!(transcript_at(
        &site,
        &[("im/group/member/list", &[("id", "g1")])],
        success
    ));
}

#[test]
fn reads_all_pages_of_a_truncated_list() {
    let v2 = |request: &V2Request| match request.query.is_empty() {
        true => ok(json!({ "groups": [group()], "next_page_token": "two" })),
        false => ok(json!({ "groups": [group()] })),
    };
    let run = run("im/group/list", &[], v2).unwrap();
    assert_eq!(
        run.requests(),
        ["GET /im/groups", "GET /im/groups?next_page_token=two"]
    );
    assert_eq!(run.answer()["total_records"], 2);
}

#[test]
fn capitalises_group_types() {
    for (v1, v2) in [
        ("Normal", "normal"),
        ("Shared", "shared"),
        ("Restricted", "restricted"),
    ] {
        let mut stored = group();
        stored["type"] = v2.into();
        let answer = run("im/group/get", &[("id", "g1")], |_| ok(stored.clone()))
            .unwrap()
            .answer();
        assert_eq!(answer["type"], v1);
        for spelt in [v1.to_owned(), v1.to_lowercase(), v1.to_uppercase()] {
            for operation in ["im/group/create", "im/group/edit"] {
                let arguments = [("id", "g1"), ("name", "x"), ("type", spelt.as_str())];
                let run = run(operation, &arguments, success).unwrap();
                let sent = format!("\"type\":\"{v2}\"");
                assert!(run.requests()[0].contains(&sent), "{:?}", run.requests());
            }
        }
        let arguments = [("name", "x"), ("type", v2)];
        let created = run("im/group/create", &arguments, success).unwrap();
        assert_eq!(
            created.answer()["type"],
            v1,
            "v2's answer to a create has no type"
        );
    }
    for operation in ["im/group/create", "im/group/edit"] {
        let arguments = [("id", "g1"), ("name", "x"), ("type", "Secret")];
        let refused = run(operation, &arguments, success).err().unwrap();
        assert_eq!(refused, "300 Invalid parameter: type");
    }
}

#[test]
fn change_keeps_absent_parameters() {
    let arguments = [("id", "g1"), ("name", "Support")];
    let run = run("im/group/edit", &arguments, success).unwrap();
    assert_eq!(
        run.requests()[0],
        r#"PATCH /im/groups/g1 {"name":"Support"}"#
    );
}

#[test]
fn accepts_the_response_name_of_an_option() {
    let sent = |arguments: &[(&str, &str)]| {
        let run = run("im/group/edit", arguments, success).unwrap();
        run.requests()[0].to_owned()
    };
    let on = r#"PATCH /im/groups/g1 {"search_by_ma_account":true}"#;
    assert_eq!(
        sent(&[("id", "g1"), ("option_search_by_ma_account", "true")]),
        on
    );
    let both = [
        ("id", "g1"),
        ("option_search_by_ma_account", "false"),
        ("option_search_by_ma", "true"),
    ];
    assert_eq!(sent(&both), on);
}

#[test]
fn errors_quote_the_clients_group_id() {
    let gone = |_: &V2Request| error(404, 4130, "IM group does not exist: g1.");
    let no_code = |_: &V2Request| Outcome::Answered {
        status: 404,
        body: None,
    };
    for (operation, arguments) in REQUESTS {
        if !arguments.iter().any(|(name, _)| *name == "id") {
            continue;
        }
        let error = run(operation, arguments, gone).unwrap().error();
        assert_eq!(error, "4130 IM Group not exist: g1", "{operation}");
        if matches!(*operation, "im/group/member/list" | "im/group/member/add") {
            let error = run(operation, arguments, no_code).unwrap().error();
            assert_eq!(error, "4130 IM Group not exist: g1", "{operation}");
        }
    }
    let used = |_: &V2Request| error(409, 4132, "Group name Sales is already in use.");
    for operation in ["im/group/create", "im/group/edit"] {
        let run = run(operation, &[("id", "g1"), ("name", "Sales")], used).unwrap();
        assert_eq!(run.error(), "4132 Group name Sales is already in use.");
    }
}

#[test]
fn im_groups_unavailable_error_passes_through() {
    let gone = |_: &V2Request| error(410, 4137, "The IM Group APIs are no longer available.");
    for (operation, arguments) in REQUESTS {
        let error = run(operation, arguments, gone).unwrap().error();
        assert_eq!(
            error, "4137 The IM Group APIs are no longer available.",
            "{operation}"
        );
    }
}

#[test]
fn error_body_with_success_status_is_an_error() {
    let v2 = |_: &V2Request| error(200, 200, "Only available for paid account:a1.");
    for (operation, arguments) in REQUESTS {
        let error = run(operation, arguments, v2).unwrap().error();
        assert_eq!(
            error, "200 Only available for paid account:a1.",
            "{operation}"
        );
    }
}

fn members(count: usize) -> String {
    let ids: Vec<_> = (1..=count).map(|n| format!("u{n}")).collect();
    ids.join(",")
}

#[test]
fn adds_members_in_batches_of_ten_until_a_failure() {
    let members = members(23);
    let arguments = [("id", "g1"), ("member_ids", members.as_str())];
    let done = run("im/group/member/add", &arguments, success).unwrap();
    assert_eq!(done.sent.len(), 3, "one after the other");
    let sizes: Vec<_> = done
        .requests()
        .iter()
        .map(|request| request.matches("\"id\"").count())
        .collect();
    assert_eq!(sizes, [10, 10, 3]);
    let v2 = |request: &V2Request| match crate::driver::shown(request).contains("\"u11\"") {
        true => error(404, 1001, "User does not exist: u11."),
        false => success(request),
    };
    let failed = run("im/group/member/add", &arguments, v2).unwrap();
    assert_eq!(failed.sent.len(), 2);
    assert_eq!(
        failed.error(),
        "1001 User does not exist: u11. (group g1: add (10 of 23) stored, add (13 of 23) not stored; \
         the same request again does what is missing, once v2 no longer refuses it)"
    );
    let memory = Memory {
        unfinished: failed.finished.unfinished,
        ..Memory::default()
    };
    let catalog = catalog();
    let rest = run_with(
        catalog,
        &site(catalog),
        memory,
        "im/group/member/add",
        &arguments,
        success,
    )
    .unwrap();
    assert_eq!(rest.requests().len(), 2, "{:?}", rest.requests());
}

#[test]
fn accepts_members_by_id_or_address_in_all_spellings() {
    let both =
        r#"POST /im/groups/g1/members {"members":[{"id":"u1"},{"email":"ada@example.com"}]}"#;
    for arguments in [
        &[("id", "g1"), ("member_ids", "u1, ada@example.com,,u1,")][..],
        &[
            ("id", "g1"),
            ("member_ids[]", "u1"),
            ("member_ids[]", "ada@example.com"),
        ],
        &[
            ("id", "g1"),
            ("member_ids[0]", "u1"),
            ("member_ids[1]", "ada@example.com"),
        ],
    ] {
        let run = run("im/group/member/add", arguments, success).unwrap();
        assert_eq!(run.requests(), [both], "{arguments:?}");
    }
    for operation in ["im/group/member/add", "im/group/member/delete"] {
        let refused = |members: &str| {
            let arguments = [("id", "g1"), ("member_ids", members)];
            run(operation, &arguments, |_| panic!("something was sent"))
                .err()
                .unwrap()
        };
        assert_eq!(refused(","), "300 Member_ids is required.");
        for reserved in ["me", "u1,ME", "..", "u1,."] {
            assert_eq!(
                refused(reserved),
                "300 Invalid parameter: member_ids",
                "{reserved}"
            );
        }
        assert_eq!(refused(&members(301)), "300 Invalid parameter: member_ids");
    }
}

#[test]
fn removing_a_nonmember_is_not_counted() {
    let arguments = [("id", "g1"), ("member_ids", "u1,u2,u3")];
    let v2 = |request: &V2Request| match request.path.ends_with("/u2") {
        true => error(404, 4131, "Group member does not exist."),
        false => success(request),
    };
    let answer = run("im/group/member/delete", &arguments, v2)
        .unwrap()
        .answer();
    assert_eq!(answer["deleted_count"], 2);
    let none = |_: &V2Request| error(404, 4131, "Group member does not exist.");
    let answer = run("im/group/member/delete", &arguments, none)
        .unwrap()
        .answer();
    assert_eq!(answer["deleted_count"], 0);
}

#[test]
fn unknown_member_error_comes_from_v2() {
    let unknown = |_: &V2Request| error(404, 1001, "User does not exist: u1.");
    let arguments = [("id", "g1"), ("member_ids", "u1")];
    let run = run("im/group/member/delete", &arguments, unknown).unwrap();
    assert_eq!(run.error(), "1001 User does not exist: u1.");
}

#[test]
fn failed_removal_reports_progress() {
    let arguments = [("id", "g1"), ("member_ids", "u1,u2,u3")];
    let v2 = |request: &V2Request| match request.path.ends_with("/u2") {
        true => error(400, 200, "No."),
        false => success(request),
    };
    let error = run("im/group/member/delete", &arguments, v2)
        .unwrap()
        .error();
    assert!(
        error.starts_with("200 No. (group g1: delete (2 of 3) stored"),
        "{error}"
    );
}

#[test]
fn missing_time_defaults_to_the_response_time() {
    let silent = |_: &V2Request| ok(json!({ "ids": "u1" }));
    let arguments = [("id", "g1"), ("member_ids", "u1,u2")];
    let answer = run("im/group/member/add", &arguments, silent)
        .unwrap()
        .answer();
    assert_eq!(answer["add_at"], "2020-09-13T12:26:40Z");
    assert_eq!(answer["add_count"], 1, "what v2 says that it added");
}

#[test]
fn options_map_to_distinct_places() {
    for (asked, shown, v2) in [
        (
            "option_search_by_domain",
            "option_search_by_domain",
            "search_by_domain",
        ),
        (
            "option_search_by_account",
            "option_search_by_account",
            "search_by_account",
        ),
        (
            "option_search_by_ma",
            "option_search_by_ma_account",
            "search_by_ma_account",
        ),
    ] {
        let only = json!({ "id": "g1", "name": "x", v2: true });
        for (operation, request) in [
            (
                "im/group/create",
                format!("POST /im/groups {{\"name\":\"x\",\"{v2}\":true}}"),
            ),
            (
                "im/group/edit",
                format!("PATCH /im/groups/g1 {{\"name\":\"x\",\"{v2}\":true}}"),
            ),
        ] {
            let arguments = [("id", "g1"), ("name", "x"), (asked, "true")];
            let run = run(operation, &arguments, |_| ok(only.clone())).unwrap();
            assert_eq!(run.requests()[0], request);
            let answer = run.answer();
            let options = answer.as_object().unwrap().keys();
            let options: Vec<_> = options.filter(|name| name.starts_with("option_")).collect();
            assert_eq!(options, [shown], "{operation}");
        }
    }
}
