//! Whatever is asked and answered, its record is one line, can be read, and quotes no secret.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mappings::{Arguments, Body, Catalog, Document, Method, Outcome, V2Request};
use recording::{Exchange, PseudonymKey, Redactor, Unredacted, UnredactedCall, Wrapping};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().expect("it is tested"));

const SECRET: &str = "hush-7f3a9c";

fuzz_target!(|input: (bool, String, String, Vec<u8>, Vec<u8>)| {
    let (has_key, name, text, v1, v2) = input;
    // So that there is something to hide, somewhere.
    let quoting = |json: Vec<u8>| String::from_utf8_lossy(&json).replace('?', SECRET).into_bytes();
    let (v1, v2) = (quoting(v1), quoting(v2));
    let (Ok(answer), Ok(read)) = (Document::read(v1.clone()), Document::read(v2)) else {
        return;
    };
    let request = V2Request {
        method: Method::Get,
        path: "/users/u1".to_owned(),
        query: vec![(name.clone(), text.replace('?', SECRET))],
        body: Body::None,
        template: "/users/{userId}".into(),
    };
    let outcome = Outcome::Answered { status: 200, body: Some(read) };
    let given = [("password", SECRET), ("email", &text), (name.as_str(), "1")];
    let exchange = Unredacted {
        id: "1".to_owned(),
        request: None,
        at: 0,
        micros: 1,
        site: None,
        operation: "user/autocreate".to_owned(),
        wrapping: Wrapping::Form,
        arguments: given.into_iter().collect::<Arguments>(),
        answer: answer.text(),
        calls: vec![UnredactedCall::new("user".to_owned(), request, &outcome, 1)],
    };
    let key = has_key.then(|| PseudonymKey::new("sixteen or more characters").expect("it is long"));
    let record = Redactor::new(&CATALOG, key).record(&CATALOG, &exchange, &[]);
    let line = record.write().expect("it is written");
    assert!(!line.contains('\n') && !line.contains(SECRET), "{line}");
    Exchange::read(&line).expect("it is read");
});
