//! Checks push notifications.

use std::collections::BTreeMap;

use super::{
    COMMON, ITEM, Location,
    compile_field::fidelity,
    compile_protocol::option_value,
    field::{Field, Place},
    load::{Parts, Report, pointer},
    notification::{EVENT, First, Notification, Notifications, Webhook},
    operation::{Operation, Overlapping, Plan, Service, View},
    protocol::OptionRule,
    shape::{NotificationShape, WebhookShape},
};
use crate::fidelity::Fidelity;

pub(super) fn notifications(
    parts: &mut Parts,
    fields: &[Field],
    views: &[View],
    options: &BTreeMap<String, OptionRule>,
    report: &mut Report,
) -> Notifications {
    let mut webhooks = std::mem::take(&mut parts.webhook).into_iter();
    let shapes = std::mem::take(&mut parts.notification);
    let webhook = webhooks
        .next()
        .map(|(at, shape)| webhook(&at, shape, report));
    for (at, _) in webhooks {
        report.add(&at, "there is one [webhook] already");
    }
    if let (Some((at, _)), None) = (shapes.first(), &webhook) {
        report.add(
            at,
            "notifications need a [webhook] that says what an event is about",
        );
    }
    let mut list = Vec::new();
    for (at, shape) in shapes {
        let view_at = parts.at(&at, &shape.view.span());
        let of = |resource: &str| {
            views.iter().position(|view| {
                view.name == *shape.view.as_ref() && view.location.resource() == resource
            })
        };
        let Some(view) = of(at.resource()).or_else(|| of(COMMON)) else {
            report.add(
                &view_at,
                format!("there is no view `{}`", shape.view.as_ref()),
            );
            continue;
        };
        check_view(&view_at, view, fields, views, report);
        list.extend(notification(&at, shape, view, options, report));
    }
    Notifications {
        webhook: webhook.unwrap_or_default(),
        list,
    }
}

fn webhook(at: &Location, shape: WebhookShape, report: &mut Report) -> Webhook {
    let mut read = |text: String| report.keep(at, pointer(&text)).unwrap_or_default();
    Webhook {
        event: read(shape.event),
        account: read(shape.account),
        meeting: read(shape.meeting),
        needs: shape
            .needs
            .into_iter()
            .map(|(place, sample)| (read(place), sample))
            .collect(),
        plain_token: read(shape.plain_token),
        validation: shape.validation,
        alerts: shape.alerts,
    }
}

fn notification(
    at: &Location,
    shape: NotificationShape,
    view: usize,
    rules: &BTreeMap<String, OptionRule>,
    report: &mut Report,
) -> Option<Notification> {
    let fidelity = report.keep(at, fidelity(shape.fidelity.as_deref()))?;
    if (fidelity == Fidelity::Exact) != shape.reason.is_none() {
        report.add(
            at,
            "what is not exact has a reason, and what is exact has none",
        );
    }
    let mut options = Vec::new();
    for (name, values) in shape.option {
        let Some(rule) = rules.get(&name) else {
            report.add(at, format!("there is no [option.{name}]"));
            continue;
        };
        let values = match values {
            toml::Value::Array(values) => values,
            value => vec![value],
        };
        let values = values
            .iter()
            .filter_map(|value| report.keep(at, option_value(rule, value)));
        options.push((name, values.collect()));
    }
    let mut read = |text: String| report.keep(at, pointer(&text)).unwrap_or_default();
    Some(Notification {
        event: shape.event,
        fidelity,
        reason: shape.reason,
        options,
        is_sample: shape.sample,
        repeats: shape.repeats.into_iter().map(&mut read).collect(),
        first: shape.first.map(|first| First {
            list: read(first.list),
            by: read(first.by),
            values: first.values,
        }),
        operation: Operation {
            name: shape.name.clone(),
            aliases: Vec::new(),
            summary: shape.summary,
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
                plan: Plan {
                    calls: Vec::new(),
                    lists: Vec::new(),
                    unsent: BTreeMap::new(),
                    unfinished: None,
                },
                view,
            },
            repeat: None,
            note: None,
            clears_text: Vec::new(),
            rules: Vec::new(),
            location: at.clone(),
        },
        name: shape.name,
    })
}

/// Every member of a body must come from the webhook.
fn check_view(at: &Location, view: usize, fields: &[Field], views: &[View], report: &mut Report) {
    for member in views.get(view).iter().flat_map(|view| &view.members) {
        let Some(field) = fields.get(member.field.0) else {
            continue;
        };
        let places = member.from.as_ref().unwrap_or(&field.places);
        let is_read = |place: &Place| match place {
            Place::Document(place) => [EVENT, ITEM].contains(&place.document.as_str()),
            Place::Text(_) | Place::Here => true,
            _ => false,
        };
        if field.always.is_none() && !places.iter().any(is_read) {
            report.add(at, format!("no webhook has `{}`", field.names()));
        }
        if let Some(inner) = member.view {
            check_view(at, inner, fields, views, report);
        }
    }
}
