//! Page of push notifications.

use mappings::{
    Catalog,
    catalog::{notification::Notification, operation::View},
    fidelity::Fidelity,
};
use serde::Serialize;
use serde_json::Value;

use super::{SCHEMA, wording};

/// All push notifications.
#[derive(Debug, Serialize)]
pub(crate) struct NotificationsPage<'a> {
    pub(crate) schema: u32,
    pub(crate) kind: &'static str,
    pub(crate) notifications: Vec<NotificationEntry<'a>>,
}

/// One push notification.
#[derive(Debug, Serialize)]
pub(crate) struct NotificationEntry<'a> {
    /// v1 name.
    pub(crate) name: &'a str,
    /// v2 event that it is built from.
    pub(crate) event: &'a str,
    pub(crate) summary: &'a str,
    pub(crate) fidelity: Fidelity,
    pub(crate) reason: Option<&'a str>,
    /// Options that enable it: `recording_form = content or both`.
    pub(crate) options: Vec<String>,
    pub(crate) parameters: Vec<ParameterOfNotification<'a>>,
    /// Catalog file and line.
    pub(crate) catalog: String,
}

/// Parameter, or a member of one: `content.recording_files[].file_path`.
#[derive(Debug, Serialize)]
pub(crate) struct ParameterOfNotification<'a> {
    pub(crate) name: String,
    pub(crate) r#type: &'static str,
    pub(crate) fidelity: Fidelity,
    pub(crate) reason: Option<&'a str>,
    /// Sources of the value, in order of preference.
    pub(crate) sources: Vec<String>,
}

impl<'a> NotificationsPage<'a> {
    pub(crate) fn new(catalog: &'a Catalog) -> Self {
        let all = catalog.notifications().iter();
        Self {
            schema: SCHEMA,
            kind: "notifications",
            notifications: all
                .map(|known| NotificationEntry::new(catalog, known))
                .collect(),
        }
    }
}

impl<'a> NotificationEntry<'a> {
    fn new(catalog: &'a Catalog, notification: &'a Notification) -> Self {
        let options = notification.options.iter().map(|(name, values)| {
            let values =
                values.iter().map(
                    |value| match serde_json::to_value(value).unwrap_or_default() {
                        Value::String(text) => text,
                        other => other.to_string(),
                    },
                );
            let values: Vec<_> = values.collect();
            format!("{name} = {}", wording::one_of(&values))
        });
        let mut parameters = Vec::new();
        if let Some(view) = notification.view().and_then(|view| catalog.view(view)) {
            collect(catalog, view, "", &mut parameters);
        }
        Self {
            name: &notification.name,
            event: &notification.event,
            summary: &notification.operation.summary,
            fidelity: notification.fidelity,
            reason: notification.reason.as_deref(),
            options: options.collect(),
            parameters,
            catalog: notification.operation.location.to_string(),
        }
    }
}

fn collect<'a>(
    catalog: &'a Catalog,
    view: &'a View,
    prefix: &str,
    all: &mut Vec<ParameterOfNotification<'a>>,
) {
    for member in &view.members {
        let Some((field, part)) = catalog.field(member.field) else {
            continue;
        };
        let name = format!("{prefix}{}", part.name);
        let places = member.from.as_ref().unwrap_or(&field.places);
        let sources = match &field.always {
            Some(value) => vec![format!("always {value}")],
            None => places.iter().map(wording::place).collect(),
        };
        let inner = member.view.and_then(|view| catalog.view(view));
        let list = if part.kind == mappings::catalog::field::Kind::List {
            "[]"
        } else {
            ""
        };
        let below = format!("{name}{list}.");
        all.push(ParameterOfNotification {
            name,
            r#type: part.kind.name(),
            fidelity: field.fidelity,
            reason: field.reason.as_deref(),
            sources,
        });
        if let Some(inner) = inner {
            collect(catalog, inner, &below, all);
        }
    }
}
