//! Classification of differences between two v1 responses.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mappings::Catalog;
use recording::comparison::{Comparison, Noise, Row, Verdict, compare};
use serde_json::{Value, json};

fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

/// The only row other than `same`, or else a row that is.
fn differing_row(catalog: &Catalog, operation: &str, old: &Value, new: &Value) -> Row {
    let operation = catalog.find(operation).unwrap();
    let comparison =
        Comparison::of_answers(catalog, Some(operation), "", ("v1", old), ("shim", new));
    let mut rows = comparison.rows;
    rows.retain(|row| row.verdict != Verdict::Same);
    assert!(rows.len() <= 1, "{rows:?}");
    rows.pop().unwrap_or_else(|| Row {
        path: String::new(),
        field: String::new(),
        place: None,
        old: None,
        new: None,
        verdict: Verdict::Same,
        kind: None,
        reason: String::new(),
    })
}

#[test]
fn classifies_differences_of_v1_responses() {
    use Verdict::{Lossy, Same, Unexpected, Volatile};
    let time = |day: u8| json!(format!("2019-11-{day:02}T08:10:00Z"));
    let none = Value::Null; // the member is not there
    #[rustfmt::skip] // a table
    let cases: Vec<(&str, &str, Value, Value, Verdict, &str)> = vec![
        // Equal, or equivalent.
        ("user/get", "dept", json!("R&D"), json!("R&D"), Same, ""),
        ("user/get", "pmi", json!(2_035_134_243), json!(2_035_134_243), Same, ""),
        ("user/get", "pmi", json!(1), json!(1.0), Same, ""),
        ("user/get", "zak", json!(""), json!(""), Same, ""),
        // Exact fields: every difference is unexpected.
        ("user/get", "dept", json!("R&D"), json!("Sales"), Unexpected, "another value"),
        ("user/get", "dept", json!("R&D"), json!(""), Unexpected, "another value"),
        ("user/get", "dept", json!("R&D"), none.clone(), Unexpected, "missing"),
        ("user/get", "dept", none.clone(), json!("R&D"), Unexpected, "extra"),
        ("user/get", "pmi", json!(1), json!("1"), Unexpected, "number became string"),
        ("user/get", "verified", json!(1), json!(true), Unexpected, "number became boolean"),
        ("user/get", "disable_chat", json!(true), json!(false), Unexpected, "another value"),
        ("user/get", "disable_chat", json!(true), json!("true"), Unexpected, "boolean became string"),
        ("user/get", "created_at", time(1), time(2), Unexpected, "another value"),
        ("user/get", "id", json!("a"), json!("b"), Unexpected, "another value"),
        ("user/get", "nobody_knows", json!(1), json!(2), Unexpected, "another value"),
        // Losses documented in the catalog, and only these.
        ("user/get", "auto_delete_cmr_days", json!(45), json!(60), Lossy, "30, 60, 90"),
        ("user/get", "auto_delete_cmr_days", json!(45), json!(90), Unexpected, "another value"),
        ("user/get", "auto_delete_cmr_days", json!(60), json!(30), Unexpected, "another value"),
        ("user/get", "auto_delete_cmr_days", json!(45), json!("60"), Unexpected, "became string"),
        ("user/get", "meeting_capacity", json!(0), json!(100), Lossy, "inherited"),
        ("user/get", "meeting_capacity", json!(100), json!(0), Unexpected, "another value"),
        ("user/get", "meeting_capacity", json!(0), json!("100"), Unexpected, "became string"),
        ("user/get", "type", json!(3), json!(2), Lossy, "3 is sent as 2"),
        ("user/get", "type", json!(2), json!(1), Unexpected, "another value"),
        ("user/get", "type", json!(2), json!("2"), Unexpected, "number became string"),
        ("user/get", "status", json!(0), json!(1), Unexpected, "another value"),
        ("user/get", "zpk", json!("an-old-zpk"), json!(""), Lossy, "v2 dropped the zpk"),
        ("user/get", "zpk", none.clone(), json!(""), Unexpected, "extra"),
        ("user/checkzpk", "expire_in", json!(60), none.clone(), Lossy, "v2 dropped the zpk"),
        ("user/get", "zpk", json!(""), json!("a-new-zpk"), Unexpected, "another value"),
        ("user/get", "enable_attention_tracking", json!(true), json!(false), Lossy, "April 2020"),
        ("user/get", "enable_attention_tracking", json!(false), json!(true), Unexpected, "another"),
        ("user/get", "token", json!("an-old-token"), json!(""), Lossy, "allow list"),
        // Values that change with each response.
        ("user/get", "zak", json!("one"), json!("two"), Volatile, "token"),
        ("user/get", "zak", json!("one"), json!(""), Unexpected, "another value"),
        ("user/get", "zak", json!(""), json!("two"), Unexpected, "another value"),
        ("user/get", "token", json!("one"), json!("two"), Volatile, "token"),
        ("user/get", "lastLoginTime", time(1), time(2), Volatile, "delay"),
        ("user/get", "lastLoginTime", time(1), json!("yesterday"), Unexpected, "another value"),
        ("user/get", "lastLoginTime", time(1), json!(5), Unexpected, "string became number"),
        ("user/update", "updated_at", time(1), time(2), Volatile, "the time of the answer"),
        ("user/update", "updated_at", time(1), none.clone(), Unexpected, "missing"),
        ("user/delete", "deleted_at", time(1), time(2), Volatile, "the time of the answer"),
        ("user/get", "pic_url", json!("https://cdn.example.com/1.png?sig=a"), json!("https://cdn.example.com/1.png?sig=b"), Volatile, "a signed URL"),
        ("user/get", "pic_url", json!("https://cdn.example.com/1.png?sig=a"), json!("https://cdn.example.com/2.png?sig=a"), Unexpected, "another value"),
        // Errors.
        ("user/get", "error", json!({ "code": 1001 }), json!({ "code": 300 }), Unexpected, "another"),
        ("user/get", "error", json!({ "code": 1001 }), none.clone(), Unexpected, "answer instead of an error"),
        // Lists: users are paired by id.
        ("user/list", "users", json!([{ "id": "a" }, { "id": "b" }]), json!([{ "id": "b" }, { "id": "a" }]), Unexpected, "another order"),
        ("user/list", "users", json!([{ "id": "a" }]), json!([]), Unexpected, "missing"),
        ("user/list", "users", json!([]), json!([{ "id": "a" }]), Unexpected, "extra"),
        ("user/list", "users", json!([{ "id": "a", "pmi": 1 }, { "id": "b", "pmi": 2 }]), json!([{ "id": "a", "pmi": 1 }, { "id": "b", "pmi": 3 }]), Unexpected, "another value"),
        ("user/list", "users", json!([{ "id": "a", "type": 3 }]), json!([{ "id": "a", "type": 2 }]), Lossy, "3 is sent as 2"),
        ("user/list", "total_records", json!(40), json!(41), Unexpected, "another value"),
    ];
    assert!(cases.len() >= 40);
    let catalog = catalog();
    for (operation, field, old, new, verdict, reason) in cases {
        let object = |value: &Value| match value {
            Value::Null => json!({}),
            value => json!({ field: value }),
        };
        let row = differing_row(&catalog, operation, &object(&old), &object(&new));
        let case = format!("{operation} {field} {old} {new}: {row:?}");
        assert_eq!(row.verdict, verdict, "{case}");
        assert!(row.reason.contains(reason), "{case}");
    }
}

