mod file;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use proptest::{collection::vec, prelude::*};
use recording::usage::{Consumer, OTHERS, day_name, day_of};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::observe::observer::Ending;

const DAY: i64 = 24 * 60 * 60;
/// 2026-11-22
const TODAY: i32 = 20_779;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    (folder, file)
}

fn noted(key: &str, address: u8, operation: &str, at: i64) -> FinishedNote {
    FinishedNote {
        key: (!key.is_empty()).then(|| key.into()),
        address: Some(IpAddr::from([192, 0, 2, address])),
        agent: if key.is_empty() { "" } else { "zoomus/0.3" }.to_owned(),
        operation: (!operation.is_empty()).then(|| operation.to_owned()),
        ending: Ending::Answered,
        at,
        given: vec!["id".to_owned()],
        lossy: Vec::new(),
        unknown: Vec::new(),
    }
}

fn on(day: i32) -> i64 {
    i64::from(day) * DAY + 60
}

fn table(notes: impl IntoIterator<Item = FinishedNote>) -> Table {
    let mut table = Table::new(1000, MAX_SUMS);
    for noted in notes {
        assert!(table.add(noted));
    }
    table
}

fn all() -> Filter {
    Filter {
        limit: 100_000,
        ..Filter::default()
    }
}

fn open(file: &Path, max_callers: usize) -> Result<Database, LedgerError> {
    Database::open(&LedgerPlace::File(file.to_owned()), max_callers)
}

fn usage(file: &Path, filter: &Filter) -> Usage {
    report::read(&LedgerPlace::File(file.to_owned()), filter, on(TODAY)).unwrap()
}

fn sorted(mut usage: Usage) -> Vec<Consumer> {
    usage.consumers.sort_by_key(|consumer| {
        let Consumer {
            key,
            address,
            user_agent,
            ..
        } = consumer.clone();
        (key, address, user_agent)
    });
    usage.consumers
}

/// One line per consumer: `key address: operation×calls, …`.
fn lines(usage: &Usage) -> Vec<String> {
    let line = |consumer: &Consumer| {
        let uses = consumer.operations.iter();
        let uses: Vec<_> = uses
            .map(|used| {
                let operation = used.operation.as_deref().unwrap_or("?");
                format!("{operation}×{}", used.outcomes.total())
            })
            .collect();
        let key = consumer.key.as_deref().unwrap_or("-");
        format!("{key} {}: {}", consumer.address, uses.join(", "))
    };
    usage.consumers.iter().map(line).collect()
}

#[test]
fn counts_days_since_1970() {
    let date = day_of("2026-11-22").unwrap();
    assert_eq!(day(date.midnight().assume_utc().unix_timestamp()), TODAY);
    assert_eq!(day(-1), -1);
}

#[test]
fn usage_contains_what_was_written() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    database.begin_day(TODAY - 3, 400).unwrap();
    database.begin_day(TODAY, 400).unwrap();
    let mut refused = noted("", 9, "", on(TODAY));
    refused.ending = Ending::Refused;
    let mut lossy = noted("k", 1, "user/update", on(TODAY));
    lossy.lossy.push("track_id".to_owned());
    lossy.unknown.push("dept".to_owned());
    lossy.unknown.push(OTHERS.to_owned());
    let notes = [
        noted("k", 1, "user/get", on(TODAY - 3)),
        noted("k", 1, "user/get", on(TODAY)),
        lossy,
        refused,
    ];
    database.write(&table(notes), TODAY, 2).unwrap();
    insta::assert_json_snapshot!(usage(&file, &all()));
}

