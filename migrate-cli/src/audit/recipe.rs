//! What people do where no fix is provable: the v2 requests of an operation, and where each of its
//! parameters goes.

use mappings::{Catalog, fidelity::Fidelity};

use migrate_audit::{Finding, Kind};
use migrate_report::sheet::{Row, Sheet, strong};

use crate::{audit::report::named_in, explain};

/// How many places are named at most.
const PLACES: usize = 5;

/// Writes the recipes for findings, one for all uses of an operation.
pub(crate) fn write(sheet: &mut Sheet, catalog: &Catalog, left: &[(&Finding, &str)]) {
    let mut told: Vec<(Option<&str>, Kind)> = Vec::new();
    let mut last = "";
    for (finding, why) in left {
        let operation = finding.operation.as_deref();
        // All uses of an operation share a recipe; so do all findings of a kind without one.
        let group = |other: &Finding| match operation {
            Some(_) => other.operation.as_deref() == operation,
            None => other.operation.is_none() && other.kind == finding.kind,
        };
        let key = (
            operation,
            if operation.is_some() {
                Kind::Endpoint
            } else {
                finding.kind
            },
        );
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let alike: Vec<&Finding> = left
            .iter()
            .map(|(other, _)| *other)
            .filter(|other| group(other))
            .collect();
        sheet.blank();
        head(sheet, finding, &alike);
        if *why != last {
            sheet.paragraph(2, why);
            last = why;
        }
        match operation {
            Some(operation) => steps(sheet, catalog, operation, &alike),
            None => sheet.paragraph(2, &named_in(finding, &finding.kind.traits().recipe)),
        }
    }
}

fn head(sheet: &mut Sheet, finding: &Finding, alike: &[&Finding]) {
    let title = finding
        .operation
        .clone()
        .unwrap_or_else(|| finding.kind.name().replace('_', " "));
    let mut places: Vec<String> = alike
        .iter()
        .take(PLACES)
        .map(|finding| format!("{}:{}", finding.path, finding.line))
        .collect();
    if alike.len() > PLACES {
        places.push(format!("and {} more", alike.len() - PLACES));
    }
    sheet.hanging(&format!("{}  ", strong(&title)), &places.join(", "));
}

fn steps(sheet: &mut Sheet, catalog: &Catalog, operation: &str, alike: &[&Finding]) {
    let advice = alike.iter().find_map(|finding| finding.advice.as_ref());
    let v2 = advice
        .map(|advice| advice.v2.as_slice())
        .unwrap_or_default();
    if v2.is_empty() {
        sheet.paragraph(2, "Nothing in v2 replaces it.");
    }
    for request in v2 {
        sheet.line(format!("  {request}"));
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
    sheet.rows(2, 1, &rows);
    sheet.paragraph(2, &format!("All of it: migrate explain {operation}"));
}
