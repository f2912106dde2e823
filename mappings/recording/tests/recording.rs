//! Recordings can be read back and contain no secrets.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::LazyLock;

use mappings::{
    Argument, Arguments, Body, Catalog, Method, Outcome, RateLabel, V1Answer, V1Error, V2Request,
};
use proptest::prelude::*;
use recording::{
    Exchange, FORMAT, PseudonymKey, REDACTED, RecordError, Redactor, Unredacted, UnredactedCall,
    V1Exchange, V2Exchange, Wrapping, moment,
};
use serde_json::{Value, json};

fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());
    &CATALOG
}

fn key() -> PseudonymKey {
    PseudonymKey::new("sixteen or more characters").unwrap()
}

/// An unredacted exchange.
fn exchange(arguments: &[(&str, &str)], answer: &Value, calls: Vec<UnredactedCall>) -> Unredacted {
    Unredacted {
        id: "1".to_owned(),
        request: None,
        at: 1_600_000_000_123,
        micros: 1900,
        site: None,
        operation: "user/autocreate".to_owned(),
        wrapping: Wrapping::Form,
        arguments: arguments.iter().copied().collect(),
        answer: answer.to_string().into(),
        calls,
    }
}

fn call(path: &str, query: &[(&str, &str)], body: Value, answer: Value) -> UnredactedCall {
    let request = V2Request {
        method: Method::Post,
        path: path.to_owned(),
        query: query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Body::Json(body),
        template: "/users/{userId}".into(),
        label: RateLabel::Light,
    };
    let outcome = Outcome::Answered {
        status: 400,
        body: Some(answer.into()),
    };
    UnredactedCall::new("create".to_owned(), request, &outcome, 900)
}

/// The unredacted record of an exchange.
fn plain(exchange: &Unredacted) -> Exchange {
    let Value::Object(members) = serde_json::from_slice(&exchange.answer).unwrap() else {
        panic!("an answer is an object");
    };
    let answer = V1Answer {
        result: Ok((&members).into()),
        warnings: Vec::new(),
    };
    let calls = exchange.calls.iter().map(|call| {
        let outcome = Outcome::Answered {
            status: 400,
            body: call.answer.clone(),
        };
        V2Exchange::new(&call.call, &call.request, &outcome, call.micros)
    });
    Exchange {
        format: FORMAT,
        id: exchange.id.clone(),
        request: None,
        at: moment(exchange.at),
        micros: exchange.micros,
        site: exchange.site.as_deref().cloned(),
        incomplete: None,
        v1: V1Exchange::new(
            &exchange.operation,
            exchange.wrapping,
            &exchange.arguments,
            &answer,
        ),
        v2: calls.collect(),
    }
}

/// The redacted record of an exchange, which must not depend on whether it is redacted before or
/// after conversion.
fn redacted(exchange: &Unredacted, key: Option<PseudonymKey>, others: &[&str]) -> Exchange {
    let of_record = again(plain(exchange), key.clone(), others);
    let recorded = Redactor::new(catalog(), key).record(catalog(), exchange, others);
    assert_eq!(recorded, of_record);
    recorded
}

fn again(mut exchange: Exchange, key: Option<PseudonymKey>, others: &[&str]) -> Exchange {
    Redactor::new(catalog(), key).exchange(catalog(), &mut exchange, others);
    exchange
}

const SECRET: &str = "s3cret/+of v1";
const PASSWORD: &str = "pass w&rd";

fn with_secrets() -> Unredacted {
    exchange(
        &[
            ("api_key", "the-key-of-v1"),
            ("api_secret", SECRET),
            ("email", "ada.lovelace@example.com"),
            ("first_name", "Ada"),
            ("type", "2"),
            ("password", PASSWORD),
            ("enable_phone_participants_password", "true"),
            ("stray", "anything at all"),
        ],
        &json!({
            "id": "u1", "email": "Ada.Lovelace@example.com", "first_name": "Ada", "last_name": "",
            "zak": "zak-of-ada", "zpk": "zpk-of-ada", "token": "token-of-ada", "host_key": 734_213,
            "pic_url": "https://cdn.example.com/p/1.png?sig=abc&Expires=1",
            "enable_phone_participants_password": true,
            "start_url": "https://zoom.example.com/s/1?zak=eyJ.a.b",
        }),
        vec![call(
            "/users/ada.lovelace%40example.com/settings",
            &[("login_type", "100"), ("access_token", "v2-token")],
            json!({ "user_info": { "email": "ada.lovelace@example.com", "password": PASSWORD } }),
            json!({
                "code": 300,
                "message": format!(
                    "Bad: {PASSWORD}, api_secret=s3cret%2F%2Bof+v1&id=1, Bearer abc.def, token-of-ada, \
                     Authorization: Basic aGk6aG8=, v2-token, 734213, User ada.lovelace@example.com \
                     (Ada), \"api_key\":\"other\", eyJhbGciOi.J9.abc"
                ),
                "next_page_token": "page-2",
            }),
        )],
    )
}

