//! Ids are data: v2 receives any id unchanged in one place, or not at all.

use end_to_end::{Answer, Stage};
use percent_encoding::percent_decode_str;

/// Ids and addresses, valid or not.
fn awkward() -> Vec<String> {
    let mut texts: Vec<String> = [
        "/",
        "//",
        "a/b",
        "../users",
        "..%2f",
        "%2e%2e",
        "%2E%2E%2Fgroups",
        "a/../b",
        "./a",
        "...",
        "?",
        "a?b=c",
        "?action=delete",
        "#",
        "a#b",
        "%",
        "%%",
        "%zz",
        "%00",
        "%2F",
        "+",
        "a+b",
        "&",
        "a&action=delete",
        "a;b",
        "a=b",
        " ",
        " a",
        "a ",
        "a b",
        "\t",
        "\n",
        "\r\n",
        "a\r\nX-Evil: 1",
        "a\r\n\r\nGET /v2/users HTTP/1.1",
        "\0",
        "a\0b",
        "\u{7f}",
        "\u{85}",
        "é",
        "ÄÖÜ@example.com",
        "研究@example.com",
        "🦀",
        "\u{202e}abc",
        "\u{feff}",
        "e\u{301}",
        "\\",
        "..\\..",
        "a\\b",
        "'",
        "\"",
        "`",
        "<script>",
        "{id}",
        "{userId}",
        "${id}",
        "$(id)",
        "|",
        "^",
        "[",
        "]",
        "@",
        "@@",
        "a@",
        ":",
        "::1",
        "http://example.com/",
        "//example.com/v2/users",
        "email",
        "vanity_name",
        "settings",
        "me/settings",
        "me?x",
        "Me",
        "ME",
        "me ",
        "null",
        "undefined",
        "0",
        "-1",
        "~",
        "ada.lovelace@example.com/",
        "ada.lovelace@example.com/settings",
        "ada.lovelace@example.com?action=delete",
        "ada.lovelace@example.com#",
        "*",
        "**",
    ]
    .map(str::to_owned)
    .into();
    texts.push("x".repeat(1024));
    texts.push("/".repeat(1024));
    texts.push("é".repeat(512));
    texts.push("x".repeat(10 * 1024));
    texts.push("../".repeat(3500));
    texts
}

/// Requests of each operation with a user, and the place of the user in the v2 path.
const REQUESTS: [(&str, &str, &[(&str, &str)]); 21] = [
    ("user/get", "id", &[]),
    ("user/getbyemail", "email", &[]),
    ("user/getbyemail", "email", &[("login_type", "100")]),
    ("user/update", "id", &[]),
    ("user/update", "id", &[("dept", "x"), ("disable_chat", "1")]),
    (
        "user/update",
        "id",
        &[("enable_auto_recording", "1"), ("imgroup_id", "g")],
    ),
    ("user/activate", "id", &[]),
    ("user/deactivate", "id", &[]),
    ("user/delete", "id", &[]),
    ("user/permanentdelete", "id", &[]),
    ("user/permanentdelete", "email", &[]),
    (
        "user/updatepassword",
        "id",
        &[("password", "Analytical4Engine")],
    ),
    ("user/uploadpicture", "id", &[("pic_file", "x")]),
    ("user/revoketoken", "id", &[]),
    ("user/revoketoken", "email", &[]),
    ("user/assistant/set", "id", &[("assistant_email", "x")]),
    (
        "user/assistant/set",
        "host_email",
        &[("assistant_email", "x")],
    ),
    ("user/assistant/delete", "id", &[]),
    (
        "user/assistant/delete",
        "host_email",
        &[("assistant_email", "x")],
    ),
    ("user/scheduleforhost/list", "id", &[]),
    ("user/scheduleforhost/list", "host_email", &[]),
];

/// Path segments that may follow the user in v2.
const BELOW_A_USER: [&str; 7] = [
    "",
    "/settings",
    "/token",
    "/status",
    "/password",
    "/picture",
    "/assistants",
];

/// Checks that all calls are about this user.
#[track_caller]
fn is_about(stage: &Stage, text: &str, because: &str) {
    for call in stage.wire().take() {
        let line = call.line();
        let line = &line[..line.len().min(300)];
        if let Some(group) = call.path.strip_prefix("/v2/im/groups/") {
            assert_eq!(group, "g/members", "{because}: {line}");
            continue;
        }
        let rest = call.path.strip_prefix("/v2/users/");
        let rest = rest.unwrap_or_else(|| panic!("{because}: {line}"));
        let (segment, below) = match rest.split_once('/') {
            Some((segment, _)) => (segment, &rest[segment.len()..]),
            None => (rest, ""),
        };
        assert!(BELOW_A_USER.contains(&below), "{because}: {line}");
        let decoded = percent_decode_str(segment).decode_utf8().unwrap();
        assert_eq!(decoded, text, "{because}: {line}");
        let expected = [
            "action=delete",
            "action=disassociate",
            "type=zak",
            "login_type=100",
        ];
        let query = call.query.unwrap_or_default();
        let known = query.is_empty()
            || query.starts_with("custom_query_fields=")
            || expected.contains(&query.as_str());
        assert!(known, "{because}: {line}");
    }
}

