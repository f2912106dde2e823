//! One line a finding, with a header.

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
            finding.path.as_str(),
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
            &finding.owners.join(" "),
            suppressed,
            &finding.fingerprint,
        ])?;
    }
    table.flush()
}
