//! Text for terminals: findings grouped by file, with the source and the span marked, and values
//! side by side; then tables, then the numbers.

use std::{io, path::PathBuf, time::Duration};

use anstream::adapter::strip_str;
use anstyle::Style;
use url::Url;

use crate::{
    Document, Printer,
    document::{Block, Cell, Finding, Part, Row, Table},
    sheet::{self, Sheet, alarm, caution, display_width, faint, fine, strong, tied},
    words::plain,
};

/// Where what is below the first line of a finding begins.
const INDENT: usize = 9;
/// How wide titles are, so that advice stands below advice.
const TITLE: usize = 22;
/// Wider columns tear apart what is compared.
const WIDEST_VALUE: usize = 60;
const BETWEEN: &str = " │ ";

/// Prints text.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent choices of the user"
)]
pub struct Text {
    /// How many columns a line may have.
    pub width: usize,
    /// Colours may be used.
    pub is_styled: bool,
    /// The folder that paths are seen from, if they may be links.
    pub links: Option<PathBuf>,
    /// How long the run took, if that is shown.
    pub elapsed: Option<Duration>,
    /// Compared values stand side by side, else one below the other.
    pub is_side_by_side: bool,
    /// Rows that are the same are shown, too.
    pub shows_same: bool,
    /// Only what limits the report and its numbers are shown.
    pub is_brief: bool,
}

impl Printer for Text {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut sheet = Sheet::new(self.width);
        if let Some(aside) = &document.aside {
            sheet.ends(&strong(&plain(&document.title)), &faint(&plain(aside)));
        }
        self.findings(document, &mut sheet);
        for block in &document.blocks {
            if let Block::Part(part) = block {
                self.part(part, &mut sheet);
                sheet.blank();
            }
        }
        let mut is_first = document.aside.is_none();
        let shown = if self.is_brief {
            &[]
        } else {
            document.blocks.as_slice()
        };
        for block in shown {
            match block {
                Block::Heading(text) => {
                    if !is_first {
                        sheet.blank();
                    }
                    let (title, rest) = text.split_once(": ").unwrap_or((text, ""));
                    let colon = if rest.is_empty() { "" } else { ": " };
                    sheet.paragraph(
                        0,
                        &format!("{}{colon}{}", strong(&plain(title)), plain(rest)),
                    );
                }
                Block::Paragraph(text) => sheet.paragraph(0, &plain(text)),
                Block::Table(of) => table(of, &mut sheet),
                Block::Findings(_) | Block::Part(_) => continue,
            }
            is_first = false;
        }
        let limits = document.limits();
        let has_end = !limits.is_empty() || !document.summary.is_empty() || document.next.is_some();
        if has_end && !is_first {
            sheet.blank();
        }
        for limit in limits {
            sheet.paragraph(0, &plain(&limit));
        }
        if !document.summary.is_empty() {
            let elapsed = self.elapsed;
            let elapsed = elapsed.map(|elapsed| format!("{:.2} s", elapsed.as_secs_f64()));
            // No line ends within a part.
            let parts = document.summary.split(" · ").chain(elapsed.as_deref());
            let is_short = |part: &str| display_width(part) <= sheet.width() / 2;
            let parts: Vec<String> = parts
                .map(|part| {
                    if is_short(part) {
                        tied(part)
                    } else {
                        part.to_owned()
                    }
                })
                .collect();
            sheet.paragraph(0, &parts.join(" · "));
        }
        if let Some(next) = document.next {
            sheet.line(format!("next: {next}"));
        }
        let text = sheet.into_text();
        if self.is_styled {
            out.write_all(text.as_bytes())
        } else {
            write!(out, "{}", strip_str(&text))
        }
    }
}

impl Text {
    fn findings(&self, document: &Document<'_>, sheet: &mut Sheet) {
        let mut path = "";
        let is_open = |finding: &&Finding<'_>| !finding.is_mention && finding.suppressed.is_none();
        for finding in document.findings().filter(is_open) {
            if finding.path != path {
                path = finding.path;
                sheet.line(strong(&self.linked(path, None, &plain(path))));
            }
            self.finding(finding, sheet);
        }
        if !path.is_empty() {
            sheet.blank();
        }
    }

    /// A text that is a link to a file, on terminals that have links (OSC 8).
    fn linked(&self, path: &str, line: Option<usize>, text: &str) -> String {
        let file = self.links.as_ref().map(|folder| folder.join(path));
        let Some(mut url) = file.and_then(|file| Url::from_file_path(file).ok()) else {
            return text.to_owned();
        };
        // Terminals and editors that know lines read them here; others open the file.
        if let Some(line) = line {
            url.set_fragment(Some(&format!("L{line}")));
        }
        format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\")
    }

