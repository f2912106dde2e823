//! `migrate rules`.

use migrate_audit::rules::{Library, RULES, Rule, Rules};
use migrate_report::sheet::{self, Row, Sheet};

use crate::exit::Exit;

/// List the audit's rules, or explain one of them or a client library.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rule or the package to explain.
    name: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let rules = Rules::embedded()?;
    let mut sheet = Sheet::for_stdout();
    match &args.name {
        None => list(&rules, &mut sheet)?,
        Some(name) => explain(name, &rules, &mut sheet)?,
    }
    sheet::show(&sheet.into_text())?;
    Ok(Exit::Clean)
}

fn list(rules: &Rules, sheet: &mut Sheet) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for (id, text) in RULES {
        rows.push(Row::new([id.to_owned(), Rule::parse(id, text)?.summary]));
    }
    sheet.rows(0, 0, &rows);
    sheet.line("\nclient libraries");
    let row = |library: &Library| {
        let versions = match &library.before {
            None => "all versions".to_owned(),
            Some(version) => format!("before {version}"),
        };
        Row::new([
            library.package.clone(),
            format!("{}, {versions}", library.ecosystem),
        ])
    };
    sheet.rows(0, 0, &rules.libraries.iter().map(row).collect::<Vec<_>>());
    sheet.line("\nmigrate rules NAME explains one of them");
    Ok(())
}

fn explain(name: &str, rules: &Rules, sheet: &mut Sheet) -> anyhow::Result<()> {
    if let Some((id, text)) = RULES.iter().find(|(id, _)| *id == name) {
        let rule = Rule::parse(id, text)?;
        sheet.line(format!("{id}: {}", rule.summary));
        outline([&rule.what, &rule.why, &rule.example, &rule.instead], sheet);
        return Ok(());
    }
    let libraries = rules.libraries.iter();
    let libraries: Vec<&Library> = libraries
        .filter(|library| library.package == name)
        .collect();
    if libraries.is_empty() {
        anyhow::bail!("there is no rule and no library {name}; migrate rules lists them");
    }
    for library in libraries {
        let (ecosystem, summary) = (&library.ecosystem, &library.summary);
        sheet.line(format!("{name} ({ecosystem}): {summary}"));
        outline(
            [
                &library.what,
                &library.why,
                &library.example,
                &library.instead,
            ],
            sheet,
        );
        sheet.line("\nMethods");
        let methods = library.methods.iter().map(|(method, operation)| {
            let operation = match operation.as_str() {
                "" => "no operation of v1",
                operation => operation,
            };
            Row::new([method.clone(), operation.to_owned()])
        });
        sheet.rows(2, 0, &methods.collect::<Vec<_>>());
    }
    Ok(())
}

fn outline(texts: [&String; 4], sheet: &mut Sheet) {
    let titles = ["What it finds", "Why it matters", "Example", "Instead"];
    for (title, text) in titles.into_iter().zip(texts) {
        sheet.line(format!("\n{title}"));
        let words: Vec<&str> = text.split_whitespace().collect();
        sheet.paragraph(2, &words.join(" "));
    }
}
