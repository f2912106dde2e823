//! Text for terminals: findings by file with the source line, values side by side, then tables and
//! totals.

use std::{io, path::PathBuf, time::Duration};

use anstream::adapter::strip_str;
use anstyle::Style;
use url::Url;

use crate::{
    Document, Printer,
    document::{Block, Cell, Finding, Part, Row, Table},
    layout::{self, TextLayout, bad, display_width, faint, good, strong, unbroken, warning},
    words::plain,
};

/// Indent of the lines below a finding.
const INDENT: usize = 9;
/// Width of the column of rules. The title of a longer one is on the next line.
const RULE_WIDTH: usize = 18;
/// Minimum width of titles, so that advice is aligned.
const TITLE_WIDTH: usize = 22;
/// Maximum width of a value column, so that values stay close together.
const MAX_VALUE_WIDTH: usize = 60;
const BETWEEN: &str = " │ ";

/// Prints text.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent choices of the user"
)]
pub struct Text {
    /// Width in columns.
    pub width: usize,
    /// Use colors.
    pub is_styled: bool,
    /// Folder that paths are relative to, if they are printed as links.
    pub links: Option<PathBuf>,
    /// Duration of the run, if shown.
    pub elapsed: Option<Duration>,
    /// Show values side by side, else one below the other.
    pub is_side_by_side: bool,
    /// Also show rows without differences.
    pub shows_same: bool,
    /// Show only limitations and totals.
    pub is_brief: bool,
}

impl Printer for Text {
    fn print(&self, document: &Document<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut layout = TextLayout::new(self.width);
        if let Some(aside) = &document.aside {
            layout.ends(&strong(&plain(&document.title)), &faint(&plain(aside)));
        }
        self.findings(document, &mut layout);
        for block in &document.blocks {
            if let Block::Part(part) = block {
                self.part(part, &mut layout);
                layout.blank();
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
                        layout.blank();
                    }
                    let (title, rest) = text.split_once(": ").unwrap_or((text, ""));
                    let colon = if rest.is_empty() { "" } else { ": " };
                    layout.paragraph(
                        0,
                        &format!("{}{colon}{}", strong(&plain(title)), plain(rest)),
                    );
                }
                Block::Paragraph(text) => layout.paragraph(0, &plain(text)),
                Block::Table(of) => table(of, &mut layout),
                Block::Findings(_) | Block::Part(_) => continue,
            }
            is_first = false;
        }
        let limits = document.limits();
        let has_end = !limits.is_empty() || !document.summary.is_empty() || document.next.is_some();
        if has_end && !is_first {
            layout.blank();
        }
        for limit in limits {
            layout.paragraph(0, &plain(&limit));
        }
        if !document.summary.is_empty() {
            let elapsed = self.elapsed;
            let elapsed = elapsed.map(|elapsed| format!("{:.2} s", elapsed.as_secs_f64()));
            // Lines break only between parts.
            let parts = document.summary.split(" · ").chain(elapsed.as_deref());
            let is_short = |part: &str| display_width(part) <= layout.width() / 2;
            let parts: Vec<String> = parts
                .map(|part| {
                    if is_short(part) {
                        unbroken(part)
                    } else {
                        part.to_owned()
                    }
                })
                .collect();
            layout.paragraph(0, &parts.join(" · "));
        }
        if let Some(next) = document.next {
            layout.line(format!("next: {next}"));
        }
        let text = layout.into_text();
        if self.is_styled {
            out.write_all(text.as_bytes())
        } else {
            write!(out, "{}", strip_str(&text))
        }
    }
}

impl Text {
    fn findings(&self, document: &Document<'_>, layout: &mut TextLayout) {
        let mut path = "";
        let is_open = |finding: &&Finding<'_>| !finding.is_mention && finding.suppressed.is_none();
        for finding in document.findings().filter(is_open) {
            if finding.path != path {
                path = finding.path;
                layout.line(strong(&self.linked(path, None, &plain(path))));
            }
            self.finding(finding, layout);
        }
        if !path.is_empty() {
            layout.blank();
        }
    }

