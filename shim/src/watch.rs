//! Who looks on while a request is served: recorders and the shadow. Nobody waits for them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mappings::{Outcome, V2Request};

use crate::{executor::Executor, recorder::Recording, shadow::Shadowed, tenants::Tenant};

/// Those who look at one request; nobody, mostly.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) recordings: Vec<Recording>,
    pub(crate) shadowed: Option<Shadowed>,
}

impl Watch {
    /// True if nobody looks.
    pub(crate) fn is_empty(&self) -> bool {
        self.recordings.is_empty() && self.shadowed.is_none()
    }

    /// A v2 call came to its end.
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

    /// The answer is there, as JSON.
    pub(crate) fn finish(self, answer: &Bytes, tenant: &Arc<Tenant>, executor: &Executor) {
        for recording in self.recordings {
            let site = Arc::clone(&tenant.recorded_site);
            let catalog = Arc::clone(&executor.catalog);
            recording.finish(answer.clone(), site, tenant.upstream.secrets(), catalog);
        }
        if let Some(shadowed) = self.shadowed {
            shadowed.finish(answer.clone(), tenant, executor);
        }
    }
}
