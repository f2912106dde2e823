//! `migrate rules`.

use std::io::{self, Write};

use crate::cli::Exit;
use migrate_audit::rules::{Library, RULES, Rule, Rules};

/// List the audit's rules, or explain one of them or a client library.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rule or the package to explain.
    name: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let rules = Rules::embedded()?;
    let mut out = io::stdout().lock();
    match &args.name {
        None => list(&rules, &mut out)?,
        Some(name) => explain(name, &rules, &mut out)?,
    }
    Ok(Exit::Clean)
}

fn list(rules: &Rules, out: &mut dyn Write) -> anyhow::Result<()> {
    for (id, text) in RULES {
        writeln!(out, "{id:<20} {}", Rule::parse(id, text)?.summary)?;
    }
    writeln!(out, "\nclient libraries")?;
    for library in &rules.libraries {
        let versions = library.before.as_ref().map_or_else(
            || "all versions".to_owned(),
            |version| format!("before {version}"),
        );
        writeln!(
            out,
            "{:<42} {}, {versions}",
            library.package, library.ecosystem
        )?;
    }
    writeln!(out, "\nmigrate rules NAME explains one of them")?;
    Ok(())
}

fn explain(name: &str, rules: &Rules, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some((id, text)) = RULES.iter().find(|(id, _)| *id == name) {
        let rule = Rule::parse(id, text)?;
        writeln!(out, "{id}: {}\n", rule.summary)?;
        return outline(&rule.what, &rule.why, &rule.example, &rule.instead, out);
    }
    let libraries: Vec<&Library> = rules
        .libraries
        .iter()
        .filter(|library| library.package == name)
        .collect();
    if libraries.is_empty() {
        anyhow::bail!("there is no rule and no library {name}; migrate rules lists them");
    }
    for library in libraries {
        writeln!(
            out,
            "{} ({}): {}\n",
            library.package, library.ecosystem, library.summary
        )?;
        outline(
            &library.what,
            &library.why,
            &library.example,
            &library.instead,
            out,
        )?;
        writeln!(out, "\nMethods")?;
        for (method, operation) in &library.methods {
            let operation = if operation.is_empty() {
                "no operation of v1"
            } else {
                operation
            };
            writeln!(out, "  {method:<28} {operation}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn outline(
    what: &str,
    why: &str,
    example: &str,
    instead: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(out, "What it finds\n{}\n", indent(what))?;
    writeln!(out, "Why it matters\n{}\n", indent(why))?;
    writeln!(out, "Example\n{}\n", indent(example))?;
    writeln!(out, "Instead\n{}", indent(instead))?;
    Ok(())
}

/// Wraps a paragraph for a small terminal.
fn indent(text: &str) -> String {
    let mut lines = Vec::new();
    let mut line = String::from(" ");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > 78 {
            lines.push(std::mem::replace(&mut line, String::from(" ")));
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}
