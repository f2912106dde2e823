//! `POST` and `DELETE /users/{userId}/picture`.

use axum::Router;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::routing::post;
use bytes::Bytes;
use serde_json::json;

use crate::Sandbox;
use crate::error::ApiError;
use crate::request::{Answer, Segments, created, no_content};

/// Maximum picture size in bytes.
const MAX_PICTURE: usize = 2 * 1024 * 1024;
/// Maximum body size in bytes.
const MAX_BODY: usize = 2 * MAX_PICTURE;
/// Signatures of JPEG and PNG files.
const SIGNATURES: [&[u8]; 2] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"];

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/users/{userId}/picture", post(upload).delete(remove))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn upload(
    Shared(sandbox): Shared<Sandbox>,
    path: Segments,
    multipart: Result<Multipart, MultipartRejection>,
) -> Answer {
    let multipart = multipart.map_err(|_| ApiError::new("body_unreadable"))?;
    // Read before taking the lock. An unknown user is reported first, as in v2.
    let file = picture_file(multipart).await;
    let mut state = sandbox.state();
    state.joined_user(path.at(0))?;
    let file = file?;
    if file.is_empty() {
        return Err(ApiError::new("picture_empty"));
    }
    if file.len() > MAX_PICTURE {
        return Err(ApiError::new("picture_too_large"));
    }
    if !SIGNATURES
        .iter()
        .any(|signature| file.starts_with(signature))
    {
        return Err(ApiError::new("picture_not_an_image"));
    }
    let number = state.fresh_number();
    state.user_mut(path.at(0))?.picture = Some(number);
    created(&json!({}))
}

async fn remove(Shared(sandbox): Shared<Sandbox>, path: Segments) -> Answer {
    let mut state = sandbox.state();
    state.joined_user(path.at(0))?;
    state.user_mut(path.at(0))?.picture = None;
    no_content()
}

async fn picture_file(mut multipart: Multipart) -> Result<Bytes, ApiError> {
    let unreadable = |error: axum::extract::multipart::MultipartError| {
        let too_large = error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
        ApiError::new(if too_large {
            "picture_too_large"
        } else {
            "body_unreadable"
        })
    };
    while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
        if field.name() == Some("pic_file") {
            return field.bytes().await.map_err(unreadable);
        }
    }
    Err(ApiError::refused("pic_file", "This field is required."))
}
