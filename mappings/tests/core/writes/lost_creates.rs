//! Creates whose response was lost.

use super::*;

#[test]
fn recognises_a_lost_create_by_its_time() {
    let lost = |_: &V2Request| Outcome::NoAnswer { maybe_done: true };
    let first = run("user/custcreate", NEW, lost).unwrap();
    let unfinished = first.finished.unfinished;
    assert!(unfinished.is_some());
    for after in [0, 10] {
        let second = again(unfinished.clone(), creating(after));
        assert_eq!(second.finished.unfinished, None);
        let requests = second.requests();
        assert_eq!(requests[1], "GET /users/new%40example.com");
        assert!(
            requests
                .iter()
                .any(|request| request.starts_with("PATCH /users/kdc1 ")),
            "{requests:?}"
        );
        assert_eq!(second.answer()["id"], "kdc1");
    }
    for after in [-1, 11, 100_000] {
        let second = again(unfinished.clone(), creating(after));
        let told = second.error();
        assert_eq!(told, "1005 User already in the account: new@example.com");
        assert_eq!(second.finished.unfinished, None);
    }
    // While v2 does not show it, the next request verifies again.
    let silent = |request: &V2Request| match request.method.is_read() {
        true => Outcome::NoAnswer { maybe_done: false },
        false => creating(0)(request),
    };
    let second = again(unfinished, silent);
    assert!(second.error().contains("could not be reached"));
    let third = again(second.finished.unfinished, creating(0));
    assert_eq!(third.answer()["id"], "kdc1");
}

/// Repeats a create whose answer was lost, at a v2 that says that it exists and shows these lists.
fn recognised(
    operation: &str,
    arguments: &[(&str, &str)],
    refusal: (u16, i64),
    pages: &[serde_json::Value],
) -> Run {
    let lost = |_: &V2Request| Outcome::NoAnswer { maybe_done: true };
    let first = run(operation, arguments, lost).unwrap();
    let memory = Memory {
        unfinished: first.finished.unfinished,
        call_time: 10,
        ..Memory::default()
    };
    let v2 = |request: &V2Request| match request.method.is_read() {
        false if request.method.as_str() == "POST" => error(refusal.0, refusal.1, "It exists."),
        false => no_content(),
        true if request.path == "/accounts/a1" => ok(json!({
            "id": "a1", "owner_id": "o1", "owner_email": "ada@example.com",
            "created_at": "2020-09-13T12:26:41Z",
        })),
        true => {
            let page = of(request, "next_page_token").parse().unwrap_or(0);
            ok(pages[page].clone())
        }
    };
    let site = site(catalog());
    run_with(catalog(), &site, memory, operation, arguments, v2).unwrap()
}

#[test]
fn recognises_a_lost_sub_account_by_owner_and_time() {
    let owner = [
        ("email", "ada@example.com"),
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("password", "Secret-123"),
        ("meeting_capacity", "100"),
    ];
    let listed = |email: &str, second: u32| json!({ "id": "a1", "owner_email": email, "created_at": format!("2020-09-13T12:26:{second}Z") });
    let ask =
        |pages: &[serde_json::Value]| recognised("ma/account/create", &owner, (409, 1005), pages);
    let other = listed("other@example.com", 41);
    let found = ask(&[json!({ "accounts": [other.clone(), listed("Ada@example.com", 41)] })]);
    assert_eq!(
        found.requests()[1..],
        [
            "GET /accounts?email=ada@example.com&page_size=300",
            "GET /accounts/a1",
            r#"PATCH /accounts/a1/settings {"feature":{"meeting_capacity":100}}"#,
        ]
    );
    assert_eq!(found.finished.unfinished, None);
    assert_eq!(found.answer()["owner_id"], "o1");
    for accounts in [
        json!([]),
        json!([other]),
        json!([listed("ada@example.com", 39)]),
        json!([listed("ada@example.com", 51)]),
        json!([{ "id": "a1", "owner_email": "ada@example.com" }]),
        json!([{ "owner_email": "ada@example.com", "created_at": "2020-09-13T12:26:41Z" }]),
    ] {
        let refused = ask(&[json!({ "accounts": accounts })]);
        assert_eq!(
            refused.error(),
            "1005 User already in the account: ada@example.com",
            "{accounts}"
        );
        assert_eq!(refused.finished.unfinished, None);
    }
}

#[test]
fn recognises_lost_creates_without_a_time_by_their_values() {
    let group =
        |name: &str, members: i64| json!({ "id": "g1", "name": name, "total_members": members });
    let device = |name: &str, ip: &str| json!({ "id": "d1", "name": name, "ip": ip, "protocol": "H.323", "encryption": "auto" });
    let (groups, devices) = (
        [group("Engines", 0), group("engines", 1), group("Looms", 0)],
        [
            device("Hall", "10.0.0.1"),
            device("Hall", "10.0.0.2"),
            device("Loft", "10.0.0.1"),
        ],
    );
    let named = [("name", "Engines"), ("type", "0")];
    let hall = [("name", "Hall"), ("ip", "10.0.0.1")];
    for (operation, arguments, refusal, list, entries, id) in [
        (
            "group/create",
            &named[..1],
            (409, 4132),
            "groups",
            groups.clone(),
            "group_id",
        ),
        (
            "im/group/create",
            &named[..1],
            (409, 4132),
            "groups",
            groups,
            "group_id",
        ),
        (
            "h323/device/create",
            &hall[..],
            (409, 2020),
            "devices",
            devices,
            "id",
        ),
    ] {
        let [ours, others @ ..] = entries;
        // It is on the last page.
        let pages = [
            json!({ list: others.clone(), "next_page_token": "1" }),
            json!({ list: [ours], "next_page_token": "" }),
        ];
        let found = recognised(operation, arguments, refusal, &pages);
        assert_eq!(found.requests().len(), 3, "{:?}", found.requests());
        assert_eq!(found.finished.unfinished, None);
        let warnings = &found.finished.answer.warnings;
        assert_eq!(warnings.len(), 1, "{operation}: {warnings:?}");
        assert_eq!(warnings[0].kind, WarningKind::Guessed);
        let answer = found.answer();
        assert!(
            answer[id] == "g1" || answer[id] == "d1",
            "{operation}: {answer}"
        );
        let refused = recognised(operation, arguments, refusal, &[json!({ list: others })]);
        assert!(
            refused.error().starts_with(&refusal.1.to_string()),
            "{}",
            refused.error()
        );
        // As many pages as any list has at most.
        let endless = [json!({ list: [], "next_page_token": "0" })];
        let refused = recognised(operation, arguments, refusal, &endless);
        assert_eq!(refused.requests().len(), 1 + 20, "{operation}");
        assert!(
            refused.error().starts_with(&refusal.1.to_string()),
            "{}",
            refused.error()
        );
    }
}

#[test]
fn does_not_recognise_an_unsent_create() {
    let refused = |_: &V2Request| Outcome::NoAnswer { maybe_done: false };
    let first = run("user/custcreate", NEW, refused).unwrap();
    assert_eq!(first.finished.unfinished, None);
    let first = run("user/custcreate", NEW, creating(0)).unwrap();
    assert_eq!(
        first.error(),
        "1005 User already in the account: new@example.com"
    );
    assert_eq!(first.requests().len(), 1);
}

#[test]
fn journal_stays_while_v2_is_unreachable() {
    let first = run("user/custcreate", NEW, failing("/users/{userId}/settings")).unwrap();
    let second = again(first.finished.unfinished.clone(), |_| Outcome::NoAnswer {
        maybe_done: true,
    });
    assert_eq!(second.finished.unfinished, first.finished.unfinished);
}
