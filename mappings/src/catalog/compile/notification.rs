//! Compiles push notifications.

use std::collections::BTreeMap;

use super::{
    super::{
        notification::{EVENT, Notification, Notifications, Webhook},
        operation::{Operation, Overlapping, Plan, Service, View},
        place::{ITEM, Place},
        shape::NotificationShape,
    },
    Names, Scope,
    field::Fields,
    view,
};
use crate::fidelity::Fidelity;

pub(super) fn notifications(names: &Names<'_>, fields: &Fields, views: &[View]) -> Notifications {
    let shapes = names.files.list(|file| &file.notification);
    let mut list = Vec::new();
    for (at, shape) in &shapes {
        let scope = names.scope(at);
        let view_scope = scope.near(shape.view.span());
        let Some(view) = view_scope.view(shape.view.as_ref()) else {
            continue;
        };
        view::check(
            view,
            fields,
            views,
            &|field, member| {
                let mut places = member.from.as_ref().unwrap_or(&field.places).iter();
                places.any(is_in_webhook)
            },
            &|field, _| view_scope.add(format!("webhooks do not contain `{}`", field.names())),
        );
        list.push(notification(&scope, shape, view));
    }
    Notifications {
        webhook: webhook(names, shapes.first().map(|(at, _)| names.scope(at))),
        list,
    }
}

fn is_in_webhook(place: &Place) -> bool {
    match place {
        Place::Document(place) => [EVENT, ITEM].contains(&place.document.as_str()),
        Place::Text(_) | Place::Here => true,
        _ => false,
    }
}

/// The `[webhook]` table, required if there are notifications.
fn webhook(names: &Names<'_>, first: Option<Scope<'_>>) -> Webhook {
    let webhooks = names.files.list(|file| file.webhook.as_slice());
    for (at, _) in webhooks.iter().skip(1) {
        names.report.add(at, "[webhook] is already defined");
    }
    let webhook = webhooks.first().map(|(_, webhook)| (*webhook).clone());
    if let (Some(scope), None) = (first, &webhook) {
        scope.add("notifications require [webhook]");
    }
    webhook.unwrap_or_default()
}

fn notification(scope: &Scope<'_>, shape: &NotificationShape, view: usize) -> Notification {
    scope.expect(
        (shape.fidelity == Fidelity::Exact) == shape.reason.is_none(),
        "a reason is required if, and only if, the notification is not exact",
    );
    for (name, values) in &shape.option {
        scope.choices(values.0.iter().map(|value| (name, value)));
    }
    let options = shape.option.iter();
    let repeats = shape.repeats.iter();
    Notification {
        event: shape.event.clone(),
        fidelity: shape.fidelity,
        reason: shape.reason.clone(),
        options: options
            .map(|(name, values)| (name.clone(), values.0.clone()))
            .collect(),
        is_sample: shape.sample,
        may_pause: shape.pause,
        repeats: repeats.map(|pointer| pointer.0.clone()).collect(),
        first: shape.first.clone(),
        operation: Operation {
            name: shape.name.clone(),
            aliases: Vec::new(),
            summary: shape.summary.clone(),
            read: true,
            parameters: Vec::new(),
            requires: Vec::new(),
            subject: Vec::new(),
            subject_kind: None,
            constants: BTreeMap::new(),
            range: None,
            enabled_by: None,
            token: None,
            overlapping: Overlapping::AsUsual,
            service: Service::Plan {
                plan: Plan::default(),
                view,
            },
            repeat: None,
            note: None,
            clears_text: Vec::new(),
            rules: Vec::new(),
            variants: Vec::new(),
            location: scope.at.clone(),
        },
        name: shape.name.clone(),
    }
}