    fn finding(&self, finding: &Finding<'_>, sheet: &mut Sheet) {
        let number = finding.line.to_string();
        let pad = " ".repeat(5_usize.saturating_sub(number.len()));
        let link = self.linked(finding.path, Some(finding.line), &number);
        let rule = format!("{:<18}", finding.rule);
        let head = format!(
            "{} {}",
            faint(&format!("{pad}{link}  {rule}")),
            plain(&finding.title)
        );
        let title = display_width(&finding.title);
        let (title, advice) = (title.max(TITLE), display_width(&finding.advice));
        let is_served = finding.served.tone != "bad";
        if is_served && advice > 0 && INDENT + 17 + title + 2 + advice <= self.width {
            let gap = " ".repeat(title - display_width(&finding.title) + 2);
            sheet.line(format!("{head}{gap}{}", finding.advice));
        } else {
            if INDENT + 17 + display_width(&finding.title) <= self.width {
                sheet.line(head);
            } else {
                sheet.line(faint(&format!("{pad}{link}  {}", finding.rule)));
                below(&plain(&finding.title), sheet);
            }
            if !is_served {
                below(&format!("at the shim: {}", toned(&finding.served)), sheet);
            }
            if advice > 0 {
                below(&finding.advice, sheet);
            }
        }
        if !finding.losses.is_empty() {
            below(&faint(&finding.losses), sheet);
        }
        if let Some(note) = finding.note {
            below(&format!("note: {}", plain(note)), sheet);
        }
        match finding.excerpt {
            Some(excerpt) => source(finding.columns, excerpt, sheet),
            None => below(&faint("(value hidden)"), sheet),
        }
    }

    fn part(&self, part: &Part, sheet: &mut Sheet) {
        let title = format!("{}  {}", part.operation, part.name);
        sheet.line(strong(&window(
            plain(title.trim()).as_ref(),
            None,
            sheet.width(),
        )));
        let is_shown = |row: &&Row| self.shows_same || row.tag != "same";
        let rows: Vec<&Row> = part.table.rows.iter().filter(is_shown).collect();
        let names = [1, 2].map(|at| part.table.columns.get(at).map_or("", |column| &column.name));
        let keys = rows.iter().map(|row| display_width(&at(row, 0))).max();
        let keys = keys.unwrap_or(0).clamp(8, (sheet.width() / 4).max(8));
        let column = if self.is_side_by_side {
            let room = sheet
                .width()
                .saturating_sub(keys + 4 + display_width(BETWEEN));
            let widest = rows.iter().flat_map(|row| [at(row, 1), at(row, 2)]);
            let widest = widest.map(|value| display_width(&value)).max();
            widest.unwrap_or(0).clamp(12, WIDEST_VALUE).min(room / 2)
        } else {
            sheet.width().saturating_sub(4)
        };
        match names {
            _ if rows.is_empty() => sheet.line("  no difference"),
            [old, new] if self.is_side_by_side => {
                let old = padded(&window(old, None, column), column);
                let pad = " ".repeat(keys + 4);
                sheet.line(format!("{pad}{old}   {}", window(new, None, column)));
            }
            [old, new] => sheet.line(format!("--- {old}\n+++ {new}")),
        }
        for row in &rows {
            let (key, verdict) = (at(row, 0), row.cells.get(3).map(toned).unwrap_or_default());
            let mark = match row.tag {
                "unexpected" => alarm("!"),
                "lossy" => caution("~"),
                _ => " ".to_owned(),
            };
            let (old, new) = beside(&at(row, 1), &at(row, 2), column, row.tag == "unexpected");
            if self.is_side_by_side {
                let (key, old) = (
                    padded(&window(&key, None, keys), keys),
                    padded(&old, column),
                );
                sheet.line(format!("{mark} {key}  {old}{BETWEEN}{new}"));
                if row.tag != "same" {
                    sheet.paragraph(keys + 4, &verdict);
                }
                continue;
            }
            if row.tag == "same" {
                sheet.line(format!("{mark} {key}"));
                sheet.line(format!("    {new}"));
                continue;
            }
            sheet.hanging(&format!("{mark} "), &format!("{key}  {verdict}"));
            for (sign, value) in [("-", old), ("+", new)] {
                if !value.is_empty() {
                    sheet.line(format!("  {sign} {value}"));
                }
            }
        }
        let same = part.table.rows.len() - rows.len();
        if same > 0 {
            sheet.line(format!("  {same} the same (--all)"));
        }
    }
}

/// The text of a cell and of what is beside it.
fn at(row: &Row, at: usize) -> String {
    let Some(cell) = row.cells.get(at) else {
        return String::new();
    };
    let both = [text(cell), plain(&cell.aside).into_owned()];
    let parts: Vec<String> = both.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("  ")
}

