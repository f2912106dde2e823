//! The page of push notifications.

use super::{super::NotificationsPage, fidelity};
use migrate_report::sheet::{Row, Sheet, faint, strong};

/// Writes the page. With `all`, every parameter has its row; else those that are not exact.
pub(crate) fn notifications(sheet: &mut Sheet, page: &NotificationsPage<'_>, all: bool) {
    sheet.paragraph(
        0,
        "v1's push notifications, which the shim makes of v2's webhooks. They have these parameters \
         and no others.",
    );
    for notification in &page.notifications {
        sheet.blank();
        sheet.ends(&strong(notification.name), &faint(notification.event));
        sheet.paragraph(2, notification.summary);
        if !notification.options.is_empty() {
            let options = notification.options.join(", ");
            sheet.paragraph(2, &format!("Only with {options}."));
        }
        if let Some(reason) = notification.reason {
            sheet.rows(
                2,
                1,
                &[Row::new([
                    fidelity(notification.fidelity),
                    reason.to_owned(),
                ])],
            );
        }
        let parameters = notification.parameters.iter();
        let shown = parameters.filter(|parameter| all || parameter.reason.is_some());
        let rows: Vec<_> = shown
            .map(|parameter| {
                let from = parameter.sources.join(", else ");
                Row {
                    cells: vec![
                        fidelity(parameter.fidelity),
                        format!("{} ← {from}", strong(&parameter.name)),
                    ],
                    below: parameter.reason.map(str::to_owned).into_iter().collect(),
                }
            })
            .collect();
        sheet.rows(4, 1, &rows);
        sheet.line(faint(&format!(
            "  catalog  mappings/api/{}",
            notification.catalog
        )));
    }
}
