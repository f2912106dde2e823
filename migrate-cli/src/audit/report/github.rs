//! Annotations of GitHub Actions: `::error file=…,line=…::…`.

use std::io::{self, Write};

use super::{Report, advice, title};
use crate::audit::finding::Kind;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in report
        .findings
        .iter()
        .filter(|found| found.suppressed.is_none())
    {
        let level = if finding.kind == Kind::Doc {
            "notice"
        } else {
            "error"
        };
        writeln!(
            out,
            "::{level} file={},line={},col={},endColumn={},title={}::{}",
            property(&finding.path),
            finding.line,
            finding.column,
            finding.end_column,
            property(&format!("Zoom API v1: {}", title(finding))),
            message(&format!("{} {}", finding.reason, advice(finding)))
        )?;
    }
    Ok(())
}

fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
