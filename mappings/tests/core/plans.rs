//! Plans and responses of all user operations.

use mappings::{Outcome, Site, V2Request};
use serde_json::Value;

use crate::driver::{catalog, run_at, site, success};

/// A request for each operation, using as many calls of its plan as possible.
pub(crate) const REQUESTS: &[(&str, &[(&str, &str)])] = &[
    ("user/activate", &[("id", "kdc1")]),
    (
        "user/assistant/delete",
        &[("host_email", "ada@example.com")],
    ),
    (
        "user/assistant/delete",
        &[("id", "kdc1"), ("assistant_email", "alan@example.com")],
    ),
    (
        "user/assistant/set",
        &[("id", "kdc1"), ("assistant_email", "alan@example.com")],
    ),
    ("user/autocreate", CREATE),
    ("user/autocreate2", CREATE),
    ("user/checkemail", &[("email", "ada+1@example.com")]),
    ("user/create", CREATE),
    ("user/custcreate", CREATE),
    ("user/deactivate", &[("id", "kdc1")]),
    ("user/delete", &[("id", "kdc1"), ("type", "0")]),
    ("user/get", &[("id", "kdc1")]),
    (
        "user/getbyemail",
        &[("email", "ada@example.com"), ("login_type", "100")],
    ),
    ("user/list", &[("page_size", "500")]),
    ("user/pending", &[("page_number", "1")]),
    ("user/permanentdelete", &[("email", "ada@example.com")]),
    ("user/revoketoken", &[("id", "kdc1"), ("email", "")]),
    ("user/scheduleforhost/list", &[("id", "kdc1")]),
    (
        "user/ssocreate",
        &[
            ("email", "new@example.com"),
            ("type", "2"),
            ("pmi", "2035134243"),
            ("enable_webinar", "1"),
            ("webinar_capacity", "500"),
            ("group_id", "g1"),
        ],
    ),
    (
        "user/update",
        &[
            ("id", "kdc1"),
            ("dept", ""),
            ("type", "1"),
            ("disable_chat", "True"),
            ("enable_cloud_auto_recording", "false"),
            ("group_id", "g 1"),
            ("imgroup_id", "i/1"),
        ],
    ),
    ("user/update", &[("id", "kdc1")]),
    (
        "user/updatepassword",
        &[("id", "kdc1"), ("password", "Secret-123")],
    ),
    (
        "user/updatepassword",
        &[("id", "kdc1"), ("pic_file", "GIF89a")],
    ),
    (
        "user/uploadpicture",
        &[("id", "kdc1"), ("pic_file", "not a picture")],
    ),
];

pub(crate) const CREATE: &[(&str, &str)] = &[
    ("email", "new@example.com"),
    ("type", "1"),
    ("password", "Secret-123"),
    ("first_name", "New"),
    ("dept", "R&D"),
    ("disable_chat", "1"),
    ("option_enter_exit_chime_type", "1"),
    ("meeting_capacity", "0"),
    ("track_id", "7"),
    ("group_id", "g1"),
    ("imgroup_id", "i1"),
];

/// Requests and responses for a snapshot.
pub(crate) fn transcript(
    requests: &[(&str, &[(&str, &str)])],
    v2: impl Fn(&V2Request) -> Outcome,
) -> String {
    transcript_at(&site(catalog()), requests, v2)
}

/// The same for a site with options set.
pub(crate) fn transcript_at(
    site: &Site,
    requests: &[(&str, &[(&str, &str)])],
    v2: impl Fn(&V2Request) -> Outcome,
) -> String {
    let mut text = String::new();
    for (operation, arguments) in requests {
        let given: Vec<_> = arguments.iter().map(|(n, v)| format!("{n}={v}")).collect();
        text += &format!("{operation}  {}\n", given.join(" "));
        let run = run_at(site, operation, arguments, &v2).unwrap();
        for (step, requests) in run.sent.iter().enumerate() {
            for request in requests {
                text += &format!("  {} {request}\n", step + 1);
            }
        }
        for warning in &run.finished.answer.warnings {
            text += &format!("  ! {}: {}\n", warning.field, warning.reason);
        }
        let answer = run
            .finished
            .answer
            .result
            .map_err(|error| error.message)
            .unwrap();
        let written = Value::Object(answer.members()).to_string();
        assert_eq!(written.as_bytes(), answer.json(), "as serde writes it");
        text += &format!("  = {written}\n");
        if !run.finished.unknown.is_empty() {
            text += &format!("  ? {}\n", run.finished.unknown.join(" "));
        }
    }
    text
}

#[test]
fn plans_and_answers() {
    insta::assert_snapshot!(transcript(REQUESTS, success));
}

#[test]
fn snapshot_has_every_served_operation() {
    let catalog = catalog();
    for operation in catalog
        .operations()
        .iter()
        .filter(|operation| operation.plan().is_some() && operation.name.starts_with("user/"))
    {
        assert!(
            REQUESTS.iter().any(|(name, _)| *name == operation.name),
            "{} has no request here",
            operation.name
        );
    }
}
