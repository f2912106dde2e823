//! Objects of a list equal the same objects alone, independent of their neighbours.

use mappings::{Document, Outcome, V2Request};
use proptest::prelude::*;

use crate::driver::{Run, error, run_at, site_with_option};

/// v2's data of a user: list members, and settings if readable.
#[derive(Clone, Debug)]
struct User {
    members: String,
    settings: Option<String>,
}

const MEMBERS: [&str; 15] = [
    "email",
    "first_name",
    "last_name",
    "type",
    "pmi",
    "timezone",
    "verified",
    "dept",
    "created_at",
    "user_created_at",
    "last_login_time",
    "last_client_version",
    "status",
    "pic_url",
    "role_id",
];
const GROUPS: [&str; 3] = ["in_meeting", "recording", "feature"];
const SETTINGS: [&str; 10] = [
    "chat",
    "e2e_encryption",
    "group_hd",
    "auto_recording",
    "local_recording",
    "cloud_recording",
    "meeting_capacity",
    "webinar",
    "large_meeting_capacity",
    "feedback",
];
/// As received; some values have no v1 counterpart.
const VALUES: [&str; 20] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-7",
    "9007199254740993",
    "18446744073709551615",
    "1.50",
    r#""""#,
    r#""Ada""#,
    r#""local""#,
    r#""2""#,
    r#""a \"quoted\"\nline""#,
    r#""caf\u00e9 café \/""#,
    r#""2019-03-04T08:30:00Z""#,
    r#""2019-03-31T23:30:00.5-01:00""#,
    r#""no token for you""#,
    "[1]",
    r#"{"chat":true}"#,
];

/// Some members in any order, possibly duplicated.
fn object(
    names: &'static [&'static str],
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let member = (prop::sample::select(names), value);
    prop::collection::vec(member, 0..20).prop_map(|members| {
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        members.join(",")
    })
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(&VALUES[..]).prop_map(str::to_owned)
}

fn user() -> impl Strategy<Value = User> {
    let braced = |members: String| format!("{{{members}}}");
    let group = prop_oneof![5 => object(&SETTINGS, value()).prop_map(braced), 1 => value()];
    let settings = object(&GROUPS, group).prop_map(braced);
    let settings = prop::option::of(settings);
    (object(&MEMBERS, value()), settings).prop_map(|(members, settings)| User { members, settings })
}

/// The list of some users.
fn list(users: &[&User], detail: &str) -> Run {
    let read = |text: String| Outcome::Answered {
        status: 200,
        body: Some(Document::read(text.into_bytes()).unwrap()),
    };
    let v2 = |request: &V2Request| {
        let subject = request.path.strip_prefix("/users/u");
        let number = subject.and_then(|rest| rest.strip_suffix("/settings")?.parse::<usize>().ok());
        match number.map(|number| &users[number].settings) {
            Some(Some(settings)) => read(settings.clone()),
            Some(None) => error(400, 1000, "Can not access pending user settings."),
            None => {
                let users = users.iter().enumerate();
                let users: Vec<_> = users
                    .map(|(n, user)| match user.members.as_str() {
                        "" => format!("{{\"id\":\"u{n}\"}}"),
                        members => format!("{{\"id\":\"u{n}\",{members}}}"),
                    })
                    .collect();
                read(format!(
                    r#"{{"page_count":1,"page_number":1,"users":[{}]}}"#,
                    users.join(", ")
                ))
            }
        }
    };
    let site = site_with_option("list_detail", detail);
    let arguments = [("page_size", "300")];
    run_at(&site, "user/list", &arguments, v2).unwrap()
}

/// The objects, and the names of unreadable members.
fn shown(run: &Run) -> (String, Vec<String>) {
    let answer = &run.finished.answer;
    let object = answer.result.as_ref().unwrap();
    let text = std::str::from_utf8(object.json()).unwrap();
    let (_, users) = text.split_once(r#""users":["#).unwrap();
    let unreadable = answer
        .warnings
        .iter()
        .filter(|warning| warning.reason.starts_with("left out: "))
        .flat_map(|warning| warning.field.split(", "));
    let unreadable = unreadable.map(str::to_owned).collect();
    (users.strip_suffix("]}").unwrap().to_owned(), unreadable)
}

proptest! {
    #[test]
    fn list_items_equal_single_objects(
        users in prop::collection::vec(user(), 1..8), detail in prop_oneof!["full", "profile"]
    ) {
        let (together, unreadable) = shown(&list(&users.iter().collect::<Vec<_>>(), &detail));
        let mut names: Vec<String> = Vec::new();
        let mut objects = Vec::new();
        for (n, user) in users.iter().enumerate() {
            let (object, unreadable) = shown(&list(&[user], &detail));
            objects.push(object.replacen(r#""id":"u0""#, &format!("\"id\":\"u{n}\""), 1));
            for name in unreadable {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        prop_assert_eq!(together, objects.join(","));
        prop_assert_eq!(unreadable, names);
    }
}