    /// Formats a text as a link to a file (OSC 8).
    fn linked(&self, path: &str, line: Option<usize>, text: &str) -> String {
        let file = self.links.as_ref().map(|folder| folder.join(path));
        let Some(mut url) = file.and_then(|file| Url::from_file_path(file).ok()) else {
            return text.to_owned();
        };
        // Terminals and editors that support line numbers read them from the fragment.
        if let Some(line) = line {
            url.set_fragment(Some(&format!("L{line}")));
        }
        format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\")
    }

    fn finding(&self, finding: &Finding<'_>, layout: &mut TextLayout) {
        let number = finding.line.to_string();
        let pad = " ".repeat(5_usize.saturating_sub(number.len()));
        let link = self.linked(finding.path, Some(finding.line), &number);
        let rule = format!("{:<RULE_WIDTH$}", finding.rule);
        let head = format!(
            "{} {}",
            faint(&format!("{pad}{link}  {rule}")),
            plain(&finding.title)
        );
        let title = display_width(&finding.title);
        let (title, advice) = (title.max(TITLE_WIDTH), display_width(&finding.advice));
        let is_served = finding.served.tone != "bad";
        let is_aligned = finding.rule.len() <= RULE_WIDTH;
        if is_aligned && is_served && advice > 0 && INDENT + 17 + title + 2 + advice <= self.width {
            let gap = " ".repeat(title - display_width(&finding.title) + 2);
            layout.line(format!("{head}{gap}{}", finding.advice));
        } else {
            if is_aligned && INDENT + 17 + display_width(&finding.title) <= self.width {
                layout.line(head);
            } else {
                layout.line(faint(&format!("{pad}{link}  {}", finding.rule)));
                below(&plain(&finding.title), layout);
            }
            if !is_served {
                below(&format!("at the shim: {}", toned(&finding.served)), layout);
            }
            if advice > 0 {
                below(&finding.advice, layout);
            }
        }
        if !finding.losses.is_empty() {
            below(&faint(&finding.losses), layout);
        }
        if let Some(note) = finding.note {
            below(&format!("note: {}", plain(note)), layout);
        }
        match finding.excerpt {
            Some(excerpt) => source(finding.columns, excerpt, layout),
            None => below(&faint("(value hidden)"), layout),
        }
    }

    fn part(&self, part: &Part, layout: &mut TextLayout) {
        let title = format!("{}  {}", part.operation, part.name);
        layout.line(strong(&window(
            plain(title.trim()).as_ref(),
            None,
            layout.width(),
        )));
        let is_shown = |row: &&Row| self.shows_same || row.tag != "same";
        let rows: Vec<&Row> = part.table.rows.iter().filter(is_shown).collect();
        let names = [1, 2].map(|at| part.table.columns.get(at).map_or("", |column| &column.name));
        let keys = rows.iter().map(|row| display_width(&at(row, 0))).max();
        let keys = keys.unwrap_or(0).clamp(8, (layout.width() / 4).max(8));
        let column = if self.is_side_by_side {
            let room = layout
                .width()
                .saturating_sub(keys + 4 + display_width(BETWEEN));
            let widest = rows.iter().flat_map(|row| [at(row, 1), at(row, 2)]);
            let widest = widest.map(|value| display_width(&value)).max();
            widest.unwrap_or(0).clamp(12, MAX_VALUE_WIDTH).min(room / 2)
        } else {
            layout.width().saturating_sub(4)
        };
        match names {
            _ if rows.is_empty() => layout.line("  no difference"),
            [old, new] if self.is_side_by_side => {
                let old = padded(&window(old, None, column), column);
                let pad = " ".repeat(keys + 4);
                layout.line(format!("{pad}{old}   {}", window(new, None, column)));
            }
            [old, new] => layout.line(format!("--- {old}\n+++ {new}")),
        }
        for row in &rows {
            let (key, verdict) = (at(row, 0), row.cells.get(3).map(toned).unwrap_or_default());
            let mark = match row.tag {
                "unexpected" => bad("!"),
                "lossy" => warning("~"),
                _ => " ".to_owned(),
            };
            let (old, new) = beside(&at(row, 1), &at(row, 2), column, row.tag == "unexpected");
            if self.is_side_by_side {
                let (key, old) = (
                    padded(&window(&key, None, keys), keys),
                    padded(&old, column),
                );
                layout.line(format!("{mark} {key}  {old}{BETWEEN}{new}"));
                if row.tag != "same" {
                    layout.paragraph(keys + 4, &verdict);
                }
                continue;
            }
            if row.tag == "same" {
                layout.line(format!("{mark} {key}"));
                layout.line(format!("    {new}"));
                continue;
            }
            layout.hanging(&format!("{mark} "), &format!("{key}  {verdict}"));
            for (sign, value) in [("-", old), ("+", new)] {
                if !value.is_empty() {
                    layout.line(format!("  {sign} {value}"));
                }
            }
        }
        let same = part.table.rows.len() - rows.len();
        if same > 0 {
            layout.line(format!("  {same} the same (--all)"));
        }
    }
}

