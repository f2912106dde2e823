//! `migrate explain`, as somebody sees it who runs it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::process::{Command, Output};

use serde_json::Value;

fn explain(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_migrate");
    let command = Command::new(program)
        .arg("explain")
        .args(arguments)
        .output();
    command.expect("the program runs")
}

/// What it prints, without colours because it is no terminal.
fn page(arguments: &[&str]) -> String {
    let output = explain(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    text
}

/// A page for a snapshot: without the lines of the catalog's files, which any edit moves.
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
fn all_operations_at_a_glance() {
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

/// A folder with an operation that nothing serves, for `--mappings`.
fn unserved() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let user = folder.path().join("user");
    std::fs::create_dir(&user).expect("a folder");
    let text = "[operation.\"user/unserved\"]\nsummary = \"Is not served.\"\neffect = \"read\"\n\
                parameters = [\"id\"]\nrequires = [\"id\"]\ncomposite = true\n\
                instead = [\"GET /users\", \"GET /users/{userId}\"]\n\
                instead_source = \"users\"\nnote = \"one call a user\"\n";
    std::fs::write(user.join("unserved.toml"), text).expect("written");
    folder
}

#[test]
fn an_operation_that_is_not_served() {
    let folder = unserved();
    let mappings = folder.path().to_str().expect("a plain name");
    insta::assert_snapshot!(stable(&["--mappings", mappings, "user/unserved"]));
}

#[test]
fn every_field_of_an_operation() {
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
fn an_operation_for_programs() {
    insta::assert_snapshot!(stable(&["user/getbyemail", "--format", "json"]));
}

#[test]
fn a_field_for_programs() {
    insta::assert_snapshot!(stable(&["enable_enter_exit_chime", "--format", "json"]));
}

#[test]
fn the_help() {
    insta::assert_snapshot!(stable(&["--help"]));
}

#[test]
fn an_operation_has_many_spellings() {
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
fn an_unknown_name_is_answered_with_the_nearest_ones() {
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
fn a_unique_ending_is_enough() {
    assert_eq!(page(&["custcreate"]), page(&["user/custcreate"]));
    assert_eq!(page(&["getuserreport"]), page(&["report/getuserreport"]));
}

/// What people asked in public about v1 and the way to v2, and what the answer is to name.
#[test]
fn questions_of_users_are_answered() {
    for (name, answers) in [
        (
            "403",
            &["31 May 2020", "maximum number of api requests"][..],
        ),
        ("meeting/live", &["GET /metrics/meetings"]),
        ("recording/list", &["GET /users/{host_id}/recordings"]),
        ("page_size", &["page_count", "next_page_token"]),
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
        ("ma/account/plan/subscribe", &["It is off until"]),
    ] {
        let text = page(&[name])
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for answer in answers {
            assert!(text.contains(answer), "{name}: {answer}: {text}");
        }
    }
    let rules = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(["rules", "zoomus"])
        .output();
    assert!(String::from_utf8_lossy(&rules.expect("it runs").stdout).contains("zoom_rb"));
}

#[test]
fn programs_see_whether_an_operation_is_served() {
    assert_eq!(json(&["meeting/create"])["service"], "served");
    assert_eq!(json(&["user/checkzpk"])["service"], "refused");
    assert_eq!(json(&["1009"])["kind"], "error");
    assert_eq!(json(&["jwt"])["kind"], "word");
}

#[test]
fn all_lists_of_an_answer_are_shown() {
    let page = json(&["recording/list"]);
    let lists = page["answer"]["lists"].as_array().expect("lists");
    let names: Vec<_> = lists
        .iter()
        .map(|list| list["list"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["meetings", "meetings.recording_files"]);
}

#[test]
fn a_page_reads_well_at_every_width() {
    for width in ["40", "80", "120"] {
        let page = stable(&["meeting/create", "--width", width]);
        // Only what cannot be broken is longer.
        for line in page.lines().filter(|line| line.trim_start().contains(' ')) {
            assert!(line.chars().count() <= width.parse().unwrap(), "{line}");
        }
        insta::assert_snapshot!(format!("meeting_create_{width}"), page);
    }
}

#[test]
fn a_site_may_have_its_own_mappings() {
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
