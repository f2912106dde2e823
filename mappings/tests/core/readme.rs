//! `README.md` documents exactly the keys of the loader, and its worked example is a valid
//! operation.

use std::collections::BTreeSet;

use mappings::{Catalog, Memory, V2Request};
use serde_json::json;

use crate::driver::{ok, run_with, site};

const README: &str = include_str!("../../README.md");

/// Text before a key table in the README, and a catalog file with an unknown key in such a table.
const TABLES: &[(&str, &str)] = &[
    ("## Files and names", "[KEY]\na = 1"),
    ("`[[field]]`: one v1 name", "[[field]]\nKEY = 1"),
    ("`[[field.given]]` is", "[[field]]\ngiven = [{ KEY = 1 }]"),
    (
        "`override`: the first matching row",
        "[[field]]\noverride = [{ KEY = 1 }]",
    ),
    (
        "`[operation.\"RESOURCE/NAME\"]`. It has",
        "[operation.x]\nKEY = 1",
    ),
    ("`token`:\n", "[operation.x]\ntoken = { KEY = 1 }"),
    (
        "range = { from = \"from\", to",
        "[operation.x]\nrange = { KEY = 1 }",
    ),
    (
        "`open`, the later",
        "[operation.x]\nrange = { open = { KEY = 1 } }",
    ),
    (
        "`today`:\n",
        "[operation.x]\nrange = { today = { KEY = 1 } }",
    ),
    (
        "`[[operation.\"…\".variant]]`: other",
        "[operation.x]\nvariant = [{ KEY = 1 }]",
    ),
    ("`[plan.NAME]`: the calls", "[plan.x]\nKEY = 1"),
    ("`[[plan.NAME.call]]`, or", "CALL\nKEY = 1"),
    ("`items`: a complete list", "CALL\nitems = { KEY = 1 }"),
    ("`pages`: a page", "CALL\npages = { KEY = 1 }"),
    ("`each`: one request", "CALL\neach = { KEY = 1 }"),
    (
        "`check`: the operation fails",
        "CALL\ncheck = [{ KEY = 1 }]",
    ),
    ("`on`: the first matching row", "CALL\non = [{ KEY = 1 }]"),
    (
        "`[plan.NAME.list.LIST]`: a list",
        "[plan.x.list.y]\nKEY = 1",
    ),
    ("`join`:\n", "[plan.x.list.y]\njoin = [{ KEY = 1 }]"),
    ("`page`:\n", "[plan.x.list.y]\npage = { KEY = 1 }"),
    ("### Tests", "[plan.x.list.y]\nkeep = [{ KEY = 1 }]"),
    ("`when`: the call is made", "CALL\nwhen = [{ KEY = 1 }]"),
    (
        "`parameter`:\n",
        "CALL\nwhen = [{ parameter = { KEY = 1 } }]",
    ),
    ("`answer`:\n", "CALL\nwhen = [{ answer = { KEY = 1 } }]"),
    ("`error`:\n", "CALL\nwhen = [{ error = { KEY = 1 } }]"),
    ("`[view.NAME]`: the shape", "[view.x]\nKEY = 1"),
    ("`[error.NAME]`: an error", "[error.x]\nKEY = 1"),
    ("`[[rule]]`, `[[operation", "[[rule]]\nKEY = 1"),
    ("`v2`:\n", "[[rule]]\nv2 = { KEY = 1 }"),
    ("`v1`:\n", "[[rule]]\nv1 = { KEY = 1 }"),
    ("`[subject.KIND]`: a kind", "[subject.x]\nKEY = 1"),
    ("`[option.NAME]`: an option", "[option.x]\nKEY = 1"),
    (
        "`[request.\"GET /users/{userId}\"]`: an",
        "[request.x]\nKEY = 1",
    ),
    ("`probe`:\n", "[request.x]\nprobe = { KEY = 1 }"),
    ("`[source.NAME]`:\n", "[source.x]\nKEY = 1"),
    ("`[rate.PLAN]`: v2's", "[rate.x]\nKEY = 1"),
    ("`[[notification]]`: a push", "[[notification]]\nKEY = 1"),
    ("`first`:\n", "[[notification]]\nfirst = { KEY = 1 }"),
    ("`[webhook]`: the layout", "[webhook]\nKEY = 1"),
    ("`[protocol]`: properties", "[protocol]\nKEY = 1"),
    (
        "`[[protocol.media_type]]`:\n",
        "[[protocol.media_type]]\nKEY = 1",
    ),
    ("`RESOURCE/overlay.toml` changes", "OVERLAY\nKEY = 1"),
];

