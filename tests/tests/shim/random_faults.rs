//! Writes while more than a quarter of v2's calls fail in nine ways: nothing is sent twice that v2
//! may have done, and what the answers claim is so.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use end_to_end::{Answer, Stage, Tampered};
use serde_json::Value;

/// Faults as the sandbox reads them. Behind the first of these, v2 surely did nothing.
const FAULTS: [&str; 9] = [
    "status=429,retry_after=0",
    "answer=expired-token",
    "answer=drop",
    "answer=drop,when=after",
    "status=500",
    "status=502,when=after",
    "status=503",
    "answer=html,when=after",
    "answer=truncate",
];
const HARMLESS: usize = 2;
const SHARE: f64 = 0.28;

/// The variable with the number of rounds, each with a seed of its own. `.ci/run long` sets it.
const ROUNDS: &str = "RANDOM_FAULT_ROUNDS";

/// A v1 write, and where v2 shows that each of its calls was done.
struct Write {
    operation: &'static str,
    given: Vec<(&'static str, String)>,
    /// By the name of the call in the plan; of a plan with one write, any name.
    effects: Vec<Named>,
}

type Given<'g> = (&'static str, &'g str);
type Named = (&'static str, Effect);

/// A member of what v2 shows, and its value.
struct Effect {
    path: String,
    at: &'static str,
    is: Value,
}

fn effect(path: impl Into<String>, at: &'static str, is: impl Into<Value>) -> Effect {
    Effect {
        path: path.into(),
        at,
        is: is.into(),
    }
}

impl Effect {
    async fn is_there(&self, stage: &Stage) -> bool {
        let shown = stage.v2(&self.path).await;
        shown.pointer(self.at) == Some(&self.is)
    }
}

/// Every kind of write, each about something of its own.
#[expect(clippy::too_many_lines, reason = "one entry for each write")]
async fn writes(stage: &Stage) -> Vec<Write> {
    let ada = stage.v2_user("ada.lovelace@example.com").await;
    let group = ada["group_ids"][0].as_str().unwrap().to_owned();
    let mut writes = Vec::new();
    for kind in ["custcreate", "autocreate"] {
        for number in 0..4 {
            let email = format!("{kind}-{number}@example.com");
            let user = format!("/users/{email}");
            writes.push(Write {
                operation: if kind == "custcreate" {
                    "user/custcreate"
                } else {
                    "user/autocreate"
                },
                given: vec![
                    ("email", email.clone()),
                    ("type", "2".to_owned()),
                    ("password", "Analytical4Engine".to_owned()),
                    ("dept", "R&D".to_owned()),
                    ("disable_chat", "true".to_owned()),
                    ("group_id", group.clone()),
                ],
                effects: vec![
                    ("create", effect(user.clone(), "/email", email)),
                    ("profile", effect(user.clone(), "/dept", "R&D")),
                    (
                        "settings",
                        effect(format!("{user}/settings"), "/in_meeting/chat", false),
                    ),
                    ("group", effect(user, "/group_ids/0", group.as_str())),
                ],
            });
        }
    }
    let mut users = plain_users(stage).await.into_iter();
    let mut about = |operation, given: &[Given<'_>], effects: &dyn Fn(&str) -> Vec<Named>| {
        let id = users.next().unwrap();
        let given = given
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        writes.push(Write {
            operation,
            effects: effects(&id),
            given: std::iter::once(("id", id)).chain(given).collect(),
        });
    };
    let user = |id: &str| format!("/users/{id}");
    for number in 0..6 {
        let dept = format!("Dept {number}");
        about(
            "user/update",
            &[("dept", &dept), ("disable_private_chat", "true")],
            &|id| {
                let settings = user(id) + "/settings";
                vec![
                    ("profile", effect(user(id), "/dept", dept.as_str())),
                    (
                        "settings",
                        effect(settings, "/in_meeting/private_chat", false),
                    ),
                ]
            },
        );
    }
    let gone = |id: &str| vec![("delete", effect(user(id), "/code", 1001))];
    for _ in 0..3 {
        about("user/deactivate", &[], &|id| {
            vec![("status", effect(user(id), "/status", "inactive"))]
        });
        about("user/delete", &[], &gone);
        about("user/permanentdelete", &[], &gone);
        about(
            "user/assistant/set",
            &[("assistant_email", "ada.lovelace@example.com")],
            &|id| {
                let path = user(id) + "/assistants";
                let ada = "ada.lovelace@example.com";
                vec![("add", effect(path, "/assistants/0/email", ada))]
            },
        );
    }
    for number in 0..3 {
        for area in ["meeting", "webinar"] {
            let kind = if area == "meeting" { "2" } else { "5" };
            // Mary has webinars.
            let host = match area {
                "meeting" => "ada.lovelace@example.com",
                _ => "mary.jackson@example.com",
            };
            let given = [
                ("host_id", host),
                ("type", kind),
                ("topic", "First"),
                ("start_time", "2031-05-01T09:30:00Z"),
                ("duration", "30"),
            ];
            let create = format!("{area}/create");
            let made = async || stage.ask(&create, &given).await.success()["id"].to_string();
            let id = made().await;
            let path = format!("/{area}s/{id}");
            let topic = format!("Other {number}");
            let host = ("host_id", given[0].1.to_owned());
            let update = if area == "meeting" {
                "meeting/update"
            } else {
                "webinar/update"
            };
            writes.push(Write {
                operation: update,
                given: vec![("id", id.clone()), host.clone(), ("topic", topic.clone())],
                effects: vec![("update", effect(path, "/topic", topic))],
            });
            let id = made().await;
            let delete = if area == "meeting" {
                "meeting/delete"
            } else {
                "webinar/delete"
            };
            writes.push(Write {
                operation: delete,
                given: vec![("id", id.clone()), host],
                effects: vec![("delete", effect(format!("/{area}s/{id}"), "/code", 3001))],
            });
        }
    }
    writes
}

/// Licensed users that nothing else of the tests is about.
async fn plain_users(stage: &Stage) -> Vec<String> {
    let page = stage.v2("/users?page_size=300").await;
    let users = page["users"].as_array().unwrap().iter();
    let plain = users.filter(|user| user["type"] == 2 && user["role_id"] == "2");
    let named = plain.filter(|user| {
        let email = user["email"].as_str().unwrap();
        !email.starts_with("ada.")
            && !email.starts_with("mary.")
            && !email.contains("managed")
            && !email.contains("create-")
    });
    named
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

/// How an answer says that a call ended: stored, unknown or not stored; nothing if it says nothing.
fn claims(answer: &Answer, calls: &[&'static str]) -> BTreeMap<&'static str, bool> {
    let error = &answer.body["error"];
    if error.is_null() {
        return calls.iter().map(|call| (*call, true)).collect();
    }
    let message = error["message"].as_str().unwrap();
    let mut claimed = BTreeMap::new();
    let Some((_, progress)) = message.split_once(" (user ") else {
        // One call, or the first of several.
        if !message.contains("nothing is known about the outcome") {
            claimed.extend(calls.iter().map(|call| (*call, false)));
        }
        return claimed;
    };
    let progress = progress.split_once(": ").unwrap().1;
    let progress = progress.split("; ").next().unwrap();
    let mut open: Vec<&str> = Vec::new();
    for part in progress.split(", ") {
        let how = [
            (" not stored", Some(false)),
            (" unknown", None),
            (" stored", Some(true)),
        ];
        let ended = how
            .iter()
            .find_map(|(end, is)| Some((part.strip_suffix(end)?, *is)));
        let Some((name, is)) = ended else {
            open.push(part);
            continue;
        };
        for name in open.drain(..).chain([name]) {
            if let (Some(is), Some(call)) = (is, calls.iter().find(|call| **call == name)) {
                claimed.insert(*call, is);
            }
        }
    }
    claimed
}

/// Panics if a request sent the same write again after v2 may have done it.
fn nothing_was_sent_twice(calls: &[Tampered]) {
    let mut open = BTreeSet::new();
    for Tampered {
        request,
        call,
        fault,
    } in calls
    {
        if call.method == Method::GET || !call.path.starts_with("/v2/") {
            continue;
        }
        let key = (request, call.line(), call.body.to_vec());
        assert!(!open.contains(&key), "sent twice: {call:?}");
        let is_harmless = fault.is_some_and(|fault| FAULTS[..HARMLESS].contains(&fault));
        if !is_harmless {
            open.insert(key);
        }
    }
}

#[tokio::test]
async fn what_answers_claim_is_so_and_nothing_is_sent_twice() {
    let rounds = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok());
    for round in 0..rounds.unwrap_or(2) {
        let account = shim_sandbox::SandboxConfig {
            users: 80,
            ..shim_sandbox::SandboxConfig::default()
        };
        let stage = Stage::with(account, "").await;
        let writes = writes(&stage).await;
        stage.wire().mend();
        stage.wire().fail_by_chance(round, SHARE, &FAULTS);
        let mut answers = Vec::new();
        for Write {
            operation, given, ..
        } in &writes
        {
            let (stage, operation, given) = (stage.clone(), *operation, given.clone());
            answers.push(tokio::spawn(async move {
                let given: Vec<_> = given.iter().map(|(n, v)| (*n, v.as_str())).collect();
                stage.ask(operation, &given).await
            }));
        }
        let mut told = Vec::new();
        for answer in answers {
            told.push(answer.await.unwrap());
        }
        nothing_was_sent_twice(&stage.wire().mend());
        let mut kinds = [0, 0];
        for (write, answer) in writes.iter().zip(&told) {
            kinds[usize::from(answer.body.get("error").is_some())] += 1;
            let calls: Vec<_> = write.effects.iter().map(|(call, _)| *call).collect();
            let claimed = claims(answer, &calls);
            for (call, effect) in &write.effects {
                if let Some(claimed) = claimed.get(call) {
                    let is_there = effect.is_there(&stage).await;
                    assert_eq!(
                        *claimed, is_there,
                        "round {round}: {call} of {} {:?}: {answer:?}",
                        write.operation, write.given
                    );
                }
            }
        }
        // Both ends were seen.
        assert!(kinds.iter().all(|count| *count > 5), "{kinds:?}");
        // Creates that the error says a repetition finishes are finished.
        for (write, answer) in writes.iter().zip(told) {
            let message = answer.body["error"]["message"].as_str().unwrap_or_default();
            if message.contains("does what is missing)") {
                let given: Vec<_> = write.given.iter().map(|(n, v)| (*n, v.as_str())).collect();
                stage.ask(write.operation, &given).await.success();
                for (call, effect) in &write.effects {
                    assert!(effect.is_there(&stage).await, "{call} of {:?}", write.given);
                }
            }
        }
    }
}
