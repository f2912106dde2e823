//! Comparisons in a terminal: side by side where there is room, one below the other where not.

#![expect(
    clippy::format_push_string,
    reason = "a report is written once, and `write!` would add errors that cannot happen"
)]

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Report;
use crate::diff::{Comparison, Row, Verdict};
use recording::comparison::written;

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layout {
    /// Side by side on a terminal that is wide enough.
    Auto,
    /// Side by side.
    Side,
    /// One below the other.
    Unified,
}

/// Where text goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Columns.
    pub(crate) width: usize,
    /// Side by side, or one below the other.
    pub(crate) is_wide: bool,
    /// Also what is the same.
    pub(crate) all: bool,
}

/// Narrower columns would show nothing of most values.
const NARROW: usize = 72;
/// Wider columns tear apart what is compared.
const WIDEST_VALUE: usize = 60;
const BETWEEN: &str = " │ ";

impl Page {
    pub(crate) fn new(width: usize, is_terminal: bool, layout: Layout, all: bool) -> Self {
        let is_wide = match layout {
            Layout::Auto => is_terminal && width >= NARROW,
            Layout::Side => true,
            Layout::Unified => false,
        };
        Self {
            width: width.max(40),
            is_wide,
            all,
        }
    }
}

pub(super) fn render(report: &Report, page: &Page) -> String {
    let mut out = String::new();
    for comparison in &report.shown {
        comparison_text(comparison, page, &mut out);
        out.push('\n');
    }
    totals(report, &mut out);
    out
}

fn totals(report: &Report, out: &mut String) {
    let names = report
        .operations
        .keys()
        .map(|name| name.width())
        .max()
        .unwrap_or(0);
    for (name, tally) in &report.operations {
        let expected = tally.compared - tally.unexpected;
        let mut line = format!(
            "{name:names$}  {} compared   {expected} as expected   {} unexpected",
            tally.compared, tally.unexpected
        );
        if tally.timed > 0 {
            let mean = |sum: u64| millis(sum / tally.timed);
            line += &format!(
                "   {} → {} ms",
                mean(tally.old_micros),
                mean(tally.new_micros)
            );
        }
        out.push_str(&line);
        out.push('\n');
    }
    for (why, count) in &report.skipped {
        out.push_str(&format!("not compared: {count}, {why}\n"));
    }
    if report.is_interrupted {
        out.push_str("interrupted: this is what was compared so far\n");
    }
    if report.not_shown > 0 {
        out.push_str(&format!(
            "not shown: {} more with unexpected differences\n",
            report.not_shown
        ));
    }
}

fn millis(micros: u64) -> String {
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}

fn comparison_text(comparison: &Comparison, page: &Page, out: &mut String) {
    let rows: Vec<_> = comparison
        .rows
        .iter()
        .filter(|row| page.all || row.verdict != Verdict::Same)
        .collect();
    let operation = comparison.operation.as_deref().unwrap_or_default();
    let bold = Style::new().bold();
    let title = format!("{operation}  {}", comparison.name);
    out.push_str(&format!(
        "{bold}{}{bold:#}\n",
        fit(title.trim(), page.width)
    ));
    if rows.is_empty() {
        out.push_str("  no difference\n");
    } else if page.is_wide {
        side_by_side(comparison, &rows, page, out);
    } else {
        unified(comparison, &rows, page, out);
    }
    let hidden = comparison.rows.len() - rows.len();
    if hidden > 0 {
        out.push_str(&format!("  {hidden} the same (--all)\n"));
    }
}

fn side_by_side(comparison: &Comparison, rows: &[&Row], page: &Page, out: &mut String) {
    let keys = rows.iter().map(|row| row.path.width()).max().unwrap_or(0);
    let keys = keys.min(page.width / 4).max(8);
    // Two for the mark, two after the key, and at least a word for the verdict.
    let room = page.width.saturating_sub(2 + keys + 2 + BETWEEN.width());
    let widest = rows
        .iter()
        .flat_map(|row| [shown_old(row).width(), shown_new(row).width()])
        .max()
        .unwrap_or(0);
    // What is wide enough has the verdict behind the values, else below them.
    let verdict_beside = page.width >= 100;
    let share = if verdict_beside {
        room * 2 / 3 / 2
    } else {
        room / 2
    };
    let column = widest.clamp(12, WIDEST_VALUE).min(share);
    let (old_name, new_name) = &comparison.sides;
    let head = format!(
        "{:gap$}{}{}{new_name}",
        "",
        padded(old_name, column),
        " ".repeat(BETWEEN.width()),
        gap = 2 + keys + 2
    );
    out.push_str(head.trim_end());
    out.push('\n');
    for row in rows {
        let style = style(row.verdict);
        let mark = mark(row.verdict);
        let (old, new) = emphasised(&shown_old(row), &shown_new(row), column, row.verdict);
        let mut line = format!(
            "{style}{mark}{style:#} {}  {old}{BETWEEN}{new}",
            padded(&row.path, keys)
        );
        let words = words(row);
        if words.is_empty() {
            out.push_str(line.trim_end());
            out.push('\n');
        } else if verdict_beside {
            let left = page
                .width
                .saturating_sub(2 + keys + 2 + 2 * column + BETWEEN.width() + 2);
            line += &format!("  {style}{}{style:#}", fit(&words, left));
            out.push_str(&line);
            out.push('\n');
        } else {
            out.push_str(line.trim_end());
            out.push('\n');
            let indent = 2 + keys + 2;
            let left = page.width.saturating_sub(indent);
            out.push_str(&format!(
                "{:indent$}{style}{}{style:#}\n",
                "",
                fit(&words, left)
            ));
        }
    }
}

