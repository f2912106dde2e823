//! IM groups served by contact groups, an option of the site: other calls, the same responses.

use mappings::{Outcome, Site, V2Request};
use serde_json::json;

use crate::{
    driver::{Run, error, no_content, of, ok, run_at, site_with_option},
    plans::transcript_at,
};

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("im/group/list", &[]),
    ("im/group/get", &[("id", "dir.g1")]),
    ("im/group/create", &[("name", "Sales")]),
    (
        "im/group/create",
        &[
            ("name", "Sales"),
            ("type", "shared"),
            ("option_search_by_domain", "true"),
        ],
    ),
    (
        "im/group/edit",
        &[
            ("id", "dir.g1"),
            ("name", "Support"),
            ("type", "RESTRICTED"),
        ],
    ),
    ("im/group/edit", &[("id", "dir.g1")]),
    ("im/group/delete", &[("id", "dir.g1")]),
    ("im/group/member/list", &[("id", "dir.g1")]),
    (
        "im/group/member/add",
        &[("id", "dir.g1"), ("member_ids", "u1,u2,")],
    ),
    (
        "im/group/member/delete",
        &[("id", "dir.g1"), ("member_ids", "u1,u2")],
    ),
];

fn success(request: &V2Request) -> Outcome {
    let group = json!({
        "group_id": "dir.g1", "group_name": "Sales", "group_privacy": 2, "description": "",
    });
    let counted = || {
        let mut group = group.clone();
        group["total_members"] = 3.into();
        group
    };
    match (request.method.as_str(), &*request.template) {
        ("GET", "/contacts/groups") => ok(json!({ "groups": [group], "next_page_token": "" })),
        ("GET", "/contacts/groups/{groupId}") | ("POST", "/contacts/groups") => ok(counted()),
        ("GET", "/contacts/groups/{groupId}/members") => ok(json!({
            "next_page_token": "", "page_size": 50, "group_members": [
                { "type": 1, "id": "u1", "name": "Ada Lovelace" },
                { "type": 2, "id": "g7", "name": "Developers" },
                { "type": 1, "id": "u2", "name": "Grace Hopper" },
            ],
        })),
        ("POST", _) => ok(json!({ "member_ids": ["u1"] })),
        ("GET", "/users/{userId}") => ok(json!({
            "id": request.path.rsplit('/').next(), "email": "ada@example.com",
            "first_name": "Ada", "last_name": "Lovelace",
        })),
        _ => no_content(),
    }
}

fn contact() -> Site {
    site_with_option("im_groups", "contact")
}

fn run(
    operation: &str,
    given: &[(&str, &str)],
    v2: impl Fn(&V2Request) -> Outcome,
) -> Result<Run, String> {
    run_at(&contact(), operation, given, v2)
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript_at(&contact(), REQUESTS, success));
}

#[test]
fn maps_unknown_group() {
    let v2 = |_: &V2Request| {
        let text = "A group with this groupId: dir.g1 does not exist.";
        error(400, 300, text)
    };
    for (operation, given) in REQUESTS {
        if given.first().is_some_and(|(name, _)| *name == "id") {
            let error = run(operation, given, v2).unwrap().error();
            assert!(
                error.starts_with("4130 IM Group not exist: dir.g1"),
                "{operation}: {error}"
            );
        }
    }
}

#[test]
fn does_not_count_nonmembers_as_removed() {
    let v2 = |request: &V2Request| match of(request, "member_ids") {
        "u1" => error(400, 300, "A member with this memberId: u1 does not exist."),
        _ => no_content(),
    };
    let given = [("id", "dir.g1"), ("member_ids", "u1,u2")];
    let run = run("im/group/member/delete", &given, v2).unwrap();
    assert_eq!(run.answer()["deleted_count"], 1);
}

#[test]
fn rejects_removal_of_the_last_member() {
    let v2 = |_: &V2Request| error(400, 300, "A group must have at least one member.");
    let given = [("id", "dir.g1"), ("member_ids", "u1")];
    let error = run("im/group/member/delete", &given, v2).unwrap().error();
    assert!(
        error.starts_with("300 A group must have at least one member."),
        "{error}"
    );
}

#[test]
fn paginates_members() {
    let given = [("id", "dir.g1"), ("page_size", "1"), ("page_number", "2")];
    let run = run("im/group/member/list", &given, success).unwrap();
    let answer = run.answer();
    assert_eq!(answer["total_records"], 2);
    assert_eq!(answer["page_count"], 2);
    assert_eq!(answer["members"][0]["id"], "u2");
}
