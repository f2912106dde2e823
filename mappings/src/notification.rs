//! Turns v2 webhooks into v1 push notifications, without I/O.

use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use crate::{
    catalog::{
        Catalog,
        notification::{EVENT, First, Notification},
    },
    document::Document,
    exchange::{Arguments, V1Object},
    translation::{SEGMENT, Site, Translation, insert},
};

/// Parsed v2 webhook. `Debug` shows the event name only.
pub struct Event<'a> {
    catalog: &'a Catalog,
    body: Value,
}

/// Reason why a body is not a v2 webhook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not JSON in UTF-8, or nested too deeply.
    #[error("the body is not JSON")]
    NotJson,
    /// A required member is absent, or neither a string nor a number.
    #[error("the body has no {0}")]
    Missing(String),
}

/// v1 push notification. `Debug` shows its name only.
pub struct Push<'a> {
    /// Type of the notification.
    pub notification: &'a Notification,
    /// Meeting id; notifications of one meeting are sent in order.
    pub meeting: String,
    /// Deduplication key: equal for repeats of the same event.
    pub repeat: String,
    parameters: V1Object,
}

impl std::fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({})", self.known_name().unwrap_or("other"))
    }
}

impl std::fmt::Debug for Push<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Push({})", self.notification.name)
    }
}

impl<'a> Event<'a> {
    /// Parses the body of a webhook.
    ///
    /// # Errors
    ///
    /// If it is not JSON, has no event name, or lacks a member that notifications need.
    pub fn read(catalog: &'a Catalog, body: &[u8]) -> Result<Self, EventError> {
        let body: Value = serde_json::from_slice(body).map_err(|_| EventError::NotJson)?;
        let event = Self { catalog, body };
        let webhook = &catalog.webhooks().webhook;
        if event.name().is_empty() {
            return Err(EventError::Missing(webhook.event.clone()));
        }
        let is_known = event.candidates().next().is_some();
        let needs = webhook.needs.iter().map(|(pointer, _)| pointer);
        for pointer in needs.filter(|_| is_known) {
            let missing = || EventError::Missing(pointer.clone());
            event.text(pointer).ok_or_else(missing)?;
        }
        Ok(event)
    }

    /// A sample webhook for each notification that is used to test receivers.
    pub fn samples(catalog: &'a Catalog) -> impl Iterator<Item = Self> {
        let webhook = &catalog.webhooks().webhook;
        let samples = catalog.notifications().iter();
        samples.filter(|known| known.is_sample).map(move |known| {
            let mut body = Value::Null;
            let mut set = |pointer: &str, text: &str| {
                insert(&mut body, pointer.split('/').skip(1), text.into());
            };
            for (pointer, value) in &webhook.needs {
                set(pointer, value);
            }
            set(&webhook.event, &known.event);
            Self { catalog, body }
        })
    }

    /// The v2 account id; empty if the event has none.
    pub fn account(&self) -> String {
        let account = &self.catalog.webhooks().webhook.account;
        self.text(account).unwrap_or_default()
    }

    /// The event name, from the catalog; `None` for events without a notification.
    pub fn known_name(&self) -> Option<&'a str> {
        self.candidates().next().map(|known| known.event.as_str())
    }

    /// The token to sign, if v2 validates the endpoint. Empty if it is absent.
    pub fn plain_token(&self) -> Option<String> {
        let webhook = &self.catalog.webhooks().webhook;
        (self.name() == webhook.validation)
            .then(|| self.text(&webhook.plain_token).unwrap_or_default())
    }

    /// The event name, if the operator is alerted of the event.
    pub fn alert(&self) -> Option<&'a str> {
        let mut alerts = self.catalog.webhooks().webhook.alerts.iter();
        alerts
            .find(|alert| **alert == self.name())
            .map(String::as_str)
    }

    /// The notifications for a receiver with these options, in order; `now` in Unix seconds.
    pub fn pushes(&self, site: &Site, now: i64) -> Vec<Push<'a>> {
        let chosen = self
            .candidates()
            .filter(|known| known.is_chosen(&site.options));
        chosen
            .filter_map(|known| self.push(known, site, now))
            .collect()
    }

    fn push(&self, notification: &'a Notification, site: &Site, now: i64) -> Option<Push<'a>> {
        let mut body = self.body.clone();
        if let Some(first) = &notification.first {
            reorder(&mut body, first);
        }
        let operation = &notification.operation;
        let arguments = Arguments::default();
        let mut translation =
            Translation::begin(self.catalog, operation, arguments, site, now).ok()?;
        translation.read(EVENT, Document::from(body));
        let webhook = &self.catalog.webhooks().webhook;
        let meeting = self.text(&webhook.meeting)?;
        let view = notification.view().and_then(|view| self.catalog.view(view));
        let fixed = [
            notification.event.as_str(),
            &self.account(),
            &meeting,
            view.map_or("", |view| &view.name),
        ];
        let fixed = fixed.into_iter().map(Value::from);
        let repeats = notification
            .repeats
            .iter()
            .map(|pointer| self.found(pointer));
        Some(Push {
            notification,
            repeat: fixed.chain(repeats).collect::<Value>().to_string(),
            meeting,
            parameters: translation.finish(now).answer.result.ok()?,
        })
    }

    fn name(&self) -> &str {
        let name = self.body.pointer(&self.catalog.webhooks().webhook.event);
        name.and_then(Value::as_str).unwrap_or_default()
    }

    fn candidates(&self) -> impl Iterator<Item = &'a Notification> {
        let known = self.catalog.notifications().iter();
        known.filter(|known| known.event == self.name())
    }

    /// A nonempty string or a number, as text.
    fn text(&self, pointer: &str) -> Option<String> {
        let text = match self.body.pointer(pointer)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// The value at a pointer; for pointers with `*`, the sorted values of all entries.
    fn found(&self, pointer: &str) -> Value {
        let Some((list, member)) = pointer.split_once("/*") else {
            return self.body.pointer(pointer).cloned().unwrap_or_default();
        };
        let entries = self.body.pointer(list).and_then(Value::as_array);
        let values = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.pointer(member));
        let mut values: Vec<String> = values.map(Value::to_string).collect();
        values.sort_unstable();
        values.into()
    }
}

impl Push<'_> {
    /// The body as `application/x-www-form-urlencoded`.
    pub fn form(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
        let members = self.parameters.members();
        let pairs = members.iter().map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            format!("{}={}", encoded(name), encoded(&text))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The same parameters as a JSON object.
    pub fn json(&self) -> String {
        String::from_utf8_lossy(self.parameters.json()).into_owned()
    }
}

/// Moves the entries that v1 receivers expect first to the front.
fn reorder(body: &mut Value, first: &First) {
    if let Some(Value::Array(entries)) = body.pointer_mut(&first.list) {
        entries.sort_by_key(|entry| {
            let value = entry.pointer(&first.by).and_then(Value::as_str);
            let mut values = first.values.iter();
            values
                .position(|known| value == Some(known))
                .unwrap_or(first.values.len())
        });
    }
}
