//! Joins and all report formats.

use mappings::Catalog;
use recording::{
    Exchange, FORMAT, OutcomeKind, V1Exchange, V2Exchange, Wrapping,
    comparison::{rehearse, site},
};
use serde_json::{Map, Value, json};

use super::{
    Comparison, Verdict, documents::Documents, exchange::compare_with_v2, join::join,
    report::Report,
};
use migrate_report::{
    Printer, github::Github, html::Html, junit::Junit, markdown::Markdown, text::Text,
    words::plain_json,
};

fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

fn user() -> Value {
    json!({
        "id": "kdc1", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace",
        "type": 2, "pmi": 2_035_134_243_i64, "verified": 1, "dept": "R&D", "status": "active",
        "timezone": "Europe/London", "user_created_at": "2017-01-02T03:04:05Z",
        "last_login_time": "2026-01-01T00:00:00Z", "last_client_version": "5.9.1",
    })
}

fn settings() -> Value {
    json!({
        "in_meeting": { "chat": false, "private_chat": true, "entry_exit_chime": "host" },
        "recording": { "auto_recording": "cloud", "auto_delete_cmr_days": 60 },
        "feature": { "meeting_capacity": 100 },
        "schedule_meeting": {},
        "email_notification": {},
    })
}

fn exchange() -> Exchange {
    let call = |name: &str, path: &str, answer: Value| V2Exchange {
        call: name.to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        body: None,
        outcome: OutcomeKind::default(),
        status: Some(200),
        answer: Some(answer),
        micros: 900,
    };
    let mut exchange = Exchange {
        format: FORMAT,
        id: "19ab-1".to_owned(),
        request: None,
        at: "2026-11-20T10:00:00Z".to_owned(),
        micros: 2000,
        site: None,
        incomplete: None,
        v1: V1Exchange {
            operation: "user/get".to_owned(),
            wrapping: Wrapping::default(),
            parameters: json!({ "id": "kdc1" }).as_object().unwrap().clone(),
            ignored: 0,
            answer: Value::Null,
        },
        v2: vec![
            call("user", "/users/kdc1", user()),
            call("settings", "/users/kdc1/settings", settings()),
        ],
    };
    let catalog = catalog();
    let operation = catalog.find("user/get").unwrap();
    let site = site(&catalog, None);
    exchange.v1.answer = rehearse(&catalog, operation, &site, &exchange).answer;
    exchange
}

#[test]
fn translated_response_has_no_unexpected_differences() {
    let catalog = catalog();
    let exchange = exchange();
    let operation = catalog.find("user/get").unwrap();
    let comparison = compare_with_v2(&catalog, operation, &exchange).unwrap();
    let rows: Vec<_> = comparison
        .rows
        .iter()
        .map(|row| {
            let (old, new) = (row.old.as_ref(), row.new.as_ref());
            let shown = |value: Option<&Value>| value.map_or("-".to_owned(), Value::to_string);
            let place = row.place.as_deref().unwrap_or("-");
            format!(
                "{} {} {place} {} {}",
                row.path,
                shown(old),
                shown(new),
                row.verdict
            )
        })
        .collect();
    assert!(comparison.is_expected(), "{rows:#?}");
    insta::assert_snapshot!("joined", rows.join("\n"));
}

#[test]
fn differing_v1_response_is_unexpected() {
    let catalog = catalog();
    let operation = catalog.find("user/get").unwrap();
    let mut exchange = exchange();
    exchange.v1.answer["pmi"] = json!("2035134243");
    exchange.v1.answer["disable_chat"] = json!(false);
    exchange.v1.answer.as_object_mut().unwrap().remove("dept");
    exchange.v1.answer["more"] = json!(1);
    let comparison = compare_with_v2(&catalog, operation, &exchange).unwrap();
    let unexpected: Vec<_> = comparison
        .rows
        .iter()
        .filter(|row| row.verdict == Verdict::Unexpected)
        .map(|row| format!("{}: {}", row.path, row.reason))
        .collect();
    insta::assert_debug_snapshot!("disagreements", unexpected);
}

