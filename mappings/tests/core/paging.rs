//! v1's page numbers over a v2 with page numbers, and over one with tokens only.

use std::cell::RefCell;

use mappings::{Memory, Outcome, V2Request};
use serde_json::{Value, json};

use crate::driver::{
    Run, catalog, error, ok, run, run_at, run_with, settings, site, site_with_option,
};

fn users(from: usize, to: usize) -> Vec<Value> {
    (from..to)
        .map(|n| json!({ "id": format!("u{n}"), "email": format!("u{n}@example.com"), "type": 1 }))
        .collect()
}

fn of(request: &V2Request, name: &str) -> Option<String> {
    request
        .query
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
}

/// 70 users, paged by number or by token only.
fn v2(by_number: bool, bad_token: Option<&str>) -> impl Fn(&V2Request) -> Outcome {
    let bad_token = bad_token.map(str::to_owned);
    move |request| {
        if *request.template != *"/users" {
            return ok(settings());
        }
        let size: usize = of(request, "page_size").unwrap().parse().unwrap();
        let token = of(request, "next_page_token");
        if token.is_some() && token == bad_token {
            return error(400, 300, "The next page token is invalid or expired.");
        }
        let number = of(request, "page_number")
            .unwrap_or_default()
            .parse()
            .unwrap_or(1);
        let page: usize = match &token {
            Some(token) => token.trim_start_matches("page-").parse().unwrap(),
            None if by_number => number,
            None => 1,
        };
        let (from, to) = (((page - 1) * size).min(70), (page * size).min(70));
        let mut body = json!({ "page_size": size, "total_records": 70, "users": users(from, to) });
        body["next_page_token"] = if to < 70 {
            json!(format!("page-{}", page + 1))
        } else {
            json!("")
        };
        if by_number {
            body["page_number"] = page.into();
            body["page_count"] = 70_usize.div_ceil(size).into();
        }
        ok(body)
    }
}

fn summary(run: Run) -> String {
    let lists = run
        .requests()
        .iter()
        .filter(|request| request.contains("status="))
        .count();
    let answer = run.answer();
    let users = answer["users"].as_array().unwrap();
    let first = users
        .first()
        .map_or("-", |user| user["id"].as_str().unwrap());
    format!(
        "page {} of {}, size {}, total {}: {} users from {first} in {lists} calls",
        answer["page_number"],
        answer["page_count"],
        answer["page_size"],
        answer["total_records"],
        users.len()
    )
}

fn list(arguments: &[(&str, &str)], v2: impl Fn(&V2Request) -> Outcome) -> String {
    summary(run("user/pending", arguments, v2).unwrap())
}

#[test]
fn page_numbers_pass_through() {
    let page = |number| list(&[("page_number", number)], v2(true, None));
    assert_eq!(
        page("1"),
        "page 1 of 3, size 30, total 70: 30 users from u0 in 1 calls"
    );
    assert_eq!(
        page("3"),
        "page 3 of 3, size 30, total 70: 10 users from u60 in 1 calls"
    );
    assert_eq!(
        page("4"),
        "page 4 of 3, size 30, total 70: 0 users from - in 1 calls"
    );
    assert_eq!(
        list(&[("page_size", "9999")], v2(true, None)),
        "page 1 of 1, size 300, total 70: 70 users from u0 in 1 calls"
    );
}

#[test]
fn follows_tokens_to_the_page() {
    let page = |number| {
        list(
            &[("page_number", number), ("page_size", "10")],
            v2(false, None),
        )
    };
    assert_eq!(
        page("1"),
        "page 1 of 7, size 10, total 70: 10 users from u0 in 1 calls"
    );
    assert_eq!(
        page("2"),
        "page 2 of 7, size 10, total 70: 10 users from u10 in 2 calls"
    );
    assert_eq!(
        page("7"),
        "page 7 of 7, size 10, total 70: 10 users from u60 in 7 calls"
    );
    assert_eq!(
        page("8"),
        "page 8 of 7, size 10, total 70: 0 users from - in 1 calls"
    );
    assert_eq!(
        page("9999"),
        "page 9999 of 7, size 10, total 70: 0 users from - in 1 calls"
    );
}

