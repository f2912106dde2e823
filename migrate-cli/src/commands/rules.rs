//! `migrate rules`.

use migrate_audit::{
    Fixable,
    rules::{Library, RULES, Rule, Rules},
};
use migrate_report::{
    Document,
    document::{Cell, Row, Table},
};
use serde::Serialize;

use super::{
    output::{Format, Output, Report},
    sources::UserRules,
};
use crate::{
    exit::Exit,
    explain::{nearest, suggestion},
};

/// List the audit's rules, or explain a rule or a client library
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule id, finding kind or package to explain; `rubygems:zoomus` names the ecosystem, too.
    name: Option<String>,
    #[command(flatten)]
    user: UserRules,
    #[command(flatten)]
    output: Output,
}

/// A rule or client library, as in the JSON output.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    id: &'a str,
    /// `rule`, or the library's ecosystem.
    kind: &'a str,
    summary: &'a str,
    what: &'a str,
    why: &'a str,
    example: &'a str,
    instead: &'a str,
    /// Severity of its findings: `error`, `warning` or `note`; empty for a library.
    level: &'a str,
    /// Effect of `migrate audit --fix`, in sentences.
    fixes: Vec<&'a str>,
    /// Library methods and the v1 operations they call.
    methods: Vec<(&'a str, &'a str)>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check(&Format::USUAL)?;
    let mut all = Rules::embedded()?;
    all.add(args.user.libraries()?);
    let mut rules = Vec::new();
    for (id, text) in RULES {
        rules.push((id, Rule::parse(id, text)?));
    }
    let of_rules = rules.iter().map(|(id, rule)| Entry {
        id,
        kind: "rule",
        summary: &rule.summary,
        what: &rule.what,
        why: &rule.why,
        example: &rule.example,
        instead: &rule.instead,
        level: rule.kind.traits().level.name(),
        fixes: fixes(rule.kind.traits().fix),
        methods: Vec::new(),
    });
    let mut entries: Vec<Entry<'_>> = of_rules.chain(all.libraries.iter().map(library)).collect();
    let Some(name) = &args.name else {
        args.output.write(&Report::new(list(&entries), &entries))?;
        return Ok(Exit::Clean);
    };
    let of_kind = rules.iter().find(|(_, rule)| rule.kind.name() == name);
    let wanted = of_kind.map_or(name.as_str(), |(id, _)| id);
    let is_wanted = |entry: &Entry<'_>| {
        let (kind, package) = wanted.split_once(':').unwrap_or((entry.kind, wanted));
        entry.id == wanted || entry.id == package && entry.kind == kind
    };
    if !entries.iter().any(is_wanted) {
        let nearest = nearest(name, entries.iter().map(|entry| entry.id));
        let suggestion = suggestion(&nearest, "migrate rules");
        anyhow::bail!("unknown rule or client library {name}{suggestion}");
    }
    entries.retain(is_wanted);
    args.output.write(&Report::new(page(&entries), &entries))?;
    Ok(Exit::Clean)
}

/// True for the name of a rule or of a built-in client library.
///
/// # Errors
///
/// A built-in rule is invalid.
pub(crate) fn knows(name: &str) -> anyhow::Result<bool> {
    let libraries = Rules::embedded()?.libraries;
    Ok(RULES.iter().any(|(id, _)| *id == name)
        || libraries.iter().any(|library| library.package == name))
}

fn fixes(fix: Fixable) -> Vec<&'static str> {
    let sentences = [
        (
            fix.address,
            "`migrate audit --fix --shim URL` points it at the shim where that is provably safe; \
             `--shim-env NAME` reads the address from a variable.",
        ),
        (
            fix.call,
            "`migrate audit --fix=unsafe` suggests the v2 request in its place; review each change.",
        ),
        (
            fix.version,
            "`migrate audit --fix` pins the current version.",
        ),
        (
            !(fix.address || fix.call || fix.version),
            "No automatic fix; `migrate audit --fix` prints manual steps.",
        ),
    ];
    let chosen = sentences.into_iter().filter(|(holds, _)| *holds);
    chosen.map(|(_, sentence)| sentence).collect()
}

fn library(library: &Library) -> Entry<'_> {
    Entry {
        id: &library.package,
        kind: &library.ecosystem,
        summary: &library.summary,
        what: &library.what,
        why: &library.why,
        example: &library.example,
        instead: &library.instead,
        level: "",
        fixes: Vec::new(),
        methods: library
            .methods
            .iter()
            .map(|(method, operation)| (method.as_str(), operation.as_str()))
            .collect(),
    }
}

fn list(entries: &[Entry<'_>]) -> Document<'static> {
    let number = format!("{} rules and client libraries", entries.len());
    let mut document = Document::page("migrate rules", "Rules of the audit", &number);
    let (rules, libraries): (Vec<_>, Vec<_>) =
        entries.iter().partition(|entry| entry.kind == "rule");
    for (title, entries) in [("Rules", rules), ("Client libraries", libraries)] {
        let rows = entries.iter().map(|entry| {
            let about = match entry.kind {
                "rule" => entry.summary.to_owned(),
                ecosystem => format!("{ecosystem}: {}", entry.summary),
            };
            Row::new([Cell::name(entry.id), about.into()])
        });
        document.section(title, Table::plain(rows.collect()));
    }
    document.next = Some("migrate rules NAME");
    document
}

fn page(entries: &[Entry<'_>]) -> Document<'static> {
    let first = entries.first();
    let (id, kind) = first.map_or(("", ""), |entry| (entry.id, entry.kind));
    let mut document = Document::page("migrate rules", id, kind);
    for entry in entries {
        document.paragraph(format!("{}.", entry.summary.trim_end_matches('.')));
        let fixes = entry.fixes.join(" ");
        for (title, text) in [
            ("What it finds", entry.what),
            ("Why it matters", entry.why),
            ("Example", entry.example),
            ("Instead", entry.instead),
            ("Fix", fixes.as_str()),
        ] {
            if text.is_empty() {
                continue;
            }
            let words: Vec<&str> = text.split_whitespace().collect();
            document.heading(title);
            document.paragraph(words.join(" "));
        }
        let rows = entry.methods.iter().map(|(method, operation)| {
            let operation = match *operation {
                "" => "no operation of v1",
                operation => operation,
            };
            Row::new([*method, operation])
        });
        document.section("Methods", Table::plain(rows.collect()));
    }
    document
}