#[test]
fn errors_are_compared_with_translated_errors() {
    let catalog = catalog();
    let operation = catalog.find("user/get").unwrap();
    let mut exchange = exchange();
    for call in &mut exchange.v2 {
        call.status = Some(404);
        call.answer = Some(json!({ "code": 1001, "message": "User does not exist: kdc1." }));
    }
    let site = site(&catalog, None);
    exchange.v1.answer = rehearse(&catalog, operation, &site, &exchange).answer;
    let comparison = compare_with_v2(&catalog, operation, &exchange).unwrap();
    assert!(
        comparison.is_expected() && comparison.rows.len() == 2,
        "{comparison:?}"
    );
    exchange.v1.answer["error"]["code"] = json!(1002);
    assert!(
        !compare_with_v2(&catalog, operation, &exchange)
            .unwrap()
            .is_expected()
    );
}

#[test]
fn identifies_documents_of_v2_responses() {
    let catalog = catalog();
    let operation = catalog.find("user/get").unwrap();
    let plan = operation.plan().unwrap();
    let documents = |answers: Vec<(Option<&str>, Value)>| {
        let answers = answers
            .into_iter()
            .map(|(said, answer)| (said.map(str::to_owned), "x.json".to_owned(), answer));
        Documents::of_answers(&catalog, "user/get", plan, answers.collect())
    };
    let found = documents(vec![(None, settings()), (None, user())]).unwrap();
    let answer = exchange().v1.answer;
    let rows = join(&catalog, operation, &Map::new(), &answer, &found);
    let unexpected: Vec<_> = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Unexpected)
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");

    assert!(documents(vec![(Some("settings"), settings())]).is_ok());
    let error = documents(vec![(None, json!({ "other": 1 }))])
        .unwrap_err()
        .to_string();
    assert!(error.contains("settings=x.json"), "{error}");
    assert!(documents(vec![(Some("nothing"), user())]).is_err());
}

#[test]
fn list_entries_are_matched_by_id() {
    let catalog = catalog();
    let operation = catalog.find("user/list").unwrap();
    let plan = operation.plan().unwrap();
    let page = json!({
        "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
        "users": [user(), { "id": "kdc2", "email": "grace@example.com", "type": 1, "dept": "" }],
    });
    let answers = vec![(None, "page.json".to_owned(), page)];
    let documents = Documents::of_answers(&catalog, "user/list", plan, answers).unwrap();
    let v1 = json!({
        "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2,
        "users": [
            { "id": "kdc2", "email": "grace@example.com", "type": 1, "dept": "HR" },
            { "id": "kdc1", "email": "ada@example.com", "dept": "R&D", "pmi": 2_035_134_243_i64 },
            { "id": "kdc3", "email": "alan@example.com" },
        ],
    });
    let rows = join(&catalog, operation, &Map::new(), &v1, &documents);
    let verdict = |path: &str| {
        rows.iter()
            .find(|row| row.path == path)
            .map(|row| row.verdict)
    };
    assert_eq!(verdict("users[kdc2].dept"), Some(Verdict::Unexpected));
    assert_eq!(verdict("users[kdc1].dept"), Some(Verdict::Same));
    assert_eq!(verdict("users[kdc1].pmi"), Some(Verdict::Same));
    assert_eq!(
        verdict("users[kdc1].type"),
        Some(Verdict::Unexpected),
        "missing in v1's"
    );
    assert_eq!(verdict("users[kdc3]"), Some(Verdict::Unexpected));
}

/// Report with every verdict, and values that break careless layouts.
fn sample_report() -> Report {
    let catalog = catalog();
    let operation = catalog.find("user/get").unwrap();
    let old = json!({
        "id": "kdc1", "dept": "Engineering", "auto_delete_cmr_days": 45, "pmi": 2_035_134_243_i64,
        "lastLoginTime": "2019-11-02T08:10:00Z", "zpk": "old", "timezone": "Europe/London",
        "first_name": "Ada \u{202e}\u{7} <script>alert(1)</script> | `x`", "last_name": "東京タワー",
        "vanity_url": format!("https://example.com/my/{}ada", "long/".repeat(30)),
        "gone": { "inner": [1, 2] },
    });
    let new = json!({
        "id": "kdc1", "dept": "Engineering", "auto_delete_cmr_days": 60, "pmi": "2035134243",
        "lastLoginTime": "2026-11-20T09:00:00Z", "zpk": "", "timezone": "Europe/Lisbon",
        "first_name": "Ada", "last_name": "東京スカイツリー",
        "vanity_url": format!("https://example.com/my/{}eda", "long/".repeat(30)),
    });
    let comparison = Comparison::of_answers(
        &catalog,
        Some(operation),
        "19ab-1",
        ("recorded", &old),
        ("shim", &new),
    );
    let mut report = Report::default();
    report.add(comparison, Some((2400, 1900)), false);
    report.skip("a parameter was a secret");
    report.finish();
    report
}