/// Text of a cell and of the small text beside it.
fn at(row: &Row, at: usize) -> String {
    let Some(cell) = row.cells.get(at) else {
        return String::new();
    };
    let both = [text(cell), plain(&cell.aside).into_owned()];
    let parts: Vec<String> = both.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("  ")
}

/// Fits two values to columns. Underlines what differs if `is_marked`.
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

/// Cuts a text to a column around the first marked letter, with `…` for omissions.
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

fn below(text: &str, layout: &mut TextLayout) {
    layout.paragraph(INDENT, text);
}

/// Adds the source line, cut around the span if it is long, with markers below.
fn source((column, end): (usize, usize), excerpt: &str, layout: &mut TextLayout) {
    let width = layout.width().saturating_sub(INDENT + 2).max(20);
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
    layout.line(format!("{pad}{shown}"));
    let (start, count) = (start - from, shown.chars().count());
    if start < count {
        let marks = "^".repeat(length.min(count - start));
        layout.line(format!("{pad}{}{}", " ".repeat(start), bad(&marks)));
    }
}

fn table(table: &Table, layout: &mut TextLayout) {
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
        rows.push(layout::Row {
            cells: line(&mut names),
            below: Vec::new(),
        });
    }
    rows.extend(table.rows.iter().map(|row| {
        layout::Row {
            cells: line(&mut row.cells.iter().map(|cell| {
                let text = toned(cell);
                if cell.is_code && cell.lines.len() == 1 {
                    unbroken(&text)
                } else {
                    text
                }
            })),
            below: row
                .below
                .iter()
                .map(|text| plain(text).into_owned())
                .collect(),
        }
    }));
    // Beside numbers there is no room for a sentence.
    let below = table.columns.get(1).is_some_and(|column| !column.is_number);
    layout.rows(2, below.then_some(1), &rows);
}

/// The first line of a cell, and the number of further lines.
fn text(cell: &Cell) -> String {
    match cell.lines.as_slice() {
        [] => String::new(),
        [line] => plain(line).into_owned(),
        [first, others @ ..] => format!("{} +{}", unbroken(&plain(first)), others.len()),
    }
}

/// Colored text of a cell, with the small text beside it.
fn toned(cell: &Cell) -> String {
    let text = match (text(cell), cell.tone) {
        (text, _) if text.is_empty() => text,
        (text, "bad" | "gone" | "unexpected") => bad(&text),
        (text, "lossy" | "warn") => warning(&text),
        (text, "exact" | "good") => good(&text),
        (text, "name") => strong(&text),
        (text, "dim" | "same" | "volatile" | "accepted") => faint(&text),
        (text, _) => text,
    };
    if cell.aside.is_empty() {
        return text;
    }
    format!("{text} ({})", plain(&cell.aside))
}