fn any_noted() -> impl Strategy<Value = FinishedNote> {
    let key = prop_oneof![Just(""), Just("one"), Just("two")];
    let operation = prop_oneof![Just(""), Just("user/get"), Just("user/list")];
    let names = vec(prop_oneof![Just("id"), Just("dept"), Just(OTHERS)], 0..3);
    let ending = prop_oneof![
        Just(Ending::Answered),
        Just(Ending::Error),
        Just(Ending::Refused),
        Just(Ending::Trouble),
        Just(Ending::NotServed),
    ];
    (key, 0..3_u8, operation, 0..5 * DAY, ending, names).prop_map(
        |(key, address, operation, after, ending, names)| {
            let mut noted = noted(key, address, operation, on(TODAY - 5) + after);
            noted.ending = ending;
            for name in names {
                noted.unknown.push(name.to_owned());
            }
            noted
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Sums are commutative, so restarts and concurrent shims do not change them.
    #[test]
    fn sums_do_not_depend_on_order_and_grouping(
        parts in vec(vec(any_noted(), 0..12), 1..6).prop_shuffle(),
        turn in 0..6_usize,
    ) {
        let (_folder, at_once) = folder();
        let whole = table(parts.concat());
        open(&at_once, 1000).unwrap().write(&whole, TODAY, 0).unwrap();

        let (_folder, in_parts) = folder();
        let mut turned = parts.clone();
        turned.rotate_left(turn % parts.len());
        for part in turned {
            let mut database = open(&in_parts, 1000).unwrap();
            database.write(&table(part), TODAY, 0).unwrap();
        }
        let (whole, parts) = (usage(&at_once, &all()), usage(&in_parts, &all()));
        prop_assert_eq!(sorted(whole), sorted(parts));
    }
}

#[test]
fn full_ledger_folds_new_callers_of_a_key() {
    let (_folder, file) = folder();
    let mut database = open(&file, 2).unwrap();
    let notes = |last| (1..=last).map(|address| noted("k", address, "user/get", on(TODAY)));
    assert_eq!(database.write(&table(notes(2)), TODAY, 0).unwrap(), 0);
    assert_eq!(database.write(&table(notes(5)), TODAY, 0).unwrap(), 3);
    // Known callers keep their own rows.
    let expected = [
        "k 192.0.2.1: user/get×2",
        "k 192.0.2.2: user/get×2",
        "k *: user/get×3",
    ];
    assert_eq!(lines(&usage(&file, &all())), expected);
    // The folded caller exists now.
    assert_eq!(database.write(&table(notes(5)), TODAY, 0).unwrap(), 3);
    assert_eq!(lines(&usage(&file, &all()))[2], "k *: user/get×6");
}

#[test]
fn refused_callers_do_not_displace_others() {
    let (_folder, file) = folder();
    let mut database = open(&file, 10).unwrap();
    let mut table = Table::new(10, MAX_SUMS);
    for address in 0..200 {
        assert!(table.add(noted("", address, "user/get", on(TODAY))));
    }
    for address in 1..=3 {
        assert!(table.add(noted("k", address, "user/get", on(TODAY))));
    }
    database.write(&table, TODAY, 0).unwrap();
    let expected = [
        "- *: user/get×199",
        "- 192.0.2.0: user/get×1",
        "k 192.0.2.1: user/get×1",
        "k 192.0.2.2: user/get×1",
        "k 192.0.2.3: user/get×1",
    ];
    assert_eq!(lines(&usage(&file, &all())), expected);
}

#[test]
fn unwritten_sums_are_bounded() {
    let mut table = Table::new(1000, 10);
    let operations = |number| noted("k", 1, &format!("user/{number}"), on(TODAY));
    let added = (0..100)
        .filter(|number| table.add(operations(*number)))
        .count();
    // Two sums each: calls and parameter.
    assert_eq!((added, table.requests()), (5, 5));
}

#[test]
fn deletes_old_rows() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    for day in [TODAY - 100, TODAY - 40, TODAY - 10] {
        database.begin_day(day, 400).unwrap();
        let operation = format!("user/{}", TODAY - day);
        database
            .write(&table([noted("k", 1, &operation, on(day))]), day, 0)
            .unwrap();
    }
    database
        .write(
            &table([noted("gone", 1, "user/get", on(TODAY - 100))]),
            TODAY - 100,
            0,
        )
        .unwrap();
    for day in TODAY - 2..=TODAY {
        database.begin_day(day, 40).unwrap();
    }
    let usage = usage(&file, &all());
    assert_eq!(lines(&usage), ["k 192.0.2.1: user/10×1, user/40×1"]);
    let spans = [
        ("2026-10-13", "2026-10-13"),
        ("2026-11-12", "2026-11-12"),
        ("2026-11-20", "2026-11-22"),
    ];
    assert_eq!(
        usage.kept.spans,
        spans.map(|(first, last)| (first.to_owned(), last.to_owned()))
    );
    let parameters = Connection::open(&file).unwrap();
    let count = "SELECT count(*) FROM parameter";
    let count: i64 = parameters.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2);
}

#[test]
fn wrong_clock_at_the_start_neither_deletes_nor_adds_days() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    let write = |database: &mut Database, day| {
        database.begin_day(day, 40).unwrap();
        let mut note = noted("k", 1, "user/get", on(day));
        // Parameters are not counted by day.
        note.given = Vec::new();
        database.write(&table([note]), day, 0).unwrap();
    };
    write(&mut database, TODAY - 1);
    write(&mut database, TODAY);
    let before = usage(&file, &all());
    let ahead = TODAY + 30 * 365;
    write(&mut database, ahead);
    assert_eq!(usage(&file, &all()), before, "years ahead");
    write(&mut database, ahead + 1);
    assert_eq!(usage(&file, &all()), before, "for two days");
    database.begin_day(TODAY, 40).unwrap();
    assert_eq!(usage(&file, &all()), before, "and back");
}