#[test]
fn stored_tokens_shorten_paging() {
    let catalog = catalog();
    let site = site(catalog);
    let arguments = [("page_number", "5"), ("page_size", "10")];
    let first = run_at(&site, "user/pending", &arguments, v2(false, None));
    let cursors = first.unwrap().finished.cursors;
    assert_eq!(cursors.len(), 5, "pages 2 to 6: {cursors:?}");
    let with = |number: &str, bad| {
        let memory = Memory {
            cursors: cursors.clone(),
            ..Memory::default()
        };
        let arguments = [("page_number", number), ("page_size", "10")];
        summary(
            run_with(
                catalog,
                &site,
                memory,
                "user/pending",
                &arguments,
                v2(false, bad),
            )
            .unwrap(),
        )
    };
    assert_eq!(
        with("5", None),
        "page 5 of 7, size 10, total 70: 10 users from u40 in 1 calls"
    );
    assert_eq!(
        with("6", None),
        "page 6 of 7, size 10, total 70: 10 users from u50 in 1 calls"
    );
    assert_eq!(
        with("7", None),
        "page 7 of 7, size 10, total 70: 10 users from u60 in 2 calls"
    );
    assert_eq!(
        with("1", None),
        "page 1 of 7, size 10, total 70: 10 users from u0 in 1 calls"
    );
}

#[test]
fn expired_token_restarts_paging_once() {
    let catalog = catalog();
    let site = site(catalog);
    let memory = || Memory {
        cursors: vec![(3, "stale".to_owned())],
        ..Memory::default()
    };
    let arguments = [("page_number", "3"), ("page_size", "10")];
    let run = |v2: &dyn Fn(&V2Request) -> Outcome| {
        run_with(catalog, &site, memory(), "user/pending", &arguments, v2).unwrap()
    };
    let anew = run(&v2(false, Some("stale")));
    assert_eq!(
        summary(anew),
        "page 3 of 7, size 10, total 70: 10 users from u20 in 4 calls"
    );
    let refused = RefCell::new(0);
    let stubborn = run(&|request: &V2Request| {
        if of(request, "next_page_token").is_some() {
            *refused.borrow_mut() += 1;
            return error(400, 300, "The next page token is invalid or expired.");
        }
        v2(false, None)(request)
    });
    assert!(stubborn.error().starts_with("300 "), "{}", stubborn.error());
    assert_eq!(*refused.borrow(), 2);
}

#[test]
fn option_controls_settings_of_entries() {
    let detailed = |detail: &str, size: &str| {
        let site = site_with_option("list_detail", detail);
        let arguments = [("page_size", size)];
        let run = run_at(&site, "user/list", &arguments, v2(true, None));
        let run = run.unwrap();
        let settings = run
            .requests()
            .iter()
            .filter(|request| request.ends_with("/settings"))
            .count();
        let warned = run
            .warned()
            .iter()
            .any(|field| field.starts_with("disable_chat, "));
        let shown = run.answer()["users"][0].get("disable_chat").is_some();
        assert_eq!(shown, settings > 0);
        (settings, warned)
    };
    assert_eq!(detailed("auto", "30"), (30, false));
    assert_eq!(detailed("auto", "31"), (0, true));
    assert_eq!(detailed("full", "70"), (70, false));
    assert_eq!(detailed("profile", "1"), (0, true));
}

#[test]
fn unreadable_settings_are_omitted_from_entries() {
    let v2 = |request: &V2Request| match request.path.as_str() {
        "/users/u1/settings" => error(500, 1, "oops"),
        "/users/u2/settings" => error(400, 1000, "Can not access pending user settings."),
        _ => v2(true, None)(request),
    };
    let run = run("user/list", &[("page_size", "3")], v2).unwrap();
    let reason = &run.finished.answer.warnings.last().unwrap().reason;
    assert_eq!(reason, "could not be read from v2 for 1 of 3 entries");
    let answer = run.answer();
    let has = |n: usize| answer["users"][n].get("disable_chat").is_some();
    assert_eq!([has(0), has(1), has(2)], [true, false, false]);
}