/// Checks that the response is a v1 error.
#[track_caller]
fn is_envelope(answer: Answer, because: &str) -> String {
    assert_eq!(answer.status, 200, "{because}");
    let code = answer.body["error"]["code"].as_i64();
    assert!(
        code.is_some_and(|code| code != 500),
        "{because}: {}",
        answer.body
    );
    answer.error()
}

#[tokio::test]
async fn ids_never_change_the_path() {
    let stage = Stage::start().await;
    for text in awkward() {
        for (operation, parameter, rest) in REQUESTS {
            let given = [&[(parameter, text.as_str())], rest].concat();
            let because = format!("{operation} {parameter}={text:.40?}");
            let error = is_envelope(stage.ask(operation, &given).await, &because);
            if text.len() <= 1024 && !text.is_empty() && operation == "user/get" {
                assert_eq!(error, format!("1001 User not exist: {text}"), "{because}");
            }
            is_about(&stage, &text, &because);
        }
    }
}

#[tokio::test]
async fn ids_never_change_the_path_in_any_wrapping() {
    let stage = Stage::start().await;
    for text in awkward() {
        let given = [("id", text.as_str())];
        for (operation, answer) in [
            ("by query", stage.ask_by_query("user/get", &given).await),
            ("by JSON", stage.ask_by_json("user/get", &given).await),
            (
                "by multipart",
                stage.ask_with_file("user/get", &given, ("x", b"y")).await,
            ),
        ] {
            let because = format!("{operation} {text:.40?}");
            is_envelope(answer, &because);
        }
        is_about(&stage, &text, &format!("{text:.40?}"));
    }
}

#[tokio::test]
async fn reserved_ids_are_not_sent() {
    let stage = Stage::start().await;
    let names = [
        "me",
        "ME",
        ".",
        "..",
        "email",
        "features",
        "summary",
        "vanity_name",
    ];
    for text in names {
        for (operation, parameter, rest) in REQUESTS {
            let given = [&[(parameter, text)], rest].concat();
            let error = stage.ask(operation, &given).await.error();
            assert_eq!(error, format!("1001 User not exist: {text}"), "{operation}");
        }
    }
    assert_eq!(stage.wire().lines(), [""; 0]);
}

#[tokio::test]
async fn empty_id_counts_as_absent() {
    let stage = Stage::start().await;
    for (operation, parameter, rest) in REQUESTS {
        let given = [&[(parameter, "")], rest].concat();
        let error = stage.ask(operation, &given).await.error();
        assert!(
            error.starts_with("300 ") && error.ends_with("is required."),
            "{error}"
        );
    }
    assert_eq!(stage.wire().lines(), [""; 0]);
}

#[tokio::test]
async fn v2_ids_may_hold_url_characters() {
    let stage = Stage::start().await;
    for email in [
        "a+b@example.com",
        "o'hara/x@example.com",
        "100%@example.com",
        "a&b?c=d#e@example.com",
    ] {
        let new = [("email", email), ("type", "2")];
        let made = stage.ask("user/custcreate", &new).await;
        if made.body.get("error").is_some() {
            assert_eq!(made.error(), "300 Invalid parameter: email", "{email}");
            continue;
        }
        let user = stage
            .ask("user/getbyemail", &[("email", email)])
            .await
            .success();
        assert_eq!(user["email"], email);
        stage
            .ask("user/permanentdelete", &[("email", email)])
            .await
            .success();
    }
}

#[tokio::test]
async fn addresses_and_groups_never_change_the_path() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    stage.wire().take();
    for text in awkward() {
        let because = format!("{text:.40?}");
        // A new address is in the body, a checked one in the query.
        let new = [("email", text.as_str()), ("type", "1")];
        is_envelope(stage.ask("user/create", &new).await, &because);
        stage.ask("user/checkemail", &[("email", &text)]).await;
        let set = [("id", id.as_str()), ("assistant_email", text.as_str())];
        is_envelope(stage.ask("user/assistant/set", &set).await, &because);
        for call in stage.wire().take() {
            let assistants = format!("/v2/users/{id}/assistants");
            let host = format!("/v2/users/{id}");
            let expected = ["/v2/users", "/v2/users/email", &host, &assistants];
            assert!(
                expected.contains(&call.path.as_str()),
                "{because}: {}",
                call.path
            );
            if call.path == "/v2/users/email" {
                let query = call.query.unwrap_or_default();
                assert!(
                    query.starts_with("email=") && !query.contains('&'),
                    "{because}: {query}"
                );
            }
        }

        for parameter in ["group_id", "imgroup_id"] {
            let update = [("id", id.as_str()), (parameter, text.as_str())];
            let answer = stage.ask("user/update", &update).await;
            assert_eq!(answer.status, 200);
            for call in stage.wire().take() {
                let user = format!("/v2/users/{id}");
                let of_group = call.path.strip_prefix("/v2/groups/");
                let of_group = of_group.or(call.path.strip_prefix("/v2/im/groups/"));
                let Some(group) = of_group else {
                    assert_eq!(call.path, user, "{because}");
                    continue;
                };
                let group = group.strip_suffix("/members").unwrap();
                assert!(!group.contains('/'), "{because}: {}", call.path);
                assert_eq!(
                    percent_decode_str(group).decode_utf8().unwrap(),
                    text,
                    "{because}"
                );
                assert_eq!(call.query, None, "{because}");
            }
        }
    }
}
