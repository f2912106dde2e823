//! Group members: several ids per request, in batches and one by one.

use std::sync::Mutex;

use mappings::{
    Argument, Arguments, Memory, Outcome, Translation, V2Request, translation::Journal,
};
use serde_json::json;

use crate::{
    driver::{NOW, Run, catalog, created, error, no_content, ok, run, run_with, shown, site},
    plans::transcript,
};

const GROUP: (&str, &str) = ("id", "g 1");

const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    (
        "group/member/add",
        &[GROUP, ("member_ids", "u1, ada@example.com,,u1,u2,")],
    ),
    (
        "group/member/delete",
        &[GROUP, ("member_ids", "u1,ada@example.com")],
    ),
    (
        "group/member/list",
        &[GROUP, ("page_size", "500"), ("page_number", "0")],
    ),
];

fn success(request: &V2Request) -> Outcome {
    match (request.method.as_str(), &*request.template) {
        ("POST", _) => created(json!({ "ids": "u1,u2", "added_at": "2020-09-13T12:00:00Z" })),
        ("GET", _) => ok(json!({
            "page_count": 1, "page_number": 1, "page_size": 300, "total_records": 2,
            "members": [
                { "id": "u1", "email": "ada@example.com", "first_name": "Ada", "type": 2 },
                { "email": "new@example.com" },
            ],
        })),
        _ => no_content(),
    }
}

fn many(count: usize) -> String {
    let ids: Vec<_> = (1..=count).map(|at| format!("u{at}")).collect();
    ids.join(",")
}