/// Keys of the first table after a passage of the README.
fn documented(passage: &str) -> BTreeSet<&'static str> {
    let (_, rest) = README
        .split_once(passage)
        .unwrap_or_else(|| panic!("the README has no `{passage}`"));
    let mut rows = rest
        .lines()
        .skip_while(|line| !line.starts_with("| key ") && !line.starts_with("| top-level"));
    rows.by_ref().take(2).for_each(drop);
    rows.take_while(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1))
        .collect()
}

/// Keys that the loader's error suggests instead of an unknown one.
fn known(text: &str) -> BTreeSet<String> {
    let name = if text.starts_with("OVERLAY") {
        "user/overlay.toml"
    } else {
        "user/probe.toml"
    };
    let call = "[operation.\"user/probe\"]\nsummary = \"\"\neffect = \"read\"\nplan = \"probe\"\n\
                view = \"updated\"\n[[plan.probe.call]]";
    let text = text
        .replace("CALL", call)
        .replace("OVERLAY", "")
        .replace("KEY", "no_such_key");
    let error = Catalog::with_overrides([(name.to_owned(), text)])
        .expect_err("the key is unknown")
        .to_string();
    let (_, offered) = error
        .split_once("unknown field `no_such_key`, expected ")
        .unwrap_or_else(|| panic!("{error}"));
    let line = offered.lines().next().unwrap_or_default();
    line.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn documents_exactly_the_existing_keys() {
    let mut wrong = Vec::new();
    for (passage, text) in TABLES {
        let (documented, known) = (documented(passage), known(text));
        let known: BTreeSet<_> = known.iter().map(String::as_str).collect();
        if documented != known {
            let missing: Vec<_> = known.difference(&documented).collect();
            let other: Vec<_> = documented.difference(&known).collect();
            wrong.push(format!("{passage}: missing {missing:?}, unknown {other:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn compares_every_key_table() {
    let tables = README
        .lines()
        .filter(|line| line.starts_with("| key "))
        .count();
    // The table "Files and names" has its own format.
    assert_eq!(tables, TABLES.len() - 1);
}

#[test]
fn documents_every_type_and_conversion() {
    let kinds = mappings::catalog::field::Kind::ALL.map(|(name, _)| name);
    for name in kinds
        .into_iter()
        .chain(mappings::conversion::Conversion::NAMES)
    {
        assert!(README.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// Files of the worked example; each begins with its name.
fn example() -> Vec<(String, String)> {
    let blocks = README.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let files = blocks.filter_map(|block| {
        let name = block.strip_prefix("# api/")?.lines().next()?;
        Some((name.to_owned(), block.to_owned()))
    });
    files.collect()
}

#[test]
fn worked_example_is_a_valid_operation() {
    let files = example();
    assert_eq!(files.len(), 3);
    let catalog = Catalog::with_overrides(files).unwrap_or_else(|error| panic!("{error}"));
    let v2 = |request: &V2Request| match &*request.template {
        "/libraries/{libraryId}" => {
            ok(json!({ "id": "l1", "librarian": { "id": "u1", "email": "Ada@example.com" } }))
        }
        "/libraries/{libraryId}/books" => ok(json!({
            "books": [{ "id": "b1", "title": "Emma", "state": "lent" }, { "id": "b2", "title": "Odes" }],
            "total_records": 2, "next_page_token": "",
        })),
        _ => ok(json!({ "authors": ["Jane Austen", "Somebody"] })),
    };
    let site = site(&catalog);
    let list = |given: &[(&str, &str)]| {
        let memory = Memory::default();
        run_with(&catalog, &site, memory, "library/book/list", given, v2)
    };
    let run = list(&[
        ("id", "l1"),
        ("librarian", "ada@example.com"),
        ("genre", "Novel"),
    ])
    .unwrap();
    assert_eq!(
        run.requests(),
        [
            "GET /libraries/l1",
            "GET /libraries/l1/books?genre=novel&page_size=30",
            "GET /libraries/l1/books/b1",
            "GET /libraries/l1/books/b2",
        ]
    );
    assert_eq!(
        run.answer(),
        json!({
            "page_count": 1, "page_number": 1, "page_size": 30, "total_records": 2, "id": "l1",
            "books": [
                { "title": "Emma", "authors": "Jane Austen, Somebody", "lent": 1 },
                { "title": "Odes", "authors": "Jane Austen, Somebody", "lent": 0 },
            ],
        })
    );
    let run = list(&[("id", "l1"), ("librarian", "grace@example.com")]).unwrap();
    assert_eq!(run.error(), "7001 Library not exist: l1");
    assert_eq!(
        list(&[("id", "ALL"), ("librarian", "x")]).err().as_deref(),
        Some("7001 Library not exist: ALL")
    );
}
