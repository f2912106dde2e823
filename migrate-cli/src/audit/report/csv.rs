//! One line a finding, with a header. Made for spreadsheets: a cell that one of them would run as a
//! formula begins with an apostrophe.

use std::io::{self, Write};

use super::Report;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "path",
        "line",
        "column",
        "kind",
        "operation",
        "confidence",
        "v2",
        "fidelity",
        "lossy",
        "shim",
        "owners",
        "suppressed",
        "fingerprint",
    ])?;
    for finding in report.findings {
        let advice = finding.advice.as_ref();
        let lossy: Vec<&str> = advice
            .iter()
            .flat_map(|advice| &advice.lossy)
            .map(|parameter| parameter.name.as_str())
            .collect();
        let suppressed = finding.suppressed.as_ref().map_or("", |suppression| {
            suppression.reason.as_deref().unwrap_or("yes")
        });
        table.write_record([
            cell(&finding.path).as_str(),
            &finding.line.to_string(),
            &finding.column.to_string(),
            finding.kind.name(),
            finding.operation.as_deref().unwrap_or_default(),
            finding.confidence.name(),
            &advice
                .map(|advice| advice.v2.join("; "))
                .unwrap_or_default(),
            advice.map_or("", |advice| advice.fidelity),
            &lossy.join(" "),
            advice.map_or("", |advice| advice.shim.name()),
            &cell(&finding.owners.join(" ")),
            &cell(suppressed),
            &finding.fingerprint,
        ])?;
    }
    table.flush()
}

/// A text that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let apostrophe = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("{apostrophe}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(cell("@team"), "'@team");
        assert_eq!(cell("app/-x.php"), "app/-x.php");
    }
}
