//! Observers of a single request: recorders and the shadow receive its v2 calls and its answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mappings::{Outcome, V2Request};

use super::{recorder::Recording, served_request::ServedRequest, shadow::Shadowed};

/// Taps of one request; usually none.
#[derive(Default)]
pub(crate) struct Taps {
    pub(crate) recordings: Vec<Recording>,
    pub(crate) shadowed: Option<Shadowed>,
}

impl Taps {
    /// Returns whether there are no taps.
    pub(crate) fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.shadowed.is_none()
    }

    /// Reports the end of a v2 call.
    pub(crate) fn called(
        &self,
        name: String,
        request: V2Request,
        outcome: &Outcome,
        took: Duration,
    ) {
        if let Some(shadowed) = &self.shadowed {
            shadowed.called(&name, &request, outcome, took);
        }
        // Usually there is one recording, which takes the values without a clone.
        let mut recordings = self.recordings.iter();
        if let Some(first) = recordings.next() {
            for recording in recordings {
                let (name, request) = (name.clone(), request.clone());
                recording.called(name, request, outcome, took);
            }
            first.called(name, request, outcome, took);
        }
    }

    /// Reports the answer, as JSON.
    pub(crate) fn finish(self, answer: &Bytes, request: &Arc<impl ServedRequest + 'static>) {
        for recording in self.recordings {
            let site = Arc::clone(request.recorded_site());
            let catalog = Arc::clone(request.catalog());
            recording.finish(answer.clone(), site, request.secrets(), catalog);
        }
        if let Some(shadowed) = self.shadowed {
            shadowed.finish(answer.clone(), Arc::clone(request) as _);
        }
    }
}
