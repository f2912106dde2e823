//! The result of one request, and its record for observers.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

use hyper::StatusCode;
use mappings::{
    Catalog, V1Error,
    catalog::{
        operation::Operation,
        protocol::{Protocol, ProtocolError},
    },
    translation::{CallFailure, Finished},
};
use shim_upstream::RequestId;

use super::executor::Executed;
use crate::{
    front::encode::Format,
    observe::{Ending, FailedCall, RequestRecord},
};

/// Result of a request.
pub(super) struct Reply {
    pub(super) executed: Executed,
    pub(super) status: StatusCode,
    pub(super) format: Format,
    /// True if the client authenticated.
    pub(super) has_valid_key: bool,
    /// v1 key of the tenant, if authenticated.
    pub(super) key: Option<Arc<str>>,
    ending: Ending,
    refusal: Option<ProtocolError>,
}

impl Reply {
    /// Result of an operation; `trouble` is the HTTP status for errors caused by v2 or the shim.
    pub(super) fn executed(executed: Executed, trouble: StatusCode) -> Self {
        let Finished {
            answer, is_trouble, ..
        } = &executed.finished;
        let ending = match (&answer.result, is_trouble) {
            (Ok(_), _) => Ending::Answered,
            (Err(_), true) => Ending::Trouble,
            (Err(_), false) => Ending::Error,
        };
        Self {
            ending,
            status: if *is_trouble { trouble } else { StatusCode::OK },
            format: Format::default(),
            has_valid_key: true,
            key: None,
            refusal: None,
            executed,
        }
    }

    /// An error of an operation that made no call.
    pub(super) fn error(error: V1Error) -> Self {
        Self::executed(Executed::error(error), StatusCode::OK)
    }

    /// An error during a brownout.
    pub(super) fn brownout(error: V1Error) -> Self {
        Self {
            ending: Ending::Brownout,
            ..Self::error(error)
        }
    }

    /// An error of the v1 protocol or of the shim itself.
    pub(super) fn refusal(protocol: &Protocol, code: ProtocolError, detail: &str) -> Self {
        let (status, error) = protocol.error(code, detail);
        Self {
            ending: match code {
                ProtocolError::Internal => Ending::Trouble,
                _ => Ending::Refused,
            },
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            has_valid_key: false,
            refusal: Some(code),
            ..Self::error(error)
        }
    }

    pub(super) fn record<'a>(
        &'a self,
        id: RequestId,
        catalog: &'a Catalog,
        method: &'static str,
        operation: Option<&'a Operation>,
        (address, elapsed): (IpAddr, Duration),
    ) -> RequestRecord<'a> {
        let Executed {
            finished,
            calls,
            unfinished,
            ..
        } = &self.executed;
        let is_served = operation.is_some_and(Operation::is_served);
        RequestRecord {
            id,
            method,
            operation: operation.map(|operation| operation.name.as_str()),
            is_served,
            ending: match self.ending {
                Ending::Error if operation.is_some() && !is_served => Ending::NotServed,
                ending => ending,
            },
            error: finished
                .answer
                .result
                .as_ref()
                .err()
                .map(|error| error.code),
            refusal: self.refusal.map(ProtocolError::catalog_name),
            calls: *calls,
            elapsed,
            unknown: finished.unknown.len(),
            misplaced: known_fields(catalog, &finished.unknown),
            warnings: &finished.answer.warnings,
            failures: finished.failures.iter().map(failed_call).collect(),
            unfinished: *unfinished,
            key: self.key.as_deref(),
            address: Some(address),
        }
    }
}

/// Filters names known to the catalog; unknown ones could be anything, even a secret.
fn known_fields<'a>(catalog: &'a Catalog, names: &[String]) -> BTreeSet<&'a str> {
    if names.is_empty() {
        return BTreeSet::new();
    }
    let parts = catalog.fields().iter().flat_map(|field| &field.parts);
    parts
        .map(|part| part.name.as_str())
        .filter(|known| names.iter().any(|name| name == known))
        .collect()
}

fn failed_call(failure: &CallFailure) -> FailedCall<'_> {
    FailedCall {
        method: failure.request.0,
        template: &failure.request.1,
        scope: &failure.scope,
        status: failure.status,
        code: failure.code,
        reason: failure.reason,
    }
}
