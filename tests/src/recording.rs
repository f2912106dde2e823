//! Records calls to the sandbox and its responses as JSON lines for external validators, if the
//! environment names a file.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write as _,
    sync::LazyLock,
};

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use serde_json::{Value, json};

use crate::wire::{MAX_BODY, V2Call};

/// Environment variable with the path of the file.
const VARIABLE: &str = "V2_RECORDING";

static RECORDING: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = env::var_os(VARIABLE)?;
    let file = OpenOptions::new().create(true).append(true).open(path);
    Some(file.expect("a file to record into"))
});

/// Records the call and its response. Returns the response.
pub(crate) async fn note(call: &V2Call, answer: Response) -> Response {
    let Some(mut file) = RECORDING.as_ref() else {
        return answer;
    };
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, MAX_BODY).await.expect("a whole answer");
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let line = json!({
        "method": call.method.as_str(),
        "path": call.path,
        "query": call.query,
        "request": json(&call.body),
        "has_body": !call.body.is_empty(),
        "status": head.status.as_u16(),
        "answer": json(&body),
    });
    // One write per line, so that parallel tests do not interleave.
    file.write_all(format!("{line}\n").as_bytes())
        .expect("room for the recording");
    Response::from_parts(head, Body::from(body))
}
