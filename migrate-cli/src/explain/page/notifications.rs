//! Document of the page of push notifications.

use migrate_report::{
    Document,
    document::{Cell, Row, Table},
};

use super::{super::NotificationsPage, TOOL, fidelity};

/// Builds the document. With `all`, includes exact parameters.
pub(crate) fn notifications(page: &NotificationsPage<'_>, all: bool) -> Document<'static> {
    let mut document = Document::page(TOOL, "push notifications", "made of v2's webhooks");
    document.paragraph("They have these parameters and no others.");
    for notification in &page.notifications {
        document.heading(format!("{}: {}", notification.name, notification.event));
        document.paragraph(notification.summary);
        if !notification.options.is_empty() {
            document.paragraph(format!("Only with {}.", notification.options.join(", ")));
        }
        if let Some(reason) = notification.reason {
            let word = fidelity(notification.fidelity).lines.concat();
            document.paragraph(format!("{word}: {reason}."));
        }
        let parameters = notification.parameters.iter();
        let shown = parameters.filter(|parameter| all || parameter.reason.is_some());
        let rows = shown.map(|parameter| {
            let from = format!("← {}", parameter.sources.join(", else "));
            let name = Cell::name(&parameter.name);
            Row::new([fidelity(parameter.fidelity), name, from.into()]).with_below(parameter.reason)
        });
        document.table(Table::plain(rows.collect()));
        document.paragraph(format!("catalog: mappings/api/{}", notification.catalog));
    }
    document
}
