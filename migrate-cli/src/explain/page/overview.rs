//! All operations at a glance.

use mappings::Method;
use migrate_report::{
    Document,
    document::{Cell, Table},
    sheet::tied,
};

use super::{
    super::{Overview, operation::ServiceKind, overview::OverviewEntry, wording::counted},
    TOOL,
};

/// The overview.
pub(crate) fn overview(overview: &Overview<'_>) -> Document<'static> {
    let served = match overview.known - overview.served {
        0 => "all served by the shim".to_owned(),
        open => format!("{} served by the shim, {open} not yet", overview.served),
    };
    let number = counted(overview.known, "operation");
    let mut document = Document::page(TOOL, &format!("Zoom API v1: {number}"), &served);
    document.paragraph(
        "The numbers are parameters and answer fields that v2 has exactly, with a loss, or not at \
         all (gone). +2 stands for two more v2 requests.",
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
            let cells = [Cell::from(entry.name)].into_iter();
            let cells = cells
                .chain(numbers.map(Cell::from))
                .chain([requests(entry).into()]);
            table.row(cells);
        }
        let scopes = &resource.scopes;
        document.section(
            format!(
                "{}: {}",
                resource.name,
                counted(resource.operations.len(), "operation")
            ),
            table,
        );
        if overview.resources.len() == 1 && !scopes.is_empty() {
            let mut table = Table::new([""]);
            for scope in scopes {
                table.row([*scope]);
            }
            document.section("scopes: what the OAuth app needs for all of them", table);
        }
    }
    document.next = Some("migrate explain OPERATION, or the name of a parameter, field or error");
    document
}

fn requests(entry: &OverviewEntry<'_>) -> String {
    // The request that the operation is about, and how many there are beside it.
    let is_main = |request: &&String| entry.read || !request.starts_with(Method::Get.as_str());
    let main = entry.v2.iter().find(is_main).or(entry.v2.first());
    match (entry.service, main) {
        (ServiceKind::Refused, _) => "none: always an error".to_owned(),
        (_, None) => "none".to_owned(),
        (service, Some(main)) => {
            let more = match entry.v2.len() - 1 {
                0 => String::new(),
                more => format!(" +{more}"),
            };
            let open = if service == ServiceKind::NotServed {
                " (not served yet)"
            } else {
                ""
            };
            format!("{}{more}{open}", tied(main))
        }
    }
}
