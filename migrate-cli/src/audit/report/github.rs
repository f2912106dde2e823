//! Annotations of GitHub Actions: `::error file=…,line=…::…`.
//!
//! Paths are seen from the folder in which the program runs, as GitHub looks for them in the
//! workspace. GitHub shows ten annotations of a level and step, so the last line is the sum.

use std::io::{self, Write};

use super::{Report, advice, count, title};
use migrate_audit::Level;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let shown = || {
        report
            .findings
            .iter()
            .filter(|found| found.suppressed.is_none())
    };
    for finding in shown() {
        let level = match finding.kind.traits().level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        writeln!(
            out,
            "::{level} file={}{},line={},col={},endColumn={},title={}::{}",
            property(report.prefix),
            property(&finding.path),
            finding.line,
            finding.column,
            finding.end_column,
            property(&format!("Zoom API v1: {}", title(finding))),
            message(format!("{} {}", finding.reason, advice(finding)).trim_end())
        )?;
    }
    for unreadable in report.unreadable {
        writeln!(
            out,
            "::warning file={}{}::not read: {}",
            property(report.prefix),
            property(&unreadable.path),
            message(&unreadable.reason)
        )?;
    }
    if report.interrupted {
        writeln!(out, "::warning::interrupted: this is what was found so far")?;
    }
    let failing = shown().filter(|found| found.counts()).count();
    writeln!(
        out,
        "{} of Zoom's API v1, {} suppressed",
        count(failing, "use", "uses"),
        report.summary().suppressed
    )
}

/// A line that is no command, or the text of one.
fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_ends_a_property() {
        assert_eq!(
            property("a,b:c%\n::error::x"),
            "a%2Cb%3Cc%25%0A%3A%3Aerror%3A%3Ax".replace("%3Cc", "%3Ac")
        );
        assert_eq!(message("50 %\nof it: a, b"), "50 %25%0Aof it: a, b");
    }
}
