//! Receivers of v1's push notifications, and of v2's webhooks that are verified with the retired
//! verification token.

use crate::{
    facts::FileFacts,
    judge::{Judge, Use},
    kind::{Confidence, Kind},
    rules::has,
};

pub(super) fn uses(judge: &Judge<'_>, file: &FileFacts) -> Vec<Use> {
    let receiving = &file.receiving;
    let mut uses = Vec::new();
    if let Some(confidence) = notifications(judge, file) {
        let reason = "the name of a push notification of v1, in its receiver";
        // A receiver of v2's webhooks may use the same names for its own states.
        let is_of_v1 = |name: &str| !receiving.is_of_v2 || is_unique(judge, name);
        let named = receiving
            .notifications
            .iter()
            .filter(|(name, _)| is_of_v1(name));
        uses.extend(named.map(|(name, place)| {
            Use::named(Kind::PushNotification, name, place, confidence, reason)
        }));
    }
    // Other services also have verification tokens.
    if file.zoom && file.vendor.is_none() {
        let reason = "Zoom's verification token, which webhooks no longer have";
        let tokens = receiving.tokens.iter();
        uses.extend(tokens.map(|(name, place)| {
            let (kind, confidence) = (Kind::VerificationToken, Confidence::Medium);
            Use::named(kind, name, place, confidence, reason)
        }));
    }
    uses
}

/// The confidence that a file receives v1's push notifications; `None` if it does not.
fn notifications(judge: &Judge<'_>, file: &FileFacts) -> Option<Confidence> {
    let receiving = &file.receiving;
    let words = &judge.rules.words;
    let names = || receiving.notifications.iter().map(|(name, _)| name);
    if names().any(|name| is_unique(judge, name)) {
        // A receiver of v2's webhooks that reads no form only names what it does not receive.
        return match (receiving.is_of_v2, receiving.reads_form) {
            (false, _) => Some(Confidence::High),
            (true, true) => Some(Confidence::Medium),
            (true, false) => None,
        };
    }
    let is_of_zoom = file.zoom || judge.evidence.v1;
    let is_named = names().any(|name| !has(&words.common_notifications, name));
    if !is_named || !is_of_zoom || file.vendor.is_some() || receiving.is_of_v2 {
        return None;
    }
    receiving.reads_form.then_some(match receiving.fields {
        0 => Confidence::Low,
        1 => Confidence::Medium,
        _ => Confidence::High,
    })
}

fn is_unique(judge: &Judge<'_>, name: &str) -> bool {
    has(&judge.rules.words.unique_notifications, name)
}
