//! Options of a site: all with their defaults, and those not tested with their area.

use mappings::{Outcome, V2Request, catalog::operation::OptionValue};
use serde_json::{Value, json};

use crate::driver::{catalog, of, ok, run_at, site_with_option};

#[test]
fn options_and_their_defaults() {
    let rules = catalog().option_rules().iter();
    let shown = rules.map(|(name, rule)| {
        let default = match &rule.default {
            OptionValue::Switch(yes) => yes.to_string(),
            OptionValue::Number(number) => number.to_string(),
            OptionValue::Choice(choice) => choice.clone(),
        };
        let values = rule.values.join(" | ");
        format!("{name} = {default}  {values}")
            .trim_end()
            .to_owned()
    });
    let shown: Vec<_> = shown.collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn option_sets_download_token_lifetime() {
    let v2 = |_: &V2Request| {
        ok(json!({
            "uuid": "abc==", "id": 94_908_911_701_i64, "recording_files": [],
            "download_access_token": "t",
        }))
    };
    for (choice, ttl) in [(60, "60"), (604_800, "604800")] {
        let site = site_with_option("recording_ttl", choice);
        let given = [("meeting_id", "abc==")];
        let run = run_at(&site, "recording/get", &given, v2).unwrap();
        let sent = run.requests()[0].to_owned();
        assert!(sent.contains(&format!("ttl={ttl}")), "{sent}");
    }
}

/// Two active users and a deactivated one.
fn users(request: &V2Request) -> Outcome {
    let list = |users: Value| {
        ok(json!({
            "page_size": 300, "page_number": 1, "page_count": 1, "next_page_token": "",
            "total_records": users.as_array().map(Vec::len), "users": users,
        }))
    };
    let user = |id: &str, status: &str| json!({ "id": id, "email": format!("{id}@example.com"), "type": 1, "status": status });
    match (&*request.template, of(request, "status")) {
        ("/users", "active") => list(json!([user("u1", "active"), user("u2", "active")])),
        ("/users", "inactive") => list(json!([user("u3", "inactive")])),
        _ => ok(json!({
            "in_meeting": {}, "schedule_meeting": {}, "recording": {}, "email_notification": {},
            "feature": {},
        })),
    }
}

#[test]
fn option_lists_inactive_users_after_active_ones() {
    let site = site_with_option("list_inactive", true);
    let page = |given: &[(&str, &str)]| {
        let run = run_at(&site, "user/list", given, users);
        run.unwrap().answer()
    };
    let all = page(&[]);
    assert_eq!(all["total_records"], 3);
    let listed = all["users"].as_array().unwrap().iter();
    let listed: Vec<_> = listed
        .map(|user| {
            (
                user["id"].as_str().unwrap(),
                user["status"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(listed, [("u1", 0), ("u2", 0), ("u3", 1)]);
    let second = page(&[("page_size", "2"), ("page_number", "2")]);
    assert_eq!(
        (&second["page_count"], &second["users"][0]["id"]),
        (&json!(2), &json!("u3"))
    );
}
