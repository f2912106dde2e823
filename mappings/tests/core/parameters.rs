//! Parameters: missing, malformed, empty, unknown and unsupported ones.

use mappings::{Catalog, Memory, Site};

use crate::{
    catalog::UNSERVED,
    driver::{catalog, run, run_at, run_with, site, site_with_option, strict_site, success},
};

fn refusal(operation: &str, arguments: &[(&str, &str)]) -> String {
    run(operation, arguments, success)
        .err()
        .unwrap_or_else(|| panic!("{operation} was not refused"))
}

#[test]
fn missing_parameters_are_reported() {
    assert_eq!(refusal("user/get", &[]), "300 Id is required.");
    assert_eq!(refusal("user/get", &[("id", "")]), "300 Id is required.");
    assert_eq!(
        refusal("user/permanentdelete", &[("type", "1")]),
        "300 Id or email is required."
    );
    assert_eq!(
        refusal("user/create", &[("email", "a@b")]),
        "300 Type is required."
    );
    assert_eq!(
        refusal("user/updatepassword", &[("id", "x")]),
        "300 Password or pic_file is required."
    );
    let host = [("host_email", "a@b")];
    assert_eq!(
        refusal("user/assistant/set", &host),
        "300 Assistant_email is required."
    );
}

#[test]
fn malformed_and_out_of_range_parameters_are_reported() {
    for (operation, arguments, name) in [
        (
            "user/list",
            [("page_number", "x"), ("page_size", "10")],
            "page_number",
        ),
        (
            "user/list",
            [("page_number", "1"), ("page_size", "ten")],
            "page_size",
        ),
        (
            "user/update",
            [("id", "x"), ("disable_chat", "maybe")],
            "disable_chat",
        ),
        ("user/update", [("id", "x"), ("type", "4")], "type"),
        ("user/update", [("id", "x"), ("pmi", "12ab")], "pmi"),
        (
            "user/update",
            [("id", "x"), ("auto_delete_cmr_days", "121")],
            "auto_delete_cmr_days",
        ),
        (
            "user/update",
            [("id", "x"), ("webinar_capacity", "-1")],
            "webinar_capacity",
        ),
        ("user/delete", [("id", "x"), ("type", "2")], "type"),
    ] {
        let text = refusal(operation, &arguments);
        assert_eq!(
            text,
            format!("300 Invalid parameter: {name}"),
            "{operation}"
        );
    }
    let long = "x".repeat(65);
    assert_eq!(
        refusal("user/update", &[("id", "x"), ("first_name", &long)]),
        "300 Invalid parameter: first_name"
    );
}

#[test]
fn clamps_page_number_and_defaults_page_size() {
    for (number, size) in [("0", "0"), ("-1", "-30"), ("", "")] {
        let page = [("page_number", number), ("page_size", size)];
        for operation in ["user/list", "group/member/list", "meeting/list"] {
            let given = [&page[..], &[("id", "g"), ("host_id", "u")]].concat();
            let sent = run(operation, &given, success);
            let sent = sent.unwrap().requests().join(" ");
            assert!(sent.contains("page_size=30"), "{operation}: {sent}");
            assert!(!sent.contains("page_number=0"), "{operation}: {sent}");
        }
    }
    let beyond = [("page_number", "99999999"), ("page_size", "9999")];
    let sent = run("user/list", &beyond, success).unwrap();
    let wanted = "GET /users?page_number=1000000&page_size=300&status=active";
    assert_eq!(sent.requests()[0], wanted);
}

#[test]
fn v2_capacities_and_numbers_round_trip() {
    let sent = |name: &str, value: &str| {
        let run = run("user/update", &[("id", "x"), (name, value)], success).unwrap();
        run.requests()[0].to_owned()
    };
    for capacity in ["500", "1000", "3000", "5000", "20000"] {
        let wanted = format!("\"large_meeting_capacity\":{capacity}");
        assert!(sent("large_capacity", capacity).contains(&wanted));
    }
    for capacity in ["100", "501", "1001", "10000"] {
        let wanted = format!("\"webinar_capacity\":{capacity}");
        assert!(sent("webinar_capacity", capacity).contains(&wanted));
    }
    // v1's value where v2 has none.
    for name in [
        "pmi",
        "large_capacity",
        "webinar_capacity",
        "meeting_capacity",
    ] {
        assert_eq!(sent(name, "0"), "GET /users/x", "{name}");
    }
}

#[test]
fn invalid_address_of_a_new_user_is_a_parameter_error() {
    for email in ["me", ".", "..", "vanity_name"] {
        for create in ["user/create", "user/custcreate", "user/ssocreate"] {
            assert_eq!(
                refusal(create, &[("email", email), ("type", "1")]),
                "300 Invalid parameter: email"
            );
        }
    }
}

#[test]
fn parses_all_spellings_of_booleans_and_numbers() {
    for (text, chat) in [
        ("true", false),
        ("True", false),
        ("TRUE", false),
        ("1", false),
        ("on", false),
        ("Yes", false),
        ("false", true),
        ("False", true),
        ("0", true),
        ("off", true),
        ("no", true),
    ] {
        let run = run(
            "user/update",
            &[("id", "x"), ("disable_chat", text)],
            success,
        )
        .unwrap();
        let wanted = format!("PATCH /users/x/settings {{\"in_meeting\":{{\"chat\":{chat}}}}}");
        assert_eq!(run.requests(), [wanted], "{text}");
    }
    let run = run(
        "user/update",
        &[("id", "x"), ("pmi", " 2035134244 ")],
        success,
    )
    .unwrap();
    let sent = run.requests().last().copied();
    assert_eq!(sent, Some("PATCH /users/x {\"pmi\":2035134244}"));
}

