//! Writes of several calls: order, conditions, honest partial failure, completion.

use mappings::{Memory, Outcome, V2Request, translation::Unfinished};
use serde_json::json;

use crate::driver::{Run, catalog, error, run, run_with, site, well};

const NEW: &[(&str, &str)] = &[
    ("email", "new@example.com"),
    ("type", "2"),
    ("dept", "R&D"),
    ("disable_chat", "1"),
    ("group_id", "g1"),
];

fn failing(template: &'static str) -> impl Fn(&V2Request) -> Outcome {
    move |request| match *request.template == *template && !request.method.is_read() {
        true => error(400, 200, "You can't."),
        false => well(request),
    }
}

fn again(memory: Unfinished, v2: impl Fn(&V2Request) -> Outcome) -> Run {
    let catalog = catalog();
    let site = site(catalog);
    let memory = Memory {
        cursors: Vec::new(),
        unfinished: Some(memory),
    };
    run_with(catalog, &site, memory, "user/custcreate", NEW, v2).unwrap()
}

#[test]
fn a_partial_failure_says_what_is_stored_and_what_is_not() {
    let run = run("user/custcreate", NEW, failing("/users/{userId}/settings")).unwrap();
    assert_eq!(
        run.error(),
        "200 You can't. (user new1: create, profile, group stored, settings not stored; \
         the same request again does what is missing)"
    );
    assert_eq!(
        run.finished.unfinished.unwrap().done,
        ["create", "profile", "group"]
    );
    let early = crate::driver::run("user/custcreate", NEW, failing("/users/{userId}")).unwrap();
    assert_eq!(
        early.error(),
        "200 You can't. (user new1: create, group stored, profile, settings not stored; \
         the same request again does what is missing)"
    );
    let group =
        crate::driver::run("user/custcreate", NEW, failing("/groups/{groupId}/members")).unwrap();
    assert_eq!(
        group.error(),
        "200 You can't. (user new1: create, profile stored, settings, group not stored; \
         the same request again does what is missing)"
    );
}

#[test]
fn a_failed_create_leaves_nothing_unfinished() {
    let run = run("user/custcreate", NEW, failing("/users")).unwrap();
    assert_eq!(run.error(), "200 You can't.");
    assert_eq!(run.requests().len(), 1);
    assert_eq!(run.finished.unfinished, None);
}

#[test]
fn a_create_without_an_answer_is_not_taken_up_later() {
    // Whose address it is then nobody knows: it may have been somebody else's before.
    let v2 = |_: &V2Request| Outcome::NoAnswer { maybe_done: true };
    let run = run("user/custcreate", NEW, v2).unwrap();
    assert_eq!(run.finished.unfinished, None);
}

#[test]
fn what_is_unfinished_stays_so_while_v2_does_not_answer() {
    let left = Unfinished {
        done: vec!["create".into()],
    };
    let run = again(left.clone(), |_| Outcome::NoAnswer { maybe_done: true });
    assert_eq!(run.finished.unfinished, Some(left));
}

#[test]
fn a_repeated_create_does_what_is_missing() {
    let there = |request: &V2Request| match (request.method.as_str(), &*request.template) {
        ("POST", "/users") => error(
            409,
            1005,
            "Email \"new@example.com\" has already been used.",
        ),
        _ => well(request),
    };
    let run = again(
        Unfinished {
            done: vec!["create".into(), "profile".into()],
        },
        there,
    );
    assert_eq!(
        run.requests(),
        [
            "POST /users {\"action\":\"custCreate\",\"user_info\":{\"email\":\"new@example.com\",\"type\":2}}",
            "PATCH /users/new%40example.com/settings {\"in_meeting\":{\"chat\":false}}",
            "POST /groups/g1/members {\"members\":[{\"email\":\"new@example.com\"}]}",
            "GET /users/new%40example.com",
            "GET /users/new%40example.com/settings",
        ]
    );
    assert_eq!(run.finished.unfinished, None);
    assert_eq!(run.answer()["id"], "kdc1");
}

#[test]
fn a_repeated_create_without_a_memory_is_refused_as_v1_did() {
    let v2 = |_: &V2Request| {
        error(
            409,
            1005,
            "Email \"new@example.com\" has already been used.",
        )
    };
    let run = run("user/create", NEW, v2).unwrap();
    assert_eq!(
        run.error(),
        "1005 User already in the account: new@example.com"
    );
}

#[test]
fn a_written_user_that_cannot_be_read_back_is_answered_from_what_is_known() {
    let v2 = |request: &V2Request| match request.method.is_read() {
        true => Outcome::NoAnswer { maybe_done: false },
        false => well(request),
    };
    let run = run("user/custcreate", &NEW[..2], v2).unwrap();
    assert!(
        run.warned()
            .iter()
            .any(|field| field.starts_with("disable_chat, "))
    );
    let answer = run.answer();
    assert_eq!(answer["id"], "new1");
    assert_eq!(answer["email"], "new@example.com");
    assert_eq!(answer["token"], "");
}

#[test]
fn the_same_request_has_the_same_key_and_another_has_not() {
    let catalog = catalog();
    let site = site(catalog);
    let key = |operation: &str, arguments: &[(&str, &str)]| {
        let operation = catalog.find(operation).unwrap();
        let arguments = arguments.iter().copied().collect();
        let begun =
            mappings::Translation::begin(catalog, operation, arguments, &site, crate::driver::NOW);
        begun.unwrap().unfinished_key()
    };
    let mut turned = NEW.to_vec();
    turned.reverse();
    let mut other = NEW.to_vec();
    other[2] = ("dept", "R");
    assert!(key("user/custcreate", NEW).is_some());
    assert_eq!(key("user/custcreate", NEW), key("user/custcreate", &turned));
    assert_ne!(key("user/custcreate", NEW), key("user/custcreate", &other));
    assert_ne!(key("user/custcreate", NEW), key("user/create", NEW));
    assert_eq!(key("user/update", &[("id", "x")]), None);
}

