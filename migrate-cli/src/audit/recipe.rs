//! Manual recipes for findings without an automatic fix: the v2 requests of an operation and the
//! destination of each parameter.

use mappings::{Catalog, fidelity::Fidelity};

use migrate_audit::{Finding, Kind, Shim, waves::UNKNOWN};
use migrate_report::{
    layout::{Row, TextLayout, strong},
    words::first,
};

use crate::{
    audit::report::named_in,
    explain::{self, page::group_by},
};

/// Maximum number of code locations listed per recipe.
const MAX_PLACES: usize = 5;

/// Writes one recipe per operation, or per kind for findings without an operation.
pub(crate) fn write(layout: &mut TextLayout, catalog: &Catalog, left: &[(&Finding, &str)]) {
    let mut last = "";
    let groups = group_by(left, |(finding, _)| match &finding.operation {
        Some(operation) => (Some(operation), Kind::Endpoint),
        None => (None, finding.kind),
    });
    for group in groups {
        let Some((finding, why)) = group.first() else {
            continue;
        };
        let alike: Vec<&Finding> = group.iter().map(|(finding, _)| *finding).collect();
        layout.blank();
        head(layout, finding, &alike);
        if *why != last {
            layout.paragraph(2, why);
            last = why;
        }
        match &finding.operation {
            Some(operation) => steps(layout, catalog, operation, &alike),
            None => layout.paragraph(2, &named_in(finding, &finding.kind.traits().recipe)),
        }
    }
}

fn head(layout: &mut TextLayout, finding: &Finding, alike: &[&Finding]) {
    let title = finding
        .operation
        .clone()
        .unwrap_or_else(|| finding.kind.name().replace('_', " "));
    let places = alike
        .iter()
        .map(|finding| format!("{}:{}", finding.path, finding.line));
    let places = first(places, MAX_PLACES);
    layout.hanging(&format!("{}  ", strong(&title)), &places.join(", "));
}

fn steps(layout: &mut TextLayout, catalog: &Catalog, operation: &str, alike: &[&Finding]) {
    let advice = alike.iter().find_map(|finding| finding.advice.as_ref());
    let v2 = advice
        .map(|advice| advice.v2.as_slice())
        .unwrap_or_default();
    if advice.is_some_and(|advice| advice.shim == Shim::Unknown) {
        layout.paragraph(2, &format!("{UNKNOWN}."));
    } else if v2.is_empty() {
        layout.paragraph(2, "v2 has no replacement.");
    }
    for request in v2 {
        layout.line(format!("  {request}"));
    }
    let Some(found) = catalog.find(operation) else {
        return;
    };
    let given = |name: &str| {
        alike
            .iter()
            .any(|finding| finding.parameters.iter().any(|given| given == name))
    };
    let entries = explain::parameter_entries(catalog, found);
    let any = entries.iter().any(|entry| given(entry.name));
    let rows: Vec<Row> = entries
        .iter()
        .filter(|entry| given(entry.name) || !any && entry.required)
        .map(|entry| {
            let mut way: Vec<String> = entry.places.iter().map(explain::page::place).collect();
            if !entry.conversion.is_empty() {
                way.push(format!("({})", entry.conversion));
            }
            if let Some(reason) = entry.reason {
                let word = match entry.fidelity {
                    Some(Fidelity::None) => "gone",
                    _ => "lossy",
                };
                way.push(format!("{word}: {reason}"));
            }
            Row::new([entry.name.to_owned(), way.join(" ")])
        })
        .collect();
    layout.rows(2, Some(1), &rows);
    layout.paragraph(2, &format!("Details: migrate explain {operation}"));
}