#[test]
fn empty_parameter_counts_as_absent() {
    let get = run(
        "user/getbyemail",
        &[("email", "a@b"), ("login_type", "")],
        success,
    )
    .unwrap();
    assert_eq!(get.requests()[0], "GET /users/a%40b");
    let delete = run(
        "user/permanentdelete",
        &[("id", ""), ("email", "a@b")],
        success,
    )
    .unwrap();
    assert_eq!(delete.requests()[1], "DELETE /users/a%40b?action=delete");
    let update = [
        ("id", "x"),
        ("type", ""),
        ("disable_chat", ""),
        ("timezone", ""),
    ];
    assert_eq!(
        run("user/update", &update, success).unwrap().requests(),
        ["GET /users/x"]
    );
}

#[test]
fn empty_text_clears_on_update_unless_disabled() {
    let catalog = catalog();
    let keep = site_with_option("empty_text", "keep");
    let update = [("id", "x"), ("dept", "")];
    let sent = |site: &Site| {
        let run = run_at(site, "user/update", &update, success);
        run.unwrap().requests().join(" ")
    };
    assert_eq!(sent(&site(catalog)), "PATCH /users/x {\"dept\":\"\"}");
    assert_eq!(sent(&keep), "GET /users/x");
}

#[test]
fn unknown_parameters_are_ignored_and_reported() {
    let run = run(
        "user/get",
        &[("id", "x"), ("disable_chat", "maybe"), ("zz", "1")],
        success,
    )
    .unwrap();
    assert_eq!(run.finished.unknown, ["disable_chat", "zz"]);
}

#[test]
fn ids_are_data() {
    for id in ["me", "ME", ".", "..", "email", "vanity_name"] {
        assert_eq!(
            refusal("user/get", &[("id", id)]),
            format!("1001 User not exist: {id}")
        );
    }
    assert_eq!(
        refusal("user/update", &[("id", "x"), ("group_id", "..")]),
        "300 Invalid parameter: group_id"
    );
    for (id, segment) in [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e"),
        ("a b+c&d", "a%20b%2Bc%26d"),
        ("é\r\n\0", "%C3%A9%0D%0A%00"),
        ("...", "..."),
        ("-x_~", "-x_~"),
        ("../x", "..%2Fx"),
    ] {
        let run = run("user/get", &[("id", id)], success).unwrap();
        assert_eq!(run.requests()[0], format!("GET /users/{segment}"));
    }
    assert_eq!(
        refusal("user/get", &[("id", &"x".repeat(1025))]),
        "300 Invalid parameter: id"
    );
}

#[test]
fn losses_warn_or_fail_in_strict_mode_before_any_call() {
    let strict = strict_site();
    for (parameter, value, reported) in [
        ("track_id", "7", true),
        ("type", "3", true),
        ("type", "2", false),
        ("meeting_capacity", "0", true),
        ("meeting_capacity", "100", false),
        ("large_capacity", "100", true),
        ("large_capacity", "500", false),
        ("auto_delete_cmr_days", "45", true),
        ("auto_delete_cmr_days", "60", false),
        ("enable_silent_mode", "1", true),
        ("enable_attention_tracking", "1", true),
        ("enable_waiting_room", "1", false),
        ("group_id", "g", true),
    ] {
        let arguments = [("id", "x"), (parameter, value)];
        let lenient = run("user/update", &arguments, success).unwrap();
        let wanted: &[&str] = if reported { &[parameter] } else { &[] };
        assert_eq!(lenient.warned(), wanted, "{parameter}={value}");
        let refused = run_at(&strict, "user/update", &arguments, success).err();
        assert_eq!(refused.is_some(), reported, "{parameter}={value}");
        if let Some(text) = refused {
            assert!(
                text.starts_with(&format!("300 Invalid parameter: {parameter} (strict: ")),
                "{text}"
            );
        }
    }
}

#[test]
fn reports_unserved_operations() {
    assert_eq!(
        refusal("user/checkzpk", &[("zpk", "abc")]),
        "300 Invalid parameter: zpk"
    );
    assert_eq!(refusal("user/checkzpk", &[]), "300 Zpk is required.");
    let (name, text) = UNSERVED;
    let catalog = Catalog::with_overrides([(name.to_owned(), text.to_owned())]).unwrap();
    let memory = Memory::default();
    let unserved = run_with(
        &catalog,
        &site(&catalog),
        memory,
        "user/unserved",
        &[],
        success,
    );
    assert_eq!(
        unserved.err().as_deref(),
        Some("501 user/unserved is not served by this shim yet. In v2: GET /users")
    );
}

#[test]
fn first_given_subject_wins() {
    let both = [("id", "x"), ("host_email", "a@b")];
    let run = run("user/scheduleforhost", &both, success).unwrap();
    assert_eq!(run.requests()[0], "GET /users/x/assistants");
}
