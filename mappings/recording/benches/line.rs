//! What it costs to make a line of a recording.
//!
//! `cargo bench -p recording`

use std::sync::LazyLock;

use mappings::{Arguments, Body, Catalog, Method, Outcome, V2Request};
use recording::{LineWriter, Redactor, Unredacted, UnredactedCall, Wrapping};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| match Catalog::embedded() {
    Ok(catalog) => catalog,
    Err(error) => unreachable!("the tests load it too: {error}"),
});

fn main() {
    divan::main();
}

/// The line of an exchange.
#[divan::bench]
fn record(bencher: divan::Bencher<'_, '_>) {
    let exchange = exchange();
    let mut writer = LineWriter::new(Redactor::new(&CATALOG, None));
    let mut line = Vec::new();
    bencher.bench_local(|| {
        line.clear();
        let written = writer.write(&CATALOG, &exchange, &["an.access-token"], &mut line);
        (written.is_ok(), line.len())
    });
}

/// An exchange as large as v2's are: some 300 settings.
fn exchange() -> Unredacted {
    let settings: serde_json::Map<_, _> = (0..30)
        .map(|group| {
            let settings: serde_json::Map<_, _> = (0..10)
                .map(|number| (format!("a_setting_of_the_group_{number}"), number % 3 == 0))
                .map(|(name, on)| (name, Value::from(on)))
                .collect();
            (format!("group_of_settings_{group}"), Value::from(settings))
        })
        .collect();
    let user = json!({
        "id": "WWveLh6WgYg1NR14Nvw_Qo", "email": "ada@example.com", "first_name": "Ada",
        "dept": "Analytical Engines", "created_at": "2019-03-04T08:30:00Z", "pmi": 8_480_616_537_u64,
        "pic_url": "https://zoom.example.com/p/v2/dd9ba2dc78e4723f?sig=x",
    });
    let call = |path: &str, answer: Value| {
        let request = V2Request {
            method: Method::Get,
            path: path.to_owned(),
            query: Vec::new(),
            body: Body::None,
            template: "/users/{userId}".into(),
        };
        let outcome = Outcome::Answered {
            status: 200,
            body: Some(answer.into()),
        };
        UnredactedCall::new("call".to_owned(), request, &outcome, 900)
    };
    let given = [
        ("api_key", "a-key"),
        ("api_secret", "a-v1-secret"),
        ("id", "ada@example.com"),
    ];
    Unredacted {
        id: "1".to_owned(),
        at: 1_600_000_000_123,
        micros: 1900,
        site: None,
        operation: "user/get".to_owned(),
        wrapping: Wrapping::Form,
        arguments: given.into_iter().collect::<Arguments>(),
        answer: user.to_string().into(),
        calls: vec![
            call("/users/ada%40example.com", user),
            call("/users/ada%40example.com/settings", Value::from(settings)),
            call(
                "/users/ada%40example.com/token",
                json!({ "token": "a.zak.of-ada" }),
            ),
        ],
    }
}
