use recording::usage::{
    Brownout, Consumer, FORMAT, Gap, Kept, Ledger, OperationUse, Outcomes, ParameterUse, Rule,
    Usage, Verdict, day_of,
};

use migrate_report::{Printer, csv::Csv, text::Text};

use super::{code::Place, *};

const RULE: Rule = Rule {
    live_days: 7,
    safe_days: 100,
};

fn at(day: &str) -> String {
    format!("{day}T10:00:00Z")
}

fn kept(spans: &[(&str, &str)], consumers: Vec<Consumer>) -> Usage {
    let spans = spans.iter();
    Usage {
        format: FORMAT,
        at: at("2026-11-22"),
        kept: Kept {
            spans: spans
                .map(|(first, last)| ((*first).to_owned(), (*last).to_owned()))
                .collect(),
            gaps: Vec::new(),
        },
        consumers,
        ..Usage::default()
    }
}

fn used(operation: &str, answered: u64, last: &str) -> OperationUse {
    OperationUse {
        operation: (!operation.is_empty()).then(|| operation.to_owned()),
        outcomes: Outcomes {
            answered,
            ..Outcomes::default()
        },
        first: at("2026-06-02"),
        last: at(last),
        parameters: names(&["id"]),
        ..OperationUse::default()
    }
}

fn names(names: &[&str]) -> Vec<ParameterUse> {
    let uses = names.iter().map(|name| ParameterUse {
        name: (*name).to_owned(),
        requests: 2,
    });
    uses.collect()
}

fn consumer(key: &str, address: &str, agent: &str, operations: Vec<OperationUse>) -> Consumer {
    let last = operations.iter().map(|used| used.last.clone()).max();
    Consumer {
        key: (!key.is_empty()).then(|| key.to_owned()),
        address: address.to_owned(),
        user_agent: agent.to_owned(),
        first: at("2026-06-02"),
        last: last.unwrap(),
        longest_pause_days: 1,
        operations,
        ..Consumer::default()
    }
}

/// A consumer whose last call was on this day.
fn last_on(day: &str) -> Consumer {
    consumer("k", "192.0.2.1", "x", vec![used("user/get", 1, day)])
}

const ALL: [(&str, &str); 1] = [("2026-06-01", "2026-11-22")];

fn ledger(spans: &[(&str, &str)], consumer: Consumer) -> Ledger {
    Ledger::of(vec![kept(spans, vec![consumer])]).unwrap()
}

fn verdict(ledger: &Ledger) -> (Verdict, i64) {
    let judgement = RULE.consumer(ledger, &ledger.consumers[0]);
    (judgement.verdict, judgement.silent_days)
}

#[test]
fn classifies_by_silent_days() {
    for (last, expected) in [
        ("2026-11-22", (Verdict::Live, 0)),
        ("2026-11-15", (Verdict::Live, 6)),
        ("2026-11-14", (Verdict::Dormant, 7)),
        // A monthly job.
        ("2026-10-22", (Verdict::Dormant, 30)),
        ("2026-08-14", (Verdict::Dormant, 99)),
        ("2026-08-13", (Verdict::Safe, 100)),
    ] {
        assert_eq!(verdict(&ledger(&ALL, last_on(last))), expected, "{last}");
    }
}

