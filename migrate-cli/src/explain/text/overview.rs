//! All operations at a glance.

use super::super::{Overview, operation::ServiceKind, overview::OverviewEntry};
use crate::{
    explain::wording::counted,
    sheet::{Row, Sheet, faint, strong, tied},
};

/// Writes the overview.
pub(crate) fn overview(sheet: &mut Sheet, overview: &Overview<'_>) {
    let all = counted(overview.known, "operation");
    sheet.paragraph(
        0,
        &format!(
            "{all} of Zoom's API v1 and what serves them in v2: {} by the shim, {} not yet \
             (what replaces them is shown). Numbers are parameters and answer fields: exact, \
             lossy, gone.",
            overview.served,
            overview.known - overview.served,
        ),
    );
    for resource in &overview.resources {
        sheet.blank();
        let (served, known) = (resource.served, resource.operations.len());
        let state = match served {
            0 => "known, not served yet".to_owned(),
            _ if served == known => "all served".to_owned(),
            _ => format!("{served} served"),
        };
        let title = format!("{} · {state}", counted(known, "operation"));
        sheet.ends(&strong(resource.name), &faint(&title));
        let rows: Vec<_> = resource.operations.iter().map(row).collect();
        sheet.rows(2, 0, &rows);
    }
    sheet.blank();
    sheet.line("migrate explain OPERATION  what becomes of one, for example user/getbyemail");
    sheet.line("migrate explain FIELD      what becomes of a parameter or an answer field");
}

fn row(entry: &OverviewEntry<'_>) -> Row {
    let name = entry.name.to_owned();
    let requests: Vec<_> = entry.v2.iter().map(|request| tied(request)).collect();
    let requests = requests.join(", ");
    let v2 = match entry.service {
        ServiceKind::Refused => "none: always an error".to_owned(),
        ServiceKind::NotServed if requests.is_empty() => "nothing in v2".to_owned(),
        ServiceKind::NotServed if entry.composite => format!("{requests} (several calls)"),
        ServiceKind::Served | ServiceKind::NotServed => requests,
    };
    let mut cells = vec![name];
    if let Some(counts) = entry.counts {
        cells.extend([counts.exact, counts.lossy, counts.none].map(|n| format!("{n:>2}")));
    }
    cells.push(v2);
    Row {
        cells,
        below: Vec::new(),
    }
}