fn printed(printer: &dyn Printer) -> String {
    let mut out = Vec::new();
    printer
        .print(&sample_report().document(), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

fn text(width: usize, is_side_by_side: bool) -> String {
    let plain = printed(&Text {
        width,
        is_side_by_side,
        shows_same: true,
        ..Text::default()
    });
    for line in plain.lines() {
        let line_width = unicode_width::UnicodeWidthStr::width(line);
        assert!(line_width <= width, "{line_width} columns: {line}");
        assert!(!line.contains(['\u{202e}', '\u{7}']));
    }
    plain
}

#[test]
fn text_fits_the_width() {
    for width in [60, 80, 120, 200] {
        insta::assert_snapshot!(format!("text_{width}"), text(width, width > 60));
    }
    insta::assert_snapshot!("text_unified", text(100, false));
}

#[test]
fn marks_differing_part_of_a_value() {
    let styled = printed(&Text {
        width: 120,
        is_styled: true,
        is_side_by_side: true,
        ..Text::default()
    });
    let line = styled
        .lines()
        .find(|line| line.contains("timezone"))
        .unwrap();
    insta::assert_snapshot!("emphasis", line.replace('\u{1b}', "ESC"));
}

#[test]
fn prints_all_formats() {
    insta::assert_snapshot!(
        "report_json",
        plain_json(&serde_json::to_string_pretty(&sample_report()).unwrap())
    );
    insta::assert_snapshot!("report_markdown", printed(&Markdown));
    insta::assert_snapshot!("report_junit", printed(&Junit));
    insta::assert_snapshot!("report_github", printed(&Github));
    let html = printed(&Html);
    assert!(!html.contains("<script>alert"), "a value became markup");
    assert!(html.contains("&lt;script&gt;alert"));
    assert!(!html.contains("http-equiv=\"refresh\"") && !html.contains("src="));
}

#[test]
fn report_is_bounded() {
    let catalog = catalog();
    let mut report = Report::default();
    for number in 0..1500 {
        let (old, new) = (json!({ "pmi": number }), json!({ "pmi": -1 }));
        let operation = catalog.find("user/get");
        let name = number.to_string();
        report.add(
            Comparison::of_answers(&catalog, operation, &name, ("a", &old), ("b", &new)),
            None,
            false,
        );
    }
    assert_eq!((report.shown.len(), report.not_shown), (1000, 500));
    assert_eq!((report.compared(), report.unexpected()), (1500, 1500));
}

#[test]
fn counts_equal_differences_as_one_cause() {
    let catalog = catalog();
    let mut report = Report {
        alike: 2,
        ..Report::default()
    };
    let gone = json!({ "error": { "code": 1001, "message": "User not exist: u1" } });
    for (number, operation) in ["user/get", "user/get", "user/getbyemail", "user/get"]
        .iter()
        .enumerate()
    {
        let name = number.to_string();
        let operation = catalog.find(operation);
        let comparison =
            Comparison::of_answers(&catalog, operation, &name, ("a", &user()), ("b", &gone));
        assert_eq!(comparison.rows.len(), 1, "an error is one finding");
        report.add(comparison, Some((1000, 2000 + number as u64)), false);
    }
    let (old, new) = (json!({ "pmi": 1 }), json!({ "pmi": 1 }));
    let same = Comparison::of_answers(&catalog, None, "4", ("a", &old), ("b", &new));
    report.add(same, Some((1000, 9000)), false);
    report.finish();
    let causes = serde_json::to_value(&report.causes).unwrap();
    let cause = "error instead of an answer: 1001 User not exist: u1";
    assert_eq!(causes, json!({ cause: 4 }));
    assert_eq!((report.shown.len(), report.not_shown), (2, 2));
    assert_eq!(report.consistency, Some(20.0));
    assert_eq!(report.p99_micros, Some((1000, 9000)));
}