#[test]
fn lists_remaining_usage_by_owner() {
    let mut crm = consumer(
        "crm",
        "192.0.2.1",
        "x",
        vec![
            used("user/get", 10, "2026-11-21"),
            used("user/list", 2, "2026-11-20"),
        ],
    );
    crm.owner = Some("@Billing".to_owned());
    crm.operations[0].outcomes.brownout = 3;
    let backup = consumer(
        "backup",
        "192.0.2.2",
        "x",
        vec![used("user/get", 1, "2026-11-19")],
    );
    let ledger = Ledger::of(vec![kept(&ALL, vec![crm, backup])]).unwrap();
    let place = |path: &str, owner: &[&str]| Place {
        path: path.to_owned(),
        line: 7,
        owners: owner.iter().map(|owner| (*owner).to_owned()).collect(),
    };
    let mut code = Code::default();
    code.places.insert(
        "user/get".to_owned(),
        vec![
            place("crm/a.php", &["@billing"]),
            place("ops/b.sh", &["@ops"]),
            place("c.php", &[]),
        ],
    );
    code.places.insert(
        "user/delete".to_owned(),
        vec![place("crm/d.php", &["@billing"])],
    );
    let catalog = mappings::Catalog::embedded().unwrap();
    let owners = owners(&ledger, Some(&code), &catalog);
    let document = owners_document(&owners, "v1", day_of("2026-11-15"));
    let mut out = Vec::new();
    migrate_report::markdown::Markdown
        .print(&document, &mut out)
        .unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn reports_brownouts_with_affected_keys() {
    let window = |begins: &str, first: &str, last: &str| Brownout {
        begins: format!("2026-11-21T{begins}Z"),
        ends: "2026-11-21T11:00:00Z".to_owned(),
        first: format!("2026-11-21T{first}Z"),
        last: format!("2026-11-21T{last}Z"),
        ..Brownout::default()
    };
    let mut hit = last_on("2026-11-21");
    hit.operations[0].outcomes.brownout = 12;
    let quiet = consumer(
        "quiet",
        "192.0.2.2",
        "x",
        vec![used("user/get", 1, "2026-08-01")],
    );
    // Two shims observed parts of the same window.
    let of_shim = |first, last, consumers| Usage {
        brownouts: vec![window("10:00:00", first, last)],
        ..kept(&ALL, consumers)
    };
    let documents = vec![
        of_shim("10:00:00", "10:30:00", vec![hit, quiet]),
        of_shim("10:20:00", "11:00:00", Vec::new()),
    ];
    let report = UsageReport::new(Ledger::of(documents).unwrap(), RULE, None);
    assert_eq!(
        report.brownouts.sentence().unwrap(),
        "1 brownout, 60 minutes without v1, the last until 2026-11-21T11:00:00Z; hit: k 12"
    );
    let text = printed(&report, false, &Text::default());
    assert!(text.contains("(12 in brownouts)"), "{text}");
}

#[test]
fn counts_overlapping_brownouts_once() {
    let window = |begins: &str, ends: &str, keys: &[&str]| {
        let moment = |time: &str| format!("2026-11-21T{time}Z");
        Brownout {
            begins: moment(begins),
            ends: moment(ends),
            first: moment(begins),
            last: moment(ends),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..Brownout::default()
        }
    };
    let usage = Usage {
        brownouts: vec![
            window("10:00:00", "11:00:00", &[]),
            window("10:30:00", "10:40:00", &[]),
            window("10:50:00", "11:20:00", &[]),
            window("10:00:00", "14:00:00", &["crm"]),
        ],
        ..kept(&ALL, Vec::new())
    };
    let report = UsageReport::new(Ledger::of(vec![usage]).unwrap(), RULE, None);
    assert_eq!(
        report.brownouts.sentence().unwrap(),
        "4 brownouts, 80 minutes without v1, 240 minutes for some keys or operations, \
         the last until 2026-11-21T14:00:00Z; no calls"
    );
}

#[test]
fn counts_a_shared_ledger_once() {
    let of_shim = |name: &str, unwritten| Usage {
        ledger: Some(name.to_owned()),
        unwritten,
        ..kept(&ALL, vec![last_on("2026-11-22")])
    };
    let documents = vec![of_shim("a", 1), of_shim("a", 2), of_shim("b", 0)];
    let ledger = Ledger::of(documents).unwrap();
    assert_eq!(ledger.consumers[0].operations[0].outcomes.answered, 2);
    assert_eq!(ledger.unwritten, 3);
}

#[test]
fn unobserved_days_do_not_count() {
    let kept = [("2026-06-01", "2026-07-01"), ("2026-11-01", "2026-11-22")];
    let ledger = ledger(&kept, last_on("2026-06-20"));
    assert_eq!(verdict(&ledger), (Verdict::Dormant, 32));
    let reason = RULE
        .consumer(&ledger, &ledger.consumers[0])
        .reason()
        .unwrap();
    assert_eq!(
        reason,
        "silent on 32 of the 100 observed days that the rule wants"
    );
    let observed = UsageReport::new(ledger, RULE, None).observed;
    assert_eq!((observed.days, observed.days_missing), (53, 122));
}

#[test]
fn long_pauses_delay_the_safe_verdict() {
    let mut quarterly = last_on("2026-07-01");
    quarterly.longest_pause_days = 92;
    assert_eq!(verdict(&ledger(&ALL, quarterly)), (Verdict::Dormant, 143));
}

#[test]
fn missing_requests_prevent_the_safe_verdict() {
    let gap = |day: &str| {
        let mut usage = kept(&ALL, vec![last_on("2026-07-01")]);
        usage.kept.gaps = vec![Gap {
            day: day.to_owned(),
            requests: 3,
        }];
        Ledger::of(vec![usage]).unwrap()
    };
    assert_eq!(verdict(&gap("2026-06-30")).0, Verdict::Safe);
    let since = gap("2026-07-02");
    assert_eq!(verdict(&since).0, Verdict::Dormant);
    let reason = RULE.consumer(&since, &since.consumers[0]).reason().unwrap();
    assert_eq!(
        reason,
        "silent on 143 observed days, but 3 requests are missing since"
    );

    let mut unwritten = kept(&ALL, vec![last_on("2026-07-01")]);
    unwritten.unwritten = 1;
    assert_eq!(
        verdict(&Ledger::of(vec![unwritten]).unwrap()).0,
        Verdict::Dormant
    );
}

#[test]
fn short_ledger_cannot_prove_safety() {
    let can = |spans: &[(&str, &str)]| {
        let ledger = Ledger::of(vec![kept(spans, Vec::new())]).unwrap();
        UsageReport::new(ledger, RULE, None).can_be_switched_off
    };
    assert!(!can(&[]));
    assert!(!can(&[("2026-11-01", "2026-11-22")]));
    assert!(can(&ALL));
}

#[test]
fn rejected_logins_do_not_count() {
    let refused = consumer("", "192.0.2.9", "", vec![used("user/get", 0, "2026-11-22")]);
    let ledger = ledger(&ALL, refused);
    assert_eq!(verdict(&ledger).0, Verdict::Refused);
    assert!(UsageReport::new(ledger, RULE, None).can_be_switched_off);
}

#[test]
fn merges_ledgers_of_several_shims() {
    let one = kept(&[("2026-06-01", "2026-09-30")], vec![last_on("2026-06-05")]);
    let two = kept(
        &[("2026-07-01", "2026-11-22")],
        vec![
            last_on("2026-08-05"),
            consumer("l", "192.0.2.2", "y", vec![used("", 1, "2026-07-01")]),
        ],
    );
    let ledger = Ledger::of(vec![one, two]).unwrap();
    assert_eq!(ledger.observed(), 92);
    assert_eq!(ledger.consumers.len(), 2);
    let both = &ledger.consumers[0];
    assert_eq!(
        (both.last.as_str(), both.operations.len()),
        ("2026-08-05T10:00:00Z", 1)
    );
    assert_eq!(both.operations[0].outcomes.answered, 2);
    assert_eq!(both.operations[0].parameters[0].requests, 4);
}

#[test]
fn reports_invalid_days() {
    let usage = kept(&ALL, vec![last_on("soon")]);
    let error = Ledger::of(vec![usage]).unwrap_err().to_string();
    assert_eq!(error, "\"soonT10:00:00Z\" is no day");
}

#[test]
fn filters_by_operation_and_key() {
    let mut ledger = sample();
    ledger.narrow(Some("user/update"), Some("crm"));
    let report = UsageReport::new(ledger, RULE, None);
    let text = printed(&report, false, &width(100));
    assert!(
        text.ends_with("1 live: v1's user/update for the key crm cannot be switched off yet\n"),
        "{text}"
    );
    assert!(!text.contains("user/get"), "{text}");
}

fn sample() -> Ledger {
    let mut update = used("user/update", 10, "2026-11-21");
    update.outcomes.error = 2;
    update.parameters = names(&["id", "dept", "track_id"]);
    update.lossy = names(&["track_id"]);
    update.unknown = names(&["*", "login_type"]);
    let mut quarterly = consumer(
        "kfZTsT92QaSpQHZ2UhVQQQ",
        "2001:db8:85a3::8a2e:370:7334",
        "Faraday v0.9.2 (a report that somebody set up in the spring and that nobody looks at)",
        vec![used("user/list", 4, "2026-07-10")],
    );
    quarterly.longest_pause_days = 92;
    let mut refused = consumer(
        "",
        "198.51.100.7",
        "",
        vec![used("user/get", 0, "2026-11-19")],
    );
    refused.operations[0].outcomes.refused = 31;
    refused.operations[0].parameters.clear();
    let mut usage = kept(
        &ALL,
        vec![
            consumer(
                "crm",
                "203.0.113.7",
                "PHP/5.6 curl",
                vec![used("user/get", 1204, "2026-11-22"), update],
            ),
            consumer(
                "backup",
                "203.0.113.8",
                "-v",
                vec![used("user/list", 30, "2026-11-10")],
            ),
            consumer(
                "crm",
                "203.0.113.9",
                "=cmd|'/c calc'!A0",
                vec![used("user/delete", 1, "2026-07-01")],
            ),
            quarterly,
            refused,
        ],
    );
    usage.kept.gaps = vec![Gap {
        day: "2026-06-03".to_owned(),
        requests: 1,
    }];
    Ledger::of(vec![usage]).unwrap()
}

fn code() -> Code {
    let place = |path: &str, line| Place {
        path: path.to_owned(),
        line,
        owners: Vec::new(),
    };
    let mut code = Code::default();
    let get = [
        "app/Zoom.php",
        "app/Zoom.php",
        "lib/sync.php",
        "lib/other.php",
    ];
    let get = get.iter().zip([22, 40, 7, 9]);
    let get = get.map(|(path, line)| place(path, line)).collect();
    code.places.insert("user/get".to_owned(), get);
    code.places
        .insert("user/create".to_owned(), vec![place("app/Signup.php", 3)]);
    code.places
        .insert("user/delete".to_owned(), vec![place("app/Leave.php", 14)]);
    code.nameless = 2;
    code
}

fn width(width: usize) -> Text {
    Text {
        width,
        ..Text::default()
    }
}

fn printed(story: &UsageReport, all: bool, printer: &dyn Printer) -> String {
    let mut out = Vec::new();
    printer.print(&document(story, all), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn report(code: Option<&Code>, columns: usize, all: bool) -> String {
    let report = UsageReport::new(sample(), RULE, code);
    let text = printed(&report, all, &width(columns));
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest.unwrap() <= columns, "{text}");
    text
}

#[test]
fn table_fits_the_terminal() {
    insta::assert_snapshot!("at_80", report(None, 80, false));
    insta::assert_snapshot!("at_80_with_code", report(Some(&code()), 80, false));
    insta::assert_snapshot!("at_120_with_code", report(Some(&code()), 120, true));
    report(Some(&code()), 64, true);
}

#[test]
fn prints_json_and_csv() {
    let report = UsageReport::new(sample(), RULE, Some(&code()));
    insta::assert_json_snapshot!("json", report);
    insta::assert_snapshot!("csv", printed(&report, false, &Csv));
}
