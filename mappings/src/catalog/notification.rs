//! Push notifications of v1, and the webhooks of v2 that they are made from.

use serde::{Deserialize, Deserializer};

use super::{
    operation::{Operation, Service},
    option::{OptionValue, Options},
    place::{Pointer, pointer},
};
use crate::fidelity::Fidelity;

/// The document that a whole webhook is.
pub const EVENT: &str = "event";

/// All notifications, and where webhooks say what they are about.
#[derive(Debug, Default)]
pub struct Notifications {
    pub(crate) webhook: Webhook,
    pub(crate) list: Vec<Notification>,
}

/// Where the webhooks of v2 say what they are about: JSON pointers and names of events.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The name of the event.
    #[serde(deserialize_with = "pointer")]
    pub event: String,
    /// The v2 account.
    #[serde(deserialize_with = "pointer")]
    pub account: String,
    /// The meeting; the order of its events is kept.
    #[serde(deserialize_with = "pointer")]
    pub meeting: String,
    /// What a webhook with a notification must have, with a made-up value of each.
    #[serde(deserialize_with = "with_pointers")]
    pub needs: Vec<(String, String)>,
    /// The event that asks whether the address belongs to the app.
    pub validation: String,
    /// The text that it wants encrypted.
    #[serde(deserialize_with = "pointer")]
    pub plain_token: String,
    /// Events that the operator is alerted of.
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
    /// The name that v1 gave it: `STARTED`.
    pub name: String,
    /// The event of v2 that it is made from: `meeting.started`.
    pub event: String,
    /// How faithful the event is.
    pub fidelity: Fidelity,
    /// Why it is not exact.
    pub reason: Option<String>,
    /// Pushed only under these choices: of each option one.
    pub options: Vec<(String, Vec<OptionValue>)>,
    /// Sent to test a receiver.
    pub is_sample: bool,
    /// Receivers ask v1 about it at once, and v2's API may not have it yet: a receiver may choose a pause.
    pub may_pause: bool,
    /// What distinguishes this event from others of the same meeting: JSON pointers, `*` for every entry
    /// of a list in any order.
    pub repeats: Vec<String>,
    /// The list whose order v1's receivers rely on.
    pub first: Option<First>,
    /// An operation without calls: its answer is the body.
    pub operation: Operation,
}

/// Which entries of a list come first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// The list.
    #[serde(deserialize_with = "pointer")]
    pub list: String,
    /// The member of an entry that is compared.
    #[serde(deserialize_with = "pointer")]
    pub by: String,
    /// Its values, in their order; entries with other values follow.
    pub values: Vec<String>,
}

impl Notification {
    /// The shape of its body.
    pub fn view(&self) -> Option<usize> {
        match self.operation.service {
            Service::Plan { view, .. } => Some(view),
            _ => None,
        }
    }

    /// True if a site, or a receiver, chose it.
    pub(crate) fn is_chosen(&self, options: &Options) -> bool {
        let chosen = |(name, values): &(String, Vec<OptionValue>)| {
            let choice = options.get(name);
            choice.is_some_and(|choice| values.contains(choice))
        };
        self.options.iter().all(chosen)
    }
}
