//! Admission of writes by v2's rate limits.

use std::sync::Arc;

use mappings::{
    Outcome, Translation,
    translation::{Call, PlannedCall},
};
use shim_upstream::{Exhausted, ReservedTurns, Scope};

use crate::serve::tenants::Tenant;

/// Reserves v2's rate limits for all calls of a plan before its first write, so that the limit cannot
/// stop a plan between two writes.
pub(super) enum WriteAdmission {
    /// No write was due yet.
    Pending,
    /// Calls are sent with these reservations.
    Admitted(ReservedTurns),
    /// The limit is used up; writes fail without being sent.
    Refused,
}

impl WriteAdmission {
    /// Calls to send now, each with whether its rate limit is reserved.
    pub(super) async fn ready(
        &mut self,
        translation: &mut Translation<'_>,
        tenant: &Tenant,
        scope: Scope,
    ) -> Vec<(Call, bool)> {
        let is_write = |call: &Call| !call.request.method.is_read();
        let mut ready = translation.ready();
        if matches!(self, Self::Pending) && ready.iter().any(is_write) {
            let mut planned = translation.planned();
            for Call { request, .. } in ready.iter().filter(|call| is_write(call)) {
                // A call that is repeated for several entries is planned once.
                if !planned.iter().any(|known| {
                    (known.method, &known.template) == (request.method, &request.template)
                }) {
                    planned.push(PlannedCall {
                        method: request.method,
                        template: Arc::clone(&request.template),
                        label: request.label,
                        path: Some(request.path.clone()),
                    });
                }
            }
            *self = match tenant.upstream.reserve(&planned, scope).await {
                Ok(turns) => Self::Admitted(turns),
                Err(Exhausted) => Self::Refused,
            };
        }
        if matches!(self, Self::Refused) {
            while let Some(at) = ready.iter().position(is_write) {
                let call = ready.swap_remove(at);
                translation.complete(call.id, Outcome::Limited);
                ready.extend(translation.ready());
            }
        }
        let with_turn = |call: Call| {
            let has_turn = match self {
                Self::Admitted(turns) => turns.take(&call.request),
                Self::Pending | Self::Refused => false,
            };
            (call, has_turn)
        };
        ready.into_iter().map(with_turn).collect()
    }
}
