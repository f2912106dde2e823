//! Lossy parameters cause a warning, or an error before any write.

use axum::http::Method;
use end_to_end::Stage;
use shim_sandbox::SandboxConfig;

use crate::requests::success;

const ADA: &str = "ada.lovelace@example.com";

/// Requests with one loss each, and the affected field.
const LOSSES: [(&str, &[(&str, &str)], &str); 9] = [
    ("user/update", &[("id", ADA), ("track_id", "7")], "track_id"),
    (
        "user/update",
        &[("id", ADA), ("enable_attention_tracking", "1")],
        "enable_attention_tracking",
    ),
    ("user/update", &[("id", ADA), ("type", "3")], "type"),
    (
        "user/update",
        &[("id", ADA), ("large_capacity", "100")],
        "large_capacity",
    ),
    (
        "user/update",
        &[("id", ADA), ("webinar_capacity", "0")],
        "webinar_capacity",
    ),
    (
        "user/update",
        &[("id", ADA), ("meeting_capacity", "0")],
        "meeting_capacity",
    ),
    (
        "user/update",
        &[("id", ADA), ("auto_delete_cmr_days", "45")],
        "auto_delete_cmr_days",
    ),
    (
        "user/custcreate",
        &[("email", "n@example.com"), ("type", "2"), ("track_id", "7")],
        "track_id",
    ),
    (
        "user/create",
        &[
            ("email", "p@example.com"),
            ("type", "1"),
            ("disable_chat", "1"),
        ],
        "disable_chat",
    ),
];

#[tokio::test]
async fn losses_cause_a_warning_header() {
    let stage = Stage::start().await;
    for (operation, given, lost) in LOSSES {
        let answer = stage.ask(operation, given).await;
        assert!(answer.warns_of(lost), "{operation} {given:?}: {answer:?}");
        answer.success();
    }
}

#[tokio::test]
async fn strict_rejects_losses_before_any_write() {
    let stage = Stage::with(SandboxConfig::default(), "strict = true").await;
    for (operation, given, lost) in LOSSES {
        let error = stage.ask(operation, given).await.error();
        assert!(
            error.starts_with(&format!("300 Invalid parameter: {lost} (strict: ")),
            "{error}"
        );
    }
    let calls = stage.wire().take();
    assert!(
        calls.iter().all(|call| call.method == Method::GET),
        "{calls:?}"
    );
}

#[tokio::test]
async fn strict_accepts_exact_requests() {
    let stage = Stage::with(SandboxConfig::default(), "strict = true").await;
    let given = [
        ("id", ADA),
        ("type", "2"),
        ("dept", "x"),
        ("disable_chat", "1"),
        ("enable_large", "1"),
        ("large_capacity", "500"),
        ("auto_delete_cmr_days", "60"),
        ("colour", "blue"),
    ];
    stage.ask("user/update", &given).await.success();
    success(&stage, &format!("user/get id={ADA}")).await;
    success(&stage, "user/list").await;
}

#[tokio::test]
async fn changed_values_are_stored_as_announced() {
    let stage = Stage::start().await;
    let given = [
        ("id", ADA),
        ("enable_auto_delete_cmr", "1"),
        ("auto_delete_cmr_days", "45"),
    ];
    let answer = stage.ask("user/update", &given).await;
    assert_eq!(answer.warnings.len(), 1, "{:?}", answer.warnings);
    assert_eq!(
        stage.user(ADA).await["auto_delete_cmr_days"],
        60,
        "never earlier"
    );
    success(&stage, &format!("user/update id={ADA} type=3")).await;
    assert_eq!(stage.user(ADA).await["type"], 2);
}

#[tokio::test]
async fn does_not_warn_of_missing_fields_of_an_error() {
    let stage = Stage::start().await;
    let answer = stage.ask("user/get", &[("id", "nobody")]).await;
    assert_eq!(answer.warnings, [""; 0]);
    assert_eq!(answer.error(), "1001 User not exist: nobody");
    let given = [("id", "nobody"), ("dept", "x"), ("track_id", "7")];
    let answer = stage.ask("user/update", &given).await;
    assert!(answer.warns_of("track_id"), "{:?}", answer.warnings);
}

#[tokio::test]
async fn does_not_warn_of_unchanged_or_unknown_parameters() {
    let stage = Stage::start().await;
    let given = [
        ("id", ADA),
        ("dept", "x"),
        ("disable_chat", "1"),
        ("colour", "blue"),
    ];
    let answer = stage.ask("user/update", &given).await;
    assert_eq!(answer.warnings, [""; 0]);
}