fn unified(comparison: &Comparison, rows: &[&Row], page: &Page, out: &mut String) {
    let (old_name, new_name) = &comparison.sides;
    out.push_str(&format!("--- {old_name}\n+++ {new_name}\n"));
    for row in rows {
        let style = style(row.verdict);
        let mark = mark(row.verdict);
        let head = format!("{}  {}", row.path, words(row));
        let room = page.width.saturating_sub(2);
        out.push_str(&format!(
            "{style}{mark} {}{style:#}\n",
            fit(head.trim_end(), room)
        ));
        if row.verdict == Verdict::Same {
            let value = fit(&shown_old(row), page.width.saturating_sub(4));
            out.push_str(&format!("    {value}\n"));
            continue;
        }
        let room = page.width.saturating_sub(4);
        let (old, new) = emphasised(&shown_old(row), &shown_new(row), room, row.verdict);
        for (sign, value, is_there) in [
            ('-', old, row.old.is_some()),
            ('+', new, row.new.is_some() || row.place.is_some()),
        ] {
            if is_there {
                out.push_str(format!("  {sign} {value}").trim_end());
                out.push('\n');
            }
        }
    }
}

fn shown_old(row: &Row) -> String {
    written(row.old.as_ref())
}

/// The value, and where it stands if that is another place.
fn shown_new(row: &Row) -> String {
    let value = written(row.new.as_ref());
    match &row.place {
        Some(place) if value.is_empty() => place.clone(),
        Some(place) => format!("{value}  {place}"),
        None => value,
    }
}

fn words(row: &Row) -> String {
    match (row.verdict, row.reason.is_empty()) {
        (Verdict::Same, _) => String::new(),
        (verdict, true) => verdict.to_string(),
        (verdict, false) => format!("{verdict}: {}", row.reason),
    }
}

/// Colours are not all: what fails has a mark, too.
fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Unexpected => '!',
        Verdict::Lossy => '~',
        _ => ' ',
    }
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Unexpected => AnsiColor::Red.on_default().bold(),
        Verdict::Lossy => AnsiColor::Yellow.on_default(),
        Verdict::Volatile | Verdict::Accepted => Style::new().dimmed(),
        Verdict::Same | Verdict::Mapped => Style::new(),
    }
}

/// Both values, each as wide as a column, with what differs made plain where that is a surprise.
fn emphasised(old: &str, new: &str, column: usize, verdict: Verdict) -> (String, String) {
    if verdict != Verdict::Unexpected || old.is_empty() || new.is_empty() {
        return (padded(old, column), padded(new, column));
    }
    let diff = TextDiff::from_chars(old, new);
    let mut sides = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        let differs = change.tag() != ChangeTag::Equal;
        let letters = change.value().chars().map(|char| (char, differs));
        match change.tag() {
            ChangeTag::Delete => sides.0.extend(letters),
            ChangeTag::Insert => sides.1.extend(letters),
            ChangeTag::Equal => {
                sides.0.extend(letters.clone());
                sides.1.extend(letters);
            }
        }
    }
    (window(&sides.0, column), window(&sides.1, column))
}

/// The part of a text that fits a column and has the first difference in it.
fn window(letters: &[(char, bool)], column: usize) -> String {
    let width = |letters: &[(char, bool)]| -> usize {
        letters.iter().filter_map(|(char, _)| char.width()).sum()
    };
    let mut start = 0;
    if width(letters) > column {
        let first = letters
            .iter()
            .position(|(_, differs)| *differs)
            .unwrap_or(0);
        if width(letters.get(..first).unwrap_or_default()) + 4 > column {
            start = first.saturating_sub(column / 3);
        }
    }
    let emphasis = Style::new().bold().underline();
    let mut out = String::new();
    let mut used = 0;
    if start > 0 {
        out.push('…');
        used = 1;
    }
    let rest = letters.get(start..).unwrap_or_default();
    let all = width(rest) + used <= column;
    let mut on = false;
    for (char, differs) in rest {
        let wide = char.width().unwrap_or(0);
        if used + wide + usize::from(!all) > column {
            break;
        }
        if *differs != on {
            out.push_str(&if *differs {
                format!("{emphasis}")
            } else {
                format!("{emphasis:#}")
            });
            on = *differs;
        }
        out.push(*char);
        used += wide;
    }
    if on {
        out.push_str(&format!("{emphasis:#}"));
    }
    if !all {
        out.push('…');
        used += 1;
    }
    out.push_str(&" ".repeat(column.saturating_sub(used)));
    out
}

/// A text that is at most so wide, with `…` for what is left out.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for char in text.chars() {
        used += char.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(char);
    }
    out.push('…');
    out
}

fn padded(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let missing = width.saturating_sub(text.width());
    text + &" ".repeat(missing)
}
