//! Document of the overview.

use mappings::Method;
use migrate_report::{
    Document,
    document::{Cell, Table},
    words::count,
};

use super::{
    super::{Overview, operation::ServiceKind, overview::OverviewEntry},
    TOOL,
};

/// Builds the document, with one table per resource.
pub(crate) fn overview(overview: &Overview<'_>) -> Document<'static> {
    let served = match overview.known - overview.served {
        0 => "all served by the shim".to_owned(),
        open => format!("{} served by the shim, {open} not yet", overview.served),
    };
    let number = count(overview.known, "operation", "operations");
    let mut document = Document::page(TOOL, &format!("Zoom API v1: {number}"), &served);
    document.paragraph(
        "Number of parameters and response fields that are exact (same meaning in v2), lossy (part \
         of the meaning is lost) or gone (not in v2). In text, +2 means two more v2 requests.",
    );
    for resource in &overview.resources {
        let mut table = Table::new(["operation", "exact#", "lossy#", "gone#", "v2 request"]);
        for entry in &resource.operations {
            let counts = entry.counts.unwrap_or_default();
            let numbers = [counts.exact, counts.lossy, counts.none];
            let numbers = numbers.map(|number| match entry.counts {
                Some(_) => number.to_string(),
                None => String::new(),
            });
            let cells = [Cell::code([entry.name])].into_iter();
            let cells = cells
                .chain(numbers.map(Cell::from))
                .chain([requests(entry)]);
            table.row(cells);
        }
        document.section(
            format!(
                "{}: {}",
                resource.name,
                count(resource.operations.len(), "operation", "operations")
            ),
            table,
        );
        if overview.resources.len() == 1 {
            let scopes = resource.scopes.iter().copied();
            document.list("scopes: what the OAuth app needs for all of them", scopes);
        }
    }
    document.next = Some("migrate explain OPERATION, or the name of a parameter, field or error");
    document
}

/// The v2 requests, with the main one first: for a write, the first that is not a read.
fn requests(entry: &OverviewEntry<'_>) -> Cell {
    let mut requests = entry.v2.clone();
    let is_main = |request: &String| entry.read || !request.starts_with(Method::Get.as_str());
    if let Some(main) = requests.iter().position(is_main) {
        let main = requests.remove(main);
        requests.insert(0, main);
    }
    match entry.service {
        ServiceKind::Refused => "none: always an error".into(),
        _ if requests.is_empty() => "none".into(),
        ServiceKind::Served => Cell::code(requests),
        ServiceKind::NotServed => Cell {
            aside: "not served yet".to_owned(),
            ..Cell::code(requests)
        },
    }
}
