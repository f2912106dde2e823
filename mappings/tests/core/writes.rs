//! Writes of several calls: order, conditions, partial failure, completion.

mod deletes;
mod lost_creates;

use mappings::{Memory, Outcome, V2Request, WarningKind, translation::Journal};
use serde_json::json;

use crate::driver::{
    NOW, Run, catalog, created, error, no_content, of, ok, run, run_at, run_with, shown, site,
    site_with_option, success, user_at,
};

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
        false => success(request),
    }
}

fn again(unfinished: Option<Journal>, v2: impl Fn(&V2Request) -> Outcome) -> Run {
    let catalog = catalog();
    let site = site(catalog);
    let memory = Memory {
        unfinished,
        call_time: 10,
        ..Memory::default()
    };
    run_with(catalog, &site, memory, "user/custcreate", NEW, v2).unwrap()
}

/// A v2 with the user, created this many seconds after the request whose response was lost.
fn creating(after: i64) -> impl Fn(&V2Request) -> Outcome {
    move |request| match shown(request).split(' ').take(2).collect::<Vec<_>>()[..] {
        ["POST", "/users"] => error(
            409,
            1005,
            "Email \"new@example.com\" has already been used.",
        ),
        ["GET", path] if !path.ends_with("/settings") => {
            let mut user = user_at(path);
            let moment = time::OffsetDateTime::from_unix_timestamp(NOW + after).unwrap();
            let format = &time::format_description::well_known::Rfc3339;
            user["created_at"] = moment.format(format).unwrap().into();
            ok(user)
        }
        _ => success(request),
    }
}

#[test]
fn partial_failure_lists_stored_and_failed_calls() {
    let run = run("user/custcreate", NEW, failing("/users/{userId}/settings")).unwrap();
    assert_eq!(
        run.error(),
        "200 You can't. (user new1: create, profile, group stored, settings not stored; \
         the same request again does what is missing, once v2 no longer refuses it)"
    );
    assert!(run.finished.unfinished.is_some());
    let early = crate::driver::run("user/custcreate", NEW, failing("/users/{userId}")).unwrap();
    assert_eq!(
        early.error(),
        "200 You can't. (user new1: create, group stored, profile, settings not stored; \
         the same request again does what is missing, once v2 no longer refuses it)"
    );
    let group =
        crate::driver::run("user/custcreate", NEW, failing("/groups/{groupId}/members")).unwrap();
    assert_eq!(
        group.error(),
        "200 You can't. (user new1: create, profile stored, settings, group not stored; \
         the same request again does what is missing, once v2 no longer refuses it)"
    );
}

#[test]
fn failed_create_leaves_no_journal() {
    let run = run("user/custcreate", NEW, failing("/users")).unwrap();
    assert_eq!(run.error(), "200 You can't.");
    assert_eq!(run.requests().len(), 1);
    assert_eq!(run.finished.unfinished, None);
}

