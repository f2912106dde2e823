//! The JSON report of `migrate audit`.
//!
//! One object on one line:
//!
//! ```json
//! {
//!   "schema": 1,
//!   "findings": [{
//!     "path": "app/Zoom.php", "line": 14, "column": 5, "end_column": 31,
//!     "kind": "endpoint", "rule": "v1-endpoint", "operation": "user/custcreate",
//!     "confidence": "high", "reason": "the v1 base URL is in the same project",
//!     "language": "PHP", "parameters": ["email", "type"],
//!     "advice": {
//!       "v2": ["POST /users"], "scopes": ["user:write:user:admin"], "fidelity": "lossy",
//!       "lossy": [{"name": "type", "reason": "…"},
//!                 {"name": "page_size", "above": 30, "reason": "…"},
//!                 {"name": "topic", "longer_than": 200, "reason": "…"}],
//!       "shim": "lossy", "read": false, "note": null
//!     },
//!     "fingerprint": "…", "excerpt": "…",
//!     "suppressed": {"by": "baseline", "reason": "…"},
//!     "owners": ["@team"]
//!   }],
//!   "unreadable": [{"path": "…", "reason": "…"}],
//!   "summary": {"uses": 12, "operations": 7, "files": 3, "by_kind": {}, "by_operation": {}}
//! }
//! ```
//!
//! With access logs there is also `"traffic": {"operations": {"user/get": {"calls": 7,
//! "parameters": ["id"]}}, "unknown": 0, "unreadable": 0, "live": ["user/get"], "dormant": [],
//! "unknown_callers": []}`.
//!
//! `kind` is one of `base_url`, `url`, `endpoint`, `sdk_call`, `sdk_import`, `dependency`,
//! `push_notification`, `verification_token`, `credential`, `response_field` and `doc`.
//! `operation`, `advice`, `excerpt` and `suppressed` may be null. `shim` is `yes`, `lossy`,
//! `not_yet`, `refused` or `unknown`: then `operation` is a path below v1's base URL that is no
//! operation of v1. `refused` says why v1 refused the request as it is written. `parameters` of a `push_notification`, `verification_token`,
//! `credential` or `response_field` holds its name. Lines and columns count from 1, columns in
//! characters; paths have slashes and start below the audited path. Members may be added; renaming
//! or removing one raises `schema`.

use serde::Serialize;

use super::{Report, Summary};
use migrate_audit::{
    Finding, Unreadable,
    traffic::{Joined, Traffic},
};

/// Traffic, joined with the findings.
#[derive(Serialize)]
struct TrafficPart<'a> {
    #[serde(flatten)]
    traffic: &'a Traffic,
    #[serde(flatten)]
    joined: Joined,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    findings: &'a [Finding],
    unreadable: &'a [Unreadable],
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<TrafficPart<'a>>,
    summary: Summary,
}

pub(super) fn write(report: &Report) -> serde_json::Result<String> {
    let document = Document {
        schema: 1,
        findings: report.findings,
        unreadable: report.unreadable,
        traffic: report.traffic.map(|traffic| TrafficPart {
            traffic,
            joined: traffic.join(report.findings),
        }),
        summary: report.summary(),
    };
    serde_json::to_string(&document)
}