#[test]
fn filters_and_pages() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    for day in TODAY - 4..=TODAY {
        database.begin_day(day, 400).unwrap();
    }
    let notes = [
        noted("a", 1, "user/get", on(TODAY - 4)),
        noted("a", 1, "user/list", on(TODAY)),
        noted("b", 2, "user/get", on(TODAY)),
        noted("c", 3, "user/get", on(TODAY - 4)),
        noted("", 4, "user/get", on(TODAY - 4)),
    ];
    database.write(&table(notes), TODAY, 0).unwrap();
    let ask = |change: fn(&mut Filter)| {
        let mut filter = all();
        change(&mut filter);
        let usage = usage(&file, &filter);
        (lines(&usage).join("; "), usage)
    };
    let (found, _) = ask(|filter| filter.operation = Some("user/list".to_owned()));
    assert_eq!(found, "a 192.0.2.1: user/list×1");
    let (found, _) = ask(|filter| filter.key = Some("b".to_owned()));
    assert_eq!(found, "b 192.0.2.2: user/get×1");
    let (found, _) = ask(|filter| filter.key = Some(String::new()));
    assert_eq!(found, "- 192.0.2.4: user/get×1");
    let (found, usage) = ask(|filter| filter.since = day_of("2026-11-20"));
    assert_eq!(found, "a 192.0.2.1: user/list×1; b 192.0.2.2: user/get×1");
    assert_eq!(
        usage.kept.spans,
        [("2026-11-20".to_owned(), "2026-11-22".to_owned())]
    );

    let mut filter = Filter {
        limit: 3,
        ..Filter::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = self::usage(&file, &filter);
        pages.push(page.consumers.len());
        filter.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(pages, [3, 1]);
}

#[test]
fn longest_pause_is_between_days_with_calls() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    let days = [TODAY - 90, TODAY - 60, TODAY - 59, TODAY];
    let notes = days.map(|day| noted("k", 1, "user/get", on(day)));
    database.write(&table(notes), TODAY, 0).unwrap();
    assert_eq!(usage(&file, &all()).consumers[0].longest_pause_days, 59);
    assert_eq!(
        day_name(day_of(&usage(&file, &all()).consumers[0].last).unwrap()),
        "2026-11-22"
    );
}

#[test]
fn overlapping_windows_are_merged() {
    let (_folder, file) = folder();
    let window = |first, last| brownouts::NotedWindow {
        window: crate::settings::Window {
            begins: on(TODAY),
            ends: on(TODAY) + 300,
        },
        keys: "crm\nerp".to_owned(),
        operations: String::new(),
        first,
        last,
    };
    let mut database = open(&file, 1000).unwrap();
    for (first, last) in [(10, 20), (0, 12), (20, 300)] {
        let mut table = Table::new(10, 10);
        table.set_windows(vec![window(on(TODAY) + first, on(TODAY) + last)]);
        assert!(!table.is_empty());
        database.write(&table, TODAY, 0).unwrap();
    }
    let place = LedgerPlace::File(file);
    let brownouts = report::read(&place, &all(), on(TODAY) + 1000)
        .unwrap()
        .brownouts;
    let [one] = brownouts.as_slice() else {
        panic!("{brownouts:?}");
    };
    assert_eq!((&one.first, &one.last), (&one.begins, &one.ends));
    assert_eq!(one.keys, ["crm", "erp"]);
    assert!(one.operations.is_empty());
}

#[test]
fn dropped_requests_are_recorded_as_a_gap() {
    let (_folder, file) = folder();
    let catalog = Catalog::embedded().unwrap();
    let ledger = Ledger::start(LedgerConfig::new(file), &catalog).unwrap();
    ledger.counts.dropped("a test");
    let usage = ledger.usage(&all(), Duration::from_secs(20)).unwrap();
    assert_eq!(usage.kept.gaps.len(), 1);
    assert_eq!(usage.kept.gaps[0].requests, 1);
    assert_eq!(ledger.counts().dropped, 1);
    // Recorded once only.
    let usage = ledger.usage(&all(), Duration::from_secs(20)).unwrap();
    assert_eq!(usage.kept.gaps[0].requests, 1);
}
