//! SQLite files: foreign, damaged, locked, full, and of other versions.

use std::fs;

use super::*;

fn refusal(file: &Path) -> String {
    let catalog = Catalog::embedded().unwrap();
    let error = Ledger::start(LedgerConfig::new(file.to_owned()), &catalog).unwrap_err();
    format!("{:#}", anyhow::Error::from(error))
}

#[test]
fn rejects_other_files_without_changing_them() {
    let (folder, file) = folder();
    let foreign = Connection::open(&file).unwrap();
    foreign.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(foreign);
    let before = fs::read(&file).unwrap();
    assert!(refusal(&file).contains("another program's database"));
    assert_eq!(fs::read(&file).unwrap(), before);

    let text = folder.path().join("notes.txt");
    fs::write(&text, "x".repeat(5000)).unwrap();
    assert!(
        refusal(&text).contains("not a database"),
        "{}",
        refusal(&text)
    );
    assert!(refusal(folder.path()).contains("cannot be opened"));
    assert!(refusal(&folder.path().join("no/such/folder")).contains("cannot be opened"));

    let newer = folder.path().join("newer");
    drop(open(&newer, 10).unwrap());
    let connection = Connection::open(&newer).unwrap();
    connection
        .pragma_update(None, "user_version", SCHEMA_AFTER)
        .unwrap();
    drop(connection);
    let shown = refusal(&newer);
    assert!(
        shown.contains("a newer shim wrote the ledger (schema 3, and this one knows 2)"),
        "{shown}"
    );
}

const SCHEMA_AFTER: i64 = engine::SCHEMA + 1;

#[test]
fn rejects_a_damaged_ledger() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    let notes = (0..100).map(|number| noted("k", number, &format!("user/{number}"), on(TODAY)));
    database.write(&table(notes), TODAY, 0).unwrap();
    drop(database);
    let mut bytes = fs::read(&file).unwrap();
    let (pages, damaged) = (bytes.len() / 4096, &mut bytes[4096..]);
    assert!(pages > 4, "{pages}");
    damaged.fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let shown = refusal(&file);
    assert!(
        shown.contains("damaged") && shown.contains("move it away"),
        "{shown}"
    );
}

#[test]
fn locked_ledger_is_retried_without_loss() {
    let (_folder, file) = folder();
    let catalog = Catalog::embedded().unwrap();
    let ledger = Ledger::start(LedgerConfig::new(file.clone()), &catalog).unwrap();
    let timeout = Duration::from_secs(20);
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    ledger
        .queue
        .try_send(noted("k", 1, "user/get", on(TODAY)))
        .unwrap();
    assert!(!ledger.flush(timeout));
    let waiting = ledger.usage(&all(), timeout).unwrap();
    assert_eq!((waiting.unwritten, waiting.consumers.len()), (1, 0));
    // Another shim cannot start meanwhile.
    assert!(refusal(&file).contains("locked"), "{}", refusal(&file));

    other.execute_batch("ROLLBACK").unwrap();
    assert!(ledger.flush(timeout));
    let written = ledger.usage(&all(), timeout).unwrap();
    assert_eq!((written.unwritten, written.consumers.len()), (0, 1));
    let expected = LedgerCounts {
        written: 1,
        ..LedgerCounts::default()
    };
    assert_eq!(ledger.counts(), expected);
}

#[test]
fn full_disk_rolls_back_the_whole_write() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    database.begin_day(TODAY, 400).unwrap();
    let pages = |database: &mut Database, most: i64| {
        let pragma = format!("PRAGMA max_page_count = {most}");
        engine::number(&mut *database.engine, &pragma, &[]).unwrap()
    };
    let now = pages(&mut database, 1);
    let notes = || (0..200).map(|number| noted("k", number, "user/get", on(TODAY)));
    let error = database.write(&table(notes()), TODAY, 3).unwrap_err();
    let LedgerError::Sqlite(error) = error else {
        panic!("{error}");
    };
    let code = error.sqlite_error_code();
    assert_eq!(code, Some(rusqlite::ErrorCode::DiskFull));
    assert_eq!(usage(&file, &all()).consumers.len(), 0);

    pages(&mut database, now + 1000);
    database.write(&table(notes()), TODAY, 3).unwrap();
    let usage = usage(&file, &all());
    assert_eq!(
        (usage.consumers.len(), usage.kept.gaps[0].requests),
        (200, 3)
    );
}

#[cfg(unix)]
#[test]
fn file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    database.begin_day(TODAY, 400).unwrap();
    let mut found = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        found += 1;
    }
    // Including the write-ahead log.
    assert!(found >= 2, "{found}");
}

#[test]
fn migrates_a_ledger_of_the_previous_version() {
    let (_folder, file) = folder();
    let mut database = open(&file, 1000).unwrap();
    database.begin_day(TODAY, 400).unwrap();
    database
        .write(&table([noted("k", 1, "user/get", on(TODAY))]), TODAY, 0)
        .unwrap();
    drop(database);
    let before = usage(&file, &all());
    let older = Connection::open(&file).unwrap();
    older
        .execute_batch(
            "DROP TABLE brownout; ALTER TABLE calls DROP COLUMN brownout; PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(older);
    let place = LedgerPlace::File(file.clone());
    let unread = report::read(&place, &all(), on(TODAY)).unwrap_err();
    assert!(matches!(unread, LedgerError::Older(1)), "{unread}");
    drop(open(&file, 1000).unwrap());
    assert_eq!(usage(&file, &all()), before);
}