#[test]
fn a_pending_user_joins_a_group_through_its_profile() {
    let v2 = |status: &'static str| {
        move |request: &V2Request| {
            match (request.method.is_read(), &*request.template) {
            (true, "/users/{userId}") => Outcome::Answered {
                status: 200,
                body: Some(
                    json!({ "id": if status == "active" { json!("p-id") } else { json!(null) }, "status": status }).into()),
            },
            _ => well(request),
        }
        }
    };
    let update = &[("id", "p@example.com"), ("group_id", "g1")];
    let pending = run("user/update", update, v2("pending")).unwrap();
    assert_eq!(
        pending.requests()[1..],
        ["PATCH /users/p%40example.com {\"group_id\":\"g1\"}"]
    );
    let active = run("user/update", update, v2("active")).unwrap();
    assert_eq!(
        active.requests()[1..],
        ["POST /groups/g1/members {\"members\":[{\"id\":\"p-id\"}]}"]
    );
}

#[test]
fn a_pending_user_is_disassociated_and_another_deleted() {
    let v2 = |status: u16, body: serde_json::Value| {
        move |request: &V2Request| match request.method.is_read() {
            true => Outcome::Answered {
                status,
                body: Some(body.clone().into()),
            },
            false => well(request),
        }
    };
    let delete = |v2: &dyn Fn(&V2Request) -> Outcome| {
        run("user/permanentdelete", &[("id", "x")], v2).unwrap()
    };
    let pending = delete(&v2(200, json!({ "status": "pending" })));
    assert_eq!(pending.requests()[1], "DELETE /users/x?action=disassociate");
    let unread = delete(&v2(429, json!({})));
    assert_eq!(unread.requests()[1], "DELETE /users/x?action=delete");
    let gone = delete(&v2(404, json!({ "code": 1001, "message": "gone" })));
    assert_eq!(
        (gone.requests().len(), gone.error().as_str()),
        (1, "1001 User not exist: x")
    );
}

#[test]
fn an_assistant_who_is_one_already_is_no_error() {
    let set = &[("id", "x"), ("assistant_email", "a@b")];
    for wording in [
        "User a@b already has the scheduling privilege for you.",
        "User a@b has already granted scheduling privilege.",
    ] {
        let v2 = |request: &V2Request| match request.method.is_read() {
            true => well(request),
            false => error(400, 200, wording),
        };
        assert_eq!(
            run("user/assistant/set", set, v2).unwrap().answer()["id"],
            "x",
            "{wording}"
        );
    }
    let other = |request: &V2Request| match request.method.is_read() {
        true => well(request),
        false => error(400, 200, "Can't find user a@b."),
    };
    assert_eq!(
        run("user/assistant/set", set, other).unwrap().error(),
        "200 Can't find user a@b."
    );
}

#[test]
fn what_half_of_a_pair_of_flags_means_depends_on_what_is_stored() {
    let stored = |recording: &'static str, chime: &'static str| {
        move |request: &V2Request| match request.method.is_read() {
            true => Outcome::Answered {
                status: 200,
                body: Some(
                    json!({
                        "recording": { "auto_recording": recording },
                        "in_meeting": { "entry_exit_chime": chime },
                    })
                    .into(),
                ),
            },
            false => well(request),
        }
    };
    let mut text = String::new();
    for given in [
        &[("enable_auto_recording", "1")][..],
        &[("enable_auto_recording", "0")],
        &[("enable_cloud_auto_recording", "1")],
        &[("enable_cloud_auto_recording", "0")],
        &[
            ("enable_auto_recording", "0"),
            ("enable_cloud_auto_recording", "1"),
        ],
        &[
            ("enable_auto_recording", "1"),
            ("enable_cloud_auto_recording", "0"),
        ],
        &[("enable_enter_exit_chime", "1")],
        &[("enable_enter_exit_chime", "0")],
        &[("option_enter_exit_chime_type", "0")],
        &[("option_enter_exit_chime_type", "1")],
        &[
            ("enable_enter_exit_chime", "0"),
            ("option_enter_exit_chime_type", "1"),
        ],
        &[
            ("enable_enter_exit_chime", "1"),
            ("option_enter_exit_chime_type", "1"),
        ],
    ] {
        for (recording, chime) in [("none", "none"), ("local", "all"), ("cloud", "host")] {
            let mut arguments = vec![("id", "x")];
            arguments.extend(given);
            let run = run("user/update", &arguments, stored(recording, chime)).unwrap();
            text += &format!(
                "{given:?} over {recording}, {chime}: {:?}\n",
                run.requests()
            );
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn half_of_a_pair_that_nothing_decides_is_not_dropped_silently() {
    let v2 = |request: &V2Request| match request.method.is_read() {
        true => Outcome::Answered {
            status: 200,
            body: Some(json!({}).into()),
        },
        false => well(request),
    };
    let update = &[
        ("id", "x"),
        ("enable_cloud_auto_recording", "0"),
        ("disable_chat", "1"),
    ];
    let run = run("user/update", update, v2).unwrap();
    assert_eq!(run.warned(), ["enable_cloud_auto_recording"]);
    assert_eq!(
        run.requests()[1..],
        ["PATCH /users/x/settings {\"in_meeting\":{\"chat\":false}}"]
    );
}
