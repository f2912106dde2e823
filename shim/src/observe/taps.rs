//! Taps on a request: recorders and the shadow see its v2 calls and its answer. Nothing waits for them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mappings::{Outcome, V2Request};

use super::{recorder::Recording, served_request::ServedRequest, shadow::Shadowed};

/// The taps on one request; mostly none.
#[derive(Default)]
pub(crate) struct Taps {
    pub(crate) recordings: Vec<Recording>,
    pub(crate) shadowed: Option<Shadowed>,
}

impl Taps {
    /// True if there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.shadowed.is_none()
    }

    /// A v2 call has ended.
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
        // Mostly there is one, which takes them as they are.
        let mut recordings = self.recordings.iter();
        if let Some(first) = recordings.next() {
            for recording in recordings {
                let (name, request) = (name.clone(), request.clone());
                recording.called(name, request, outcome, took);
            }
            first.called(name, request, outcome, took);
        }
    }

    /// The request was served with this answer, as JSON.
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
