//! v1's push notifications and the v2 webhooks that they are made from.

use serde::{Deserialize, Deserializer};

use super::{
    operation::{Operation, Service},
    option::{OptionValue, Options},
    place::{Pointer, pointer},
};
use crate::fidelity::Fidelity;

/// Document name of a whole webhook.
pub const EVENT: &str = "event";

/// All notifications and the webhook layout.
#[derive(Debug, Default)]
pub struct Notifications {
    pub(crate) webhook: Webhook,
    pub(crate) list: Vec<Notification>,
}

/// Layout of v2 webhooks: JSON pointers and event names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Pointer to the event name.
    #[serde(deserialize_with = "pointer")]
    pub event: String,
    /// Pointer to the v2 account id.
    #[serde(deserialize_with = "pointer")]
    pub account: String,
    /// Pointer to the meeting id; events of one meeting are delivered in order.
    #[serde(deserialize_with = "pointer")]
    pub meeting: String,
    /// Pointers that a webhook must have, each with a sample value.
    #[serde(deserialize_with = "with_pointers")]
    pub needs: Vec<(String, String)>,
    /// Event that validates the webhook endpoint.
    pub validation: String,
    /// Pointer to the token that the validation response must sign.
    #[serde(deserialize_with = "pointer")]
    pub plain_token: String,
    /// Events that raise an operator alert.
    #[serde(default)]
    pub alerts: Vec<String>,
}

fn with_pointers<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<(String, String)>, D::Error> {
    let pairs = Vec::<(Pointer, String)>::deserialize(reader)?;
    let pairs = pairs.into_iter().map(|(place, text)| (place.0, text));
    Ok(pairs.collect())
}

/// A push notification of v1.
#[derive(Debug)]
pub struct Notification {
    /// v1 name: `STARTED`.
    pub name: String,
    /// v2 event that it is made from: `meeting.started`.
    pub event: String,
    /// Fidelity of the event.
    pub fidelity: Fidelity,
    /// Reason if it is not exact.
    pub reason: Option<String>,
    /// Options under which it is sent; one of the values of each must be set.
    pub options: Vec<(String, Vec<OptionValue>)>,
    /// Used to test receivers.
    pub is_sample: bool,
    /// Receivers may delay it: they request its object at once, when v2's API may not have it yet.
    pub may_pause: bool,
    /// JSON pointers whose values identify an event among those of its meeting, for deduplication.
    /// `*` matches every entry of a list, in any order.
    pub repeats: Vec<String>,
    /// Order of a list that v1 receivers rely on.
    pub first: Option<First>,
    /// Operation without calls whose response is the notification's body.
    pub operation: Operation,
}

/// Order of the entries of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// Pointer to the list.
    #[serde(deserialize_with = "pointer")]
    pub list: String,
    /// Pointer to the compared member of an entry.
    #[serde(deserialize_with = "pointer")]
    pub by: String,
    /// Member values in order; entries with other values follow.
    pub values: Vec<String>,
}

impl Notification {
    /// Index of the body's view.
    pub fn view(&self) -> Option<usize> {
        match self.operation.service {
            Service::Plan { view, .. } => Some(view),
            _ => None,
        }
    }

    /// True if the options of the site or receiver select it.
    pub(crate) fn is_chosen(&self, options: &Options) -> bool {
        let chosen = |(name, values): &(String, Vec<OptionValue>)| {
            let choice = options.get(name);
            choice.is_some_and(|choice| values.contains(choice))
        };
        self.options.iter().all(chosen)
    }
}