fn again(
    unfinished: Option<Journal>,
    operation: &str,
    ids: &str,
    v2: impl Fn(&V2Request) -> Outcome,
) -> Run {
    let memory = Memory {
        unfinished,
        ..Memory::default()
    };
    let given = [GROUP, ("member_ids", ids)];
    run_with(catalog(), &site(catalog()), memory, operation, &given, v2).unwrap()
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn accepts_ids_in_several_spellings() {
    let sent = |pairs: &[(&str, &str)]| {
        let mut arguments = Arguments::default();
        arguments.add("id", Argument::Text("g1".to_owned()));
        for (name, value) in pairs {
            arguments.add(*name, Argument::Text((*value).to_owned()));
        }
        let (catalog, site) = (catalog(), site(catalog()));
        let operation = catalog.find("group/member/add").unwrap();
        let begun = Translation::begin(catalog, operation, arguments, &site, NOW);
        let mut translation = begun.map_err(|error| error.message)?;
        let calls = translation.ready();
        Ok::<_, String>(
            calls
                .iter()
                .map(|call| shown(&call.request))
                .collect::<Vec<_>>(),
        )
    };
    let wanted = [r#"POST /groups/g1/members {"members":[{"id":"u1"},{"id":"u2"}]}"#];
    for pairs in [
        &[("member_ids", "u1,u2")][..],
        &[("member_ids", " u1 , u2,")],
        &[("member_ids[]", "u1"), ("member_ids[]", "u2")],
        &[
            ("member_ids[0]", "u1"),
            ("member_ids[1]", "u2"),
            ("member_ids[2]", "u1"),
        ],
        &[("member_ids", "u1"), ("member_ids[]", "u2")],
        &[("member_ids", "u1,u2"), ("member_ids", "u3")],
    ] {
        assert_eq!(sent(pairs).unwrap(), wanted, "{pairs:?}");
    }
    for nothing in ["", ",", " , "] {
        assert_eq!(
            sent(&[("member_ids", nothing)]),
            Err("Member_ids is required.".to_owned())
        );
    }
    for reserved in ["me", "u1,..", "ME", "u1,."] {
        assert_eq!(
            sent(&[("member_ids", reserved)]),
            Err("Invalid parameter: member_ids".to_owned()),
            "{reserved}"
        );
    }
    let too_many = many(301);
    assert!(sent(&[("member_ids", &too_many)]).is_err());
}

#[test]
fn runs_batches_sequentially_and_sums_their_counts() {
    let ids = many(65);
    let run = run("group/member/add", &[GROUP, ("member_ids", &ids)], success).unwrap();
    let sizes: Vec<Vec<usize>> = run
        .sent
        .iter()
        .map(|step| {
            step.iter()
                .map(|sent| sent.matches("\"id\"").count())
                .collect()
        })
        .collect();
    assert_eq!(sizes, [[30], [30], [5]]);
    assert_eq!(run.answer()["add_count"], 6);
}

#[test]
fn removing_a_nonmember_succeeds() {
    let v2 = |request: &V2Request| match request.path.ends_with("/u1") {
        true => error(404, 4131, "not a member"),
        false => success(request),
    };
    let run = run(
        "group/member/delete",
        &[GROUP, ("member_ids", "u1,u2,u3")],
        v2,
    )
    .unwrap();
    assert_eq!(run.answer()["deleted_count"], 2);
}

#[test]
fn failure_reports_progress_and_retry_completes() {
    let ids = many(65);
    let failing = |request: &V2Request| match shown(request).contains("\"u31\"") {
        true => error(404, 1001, "User does not exist: u31."),
        false => success(request),
    };
    let first = run("group/member/add", &[GROUP, ("member_ids", &ids)], failing).unwrap();
    assert_eq!(first.requests().len(), 2, "the third batch is not sent");
    assert_eq!(
        first.error(),
        "1001 User does not exist: u31. (group g 1: add (30 of 65) stored, add (35 of 65) not \
         stored; the same request again does what is missing, once v2 no longer refuses it)"
    );
    let unfinished = first.finished.unfinished;
    let rest = again(unfinished, "group/member/add", &ids, success);
    assert_eq!(rest.requests().len(), 2);
    assert!(rest.requests()[0].contains("\"u31\""));
    assert_eq!(rest.finished.unfinished, None);
    assert!(rest.finished.answer.result.is_ok());
}

#[test]
fn first_failure_stops_unsent_calls() {
    let seen = Mutex::new(0);
    let failing = |_: &V2Request| {
        let mut seen = seen.lock().unwrap();
        *seen += 1;
        match *seen {
            2 => error(400, 200, "Only available for Paid account."),
            _ => no_content(),
        }
    };
    let run = run(
        "group/member/delete",
        &[GROUP, ("member_ids", &many(20))],
        failing,
    )
    .unwrap();
    let sent = run.requests().len();
    assert!(sent < 10, "{sent} of 20 were sent");
    let told = run.error();
    assert!(
        told.contains("of 20) stored") && told.contains("of 20) not stored"),
        "{told}"
    );
    let ids = many(20);
    let rest = again(
        run.finished.unfinished,
        "group/member/delete",
        &ids,
        success,
    );
    assert_eq!(rest.requests().len(), 20 - (sent - 1));
}

#[test]
fn cursors_are_separate_per_group() {
    let key = |group: &str| {
        let (catalog, site) = (catalog(), site(catalog()));
        let operation = catalog.find("group/member/list").unwrap();
        let given: Arguments = [("id", group)].into_iter().collect();
        let begun = Translation::begin(catalog, operation, given, &site, NOW).unwrap();
        begun.paging_key().unwrap()
    };
    assert_ne!(key("g1"), key("g2"));
    assert_eq!(key("g1"), key("g1"));
}

#[test]
fn maps_v2_errors_to_v1() {
    let told_of = |operation: &str, code: i64, members: &str| {
        let v2 = move |_: &V2Request| error(404, code, "v2's words");
        run(operation, &[GROUP, ("member_ids", members)], v2)
            .unwrap()
            .error()
    };
    let told = |operation: &str, code: i64| told_of(operation, code, "u7");
    for operation in [
        "group/member/add",
        "group/member/delete",
        "group/member/list",
    ] {
        assert_eq!(told(operation, 4130), "4130 Group not exist: g 1");
        assert_eq!(
            told(operation, 1010),
            "1010 Group not belong to the account"
        );
    }
    assert_eq!(told("group/member/delete", 1001), "1001 User not exist: u7");
    for operation in ["group/member/add", "im/group/member/add"] {
        assert_eq!(told(operation, 1001), "1001 User not exist: u7");
        // Only v2 can identify the rejected one.
        assert_eq!(told_of(operation, 1001, "u7,u8"), "1001 v2's words");
    }
}
