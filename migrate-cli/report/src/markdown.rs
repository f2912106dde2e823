//! Markdown for tickets and reviews. Findings are a task list.

use std::{fmt::Write as _, io};

use crate::{
    Document, Printer,
    document::{Block, Cell, Finding, Table},
    layout::UNBROKEN_SPACE,
    words::{code_parts, plain},
};

/// Prints GitHub-flavored Markdown.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Printer for Markdown {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        write!(out, "# {}", escape(&document.title))?;
        match document.aside.as_deref() {
            None | Some("") => writeln!(out)?,
            Some(aside) => writeln!(out, " ({})", escape(aside))?,
        }
        for text in [&document.summary, &document.generated] {
            if !text.is_empty() {
                writeln!(out, "\n{text}.")?;
            }
        }
        for block in &document.blocks {
            match block {
                Block::Heading(text) => writeln!(out, "\n## {}", escape(text))?,
                Block::Paragraph(text) => writeln!(out, "\n{}", paragraph(text))?,
                Block::Table(of) if of.has_head() => write!(out, "\n{}", table(of))?,
                Block::Table(of) => write!(out, "\n{}", list(of))?,
                Block::Findings(of) => findings(of, out)?,
                Block::Part(part) => {
                    let (operation, name) = (escape(&part.operation), escape(&part.name));
                    writeln!(out, "\n### {operation} {name}\n")?;
                    if part.table.rows.iter().all(|row| row.tag == "same") {
                        writeln!(out, "No difference.")?;
                    } else {
                        write!(out, "{}", table(&part.table))?;
                    }
                }
            }
        }
        for limit in document.limits() {
            writeln!(out, "\n{}", escape(&limit))?;
        }
        Ok(())
    }
}

fn table(table: &Table) -> String {
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        for cell in cells {
            // Writing to a string never fails.
            let _ = write!(out, "| {cell} ");
        }
        out.push_str("|\n");
    };
    line(&mut table.columns.iter().map(|column| escape(&column.name)));
    line(
        &mut table
            .columns
            .iter()
            .map(|column| if column.is_number { "---:" } else { "---" }.to_owned()),
    );
    for row in table.rows.iter().filter(|row| row.tag != "same") {
        let mut cells: Vec<String> = row.cells.iter().map(cell).collect();
        if let Some(home) = cells.get_mut(table.home_of_sentences()) {
            for text in &row.below {
                let _ = write!(home, "<br>{}", escape(text));
            }
        }
        line(&mut cells.into_iter());
    }
    out
}

/// A table without a head as a list: Markdown has no such tables.
fn list(table: &Table) -> String {
    let mut out = String::new();
    for row in table.rows.iter().filter(|row| row.tag != "same") {
        let cells = row.cells.iter().map(cell).filter(|cell| !cell.is_empty());
        let _ = writeln!(out, "- {}", cells.collect::<Vec<_>>().join(" · "));
        for text in &row.below {
            let _ = writeln!(out, "  - {}", escape(text));
        }
    }
    out
}

/// A paragraph, in which commands between backticks are code.
fn paragraph(text: &str) -> String {
    let parts = code_parts(text);
    let parts = parts.map(|(part, is_code)| if is_code { code(part) } else { escape(part) });
    parts.collect()
}

fn cell(cell: &Cell) -> String {
    let lines = cell.lines.iter().filter(|line| !line.is_empty());
    let lines: Vec<String> = lines
        .map(|line| {
            if cell.is_code {
                code(line)
            } else {
                escape(line)
            }
        })
        .collect();
    let mut text = lines.join("<br>");
    if !cell.aside.is_empty() {
        let _ = write!(text, " ({})", escape(&cell.aside));
    }
    text
}

fn findings(findings: &[Finding<'_>], out: &mut dyn io::Write) -> io::Result<()> {
    let mut path = "";
    for finding in findings.iter().filter(|finding| !finding.is_mention) {
        let done = if finding.suppressed.is_some() {
            "x"
        } else {
            " "
        };
        if finding.path != path {
            path = finding.path;
            writeln!(out, "\n## {}\n", escape(path))?;
        }
        let (line, rule) = (finding.line, finding.rule);
        write!(
            out,
            "- [{done}] line {line}: {rule} **{}**",
            escape(&finding.title)
        )?;
        if !finding.advice.is_empty() {
            write!(out, ": {}", escape(&finding.advice))?;
        }
        if !finding.losses.is_empty() {
            write!(out, "; {}", escape(&finding.losses))?;
        }
        if !finding.owners.is_empty() {
            // As code, so that a ticket does not notify the owners.
            write!(out, " (`{}`)", finding.owners.join("`, `"))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Escapes Markdown and HTML.
fn escape(text: &str) -> String {
    let text = plain(text).replace(UNBROKEN_SPACE, " ");
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(
            letter,
            '*' | '_' | '`' | '|' | '[' | ']' | '<' | '\\' | '#' | '~' | '@' | '&'
        ) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Inline code, with more backticks around it than it has in a row.
fn code(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max();
    let ticks = "`".repeat(longest.unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!(
        "{ticks}{pad}{}{pad}{ticks}",
        plain(text).replace('|', "\\|")
    )
}
