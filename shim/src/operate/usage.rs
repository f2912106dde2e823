//! Usage of v1 by caller: `GET /usage`.
//!
//! Returns a [`recording::usage::Usage`]. Optional parameters: `operation`, `key` (empty for
//! requests refused before authentication), `since` (a day), `limit` (consumers, at most 1000) and
//! `after` (`next` of the previous page).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use recording::usage::{Usage, day_of};
use serde::Deserialize;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::OpsState;
use crate::observe::ledger::{Filter, Ledger};

/// Default page size, in consumers.
pub(super) const DEFAULT_LIMIT: usize = 200;

/// Maximum page size, in consumers.
const MAX_LIMIT: usize = 1000;

/// Timeout for writing pending entries before a read.
const LEDGER_TIME: Duration = Duration::from_secs(1);

/// Query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    operation: Option<String>,
    key: Option<String>,
    since: Option<String>,
    limit: Option<usize>,
    after: Option<i64>,
}

pub(super) async fn usage(State(state): State<OpsState>, RawQuery(query): RawQuery) -> Response {
    let Some(ledger) = state.shim.ledger() else {
        let text = "the ledger is off: name a file, as ledger.file, SHIM_LEDGER or --ledger\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let filter = match filter(query.as_deref().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let read = read(state.reading, ledger, filter).await;
    let json = read.and_then(|mut usage| {
        let owners = state.shim.owners();
        for consumer in &mut usage.consumers {
            let owner = consumer.key.as_ref().and_then(|key| owners.get(key));
            consumer.owner = owner.cloned();
        }
        Ok(serde_json::to_vec(&usage)?)
    });
    match json {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => {
            tracing::error!("The ledger cannot be read: {error:#}");
            let text = format!("the ledger cannot be read: {error:#}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

/// Reads the ledger on a blocking thread, one read at a time.
pub(super) async fn read(
    reading: Arc<Semaphore>,
    ledger: Arc<Ledger>,
    filter: Filter,
) -> anyhow::Result<Usage> {
    let permit = reading.acquire_owned().await?;
    let read = spawn_blocking(move || {
        // Held until the read ends, even if the client disconnects.
        let _permit = permit;
        ledger.usage(&filter, LEDGER_TIME)
    });
    Ok(read.await??)
}

fn filter(query: &str) -> Result<Filter, String> {
    const KNOWN: &str = "operation, key, since, limit, after";
    let query: Query = serde_urlencoded::from_str(query)
        .map_err(|error| format!("{error}; known parameters are {KNOWN}"))?;
    let since = match query.since.as_deref() {
        None => None,
        Some(text) => {
            let day = day_of(text).filter(|_| text.len() == 10);
            Some(day.ok_or("since is not a date; write it as 2026-11-22")?)
        }
    };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(format!("limit must be from 1 to {MAX_LIMIT}"));
    }
    Ok(Filter {
        operation: query.operation,
        key: query.key,
        since,
        limit,
        after: query.after,
    })
}