/// Two values that fit a column each, with what differs underlined if that is a surprise.
fn beside(old: &str, new: &str, column: usize, is_marked: bool) -> (String, String) {
    let alike = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| {
        one.zip(other).take_while(|(a, b)| a == b).count()
    };
    let start = alike(&mut old.chars(), &mut new.chars());
    let end = alike(&mut old.chars().rev(), &mut new.chars().rev());
    let is_marked = is_marked && !old.is_empty() && !new.is_empty();
    let side = |text: &str, other: &str| {
        let (length, shorter) = (text.chars().count(), other.chars().count());
        let to = length - end.min(length.min(shorter).saturating_sub(start));
        window(text, is_marked.then_some((start, to)), column)
    };
    (side(old, new), side(new, old))
}

/// The part of a text that fits a column and has the first marked letter in it, with `…` for what is
/// left out.
fn window(text: &str, marked: Option<(usize, usize)>, column: usize) -> String {
    let (from, to) = marked.unwrap_or_default();
    let is_cut = display_width(text) > column;
    let start = if is_cut && from + 4 > column {
        from.saturating_sub(column / 3)
    } else {
        0
    };
    let emphasis = Style::new().bold().underline();
    let count = text.chars().count();
    let mut shown = if start > 0 { "…" } else { "" }.to_owned();
    let mut used = display_width(&shown);
    let mut is_on = false;
    for (number, letter) in text.chars().enumerate().skip(start) {
        let wide = display_width(letter.encode_utf8(&mut [0; 4]));
        let is_full = used + wide + usize::from(number + 1 < count) > column;
        let is_wanted = (from..to).contains(&number) && !is_full;
        if is_wanted != is_on {
            is_on = is_wanted;
            shown.push_str(&if is_on {
                emphasis.render().to_string()
            } else {
                emphasis.render_reset().to_string()
            });
        }
        if is_full {
            shown.push('…');
            break;
        }
        used += wide;
        shown.push(letter);
    }
    if is_on {
        shown.push_str(&emphasis.render_reset().to_string());
    }
    shown
}

fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(display_width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// A sentence below the first line of a finding.
fn below(text: &str, sheet: &mut Sheet) {
    sheet.paragraph(INDENT, text);
}

/// The source line, cut around the span if it is long, and the span marked below.
fn source((column, end): (usize, usize), excerpt: &str, sheet: &mut Sheet) {
    let width = sheet.width().saturating_sub(INDENT + 2).max(20);
    let letters: Vec<char> = plain(excerpt)
        .chars()
        .map(|letter| if letter == '\u{fffd}' { ' ' } else { letter })
        .collect();
    let blank = letters.iter().take_while(|letter| letter.is_whitespace());
    let indent = blank.count();
    let start = column.saturating_sub(1).max(indent);
    let length = end.saturating_sub(column).max(1);
    let from = if start - indent + length.min(40) > width {
        start.saturating_sub(20)
    } else {
        indent
    };
    let shown: String = letters.iter().skip(from).take(width).collect();
    let shown = shown.trim_end();
    let pad = " ".repeat(INDENT);
    sheet.line(format!("{pad}{shown}"));
    let (start, count) = (start - from, shown.chars().count());
    if start < count {
        let marks = "^".repeat(length.min(count - start));
        sheet.line(format!("{pad}{}{}", " ".repeat(start), alarm(&marks)));
    }
}

fn table(table: &Table, sheet: &mut Sheet) {
    let mut rows = Vec::new();
    let widths: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(number, column)| {
            let cells = table.rows.iter().map(|row| display_width(&at(row, number)));
            let widest = cells.chain([display_width(&column.name)]).max();
            widest.filter(|_| column.is_number).unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = String>| -> Vec<String> {
        let cells = cells.zip(table.columns.iter().zip(&widths));
        let shown = cells.filter(|(_, (column, _))| !column.is_detail);
        shown
            .map(|(cell, (_, width))| {
                let missing = width.saturating_sub(display_width(&cell));
                format!("{}{cell}", " ".repeat(missing))
            })
            .collect()
    };
    if table.has_head() {
        let mut names = table.columns.iter().map(|column| faint(&column.name));
        rows.push(sheet::Row {
            cells: line(&mut names),
            below: Vec::new(),
        });
    }
    rows.extend(table.rows.iter().map(|row| {
        sheet::Row {
            cells: line(&mut row.cells.iter().map(toned)),
            below: row
                .below
                .iter()
                .map(|text| plain(text).into_owned())
                .collect(),
        }
    }));
    sheet.rows(2, 1, &rows);
}

fn text(cell: &Cell) -> String {
    plain(&cell.lines.join(", ")).into_owned()
}

/// The text of a cell in its colour, and what is beside it.
fn toned(cell: &Cell) -> String {
    let text = match (text(cell), cell.tone) {
        (text, _) if text.is_empty() => text,
        (text, "bad" | "gone" | "unexpected") => alarm(&text),
        (text, "lossy" | "warn") => caution(&text),
        (text, "exact" | "good") => fine(&text),
        (text, "name") => strong(&text),
        (text, "dim" | "same" | "volatile" | "accepted") => faint(&text),
        (text, _) => text,
    };
    if cell.aside.is_empty() {
        return text;
    }
    format!("{text} ({})", plain(&cell.aside))
}