/// Two pages of calls; v2 accepts page numbers but does not return them.
#[test]
fn lists_without_page_numbers_use_tokens() {
    let v2 = |request: &V2Request| {
        let calls = match of(request, "next_page_token") {
            None => json!({ "telephony_usage": [{ "meeting_id": 1 }], "next_page_token": "t" }),
            Some(_) => json!({ "telephony_usage": [{ "meeting_id": 2 }], "next_page_token": "" }),
        };
        ok(calls)
    };
    let page = [
        ("from", "2026-01-01"),
        ("to", "2026-01-02"),
        ("page_size", "1"),
        ("page_number", "2"),
    ];
    let run = run("report/getaudioreport", &page, v2).unwrap();
    assert_eq!(run.answer()["telephony_usage"][0]["meeting_id"], 2);
}

#[test]
fn warns_of_failed_parts() {
    let v2 = |request: &V2Request| match &*request.template {
        "/accounts/{accountId}/plans" => ok(json!({})),
        "/accounts" => ok(json!({ "id": "a" })),
        _ => error(400, 200, "Only available for paid accounts."),
    };
    let warned = |operation: &str, given: &[(&str, &str)]| {
        let run = run(operation, given, v2).unwrap();
        let last = run.finished.answer.warnings.last().unwrap();
        (last.field.clone(), last.reason.clone())
    };
    let (fields, reason) = warned("ma/account/plan/get", &[("account_id", "a")]);
    assert_eq!(reason, "could not be read from v2");
    assert!(
        fields.contains("first_name, last_name, phone_number"),
        "{fields}"
    );
    let owner = [
        ("email", "x@example.com"),
        ("first_name", "N"),
        ("last_name", "W"),
    ];
    let more = [
        ("password", "Analytical4Engine"),
        ("meeting_capacity", "100"),
    ];
    let (fields, reason) = warned("ma/account/create", &[&owner[..], &more].concat());
    assert_eq!(reason, "could not be changed in v2");
    assert_eq!(fields, "meeting_capacity");
}

/// 250 users, 100 per page, with various totals.
fn with_totals(total: &Value) -> impl Fn(&V2Request) -> Outcome {
    let total = total.clone();
    move |request| {
        if *request.template != *"/users" {
            return ok(settings());
        }
        let token = of(request, "next_page_token").unwrap_or_default();
        let from: usize = token.parse().unwrap_or_default();
        let next = if from < 200 {
            (from + 100).to_string()
        } else {
            String::new()
        };
        let users = users(from, (from + 100).min(250));
        let mut body = json!({ "page_size": 100, "next_page_token": next, "users": users });
        body["total_records"] = total.clone();
        ok(body)
    }
}

#[test]
fn wrong_totals_do_not_end_paging_early() {
    for total in [
        json!(null),
        json!("250"),
        json!(250),
        json!(0),
        json!(100),
        json!("many"),
    ] {
        let is_right = [json!(250), json!("250")].contains(&total);
        let mut seen = 0;
        let mut page = 1;
        loop {
            let number = page.to_string();
            let given = [("page_size", "100"), ("page_number", number.as_str())];
            let run = run("user/pending", &given, with_totals(&total)).unwrap();
            let warns = run.warned().contains(&"page_count, total_records");
            let answer = run.answer();
            seen += answer["users"].as_array().unwrap().len();
            let pages = answer["page_count"].as_i64().unwrap();
            assert_eq!(warns, !is_right && page < 3, "{total}, page {page}");
            assert!(answer["total_records"].as_i64() >= Some(0));
            if page >= pages {
                break;
            }
            page += 1;
        }
        assert_eq!(seen, 250, "{total}");
    }
}

#[test]
fn timeout_while_paging_names_the_page() {
    let calls = RefCell::new(0);
    let v2 = |request: &V2Request| {
        *calls.borrow_mut() += 1;
        match *calls.borrow() {
            4 => Outcome::NoAnswer { maybe_done: false },
            _ => v2(false, None)(request),
        }
    };
    let given = [("page_number", "7"), ("page_size", "10")];
    let run = run("user/pending", &given, v2).unwrap();
    assert_eq!(
        run.error(),
        "500 Page 7 was not reached in time; the same request again goes on from page 4."
    );
    assert_eq!(run.finished.cursors.len(), 3, "they are remembered");
}