#[test]
fn repeated_create_completes_the_rest() {
    let first = run("user/custcreate", NEW, failing("/users/{userId}/settings")).unwrap();
    let second = again(first.finished.unfinished, owned_by("new1"));
    let requests = second.requests();
    assert_eq!(requests[0], "GET /users/new%40example.com");
    let writes = requests.iter().map(AsRef::as_ref);
    let writes: Vec<&str> = writes
        .filter(|request: &&str| !request.starts_with("GET"))
        .collect();
    assert_eq!(
        writes,
        [r#"PATCH /users/new1/settings {"in_meeting":{"chat":false}}"#]
    );
    assert_eq!(second.finished.unfinished, None);
    // Recently journaled reads are not repeated.
    assert_eq!(second.answer()["id"], "new1");
}

#[test]
fn journal_round_trips() {
    let first = run("user/custcreate", NEW, failing("/users/{userId}/settings")).unwrap();
    let journal = first.finished.unfinished.unwrap();
    let written = serde_json::to_string(&journal).unwrap();
    assert_eq!(serde_json::from_str::<Journal>(&written).unwrap(), journal);
    assert!(!format!("{journal:?}").contains("example"), "{journal:?}");
}

#[test]
fn repeated_create_does_not_change_another_user() {
    let first = run("user/custcreate", NEW, failing("/users/{userId}/settings")).unwrap();
    let unfinished = first.finished.unfinished;
    let other = again(unfinished.clone(), owned_by("another"));
    assert_eq!(
        other.error(),
        "1005 User already in the account: new@example.com"
    );
    assert_eq!(other.requests(), ["GET /users/new%40example.com"]);
    assert_eq!(other.finished.unfinished, None);

    let deleted = |request: &V2Request| match request.method.is_read() {
        true => error(404, 1001, "User does not exist."),
        false => success(request),
    };
    let gone = again(unfinished.clone(), deleted);
    assert!(gone.error().starts_with("1001 "), "{}", gone.error());
    assert_eq!(
        gone.finished.unfinished, None,
        "the next create begins anew"
    );

    let silent = |_: &V2Request| Outcome::NoAnswer { maybe_done: false };
    let unknown = again(unfinished.clone(), silent);
    assert_eq!(unknown.finished.unfinished, unfinished);
}

/// A v2 in which the address belongs to the user with this id.
fn owned_by(id: &'static str) -> impl Fn(&V2Request) -> Outcome {
    move |request| match (request.method.is_read(), &*request.template) {
        (true, "/users/{userId}") => {
            let mut user = user_at(&request.path);
            user["id"] = id.into();
            ok(user)
        }
        _ => success(request),
    }
}

#[test]
fn unknown_outcomes_are_reported_as_unknown() {
    let v2 = |lost: Outcome, template: &'static str| {
        move |request: &V2Request| match *request.template == *template && !request.method.is_read()
        {
            true => lost.clone(),
            false => success(request),
        }
    };
    let html = |status| Outcome::Unreadable { status };
    let lost = Outcome::NoAnswer { maybe_done: true };
    for outcome in [lost.clone(), html(200), html(204), html(302), html(502)] {
        let run = run(
            "user/custcreate",
            NEW,
            v2(outcome.clone(), "/users/{userId}"),
        )
        .unwrap();
        let error = run.error();
        assert!(
            error.contains("nothing is known about the outcome"),
            "{outcome:?}: {error}"
        );
        assert!(
            error.ends_with(
                "(user new1: create, group stored, profile unknown, settings not stored; \
                 the same request again does what is missing)"
            ),
            "{outcome:?}: {error}"
        );
    }
    // A proxy's own rejection did not reach v2.
    let refused = run("user/custcreate", NEW, v2(html(403), "/users/{userId}")).unwrap();
    let error = refused.error();
    assert!(error.contains("profile, settings not stored"), "{error}");
    for (operation, arguments) in [
        ("user/permanentdelete", &[("id", "x")][..]),
        ("user/custcreate", &NEW[..2]),
        ("user/updatepassword", &[("id", "x"), ("password", "abc")]),
    ] {
        let v2 = |request: &V2Request| match request.method.is_read() {
            true => success(request),
            false => html(200),
        };
        let error = run(operation, arguments, v2).unwrap().error();
        assert_eq!(
            error,
            "500 Zoom answered with something that is not its API; \
             nothing is known about the outcome.",
            "{operation}"
        );
    }
}

#[test]
fn success_without_a_user_fails_a_create() {
    for body in [
        json!({}),
        json!(null),
        json!([]),
        json!({ "id": "" }),
        json!({ "id": "u", "email": "" }),
    ] {
        let v2 = |request: &V2Request| match request.method.as_str() {
            "POST" => ok(body.clone()),
            _ => success(request),
        };
        let run = run("user/custcreate", &NEW[..2], v2).unwrap();
        assert_eq!(
            run.error(),
            "500 Zoom answered with something that is not its API; \
             nothing is known about the outcome.",
            "{body}"
        );
        assert!(run.finished.unfinished.is_some(), "v2 can show it later");
    }
    let disguised = |request: &V2Request| match request.method.as_str() {
        "POST" => ok(json!({ "code": 300, "message": "No." })),
        _ => success(request),
    };
    let run = run("user/custcreate", &NEW[..2], disguised).unwrap();
    assert_eq!(run.error(), "300 No.");
}

