//! All operations at a glance.

use mappings::Method;

use super::super::{Overview, operation::ServiceKind, overview::OverviewEntry};
use crate::explain::wording::counted;
use migrate_report::sheet::{Row, Sheet, faint, strong, tied};

/// Writes the overview.
pub(crate) fn overview(sheet: &mut Sheet, overview: &Overview<'_>) {
    sheet.paragraph(
        0,
        &format!(
            "What v2 has for {} of Zoom's API v1: {} served by the shim, {} not yet. The numbers \
             are parameters and answer fields; +2 means two more requests.",
            counted(overview.known, "operation"),
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
        let mut rows: Vec<_> = resource.operations.iter().map(row).collect();
        if served > 0 {
            let head = ["", "exact", "lossy", "gone", "v2 today"].map(faint);
            rows.insert(
                0,
                Row {
                    cells: head.into(),
                    below: Vec::new(),
                },
            );
        }
        sheet.rows(2, 0, &rows);
    }
    sheet.blank();
    sheet.line("migrate explain OPERATION  what becomes of one, for example user/getbyemail");
    sheet.line("migrate explain FIELD      what becomes of a parameter or an answer field");
}

fn row(entry: &OverviewEntry<'_>) -> Row {
    let v2 = match entry.service {
        ServiceKind::Refused => "none: always an error".to_owned(),
        ServiceKind::Served => in_short(entry),
        ServiceKind::NotServed if entry.v2.is_empty() => "nothing in v2".to_owned(),
        ServiceKind::NotServed => {
            let requests: Vec<_> = entry.v2.iter().map(|request| tied(request)).collect();
            let several = if entry.composite {
                " (several calls)"
            } else {
                ""
            };
            format!("{}{several}", requests.join(", "))
        }
    };
    let mut cells = vec![entry.name.to_owned()];
    if let Some(counts) = entry.counts {
        cells.push(format!("{:>5}", counts.exact));
        cells.push(format!("{:>5}", counts.lossy));
        cells.push(format!("{:>4}", counts.none));
    }
    cells.push(v2);
    Row {
        cells,
        below: Vec::new(),
    }
}

/// The request that an operation is about, and how many there are beside it.
fn in_short(entry: &OverviewEntry<'_>) -> String {
    let is_main = |request: &&String| entry.read || !request.starts_with(Method::Get.as_str());
    let main = entry.v2.iter().find(is_main).or(entry.v2.first());
    let main = tied(main.map_or("", String::as_str));
    match entry.v2.len() {
        0 | 1 => main,
        number => format!("{main} +{}", number - 1),
    }
}