#[test]
fn secrets_are_replaced() {
    insta::assert_json_snapshot!("redacted", redacted(&with_secrets(), None, &["v2-token"]));
}

#[test]
fn addresses_and_names_become_pseudonyms() {
    insta::assert_json_snapshot!(
        "pseudonyms",
        redacted(&with_secrets(), Some(key()), &["v2-token"])
    );
}

#[test]
fn redaction_is_idempotent() {
    for key in [None, Some(key())] {
        let once = redacted(&with_secrets(), key.clone(), &[]);
        assert_eq!(again(once.clone(), key, &[]), once);
    }
}

#[test]
fn pseudonyms_are_stable_for_a_key() {
    let of = |text: &str, key: &str| {
        let mut value = json!({ "email": text });
        Redactor::new(catalog(), Some(PseudonymKey::new(key).unwrap())).value(&mut value);
        value["email"].as_str().unwrap().to_owned()
    };
    let one = of("ada@example.com", "the first of two keys");
    assert!(one.ends_with("@pseudonym.invalid") && !one.contains("ada"));
    assert_eq!(one, of("Ada@Example.com", "the first of two keys"));
    assert_ne!(one, of("ada@example.com", "the second of two keys"));
    assert_ne!(one, of("grace@example.com", "the first of two keys"));
    assert!(PseudonymKey::new("short").is_err());
}

#[test]
fn keeps_text_around_addresses() {
    let redactor = Redactor::new(catalog(), Some(key()));
    let mut value = json!("<a@b.c>, 'a@b.c'; id=a%40b.c&x (a@b.c). @ a@ @b");
    redactor.value(&mut value);
    let mail = {
        let mut mail = json!("a@b.c");
        redactor.value(&mut mail);
        mail.as_str().unwrap().to_owned()
    };
    let encoded = mail.replace('@', "%40");
    assert_eq!(
        value,
        json!(format!(
            "<{mail}>, '{mail}'; id={encoded}&x ({mail}). @ a@ @b"
        ))
    );
}

#[test]
fn recognises_redacted_requests() {
    assert!(!plain(&exchange(&[("id", "u1")], &json!({}), vec![])).is_masked());
    assert!(redacted(&with_secrets(), None, &[]).is_masked());
    assert!(!redacted(&with_secrets(), None, &[]).has_pseudonyms());
    assert!(redacted(&with_secrets(), Some(key()), &[]).has_pseudonyms());
}

#[test]
fn records_round_trip() {
    let exchange = redacted(&with_secrets(), None, &[]);
    let line = exchange.write().unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(Exchange::read(&line).unwrap(), exchange);
    let another = line.replacen("\"format\":1", "\"format\":2", 1);
    assert!(matches!(
        Exchange::read(&another),
        Err(RecordError::Format(2))
    ));
    assert!(matches!(Exchange::read("{}"), Err(RecordError::Shape(_))));
}

#[test]
fn arguments_round_trip_with_file_sizes() {
    let mut arguments: Arguments = [("id", "u1")].into_iter().collect();
    let file = mappings::File {
        name: Some("secret-name.png".to_owned()),
        bytes: vec![7; 1000].into(),
    };
    arguments.add("pic_file", Argument::File(file));
    let answer = V1Answer {
        result: Err(V1Error {
            code: 1001,
            message: "User not exist: u1".to_owned(),
        }),
        warnings: Vec::new(),
    };
    let side = V1Exchange::new(
        "user/uploadpicture",
        Wrapping::Multipart,
        &arguments,
        &answer,
    );
    assert_eq!(
        side.parameters["pic_file"],
        json!({ "file": { "bytes": 1000 } })
    );
    assert_eq!(side.answer["error"]["code"], 1001);
    let again = side.arguments();
    assert_eq!(again.text("id"), Some("u1"));
    assert!(
        matches!(again.get("pic_file"), Some(Argument::File(file)) if file.bytes.len() == 1000)
    );
}

#[test]
fn outcomes_round_trip() {
    let request = V2Request {
        method: Method::Get,
        path: "/users/u1".to_owned(),
        query: Vec::new(),
        body: Body::None,
        template: "/users/{userId}".into(),
        label: RateLabel::Light,
    };
    for outcome in [
        Outcome::Answered {
            status: 204,
            body: None,
        },
        Outcome::Answered {
            status: 200,
            body: Some(json!({ "id": "u1" }).into()),
        },
        Outcome::Unreadable { status: 502 },
        Outcome::NoAnswer { maybe_done: false },
        Outcome::Refused,
        Outcome::Limited,
    ] {
        assert_eq!(
            V2Exchange::new("user", &request, &outcome, 1).outcome(),
            outcome
        );
    }
}