#[test]
fn repeated_create_without_a_journal_is_rejected() {
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
fn unreadable_user_after_a_write_is_answered_from_known_data() {
    let v2 = |request: &V2Request| match request.method.is_read() {
        true => Outcome::NoAnswer { maybe_done: false },
        false => success(request),
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
fn write_key_identifies_the_request() {
    let catalog = catalog();
    let site = site(catalog);
    let key = |operation: &str, arguments: &[(&str, &str)]| {
        let operation = catalog.find(operation).unwrap();
        let arguments = arguments.iter().copied().collect();
        let begun = mappings::Translation::begin(catalog, operation, arguments, &site, NOW);
        begun.unwrap().write_key()
    };
    let mut turned = NEW.to_vec();
    turned.reverse();
    let mut other = NEW.to_vec();
    other[2] = ("dept", "R");
    assert!(key("user/custcreate", NEW).is_some());
    assert_eq!(key("user/custcreate", NEW), key("user/custcreate", &turned));
    assert_ne!(key("user/custcreate", NEW), key("user/custcreate", &other));
    assert_ne!(key("user/custcreate", NEW), key("user/create", NEW));
    assert_eq!(key("user/get", &[("id", "x")]), None);
}

#[test]
fn a_pending_user_joins_a_group_through_its_profile() {
    let v2 = |status: &'static str| {
        move |request: &V2Request| match (request.method.is_read(), &*request.template) {
            (true, "/users/{userId}") => ok(json!({
                "id": if status == "active" { json!("p-id") } else { json!(null) },
                "email": "p@example.com", "status": status,
            })),
            _ => success(request),
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
fn existing_assistant_is_no_error() {
    let set = &[("id", "x"), ("assistant_email", "a@b")];
    for wording in [
        "User a@b already has the scheduling privilege for you.",
        "User a@b has already granted scheduling privilege.",
    ] {
        let v2 = |request: &V2Request| match request.method.is_read() {
            true => success(request),
            false => error(400, 200, wording),
        };
        assert_eq!(
            run("user/assistant/set", set, v2).unwrap().answer()["id"],
            "x",
            "{wording}"
        );
    }
    let other = |request: &V2Request| match request.method.is_read() {
        true => success(request),
        false => error(400, 200, "Can't find user a@b."),
    };
    assert_eq!(
        run("user/assistant/set", set, other).unwrap().error(),
        "200 Can't find user a@b."
    );
}

#[test]
fn half_of_a_flag_pair_depends_on_the_stored_value() {
    let stored = |recording: &'static str, chime: &'static str| {
        move |request: &V2Request| match request.method.is_read() {
            true => ok(json!({
                "recording": { "auto_recording": recording },
                "in_meeting": { "entry_exit_chime": chime },
            })),
            false => success(request),
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
fn undecided_half_of_a_pair_is_a_warning() {
    let v2 = |stored: serde_json::Value| {
        move |request: &V2Request| match request.method.is_read() {
            true => ok(stored.clone()),
            false => success(request),
        }
    };
    let update = &[
        ("id", "x"),
        ("enable_cloud_auto_recording", "0"),
        ("disable_chat", "1"),
    ];
    let other = v2(json!({ "in_meeting": {}, "recording": {} }));
    let undecided = run("user/update", update, other).unwrap();
    assert_eq!(undecided.warned(), ["enable_cloud_auto_recording"]);
    assert_eq!(
        undecided.requests()[1..],
        ["PATCH /users/x/settings {\"in_meeting\":{\"chat\":false}}"]
    );
    for nothing in [json!(null), json!([]), json!(""), json!({})] {
        let run = run("user/update", update, v2(nothing)).unwrap();
        assert_eq!(
            run.error(),
            "500 Zoom answered with something that is not its API."
        );
        assert_eq!(run.requests().len(), 1, "nothing is written");
    }
}

#[test]
fn ambiguous_type_is_not_written_back() {
    let stored = |stored: i64| {
        move |request: &V2Request| match request.method.is_read() {
            true => ok(json!({ "id": "x", "email": "a@b", "type": stored })),
            false => success(request),
        }
    };
    let writes = |kind: &'static str, is: i64| {
        let given = [("id", "x"), ("type", kind), ("dept", "R")];
        let run = run("user/update", &given, stored(is)).unwrap();
        let writes = run.requests().into_iter();
        let writes: Vec<_> = writes
            .filter_map(|line| line.strip_prefix("PATCH /users/x "))
            .map(str::to_owned)
            .collect();
        (writes.concat(), run.warned().contains(&"type"))
    };
    let left = r#"{"dept":"R"}"#.to_owned();
    for (kind, is) in [("1", 4), ("1", 99), ("3", 3)] {
        assert_eq!(writes(kind, is), (left.clone(), true), "{kind} over {is}");
    }
    for (kind, is, sent) in [("1", 1, 1), ("1", 2, 1), ("2", 4, 2), ("2", 1, 2)] {
        let sent = format!(r#"{{"type":{sent},"dept":"R"}}"#);
        assert_eq!(writes(kind, is), (sent, false), "{kind} over {is}");
    }
}

#[test]
fn unchanged_personal_meeting_id_is_not_sent() {
    let sent = |pmi: &str| {
        let given = [("id", "x"), ("pmi", pmi), ("dept", "R")];
        let run = run("user/update", &given, success).unwrap();
        assert!(run.warned().is_empty());
        run.requests().last().copied().unwrap().to_owned()
    };
    assert_eq!(sent("2035134243"), "PATCH /users/x {\"dept\":\"R\"}");
    let other = sent("4085551234");
    assert!(other.contains("\"pmi\":4085551234"), "{other}");
}

#[test]
fn failed_group_membership_is_reported() {
    let added = |ids: &'static str| {
        move |request: &V2Request| match &*request.template {
            "/im/groups/{groupId}/members" => {
                created(json!({ "ids": ids, "added_at": "2026-02-03T04:05:06Z" }))
            }
            _ => success(request),
        }
    };
    let invited = [
        ("email", "new@example.com"),
        ("type", "1"),
        ("imgroup_id", "i1"),
    ];
    let changed = [("id", "x"), ("imgroup_id", "i1")];
    for (operation, given) in [
        ("user/create", invited.as_slice()),
        ("user/custcreate", &invited),
        ("user/update", &changed),
    ] {
        let run = run(operation, given, added("")).unwrap();
        let warned = run.finished.answer.warnings.iter();
        let warned: Vec<_> = warned
            .filter(|warning| warning.field == "imgroup_id")
            .map(|warning| warning.reason.as_str())
            .collect();
        assert!(
            warned.contains(&"may or may not have been changed in v2"),
            "{operation}: {warned:?}"
        );
        run.answer();
        let run = crate::driver::run(operation, given, added("new1")).unwrap();
        let warned = run.warned().into_iter();
        assert_eq!(
            warned.filter(|field| *field == "imgroup_id").count(),
            1,
            "{operation}"
        );
    }
}
