//! Output of `migrate explain`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod project;

use std::{path::Path, process::Output};

use project::{migrate, text, unserved};
use serde_json::Value;

fn explain(arguments: &[&str]) -> Output {
    migrate(Path::new("."), &[&["explain"], arguments].concat())
}

/// Output without colors, because it is not a terminal.
fn page(arguments: &[&str]) -> String {
    let output = explain(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = text(&output);
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    text
}

/// Page for a snapshot, without line numbers in the catalog, which change with any edit.
fn stable(arguments: &[&str]) -> String {
    let page = page(arguments);
    let mut parts = page.split(".toml:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let part = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        format!("{text}.toml:LINE{part}")
    })
}

fn json(arguments: &[&str]) -> Value {
    let text = page(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn overview_of_all_operations() {
    insta::assert_snapshot!(stable(&[]));
}

#[test]
fn a_resource() {
    insta::assert_snapshot!(stable(&["MC"]));
}

#[test]
fn push_notifications() {
    insta::assert_snapshot!(stable(&["notifications"]));
    let page = json(&["notifications"]);
    let names: Vec<_> = page["notifications"][0]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["id", "uuid", "status", "host_id"]);
}

#[test]
fn a_read() {
    insta::assert_snapshot!(stable(&["user/getbyemail"]));
}

#[test]
fn a_write_with_conditions() {
    insta::assert_snapshot!(stable(&["user/update"]));
}

#[test]
fn a_list() {
    insta::assert_snapshot!(stable(&["user/list"]));
}

#[test]
fn unserved_operation() {
    let folder = unserved();
    let mappings = folder.path().to_str().expect("a plain name");
    insta::assert_snapshot!(stable(&["--mappings", mappings, "user/unserved"]));
}

#[test]
fn operation_with_all_fields() {
    insta::assert_snapshot!(stable(&["user/pending", "--all"]));
}

#[test]
fn a_field() {
    insta::assert_snapshot!(stable(&["disable_chat"]));
}

#[test]
fn two_fields_with_one_place() {
    insta::assert_snapshot!(stable(&["enable_auto_recording"]));
}

#[test]
fn a_name_with_two_meanings() {
    insta::assert_snapshot!(stable(&["type"]));
}

#[test]
fn operation_as_json() {
    insta::assert_snapshot!(stable(&["user/getbyemail", "--format", "json"]));
}

#[test]
fn field_as_json() {
    insta::assert_snapshot!(stable(&["enable_enter_exit_chime", "--format", "json"]));
}

#[test]
fn help_text() {
    insta::assert_snapshot!(stable(&["--help"]));
}

#[test]
fn finds_operations_in_any_spelling() {
    let expected = page(&["user/scheduleforhost/list"]);
    for name in [
        "USER/ScheduleForHost/List",
        "/v1/user/scheduleforhost/list/",
        "https://api.zoom.us/v1/user/scheduleforhost/list?api_key=k&id=x",
        "user/scheduleforhost",
    ] {
        assert_eq!(page(&[name]), expected, "{name}");
    }
    assert_eq!(page(&["LASTLOGINTIME"]), page(&["lastLoginTime"]));
}

#[test]
fn unknown_names_get_suggestions() {
    for (name, nearest) in [
        ("user/getbymail", "user/getbyemail"),
        ("getbymail", "user/getbyemail"),
        ("disable_chatt", "disable_chat"),
        ("https://api.zoom.us/v1/user/listt?x=y", "user/list"),
    ] {
        let output = explain(&[name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(output.stdout.is_empty());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(&format!("`{nearest}`")), "{message}");
    }
}

#[test]
fn finds_operations_by_unique_ending() {
    assert_eq!(page(&["custcreate"]), page(&["user/custcreate"]));
    assert_eq!(page(&["getuserreport"]), page(&["report/getuserreport"]));
}

#[test]
fn finds_errors_by_their_text() {
    for (text, code) in [
        ("403 Forbidden", "403"),
        ("error 1010", "1010"),
        ("User not belong to this account", "1010"),
        ("user not exist: ada@example.com", "1001"),
        (
            r#"{"error":{"code":3001,"message":"Meeting 1 is not found"}}"#,
            "3001",
        ),
        ("No permission", "200"),
    ] {
        assert_eq!(page(&[text]), page(&[code]), "{text}");
    }
    let quota =
        "Sorry, the maximum number of user report api requests every day are already reached";
    assert_eq!(page(&[quota]), page(&["report/getuserreport"]));
}

#[test]
fn finds_fields_by_their_name_in_v2() {
    assert_eq!(page(&["join_before_host"]), page(&["option_jbh"]));
    let output = explain(&["host_video"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("`option_host_video` or `option_no_video_host`"),
        "{message}"
    );
}

#[test]
fn refers_to_the_rules_for_client_libraries() {
    let output = explain(&["zoomus"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("migrate rules zoomus"), "{message}");
}

/// Public questions about v1 and the migration, with expected parts of the answer.
#[test]
fn answers_public_questions() {
    for (name, answers) in [
        (
            "403",
            &["31 May 2020", "maximum number of api requests"][..],
        ),
        ("meeting/live", &["GET /metrics/meetings"]),
        ("recording/list", &["GET /users/{host_id}/recordings"]),
        ("page_size", &["page_count", "next_page_token"]),
        ("user/list", &["page_number 1, 2, … up to the page_count"]),
        ("alternative_hosts", &["settings.alternative_hosts"]),
        ("429", &["per day", "403"]),
        ("webhooks", &["meeting.started"]),
        ("user/checkemail", &["GET /users/email"]),
        (
            "1009",
            &["another Zoom account", "already holds an active account"],
        ),
        ("report/getuserreport", &["30,000 a day", "heavy"]),
        ("user/get", &["User not exist: {subject}"]),
        ("1010", &["User not belong to this account", "user/pending"]),
        ("user/update", &["PATCH"]),
        ("option_alternative_hosts", &["settings.alternative_hosts"]),
        ("host_id", &["/users/{userId}/meetings"]),
        ("start_time", &["timezone", "UTC"]),
        ("custcreate", &["ISV", "start_url"]),
        ("jwt", &["server-to-server OAuth", "2023"]),
        ("start_url", &["two hours"]),
        ("api_key", &["OAuth"]),
        ("data_type", &["XML"]),
        ("join_url", &["plain"]),
        ("user", &["user:read:user:admin"]),
        ("ma/account/plan/subscribe", &["It is disabled"]),
    ] {
        let page = page(&[name]);
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for answer in answers {
            assert!(page.contains(answer), "{name}: {answer}: {page}");
        }
    }
    let rules = migrate(Path::new("."), &["rules", "zoomus"]);
    assert!(text(&rules).contains("zoom_rb"));
}

#[test]
fn json_shows_service_kind() {
    assert_eq!(json(&["meeting/create"])["service"], "served");
    assert_eq!(json(&["user/checkzpk"])["service"], "refused");
    assert_eq!(json(&["1009"])["kind"], "error");
    assert_eq!(json(&["jwt"])["kind"], "word");
}

#[test]
fn lists_all_lists_of_a_response() {
    let page = json(&["recording/list"]);
    let lists = page["answer"]["lists"].as_array().expect("lists");
    let names: Vec<_> = lists
        .iter()
        .map(|list| list["list"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["meetings", "meetings.recording_files"]);
}

#[test]
fn pages_fit_every_width() {
    for width in ["40", "80", "120"] {
        let page = stable(&["meeting/create", "--width", width]);
        // Only words that cannot be broken are longer.
        for line in page.lines().filter(|line| line.trim_start().contains(' ')) {
            assert!(line.chars().count() <= width.parse().unwrap(), "{line}");
        }
        insta::assert_snapshot!(format!("meeting_create_{width}"), page);
    }
}

#[test]
fn reports_errors_in_site_mappings() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mc/operations.toml");
    std::fs::create_dir(folder.path().join("mc")).expect("a folder");
    std::fs::write(&file, "[operation.\"mc/recording/list\"]\nsummary = 1\n").expect("written");
    let folder = folder.path().to_str().expect("a plain name");
    let output = explain(&["--mappings", folder]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("mc/operations.toml:2"), "{message}");
}