#[test]
fn redacts_responses_in_every_encoding() {
    let line = |answer: &str| {
        let mut exchange = exchange(&[("password", "a-known/secret")], &json!({}), Vec::new());
        exchange.calls = vec![call("/users", &[], json!({}), json!({}))];
        exchange.calls[0].answer = Some(mappings::Document::read(answer.into()).unwrap());
        let recorded = Redactor::new(catalog(), None).record(catalog(), &exchange, &[]);
        recorded.write().unwrap()
    };
    for (answer, expected) in [
        (
            r#"{ "id" :"a",  "pmi": 1.50e2 }"#,
            json!({ "id": "a", "pmi": 150.0 }),
        ),
        ("{\r\n\t\"id\": \"a\"\n}", json!({ "id": "a" })),
        (
            r#"{"dept":"R\u0026D \"x\"\n"}"#,
            json!({ "dept": "R&D \"x\"\n" }),
        ),
        (
            r#"[{"zak":"abc"},{"zak":"","host_key": 734213 }]"#,
            json!([{ "zak": REDACTED }, { "zak": "", "host_key": REDACTED }]),
        ),
        (
            r#"{ "message" : "not a-known/secret" }"#,
            json!({ "message": format!("not {REDACTED}") }),
        ),
        (
            r#"{"message":"not a-kn\u006fwn\/secret"}"#,
            json!({ "message": format!("not {REDACTED}") }),
        ),
        (
            r#"{"token":"abc-known","token":"x","message":"abc-known"}"#,
            json!({ "token": REDACTED, "message": REDACTED }),
        ),
        (
            r#"{"message":"a-known%2Fsecret"}"#,
            json!({ "message": REDACTED }),
        ),
    ] {
        let line = line(answer);
        assert!(!line.contains('\n'), "{line}");
        let read = Exchange::read(&line).unwrap();
        assert_eq!(read.v2[0].answer, Some(expected), "{answer}");
        assert!(!line.contains("known"), "{line}");
    }
}

fn all_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| all_texts(item, texts)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            texts.push(name.clone());
            all_texts(value, texts);
        }),
        _ => {}
    }
}

/// Documents with secret, personal and other names.
fn document() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-zA-Z0-9]{0,12}",
        "\\PC{0,20}",
        Just("Ada".to_owned()),
        Just("a-known-secret".to_owned()),
        Just("Hello Ada, a-known-secret and grace@example.com!".to_owned()),
        Just("https://example.com/?zak=eyJhbGciOi.J9.abc&token=x 2026-01-01T00:00:00Z".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..20_000).prop_map(Value::from),
        // Floats that survive serialization.
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        text.prop_map(Value::from),
    ];
    let name = prop_oneof![
        "[a-z_]{1,8}",
        prop::sample::select(vec![
            "email",
            "first_name",
            "Display_Name",
            "pmi",
            "host_key",
            "zak",
            "Password",
            "message",
            "meeting_password_option",
            "next_page_token",
            "dept",
            "jwt_secret",
            "naïve",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn exchange_and_record_are_redacted_equally(
        answer in document(),
        sent in document(),
        answered in document(),
        text in "\\PC{0,20}",
        has_key in any::<bool>(),
        quotes in any::<bool>(),
    ) {
        let (password, name, path) = if quotes {
            ("a-known-secret", "Ada", "/users/Ada%20a-known-secret/%F0")
        } else {
            ("Never-Quoted", "Nobody-Here", "/users/u%201/settings")
        };
        let exchange = exchange(
            &[("email", "Ada@example.com"), ("first_name", name), ("password", password),
              ("stray_token", password), ("dept", &text)],
            &json!({ "user": answer }),
            vec![call(path, &[("id", &text)], sent, answered)],
        );
        // Panics if they differ.
        redacted(&exchange, has_key.then(key), &["another-secret"]);
    }

    #[test]
    fn redacts_quoted_secrets(
        secret in "hush[ -~é]{0,20}hush",
        before in "[ -~]{0,20}",
        after in "[ -~]{0,20}",
    ) {
        let quoted = format!("{before}{secret}{after}");
        let recorded = redacted(
            &exchange(
                &[("password", &secret), ("dept", &quoted), (&quoted, "1"), ("email", &quoted)],
                &json!({ "dept": quoted, "error": { "message": quoted } }),
                vec![call("/users", &[("dept", &quoted)], json!({ "x": [quoted] }), json!(quoted))],
            ),
            None,
            &[],
        );
        let mut texts = Vec::new();
        all_texts(&serde_json::to_value(&recorded).unwrap(), &mut texts);
        prop_assert!(texts.iter().all(|text| !text.contains(&secret)), "{texts:?}");
        prop_assert_eq!(&recorded.v1.parameters["password"], REDACTED);
    }

    #[test]
    fn redacts_arbitrary_text(text in "\\PC*") {
        let redactor = Redactor::new(catalog(), Some(key()));
        let once = redactor.plain_text(&text);
        let mut value = Value::from(text);
        redactor.value(&mut value);
        prop_assert_eq!(value, once);
    }
}