#[test]
fn without_an_operation_every_difference_is_unexpected() {
    let catalog = catalog();
    let (old, new) = (json!({ "type": 3 }), json!({ "type": 2 }));
    let comparison = Comparison::of_answers(&catalog, None, "", ("a", &old), ("b", &new));
    assert_eq!(comparison.count(Verdict::Unexpected), 1);
}

#[test]
fn noise_cancels_values_but_not_missing_members() {
    let catalog = catalog();
    let operation = catalog.find("user/get");
    let first = json!({ "pmi": 1, "dept": "a", "id": "x" });
    let again = json!({ "pmi": 2, "dept": "a", "id": "x" });
    let mut noise = Noise::default();
    noise.learn("user/get", &compare(&catalog, None, &first, &again));
    let judged = |operation_name: &str, other: &Value| {
        let mut rows = compare(&catalog, operation, &first, other);
        noise.cancel(operation_name, &mut rows);
        let verdicts = rows
            .iter()
            .map(|row| format!("{} {}", row.field, row.verdict));
        verdicts.collect::<Vec<_>>()
    };
    let other = json!({ "pmi": 7, "dept": "b", "id": "x" });
    assert_eq!(
        judged("user/get", &other),
        ["pmi volatile", "dept unexpected", "id same"]
    );
    assert_eq!(
        judged("user/list", &other),
        ["pmi unexpected", "dept unexpected", "id same"]
    );
    let other = json!({ "dept": "a", "id": "x" });
    assert_eq!(
        judged("user/get", &other),
        ["pmi unexpected", "dept same", "id same"]
    );
}
