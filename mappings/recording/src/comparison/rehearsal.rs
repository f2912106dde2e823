//! Translates a recorded request again, with the recorded v2 responses.

use std::collections::VecDeque;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use mappings::{
    Arguments, Catalog, Outcome, Site, Translation, V1Error,
    catalog::{operation::Operation, protocol::Options},
};

use crate::{Exchange, RecordedSite, V1Exchange, V2Exchange, Wrapping};

/// Upper bound of rounds, above the steps of any plan and its pages, to guarantee termination.
const ROUNDS: usize = 1000;

/// Result of translating a recorded request.
pub struct Rehearsed {
    /// The v2 requests with the recorded responses used.
    pub requests: Vec<V2Exchange>,
    /// The v1 response.
    pub answer: Value,
}

/// Translates a recorded request again without sending anything.
pub fn rehearse(
    catalog: &Catalog,
    operation: &Operation,
    site: &Site,
    exchange: &Exchange,
) -> Rehearsed {
    let arguments = exchange.v1.arguments();
    let now =
        OffsetDateTime::parse(&exchange.at, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp);
    let begun = Translation::begin(catalog, operation, arguments, site, now);
    let mut translation = match begun {
        Ok(translation) => translation,
        Err(error) => {
            return Rehearsed {
                requests: Vec::new(),
                answer: error_json(&error),
            };
        }
    };
    let mut recorded: VecDeque<&V2Exchange> = exchange.v2.iter().collect();
    let mut requests = Vec::new();
    for _ in 0..ROUNDS {
        if translation.is_done() {
            break;
        }
        for call in translation.ready() {
            // Prefer the same request; otherwise use a response to the call with this name.
            let at = recorded
                .iter()
                .position(|known| known.call == call.name && known.path == call.request.path)
                .or_else(|| recorded.iter().position(|known| known.call == call.name));
            let outcome = at
                .and_then(|at| recorded.remove(at))
                .map_or(Outcome::NoAnswer { maybe_done: false }, V2Exchange::outcome);
            requests.push(V2Exchange::new(&call.name, &call.request, &outcome, 0));
            translation.complete(call.id, outcome);
        }
    }
    let finished = translation.finish(now);
    let answer = V1Exchange::new("", Wrapping::Other, &Arguments::default(), &finished.answer);
    Rehearsed {
        requests,
        answer: answer.answer,
    }
}

fn error_json(error: &V1Error) -> Value {
    json!({ "error": { "code": error.code, "message": error.message } })
}

/// Site of a recorded exchange; unrecorded options have the catalog's defaults.
pub fn site(catalog: &Catalog, recorded: Option<&RecordedSite>) -> Site {
    let nothing = Options::default();
    let chosen = recorded.map_or(&nothing, |recorded| &recorded.options);
    Site {
        strict: recorded.is_some_and(|recorded| recorded.strict),
        options: catalog.options_as_far_as_known(chosen),
        ..Site::default()
    }
}
