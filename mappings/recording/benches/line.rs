//! The cost of a line of a recording.
//!
//! `cargo bench -p recording`

use std::sync::LazyLock;

use mappings::{Arguments, Body, Catalog, Method, Outcome, RateLabel, V2Request};
use recording::{Redactor, Unredacted, UnredactedCall, Wrapping};
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

/// The line of a small exchange, and of one with as many settings as v2 has.
#[divan::bench(args = ["user/checkemail", "user/get"])]
fn record(bencher: divan::Bencher<'_, '_>, operation: &str) {
    let exchange = match operation {
        "user/checkemail" => check_email(),
        _ => get(),
    };
    let redactor = Redactor::new(&CATALOG, None);
    bencher.bench_local(|| {
        let record = redactor.record(&CATALOG, &exchange, &["an.access-token"]);
        record.write().map_or(0, |line| line.len())
    });
}

fn check_email() -> Unredacted {
    let answer = json!({ "existed_email": true });
    let calls = vec![call("/users/email", answer)];
    exchange(
        "user/checkemail",
        "email",
        &json!({ "existed": true, "email": "ada@example.com" }),
        calls,
    )
}

fn get() -> Unredacted {
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
    let calls = vec![
        call("/users/ada%40example.com", user.clone()),
        call("/users/ada%40example.com/settings", Value::from(settings)),
        call(
            "/users/ada%40example.com/token",
            json!({ "token": "a.zak.of-ada" }),
        ),
    ];
    exchange("user/get", "id", &user, calls)
}

fn exchange(
    operation: &str,
    parameter: &str,
    answer: &Value,
    calls: Vec<UnredactedCall>,
) -> Unredacted {
    let given = [
        ("api_key", "a-key"),
        ("api_secret", "a-v1-secret"),
        (parameter, "ada@example.com"),
    ];
    Unredacted {
        id: "1".to_owned(),
        request: None,
        at: 1_600_000_000_123,
        micros: 1900,
        site: None,
        operation: operation.to_owned(),
        wrapping: Wrapping::Form,
        arguments: given.into_iter().collect::<Arguments>(),
        answer: answer.to_string().into(),
        calls,
    }
}

fn call(path: &str, answer: Value) -> UnredactedCall {
    let request = V2Request {
        method: Method::Get,
        path: path.to_owned(),
        query: Vec::new(),
        body: Body::None,
        template: "/users/{userId}".into(),
        label: RateLabel::Light,
    };
    let outcome = Outcome::Answered {
        status: 200,
        body: Some(answer.into()),
    };
    UnredactedCall::new("call".to_owned(), request, &outcome, 900)
}
