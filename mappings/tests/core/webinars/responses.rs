//! Members of responses, and lists.

use super::*;

/// Pointer in v2's webinar, value, member of the response, expected value.
const MEMBERS: &[[&str; 4]] = &[
    ["/uuid", r#""u==""#, "uuid", r#""u==""#],
    ["/id", "9876543210", "id", "9876543210"],
    ["/topic", r#""Winter""#, "topic", r#""Winter""#],
    ["/agenda", r#""News""#, "agenda", r#""News""#],
    ["/type", "6", "type", "6"],
    [
        "/start_time",
        r#""2020-09-15T11:05:00+02:00""#,
        "start_time",
        r#""2020-09-15T09:05:00Z""#,
    ],
    ["/duration", "7", "duration", "7"],
    ["/timezone", r#""UTC""#, "timezone", r#""UTC""#],
    ["/start_url", r#""s""#, "start_url", r#""s""#],
    ["/join_url", r#""j""#, "join_url", r#""j""#],
    ["/registration_url", r#""r""#, "registration_url", r#""r""#],
    [
        "/created_at",
        r#""2020-01-02T03:04:05.678Z""#,
        "created_at",
        r#""2020-01-02T03:04:05Z""#,
    ],
    ["/settings/audio", r#""voip""#, "option_audio", r#""voip""#],
    [
        "/settings/audio",
        r#""telephony""#,
        "option_audio",
        r#""telephony""#,
    ],
    [
        "/settings/meeting_authentication",
        "false",
        "option_enforce_login",
        "false",
    ],
    [
        "/settings/authentication_domains",
        r#""a;b""#,
        "option_enforce_login_domains",
        r#""a,b""#,
    ],
    [
        "/settings/alternative_hosts",
        r#""a,b""#,
        "option_alternative_hosts",
        r#""a;b""#,
    ],
];

#[test]
fn maps_each_v2_member_to_the_response() {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for [pointer, v2, member, v1] in MEMBERS {
        let mut stored = webinar(ID);
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        stored.pointer_mut(parent).unwrap()[last] = json(v2);
        let answer = run("webinar/get", OWN, |_| ok(stored.clone()))
            .unwrap()
            .answer();
        assert_eq!(answer[*member], json(v1), "{pointer}");
    }
}

#[test]
fn missing_v2_members_have_v1s_empty_value() {
    let bare = json!({ "id": 9_876_543_210_i64, "host_id": "kdc1", "settings": {
        "enforce_login": true, "enforce_login_domains": "example.com",
    } });
    let answer = run("webinar/get", OWN, |_| ok(bare.clone()))
        .unwrap()
        .answer();
    assert_eq!(
        answer,
        json!({
            "id": 9_876_543_210_i64, "host_id": "kdc1", "agenda": "", "status": 0,
            "option_start_type": "video", "option_enforce_login": true,
            "option_enforce_login_domains": "example.com", "option_alternative_hosts": "",
            "start_time": "", "duration": 0, "timezone": "", "registration_url": "",
        })
    );
}

#[test]
fn response_without_a_webinar_is_a_failure() {
    for nothing in [json!({}), json!(null), json!([])] {
        for operation in ["webinar/get", "webinar/create"] {
            let arguments = [OWN[0], OWN[1], ("topic", "x")];
            let run = run(operation, &arguments, |_| ok(nothing.clone())).unwrap();
            assert!(
                run.error().starts_with("500 "),
                "{operation}: {}",
                run.error()
            );
        }
    }
}

#[test]
fn option_selects_plain_join_urls() {
    let plain = [("join_url", toml::Value::from("plain"))];
    let url = |operation, arguments, at: &str| {
        let answer = choosing(&plain, operation, arguments, success).answer();
        answer.pointer(at).unwrap().as_str().unwrap().to_owned()
    };
    let wanted = "https://zoom.us/j/9876543210";
    assert_eq!(url("webinar/get", OWN, "/join_url"), wanted);
    assert_eq!(url("webinar/create", EVERYTHING, "/join_url"), wanted);
    let list = [("host_id", "kdc1")];
    let listed = "/webinars/0/join_url";
    assert_eq!(url("webinar/list/registration", &list, listed), wanted);
}

#[test]
fn paginates_the_filtered_list() {
    let page = |number: &str| {
        let arguments = [
            ("host_id", "kdc1"),
            ("page_size", "1"),
            ("page_number", number),
        ];
        run("webinar/list/registration", &arguments, success)
            .unwrap()
            .answer()
    };
    for (number, ids) in [
        ("1", json!([9_876_543_210_i64])),
        ("2", json!([9_876_543_211_i64])),
        ("3", json!([])),
    ] {
        let page = page(number);
        assert_eq!(page["page_count"], 2);
        assert_eq!(page["total_records"], 2);
        assert_eq!(page["page_number"].to_string(), number);
        let shown: Vec<_> = page["webinars"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w["id"].clone())
            .collect();
        assert_eq!(json!(shown), ids);
    }
}

#[test]
fn omits_deleted_webinars_but_trouble_fails_the_list() {
    let v2 = |outcome: fn() -> Outcome| {
        move |request: &V2Request| match request.path.ends_with(ID) {
            true => outcome(),
            false => success(request),
        }
    };
    let list = |outcome| {
        run(
            "webinar/list/registration",
            &[("host_id", "kdc1")],
            v2(outcome),
        )
        .unwrap()
    };
    // Deleted since v2 listed it.
    let gone = list(|| error(404, 3001, "Webinar does not exist."));
    assert!(gone.warned().is_empty());
    assert_eq!(gone.answer()["total_records"], 1);
    let refused = list(|| error(400, 200, "No permission."));
    assert_eq!(refused.warned().len(), 1, "{:?}", refused.warned());
    assert_eq!(refused.answer()["total_records"], 1);
    // A truncated list would be mistaken for a complete one.
    for trouble in [
        || Outcome::Limited,
        || Outcome::NoAnswer { maybe_done: false },
        || error(500, 1, "oops"),
        || Outcome::Unreadable { status: 200 },
    ] {
        list(trouble).error();
    }
}

#[test]
fn reports_more_than_300_webinars() {
    let v2 = |request: &V2Request| match &*request.template {
        "/users/{userId}/webinars" => ok(json!({
            "total_records": 301, "next_page_token": "more", "webinars": [listed(OPEN)],
        })),
        _ => success(request),
    };
    let run = run("webinar/list", &[("host_id", "kdc1")], v2).unwrap();
    assert!(
        run.error().starts_with("500 The list is longer than"),
        "{}",
        run.error()
    );
    let all = [("webinar_lists", toml::Value::from("all"))];
    assert_eq!(
        choosing(&all, "webinar/list", &[("host_id", "kdc1")], v2).answer()["total_records"],
        301
    );
}

#[test]
fn option_lists_all_webinars_in_both_lists() {
    let all = |detail: &str| {
        [
            ("webinar_lists", toml::Value::from("all")),
            ("list_detail", toml::Value::from(detail)),
        ]
    };
    let arguments = [
        ("host_id", "kdc1"),
        ("page_size", "2"),
        ("page_number", "1"),
    ];
    for operation in ["webinar/list", "webinar/list/registration"] {
        let run = choosing(&all("auto"), operation, &arguments, success);
        assert!(run.requests()[0].contains("page_number=1&page_size=2"));
        assert_eq!(run.requests().len(), 4);
        let answer = run.answer();
        assert_eq!(answer["webinars"].as_array().unwrap().len(), 3);
        assert_eq!(
            answer["webinars"][0]["start_url"],
            "https://example.com/s/1?zak=z"
        );
        let run = choosing(&all("profile"), operation, &arguments, success);
        assert_eq!(run.requests().len(), 1);
        assert!(run.warned()[0].contains("start_url"), "{:?}", run.warned());
        let answer = run.answer();
        assert_eq!(answer["webinars"][0]["topic"], "Autumn");
        assert!(answer["webinars"][0].get("start_url").is_none());
    }
}
