//! Recordings and their downloads.

use axum::extract::{Path, State as Shared};
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;
use time::OffsetDateTime;

use super::super::Call;
use super::super::template::shown;
use super::{
    Outcome,
    media::{self, Media},
};
use crate::Sandbox;
use crate::access_tokens::credentials;
use crate::error::ApiError;
use crate::request::{Members, QueryPairs};

/// v2 returns this page with status 200 if a download has no valid token.
const SIGN_IN: &str = "<!DOCTYPE html><html><head><title>Sign In</title></head>\
                       <body><form action=\"/signin\"></form></body></html>";

/// Sets the file sizes of a recording and their totals.
pub(super) fn measure(recording: &mut Members) {
    let mut total = 0;
    let mut count = 0;
    let uuid = recording.get("uuid").cloned().unwrap_or_default();
    let files = recording
        .get_mut("recording_files")
        .and_then(Value::as_array_mut);
    for file in files.into_iter().flatten().filter_map(Value::as_object_mut) {
        let media = media::of(&file.get("file_type").map(shown).unwrap_or_default());
        total += media.bytes.len();
        count += 1;
        file.insert("file_size".to_owned(), media.bytes.len().into());
        file.insert("file_extension".to_owned(), media.extension.into());
        file.insert("meeting_id".to_owned(), uuid.clone());
    }
    recording.insert("total_size".to_owned(), total.into());
    recording.insert("recording_count".to_owned(), count.into());
}

/// Deletes the recording named by the path or one of its files. Trashed recordings remain listed as
/// such.
pub(super) fn delete(call: &mut Call<'_>) -> Result<Outcome, ApiError> {
    let Some(key) = call.target() else {
        return Ok(Outcome::Default);
    };
    let Some(Value::Object(mut recording)) = call.store.get(key).cloned() else {
        return Ok(Outcome::Default);
    };
    let mut left = 0;
    if let Some(id) = call.value("path").get("recordingId").cloned() {
        let files = recording
            .get_mut("recording_files")
            .and_then(Value::as_array_mut);
        let Some(files) = files else {
            return Err(call.error("recording_unknown"));
        };
        let before = files.len();
        files.retain(|file| file.get("id") != Some(&id));
        left = files.len();
        if left == before {
            return Err(call.error("recording_unknown"));
        }
    }
    if left > 0 {
        call.update(key, recording)?;
    } else if call.parameter("action").as_deref() == Some("delete") {
        call.delete(key);
    } else {
        let trashed = Members::from_iter([("_trashed".to_owned(), true.into())]);
        call.update(key, trashed)?;
    }
    Ok(Outcome::Answer(Value::Null))
}

/// `GET /rec/download/{fileId}`: the file, for a bearer token of the API or of the recording, in a
/// header or the parameter `access_token`; otherwise an HTML page.
pub(crate) async fn download(
    Shared(sandbox): Shared<Sandbox>,
    Path(id): Path<String>,
    query: QueryPairs,
    headers: HeaderMap,
) -> Response {
    let token = credentials(&headers, "bearer").or_else(|| query.filled("access_token"));
    let mut state = sandbox.state();
    let (account, store) = state.parts();
    let own = |file: &&Value| file.get("id").is_some_and(|own| *own == *id);
    let found = store.all("recordings").find_map(|(_, recording)| {
        let files = recording.get("recording_files")?.as_array()?;
        let file_type = shown(files.iter().find(own)?.get("file_type")?);
        Some((media::of(&file_type), recording.get("_token").map(shown)))
    });
    let now = OffsetDateTime::now_utc();
    match (found, token) {
        (Some((media, own)), Some(token))
            if own.as_deref() == Some(token) || account.access_tokens.check(token, now).is_ok() =>
        {
            part(media, &headers)
        }
        (Some(_), _) => Html(SIGN_IN).into_response(),
        (None, _) => (StatusCode::NOT_FOUND, Html(SIGN_IN)).into_response(),
    }
}

/// The file, or the single range requested by `Range`.
fn part(media: &Media, headers: &HeaderMap) -> Response {
    let file = [(CONTENT_TYPE, media.content_type), (ACCEPT_RANGES, "bytes")];
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else {
        return (file, media.bytes).into_response();
    };
    let length = media.bytes.len();
    let number = |text: &str| text.parse::<usize>().ok();
    let (first, last) = match number(first) {
        Some(first) => (first, number(last).unwrap_or(length).min(length - 1)),
        // Suffix range.
        None => (
            length.saturating_sub(number(last).unwrap_or_default()),
            length - 1,
        ),
    };
    match media.bytes.get(first..=last) {
        Some(bytes) if !bytes.is_empty() => {
            let place = format!("bytes {first}-{last}/{length}");
            (
                StatusCode::PARTIAL_CONTENT,
                file,
                [(CONTENT_RANGE, place)],
                bytes,
            )
                .into_response()
        }
        _ => {
            let place = format!("bytes */{length}");
            (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, place)]).into_response()
        }
    }
}
