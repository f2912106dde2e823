//! Every operation terminates for any request and any v2 responses.

use mappings::{Arguments, Catalog, Outcome, Translation, catalog::operation::Operation};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::driver::{NOW, catalog, site};

/// Responses with expected names and odd values.
fn body() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![
            Just(i64::MAX),
            Just(i64::MIN),
            Just(0),
            Just(1),
            any::<i64>()
        ]
        .prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9/=-]{0,12}".prop_map(Value::from),
        Just(json!("2020-09-13T12:30:00Z")),
        Just(json!("9999-12-31T23:59:59Z")),
    ];
    let names = prop::sample::select(NAMES);
    scalar.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

/// Member names of responses.
const NAMES: &[&str] = &[
    "id",
    "uuid",
    "type",
    "code",
    "message",
    "meetings",
    "users",
    "members",
    "groups",
    "webinars",
    "participants",
    "registrants",
    "recording_files",
    "occurrences",
    "next_page_token",
    "page_number",
    "total_records",
    "page_count",
    "host_id",
    "host_email",
    "email",
    "start_time",
    "duration",
    "ids",
    "settings",
    "status",
    "approval_type",
    "user_created_at",
    "from",
    "to",
];

const VALUES: &[&str] = &[
    "",
    "1",
    "0",
    "-1",
    "9223372036854775807",
    "1234567890",
    "a,b,c",
    "me",
    "..",
    "/a//b==",
    "%2F",
    "x@example.com",
    "2020-01-31",
    "0000-00-00",
    "9999-12-31",
    "9999-12-31T23:59:59-23:59",
    "{}",
    "[]",
    "[[[1]]]",
    "{\"type\":1}",
    "true",
    "ä€\u{0}",
];

fn run(
    catalog: &Catalog,
    operation: &Operation,
    picks: &[usize],
    answers: &[(u16, Value)],
    strict: bool,
) {
    let site = mappings::Site {
        strict,
        ..site(catalog)
    };
    let mut picks = picks.iter().cycle();
    let mut given = Arguments::default();
    for parameter in &operation.parameters {
        let value = VALUES[*picks.next().unwrap() % VALUES.len()];
        let name = match picks.next().unwrap() % 9 {
            0 => format!("{}[]", parameter.name),
            1 => format!("{}[0][id]", parameter.name),
            2 => continue,
            _ => parameter.name.clone(),
        };
        given.add(name, mappings::Argument::Text(value.to_owned()));
    }
    let Ok(mut translation) = Translation::begin(catalog, operation, given, &site, NOW) else {
        return;
    };
    let _ = (translation.paging_key(), translation.write_key());
    let mut answers = answers.iter().cycle();
    let mut made = 0;
    loop {
        let ready = translation.ready();
        if translation.is_done() {
            break;
        }
        assert!(
            !ready.is_empty(),
            "{}: nothing is ready and nothing is done",
            operation.name
        );
        for call in ready {
            made += 1;
            let (status, body) = answers.next().unwrap();
            let outcome = match made {
                3000.. => Outcome::NoAnswer { maybe_done: true },
                _ => Outcome::Answered {
                    status: *status,
                    body: Some(body.clone().into()),
                },
            };
            translation.complete(call.id, outcome);
        }
    }
    let answer = translation.finish(NOW).answer;
    if let Ok(answer) = answer.result {
        let _: Value = serde_json::from_slice(answer.json()).expect("an answer is JSON");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_terminates(
        picks in prop::collection::vec(any::<usize>(), 4..24),
        answers in prop::collection::vec(
            (prop::sample::select(&[200_u16, 200, 200, 201, 204, 400, 404, 429, 500][..]), body()), 1..8),
        strict in any::<bool>(),
    ) {
        let catalog = catalog();
        for operation in catalog.operations().iter().filter(|operation| operation.plan().is_some()) {
            run(catalog, operation, &picks, &answers, strict);
        }
    }
}

#[test]
fn accepts_extreme_numbers() {
    let catalog = catalog();
    let extreme = [i64::MAX, i64::MIN, 0, -1];
    for operation in catalog
        .operations()
        .iter()
        .filter(|operation| operation.plan().is_some())
    {
        for number in extreme {
            let mut entry = json!({});
            let mut body = json!({ "next_page_token": "t" });
            for name in NAMES {
                entry[*name] = number.into();
                body[*name] = number.into();
            }
            for list in [
                "meetings",
                "users",
                "members",
                "groups",
                "webinars",
                "participants",
                "registrants",
            ] {
                body[list] = json!([entry.clone(), entry.clone()]);
            }
            body["next_page_token"] = "t".into();
            run(catalog, operation, &[1, 8, 5, 7], &[(200, body)], false);
        }
    }
}
